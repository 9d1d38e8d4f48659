/** Certificates at IoT Core, over its protocol: cut off at any call and typed again, a device has one; nothing lets in what the lake does not know. */
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { checkThingName, cutOff, type DeviceFolder, giveCertificate } from '#lake/cloud/iot-devices';
import { amazonRoots } from '#lake/cloud/iot-keys';
import { createIotClients, type IotRegistry, openIotRegistry } from '#lake/cloud/iot-registry';
import { readCredentials, revokeCredentials } from '#lake/credentials';
import { UsageError } from '#lake/errors';
import type { ObjectStore } from '#lake/store/object-store';
import { type IotServer, startIotServer } from '#test/support/iot-server';
import { memoryStore } from '#test/support/memory-store';

const POLICY = 'flowlake-test-device';
const now = () => new Date();

let iot: IotServer;
let registry: IotRegistry;
let store: ObjectStore;

beforeAll(async () => {
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    iot = await startIotServer({ policies: [POLICY] });
});

afterAll(() => iot.stop());

beforeEach(() => {
    iot.reset();
    store = memoryStore();
    const environment = { AWS_ENDPOINT_URL_IOT: iot.endpoint, AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot.endpoint };
    registry = openIotRegistry({ clients: createIotClients({ environment }), policy: POLICY, lake: 'my-lake' });
});

type Files = Partial<Record<'key' | 'certificate' | 'ca', string>>;

function folderOf(files: Files, name = 'devices/d'): DeviceFolder {
    let keyMadeAt = files.key === undefined ? undefined : new Date();
    return {
        name,
        read: async () => ({ key: files.key, certificate: files.certificate, ca: files.ca, keyMadeAt }),
        async write(written) {
            for (const which of Object.keys(written) as (keyof Files)[]) {
                expect(files[which]).toBeUndefined();
            }
            keyMadeAt ??= new Date();
            Object.assign(files, written);
        },
    };
}

/** Lets calls through until the process is gone: at call `at`, before it or, with `isDone`, once it has been done and nobody hears of it. */
function dying<T extends object>(port: T, fate: { calls: number; at: number; isDone: boolean }): T {
    return new Proxy(port, {
        get(target, name) {
            const value: unknown = Reflect.get(target, name);
            if (typeof value !== 'function') {
                return value;
            }
            return (...parameters: unknown[]) => {
                fate.calls += 1;
                if (fate.calls > fate.at || (fate.calls === fate.at && !fate.isDone)) {
                    throw new Error('killed');
                }
                const result: unknown = Reflect.apply(value, target, parameters);
                return fate.calls === fate.at && result instanceof Promise
                    ? result.then(() => {
                          throw new Error('killed');
                      })
                    : result;
            };
        },
    });
}

const give = (files: Files, device = 'd') => giveCertificate(device, { store, registry, folder: folderOf(files), now });

/** What lets a device in at IoT Core is known to the lake, and holds there. */
async function expectNothingUnknown(device = 'd'): Promise<void> {
    const { certificates } = await readCredentials(store, device);
    const holding = certificates.filter(({ revoked }) => revoked === null).map(({ fingerprint }) => fingerprint);
    for (const [id, { status }] of iot.certificates) {
        expect(status !== 'ACTIVE' || holding.includes(id)).toBe(true);
    }
}

describe('a device gets', () => {
    test('a key that stays here, a certificate of it, a thing of this lake and the policy', async () => {
        const files: Files = {};
        const { fingerprint, notAfter, isNew } = await give(files);
        expect({ isNew, end: notAfter.toISOString() }).toEqual({ isNew: true, end: '2049-12-31T23:59:59.000Z' });
        expect(new X509Certificate(files.certificate ?? '').subject).toBe('CN=d');
        expect(iot.things.get('d')).toEqual({ lake: 'my-lake' });
        const stored = iot.certificates.get(fingerprint);
        expect(stored).toMatchObject({ status: 'ACTIVE', things: new Set(['d']), policies: new Set([POLICY]) });
        expect(await readCredentials(store, 'd')).toMatchObject({
            certificates: [{ fingerprint, not_after: '2049-12-31T23:59:59.000Z', revoked: null }],
        });
        expect(files.ca).toBe(amazonRoots());
        expect(await give(files)).toMatchObject({ fingerprint, isNew: false });
        expect(iot.certificates.size).toBe(1);
    });

    test('the authorities of AWS as Node trusts them', () => {
        const subjects = amazonRoots()
            .split(/(?<=-----END CERTIFICATE-----\n)/)
            .filter((pem) => pem.trim() !== '')
            .map((pem) => new X509Certificate(pem).subject.split('\n').at(-1));
        expect(subjects.sort()).toEqual([
            'CN=Amazon Root CA 1',
            'CN=Amazon Root CA 2',
            'CN=Amazon Root CA 3',
            'CN=Amazon Root CA 4',
            'CN=Starfield Services Root Certificate Authority - G2',
        ]);
    });

    test('one certificate, wherever the command is cut off, and whether or not its last call was done', async () => {
        const fate = { calls: 0, at: Number.POSITIVE_INFINITY, isDone: false };
        await giveCertificate('d', { store: dying(store, fate), registry: dying(registry, fate), folder: dying(folderOf({}), fate), now });
        const steps = fate.calls;
        expect(steps).toBeGreaterThan(10);
        for (let at = 1; at <= steps; at += 1) {
            for (const isDone of [false, true]) {
                iot.reset();
                store = memoryStore();
                const files: Files = {};
                const dead = { calls: 0, at, isDone };
                const killed = giveCertificate('d', {
                    ...{ store: dying(store, dead), registry: dying(registry, dead), folder: dying(folderOf(files), dead), now },
                });
                await expect(killed).rejects.toThrow('killed');
                await expectNothingUnknown();
                const { key } = files;
                const { fingerprint } = await give(files);
                expect(files.key ?? '').toBe(key ?? files.key);
                expect([...iot.certificates]).toMatchObject([
                    [fingerprint, { status: 'ACTIVE', things: new Set(['d']), policies: new Set([POLICY]) }],
                ]);
                expect((await readCredentials(store, 'd')).certificates).toMatchObject([{ fingerprint, revoked: null }]);
                expect([files.certificate, files.ca]).toEqual([iot.certificates.get(fingerprint)?.pem, amazonRoots()]);
                expect(await give(files)).toMatchObject({ fingerprint, isNew: false });
            }
        }
    }, 60_000);

    test('the one that AWS signed before the command was cut off, although others were signed since', async () => {
        const files: Files = {};
        const dead = { calls: 0, at: Number.POSITIVE_INFINITY, isDone: true };
        const signing: IotRegistry = {
            ...registry,
            async sign(request) {
                await registry.sign(request);
                throw new Error('killed');
            },
        };
        await expect(giveCertificate('d', { store, registry: dying(signing, dead), folder: folderOf(files), now })).rejects.toThrow(
            'killed',
        );
        for (const other of ['e', 'f', 'g', 'h']) {
            await give({}, other);
        }
        await give(files);
        expect(iot.certificates.size).toBe(5);
    });

    test('none with a name that IoT Core does not take, and is told what to do', () => {
        expect(() => checkThingName('th:1_-')).not.toThrow();
        expect(() => checkThingName('th.1')).toThrow(UsageError);
        expect(() => checkThingName('th.1')).toThrow(
            'it can send by HTTP (device add th.1 --token), or be registered under another id, th:1 for example',
        );
    });

    test.each([
        [{}, 'no lake’s'],
        [{ lake: 'other-lake' }, 'the lake’s in bucket other-lake'],
    ])('none by a thing that is not this lake’s: %j', async (attributes, said) => {
        iot.things.set('d', attributes);
        await expect(give({})).rejects.toThrow(`IoT Core has a thing d already that is ${said}`);
        expect(iot.certificates.size).toBe(0);
    });

    test('nothing by files that do not belong together, are another lake’s, or are revoked', async () => {
        const own: Files = {};
        const other: Files = {};
        const { fingerprint } = await give(own);
        await give(other);
        const { key, certificate } = own;
        await expect(give({ certificate: certificate ?? '' })).rejects.toThrow('devices/d has a certificate and not its key');
        await expect(give({ key: other.key ?? '', certificate: certificate ?? '' })).rejects.toThrow('is not the key of device.crt');
        await expect(give({ key: '' })).rejects.toThrow('device.key holds no private key');
        await expect(give({ key: key ?? '', certificate: 'x' })).rejects.toThrow('devices/d/device.crt holds no certificate');
        await revokeCredentials(store, 'd', { what: { certificate: fingerprint }, now: now() });
        await expect(give(own)).rejects.toThrow('was revoked: give another folder with --out');
        iot.certificates.clear();
        await expect(give(other)).rejects.toThrow('IoT Core does not know the certificate in devices/d');
    });
});

describe('a device is cut off', () => {
    const cut = async (fingerprints: readonly string[], isAnyLeft = false) => {
        const waits: number[] = [];
        const isAway = await cutOff('d', { registry, fingerprints, isAnyLeft, pause: async (ms) => void waits.push(ms) });
        return { isAway, waits: waits.length };
    };

    test('by its certificate and its connection, until it does not come back', async () => {
        const { fingerprint } = await give({});
        iot.connected.set('d', 2);
        expect(await cut([fingerprint])).toEqual({ isAway: true, waits: 3 });
        expect([iot.certificates.get(fingerprint)?.status, iot.connected.size]).toEqual(['REVOKED', 0]);
        expect(await cut([fingerprint])).toEqual({ isAway: true, waits: 0 });
    });

    test('once where another certificate is left to it, by which it may come back', async () => {
        const [one, two] = [await give({}), await give({})];
        iot.connected.set('d', 9);
        expect(await cut([one.fingerprint], true)).toEqual({ isAway: true, waits: 0 });
        expect(iot.connected.get('d')).toBe(8);
        expect(iot.certificates.get(two.fingerprint)?.status).toBe('ACTIVE');
    });

    test('and is told of where it comes back all the same, and where its certificate is gone', async () => {
        iot.connected.set('d', 99);
        expect(await cut(['ab'.repeat(32)])).toEqual({ isAway: false, waits: 10 });
    });
});

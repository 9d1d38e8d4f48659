/** What the lake says of single devices: missing, damaged and not readable are three answers, and nothing old puts a message aside. */
import { describe, expect, test } from '@jest/globals';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { addCertificate, allowPrograms, revokeCredentials } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { StorageError } from '#lake/errors';
import { addInput } from '#lake/inputs';
import { credentialsKey, deviceKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { memoryStore } from '#test/support/memory-store';

const NOW_MS = Date.UTC(2026, 0, 5, 10);
const PLUG = { name: 'plug', topics: ['tele/{device}/{event}'], device: { text: '{device}' } };

async function openWorld({ maxDevices = 100 } = {}) {
    const store = memoryStore();
    const clock = { ms: NOW_MS };
    const reads: string[] = [];
    let isBroken = false;
    const counted: Pick<ObjectStore, 'get'> = {
        async get(key) {
            reads.push(key);
            if (isBroken) {
                throw new StorageError('S3 does not answer');
            }
            return store.get(key);
        },
    };
    await addInput(store, 'profiles/', 'plug', PLUG);
    const add = (device: string, site = 'main', from?: string) =>
        registerDevice(store, { device, profile: 'plug', site, from }, { today: '2026-01-05' });
    return {
        ...{ store, clock, reads, add },
        devices: openDeviceLookup({ store: counted, now: () => clock.ms, maxDevices }),
        breakDown: (broken = true) => {
            isBroken = broken;
        },
    };
}

describe('a device', () => {
    test('is what it was assigned to when its message arrived, with the topics of its profile', async () => {
        const { devices, add } = await openWorld();
        await add('p1', 'shed');
        await add('p1', 'barn', '2026-01-07');
        const found = await devices.find('p1', { atMs: NOW_MS });
        expect(found).toMatchObject({ ok: true, device: { profile: 'plug', site: 'shed' } });
        expect(found.ok && found.device.patterns.map(({ pattern }) => pattern.text)).toEqual(['tele/{device}/{event}']);
        expect(await devices.find('p1', { atMs: Date.UTC(2026, 0, 7) })).toMatchObject({ ok: true, device: { site: 'barn' } });
    });

    test('that is not registered, and one whose record is damaged, are different answers; what cannot be read is none', async () => {
        const { devices, store, breakDown } = await openWorld();
        expect(await devices.find('p1', { atMs: NOW_MS })).toEqual({
            ok: false,
            isDamaged: false,
            why: 'device p1 is not registered on 2026-01-05: flowlake device add p1',
        });
        await store.put(deviceKey('p1'), Buffer.from('{"site":'));
        expect(await devices.find('p1', { atMs: NOW_MS })).toMatchObject({ ok: false, isDamaged: false });
        const later = { atMs: NOW_MS, readSinceMs: NOW_MS + 1 };
        expect(await devices.find('p1', later)).toMatchObject({
            ok: false,
            isDamaged: true,
            why: expect.stringContaining('no record of device p1'),
        });
        expect(await devices.find('a/b', { atMs: NOW_MS })).toMatchObject({ ok: false, why: '"a/b" is no id of a device' });
        breakDown();
        await expect(devices.find('p2', { atMs: NOW_MS })).rejects.toThrow('S3 does not answer');
        breakDown(false);
        expect(await devices.find('p2', { atMs: NOW_MS })).toMatchObject({ ok: false, isDamaged: false });
    });

    test('is remembered for five minutes; asked by many at once, it is read once', async () => {
        const { devices, clock, reads, add } = await openWorld();
        await add('p1');
        reads.length = 0;
        await Promise.all(Array.from({ length: 50 }, () => devices.find('p1', { atMs: NOW_MS })));
        clock.ms += 5 * 60_000;
        await devices.find('p1', { atMs: clock.ms });
        const all = [deviceKey('p1'), 'profiles/plug.json', 'profiles/plug/1.json'];
        expect(reads).toEqual(all);
        clock.ms += 1;
        await devices.find('p1', { atMs: clock.ms });
        expect(reads).toEqual([...all, ...all]);
    });

    test('that was registered after it was looked up is known to the first message that arrives then', async () => {
        const { devices, clock, reads, add } = await openWorld();
        await devices.find('p1', { atMs: NOW_MS });
        clock.ms += 1_000;
        await add('p1');
        expect(await devices.find('p1', { atMs: clock.ms })).toMatchObject({ ok: true });
        // Messages of before, all of one batch: what was read after they arrived is believed.
        reads.length = 0;
        await devices.find('p2', { atMs: NOW_MS });
        await devices.find('p2', { atMs: NOW_MS });
        expect(reads).toEqual([deviceKey('p2')]);
    });

    test('that was not asked for the longest time is forgotten first', async () => {
        const { devices, reads, add } = await openWorld({ maxDevices: 2 });
        for (const device of ['p1', 'p2', 'p3']) {
            await add(device);
        }
        for (const device of ['p1', 'p2', 'p1', 'p3', 'p1', 'p2']) {
            await devices.find(device, { atMs: NOW_MS });
        }
        const ofDevices = reads.filter((key) => key.startsWith('devices/'));
        expect(ofDevices).toEqual(['p1', 'p2', 'p3', 'p2'].map(deviceKey));
    });
});

describe('credentials', () => {
    const fingerprint = 'ab'.repeat(32);

    test('tell by whose right a program writes, at the instant at which it did', async () => {
        const { devices, store, clock } = await openWorld();
        expect(await devices.whyNoProgram('p1', clock.ms)).toContain('device add p1 --program');
        clock.ms += 1_000;
        await allowPrograms(store, 'p1', { now: new Date(clock.ms) });
        expect(await devices.whyNoProgram('p1', clock.ms)).toBeUndefined();
        clock.ms += 1_000;
        await revokeCredentials(store, 'p1', { what: 'program', now: new Date(clock.ms) });
        expect(await devices.whyNoProgram('p1', clock.ms - 1)).toBeUndefined();
        // What is remembered holds for a while.
        expect(await devices.whyNoProgram('p1', clock.ms)).toBeUndefined();
        clock.ms += 5 * 60_000;
        expect(await devices.whyNoProgram('p1', clock.ms)).toContain('no more since');
        expect(await devices.whyNoProgram('p1', NOW_MS + 1_500)).toBeUndefined();
        expect(await devices.whyNoProgram('no id!', clock.ms)).toBe('"no id!" is no id of a device');
    });

    test('tell whose a certificate is, also one that was added after they were read', async () => {
        const { devices, store, clock } = await openWorld();
        expect(await devices.whyNotItsCertificate('p1', { fingerprint, atMs: clock.ms })).toContain('knows no certificate');
        clock.ms += 1_000;
        const certificate = { fingerprint, serial: '1', not_after: '2027-01-01T00:00:00Z', added: '2026-01-05T10:00:01Z' };
        await addCertificate(store, 'p1', certificate);
        expect(await devices.whyNotItsCertificate('p1', { fingerprint, atMs: clock.ms })).toBeUndefined();
        await store.put(credentialsKey('p2'), Buffer.from('{'));
        expect(await devices.whyNotItsCertificate('p2', { fingerprint, atMs: clock.ms })).toContain('holds no credentials of device p2');
    });
});

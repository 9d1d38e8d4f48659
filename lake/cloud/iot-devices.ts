/**
 * Gives a device what it proves itself by at IoT Core, and takes it away. Both are a row of calls of which each may be the last one: the same command, typed
 * again, goes on where it was cut off. A certificate is active only once the lake knows it, so that nothing can connect that cannot be revoked.
 */
import { X509Certificate } from 'node:crypto';
import { addCertificate, hexOf, readCredentials } from '#lake/credentials';
import { UsageError } from '#lake/errors';
import type { ObjectStore } from '#lake/store/object-store';
import { amazonRoots, isOfKey, makeKey, requestFor } from './iot-keys.ts';
import type { IotCertificate, IotRegistry } from './iot-registry.ts';

/** The folder of a device's files. Each write is whole, overwrites nothing, and is on the disk when it has returned. Texts are PEM. */
export interface DeviceFolder {
    /** Its path, for people. */
    name: string;
    read(): Promise<{ key: string | undefined; keyMadeAt: Date | undefined; certificate: string | undefined; ca: string | undefined }>;
    write(files: { key?: string; certificate?: string; ca?: string }): Promise<void>;
}

export interface GivenCertificate {
    /** SHA-256 of the certificate, which is its id at AWS. */
    fingerprint: string;
    notAfter: Date;
    /** False where all of it was there already. */
    isNew: boolean;
}

/** A certificate that AWS signed just before a command was cut off is looked for among those since its key was made; clocks differ by less than this. */
const CLOCKS_DIFFER_MS = 15 * 60_000;

/** And among so many at most: one that is not found stays inactive, and another one is signed. */
const MAX_LOOKED_AT = 5_000;

/** Lets ids pass that IoT Core takes as names of things: https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html. @throws UsageError for others */
export function checkThingName(device: string): void {
    if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(device)) {
        throw new UsageError(
            `IoT Core has no things with a dot in their name, so device ${device} can have no certificate: it can send by HTTP (device add ${device} --token), or be ` +
                `registered under another id, ${device.replaceAll('.', ':')} for example, that its profile makes of what the device sends (docs/devices.md)`,
        );
    }
}

/**
 * Key, certificate and thing of a registered device. Safe to repeat: what the folder has is kept, and what is missing at AWS or in the lake is made up for.
 * @throws UsageError for a folder whose certificate is another one's or revoked, and for a thing that another lake has
 */
export async function giveCertificate(
    device: string,
    { store, registry, folder, now }: { store: ObjectStore; registry: IotRegistry; folder: DeviceFolder; now: () => Date },
): Promise<GivenCertificate> {
    checkThingName(device);
    const files = await folder.read();
    if (files.key === undefined && files.certificate !== undefined) {
        throw new UsageError(`${folder.name} has a certificate and not its key: move it away, and try again`);
    }
    const key = files.key ?? (await makeKey());
    if (files.key === undefined) {
        await folder.write({ key });
    }
    await ensureThing(device, registry);
    const certificate = files.certificate === undefined ? undefined : await ownCertificate(files.certificate, { key, registry, folder });
    const found =
        certificate ??
        (files.keyMadeAt && (await findSigned(device, { store, registry, key, since: files.keyMadeAt }))) ??
        ({ ...(await registry.sign(await requestFor(device, key))), status: 'INACTIVE' } satisfies IotCertificate);
    const known = (await readCredentials(store, device)).certificates.find(({ fingerprint }) => fingerprint === found.id);
    if (known?.revoked || found.status === 'REVOKED') {
        throw new UsageError(
            `The certificate in ${folder.name} was revoked: give another folder with --out, or move this one away, and the device gets a new key`,
        );
    }
    const parsed = new X509Certificate(found.pem);
    const notAfter = new Date(parsed.validTo);
    if (!known) {
        const serial = parsed.serialNumber.toLowerCase();
        await addCertificate(store, device, {
            fingerprint: found.id,
            serial,
            not_after: notAfter.toISOString(),
            added: now().toISOString(),
        });
    }
    await folder.write({
        ...(files.certificate === undefined && { certificate: found.pem }),
        ...(files.ca === undefined && { ca: amazonRoots() }),
    });
    await registry.attachPolicy(found.arn);
    await registry.attachThing(device, found.arn);
    if (found.status !== 'ACTIVE') {
        await registry.setStatus(found.id, 'ACTIVE');
    }
    return { fingerprint: found.id, notAfter, isNew: known === undefined || found.status !== 'ACTIVE' || files.certificate === undefined };
}

async function ensureThing(device: string, registry: IotRegistry): Promise<void> {
    if (await registry.makeThing(device)) {
        return;
    }
    const thing = await registry.thing(device);
    const whose = thing?.lake === undefined ? 'no lake’s' : `the lake’s in bucket ${thing.lake}`;
    throw new UsageError(
        `IoT Core has a thing ${device} already that is ${whose}: whoever has a certificate of it could send as this device. Give the device another id, or look ` +
            `after it first: aws iot describe-thing --thing-name ${device}, list-thing-principals, delete-thing`,
    );
}

/** The certificate of the folder as IoT Core has it. */
async function ownCertificate(
    pem: string,
    { key, registry, folder }: { key: string; registry: IotRegistry; folder: DeviceFolder },
): Promise<IotCertificate> {
    let isOwn: boolean;
    try {
        isOwn = isOfKey(pem, key);
    } catch (error) {
        throw error instanceof UsageError
            ? error
            : new UsageError(`${folder.name}/device.crt holds no certificate: move it away, and try again`);
    }
    if (!isOwn) {
        throw new UsageError(`device.key in ${folder.name} is not the key of device.crt: move both away, and try again`);
    }
    const found = await registry.certificate(hexOf(new X509Certificate(pem).fingerprint256));
    if (!found) {
        throw new UsageError(
            `IoT Core does not know the certificate in ${folder.name}: it is of another lake or account. Give another folder with --out`,
        );
    }
    return found;
}

/** The certificate that AWS has signed of this key before a command was cut off; undefined where there is none. */
async function findSigned(
    device: string,
    { store, registry, key, since }: { store: ObjectStore; registry: IotRegistry; key: string; since: Date },
): Promise<IotCertificate | undefined> {
    const isOfThisKey = async (id: string): Promise<IotCertificate | undefined> => {
        const certificate = await registry.certificate(id);
        return certificate && isOfKey(certificate.pem, key) ? certificate : undefined;
    };
    for (const { fingerprint } of (await readCredentials(store, device)).certificates) {
        const known = await isOfThisKey(fingerprint);
        if (known) {
            return known;
        }
    }
    let looked = 0;
    for await (const { id, status, createdAt } of registry.certificates()) {
        looked += 1;
        if (looked > MAX_LOOKED_AT || (createdAt && createdAt.getTime() < since.getTime() - CLOCKS_DIFFER_MS)) {
            return undefined;
        }
        const own = status === 'INACTIVE' ? await isOfThisKey(id) : undefined;
        if (own) {
            return own;
        }
    }
    return undefined;
}

/** A connection that was ended is looked for again after this time, as a client dials again; IoT Core may still let it in then. */
const LOOK_AGAIN_MS = 5_000;
const LOOK_TIMES = 10;

/**
 * Ends certificates at IoT Core, and the connection of the device, which AWS by itself would end minutes later. To be called once the lake has revoked them. Where
 * none is left to the device, its connection is looked for until it stays away. Safe to repeat.
 * @returns false where the device came back again and again: then IoT Core has not yet heard of it everywhere
 */
export async function cutOff(
    device: string,
    {
        registry,
        fingerprints,
        isAnyLeft,
        pause,
    }: { registry: IotRegistry; fingerprints: readonly string[]; isAnyLeft: boolean; pause: (ms: number) => Promise<void> },
): Promise<boolean> {
    for (const fingerprint of fingerprints) {
        await registry.setStatus(fingerprint, 'REVOKED');
    }
    for (let times = 0; times < LOOK_TIMES; times += 1) {
        const wasConnected = await registry.disconnect(device, { isSessionKept: isAnyLeft });
        if (!wasConnected || isAnyLeft) {
            return true;
        }
        await pause(LOOK_AGAIN_MS);
    }
    return !(await registry.disconnect(device, { isSessionKept: isAnyLeft }));
}

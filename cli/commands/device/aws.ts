/** What devices of a deployed lake prove themselves by: key and certificate at IoT Core, and programs that write in their place. */
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import type { RunContext } from '#cli/command';
import { keyMadeAt, readDeviceFiles, writeDeviceFiles } from '#cli/device-files';
import { checkThingName, cutOff, type DeviceFolder, type GivenCertificate, giveCertificate } from '#lake/cloud/iot-devices';
import { type Difference, differencesOf, seeDevices } from '#lake/cloud/iot-differences';
import { allowPrograms, isMeantCertificate, type Revocation, readCredentials } from '#lake/credentials';
import { readDevice } from '#lake/devices';
import { UsageError } from '#lake/errors';
import type { BucketLake } from '#lake/lake';
import { noteRegistered } from '#lake/live/note-registered';
import { CALLS_AT_ONCE } from '#lake/store/object-store';
import type { Wishes } from './wishes.ts';

/** MQTT over TLS at IoT Core: https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html */
export const IOT_MQTT_PORT = 8883;

/** Lets wishes pass that AWS can grant. @throws UsageError for others; NotFoundError where the lake takes no live telemetry */
export async function checkWishesOnAws(lake: BucketLake, devices: readonly string[], { out, days, program }: Wishes): Promise<void> {
    const { names } = await lake.telemetry();
    if (days !== 0) {
        throw new UsageError('Certificates that AWS signs hold until the end of 2049: --days is for a lake in a directory');
    }
    if (program && names.programStream === undefined) {
        throw new UsageError(
            'This lake has no stream that programs may write to: say hasProgramStream in the telemetry of its stage (cdk/config.ts), and deploy it again',
        );
    }
    for (const device of out === undefined ? [] : devices) {
        checkThingName(device);
    }
}

/** Makes certificate and rights of the device, as far as they are wished for and not there. @returns the certificate, and whether anything was new */
export async function makeOnAws(
    lake: BucketLake,
    device: string,
    { out, program }: Wishes,
    { now }: Pick<RunContext, 'now'>,
): Promise<{ certificate: GivenCertificate | undefined; isNew: boolean }> {
    const store = await lake.store();
    const certificate =
        out === undefined
            ? undefined
            : await giveCertificate(device, { store, registry: await lake.iot(), folder: folderOf(out, device), now });
    const isProgramNew = program && (await allowPrograms(store, device, { now: now() }));
    return { certificate, isNew: isProgramNew || certificate?.isNew === true };
}

/** Lets latest state know of registered devices, so that one that is never heard of is seen there too. Safe to repeat; nothing where devices send nothing live. */
export async function noteOnAws(lake: BucketLake, devices: readonly string[], { now }: Pick<RunContext, 'now'>): Promise<void> {
    if (!(await lake.hasTelemetry())) {
        return;
    }
    const store = await lake.store();
    const last = await pMap(devices, async (device) => (await readDevice(store, device)).at(-1) ?? [], { concurrency: CALLS_AT_ONCE });
    await noteRegistered(await lake.state({ now }), last.flat(), { nowMs: now().getTime() });
}

/** The addresses that a device's messages go to. `httpBase` is the beginning of the API's addresses. */
export async function placesOnAws(lake: BucketLake): Promise<{ host: string; mqttPort: number; httpBase: string; programStream: string }> {
    const [{ names }, registry] = [await lake.telemetry(), await lake.iot()];
    return {
        host: await registry.endpoint(),
        mqttPort: IOT_MQTT_PORT,
        // Not there while devices are not let in.
        httpBase: names.apiUrl ?? 'https://API',
        programStream: names.programStream ?? '',
    };
}

/** Ends at IoT Core what the lake has revoked. @returns what came of it, in words */
export async function cutOffOnAws(lake: BucketLake, device: string, what: Revocation): Promise<string> {
    const registry = await lake.iot();
    const { certificates } = await readCredentials(await lake.store(), device);
    const meant = certificates.filter(({ fingerprint }) => isMeantCertificate(what, fingerprint));
    // What somebody else has attached to the device's thing is one of its credentials too.
    const attached = what === 'all' ? ((await registry.certificatesOf(device)) ?? []) : [];
    const fingerprints = [...new Set([...meant.map(({ fingerprint }) => fingerprint), ...attached])];
    if (fingerprints.length === 0) {
        return 'The API refuses it within a minute';
    }
    const isAnyLeft = certificates.some(({ revoked }) => revoked === null);
    const isAway = await cutOff(device, { registry, fingerprints, isAnyLeft, pause: (ms) => sleep(ms) });
    return isAway
        ? 'IoT Core refuses it, and its connection is ended'
        : 'IoT Core was told, and the device came back for most of a minute: run this again, and if it goes on, aws iot describe-certificate --certificate-id ' +
              (fingerprints[0] ?? '');
}

/** A certificate of a device as IoT Core has it. */
export interface SeenCertificate {
    status: string;
    /** True if it is attached to the device's thing, and has the policy of devices: without either it cannot connect. */
    isAttached: boolean;
    hasPolicy: boolean;
}

/** What IoT Core says of each certificate of one device, of those that only IoT Core knows of too; undefined where the lake takes no live telemetry. */
export async function seeCertificates(lake: BucketLake, device: string): Promise<ReadonlyMap<string, SeenCertificate> | undefined> {
    if (!(await lake.hasTelemetry())) {
        return undefined;
    }
    const registry = await lake.iot();
    const { certificates } = await readCredentials(await lake.store(), device);
    const attached = new Set(await registry.certificatesOf(device));
    const seen = new Map<string, SeenCertificate>();
    for (const id of new Set([...certificates.map(({ fingerprint }) => fingerprint), ...attached])) {
        const certificate = await registry.certificate(id);
        if (certificate) {
            const { status, arn } = certificate;
            seen.set(id, { status, isAttached: attached.has(id), hasPolicy: await registry.hasPolicy(arn) });
        }
    }
    return seen;
}

/** Differences between registry, credentials and IoT Core, of one device. */
export async function differencesOfDevice(
    lake: BucketLake,
    device: string,
    seen: ReadonlyMap<string, SeenCertificate>,
): Promise<Difference[]> {
    const [store, registry] = [await lake.store(), await lake.iot()];
    const [assignments, credentials] = [await readDevice(store, device), await readCredentials(store, device)];
    const hasAny = credentials.certificates.length + credentials.tokens.length + (credentials.programs?.length ?? 0) > 0;
    const holding = new Set(credentials.certificates.flatMap(({ fingerprint, revoked }) => (revoked === null ? [fingerprint] : [])));
    const known = new Set(credentials.certificates.map(({ fingerprint }) => fingerprint));
    const active = [...seen].filter(([, { status }]) => status === 'ACTIVE');
    const again = `flowlake device add ${device} --out DIR, as it was typed before`;
    return [
        ...differencesOf({
            registered: new Set(assignments.length > 0 ? [device] : []),
            credentials: hasAny ? [credentials] : [],
            things: new Set((await registry.thing(device)) ? [device] : []),
            statuses: new Map([...seen].map(([id, { status }]) => [id, status])),
        }),
        ...active
            .filter(([id, { isAttached, hasPolicy }]) => holding.has(id) && !(isAttached && hasPolicy))
            .map(([id, { isAttached }]) => ({
                device,
                isGrave: false,
                what: `cannot connect by certificate ${id.slice(0, 12)}...: at IoT Core it ${isAttached ? 'has not the policy of devices' : 'is not attached to the thing'}`,
                todo: again,
            })),
        ...active
            .filter(([id]) => !known.has(id))
            .map(([id]) => ({
                device,
                isGrave: true,
                what: `has a certificate ${id.slice(0, 12)}... at IoT Core that the lake does not know: what comes by it is put aside`,
                todo: `aws iot update-certificate --certificate-id ${id} --new-status INACTIVE`,
            })),
    ];
}

/** Differences between registry, credentials and IoT Core, of all devices. @throws NotFoundError where the lake takes no live telemetry */
export async function differencesOfAll(lake: BucketLake): Promise<Difference[]> {
    return differencesOf(await seeDevices(await lake.store(), await lake.iot()));
}

function folderOf(out: string, device: string): DeviceFolder {
    return {
        name: `${out}/${device}`,
        async read() {
            const { key, certificate, ca } = await readDeviceFiles(out, device);
            return { key, certificate, ca, keyMadeAt: await keyMadeAt(out, device) };
        },
        async write(files) {
            writeDeviceFiles(out, device, files);
        },
    };
}

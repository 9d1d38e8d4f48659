/** The differences between registry, credentials and IoT Core: what a command left that was cut off, and what was changed past the lake. */
import { type CertificateRecord, type Credentials, readAllCredentials } from '#lake/credentials';
import { readDevices } from '#lake/devices';
import type { ObjectStore } from '#lake/store/object-store';
import type { IotRegistry } from './iot-registry.ts';

/** Something that one of the three says and another one does not. */
export interface Difference {
    device: string;
    /** True for what lets in whoever should not be. */
    isGrave: boolean;
    what: string;
    /** What to type. */
    todo: string;
}

/** What each of the three says. */
export interface DevicesSeen {
    /** Ids that are in the registry. */
    registered: ReadonlySet<string>;
    credentials: readonly Credentials[];
    /** This lake's things. */
    things: ReadonlySet<string>;
    /** Status of certificates by fingerprint, of the account or of the device in question. */
    statuses: ReadonlyMap<string, string>;
}

/** Reads all three, for all devices: an object for each of them, and a page of IoT Core for 250. */
export async function seeDevices(store: ObjectStore, registry: IotRegistry): Promise<DevicesSeen> {
    const registered = new Set((await readDevices(store)).map(({ device }) => device));
    const things = new Set(await registry.things());
    const statuses = new Map<string, string>();
    for await (const { id, status } of registry.certificates()) {
        statuses.set(id, status);
    }
    return { registered, credentials: await readAllCredentials(store), things, statuses };
}

/** The differences, grave ones first. */
export function differencesOf({ registered, credentials, things, statuses }: DevicesSeen): Difference[] {
    const found: Difference[] = [];
    for (const { device, certificates } of credentials) {
        const holding = certificates.filter(({ revoked }) => revoked === null);
        for (const certificate of certificates) {
            found.push(...differencesOfCertificate(device, certificate, statuses));
        }
        if (holding.length > 0 && !things.has(device)) {
            found.push({
                device,
                isGrave: false,
                what: 'has a certificate in the lake, and IoT Core has no thing of it: it cannot connect',
                todo: addAgain(device),
            });
        }
        if (!registered.has(device) && (holding.length > 0 || certificates.length === 0)) {
            found.push({
                device,
                isGrave: false,
                what: 'has credentials, and is not in the registry: what it sends is put aside',
                todo: `flowlake device add ${device} --profile NAME, or flowlake device revoke ${device}`,
            });
        }
    }
    const certified = new Set(credentials.flatMap(({ device, certificates }) => (certificates.length > 0 ? [device] : [])));
    for (const device of things) {
        if (!registered.has(device) || !certified.has(device)) {
            found.push({
                device,
                isGrave: false,
                what: registered.has(device)
                    ? 'is a thing of IoT Core, and the lake knows no certificate of it'
                    : 'is a thing of IoT Core, and not in the registry',
                todo: `${addAgain(device)}, or aws iot delete-thing --thing-name ${device}`,
            });
        }
    }
    return found.sort((a, b) => Number(b.isGrave) - Number(a.isGrave) || (a.device < b.device ? -1 : a.device > b.device ? 1 : 0));
}

function differencesOfCertificate(
    device: string,
    { fingerprint, revoked }: CertificateRecord,
    statuses: DevicesSeen['statuses'],
): Difference[] {
    const status = statuses.get(fingerprint) ?? 'not there';
    const certificate = `certificate ${fingerprint.slice(0, 12)}...`;
    if (revoked !== null && status === 'ACTIVE') {
        return [
            {
                device,
                isGrave: true,
                what: `${certificate} was revoked on ${revoked} here, and is ACTIVE at IoT Core: it can connect, and what it sends is put aside`,
                todo: `flowlake device revoke ${device} --certificate ${fingerprint.slice(0, 12)}`,
            },
        ];
    }
    if (revoked === null && status !== 'ACTIVE') {
        return [
            {
                device,
                isGrave: false,
                what: `${certificate} holds here, and is ${status} at IoT Core: it cannot connect`,
                todo: `${addAgain(device)}, or flowlake device revoke ${device} --certificate ${fingerprint.slice(0, 12)}`,
            },
        ];
    }
    return [];
}

function addAgain(device: string): string {
    return `flowlake device add ${device} --out DIR, as it was typed before`;
}

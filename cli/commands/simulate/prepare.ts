/** Gives each device of a simulation what it connects with: the files that are there, and of a lake of this machine those that are missing. */
import pMap from 'p-map';
import type { RunContext } from '#cli/command';
import { type DeviceFiles, readDeviceFiles, writeDeviceFiles } from '#cli/device-files';
import { tellServe } from '#cli/tell-serve';
import { addCertificate, addToken } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { UsageError } from '#lake/errors';
import { addInput } from '#lake/inputs';
import type { DirectoryLake } from '#lake/lake';
import { authorityFolder, openAuthority } from '#lake/serve/certificates';
import { CALLS_AT_ONCE } from '#lake/store/object-store';
import { SIMULATED_PROFILE } from '#sample/telemetry/simulated';

export interface PrepareOptions {
    devices: readonly string[];
    /** Folder with a folder for each device. */
    directory: string;
    /** The lake that devices are registered in where they are missing. */
    lake: DirectoryLake | undefined;
    /** What they prove themselves by. */
    by: 'certificate' | 'token';
}

const PROFILES = 'profiles/';

/** The files of each device. @throws UsageError where some are missing and no lake is there to make them */
export async function prepareDevices(
    { devices, directory, lake, by }: PrepareOptions,
    { now, stderr, signal }: Pick<RunContext, 'now' | 'stderr' | 'signal'>,
): Promise<Map<string, DeviceFiles>> {
    const read = (device: string): Promise<DeviceFiles> => readDeviceFiles(directory, device);
    const files = new Map<string, DeviceFiles>();
    await pMap(devices, async (device) => files.set(device, await read(device)), { concurrency: CALLS_AT_ONCE, signal });
    const missing = devices.filter((device) => !hasFiles(files.get(device), by));
    if (missing.length === 0) {
        return files;
    }
    if (!lake) {
        throw new UsageError(
            `${directory} has no ${by} of device ${missing[0]}: give the lake too (--lake DIR), and it is made; or the folder that flowlake device add --out has written (--credentials DIR)`,
        );
    }
    const store = await lake.store();
    await addInput(store, PROFILES, SIMULATED_PROFILE.name, SIMULATED_PROFILE, { onlyFirst: true });
    const authority = await openAuthority(authorityFolder(lake.directory), { now: now() });
    for (const device of missing) {
        signal.throwIfAborted();
        const change = { device, profile: SIMULATED_PROFILE.name };
        await registerDevice(store, change, { today: now().toISOString().slice(0, 'yyyy-mm-dd'.length) });
        const known = files.get(device);
        if (known?.certificate === undefined) {
            const { certificate, key, fingerprint, serial, notAfter } = await authority.issueDevice({ device, now: now() });
            await addCertificate(store, device, {
                fingerprint,
                serial,
                not_after: notAfter.toISOString(),
                added: now().toISOString(),
            });
            writeDeviceFiles(directory, device, { certificate, key, ca: authority.certificate });
        }
        if (known?.token === undefined) {
            const { token } = await addToken(store, device, { now: now() });
            writeDeviceFiles(directory, device, { token: `${token}\n`, ca: authority.certificate });
        }
        files.set(device, await read(device));
    }
    // Who serves the lake shall know them now.
    await tellServe(lake);
    await stderr.write(
        `${missing.length === 1 ? `Device ${missing[0]} was` : `${missing.length} devices were`} registered; certificates and tokens are in ${directory}\n`,
    );
    return files;
}

function hasFiles(files: DeviceFiles | undefined, by: PrepareOptions['by']): boolean {
    return by === 'token' ? files?.token !== undefined : files?.certificate !== undefined && files.key !== undefined;
}

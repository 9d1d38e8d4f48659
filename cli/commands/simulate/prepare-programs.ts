/** Lets programs write as the devices of a simulation, where a lake on AWS is given. */
import pMap from 'p-map';
import type { RunContext } from '#cli/command';
import { allowPrograms } from '#lake/credentials';
import { readDevice, registerDevice } from '#lake/devices';
import { UsageError } from '#lake/errors';
import { addInput } from '#lake/inputs';
import type { Lake } from '#lake/lake';
import { CALLS_AT_ONCE } from '#lake/store/object-store';
import { SIMULATED_PROFILE } from '#sample/telemetry/simulated';

const PROFILES = 'profiles/';

/** Registers the devices that are missing, and lets programs write as each. Safe to repeat. @throws UsageError for a lake in a directory: no stream leads into it */
export async function preparePrograms(
    devices: readonly string[],
    lake: Lake,
    { now, stderr, signal }: Pick<RunContext, 'now' | 'stderr' | 'signal'>,
): Promise<void> {
    if (lake.kind === 'directory') {
        throw new UsageError(
            'No stream leads into a lake in a directory: give the lake on AWS (--lake s3://bucket), or send by MQTT or HTTP',
        );
    }
    const store = await lake.store();
    await addInput(store, PROFILES, SIMULATED_PROFILE.name, SIMULATED_PROFILE, { onlyFirst: true });
    const today = now().toISOString().slice(0, 'yyyy-mm-dd'.length);
    const allowed = await pMap(
        devices,
        async (device) => {
            signal.throwIfAborted();
            if ((await readDevice(store, device)).length === 0) {
                await registerDevice(store, { device, profile: SIMULATED_PROFILE.name }, { today });
            }
            return allowPrograms(store, device, { now: now() });
        },
        { concurrency: CALLS_AT_ONCE, signal },
    );
    const count = allowed.filter((isNew) => isNew).length;
    if (count > 0) {
        await stderr.write(`Programs may write as ${count === 1 ? 'one more device' : `${count} more devices`}\n`);
    }
}

/** Writes sample files. */

import type { RunContext } from '#cli/command';
import { openProgress } from '#cli/draw/progress';
import { sayCount } from '#cli/draw/quantity';
import { UsageError } from '#lake/errors';
import { flowFiles } from '#sample/flows/sample-files';
import { tools } from '#sample/flows/tools';
import { fleetFiles } from '#sample/telemetry/sample-files';
import { writeFiles } from '#sample/write-files';

interface SampleOptions {
    kind: 'flows' | 'telemetry';
    devices: number;
    flows: number;
    days: number;
    pairs: number;
    seed: number;
    /** Name of the tool that the files shall be of; undefined for CICFlowMeter. */
    as: string | undefined;
    /** What an option is where it is not given. */
    fallbacks: { devices: number; flows: number; pairs: number; as?: undefined };
}

const OF_FLOWS = ['as', 'flows', 'pairs'] as const;
const OF_TELEMETRY = ['devices'] as const;

/** Writes the files and says how many, and how fast. @throws UsageError for an option of the other kind */
export async function writeSampleFiles(dir: string, options: SampleOptions, { stderr, now, signal }: RunContext): Promise<number> {
    const { kind, devices, days, seed, flows, pairs, as } = options;
    const foreign = (kind === 'telemetry' ? OF_FLOWS : OF_TELEMETRY).find((name) => options[name] !== options.fallbacks[name]);
    if (foreign !== undefined) {
        throw new UsageError(
            kind === 'telemetry'
                ? `--${foreign} is of flows: leave it out, or --kind telemetry`
                : `--${foreign} is of telemetry: leave it out, or add --kind telemetry`,
        );
    }
    const files =
        kind === 'telemetry'
            ? fleetFiles({ devices, days, seed })
            : flowFiles({ flows, days, pairs, seed }, { tool: tools.find(({ name }) => name === as) });
    const progress = openProgress({ stderr, now, doing: 'Writing', totalBytes: undefined });
    let toldBytes = 0;
    const onProgress = ({ sizeBytes }: { sizeBytes: number }) => {
        progress.advance(sizeBytes - toldBytes);
        toldBytes = sizeBytes;
    };
    try {
        const written = await writeFiles(dir, files, { onProgress, signal });
        const what = sayCount(written.rows, kind === 'telemetry' ? 'message' : 'flow');
        await progress.finish(`Wrote ${sayCount(written.files, 'file')} with ${what} to ${dir}`);
    } catch (error) {
        await progress.stop();
        throw error;
    }
    return 0;
}

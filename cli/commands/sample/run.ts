/** Writes sample files. */

import type { RunContext } from '#cli/command';
import { openProgress } from '#cli/draw/progress';
import { sayCount } from '#cli/draw/quantity';
import { tools } from '#sample/flows/tools';
import { writeSamples } from '#sample/flows/write-samples';

interface SampleOptions {
    flows: number;
    days: number;
    pairs: number;
    seed: number;
    /** Name of the tool that the files shall be of; undefined for CICFlowMeter. */
    as: string | undefined;
}

/** Writes the files and says how many, and how fast. */
export async function writeSampleFiles(
    dir: string,
    { as, ...options }: SampleOptions,
    { stderr, now, signal }: RunContext,
): Promise<number> {
    const progress = openProgress({ stderr, now, doing: 'Writing', totalBytes: undefined });
    let toldBytes = 0;
    const onProgress = ({ sizeBytes }: { sizeBytes: number }) => {
        progress.advance(sizeBytes - toldBytes);
        toldBytes = sizeBytes;
    };
    try {
        const { files, flows } = await writeSamples(dir, options, { onProgress, signal, tool: tools.find(({ name }) => name === as) });
        await progress.finish(`Wrote ${sayCount(files, 'file')} with ${sayCount(flows, 'flow')} to ${dir}`);
    } catch (error) {
        await progress.stop();
        throw error;
    }
    return 0;
}

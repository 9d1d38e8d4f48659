/**
 * The speed class of each tool's files: the time that a flow takes, against one of CICFlowMeter's, from the same synthetic traffic. The flows of a tool that
 * writes one for each direction are more, so the ratio is of a row.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readFlows } from '#lake/flows/read-flows';
import { readAhead } from '#lake/store/read-ahead';
import { sampleFiles } from '#sample/flows/sample-files';
import { tools } from '#sample/flows/tools';
import { type BenchOptions, type Finding, inTurn, sayRatio } from './measure.ts';
import { writeSample } from './reading.ts';
import { BYTES_PER_FLOW } from './site-files.ts';

export async function* benchReadingTools({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const bytes = isQuick ? 5e6 : 100e6;
    const base = await writeSample(folder, bytes);
    for (const tool of tools) {
        await mkdir(folder, { recursive: true });
        const path = join(folder, `sample.${tool.name}`);
        for (const { chunks } of sampleFiles({ flows: Math.round(bytes / BYTES_PER_FLOW), days: 1, seed: 1, sites: ['bench'] }, { tool })) {
            await pipeline(Readable.from(chunks), createWriteStream(path));
        }
        let baseRows = 0;
        let rows = 0;
        const { a, b } = await inTurn(
            isQuick ? 1 : 5,
            async () => {
                baseRows = await readRows(base);
            },
            async () => {
                rows = await readRows(path);
            },
        );
        const speed = ((await stat(path)).size / 1e6 / b.cpuMs) * 1000;
        const ratio = b.cpuMs / rows / (a.cpuMs / baseRows);
        yield {
            what: `a row of ${tool.name} / of CICFlowMeter (CPU)`,
            found: `${sayRatio(ratio)}  (${speed.toFixed(0)} MB/s)`,
        };
    }
}

/** Reads the file. @returns its rows */
async function readRows(path: string): Promise<number> {
    const file = await open(path);
    try {
        const result = await readFlows(() => readAhead(file), {});
        if (!result.ok || result.rowsRead === 0) {
            throw new Error(`the sample cannot be read: ${JSON.stringify(result)}`);
        }
        return result.rowsRead;
    } finally {
        await file.close();
    }
}

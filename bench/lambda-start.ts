/** How long a Lambda takes to be ready, its first clients included, against a handler that does nothing: what a cold start adds for our code. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleLambda } from '#cdk/bundle-lambda';
import { type BenchOptions, type Finding, median } from './measure.ts';

/** Most that loading may take, in milliseconds; docs/performance.md has the goal. */
const MOST_MS = 100;
const MOST_BYTES = 1_000_000;

/** All that the handlers read when they start; nothing is called. */
const ENVIRONMENT = {
    LAKE_BUCKET: 'bench',
    SUMMARIZE_QUEUE: 'bench',
    CONSOLIDATE_QUEUE: 'bench.fifo',
    POWERTOOLS_SERVICE_NAME: 'bench',
    POWERTOOLS_METRICS_NAMESPACE: 'bench',
    STAGE: 'bench',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
};

/** The handler's module is loaded and has made its clients when this has run. */
const IMPORTING = `
const startedAt = performance.now();
const { handler } = await import(process.argv[2]);
console.log(typeof handler === 'function' ? performance.now() - startedAt : NaN);
`;

export async function* benchLambdaStart({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const importing = join(folder, 'importing.mjs');
    const empty = join(folder, 'empty-handler.mjs');
    await writeFile(importing, IMPORTING);
    await writeFile(empty, 'export const handler = async () => ({});\n');
    for (const job of ['summarize', 'consolidate'] as const) {
        const bundle = bundleLambda(job);
        const times = { empty: [] as number[], full: [] as number[] };
        for (let run = 0; run < (isQuick ? 3 : 25); run += 1) {
            times.empty.push(timeOf(importing, empty));
            times.full.push(timeOf(importing, join(bundle.folder, 'index.mjs')));
        }
        const moreMs = median(times.full) - median(times.empty);
        yield {
            what: `Lambda ${job}: import and clients`,
            found: `${moreMs.toFixed(0)} ms more than an empty handler  (${median(times.full).toFixed(1)} / ${median(times.empty).toFixed(1)} ms)`,
            goal: { text: `under ${MOST_MS} ms more`, isMet: moreMs < MOST_MS },
        };
        yield {
            what: `Lambda ${job}: bundle`,
            found: `${(bundle.sizeBytes / 1000).toFixed(0)} kB`,
            goal: { text: 'under 1 MB', isMet: bundle.sizeBytes < MOST_BYTES },
        };
    }
}

function timeOf(importing: string, handler: string): number {
    const { stdout } = spawnSync(process.execPath, [importing, pathToFileURL(handler).href], { env: { ...process.env, ...ENVIRONMENT } });
    return Number(stdout.toString());
}

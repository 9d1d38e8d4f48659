/** What the Lambda `summarize` does with a second of CPU and with memory, as its bundle is deployed; S3 and SQS are another process here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bundleLambda } from '#cdk/bundle-lambda';
import { type BenchOptions, type Finding, median } from './measure.ts';
import { haveEqualTotals, openDuckDb } from './peers.ts';
import { middleOf, type Ran, ratioOf, runNode } from './run-program.ts';
import { BYTES_PER_FLOW, writeSiteFiles } from './site-files.ts';

const KEY = 'raw/site=one/bench.csv';
const LOCAL_AWS = fileURLToPath(new URL('local-aws.ts', import.meta.url));

/** Gives the handler the news of the object, as Lambda does. It has no part of the figures that Node prints of itself. */
const INVOKE = `
const { handler } = await import(process.argv[1]);
const s3 = { bucket: { name: 'lake' }, object: { key: '${KEY}' } };
const body = JSON.stringify({ Records: [{ eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', eventTime: new Date().toISOString(), s3 }] });
const record = { messageId: 'm1', receiptHandle: 'r1', body, attributes: { ApproximateReceiveCount: '1' } };
const { batchItemFailures } = await handler({ Records: [record] }, { getRemainingTimeInMillis: () => 900_000, awsRequestId: 'r1', functionName: 'f' });
if (batchItemFailures.length > 0) {
    process.exit(1);
}
`;

export async function* benchLambdaWork({ folder, isQuick, before }: BenchOptions): AsyncGenerator<Finding> {
    const now = join(bundleLambda('summarize').folder, 'index.mjs');
    const bundleBefore = before === undefined ? undefined : join(dirname(before), '..', 'dist-lambdas', 'summarize', 'index.mjs');
    let few: Ran | undefined;
    for (const [flows, pairs] of isQuick
        ? ([
              [20_000, 2000],
              [20_000, 20_000],
          ] as const)
        : ([
              [170_000, 20_000],
              [400_000, 400_000],
          ] as const)) {
        const bytes = flows * BYTES_PER_FLOW;
        const captures = join(folder, `lambda-${pairs}`);
        const [file] = await writeSiteFiles(captures, { bytes, pairs, sites: ['one'] });
        const path = file?.path ?? '';
        const byDuckDb = join(folder, 'lambda-duckdb.parquet');
        openDuckDb().run(file ? [file] : [], byDuckDb);
        const runs = { now: [] as Ran[], before: [] as Ran[] };
        let isEqual = true;
        for (let round = 0; round <= (isQuick ? 1 : 5); round += 1) {
            for (const [name, bundle] of [
                ['now', now],
                ['before', bundleBefore],
            ] as const) {
                if (bundle === undefined || !existsSync(bundle)) {
                    continue;
                }
                const made = join(folder, 'lambda.parquet');
                const ran = await summarizeOnce(bundle, { path, made });
                isEqual &&= await haveEqualTotals(made, byDuckDb);
                if (round > 0) {
                    runs[name].push(ran);
                }
            }
        }
        const what = `Lambda summarize, ${(bytes / 1e6).toFixed(0)} MB, ${pairs / 1000} thousand pairs`;
        const speeds = runs.now.map(({ cpuMs }) => bytes / 1000 / cpuMs).sort((a, b) => a - b);
        const ran = middleOf(runs.now);
        yield {
            what,
            found: `${median(speeds).toFixed(0)} MB/s a vCPU (${speeds[0]?.toFixed(0)} to ${speeds.at(-1)?.toFixed(0)}), start included, ${ran.peakMb.toFixed(0)} MB`,
            isEqual,
        };
        if (runs.before.length > 0) {
            const { ratio, said } = ratioOf(runs.now, runs.before, ({ cpuMs }) => 1 / cpuMs);
            yield {
                what: `${what}: MB/s / the build before`,
                found: said,
                ...(few && { goal: { text: 'at least 2x', isMet: ratio >= 2 } }),
            };
        }
        if (few) {
            yield {
                what: `${what}: memory a pair`,
                found: `${(((ran.peakMb - few.peakMb) * 1e6) / pairs).toFixed(0)} bytes more than with few`,
            };
        }
        few = ran;
    }
}

/** One cold start that summarizes the file; what it contributed is then in `made`. */
async function summarizeOnce(bundle: string, { path, made }: { path: string; made: string }): Promise<Ran> {
    const aws = spawn(process.execPath, [LOCAL_AWS, path, KEY, made], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
        const [line] = await once(createInterface({ input: aws.stdout }), 'line');
        const environment: Record<string, string> = JSON.parse(line);
        return runNode(['--input-type=module', '-e', INVOKE, bundle], { ...process.env, ...environment });
    } finally {
        aws.stdin.end();
        await once(aws, 'exit');
    }
}

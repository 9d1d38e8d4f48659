/**
 * The lake's own code over a bucket, for the tests of the Glue jobs: `lake-in-bucket.ts <bucket> <command> <argument>`, JSON to stdout. The
 * argument is a raw key, or a period of the first kind's table.
 */
import { parquetMetadata } from 'hyparquet';
import { consolidate, planPeriod } from '#lake/commit/consolidate';
import { containedOf, keyOf } from '#lake/commit/period-state';
import { summarize } from '#lake/commit/summarize';
import { kinds } from '#lake/kinds';
import { readRows } from '#lake/parquet';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { plannedResult } from '#lake/work/period-results';

const [bucket = '', command = '', argument = ''] = process.argv.slice(2);
const store = openS3Store({ bucket, client: createS3Client({ environment: process.env }) });
const [{ merged }] = kinds;
const of = { table: merged.name, period: argument };

async function bytesOfPeriod(): Promise<Uint8Array<ArrayBuffer>> {
    const object = await store.get(keyOf(of));
    if (!object) {
        throw new Error(`${argument} has no object`);
    }
    return object.bytes;
}

const commands: Record<string, () => Promise<unknown>> = {
    consolidate: async () => (await consolidate(of, { store })).writes,
    contained: () => containedOf(of, { store }),
    plan: async () => {
        const { hasFailed, ...result } = plannedResult(of, await planPeriod(of, { store }));
        return { ...result, failed: hasFailed };
    },
    rows: async () => readRows(merged, await bytesOfPeriod()),
    schema: async () => {
        const { schema } = parquetMetadata((await bytesOfPeriod()).buffer);
        return schema.slice(1).map(({ logical_type: _, ...element }) => element);
    },
    summarize: async () => {
        const { periods } = await summarize(argument, { store, now: () => new Date(0) });
        return periods.map(({ period }) => period);
    },
};

const answer = await commands[command]?.();
process.stdout.write(JSON.stringify(answer ?? null, (_, value) => (typeof value === 'bigint' ? String(value) : jsonOf(value))));

/** Typed arrays as plain ones. */
function jsonOf(value: unknown): unknown {
    return value instanceof BigInt64Array ? [...value] : value;
}

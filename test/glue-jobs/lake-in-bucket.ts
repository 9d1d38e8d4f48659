/** The lake's own code over a bucket, for the tests of the Glue jobs: `lake-in-bucket.ts <bucket> <command> <argument>`, JSON to stdout. */
import { parquetMetadata } from 'hyparquet';
import { consolidate, containedOf, planDay } from '#lake/commit/consolidate';
import { summarize } from '#lake/commit/summarize';
import { pairDaysKey } from '#lake/layout';
import { readPairRows } from '#lake/parquet';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { plannedResult } from '#lake/work/day-results';

const [bucket = '', command = '', argument = ''] = process.argv.slice(2);
const store = openS3Store({ bucket, client: createS3Client({ environment: process.env }) });

async function bytesOfDay(): Promise<Uint8Array<ArrayBuffer>> {
    const object = await store.get(pairDaysKey(argument));
    if (!object) {
        throw new Error(`${argument} has no object`);
    }
    return object.bytes;
}

const commands: Record<string, () => Promise<unknown>> = {
    consolidate: () => consolidate(argument, { store }),
    contained: () => containedOf(argument, { store }),
    plan: async () => {
        const { hasFailed, ...result } = plannedResult(argument, await planDay(argument, { store }));
        return { ...result, failed: hasFailed };
    },
    rows: async () => readPairRows(await bytesOfDay()),
    schema: async () => {
        const { schema } = parquetMetadata((await bytesOfDay()).buffer);
        return schema.slice(1).map(({ logical_type: _, ...element }) => element);
    },
    summarize: async () => {
        const days: string[] = [];
        await summarize(argument, { store, now: () => new Date(0), tellDay: async (day) => void days.push(day) });
        return days;
    },
};

const answer = await commands[command]?.();
process.stdout.write(JSON.stringify(answer ?? null, (_, value) => (typeof value === 'bigint' ? String(value) : jsonOf(value))));

/** Typed arrays as plain ones. */
function jsonOf(value: unknown): unknown {
    return value instanceof BigInt64Array ? [...value] : value;
}

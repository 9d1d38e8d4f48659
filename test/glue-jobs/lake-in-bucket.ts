/**
 * The lake's own code over a bucket, for the tests of the Glue jobs: `lake-in-bucket.ts <bucket> <command> <argument>`, JSON to stdout. The
 * argument is a raw key, a period of the first kind's table, or for what is derived `<table>/<period>`.
 */
import { parquetMetadata } from 'hyparquet';
import { consolidate, planPeriod } from '#lake/commit/consolidate';
import { derive } from '#lake/commit/derive';
import { containedOf, keyOf } from '#lake/commit/period-state';
import { findUnderived } from '#lake/commit/reconcile';
import { summarize } from '#lake/commit/summarize';
import { findDerivation, kinds } from '#lake/kinds';
import { mergedKey } from '#lake/layout';
import { readRows } from '#lake/parquet';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { withWords } from '#lake/tables';
import { plannedResult } from '#lake/work/period-results';

const [bucket = '', command = '', argument = ''] = process.argv.slice(2);
const store = openS3Store({ bucket, client: createS3Client({ environment: process.env }) });
const [{ merged }] = kinds;
const of = { table: merged.name, period: argument };

/** `<table>/<period>`. */
function named(): { table: string; period: string } {
    const [table = '', period = ''] = argument.split('/');
    return { table, period };
}

async function derivedRows(): Promise<unknown> {
    const table = findDerivation(named().table)?.derived.table;
    const object = table && (await store.get(mergedKey(table, named().period)));
    return object && readRows(withWords(table), object.bytes);
}

async function bytesOfPeriod(): Promise<Uint8Array<ArrayBuffer>> {
    const object = await store.get(keyOf(of));
    if (!object) {
        throw new Error(`${argument} has no object`);
    }
    return object.bytes;
}

const commands: Record<string, () => Promise<unknown>> = {
    consolidate: async () => (await consolidate(of, { store })).writes,
    consolidatePeriod: async () => (await consolidate(named(), { store })).writes,
    derive: async () => (await derive(named(), { store })).writes,
    derivedRows,
    underived: async () => (await findUnderived(store)).map(({ table, period }) => `${table}/${period}`),
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

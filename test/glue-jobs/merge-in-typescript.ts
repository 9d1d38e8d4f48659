/**
 * The lake's own code over files of any table, for the tests of the Glue jobs:
 * `merge-in-typescript.ts <table as JSON> <period> <merged file, or nothing> <contribution>...`. JSON to stdout: the contributions as
 * TypeScript merges them, or why it cannot; and the rows of the merged file.
 */
import { readFile } from 'node:fs/promises';
import { mergeRows } from '#lake/merge-rows';
import { readRows } from '#lake/parquet';
import type { Rows } from '#lake/rows';
import type { MergedTable } from '#lake/tables';

const [text = '', period = '', merged = '', ...contributions] = process.argv.slice(2);
const table: MergedTable = JSON.parse(text);

async function rowsOf(path: string): Promise<Rows> {
    return readRows(table, new Uint8Array(await readFile(path)));
}

const lists = await Promise.all(contributions.map(rowsOf));
const answer: { rows?: Rows; error?: string; merged?: Rows } = {};
try {
    answer.rows = mergeRows(lists, { table, period });
} catch (error) {
    answer.error = error instanceof Error ? error.message : String(error);
}
if (merged !== '') {
    answer.merged = await rowsOf(merged);
}
process.stdout.write(JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? String(value) : jsonOf(value))));

/** Typed arrays as plain ones. */
function jsonOf(value: unknown): unknown {
    return value instanceof BigInt64Array ? [...value] : value;
}

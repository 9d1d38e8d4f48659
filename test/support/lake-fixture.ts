/** Directory lakes with known figures: flows in, the pair days that they add up to as Parquet files, and an engine to ask. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type FlowMeasure, flowMeasures, pairDays } from '#lake/flows/tables';
import { ledgerKey } from '#lake/layout';
import { writeParquetTable } from '#lake/parquet';
import { openDuckDb } from '#lake/query/duckdb';
import type { QueryEngine, Value } from '#lake/query/query-engine';
import { type QueryName, readQuery } from '#lake/query/sql-files';
import { sourceId } from '#lake/source-id';
import { pairDaysKey, rejectsKey } from '#test/support/flow-tables';

import { makeFolder } from '#test/support/temporary';

export interface Flow {
    day: string;
    site?: string;
    src?: string;
    dst?: string;
    /** Null where the flow has no duration. */
    duration?: bigint | null;
    packets?: bigint;
}

/** What a flow adds to each measure. */
const VALUE_OF: Readonly<Record<FlowMeasure, (flow: Flow) => bigint | null>> = {
    flow_duration_us: ({ duration = 1000n }) => duration,
    fwd_pkts: ({ packets = 10n }) => packets,
};

export type Row = Record<string, Value>;

export interface FixtureLake {
    directory: string;
    engine: QueryEngine;
    /** All rows of the answer, by column name. */
    ask(sql: string, parameters?: Value[]): Promise<Row[]>;
    /** All rows of the answer to a file of sql/flows/queries, by column name. */
    askQuery(name: QueryName, parameters: Value[]): Promise<Row[]>;
}

const engines: QueryEngine[] = [];

afterAll(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

/** A lake with these flows in it; in a new folder, or below `directory`. */
export async function openFixture(flows: readonly Flow[], { directory }: { directory?: string } = {}): Promise<FixtureLake> {
    const folder = directory ?? (await makeFolder());
    await putFlows(folder, flows);
    const engine = await openDuckDb({ directory: folder });
    engines.push(engine);
    const ask = (sql: string, parameters: Value[] = []) => rowsOf(engine, sql, parameters);
    return { directory: folder, engine, ask, askQuery: (name, parameters) => ask(readQuery(name), parameters) };
}

export async function rowsOf(engine: QueryEngine, sql: string, parameters: readonly Value[] = []): Promise<Row[]> {
    const { columns, batches } = await engine.query(sql, { parameters });
    const rows: Row[] = [];
    for await (const batch of batches) {
        rows.push(...batch.map((values) => Object.fromEntries(columns.map(({ name }, at) => [name, values[at]!]))));
    }
    return rows;
}

/** Writes the days of these flows anew. */
export async function putFlows(directory: string, flows: readonly Flow[]): Promise<void> {
    for (const [day, ofDay] of groupBy(flows, (flow) => flow.day)) {
        const pairs = groupBy(ofDay, ({ site = 'main', src = '10.0.0.1', dst = '10.0.0.2' }) => [site, src, dst].join('\n'));
        const keys = [...pairs.keys()].sort();
        const rows = keys.map((key) => {
            const of = pairs.get(key)!;
            const timed = of.filter(({ duration }) => duration !== null);
            const counts = [of, timed].map(({ length }) => BigInt(length));
            return [...key.split('\n'), ...counts, ...flowMeasures.flatMap((measure) => totals(of.map(VALUE_OF[measure])))];
        });
        await putFile(directory, pairDaysKey(day), writeParquetTable({ columns: pairDays.columns, rows }));
    }
}

/** The sum, sum of squares, smallest and largest of the values; nulls are none. */
function totals(valuesOrNulls: (bigint | null)[]): (bigint | null)[] {
    const values = valuesOrNulls.filter((value) => value !== null);
    const sum = values.reduce((total, value) => total + value, 0n);
    const squares = values.reduce((total, value) => total + value * value, 0n);
    const sorted = BigInt64Array.from(values).sort();
    return [sum, squares, sorted[0] ?? null, sorted.at(-1) ?? null];
}

/** The items by their key, each list in order. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
    const groups = new Map<string, T[]>();
    for (const item of items) {
        const group = groups.get(keyOf(item)) ?? [];
        group.push(item);
        groups.set(keyOf(item), group);
    }
    return groups;
}

/** A ledger record with the columns of table `sources`; what is not given is made up. */
export async function putSource(
    directory: string,
    record: { source: string; version: string | null; [field: string]: unknown },
): Promise<void> {
    const whole = {
        site: 'main',
        state: 'done',
        dialect: 'cicflowmeter',
        date_order: 'dmy',
        duration_unit: 'us',
        duration_unit_by: 'named',
        rows_read: 3,
        rows_kept: 2,
        rows_rejected: 1,
        repeated_headers: 0,
        rows_skipped: 0,
        skipped: null,
        rejected: null,
        first_day: '2026-01-05',
        last_day: '2026-01-06',
        pairs: 1,
        error: null,
        size_bytes: 9007199254740993n,
        etag: 'e',
        summarized_at: '2026-01-07T08:09:10.123Z',
        commits: 2,
        versions: { '1-0000000000000000': ['2026-01-05'] },
        retracted_generation: null,
        ...record,
    };
    const text = JSON.stringify(whole, (_, value) => (typeof value === 'bigint' ? Number(value) : value), 4);
    await putFile(directory, ledgerKey(sourceId(record.source)), text.replace('9007199254740992', '9007199254740993'));
}

export interface Reject {
    line_number: number;
    reason: string;
    line: string;
}

export async function putRejects(
    directory: string,
    { source, version }: { source: string; version: string },
    rejects: Reject[],
): Promise<void> {
    const text = rejects.map((reject) => `${JSON.stringify({ source, version, ...reject })}\n`).join('');
    await putFile(directory, rejectsKey({ source: sourceId(source), version }), gzipSync(text));
}

async function putFile(directory: string, key: string, bytes: Uint8Array | string): Promise<void> {
    await mkdir(dirname(join(directory, key)), { recursive: true });
    await writeFile(join(directory, key), bytes);
}

/** The day `count` days after the first, a Monday: 2026-01-05. */
export function dayAfter(count: number, first = '2026-01-05'): string {
    return new Date(Date.parse(first) + count * 86_400_000).toISOString().slice(0, 10);
}

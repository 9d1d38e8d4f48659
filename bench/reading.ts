/** Summarizing one file against DuckDB with one thread: the same file, the same exact figures. */
import { createHash } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type PairRows, pairRowsOf } from '#lake/flows/pair-rows';
import { type FlowsRead, readFlows } from '#lake/flows/read-flows';
import { flowSummaries } from '#lake/flows/tables';
import { writeRows } from '#lake/parquet';
import { valuesOf } from '#lake/rows';
import { readAhead } from '#lake/store/read-ahead';
import { figuresOf } from '#lake/tables';
import { toPlain } from '#lake/typed-rows';
import { sampleFiles } from '#sample/flows/sample-files';
import { type BenchOptions, type Finding, inTurn, sayRatio } from './measure.ts';
import { totalsSql } from './peers.ts';
import { BYTES_PER_FLOW } from './site-files.ts';

const PAIRS = 20_000;

export async function* benchReading({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    const path = await writeSample(folder, isQuick ? 20e6 : 300e6);
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const duckdb = await instance.connect();
    const sql = `select * exclude (site) from (${totalsSql('bench', [path])})`;
    let result: FlowsRead | undefined;
    // Both sides end with the totals in their own memory; what is made of them for the comparison is not timed.
    const readWithDuckDb = async (): Promise<void> => {
        await duckdb.run(`create or replace temp table totals as ${sql}`);
    };
    const read = async (): Promise<void> => {
        result = await readSample(path);
    };
    const runs = isQuick ? 1 : 7;
    const { a, b } = await inTurn(runs, readWithDuckDb, read);
    const found = (await duckdb.runAndReadAll('select * from totals order by 1, 2')).getRows();
    const isEqual = result !== undefined && digestOf(found) === digestOf(toRows(rowsOf(result)));
    const ratio = a.cpuMs / b.cpuMs;
    yield {
        what: 'reading, DuckDB / flowlake, one core (CPU)',
        found: `${sayRatio(ratio)}  (${a.cpuMs.toFixed(0)} / ${b.cpuMs.toFixed(0)} ms; wall ${sayRatio(a.wallMs / b.wallMs)})`,
        goal: { text: 'at least 4x', isMet: ratio >= 4 },
        isEqual,
    };
    const whole = await inTurn(
        runs,
        async () => {
            await readWithDuckDb();
            await duckdb.run(`copy (select * from totals order by 1, 2) to '${path}.parquet' (format parquet)`);
        },
        async () => {
            writeRows(flowSummaries, rowsOf(await readSample(path)));
        },
    );
    yield {
        what: 'the same with the Parquet written by both (CPU)',
        found: `${sayRatio(whole.a.cpuMs / whole.b.cpuMs)}  (${whole.a.cpuMs.toFixed(0)} / ${whole.b.cpuMs.toFixed(0)} ms)`,
    };
    duckdb.closeSync();
    instance.closeSync();
}

/** Writes one site's file of one day, in CICFlowMeter's columns. */
export async function writeSample(folder: string, bytes: number, { seed = 1 }: { seed?: number } = {}): Promise<string> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `sample-${bytes}-${seed}.csv`);
    for (const { chunks } of sampleFiles({ flows: Math.round(bytes / BYTES_PER_FLOW), days: 1, pairs: PAIRS, seed, sites: ['bench'] })) {
        await writeFile(path, chunks);
    }
    return path;
}

async function readSample(path: string): Promise<FlowsRead> {
    const file = await open(path);
    try {
        const result = await readFlows(() => readAhead(file), { dateOrder: 'dmy' });
        if (!result.ok) {
            throw new Error(`the sample cannot be read: ${JSON.stringify(result)}`);
        }
        return result;
    } finally {
        await file.close();
    }
}

/** The rows of a reading of one day. */
export function rowsOf({ table, days }: FlowsRead): PairRows {
    const [rows = new Int32Array(0)] = days.values();
    return toPlain(flowSummaries, pairRowsOf(table, { rows, site: 'bench', day: '2026-01-05' })) as PairRows;
}

/** Rows as DuckDB gives them: addresses, then figures. */
export function toRows(rows: PairRows): unknown[][] {
    return rows.src_ip.map((source, at) => [
        source,
        rows.dst_ip[at],
        ...figuresOf(flowSummaries).map(({ name }) => valuesOf(rows, name)[at]),
    ]);
}

/** What tells two lists of rows apart. */
export function digestOf(rows: readonly unknown[][]): string {
    const hash = createHash('sha256');
    for (const row of rows) {
        hash.update(`${row.map(String).join(',')}\n`);
    }
    return `${rows.length} ${hash.digest('hex')}`;
}

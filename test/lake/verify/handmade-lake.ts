/** A small directory lake written by hand: what the first reading would have put there, computed here row by row. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { type FlowMeasure, flowMeasures } from '#lake/flows/tables';
import { ledgerKey, siteOf } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { FIGURES } from '#lake/verify/flows/row-sql';
import { pairDaysKey, rejectsKey, summaryKey } from '#test/support/flow-tables';

/** Kept rows: source address, destination, day, microseconds (null where the row has none), packets. */
export type Flow = [src: string, dst: string, day: string, us: number | bigint | null, packets: number | bigint];

/** What a flow adds to each measure. */
const VALUE_OF: Readonly<Record<FlowMeasure, (flow: Flow) => number | bigint | null>> = {
    flow_duration_us: ([, , , us]) => us,
    fwd_pkts: ([, , , , packets]) => packets,
};

/** One row of `pair_days`; figures that are not given are those of the flows. */
export type PairRow = Record<string, string | bigint | null>;

export interface Source {
    key: string;
    raw: string | Uint8Array;
    flows: Flow[];
    /** Reason and line of each reject. */
    rejects?: [reason: string, line: string][];
    record?: Partial<LedgerRecord>;
}

/** What the lake's pair days should be, to be spoiled by a test before it is written. */
type Days = Map<string, PairRow[]>;

export interface HandmadeLake {
    directory: string;
    store: ObjectStore;
    /** Path of an object. */
    path(key: string): string;
    /** Contains all sources of the day, where nothing else is given. */
    writeDay(day: string, rows: PairRow[], options?: WriteOptions): Promise<void>;
    writeSummary(source: Source, day: string, rows: PairRow[], options?: WriteOptions): Promise<void>;
    writeRecord(source: Source, change?: Partial<LedgerRecord>): Promise<void>;
    summaryKey(source: Source, day: string): string;
    rejectsKey(source: Source): string;
    writeRejects(source: Source, rejects: [reason: string, line: string][]): Promise<void>;
    /** Pair days of all sources. */
    days: Days;
    remove(): Promise<void>;
}

interface WriteOptions {
    types?: Record<string, string>;
    /** `<source>.<version>` of each contribution. */
    contains?: string[];
}

export const VERSION = '1-00112233445566ff';
const HEADER = 'Flow ID,Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts,Label';

/** A CSV file of CICFlowMeter as text, ISO dates. */
export function csvOf(flows: Flow[]): string {
    return `${[HEADER, ...flows.map(([src, dst, day, us, packets]) => `id,${src},${dst},${day} 10:00:00,${us ?? ''},${packets},x`)].join('\n')}\n`;
}

export function sourceOf(key: string, flows: Flow[]): Source {
    return { key, flows, raw: csvOf(flows) };
}

export async function makeLake(sources: Source[], { folder = 'lake' }: { folder?: string } = {}): Promise<HandmadeLake> {
    const home = await mkdtemp(join(tmpdir(), 'flowlake-test-'));
    const directory = join(home, folder);
    const path = (key: string): string => join(directory, key);
    const lake: HandmadeLake = {
        directory,
        store: openDirectoryStore(directory),
        path,
        days: daysOf(sources),
        writeDay: (day, rows, options) =>
            writeParquet(path(pairDaysKey(day)), rows, {
                contains: sources
                    .filter(({ flows }) => flows.some(([, , of]) => of === day))
                    .map(({ key }) => `${sourceId(key)}.${VERSION}`)
                    .sort(),
                ...options,
            }),
        writeSummary: (source, day, rows, options) => writeParquet(path(lake.summaryKey(source, day)), rows, options),
        writeRecord: (source, change = {}) =>
            writeObject(path(ledgerKey(sourceId(source.key))), JSON.stringify({ ...recordOf(source), ...change })),
        summaryKey: ({ key }, day) => summaryKey({ day, source: sourceId(key), version: VERSION }),
        rejectsKey: ({ key }) => rejectsKey({ source: sourceId(key), version: VERSION }),
        writeRejects: (source, rejects) => {
            const lines = rejects.map(([reason, line]) =>
                JSON.stringify({ source: source.key, version: VERSION, line_number: 2, reason, line }),
            );
            return writeObject(path(lake.rejectsKey(source)), gzipSync(`${lines.join('\n')}\n`));
        },
        remove: () => rm(home, { recursive: true, force: true }),
    };
    for (const source of sources) {
        await writeObject(path(source.key), source.raw);
        await lake.writeRecord(source);
        for (const [day, rows] of daysOf([source])) {
            await lake.writeSummary(source, day, rows);
        }
        if (source.rejects) {
            await lake.writeRejects(source, source.rejects);
        }
    }
    for (const [day, rows] of lake.days) {
        await lake.writeDay(day, rows);
    }
    return lake;
}

function recordOf(source: Source): LedgerRecord {
    const days = [...new Set(source.flows.map(([, , day]) => day))].sort();
    const rejected = source.rejects?.length ?? 0;
    return {
        source: source.key,
        site: siteOf(source.key),
        state: 'done',
        version: VERSION,
        options: {},
        dialect: 'cicflowmeter',
        date_order: days.length === 0 ? null : 'ymd',
        duration_unit: 'us',
        duration_unit_by: 'named',
        rows_read: source.flows.length + rejected,
        rows_kept: source.flows.length,
        rows_rejected: rejected,
        repeated_headers: 0,
        rows_skipped: 0,
        skipped: null,
        rejected: null,
        first_day: days[0] ?? null,
        last_day: days.at(-1) ?? null,
        pairs: new Set(source.flows.map(([src, dst]) => `${src} ${dst}`)).size,
        error: null,
        size_bytes: source.raw.length,
        etag: createHash('sha256').update(source.raw).digest('hex'),
        summarized_at: '2024-01-01T00:00:00.000Z',
        commits: 1,
        versions: { [VERSION]: days },
        retracted_generation: null,
        ...source.record,
    };
}

function daysOf(sources: Source[]): Days {
    const groups = new Map<string, { key: [day: string, site: string, src: string, dst: string]; flows: Flow[] }>();
    for (const { key, flows } of sources) {
        for (const flow of flows) {
            const name = [flow[2], siteOf(key), flow[0], flow[1]] as [string, string, string, string];
            const group = groups.get(name.join()) ?? { key: name, flows: [] };
            group.flows.push(flow);
            groups.set(name.join(), group);
        }
    }
    const days: Days = new Map();
    for (const { key, flows } of groups.values()) {
        const [day, site, src_ip, dst_ip] = key;
        const timed = flows.filter(([, , , us]) => us !== null);
        const row: PairRow = { site, src_ip, dst_ip, flows: BigInt(flows.length), timed_flows: BigInt(timed.length) };
        for (const measure of flowMeasures) {
            const values = flows
                .flatMap((flow) => VALUE_OF[measure](flow) ?? [])
                .map(BigInt)
                .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
            row[`${measure}_sum`] = values.reduce((sum, value) => sum + value, 0n);
            row[`${measure}_sum_sq`] = values.reduce((sum, value) => sum + value * value, 0n);
            row[`${measure}_min`] = values[0] ?? null;
            row[`${measure}_max`] = values.at(-1) ?? null;
        }
        days.set(day, [...(days.get(day) ?? []), row]);
    }
    const order = ({ site, src_ip, dst_ip }: PairRow): string => `${site} ${src_ip} ${dst_ip}`;
    for (const rows of days.values()) {
        rows.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    }
    return days;
}

async function writeObject(path: string, bytes: string | Uint8Array): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
}

async function writeParquet(path: string, rows: PairRow[], { types = {}, contains }: WriteOptions = {}): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const columns = ['site', 'src_ip', 'dst_ip', ...FIGURES];
    const typeOf = (column: string): string =>
        types[column] ?? (column.endsWith('_sq') ? 'decimal(38,0)' : FIGURES.includes(column) ? 'bigint' : 'varchar');
    const values = rows.map((row) => `(${columns.map((column) => (row[column] === null ? 'null' : `'${row[column]}'`)).join(', ')})`);
    const from = values.length > 0 ? `(values ${values.join(', ')})` : `(select ${columns.map(() => `''`).join(', ')} where false)`;
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(
        `copy (select ${columns.map((column) => `cast(${column} as ${typeOf(column)}) as ${column}`).join(', ')} from ${from} as t(${columns.join(', ')}))
         to '${path.replaceAll("'", "''")}' (format parquet${contains ? `, kv_metadata {'flowlake.contains': '${contains.join()}'}` : ''})`,
    );
    connection.closeSync();
    instance.closeSync();
}

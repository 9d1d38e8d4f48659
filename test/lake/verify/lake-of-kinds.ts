/** A lake in memory of several kinds of data, as the first reading of each would leave it; nothing of it asks lake/kinds.ts. */
import { gzipSync } from 'node:zlib';
import { flows } from '#lake/flows/kind';
import { openInputs } from '#lake/inputs';
import type { Kind, SourceBytes } from '#lake/kind';
import { contributionKey, ledgerKey, mergedKey, rejectsKey, siteOf } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import { mergeTyped } from '#lake/merge-rows';
import { readRows, writeRows, writeTyped } from '#lake/parquet';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import type { MergedTable } from '#lake/tables';
import type { TypedRows } from '#lake/typed-rows';
import type { Difference } from '#lake/verify/findings';
import { secondReader } from '#lake/verify/flows/second-reader';
import { rowOf } from '#lake/verify/say-difference';
import { type VerifyOptions, verifyLake } from '#lake/verify/verify';
import { gauges, tides } from '#test/kinds/gauges';
import { memoryStore } from '#test/support/memory-store';

export const VERSION = '1-00112233445566ff';

/** Flows, and two kinds that only tests know: gauges by the hour and tides by the day. */
export const KINDS: [Kind, Kind, Kind] = [{ ...flows, secondReader: async () => secondReader }, { ...gauges, derived: [] }, tides];

/** The kind, as it is before anybody has written a second reader. */
export function withoutSecondReader({ secondReader: _, ...kind }: Kind): Kind {
    return kind;
}

export interface KindFile {
    kind: Kind;
    key: string;
    text: string;
}

/** Reads each file by its kind's reader, and writes what it contributes, its rejects, its record, and the merged objects. */
export async function lakeOfKinds(files: readonly KindFile[]): Promise<ObjectStore> {
    const store = memoryStore();
    const merged = new Map<string, { table: MergedTable; period: string; lists: TypedRows[]; contains: string[] }>();
    for (const { kind, key, text } of files) {
        const { etag } = await store.put(key, Buffer.from(text));
        const rejects: Readonly<Record<string, unknown>>[] = [];
        const source: SourceBytes = {
            site: siteOf(key),
            open: async function* () {
                yield Buffer.from(text);
            },
            sizeBytes: Buffer.byteLength(text),
            readRange: async ({ start, end }) => new Uint8Array(Buffer.from(text)).subarray(start, end),
            reject: async (rows) => void rejects.push(...rows),
            input: openInputs(store, kind).input,
        };
        const outcome = await kind.read(source, {});
        if (!outcome.ok) {
            throw new Error(outcome.error);
        }
        const id = { source: sourceId(key), version: VERSION };
        for (const [period, rows] of outcome.periods) {
            await store.put(contributionKey(kind.contributions, { period, ...id }), writeTyped(kind.contributions, rows));
            const objectKey = mergedKey(kind.merged, period);
            const held = merged.get(objectKey) ?? { table: kind.merged, period, lists: [], contains: [] };
            held.lists.push(rows);
            held.contains.push(`${id.source}.${id.version}`);
            merged.set(objectKey, held);
        }
        if (rejects.length > 0) {
            const lines = rejects.map((row) => JSON.stringify({ source: key, version: VERSION, ...row }));
            await store.put(rejectsKey(kind.rejects, id), gzipSync(`${lines.join('\n')}\n`));
        }
        const periods = [...outcome.periods.keys()];
        const record: LedgerRecord = {
            source: key,
            site: siteOf(key),
            state: 'done',
            version: VERSION,
            options: {},
            ...outcome.found,
            rows_read: outcome.rowsRead,
            rows_kept: outcome.rowsRead - outcome.rowsRejected,
            rows_rejected: outcome.rowsRejected,
            first_day: periods[0]?.slice(0, 10) ?? null,
            last_day: periods.at(-1)?.slice(0, 10) ?? null,
            error: null,
            size_bytes: text.length,
            etag,
            summarized_at: '2026-01-01T00:00:00.000Z',
            commits: 1,
            versions: { [VERSION]: periods },
            retracted_generation: null,
        };
        await writeRecord(store, record);
    }
    for (const [key, { table, period, lists, contains }] of merged) {
        await store.put(key, writeTyped(table, mergeTyped(lists, { table, period }), { contains }));
    }
    return store;
}

async function writeRecord(store: ObjectStore, record: LedgerRecord): Promise<void> {
    await store.put(ledgerKey(sourceId(record.source)), Buffer.from(JSON.stringify(record)));
}

/** Writes a merged object once more with a figure of its first row changed; it contains what it did. */
export async function spoil(
    store: ObjectStore,
    { table, key, contains, change }: { table: MergedTable; key: string; contains?: string[]; change: Record<string, bigint | null> },
): Promise<void> {
    const rows = await readRows(table, (await store.get(key))!.bytes);
    for (const [name, value] of Object.entries(change)) {
        (rows[name] as (bigint | null)[])[0] = value;
    }
    await store.put(key, writeRows(table, rows, contains ? { contains } : {}));
}

const HEADER = 'instant,gauge,level\n';
export const HOUR = '2026-01-05T13';
const HARBOUR_TEXT = `${HEADER}2026-01-05T13:05:00Z,pier,-120
2026-01-05T13:25:00Z,pier,
2026-01-05T13:45:00Z,lock,30
2026-01-05T13:50:00Z,dry,
2026-01-05T14:00:00Z,pier,80
no reading
2026-01-06T00:00:00Z,pier,7
`;
export const HARBOUR: KindFile = { kind: gauges, key: 'raw/kind=gauges/harbour.gauge', text: HARBOUR_TEXT };
export const ISLAND: KindFile = {
    kind: gauges,
    key: 'raw/kind=gauges/island.gauge',
    text: `${HEADER}2026-01-05T13:30:00Z,pier,500\n2026-01-05T13:31:00Z,dry,\n`,
};
export const SEA: KindFile = { kind: tides, key: 'raw/kind=tides/harbour.gauge', text: HARBOUR_TEXT };
export const MONDAY: KindFile = {
    kind: flows,
    key: 'raw/monday.csv',
    text: 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n10.0.0.1,10.0.0.2,2026-01-05 13:00:00,7,3\n',
};
export const ALL = [HARBOUR, ISLAND, SEA, MONDAY];
/** The hour's object, and what it contains. */
export const MERGED = mergedKey(gauges.merged, HOUR);
export const CONTAINS = [HARBOUR, ISLAND].map(({ key }) => `${sourceId(key)}.${VERSION}`);
/** What the harbour's contributions are named by. */
export const HARBOUR_ID = { source: sourceId(HARBOUR.key), version: VERSION };

/** Verifies a lake of these kinds. */
export function verify(store: ObjectStore, options: Partial<VerifyOptions> = {}) {
    return verifyLake({ store, kinds: KINDS, ...options });
}

/** Differences as `verify` prints them. */
export function printed(differences: readonly Difference[]) {
    return differences.map((difference) => rowOf(difference, { kinds: KINDS }));
}

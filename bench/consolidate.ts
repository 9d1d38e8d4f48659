/** One more file for a day that holds few or many: the cost should be one read and one write of the day's object. */
import { join } from 'node:path';
import { consolidate } from '#lake/commit/consolidate';
import { emptyPairRows, type PairRows } from '#lake/flows/pair-rows';
import { flowMeasures, flowSummaries, pairDays } from '#lake/flows/tables';
import { contributionKey } from '#lake/layout';
import { commitLedger, type LedgerRecord } from '#lake/ledger';
import { writeRows } from '#lake/parquet';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import { ABSENT, type ObjectStore } from '#lake/store/object-store';
import { type BenchOptions, type Finding, once } from './measure.ts';

const DAY = '2026-01-05';
const PAIRS = 20_000;

export async function* benchConsolidate({ folder, isQuick }: BenchOptions): AsyncGenerator<Finding> {
    let first: number | undefined;
    for (const sources of isQuick ? [1, 20] : [1, 100, 1000]) {
        const store = openDirectoryStore(join(folder, `consolidate-${sources}`));
        for (let source = 0; source < sources; source += 1) {
            await addSource(store, source, source === 0 ? PAIRS : 10);
        }
        await consolidate({ table: pairDays.name, period: DAY }, { store });
        await addSource(store, sources, 1000);
        const calls = { get: 0, put: 0 };
        const { wallMs } = await once(async () => {
            await consolidate({ table: pairDays.name, period: DAY }, { store: counting(store, calls) });
        });
        first ??= wallMs;
        yield {
            what: `one more file into a day of ${sources} (${PAIRS / 1000} thousand pairs)`,
            found: `${wallMs.toFixed(0)} ms, ${(wallMs / first).toFixed(2)}x of the first; day's object read ${calls.get} and written ${calls.put} time`,
            goal: { text: 'one read, one write', isMet: calls.get === 1 && calls.put === 1 },
        };
    }
}

async function addSource(store: ObjectStore, number: number, pairs: number): Promise<void> {
    const source = sourceId(`raw/bench-${number}.csv`);
    const version = `1-${'0'.repeat(16)}`;
    await store.put(contributionKey(flowSummaries, { period: DAY, source, version }), writeRows(flowSummaries, rowsOf(pairs)));
    const counts = { commits: 1, rows_read: pairs, rows_kept: pairs, rows_rejected: 0, size_bytes: 0 };
    const record = { source: `raw/bench-${number}.csv`, version, versions: { [version]: [DAY] }, ...counts, state: 'done' };
    await commitLedger(store, { source, record: record as unknown as LedgerRecord, etag: ABSENT });
}

function rowsOf(pairs: number): PairRows {
    const rows = emptyPairRows(pairs);
    const addresses = Array.from({ length: pairs }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`).sort();
    addresses.forEach((address, at) => {
        rows.site.push('bench');
        rows.src_ip.push(address);
        rows.dst_ip.push('192.168.1.5');
        rows.flows[at] = 1n;
        rows.timed_flows[at] = 1n;
        for (const measure of flowMeasures) {
            const value = BigInt(at % 1000);
            rows[`${measure}_sum`][at] = value;
            rows[`${measure}_sum_sq`].push(value * value);
            rows[`${measure}_min`][at] = value;
            rows[`${measure}_max`][at] = value;
        }
    });
    return rows;
}

function counting(store: ObjectStore, calls: { get: number; put: number }): ObjectStore {
    const isDay = (key: string): boolean => key.startsWith('pair_days/');
    return {
        ...store,
        get(key) {
            calls.get += isDay(key) ? 1 : 0;
            return store.get(key);
        },
        put(key, body, options) {
            calls.put += isDay(key) ? 1 : 0;
            return store.put(key, body, options);
        },
    };
}

/** Finds out whether the ledger and the objects of a lake agree, to the row and to the object. */

import { gunzipSync } from 'node:zlib';
import { type LedgerRecord, listLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { REJECTS_PREFIX, readPairRows, rejectsKey, SUMMARIES_PREFIX, summaryKey } from '#test/support/flow-tables';

/**
 * What is wrong, undefined where nothing is: rows read, kept and rejected add up, contributions hold what the ledger says, and nothing lies
 * about that counts no more.
 */
export async function findWrongAccounts(store: ObjectStore): Promise<string | undefined> {
    const wanted = new Set<string>();
    for await (const record of listLedger(store)) {
        const wrong = await findWrongRecord(store, record);
        if (wrong !== undefined) {
            return `${record.source}: ${wrong}`;
        }
        const source = sourceId(record.source);
        const { version } = record;
        if (version !== null) {
            for (const day of record.versions[version] ?? []) {
                wanted.add(summaryKey({ day, source, version }));
            }
            if (record.rows_rejected > 0) {
                wanted.add(rejectsKey({ source, version }));
            }
        }
    }
    const found: string[] = [];
    for (const prefix of [SUMMARIES_PREFIX, REJECTS_PREFIX]) {
        for await (const { key } of store.list(prefix)) {
            found.push(key);
        }
    }
    const dead = found.filter((key) => !wanted.has(key));
    const missing = [...wanted].filter((key) => !found.includes(key));
    return dead.length + missing.length === 0 ? undefined : `dead objects ${dead}, missing objects ${missing}`;
}

async function findWrongRecord(store: ObjectStore, record: LedgerRecord): Promise<string | undefined> {
    const { rows_read, rows_kept, rows_rejected, version, first_day, last_day } = record;
    const source = sourceId(record.source);
    const days = (version === null ? undefined : record.versions[version]) ?? [];
    let flows = 0n;
    for (const day of days) {
        const summary = await store.get(summaryKey({ day, source, version: version ?? '' }));
        for (const count of summary ? (await readPairRows(summary.bytes)).flows : []) {
            flows += count;
        }
    }
    const rejects = version === null ? undefined : await store.get(rejectsKey({ source, version }));
    const rejected = rejects ? gunzipSync(rejects.bytes).toString().trim().split('\n').length : 0;
    const wrong = [
        rows_read !== rows_kept + rows_rejected && `${rows_read} rows read, ${rows_kept} kept, ${rows_rejected} rejected`,
        flows !== BigInt(rows_kept) && `${rows_kept} rows kept, ${flows} flows in the summaries`,
        rejected !== rows_rejected && `${rows_rejected} rows rejected, ${rejected} rejects`,
        (first_day !== (days[0] ?? null) || last_day !== (days.at(-1) ?? null)) && `days ${first_day} to ${last_day}, summaries of ${days}`,
    ];
    return wrong.find((text) => text !== false) || undefined;
}

/** The ledger record of the source that a user means. */

import { readAllRecords } from '#lake/commit/reconcile';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { Failure } from './command.ts';
import { findSource } from './find-source.ts';

/** The record of the one source that is named, or whose key ends so. @throws Failure where there is none, or more than one */
export async function findRecord(name: string, store: ObjectStore): Promise<LedgerRecord> {
    const { record: named } = await readLedger(store, sourceId(name));
    if (named) {
        return named;
    }
    const records = await readAllRecords(store);
    const key = findSource(
        name,
        [...records.values()].map(({ source }) => source),
    );
    const record = records.get(sourceId(key));
    if (!record) {
        throw new Failure(`${key} is gone since it was listed; run it again`);
    }
    return record;
}

/** Use case: find what was read with another version of an input than holds, so that it is read again. docs/design.md has the reason for each rule. */
import { lookAtInputs } from '#lake/inputs';
import { findKindOfRecord, type KindWithInputs } from '#lake/kinds';
import { listLedger } from '#lake/ledger';
import type { ObjectStore } from '#lake/store/object-store';

/** A source that was read with another version of an input than holds now. */
export interface BehindSource {
    /** Raw key. */
    key: string;
    /** The version that it was read with; 0 where there was none. */
    version: number;
    /** Periods that it contributes to. */
    periods: readonly string[];
}

/**
 * The sources that count and were read with another version of the input than holds now, in the order of their keys: so those of one period come
 * together. The ledger tells, not the raw objects: of a source whose raw object was pruned `summarize` reads nothing, but tells the periods, and so
 * what is derived from them comes by the version that holds. The pointer is read first and the ledger after it: a source that is committed later
 * has looked at the pointer after this did.
 */
export async function findBehind(store: ObjectStore, { kind, name }: { kind: KindWithInputs; name: string }): Promise<BehindSource[]> {
    const now = await lookAtInputs(store).versionOf(kind.inputs, name);
    const found: BehindSource[] = [];
    for await (const record of listLedger(store)) {
        const version = new Map(Object.entries(record.inputs ?? {})).get(name);
        if (record.version !== null && version !== undefined && version !== now && findKindOfRecord(record)?.name === kind.name) {
            found.push({ key: record.source, version, periods: record.versions[record.version] ?? [] });
        }
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

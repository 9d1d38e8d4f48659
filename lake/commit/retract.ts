/** Use case: take one source out of the figures. Its raw object stays where it is. */
import { StorageError } from '#lake/errors';
import type { Kind } from '#lake/kind';
import { kindOfSource } from '#lake/kinds';
import { commitLedger, type LedgerRecord, NOTHING_READ, readLedger, withHistory } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { type Summarized, type SummarizeOptions, summarize } from './summarize.ts';

/**
 * Takes a source out of the figures, and says which periods must be consolidated now.
 * The retraction holds for the raw object that is there when it is asked: a late duplicate message does not undo it. A new upload of the
 * same name does, even one that arrives while it runs. Safe to repeat after a crash. The ledger record is of state `done` where a new
 * upload came meanwhile, and missing where the source was never summarized.
 */
export async function retract(rawKey: string, options: SummarizeOptions): Promise<Summarized> {
    const { store } = options;
    const source = sourceId(rawKey);
    const asked = await store.head(rawKey);
    for (;;) {
        const { etag, record } = await readLedger(store, source);
        if (!record) {
            return { record: undefined, periods: [], hasCommitted: false, isStrange: false };
        }
        const raw = await store.head(rawKey);
        if (raw && raw.generation !== asked?.generation) {
            // A new upload has undone the retraction already; it may have been retracted in its turn, which must stay.
            return summarize(rawKey, options);
        }
        if (!raw && asked) {
            // It may have been uploaded once more before, which would have undone the retraction: nobody can tell any more.
            throw new StorageError(`${rawKey} was freed or deleted while it was taken out; run the command again if it shall still go`);
        }
        const retracted: LedgerRecord = {
            ...record,
            ...NOTHING_READ,
            ...countsOf(kindOfSource(rawKey, record)),
            state: 'retracted',
            version: null,
            commits: record.commits + 1,
            retracted_generation: asked?.generation ?? null,
        };
        if (await commitLedger(store, { source, record: withHistory(retracted, { before: record, at: options.now() }), etag })) {
            // Not only to publish: an upload that came after the first look may have been summarized before this commit took it out, or
            // found to be what was live already; its own worker has gone by then.
            return { ...(await summarize(rawKey, options, { mustFence: false })), hasCommitted: true };
        }
    }
}

/** The numbers of the kind's findings where nothing counts. Its texts stay as they were: they tell how the source was read. */
function countsOf({ nothingFound }: Kind): Partial<LedgerRecord> {
    return Object.fromEntries(Object.entries(nothingFound).filter(([, value]) => typeof value === 'number'));
}

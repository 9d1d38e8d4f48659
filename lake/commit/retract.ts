/** Use case: take one source's contribution out of the figures. Its raw object stays where it is. */
import { ConflictError, StorageError } from '#lake/errors';
import { sourceId } from '#lake/layout';
import { commitLedger, type LedgerRecord, readLedger, withHistory } from '#lake/ledger';
import { type SummarizeOptions, summarize } from './summarize.ts';

/**
 * Holds for the raw object that is there when it is asked: a late duplicate message does not undo it, a new upload of the same name
 * does, also one that arrives while it runs. Safe to repeat after a crash. Returns the ledger record (of state `done` where a new upload
 * came meanwhile), or undefined where the source was never summarized.
 */
export async function retract(rawKey: string, options: SummarizeOptions): Promise<LedgerRecord | undefined> {
    const { store } = options;
    const source = sourceId(rawKey);
    const asked = await store.head(rawKey);
    for (;;) {
        const { etag, record } = await readLedger(store, source);
        if (!record) {
            return undefined;
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
            state: 'retracted',
            version: null,
            rows_read: 0,
            rows_kept: 0,
            rows_rejected: 0,
            repeated_headers: 0,
            first_day: null,
            last_day: null,
            pairs: 0,
            error: null,
            commits: record.commits + 1,
            retracted_generation: asked?.generation ?? null,
        };
        try {
            const next = withHistory(retracted, { before: record, at: options.now() });
            await commitLedger(store, { source, record: next, etag });
        } catch (error) {
            if (error instanceof ConflictError) {
                continue;
            }
            throw error;
        }
        // Not only to publish: an upload that came after the first look may have been summarized before this commit took it out, or
        // found to be what was live already; its own worker has gone by then.
        return summarize(rawKey, options, { mustFence: false });
    }
}

/** Use case: bring one source's contributions up to its raw object, and commit them. docs/design.md has the reason for each rule. */
import { type InputsNow, lookAtInputs } from '#lake/inputs';
import type { Kind } from '#lake/kind';
import { kindOfSource } from '#lake/kinds';
import { contributionKey, isSourceName, rejectsKey, type TablePeriod } from '#lake/layout';
import {
    commitLedger,
    fenceLedger,
    isOfContent,
    isStrangeInChain,
    type LedgerRecord,
    newVersion,
    readLedger,
    toOptions,
} from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectInfo, ObjectStore } from '#lake/store/object-store';
import { type Attempt, discard, type Reading, readSource } from './read-source.ts';

export interface SummarizeOptions {
    store: ObjectStore;
    now: () => Date;
    signal?: AbortSignal | undefined;
    /** Called with the bytes of the raw object read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
    /**
     * A version that must make way though the raw object is still what it was read from: its contributions, rejects or record are not what
     * they were. It is read once more, for the next commit; once another version is live there is nothing left to do.
     */
    anew?: string | undefined;
    /** What reading the raw object came to, where its bytes passed through the caller's hands: taken for an object of that etag and those options. */
    reading?: Reading | undefined;
    /** Names an attempt at a commit, 16 hex digits that no other attempt has; random ones where it is not given. */
    newAttempt?: (() => string) | undefined;
}

export interface Summarized {
    /** The ledger record; undefined where there is neither a record nor a raw object. */
    record: LedgerRecord | undefined;
    /**
     * Every period that the source touches or ever touched, ascending. Each must be consolidated, or told to whoever does it, before this call
     * counts as done: also where it committed nothing, for the worker that did may be dead.
     */
    periods: TablePeriod[];
    /** True if this call has committed what it read; false where it found nothing to read, or another was faster. */
    hasCommitted: boolean;
    /** True if the raw object stands in the place of one of a chain that was read before, and is never read itself. */
    isStrange: boolean;
}

/**
 * Brings one source's contributions and ledger record up to its raw object, deletes what is superseded and says which periods are concerned.
 * Safe to call again at any time, and by several workers at once. Where it finds nothing to read it writes the record once all the same, see
 * below; not with `mustFence: false`, for callers that have just committed the record themselves, or are no worker that was sent a message.
 * @throws StorageError for a raw key of a kind that this program does not know
 */
export async function summarize(
    rawKey: string,
    options: SummarizeOptions,
    { mustFence = true }: { mustFence?: boolean } = {},
): Promise<Summarized> {
    const { store } = options;
    const source = sourceId(rawKey);
    let hasCommitted = false;
    let isFenced = !mustFence;
    let lost: Attempt | undefined;
    for (;;) {
        // 1. The ledger record, and what a lost attempt left: another came before it, or only its answer was lost, and it is live.
        const { etag, record } = await readLedger(store, source);
        const kind = kindOfSource(rawKey, record);
        if (lost && lost.version !== record?.version) {
            await discard(store, lost);
        }
        lost = undefined;
        // 2. The raw object, and the inputs that it was read with: both anew in every pass.
        const raw = await store.head(rawKey);
        if (raw && ((await needsReading(raw, record, lookAtInputs(store))) || isToMakeWay(raw, record, options))) {
            // 3. and 4. Read it, write what it contributes, commit.
            const attempt: Attempt = { version: newVersion(record, { attempt: options.newAttempt?.() }), keys: [] };
            const isWon = await attemptCommit(raw, { kind, record, etag, attempt, options });
            lost = isWon ? undefined : attempt;
            isFenced ||= isWon;
            hasCommitted ||= isWon;
            // 5. Won or lost, look again: the raw object or an input may have changed under the commit, and the worker that was told of it may have
            // found nothing to do yet.
            continue;
        }
        // The fence: whoever read older bytes and has yet to commit them rests on an older record, and loses. It may be another delivery
        // of this very message, which is done after this, so that nobody would look again should that worker commit and die. Without a
        // record nothing is live; without a raw object that worker may be the only one that has read the last bytes.
        const last = raw && record && !isFenced ? await fenceLedger(store, { source, record, etag }) : record;
        if (record && !last) {
            continue;
        }
        // 6. Delete what does not count any more, and tell.
        await deleteSuperseded(kind, { source, record: last, store });
        return { record: last, periods: periodsOf(kind, last), hasCommitted, isStrange: raw !== undefined && isStrangeInChain(raw, last) };
    }
}

interface CommitOptions {
    kind: Kind;
    record: LedgerRecord | undefined;
    etag: string;
    attempt: Attempt;
    options: SummarizeOptions;
}

/** Reads the raw object and commits it. @returns false where it changed meanwhile, another commit came first, or this one's answer was lost */
async function attemptCommit(raw: ObjectInfo, { kind, record, etag, attempt, options }: CommitOptions): Promise<boolean> {
    const { store } = options;
    const source = sourceId(raw.key);
    try {
        const next = await readSource(raw, { kind, before: record, attempt, options });
        return next !== undefined && (await commitLedger(store, { source, record: next, etag }));
    } catch (error) {
        await discardFailed(store, { source, attempt });
        throw error;
    }
}

/** Takes away what an attempt wrote that ended in an error, as far as it can be done; not where a commit was sent and has come about, or may yet. */
async function discardFailed(store: ObjectStore, { source, attempt }: { source: string; attempt: Attempt }): Promise<void> {
    const mayBeLive = async (): Promise<boolean> =>
        !store.isSettledByError || (await readLedger(store, source)).record?.version === attempt.version;
    try {
        if (!attempt.isWritten || !(await mayBeLive())) {
            await discard(store, attempt);
        }
    } catch {
        // The first error is the one to tell; reconcile finds what is left.
    }
}

/** True if the ledger's live version is not what the raw object holds now, or was read with inputs that no longer hold. */
export async function needsReading(raw: ObjectInfo, record: LedgerRecord | undefined, inputs: InputsNow): Promise<boolean> {
    if (record?.retracted_generation === raw.generation || isStrangeInChain(raw, record)) {
        return false;
    }
    if (!record) {
        return isSourceName(raw.key);
    }
    const kind = kindOfSource(raw.key, record);
    return !isOfContent(record, { etag: raw.etag, options: toOptions(kind, raw) }) || !(await inputs.areOf(kind.inputs, record.inputs));
}

function isToMakeWay(raw: ObjectInfo, record: LedgerRecord | undefined, { anew }: SummarizeOptions): boolean {
    return anew !== undefined && record?.version === anew && !isStrangeInChain(raw, record);
}

/** Deletes the objects of every version that is not live. */
async function deleteSuperseded(
    { contributions, rejects }: Kind,
    { source, record, store }: { source: string; record: LedgerRecord | undefined; store: ObjectStore },
): Promise<void> {
    for (const [version, periods] of Object.entries(record?.versions ?? {})) {
        if (version !== record?.version) {
            for (const period of periods) {
                await store.delete(contributionKey(contributions, { period, source, version }));
            }
            await store.delete(rejectsKey(rejects, { source, version }));
        }
    }
}

/** Every period that the ledger remembers of the source, ascending. */
function periodsOf({ merged }: Kind, record: LedgerRecord | undefined): TablePeriod[] {
    const periods = new Set(Object.values(record?.versions ?? {}).flat());
    return [...periods].sort().map((period) => ({ table: merged.name, period }));
}

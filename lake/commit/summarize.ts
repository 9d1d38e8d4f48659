/** Use case: one source into its committed summaries. DESIGN section 4; docs/design.md tells what each rule is for. */
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import { ConflictError, OverflowError } from '#lake/errors';
import { type FlowsRead, type FlowsResult, readFlows, type SettledDates } from '#lake/flows/read-flows';
import type { Reject } from '#lake/flows/rejects';
import { rejectsKey, siteOf, sourceId, summaryKey } from '#lake/layout';
import {
    commitLedger,
    fenceLedger,
    isOfContent,
    type LedgerRecord,
    newVersion,
    numberOfVersion,
    type Reading,
    type ReadingOptions,
    readLedger,
    SUMMARY_FORMAT,
    toOptions,
    withHistory,
} from '#lake/ledger';
import { writePairRows } from '#lake/parquet';
import { type PairRows, pairRowsOf } from '#lake/rows';
import type { ByteStream, ObjectInfo, ObjectStore } from '#lake/store/object-store';

export interface SummarizeOptions {
    store: ObjectStore;
    /** Told each day that the source touches or touched, after the writes that it must see. */
    tellDay: (day: string) => Promise<void>;
    now: () => Date;
    signal?: AbortSignal | undefined;
    /** Told how many bytes of the raw object were read since the last call. */
    onBytes?: ((bytes: number) => void) | undefined;
    /**
     * A version that must make way though the raw object is still what it was read from: its summaries, rejects or record are not what
     * they were. It is read once more, for the next commit; once another version is live there is nothing left to do.
     */
    anew?: string | undefined;
    /** Names an attempt at a commit, 16 hex digits that no other attempt has; random ones where it is not given. */
    newAttempt?: (() => string) | undefined;
    /** Told each time that this call has committed what it read; not where it found nothing to read, or another was faster. */
    onCommitted?: (() => void) | undefined;
}

/**
 * Brings one source's summaries and ledger record up to its raw object, deletes what is superseded and tells every day concerned.
 * Safe to call again at any time, and by several workers at once. Returns the ledger record, or undefined for a source of which
 * there is neither record nor raw object. Where it finds nothing to read it writes the record once all the same, see below; not with
 * `mustFence: false`, for callers that have just committed the record themselves, or are no worker that was sent a message.
 */
export async function summarize(
    rawKey: string,
    options: SummarizeOptions,
    { mustFence = true }: { mustFence?: boolean } = {},
): Promise<LedgerRecord | undefined> {
    const { store } = options;
    const source = sourceId(rawKey);
    let isFenced = !mustFence;
    let lost: Attempt | undefined;
    for (;;) {
        const { etag, record } = await readLedger(store, source);
        // Another came before it; or only its answer was lost, and it is live.
        if (lost && lost.version !== record?.version) {
            await discard(store, lost);
        }
        lost = undefined;
        const raw = await store.head(rawKey);
        if (raw && (needsReading(raw, record) || isToMakeWay(record, options))) {
            const attempt: Attempt = { version: newVersion(record, { attempt: options.newAttempt?.() }), keys: [] };
            try {
                await commitLedger(store, { source, record: await readSource(raw, { record, attempt, options }), etag });
                isFenced = true;
                options.onCommitted?.();
            } catch (error) {
                if (!(error instanceof ConflictError)) {
                    await discardFailed(store, { source, attempt });
                    throw error;
                }
                lost = attempt;
            }
            // Won or lost, look again: the raw object may have changed under the commit, and the worker that was told of it may have
            // found nothing to do yet.
            continue;
        }
        // The fence: whoever read older bytes and has yet to commit them rests on an older record, and loses. It may be another delivery
        // of this very message, which is done after this, so that nobody would look again should that worker commit and die. Without a
        // record nothing is live; without a raw object that worker may be the only one that has read the last bytes.
        let last = record;
        try {
            last = raw && record && !isFenced ? await fenceLedger(store, { source, record, etag }) : record;
        } catch (error) {
            if (error instanceof ConflictError) {
                continue;
            }
            throw error;
        }
        await publish(rawKey, { record: last, options });
        return last;
    }
}

/** What is written for one commit. */
interface Attempt {
    version: string;
    /** Summaries and rejects that are in the store, or may be. No other attempt has them. */
    keys: string[];
    /** Whether all of it is written, so that the commit is next. */
    isWritten?: boolean;
}

async function discard(store: ObjectStore, { keys }: Attempt): Promise<void> {
    for (const key of keys) {
        await store.delete(key);
    }
}

/** The same after an error, as far as it can be done; not where a commit was sent and has come about, or may yet. */
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

/** Whether the ledger's live version is not what the raw object holds now. */
export function needsReading(raw: ObjectInfo, record: LedgerRecord | undefined): boolean {
    if (record?.retracted_generation === raw.generation) {
        return false;
    }
    return !record || !isOfContent(record, { etag: raw.etag, options: toOptions(raw.metadata) });
}

function isToMakeWay(record: LedgerRecord | undefined, { anew }: SummarizeOptions): boolean {
    return anew !== undefined && record?.version === anew;
}

/** Deletes the objects of every version that is not live and tells all days that the ledger remembers. */
async function publish(
    rawKey: string,
    { record, options }: { record: LedgerRecord | undefined; options: SummarizeOptions },
): Promise<void> {
    const source = sourceId(rawKey);
    const days = new Set<string>();
    for (const [version, versionDays] of Object.entries(record?.versions ?? {})) {
        for (const day of versionDays) {
            days.add(day);
            if (version !== record?.version) {
                await options.store.delete(summaryKey({ day, source, version }));
            }
        }
        if (version !== record?.version) {
            await options.store.delete(rejectsKey({ source, version }));
        }
    }
    for (const day of [...days].sort()) {
        await options.tellDay(day);
    }
}

interface ReadSourceOptions {
    record: LedgerRecord | undefined;
    attempt: Attempt;
    options: SummarizeOptions;
}

/** Writes summaries and rejects of the raw object and returns the record to commit. */
async function readSource(raw: ObjectInfo, { record, attempt, options }: ReadSourceOptions): Promise<LedgerRecord> {
    const { version } = attempt;
    const readingOptions = toOptions(raw.metadata);
    let result = await readOnce(raw, { attempt, readingOptions, options });
    if ('readAgainWith' in result) {
        result = await readOnce(raw, { attempt, readingOptions, settledDates: result.readAgainWith, options });
    }
    const summaries = result.ok ? rowsByDay(result, siteOf(raw.key)) : undefined;
    const failure = result.ok ? summaries?.error : 'error' in result ? result.error : 'dates of both orders, in both readings';
    if (result.ok && failure !== undefined) {
        // Its rejects stand there by now.
        await discard(options.store, attempt);
    }
    const days = [...(summaries?.rows ?? [])];
    for (const [day, rows] of days) {
        options.signal?.throwIfAborted();
        const key = summaryKey({ day, source: sourceId(raw.key), version });
        attempt.keys.push(key);
        await options.store.put(key, writePairRows(rows));
    }
    attempt.isWritten = true;
    const reading = result.ok && failure === undefined ? readingOf(result) : failedReading(result, failure ?? null);
    const at = options.now();
    const next: LedgerRecord = {
        source: raw.key,
        site: siteOf(raw.key),
        state: failure === undefined ? 'done' : 'failed',
        version,
        ...reading,
        options: readingOptions,
        size_bytes: raw.sizeBytes,
        etag: raw.etag,
        summarized_at: at.toISOString(),
        commits: numberOfVersion(version),
        versions: { ...record?.versions, [version]: days.map(([day]) => day) },
        retracted_generation: null,
        summary_format: SUMMARY_FORMAT,
    };
    return withHistory(next, { before: record, at });
}

interface ReadOnceOptions {
    attempt: Attempt;
    readingOptions: ReadingOptions;
    settledDates?: SettledDates;
    options: SummarizeOptions;
}

/** Reads the raw object to its end; its rejects are written where the reading counts. */
async function readOnce(raw: ObjectInfo, { attempt, readingOptions, settledDates, options }: ReadOnceOptions): Promise<FlowsResult> {
    const rejects = openRejects(raw.key, { attempt, store: options.store });
    try {
        const result = await readFlows(counted(options.store.open(raw.key, { ifMatch: raw.etag }), options.onBytes), {
            ...readingOptions,
            settledDates,
            onRejects: rejects.write,
            signal: options.signal,
        });
        await (result.ok ? rejects.finish() : rejects.discard());
        return result;
    } catch (error) {
        await rejects.discard();
        throw error;
    }
}

/** A rejects object that comes to be with the first reject and stands in the store once it is finished. */
function openRejects(source: string, { attempt, store }: { attempt: Attempt; store: ObjectStore }) {
    const { version } = attempt;
    const key = rejectsKey({ source: sourceId(source), version });
    let open: { gzip: ReturnType<typeof createGzip>; put: Promise<unknown> } | undefined;
    return {
        async write(batch: Reject[]): Promise<void> {
            if (!open) {
                const gzip = createGzip();
                attempt.keys.push(key);
                const put = store.put(key, gzip);
                put.catch((error: unknown) => gzip.destroy(error instanceof Error ? error : new Error(String(error))));
                gzip.on('error', () => undefined);
                open = { gzip, put };
            }
            const lines = batch.map(({ lineNumber, reason, line }) =>
                JSON.stringify({ source, version, line_number: lineNumber, reason, line }),
            );
            if (!open.gzip.write(`${lines.join('\n')}\n`) && !open.gzip.destroyed) {
                await Promise.race([once(open.gzip, 'drain'), open.put]);
            }
        },
        async finish(): Promise<void> {
            open?.gzip.end();
            await open?.put;
        },
        async discard(): Promise<void> {
            open?.gzip.destroy(new Error('not wanted any more'));
            await open?.put.catch(() => undefined);
        },
    };
}

async function* counted(source: ByteStream, onBytes: SummarizeOptions['onBytes']): ByteStream & AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
        onBytes?.(chunk.length);
        yield chunk;
    }
}

function rowsByDay(
    result: FlowsRead,
    site: string,
): { rows: Map<string, PairRows>; error?: undefined } | { rows?: undefined; error: string } {
    try {
        return { rows: new Map([...result.days].map(([day, rows]) => [day, pairRowsOf(result.table, { rows, site, day })])) };
    } catch (error) {
        if (error instanceof OverflowError) {
            return { error: error.message };
        }
        throw error;
    }
}

function readingOf(result: FlowsRead): Reading {
    const days = [...result.days.keys()];
    return {
        dialect: result.dialect,
        date_order: result.dateOrder,
        duration_unit: result.durationUnit,
        rows_read: result.rowsRead,
        rows_kept: result.rowsRead - result.rowsRejected,
        rows_rejected: result.rowsRejected,
        repeated_headers: result.repeatedHeaders,
        first_day: days[0] ?? null,
        last_day: days.at(-1) ?? null,
        pairs: result.pairs,
        error: null,
    };
}

/** Nothing of a failed source counts, so none of its rows are read, kept or rejected. */
function failedReading(result: FlowsResult, error: string | null): Reading {
    return {
        dialect: result.ok ? result.dialect : null,
        date_order: null,
        duration_unit: result.ok ? result.durationUnit : null,
        rows_read: 0,
        rows_kept: 0,
        rows_rejected: 0,
        repeated_headers: 0,
        first_day: null,
        last_day: null,
        pairs: 0,
        error,
    };
}

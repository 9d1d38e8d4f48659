/** Reads a raw object into what its version owns: a contribution for each period, the rejects, and the ledger record to commit. */
import { once } from 'node:events';
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createGzip } from 'node:zlib';
import { ConflictError } from '#lake/errors';
import { type InputVersions, openInputs } from '#lake/inputs';
import type { Kind, ReadingOptions, ReadOutcome } from '#lake/kind';
import { contributionKey, dayOfPeriod, rejectsKey, siteOf } from '#lake/layout';
import { faultOfOptions, type LedgerRecord, NOTHING_READ, numberOfVersion, toOptions, withHistory } from '#lake/ledger';
import { writeTyped } from '#lake/parquet';
import { sourceId } from '#lake/source-id';
import type { ByteRange, ByteStream, ObjectInfo, ObjectStore } from '#lake/store/object-store';
import { Fingerprint } from './fingerprint.ts';

/** What is written for one commit. */
export interface Attempt {
    version: string;
    /** Contributions and rejects that are in the store, or may be. No other attempt has them. */
    keys: string[];
    /** True if all of it is written, so that the commit is next. */
    isWritten?: boolean;
}

/** Takes away what the attempt wrote. */
export async function discard(store: ObjectStore, { keys }: Attempt): Promise<void> {
    for (const key of keys) {
        await store.delete(key);
    }
}

/** What reading bytes came to, without a reject. Who made it closes its outcome. */
export interface Reading {
    /** Etag that an object of these bytes has. */
    etag: string;
    options: ReadingOptions;
    /** The inputs that were asked for. */
    inputs: InputVersions;
    outcome: ReadOutcome;
}

export interface ReadSourceOptions {
    kind: Kind;
    /** The record that the commit is to follow. */
    before: LedgerRecord | undefined;
    attempt: Attempt;
    options: {
        store: ObjectStore;
        now: () => Date;
        signal?: AbortSignal | undefined;
        onBytes?: ((bytes: number) => void) | undefined;
        reading?: Reading | undefined;
    };
}

/**
 * Writes what the raw object contributes, and its rejects, at keys of the attempt's own.
 * @returns the record to commit, or undefined where the raw object was replaced or taken away while it was read
 */
export async function readSource(
    raw: ObjectInfo,
    { kind, before, attempt, options }: ReadSourceOptions,
): Promise<LedgerRecord | undefined> {
    const { store, now, signal, onBytes, reading } = options;
    const { version } = attempt;
    const source = sourceId(raw.key);
    const readingOptions = toOptions(kind, raw);
    const fault = faultOfOptions(kind, readingOptions);
    const rejects = openRejects(raw.key, { kind, attempt, store });
    const inputs = openInputs(store, kind);
    const isRead = reading?.etag === raw.etag && isDeepStrictEqual(reading.options, readingOptions);
    const outcome = fault !== undefined ? refused(kind, fault) : isRead ? reading.outcome : await readAll();
    if (!outcome) {
        return undefined;
    }
    if (!outcome.ok) {
        await discard(store, attempt);
    }
    const periods = outcome.ok ? [...outcome.periods.keys()] : [];
    const fingerprint = await writeAll(outcome);
    attempt.isWritten = true;
    const at = now();
    const next: LedgerRecord = {
        source: raw.key,
        site: siteOf(raw.key),
        version,
        ...readingOf(outcome, { fingerprint }),
        options: readingOptions,
        ...(kind.inputs && { inputs: isRead ? reading.inputs : inputs.versions() }),
        size_bytes: raw.sizeBytes,
        etag: raw.etag,
        summarized_at: at.toISOString(),
        commits: numberOfVersion(version),
        versions: { ...before?.versions, [version]: periods },
        retracted_generation: null,
        summary_format: kind.format,
    };
    return withHistory(next, { before, at });

    /** Reads the raw object to its end; its rejects stand in the store then, where it can be used. */
    async function readAll(): Promise<ReadOutcome | undefined> {
        try {
            const { sizeBytes } = raw;
            const found = await kind.read(
                {
                    name: posix.basename(raw.key),
                    site: siteOf(raw.key),
                    open: openAnew,
                    sizeBytes,
                    readRange,
                    reject: rejects.write,
                    input: inputs.input,
                    openScratch: store.openScratch,
                    signal,
                },
                readingOptions,
            );
            await (found.ok ? rejects.finish() : rejects.discard());
            return found;
        } catch (error) {
            await rejects.discard();
            if (error instanceof ConflictError) {
                return undefined;
            }
            throw error;
        }
    }

    /** Writes what each period gets. @returns the fingerprint of all of it */
    async function writeAll(read: ReadOutcome): Promise<string | null> {
        if (!read.ok) {
            return null;
        }
        const fingerprint = new Fingerprint(kind.contributions);
        try {
            for (const [period, rows] of read.periods) {
                signal?.throwIfAborted();
                const key = contributionKey(kind.contributions, { period, source, version });
                attempt.keys.push(key);
                await store.put(key, writeTyped(kind.contributions, rows, { format: kind.format }));
                fingerprint.add(period, rows);
            }
            return fingerprint.end();
        } finally {
            // A reading that was handed in stays open: another attempt may need it.
            if (!isRead) {
                read.periods.close?.();
            }
        }
    }

    async function readRange(range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
        const bytes = await store.readRange(raw.key, { ...range, ifMatch: raw.etag });
        onBytes?.(bytes.length);
        return bytes;
    }

    async function* openAnew(): ByteStream & AsyncGenerator<Uint8Array> {
        await rejects.discard();
        for await (const chunk of store.open(raw.key, { ifMatch: raw.etag })) {
            onBytes?.(chunk.length);
            yield chunk;
        }
    }
}

/** The outcome of a source that nobody may read as its metadata say. */
function refused({ nothingFound }: Kind, error: string): ReadOutcome {
    return { ok: false, error, found: nothingFound };
}

/** The state of a source that came out so. Nothing kept is a state of its own, but where the source says itself that there was nothing. */
function stateOf(outcome: ReadOutcome): LedgerRecord['state'] {
    if (!outcome.ok) {
        return outcome.isOther === true ? 'skipped' : 'failed';
    }
    return outcome.rowsRead > outcome.rowsRejected || outcome.isEmptyByRight === true ? 'done' : 'empty';
}

/** What a record says of the reading of its source. */
export function readingOf(outcome: ReadOutcome, { fingerprint }: { fingerprint: string | null }) {
    const periods = outcome.ok ? [...outcome.periods.keys()] : [];
    const [first, last] = [periods[0], periods.at(-1)];
    return {
        state: stateOf(outcome),
        ...outcome.found,
        ...NOTHING_READ,
        ...(outcome.ok && {
            rows_read: outcome.rowsRead,
            rows_kept: outcome.rowsRead - outcome.rowsRejected,
            rows_rejected: outcome.rowsRejected,
            first_day: first === undefined ? null : dayOfPeriod(first),
            last_day: last === undefined ? null : dayOfPeriod(last),
            fingerprint,
            beginning: outcome.beginning ?? null,
        }),
        error: outcome.ok ? null : outcome.error,
    };
}

/** A rejects object that comes to be with the first reject and stands in the store once it is finished. */
function openRejects(source: string, { kind, attempt, store }: { kind: Kind; attempt: Attempt; store: ObjectStore }) {
    const { version } = attempt;
    const key = rejectsKey(kind.rejects, { source: sourceId(source), version });
    let open: { gzip: ReturnType<typeof createGzip>; put: Promise<unknown> } | undefined;
    return {
        async write(rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
            if (!open) {
                const gzip = createGzip();
                attempt.keys.push(key);
                const put = store.put(key, gzip);
                put.catch((error: unknown) => gzip.destroy(error instanceof Error ? error : new Error(String(error))));
                gzip.on('error', () => undefined);
                open = { gzip, put };
            }
            const lines = rows.map((row) => JSON.stringify({ source, version, ...row }));
            if (!open.gzip.write(`${lines.join('\n')}\n`) && !open.gzip.destroyed) {
                await Promise.race([once(open.gzip, 'drain'), open.put]);
            }
        },
        async finish(): Promise<void> {
            open?.gzip.end();
            await open?.put;
        },
        /** Drops what was handed over; another reading may begin. */
        async discard(): Promise<void> {
            const dropped = open;
            open = undefined;
            dropped?.gzip.destroy(new Error('not wanted any more'));
            await dropped?.put.catch(() => undefined);
        },
    };
}

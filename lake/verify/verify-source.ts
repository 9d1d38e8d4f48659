/** One source: its raw object read the second way, and compared with what the ledger, its rejects and its summaries say of it. */
import { ConflictError, OverflowError } from '#lake/errors';
import { siteOf, sourceId } from '#lake/layout';
import type { ReadingOptions } from '#lake/ledger';
import { DamagedFileError } from '#lake/verify/flows/plain-bytes';
import { NotFollowedError } from '#lake/verify/flows/raw-text';
import { type Recount, recompute } from '#lake/verify/flows/recompute';
import type { Difference } from './findings.ts';
import { messageOf, type SourceRecord } from './lake-files.ts';
import { areBytesSound, ChangedError, openPinned, RottenError, UnreadableError } from './pinned-bytes.ts';
import type { LiveRecord, VerifySourceOptions } from './source-work.ts';
import { verifyRejects } from './verify-rejects.ts';
import { NO_SOURCE_DAYS, verifySummaries } from './verify-summaries.ts';

export interface SourceOutcome {
    /** Data rows of the raw file; undefined where it was not read. */
    rowsRead: number | undefined;
    /** Of these days neither the raw file nor the summaries tell what the source contributes. */
    unknownDays: readonly string[];
}

/**
 * Leaves what the source contributes in table `source_days` (src_ip, dst_ip, day, figures): from the raw file, or from its
 * summaries where that cannot be had.
 */
export async function verifySource(record: LiveRecord, options: VerifySourceOptions): Promise<SourceOutcome> {
    const { findings } = options;
    const { source } = record;
    const recount = await recountRaw(record, options);
    if (record.rows_kept + record.rows_rejected !== record.rows_read) {
        const [in_lake, recomputed] = [BigInt(record.rows_kept + record.rows_rejected), BigInt(record.rows_read)];
        findings.add({ kind: 'source', source, figure: 'rows_kept + rows_rejected', in_lake, recomputed });
    }
    if (recount) {
        findings.add(...ledgerDifferences(record, recount));
    }
    const unknownDays = await verifySummaries(record, { ...options, isRecomputed: recount !== undefined });
    await verifyRejects(record, { ...options, recount });
    return { rowsRead: recount?.rows_read, unknownDays };
}

/**
 * Leaves what the source will contribute once its raw object is read, in table `source_days`: for one that waits for that.
 * @returns its data rows, or undefined where it cannot be told
 */
export async function readPending(
    source: string,
    { etag, options: readingOptions }: { etag: string; options: ReadingOptions },
    options: VerifySourceOptions,
): Promise<number | undefined> {
    const { engine, findings, signal } = options;
    try {
        const raw = await openPinned({ key: source, etag }, options);
        const recount = raw && (await recompute(engine, raw, readingOptions));
        if (recount) {
            return recount.rows_read;
        }
    } catch (error) {
        signal?.throwIfAborted();
        if (![OverflowError, DamagedFileError].some((kind) => error instanceof kind)) {
            findings.note('could_not_read', source, `${source} could not be read: ${messageOf(error)}`);
            return undefined;
        }
    }
    // A file that cannot be used contributes nothing.
    await engine.run(NO_SOURCE_DAYS);
    return 0;
}

/**
 * A source that could not be used must be of no use to the second reading either; else its figures are missing.
 * @returns whether its raw object is there as it was, so that it can be read once more
 */
export async function verifyFailed(record: SourceRecord, options: VerifySourceOptions): Promise<boolean> {
    const { engine, findings, signal, objects } = options;
    const { source, etag, version } = record;
    const id = `${sourceId(source)}.${version}`;
    for (const [kind, contributions] of [['summary', objects.summaries] as const, ['rejects', objects.rejects] as const]) {
        findings.add(
            ...(contributions.get(id) ?? []).map(({ key }) => ({ kind, source, figure: 'object', in_lake: key, recomputed: null })),
        );
    }
    try {
        const raw = await openPinned({ key: source, etag }, options);
        if (raw && (await recompute(engine, raw, record.options))) {
            findings.add({ kind: 'source', source, figure: 'state', in_lake: record.state, recomputed: 'done' });
        }
        return raw !== undefined;
    } catch (error) {
        signal?.throwIfAborted();
        const isUnusable = [NotFollowedError, OverflowError, DamagedFileError].some((kind) => error instanceof kind);
        if (error instanceof ChangedError) {
            findings.note('raw_changed', source, `${source} was changed since it could not be used: run flowlake reconcile`);
        } else if (error instanceof RottenError) {
            addRotten(record, error.message, options);
        } else if (error instanceof ConflictError) {
            findings.note('changed_meanwhile', source, `${source} was replaced while it was read`);
        } else if (!isUnusable) {
            findings.note('could_not_read', source, `${source} could not be read: ${messageOf(error)}`);
        }
        return isUnusable;
    }
}

/** Undefined where the raw object cannot be recounted; the findings then say why. */
async function recountRaw(record: LiveRecord, options: VerifySourceOptions): Promise<Recount | undefined> {
    const { engine, findings, signal } = options;
    const { source, etag } = record;
    const instead = 'its committed summaries were taken instead';
    try {
        const raw = await openPinned({ key: source, etag }, options);
        if (!raw) {
            findings.note('raw_gone', source, `${source} is gone: it can no longer be recomputed, and ${instead}`);
            return undefined;
        }
        const recount = await recompute(engine, raw, record.options);
        if (!recount) {
            findings.add({ kind: 'source', source, figure: 'dialect', in_lake: record.dialect, recomputed: null });
        }
        return recount;
    } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof ChangedError) {
            findings.note('raw_changed', source, `${source} was changed since it was summarized; ${instead}. Run flowlake reconcile`);
        } else if (error instanceof RottenError) {
            addRotten(record, error.message, options);
        } else if (error instanceof DamagedFileError && !(await areBytesSound({ key: source, etag }, options).catch(() => true))) {
            addRotten(record, error.message, options);
        } else if (error instanceof ConflictError) {
            findings.note('changed_meanwhile', source, `${source} was replaced while it was read; ${instead}`);
        } else if (error instanceof NotFollowedError) {
            findings.note('not_followed', source, `${source} cannot be verified from its raw file: ${error.message}; ${instead}`);
        } else if (error instanceof OverflowError) {
            findings.add({ kind: 'source', source, figure: 'sums', in_lake: 'within their range', recomputed: 'out of range' });
        } else if (error instanceof DamagedFileError || error instanceof UnreadableError) {
            findings.note('could_not_read', source, `${source} could not be read: ${messageOf(error)}; ${instead}`);
        } else {
            throw error;
        }
        return undefined;
    }
}

/** Nothing tells the store of it, so nobody reads the file anew; and it must not be read: what it holds was never uploaded. */
function addRotten({ source, etag }: SourceRecord, why: string, { findings }: VerifySourceOptions): void {
    findings.add({ kind: 'damaged', source, figure: `bytes of the raw file: ${why}`, in_lake: source, recomputed: etag });
}

function ledgerDifferences(record: SourceRecord, recount: Recount): Difference[] {
    const { rejects, ...reading } = recount;
    const expected = new Map<string, unknown>(Object.entries({ site: siteOf(record.source), ...reading }));
    const found = new Map<string, unknown>(Object.entries(record));
    return [...expected]
        .filter(([figure, value]) => value !== found.get(figure))
        .map(([figure, value]) => ({
            kind: 'source',
            source: record.source,
            figure,
            in_lake: shown(found.get(figure)),
            recomputed: shown(value),
        }));
}

function shown(value: unknown): bigint | string | null {
    return typeof value === 'number' ? BigInt(value) : typeof value === 'string' ? value : null;
}

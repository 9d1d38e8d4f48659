/**
 * Verifies one source: its raw object is read the second way, and compared with what the ledger, its rejects and its contributions say of
 * it.
 */
import { ConflictError, OverflowError } from '#lake/errors';
import { openInputs, openInputsAsRead, sayInput } from '#lake/inputs';
import type { ReadingOptions, Recount } from '#lake/kind';
import { siteOf } from '#lake/layout';
import { faultOfOptions } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { Difference } from './findings.ts';
import { messageOf, type SourceRecord } from './lake-files.ts';
import { areBytesSound, ChangedError, isHash, openPinned, RottenError, UnreadableError } from './pinned-bytes.ts';
import { DamagedFileError, NotFollowedError } from './second-reading.ts';
import type { LiveRecord, VerifySourceOptions } from './source-work.ts';
import { noSourcePeriods, verifyContributions } from './verify-contributions.ts';
import { verifyRejects } from './verify-rejects.ts';

export interface SourceOutcome {
    /** Data rows of the raw file; undefined where it was not read. */
    rowsRead: number | undefined;
    /** True if reading the raw file anew would mend what was found. */
    isReadable: boolean;
    /** Periods of which neither the raw file nor the contributions tell what the source contributes. */
    unknownPeriods: readonly string[];
}

/**
 * Leaves what the source contributes in table `source_periods` (key columns but site, `period`, figures): from the raw file, or from its
 * contributions where that cannot be had.
 */
export async function verifySource(record: LiveRecord, options: VerifySourceOptions): Promise<SourceOutcome> {
    const { kind, findings } = options;
    const { source } = record;
    const { recount, isThere } = await recountRaw(record, options);
    if (record.rows_kept + record.rows_rejected !== record.rows_read) {
        const [in_lake, recomputed] = [BigInt(record.rows_kept + record.rows_rejected), BigInt(record.rows_read)];
        findings.add({ kind: 'source', source, table: kind.merged.name, figure: 'rows_kept + rows_rejected', in_lake, recomputed });
    }
    if (recount) {
        findings.add(...ledgerDifferences(record, { recount, table: kind.merged.name }));
    }
    const isReadable = recount !== undefined || isThere;
    const unknownPeriods = await verifyContributions(record, { ...options, isRecomputed: recount !== undefined, isReadable });
    await verifyRejects(record, { ...options, recount });
    return { rowsRead: rowsReadOf(recount), isReadable, unknownPeriods };
}

function rowsReadOf(recount: Recount | undefined): number | undefined {
    return recount && Number(recount.fields.rows_read ?? 0);
}

/**
 * Leaves what the source will contribute once its raw object is read, in table `source_periods`: for one that waits for that.
 * @returns its data rows, or undefined where it cannot be told
 */
export async function readPending(
    source: string,
    { etag, options: readingOptions }: { etag: string; options: ReadingOptions },
    options: VerifySourceOptions,
): Promise<number | undefined> {
    const { kind, reader, engine, findings, store, signal } = options;
    if (!reader) {
        // What the kind's only reader will make of it is what verifying must not take for granted.
        return undefined;
    }
    try {
        const raw = await openPinned({ key: source, etag }, options);
        const { input } = openInputs(store, kind);
        const isReadable = raw && faultOfOptions(kind, readingOptions) === undefined;
        const recount = isReadable && (await reader.recompute(engine, { ...raw, input }, readingOptions));
        if (recount) {
            return rowsReadOf(recount);
        }
    } catch (error) {
        signal?.throwIfAborted();
        if (![OverflowError, DamagedFileError].some((known) => error instanceof known)) {
            findings.note('could_not_read', source, `${source} could not be read: ${messageOf(error)}`);
            return undefined;
        }
    }
    // A file that cannot be used contributes nothing.
    await engine.run(noSourcePeriods(kind.merged));
    return 0;
}

/**
 * A source that could not be used must be of no use to the second reading either; else its figures are missing.
 * @returns whether its raw object is there as it was, so that it can be read once more
 */
export async function verifyFailed(record: SourceRecord, options: VerifySourceOptions): Promise<boolean> {
    const { kind, reader, engine, findings, signal, objects } = options;
    const { source, etag, version } = record;
    const about = { source, table: kind.merged.name };
    const id = `${sourceId(source)}.${version}`;
    for (const [of, contributions] of [['summary', objects.contributions] as const, ['rejects', objects.rejects] as const]) {
        findings.add(
            ...(contributions.get(id) ?? []).map(({ key }) => ({ kind: of, ...about, figure: 'object', in_lake: key, recomputed: null })),
        );
    }
    try {
        const raw = await openPinned({ key: source, etag }, options);
        await noteInputs(raw && record, options);
        const { input } = openInputsAsRead(options.store, kind, record.inputs ?? {});
        const isReadable = raw && faultOfOptions(kind, record.options) === undefined;
        if (isReadable && reader && (await reader.recompute(engine, { ...raw, input }, record.options))) {
            findings.add({ kind: 'source', ...about, figure: 'state', in_lake: record.state, recomputed: 'done' });
        }
        return raw !== undefined;
    } catch (error) {
        signal?.throwIfAborted();
        const isUnusable = [NotFollowedError, OverflowError, DamagedFileError].some((known) => error instanceof known);
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

interface RawFound {
    /** The recount; undefined where the raw object cannot be recounted. The findings, or the kind's own note, then say why. */
    recount?: Recount | undefined;
    /** True if the raw object is there and whole, though it was not recounted. */
    isThere: boolean;
}

async function recountRaw(record: LiveRecord, options: VerifySourceOptions): Promise<RawFound> {
    const { kind, reader, engine, findings, signal } = options;
    const { source, etag } = record;
    const about = { kind: 'source' as const, source, table: kind.merged.name };
    const instead = 'its committed summaries were taken instead';
    try {
        const raw = await openPinned({ key: source, etag }, options);
        if (!raw) {
            findings.note('raw_gone', source, `${source} is gone: it can no longer be recomputed, and ${instead}`);
            return { isThere: false };
        }
        await noteInputs(record, options);
        if (!reader) {
            for await (const _ of isHash(etag) ? raw.open() : []) {
                // Hashed on their way.
            }
            return { isThere: true };
        }
        const { input } = openInputsAsRead(options.store, kind, record.inputs ?? {});
        const recount = await reader.recompute(engine, { ...raw, input }, record.options);
        if (!recount) {
            const [first] = kind.found;
            findings.add({ ...about, figure: first?.name ?? 'state', in_lake: shown(record[first?.name ?? 'state']), recomputed: null });
        }
        return { recount, isThere: false };
    } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof ChangedError && error.isStrange) {
            addRotten(record, error.message, options);
        } else if (error instanceof ChangedError) {
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
            findings.add({ ...about, figure: 'sums', in_lake: 'within their range', recomputed: 'out of range' });
        } else if (error instanceof DamagedFileError || error instanceof UnreadableError) {
            findings.note('could_not_read', source, `${source} could not be read: ${messageOf(error)}; ${instead}`);
        } else {
            throw error;
        }
        return { isThere: false };
    }
}

/** Notes each input that has another version by now than the source was read with. What is gone stays as it was read: nothing is noted then. */
async function noteInputs(record: SourceRecord | undefined, { kind, inputs, findings }: VerifySourceOptions): Promise<void> {
    for (const [name, version] of record && kind.inputs ? Object.entries(record.inputs ?? {}) : []) {
        const now = kind.inputs ? await inputs.versionOf(kind.inputs, name) : version;
        if (record && now !== version) {
            const text = `${record.source} was read with ${sayInput(kind, { name, version })}, and version ${now} holds now: run flowlake reconcile`;
            findings.note('input_changed', record.source, text);
        }
    }
}

/**
 * Adds a raw object whose bytes rotted, or one in the place of a chain's object. Nobody reads the file anew, and it must not be read: what it holds was never
 * uploaded, and no device said it.
 */
function addRotten({ source, etag }: SourceRecord, why: string, { kind, findings }: VerifySourceOptions): void {
    const about = { source, table: kind.merged.name };
    findings.add({ kind: 'damaged', ...about, figure: `bytes of the raw file: ${why}`, in_lake: source, recomputed: etag });
}

function ledgerDifferences(record: SourceRecord, { recount, table }: { recount: Recount; table: string }): Difference[] {
    return (
        Object.entries({ site: siteOf(record.source), ...recount.fields })
            // A fact that a reading of an older format did not look for is no difference.
            .filter(([figure, value]) => value !== record[figure] && record[figure] !== undefined)
            .map(([figure, value]) => ({
                kind: 'source',
                source: record.source,
                table,
                figure,
                in_lake: shown(record[figure]),
                recomputed: shown(value),
            }))
    );
}

function shown(value: unknown): bigint | string | null {
    return typeof value === 'number' ? BigInt(value) : typeof value === 'string' ? value : null;
}

/** One source: its raw object read the second way, and compared with what the ledger, its rejects and its summaries say of it. */
import { ConflictError, OverflowError } from '#lake/errors';
import { dayOf, rejectsKey, siteOf, sourceId, summaryKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { compareFigures } from './compare.ts';
import type { Copies, StoredObject } from './copies.ts';
import { type Engine, fileList, literal, textOf, wholeOf } from './engine.ts';
import type { Difference, Findings } from './findings.ts';
import { messageOf, type SourceRecord } from './lake-files.ts';
import { ChangedError, openPinned, UnreadableError } from './pinned-bytes.ts';
import { DamagedFileError } from './plain-bytes.ts';
import { NotFollowedError } from './raw-text.ts';
import { type Recount, recompute } from './recompute.ts';
import { FIGURES } from './row-sql.ts';

export interface VerifySourceOptions {
    engine: Engine;
    findings: Findings;
    store: ObjectStore;
    copies: Copies;
    /** Of each `<source>.<version>`. */
    summaries: ReadonlyMap<string, readonly StoredObject[]>;
    rejects: ReadonlyMap<string, readonly StoredObject[]>;
    onBytes: (bytes: number) => void;
    signal: AbortSignal | undefined;
}

/** A source that counts. */
export type LiveRecord = SourceRecord & { version: string };

export interface SourceOutcome {
    /** Data rows of the raw file; undefined where it was not read. */
    rowsRead: number | undefined;
    /** Neither the raw file nor the summaries tell what the source contributes. */
    isUnknown: boolean;
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
    const areSummariesRead = await verifySummaries(record, { ...options, isRecomputed: recount !== undefined });
    await verifyRejects(record, { ...options, recount });
    return { rowsRead: recount?.rows_read, isUnknown: !recount && !areSummariesRead };
}

/** A source that could not be used must be of no use to the second reading either; else its figures are missing. */
export async function verifyFailed(record: SourceRecord, options: VerifySourceOptions): Promise<void> {
    const { engine, findings, signal } = options;
    const { source, etag } = record;
    try {
        const raw = await openPinned({ key: source, etag }, options);
        if (raw && (await recompute(engine, raw, record.options))) {
            findings.add({ kind: 'source', source, figure: 'state', in_lake: record.state, recomputed: 'done' });
        }
    } catch (error) {
        signal?.throwIfAborted();
        const isUnusable = [NotFollowedError, OverflowError, DamagedFileError].some((kind) => error instanceof kind);
        if (error instanceof ChangedError) {
            findings.note('raw_changed', source, `${source} was changed since it could not be used: run flowlake reconcile`);
        } else if (error instanceof ConflictError) {
            findings.note('changed_meanwhile', source, `${source} was replaced while it was read`);
        } else if (!isUnusable) {
            findings.note('could_not_read', source, `${source} could not be read: ${messageOf(error)}`);
        }
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

/** Compares the source's live summaries with the recount, or takes them for it. @returns whether they could be read. */
async function verifySummaries(record: LiveRecord, options: VerifySourceOptions & { isRecomputed: boolean }): Promise<boolean> {
    const { engine, findings, copies, summaries, signal, isRecomputed } = options;
    const { source, version } = record;
    const id = sourceId(source);
    const keyOf = (day: string): string => summaryKey({ day, source: id, version });
    const objects = summaries.get(`${id}.${version}`) ?? [];
    const daysThere = objects.map(({ key }) => dayOf(key) ?? '');
    const daysRecorded = record.versions[version] ?? [];
    findings.add(
        ...daysRecorded
            .filter((day) => !daysThere.includes(day))
            .map((day) => ({ kind: 'summary' as const, source, day, figure: 'object', in_lake: null, recomputed: keyOf(day) })),
        ...daysThere
            .filter((day) => !daysRecorded.includes(day))
            .map((day) => ({ kind: 'summary' as const, source, day, figure: 'object', in_lake: keyOf(day), recomputed: null })),
    );
    const figures = FIGURES.join(', ');
    const nothing = `select '' as site, '' as src_ip, '' as dst_ip, '' as day, ${FIGURES.map((figure) => `0 as ${figure}`).join(', ')} where false`;
    const rowsOf = (paths: readonly string[]): string =>
        paths.length === 0
            ? nothing
            : `select site, src_ip, dst_ip, regexp_extract(filename, 'day=([0-9-]{10})[^=]*$', 1) as day, ${figures}
               from read_parquet(${fileList(paths)}, filename = true, hive_partitioning = false)`;
    try {
        await copies.use(objects, (paths) => engine.run(`create or replace temp table summary_rows as ${rowsOf(paths)}`));
        if (isRecomputed) {
            const recomputed = `select ${literal(siteOf(source))} as site, src_ip, dst_ip, cast(day as varchar) as day, ${figures} from source_days`;
            await compareFigures(engine, { kind: 'summary', source, inLake: 'from summary_rows', recomputed }, findings);
        } else {
            await engine.run(
                `create or replace temp table source_days as select * exclude (site) replace (cast(day as date) as day) from summary_rows`,
            );
        }
        const [total] = await engine.rows('select sum(flows) as flows from summary_rows');
        const flows = wholeOf(total, 'flows') ?? 0n;
        if (flows !== BigInt(record.rows_kept)) {
            findings.add({
                kind: 'source',
                source,
                figure: 'flows of its summaries',
                in_lake: flows,
                recomputed: BigInt(record.rows_kept),
            });
        }
        return true;
    } catch (error) {
        signal?.throwIfAborted();
        const why = `${messageOf(error)}${isRecomputed ? '' : '; the days that it touches are not compared'}`;
        findings.note('could_not_read', source, `the summaries of ${source} (${id}.${version}.parquet) could not be read: ${why}`);
        return false;
    }
}

/** Compares the rejects by their reasons with the recount, or their number with the ledger. */
async function verifyRejects(record: LiveRecord, options: VerifySourceOptions & { recount: Recount | undefined }): Promise<void> {
    const { engine, findings, copies, rejects, signal, recount } = options;
    const { source, version } = record;
    const id = sourceId(source);
    const objects = rejects.get(`${id}.${version}`) ?? [];
    const key = rejectsKey({ source: id, version });
    const expected = recount ? recount.rejects : new Map([['lines', BigInt(record.rows_rejected)]]);
    const isExpected = [...expected.values()].some((count) => count > 0n);
    if (objects.length === 0) {
        if (isExpected) {
            findings.add({ kind: 'rejects', source, figure: 'object', in_lake: null, recomputed: key });
        }
        return;
    }
    try {
        const rows = await copies.use(objects, (paths) =>
            engine.rows(`
            select ${recount ? 'reason' : `'lines'`} as figure, count(*) as lines, count(*) filter (source is distinct from ${literal(source)} or version is distinct from ${literal(version)}) as strangers
            from read_json(${fileList(paths)}, format = 'newline_delimited', compression = 'gzip',
                columns = {source: 'varchar', version: 'varchar', reason: 'varchar'})
            group by 1`),
        );
        const found = new Map(rows.map((row) => [textOf(row, 'figure') ?? '', wholeOf(row, 'lines') ?? 0n]));
        const strangers = rows.reduce((sum, row) => sum + (wholeOf(row, 'strangers') ?? 0n), 0n);
        const differing = [...new Set([...expected.keys(), ...found.keys()])]
            .sort()
            .filter((figure) => (found.get(figure) ?? 0n) !== (expected.get(figure) ?? 0n));
        findings.add(
            ...differing.map((figure) => ({
                kind: 'rejects' as const,
                source,
                figure,
                in_lake: found.get(figure) ?? 0n,
                recomputed: expected.get(figure) ?? 0n,
            })),
        );
        if (strangers > 0n) {
            findings.add({ kind: 'rejects', source, figure: 'lines of another source or version', in_lake: strangers, recomputed: 0n });
        }
    } catch (error) {
        signal?.throwIfAborted();
        findings.note('could_not_read', key, `the rejects of ${source} could not be read: ${messageOf(error)}`);
    }
}

/**
 * Use case: every figure of a lake recomputed from the raw objects by a second way that shares neither the reading of rows nor the
 * arithmetic with lake/flows, and compared one by one; and every object that the figures rest on. Nothing in the lake is changed.
 */
import { UsageError } from '#lake/errors';
import { dayOf, LEDGER_PREFIX, ledgerKey, siteOf, sourceId } from '#lake/layout';
import type { ReadingOptions } from '#lake/ledger';
import type { ObjectStore } from '#lake/store/object-store';
import { FIGURES } from '#lake/verify/flows/row-sql';
import { type Copies, openCopies } from './copies.ts';
import { type Engine, literal, openEngine } from './engine.ts';
import { type Difference, type Findings, type Mends, type Note, openFindings } from './findings.ts';
import { type LakeObjects, type LedgerFound, listObjects, listRaw, readRecords, type SourceRecord } from './lake-files.ts';
import type { LiveRecord } from './source-work.ts';
import { verifyDays } from './verify-days.ts';
import { verifyObjects } from './verify-objects.ts';
import { readPending, verifyFailed, verifySource } from './verify-source.ts';

export interface VerifyProgress {
    /** Sources are read, then days compared. */
    doing: 'sources' | 'days';
    /** The source's raw key, or the day. */
    current: string;
    /** Bytes of raw objects, or days. */
    done: number;
    total: number;
}

export interface VerifyOptions {
    store: ObjectStore;
    /** First day that is compared, `YYYY-MM-DD`. */
    from?: string | undefined;
    /** Last day that is compared, inclusive. */
    to?: string | undefined;
    /** These days instead, and these sources whatever their days are; objects that count nowhere are looked for on the days from `from` to `to`. */
    only?: { days: ReadonlySet<string>; sources: ReadonlySet<string> } | undefined;
    /**
     * Sources whose raw object is to be read next, with its etag and reading options: they are taken as they will be then, so that what is
     * recomputed is what the figures will be.
     */
    pending?: ReadonlyMap<string, PendingSource> | undefined;
    /** A source whose raw file is gone counts as checked by its summaries. */
    allowPruned?: boolean | undefined;
    /** So many differences are listed; all are counted. */
    maxListed?: number | undefined;
    /** Tells what a worker may be at from what one has left behind; without it none is taken to have been there for long. */
    now?: Date | undefined;
    onProgress?: ((progress: VerifyProgress) => void) | undefined;
    /** Aborting it rejects with its reason. */
    signal?: AbortSignal | undefined;
}

export interface PendingSource {
    etag: string;
    options: ReadingOptions;
}

export interface VerifyResult {
    /** `incomplete`: no difference was found, but something could not be verified or waits for `flowlake reconcile`; the notes say what. */
    verdict: 'equal' | 'different' | 'incomplete';
    /** Sources whose raw file was read anew, and those of which only the summaries could be taken. */
    sources: { recomputed: number; fromSummaries: number };
    /** Data rows of the raw files that were read. */
    rowsRead: number;
    /** What was compared in `pair_days`; days of sources of which nothing can be read are left out. */
    days: number;
    pairDays: number;
    figures: number;
    /** The first ones, up to `maxListed`. */
    differences: readonly Difference[];
    differenceCount: number;
    notes: readonly Note[];
    mends: Mends;
}

const DEFAULT_MAX_LISTED = 1000;
const FIRST_DAY = '0001-01-01';
const LAST_DAY = '9999-12-31';

/**
 * Compares every figure of the days asked for; of the sources that touch these days also everything that the ledger, the rejects
 * and the summaries say.
 * @throws UsageError for a day that is none, OverflowError where figures of several sources have no sum, StorageError where the lake
 * cannot be listed or the engine has no room.
 */
export async function verifyLake(options: VerifyOptions): Promise<VerifyResult> {
    const { store, from = FIRST_DAY, to = LAST_DAY, only, pending = new Map(), allowPruned = false, signal, onProgress } = options;
    checkDays({ from, to });
    const findings = openFindings({ maxListed: options.maxListed ?? DEFAULT_MAX_LISTED });
    const copies = openCopies({ store, signal });
    const engine = await openEngine({ signal });
    try {
        const ledger = await readRecords(store);
        const objects = await listObjects(store);
        const raw = await listRaw(store);
        const isAsked = (day: string): boolean => (only ? only.days.has(day) : day >= from && day <= to);
        const range = only ? { from: FIRST_DAY, to: LAST_DAY } : { from, to };
        const isWholeLake = from === FIRST_DAY && to === LAST_DAY;
        const unknownDays = new Set<string>();
        const work: Work = { engine, copies, findings, store, objects, raw, pending, isAsked, ...range, unknownDays, signal, onProgress };
        noteUnreadable(ledger, work);
        noteUnread(ledger.records, work);
        const isObjectAsked = (day: string | undefined): boolean => (day === undefined ? isWholeLake : day >= from && day <= to);
        verifyObjects({ ledger, objects, raw, findings, now: options.now, isAsked: isObjectAsked });
        // A failed source has no days that could be asked for.
        const isSourceAsked = (record: SourceRecord): boolean =>
            only ? isOneOf(record, only) : isWholeLake || isTouching(record, { from, to });
        const sources = await verifySources(ledger.records.filter(isSourceAsked), work);
        const onDay = ({ day, ...progress }: { day: string; done: number; total: number }): void =>
            onProgress?.({ doing: 'days', current: day, ...progress });
        const compared = await verifyDays({ ...work, ledger, onDay });
        if ((await readRecords(store)).state !== ledger.state) {
            const text = 'sources were read, replaced or retracted while the lake was verified: run it again before believing a difference';
            findings.note('changed_meanwhile', LEDGER_PREFIX, text);
        }
        const isComplete = findings.notes.every(({ kind }) => allowPruned && kind === 'raw_gone');
        return {
            verdict: findings.count > 0 ? 'different' : isComplete ? 'equal' : 'incomplete',
            ...sources,
            ...compared,
            differences: findings.listed,
            differenceCount: findings.count,
            notes: findings.notes,
            mends: findings.mends,
        };
    } finally {
        await engine.close();
        await copies.close();
    }
}

interface Work extends Pick<VerifyOptions, 'store' | 'onProgress'> {
    engine: Engine;
    copies: Copies;
    findings: Findings;
    objects: LakeObjects;
    /** Sizes by raw key. */
    raw: ReadonlyMap<string, number>;
    pending: ReadonlyMap<string, PendingSource>;
    from: string;
    to: string;
    isAsked: (day: string) => boolean;
    /** Days of sources of which nothing can be read: what should be in them is not known. */
    unknownDays: Set<string>;
    signal: AbortSignal | undefined;
}

function checkDays(days: Record<string, string>): void {
    for (const [name, day] of Object.entries(days)) {
        if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day))) {
            throw new UsageError(`"${day}" is no day for --${name}: write it as 2024-07-31`);
        }
    }
}

/** Says which records cannot be read: their sources' days are not known. */
function noteUnreadable({ unreadable }: LedgerFound, { findings, objects, unknownDays }: Work): void {
    for (const { key, why, isDamaged } of unreadable) {
        if (isDamaged) {
            findings.add({ kind: 'damaged', figure: why, in_lake: key, recomputed: null });
        }
        findings.note('could_not_read', key, `${key} could not be read: ${why}; the days that its source touches are not compared`);
        addAll(unknownDays, daysOfSource(key, objects));
    }
}

/** Notes raw files that are in no figure though they could be. */
function noteUnread(records: readonly SourceRecord[], { raw, pending, findings }: Work): void {
    const known = new Set(records.map(({ source }) => source));
    for (const key of raw.keys()) {
        if (!known.has(key) && !pending.has(key)) {
            findings.note('not_summarized', key, `${key} is in no figure: run flowlake reconcile`);
        }
    }
}

/** The days of every version of the source that a ledger key names. */
function daysOfSource(key: string, { summaries }: LakeObjects): string[] {
    const objects = [...summaries].filter(([id]) => ledgerKey(id.split('.')[0] ?? '') === key).flatMap(([, found]) => found);
    return objects.map((object) => dayOf(object.key) ?? '');
}

function addAll(set: Set<string>, days: readonly string[]): void {
    for (const day of days) {
        set.add(day);
    }
}

function isLive(record: SourceRecord): record is LiveRecord {
    return record.state === 'done' && record.version !== null;
}

function isTouching({ first_day, last_day }: SourceRecord, { from, to }: { from: string; to: string }): boolean {
    return first_day !== null && last_day !== null && first_day <= to && last_day >= from;
}

function isOneOf({ source, version, versions }: SourceRecord, { days, sources }: NonNullable<VerifyOptions['only']>): boolean {
    return sources.has(source) || (version !== null && (versions[version] ?? []).some((day) => days.has(day)));
}

/** Verifies each source by itself, and gathers what they contribute to the days that are asked for in table `contributions`. */
async function verifySources(asked: readonly SourceRecord[], work: Work): Promise<Pick<VerifyResult, 'sources' | 'rowsRead'>> {
    const { engine, from, to, findings, raw, pending, unknownDays, onProgress } = work;
    const records = asked.filter((record) => (isLive(record) || record.state === 'failed') && !pending.has(record.source));
    const sources = { recomputed: 0, fromSummaries: 0 };
    const keys = [...records.map(({ source }) => source), ...pending.keys()];
    const total = keys.reduce((sum, source) => sum + (raw.get(source) ?? 0), 0);
    let rowsRead = 0;
    let before = 0;
    await engine.run(`create table contributions (
        site varchar, src_ip varchar, dst_ip varchar, day date, ${FIGURES.map((figure) => `${figure} hugeint`).join(', ')}
    )`);
    const openOptions = (source: string) => {
        let done = before;
        const onBytes = (bytes: number): void => {
            done += bytes;
            onProgress?.({ doing: 'sources', current: source, done, total });
        };
        onBytes(0);
        before += raw.get(source) ?? 0;
        return { ...work, onBytes };
    };
    const contribute = (source: string): Promise<void> =>
        engine.run(`
            insert into contributions
            select ${literal(siteOf(source))}, src_ip, dst_ip, day, ${FIGURES.join(', ')}
            from source_days
            where day between date ${literal(from)} and date ${literal(to)}`);
    for (const record of records) {
        const { source } = record;
        const options = openOptions(source);
        const found = findings.count;
        if (!isLive(record)) {
            const isReadable = await verifyFailed(record, options);
            markMend(record, { isRead: isReadable, isFound: findings.count > found, work });
            continue;
        }
        const outcome = await verifySource(record, options);
        markMend(record, { isRead: outcome.rowsRead !== undefined, isFound: findings.count > found, work });
        rowsRead += outcome.rowsRead ?? 0;
        sources[outcome.rowsRead === undefined ? 'fromSummaries' : 'recomputed'] += 1;
        addAll(unknownDays, outcome.unknownDays);
        await contribute(source);
    }
    for (const [source, next] of pending) {
        const rows = await readPending(source, next, openOptions(source));
        if (rows === undefined) {
            addAll(unknownDays, daysOfSource(ledgerKey(sourceId(source)), work.objects));
        } else {
            rowsRead += rows;
            sources.recomputed += 1;
            await contribute(source);
        }
    }
    return { sources, rowsRead };
}

/** What was found of a source, reading it anew mends, if it can be read. */
function markMend({ source, version }: SourceRecord, { isRead, isFound, work }: { isRead: boolean; isFound: boolean; work: Work }): void {
    const { readAnew, beyondMending } = work.findings.mends;
    if (isFound && isRead && version !== null) {
        readAnew.set(source, version);
    } else if (isFound) {
        beyondMending.add(source);
    }
}

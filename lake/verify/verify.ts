/**
 * Use case: recompute every figure of a lake from the raw objects, by a second way that shares neither the reading of rows nor the
 * arithmetic with the first, and compare them one by one; look at every object that the figures rest on. Nothing in the lake is changed.
 */
import { UsageError } from '#lake/errors';
import { lookAtInputs } from '#lake/inputs';
import type { Kind } from '#lake/kind';
import { kinds as allKinds, findKind, findKindOfRecord, type KnownKinds, sayUnknownKind } from '#lake/kinds';
import { dayOfPeriod, isSourceName, LEDGER_PREFIX, nameOfPeriod, type TablePeriod } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { openCopies } from './copies.ts';
import { openEngine } from './engine.ts';
import { type Difference, type Findings, type Mends, type Note, openFindings } from './findings.ts';
import {
    hasLedgerChanged,
    type KindObjects,
    type LedgerFound,
    listObjects,
    listRaw,
    readRecords,
    type SourceRecord,
} from './lake-files.ts';
import {
    isLive,
    type KindOutcome,
    type KindWork,
    type PendingSource,
    type Shared,
    type VerifyProgress,
    verifyKind,
} from './verify-kind.ts';
import { verifyObjects } from './verify-objects.ts';

export interface VerifyOptions {
    store: ObjectStore;
    /** First day that is compared, `YYYY-MM-DD`. */
    from?: string | undefined;
    /** Last day that is compared, inclusive. */
    to?: string | undefined;
    /**
     * Periods by their names, and sources whatever their periods are, that are verified instead; objects that count nowhere are looked for
     * on the days from `from` to `to`.
     */
    only?: { periods: ReadonlySet<string>; sources: ReadonlySet<string> } | undefined;
    /**
     * Sources whose raw object is to be read next, with its etag and reading options: they are taken as they will be then, so that what is
     * recomputed is what the figures will be.
     */
    pending?: ReadonlyMap<string, PendingSource> | undefined;
    /** The kinds of data that are known: all that there are, where left out. */
    kinds?: KnownKinds | undefined;
    /** True if a source whose raw file is gone counts as checked by its contributions. */
    allowPruned?: boolean | undefined;
    /** How many differences are listed at most; all are counted. */
    maxListed?: number | undefined;
    /**
     * Time by which what a worker may be at is told from what one has left behind; without it nothing is taken to have been there for long.
     */
    now?: Date | undefined;
    onProgress?: ((progress: VerifyProgress) => void) | undefined;
    /** Aborting it rejects with its reason. */
    signal?: AbortSignal | undefined;
}

export interface VerifyResult {
    /**
     * Verdict on the whole. `incomplete`: no difference was found, but something could not be verified or waits for `flowlake reconcile`;
     * the notes say what.
     */
    verdict: 'equal' | 'different' | 'incomplete';
    sources: KindOutcome['sources'];
    rowsRead: KindOutcome['rowsRead'];
    /** What was compared of each merged and derived table that has anything, or of the first one; periods of sources of which nothing can be read are left out. */
    compared: KindOutcome['compared'];
    /** The first differences, up to `maxListed`. */
    differences: readonly Difference[];
    differenceCount: number;
    notes: readonly Note[];
    mends: Mends;
}

const DEFAULT_MAX_LISTED = 1000;
const FIRST_DAY = '0001-01-01';
const LAST_DAY = '9999-12-31';

/**
 * Compares every figure of the days asked for, and everything that the ledger, the rejects and the contributions say of the sources that
 * touch these days.
 * @throws UsageError for a day that is none, OverflowError where figures of several sources have no sum, StorageError where the lake cannot
 * be listed or the engine has no room.
 */
export async function verifyLake(options: VerifyOptions): Promise<VerifyResult> {
    const { store, from = FIRST_DAY, to = LAST_DAY, only, pending = new Map(), allowPruned = false, signal, onProgress } = options;
    const { kinds = allKinds } = options;
    checkDays({ from, to });
    const findings = openFindings({ maxListed: options.maxListed ?? DEFAULT_MAX_LISTED });
    const copies = openCopies({ store, signal });
    const engine = await openEngine({ signal });
    try {
        const ledger = await readRecords(store, kinds);
        const objects = await listObjects(store, kinds);
        const raw = await listRaw(store);
        const range = only ? { from: FIRST_DAY, to: LAST_DAY } : { from, to };
        const isDayAsked = (day: string): boolean => day >= from && day <= to;
        const isAsked = (of: TablePeriod): boolean => (only ? only.periods.has(nameOfPeriod(of)) : isDayAsked(dayOfPeriod(of.period)));
        const isWholeLake = from === FIRST_DAY && to === LAST_DAY;
        noteUnreadable(ledger, findings);
        noteUnread(ledger.records, { kinds, raw, pending, findings });
        const isObjectAsked = (day: string | undefined): boolean => (day === undefined ? isWholeLake : isDayAsked(day));
        verifyObjects({ kinds, ledger, objects, raw, findings, now: options.now, isAsked: isObjectAsked });
        const work = kinds.map((kind): KindWork => {
            // A failed source has no days that could be asked for.
            const isSourceAsked = (record: SourceRecord): boolean =>
                only ? isOneOf(record, { kind, only }) : isWholeLake || isTouching(record, { from, to });
            const records = ledger.records.filter((record) => findKindOfRecord(record, kinds) === kind);
            return {
                kind,
                records,
                asked: records.filter((record) => isVerified(record, pending) && isSourceAsked(record)),
                pending: new Map([...pending].filter(([source]) => findKind(source, kinds) === kind)),
                objects: objects.ofKind.get(kind.name) ?? NO_OBJECTS,
                unknownPeriods: new Set(),
            };
        });
        const onBytes = openByteCount(work, { raw, onProgress });
        const shared: Shared = {
            engine,
            copies,
            findings,
            store,
            inputs: lookAtInputs(store),
            unreadable: ledger.unreadable,
            isAsked,
            ...range,
            signal,
            onBytes,
            onProgress,
        };
        const outcomes: KindOutcome[] = [];
        for (const ofKind of work) {
            outcomes.push(await verifyKind(ofKind, shared));
        }
        if (await hasLedgerChanged(store, ledger, kinds)) {
            const text = 'sources were read, replaced or retracted while the lake was verified: run it again before believing a difference';
            findings.note('changed_meanwhile', LEDGER_PREFIX, text);
        }
        const isComplete = findings.notes.every(({ kind }) => allowPruned && kind === 'raw_gone');
        return {
            verdict: findings.count > 0 ? 'different' : isComplete ? 'equal' : 'incomplete',
            ...totalOf(outcomes),
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

const NO_OBJECTS: KindObjects = { contributions: new Map(), rejects: new Map(), merged: new Map(), derived: new Map() };

function totalOf(outcomes: readonly KindOutcome[]): Pick<VerifyResult, 'sources' | 'rowsRead' | 'compared'> {
    const sum = (numberOf: (outcome: KindOutcome) => number): number => outcomes.reduce((total, outcome) => total + numberOf(outcome), 0);
    const compared = outcomes.flatMap((outcome) => outcome.compared);
    const withAny = compared.filter(({ periods }) => periods > 0);
    return {
        sources: { recomputed: sum(({ sources }) => sources.recomputed), fromSummaries: sum(({ sources }) => sources.fromSummaries) },
        rowsRead: sum(({ rowsRead }) => rowsRead),
        compared: withAny.length > 0 ? withAny : compared.slice(0, 1),
    };
}

function checkDays(days: Record<string, string>): void {
    for (const [name, day] of Object.entries(days)) {
        if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day))) {
            throw new UsageError(`"${day}" is no day for --${name}: write it as 2024-07-31`);
        }
    }
}

/** Says which records cannot be read: their sources' periods are not known. */
function noteUnreadable({ unreadable }: LedgerFound, findings: Findings): void {
    for (const { key, why, isDamaged } of unreadable) {
        if (isDamaged) {
            findings.add({ kind: 'damaged', figure: why, in_lake: key, recomputed: null });
        }
        findings.note('could_not_read', key, `${key} could not be read: ${why}; the days that its source touches are not compared`);
    }
}

interface NoteUnreadOptions {
    kinds: KnownKinds;
    raw: ReadonlyMap<string, number>;
    pending: ReadonlyMap<string, PendingSource>;
    findings: Findings;
}

/** Notes raw files that are in no figure though they could be. */
function noteUnread(records: readonly SourceRecord[], { kinds, raw, pending, findings }: NoteUnreadOptions): void {
    const known = new Set(records.map(({ source }) => source));
    for (const key of [...raw.keys()].filter((one) => isSourceName(one) && !known.has(one) && !pending.has(one))) {
        if (findKind(key, kinds)) {
            findings.note('not_summarized', key, `${key} is in no figure: run flowlake reconcile`);
        } else {
            findings.note('could_not_read', key, `${key} is in no figure of this flowlake: it is ${sayUnknownKind(key, kinds)}`);
        }
    }
}

function isTouching({ first_day, last_day }: SourceRecord, { from, to }: { from: string; to: string }): boolean {
    return first_day !== null && last_day !== null && first_day <= to && last_day >= from;
}

/** True if there is anything to verify of the source: a retracted one counts nowhere, and a pending one is taken as it will be. */
function isVerified(record: SourceRecord, pending: ReadonlyMap<string, PendingSource>): boolean {
    return (isLive(record) || record.state === 'failed' || record.state === 'skipped') && !pending.has(record.source);
}

function isOneOf(
    { source, version, versions }: SourceRecord,
    { kind, only }: { kind: Kind; only: NonNullable<VerifyOptions['only']> },
): boolean {
    const periods = version === null ? [] : (versions[version] ?? []);
    // A derived day is made of all that touches it.
    const isPartOf = (period: string): boolean =>
        [
            { table: kind.merged.name, period },
            ...(kind.derived ?? []).map(({ table }) => ({ table: table.name, period: dayOfPeriod(period) })),
        ].some((of) => only.periods.has(nameOfPeriod(of)));
    return only.sources.has(source) || periods.some(isPartOf);
}

/** Counts the bytes of all sources that are verified, kind after kind. */
function openByteCount(
    work: readonly KindWork[],
    { raw, onProgress }: { raw: ReadonlyMap<string, number> } & Pick<VerifyOptions, 'onProgress'>,
): Shared['onBytes'] {
    const keys = work.flatMap(({ asked, pending }) => [...asked.map(({ source }) => source), ...pending.keys()]);
    const total = keys.reduce((sum, source) => sum + (raw.get(source) ?? 0), 0);
    let current: string | undefined;
    let before = 0;
    let done = 0;
    return (source, bytes) => {
        if (source !== current) {
            before += raw.get(current ?? '') ?? 0;
            done = before;
            current = source;
        }
        done += bytes;
        onProgress?.({ doing: 'sources', current: source, done, total });
    };
}

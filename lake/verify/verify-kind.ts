/** Verifies one kind of data in a lake: its sources one by one, and then the periods that they make together. */
import type { InputsNow } from '#lake/inputs';
import type { Kind, ReadingOptions } from '#lake/kind';
import { kinds as allKinds } from '#lake/kinds';
import { ledgerKey, periodOf, RAW_PREFIX, type TablePeriod } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import type { Copies } from './copies.ts';
import { type Engine, literal } from './engine.ts';
import type { Findings } from './findings.ts';
import type { KindObjects, LedgerFound, SourceRecord } from './lake-files.ts';
import type { LiveRecord, VerifySourceOptions } from './source-work.ts';
import { columnsOf, figureNames, keyNames, listed } from './table-sql.ts';
import { withSite } from './verify-contributions.ts';
import { verifyDerived } from './verify-derived.ts';
import { type TableCompared, verifyPeriods } from './verify-periods.ts';
import { readPending, verifyFailed, verifySource } from './verify-source.ts';

export interface VerifyProgress {
    /** Step that is done: for each kind of data first sources are read, then periods compared, then days of derived tables. */
    doing: 'sources' | 'periods' | 'derived';
    /** The source's raw key, or the period. */
    current: string;
    /** Count of what is done: bytes of raw objects, periods of the kind, or days of one derived table. */
    done: number;
    total: number;
}

export interface PendingSource {
    etag: string;
    options: ReadingOptions;
}

/** What there is of one kind of data. */
export interface KindWork {
    kind: Kind;
    records: readonly SourceRecord[];
    /** Records whose sources are verified. */
    asked: readonly SourceRecord[];
    pending: ReadonlyMap<string, PendingSource>;
    objects: KindObjects;
    /** Periods of sources of which nothing can be read: what should be in them is not known. */
    unknownPeriods: Set<string>;
}

/** What the kinds of a lake are verified with. */
export interface Shared {
    store: ObjectStore;
    /** See `VerifySourceOptions.inputs`. */
    inputs: InputsNow;
    engine: Engine;
    copies: Copies;
    findings: Findings;
    unreadable: LedgerFound['unreadable'];
    from: string;
    to: string;
    isAsked: (of: TablePeriod) => boolean;
    /** Called with the bytes that were read of a source; with none when the source is begun. */
    onBytes: (source: string, bytes: number) => void;
    signal: AbortSignal | undefined;
    onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

export interface KindOutcome {
    /** Sources whose raw file was read anew, and those of which only the contributions could be taken. */
    sources: { recomputed: number; fromSummaries: number };
    /** Data rows of the raw files that were read. */
    rowsRead: number;
    /** What was compared of the merged table, and of each derived one. */
    compared: readonly TableCompared[];
}

/** Adds what is found of the kind; its sources leave in the engine what they contribute, and the periods are compared with that. */
export async function verifyKind(work: KindWork, shared: Shared): Promise<KindOutcome> {
    const { kind, asked, pending, records, objects, unknownPeriods } = work;
    const reader = await kind.secondReader?.();
    const { findings, onProgress } = shared;
    for (const { key } of shared.unreadable) {
        addAll(unknownPeriods, periodsOfSource(key, work));
    }
    if (!reader && asked.length + pending.size > 0) {
        const text = `sources of kind ${kind.name} are verified by their summaries alone: there is no second way to read their raw files`;
        findings.note('not_followed', prefixOf(kind), text);
    }
    const sources = await verifySources(work, { ...shared, kind, reader, objects });
    const compared = await verifyPeriods({
        ...shared,
        kind,
        records,
        objects,
        unknownPeriods,
        onPeriod: ({ period, ...progress }) => onProgress?.({ doing: 'periods', current: period, ...progress }),
    });
    const derived = await verifyDerived({
        ...shared,
        kind,
        derivations: reader?.derivations ?? {},
        objects,
        unknownPeriods,
        onPeriod: ({ period, ...progress }) => onProgress?.({ doing: 'derived', current: period, ...progress }),
    });
    return { ...sources, compared: [compared, ...derived] };
}

/** Beginning of the keys of the kind's raw objects. */
function prefixOf({ name }: Kind): string {
    return name === allKinds[0].name ? RAW_PREFIX : `${RAW_PREFIX}kind=${name}/`;
}

type SourceWork = Omit<VerifySourceOptions, 'onBytes'> & Pick<Shared, 'from' | 'to' | 'onBytes'>;

/** Verifies each source by itself, and gathers what they contribute to the days that are asked for in table `contributed`. */
async function verifySources(work: KindWork, shared: SourceWork): Promise<Omit<KindOutcome, 'compared'>> {
    const { kind, asked, pending, unknownPeriods } = work;
    const { engine, from, to, findings } = shared;
    const { merged: table } = kind;
    const sources = { recomputed: 0, fromSummaries: 0 };
    let rowsRead = 0;
    await engine.run(`create or replace table contributed (${columnsOf(table)})`);
    const openOptions = (source: string): VerifySourceOptions => {
        shared.onBytes(source, 0);
        return { ...shared, onBytes: (bytes) => shared.onBytes(source, bytes) };
    };
    const contribute = (source: string): Promise<void> =>
        engine.run(`
            insert into contributed (${listed([...keyNames(table), 'period', ...figureNames(table)])})
            select ${withSite(kind, source)}, period, ${listed(figureNames(table))}
            from source_periods
            where left(period, 10) between ${literal(from)} and ${literal(to)}`);
    for (const record of asked) {
        const { source } = record;
        const options = openOptions(source);
        const found = findings.count;
        if (!isLive(record)) {
            const isReadable = await verifyFailed(record, options);
            markMend(record, { isReadable, isFound: findings.count > found, findings });
            continue;
        }
        const outcome = await verifySource(record, options);
        markMend(record, { isReadable: outcome.isReadable, isFound: findings.count > found, findings });
        rowsRead += outcome.rowsRead ?? 0;
        sources[outcome.rowsRead === undefined ? 'fromSummaries' : 'recomputed'] += 1;
        addAll(unknownPeriods, outcome.unknownPeriods);
        await contribute(source);
    }
    for (const [source, next] of pending) {
        const rows = await readPending(source, next, openOptions(source));
        if (rows === undefined) {
            addAll(unknownPeriods, periodsOfSource(ledgerKey(sourceId(source)), work));
        } else {
            rowsRead += rows;
            sources.recomputed += 1;
            await contribute(source);
        }
    }
    return { sources, rowsRead };
}

/** Marks what would mend a source's differences: reading it anew, if it can be read. */
function markMend(
    { source, version }: SourceRecord,
    { isReadable, isFound, findings }: { isReadable: boolean; isFound: boolean; findings: Findings },
): void {
    const { readAnew, beyondMending } = findings.mends;
    if (isFound && isReadable && version !== null) {
        readAnew.set(source, version);
    } else if (isFound) {
        beyondMending.add(source);
    }
}

/** The periods of every version of the source that a ledger key names. */
function periodsOfSource(key: string, { kind, objects }: KindWork): string[] {
    const found = [...objects.contributions].filter(([id]) => ledgerKey(id.split('.')[0] ?? '') === key).flatMap(([, listed]) => listed);
    return found.map((object) => periodOf(kind.contributions, object.key) ?? '');
}

function addAll(set: Set<string>, periods: readonly string[]): void {
    for (const period of periods) {
        set.add(period);
    }
}

/** True if the source's rows are in the figures. */
export function isLive(record: SourceRecord): record is LiveRecord {
    return (record.state === 'done' || record.state === 'empty') && record.version !== null;
}

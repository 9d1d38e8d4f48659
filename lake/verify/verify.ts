/**
 * Use case: every figure of a lake recomputed from the raw objects by a second way that shares neither the reading of rows nor the
 * arithmetic with lake/flows, and compared one by one. Nothing in the lake is changed.
 */
import { ConflictError, UsageError } from '#lake/errors';
import { dayOf, LEDGER_PREFIX, ledgerKey, REJECTS_PREFIX, SUMMARIES_PREFIX, siteOf } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { pairDays } from '#lake/tables';
import { compareFigures } from './compare.ts';
import { type Copies, openCopies, type StoredObject } from './copies.ts';
import { type Engine, fileList, literal, openEngine, textOf, wholeOf } from './engine.ts';
import { type Difference, type Findings, type Note, openFindings } from './findings.ts';
import { listContributions, listPairDays, listRaw, messageOf, readRecords, type SourceRecord } from './lake-files.ts';
import { MERGED_FIGURES } from './recompute.ts';
import { FIGURES } from './row-sql.ts';
import { type LiveRecord, verifyFailed, verifySource } from './verify-source.ts';

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
    /** So many differences are listed; all are counted. */
    maxListed?: number | undefined;
    onProgress?: ((progress: VerifyProgress) => void) | undefined;
    /** Aborting it rejects with its reason. */
    signal?: AbortSignal | undefined;
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
    const { store, from = FIRST_DAY, to = LAST_DAY, maxListed = DEFAULT_MAX_LISTED, signal, onProgress } = options;
    checkDays({ from, to });
    const findings = openFindings({ maxListed });
    const copies = openCopies({ store, signal });
    const engine = await openEngine({ signal });
    try {
        const work: Work = { engine, copies, findings, store, from, to, signal, onProgress, unknownDays: new Set() };
        const before = await readRecords(store);
        const summaries = await listContributions(store, SUMMARIES_PREFIX);
        const rejects = await listContributions(store, REJECTS_PREFIX);
        for (const { key, why } of before.unreadable) {
            findings.note('could_not_read', key, `${key} could not be read: ${why}; the days that its source touches are not compared`);
            addAll(work.unknownDays, daysOfSource(key, summaries));
        }
        const raw = await listRaw(store);
        noteUnread(before.records, { raw, findings });
        const sources = await verifySources(before.records, { ...work, raw, summaries, rejects });
        const compared = await verifyDays(work);
        if ((await readRecords(store)).state !== before.state) {
            const text = 'sources were read, replaced or retracted while the lake was verified: run it again before believing a difference';
            findings.note('changed_meanwhile', LEDGER_PREFIX, text);
        }
        const isComplete = findings.notes.every(({ kind }) => kind === 'raw_gone');
        return {
            verdict: findings.count > 0 ? 'different' : isComplete ? 'equal' : 'incomplete',
            ...sources,
            ...compared,
            differences: findings.listed,
            differenceCount: findings.count,
            notes: findings.notes,
        };
    } finally {
        await engine.close();
        await copies.close();
    }
}

interface Work extends Pick<VerifyOptions, 'store' | 'signal' | 'onProgress'> {
    engine: Engine;
    copies: Copies;
    findings: Findings;
    from: string;
    to: string;
    /** Days of sources of which nothing can be read: what should be in them is not known. */
    unknownDays: Set<string>;
}

function checkDays(days: Record<string, string>): void {
    for (const [name, day] of Object.entries(days)) {
        if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day))) {
            throw new UsageError(`"${day}" is no day for --${name}: write it as 2024-07-31`);
        }
    }
}

/** Notes raw files that are in no figure though they could be. */
function noteUnread(records: readonly SourceRecord[], { raw, findings }: { raw: ReadonlyMap<string, number>; findings: Findings }): void {
    const known = new Set(records.map(({ source }) => source));
    for (const key of raw.keys()) {
        if (!known.has(key)) {
            findings.note('not_summarized', key, `${key} is in no figure: run flowlake reconcile`);
        }
    }
}

/** The days of every version of the source that a ledger key names. */
function daysOfSource(key: string, summaries: Contributions): string[] {
    const objects = [...summaries].filter(([id]) => ledgerKey(id.split('.')[0] ?? '') === key).flatMap(([, found]) => found);
    return objects.map((object) => dayOf(object.key) ?? '');
}

type Contributions = ReadonlyMap<string, readonly StoredObject[]>;

function addAll(set: Set<string>, days: readonly string[]): void {
    for (const day of days) {
        set.add(day);
    }
}

function isLive(record: SourceRecord): record is LiveRecord {
    return record.state === 'done' && record.version !== null;
}

/** Verifies each source that touches the days by itself, and gathers what they contribute in table `contributions`. */
async function verifySources(
    all: readonly SourceRecord[],
    { raw, summaries, rejects, ...work }: Work & { raw: ReadonlyMap<string, number>; summaries: Contributions; rejects: Contributions },
): Promise<Pick<VerifyResult, 'sources' | 'rowsRead'>> {
    const { engine, copies, from, to, findings, store, signal, onProgress } = work;
    const isWholeLake = from === FIRST_DAY && to === LAST_DAY;
    const isTouching = ({ first_day, last_day }: SourceRecord): boolean =>
        first_day !== null && last_day !== null && first_day <= to && last_day >= from;
    // A failed source has no days that could be asked for.
    const records = all
        .filter((record) => isWholeLake || isTouching(record))
        .filter((record) => isLive(record) || record.state === 'failed');
    const sources = { recomputed: 0, fromSummaries: 0 };
    const total = records.reduce((sum, { source }) => sum + (raw.get(source) ?? 0), 0);
    let rowsRead = 0;
    let before = 0;
    await engine.run(`create table contributions (
        site varchar, src_ip varchar, dst_ip varchar, day date, ${FIGURES.map((figure) => `${figure} hugeint`).join(', ')}
    )`);
    for (const record of records) {
        const { source } = record;
        let done = before;
        const onBytes = (bytes: number): void => {
            done += bytes;
            onProgress?.({ doing: 'sources', current: source, done, total });
        };
        onBytes(0);
        const options = { engine, copies, findings, store, summaries, rejects, onBytes, signal };
        before += raw.get(source) ?? 0;
        if (!isLive(record)) {
            await verifyFailed(record, options);
            continue;
        }
        const outcome = await verifySource(record, options);
        if (outcome.isUnknown) {
            addAll(work.unknownDays, record.versions[record.version] ?? []);
            continue;
        }
        rowsRead += outcome.rowsRead ?? 0;
        sources[outcome.rowsRead === undefined ? 'fromSummaries' : 'recomputed'] += 1;
        await engine.run(`
            insert into contributions
            select ${literal(siteOf(source))}, src_ip, dst_ip, day, ${FIGURES.join(', ')}
            from source_days
            where day between date ${literal(from)} and date ${literal(to)}`);
    }
    return { sources, rowsRead };
}

/** Compares what the sources contribute, merged, with `pair_days`. */
async function verifyDays(work: Work): Promise<Pick<VerifyResult, 'days' | 'pairDays' | 'figures'>> {
    const { engine, copies, findings, store, from, to, signal, onProgress } = work;
    await engine.run(`
        create table expected as
        select site, src_ip, dst_ip, day, ${MERGED_FIGURES}
        from contributions
        group by all
        order by day`);
    const rows = await engine.rows('select cast(day as varchar) as day, count(*) as pairs from expected group by all');
    const expectedPairs = new Map(rows.map((row) => [textOf(row, 'day') ?? '', wholeOf(row, 'pairs') ?? 0n]));
    const inLake = await listPairDays(store);
    findings.add(...inLake.strays.map((key) => ({ kind: 'day' as const, figure: 'object', in_lake: key, recomputed: null })));
    const daysInLake = new Map([...inLake.days].filter(([day]) => day >= from && day <= to));
    const days = [...new Set([...daysInLake.keys(), ...expectedPairs.keys()])].filter((day) => !work.unknownDays.has(day)).sort();
    let pairDaysCompared = 0;
    for (const [index, day] of days.entries()) {
        onProgress?.({ doing: 'days', current: day, done: index, total: days.length });
        const pairs = expectedPairs.get(day) ?? 0n;
        pairDaysCompared += Number(pairs);
        const object = daysInLake.get(day);
        if (!object) {
            findings.add({ kind: 'day', day, figure: 'pairs', in_lake: null, recomputed: pairs });
            continue;
        }
        try {
            await copies.use([object], ([path = '']) => verifyDay(work, { day, path }));
        } catch (error) {
            signal?.throwIfAborted();
            const kind = error instanceof ConflictError ? 'changed_meanwhile' : 'could_not_read';
            findings.note(kind, object.key, `${object.key} could not be read: ${messageOf(error)}`);
        }
    }
    return { days: days.length, pairDays: pairDaysCompared, figures: pairDaysCompared * FIGURES.length };
}

const DUCKDB_TYPES = { string: 'VARCHAR', bigint: 'BIGINT', 'decimal(38,0)': 'DECIMAL(38,0)' } as const;

async function verifyDay({ engine, findings }: Work, { day, path }: { day: string; path: string }): Promise<void> {
    const file = `read_parquet(${fileList([path])}, hive_partitioning = false)`;
    const described = await engine.rows(`select column_name, column_type from (describe select * from ${file})`);
    const typeOf = new Map(described.map((row) => [textOf(row, 'column_name'), textOf(row, 'column_type')]));
    const wrong = pairDays.columns.filter(({ name, type }) => typeOf.get(name) !== DUCKDB_TYPES[type]);
    findings.add(
        ...wrong.map(({ name, type }) => ({
            kind: 'day' as const,
            day,
            figure: `type of ${name}`,
            in_lake: typeOf.get(name) ?? null,
            recomputed: DUCKDB_TYPES[type],
        })),
    );
    if (wrong.some(({ name }) => !typeOf.has(name))) {
        return;
    }
    const columns = `site, src_ip, dst_ip, ${FIGURES.join(', ')}`;
    await compareFigures(
        engine,
        {
            kind: 'pair_day',
            inLake: `select ${columns}, ${literal(day)} as day from ${file}`,
            recomputed: `select ${columns}, ${literal(day)} as day from expected where day = date ${literal(day)}`,
        },
        findings,
    );
}

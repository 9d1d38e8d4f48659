/** Each day's object: that it can be read whole, contains what the ledger says, and has the figures that its sources make together. */
import { ConflictError } from '#lake/errors';
import { pairDays } from '#lake/flows/tables';
import { ledgerKey, pairDaysKey, sourceId } from '#lake/layout';
import { MERGED_FIGURES } from '#lake/verify/flows/recompute';
import { FIGURES } from '#lake/verify/flows/row-sql';
import { compareFigures } from './compare.ts';
import type { Copies } from './copies.ts';
import { type Engine, literal, textOf, wholeOf } from './engine.ts';
import type { Difference, Findings } from './findings.ts';
import { findImpossible } from './impossible.ts';
import { type LakeObjects, type LedgerFound, messageOf, type SourceRecord } from './lake-files.ts';
import { findLyingStatistics, loadRows, readContents, UNSORTED } from './parquet-rows.ts';

export interface VerifyDaysOptions {
    engine: Engine;
    copies: Copies;
    findings: Findings;
    objects: LakeObjects;
    ledger: LedgerFound;
    isAsked: (day: string) => boolean;
    /** What should be in these days is not known: their objects are read, and not compared. */
    unknownDays: ReadonlySet<string>;
    onDay: (progress: { day: string; done: number; total: number }) => void;
    signal: AbortSignal | undefined;
}

export interface DaysCompared {
    days: number;
    pairDays: number;
    figures: number;
}

/** Compares what the sources contribute, table `contributions`, merged, with `pair_days`. */
export async function verifyDays(options: VerifyDaysOptions): Promise<DaysCompared> {
    const { engine, copies, findings, ledger, objects, isAsked, unknownDays, onDay, signal } = options;
    await engine.run(`
        create table expected as
        select site, src_ip, dst_ip, day, ${MERGED_FIGURES}
        from contributions
        group by all
        order by day`);
    const rows = await engine.rows('select cast(day as varchar) as day, count(*) as pairs from expected group by all');
    const expectedPairs = new Map(rows.map((row) => [textOf(row, 'day') ?? '', wholeOf(row, 'pairs') ?? 0n]));
    const counting = countingByDay(ledger.records);
    const days = [...new Set([...objects.pairDays.keys(), ...expectedPairs.keys(), ...counting.keys()])].filter(isAsked).sort();
    const compared = { days: 0, pairDays: 0 };
    for (const [done, day] of days.entries()) {
        onDay({ day, done, total: days.length });
        const isKnown = !unknownDays.has(day);
        const pairs = expectedPairs.get(day) ?? 0n;
        compared.days += isKnown ? 1 : 0;
        compared.pairDays += isKnown ? Number(pairs) : 0;
        const object = objects.pairDays.get(day);
        const before = findings.count;
        if (object) {
            try {
                const about = { day, key: object.key, isKnown, counting: counting.get(day) ?? new Map<string, string>() };
                await copies.use([object], ([path = '']) => verifyDay({ ...about, path }, options));
            } catch (error) {
                signal?.throwIfAborted();
                const kind = error instanceof ConflictError ? 'changed_meanwhile' : 'could_not_read';
                findings.note(kind, object.key, `${object.key} could not be read: ${messageOf(error)}`);
            }
        } else {
            const missing = isKnown ? { figure: 'pairs', recomputed: pairs } : { figure: 'object', recomputed: pairDaysKey(day) };
            findings.add({ kind: 'day', day, in_lake: null, ...missing });
        }
        if (findings.count > before) {
            findings.mends.buildAnew.add(day);
        }
    }
    return { ...compared, figures: compared.pairDays * FIGURES.length };
}

/** Of each day what its object should contain, `<source>.<version>`, with the raw key. */
function countingByDay(records: readonly SourceRecord[]): Map<string, Map<string, string>> {
    const days = new Map<string, Map<string, string>>();
    for (const { source, state, version, versions } of records) {
        for (const day of state !== 'done' || version === null ? [] : (versions[version] ?? [])) {
            const counting = days.get(day) ?? new Map<string, string>();
            counting.set(`${sourceId(source)}.${version}`, source);
            days.set(day, counting);
        }
    }
    return days;
}

interface Day {
    day: string;
    key: string;
    path: string;
    isKnown: boolean;
    counting: ReadonlyMap<string, string>;
}

async function verifyDay({ day, key, path, isKnown, counting }: Day, options: VerifyDaysOptions): Promise<void> {
    const { engine, findings, ledger, signal } = options;
    const { damaged, wrongTypes, unsorted } = await loadRows(engine, 'day_rows', [{ key, path }]);
    signal?.throwIfAborted();
    const [fault] = damaged.values();
    if (fault !== undefined) {
        findings.add({ kind: 'damaged', day, figure: fault, in_lake: key, recomputed: null });
        return;
    }
    findings.add(
        ...(wrongTypes.get(key) ?? []).map(({ name, found, expected }) => ({
            kind: 'day' as const,
            day,
            figure: `type of ${name}`,
            in_lake: found,
            recomputed: expected,
        })),
        ...[...unsorted.map(() => UNSORTED), ...(await findLyingStatistics(engine, 'day_rows', path))].map((figure) => ({
            kind: 'damaged' as const,
            day,
            figure,
            in_lake: key,
            recomputed: null,
        })),
        ...compareContents(
            (await readContents(engine, path)).filter((name) => !isUnreadable(name, ledger)),
            { day, counting },
        ),
    );
    if (!isKnown) {
        await findImpossible(engine, { table: 'day_rows', kind: 'pair_day' }, findings);
        return;
    }
    const columns = pairDays.columns.map(({ name }) => name).join(', ');
    await compareFigures(
        engine,
        {
            kind: 'pair_day',
            inLake: `select ${columns}, ${literal(day)} as day from day_rows`,
            recomputed: `select ${columns}, ${literal(day)} as day from expected where day = date ${literal(day)}`,
        },
        findings,
    );
}

/** Whether the source of a contribution has a record that cannot be read: then nobody knows whether it counts. */
function isUnreadable(name: string, { unreadable }: LedgerFound): boolean {
    const key = ledgerKey(name.split('.')[0] ?? '');
    return unreadable.some((record) => record.key === key);
}

function compareContents(contained: readonly string[], { day, counting }: Pick<Day, 'day' | 'counting'>): Difference[] {
    const about = { kind: 'contents' as const, day };
    const isContained = new Set(contained);
    return [
        ...contained
            .filter((name, at) => !counting.has(name) || contained.indexOf(name) < at)
            .map((name) => ({ ...about, figure: 'contains', in_lake: name, recomputed: null })),
        ...[...counting]
            .filter(([name]) => !isContained.has(name))
            .map(([name, source]) => ({ ...about, source, figure: 'contains', in_lake: null, recomputed: name })),
    ];
}

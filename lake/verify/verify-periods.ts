/**
 * Verifies each period's object of a kind: that it can be read whole, contains what the ledger says, and has the figures that its sources
 * make together.
 */
import { ConflictError } from '#lake/errors';
import type { Kind } from '#lake/kind';
import { ledgerKey, mergedKey, nameOfPeriod, type TablePeriod } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { compareFigures } from './compare.ts';
import type { Copies } from './copies.ts';
import { type Engine, literal, textOf, wholeOf } from './engine.ts';
import type { Difference, Findings } from './findings.ts';
import { findImpossible } from './impossible.ts';
import { type KindObjects, type LedgerFound, messageOf, type SourceRecord } from './lake-files.ts';
import { findLyingStatistics, loadRows, readContents, UNSORTED } from './parquet-rows.ts';
import { figureNames, isPeriodOf, keyNames, listed, mergedFigures, periodIn } from './table-sql.ts';

export interface VerifyPeriodsOptions {
    kind: Kind;
    engine: Engine;
    copies: Copies;
    findings: Findings;
    objects: KindObjects;
    /** Ledger records of the kind. */
    records: readonly SourceRecord[];
    unreadable: LedgerFound['unreadable'];
    isAsked: (of: TablePeriod) => boolean;
    /** Periods of which it is not known what should be in them: their objects are read, and not compared. */
    unknownPeriods: ReadonlySet<string>;
    onPeriod: (progress: { period: string; done: number; total: number }) => void;
    signal: AbortSignal | undefined;
}

/** What was compared of a merged table. */
export interface TableCompared {
    table: string;
    periods: number;
    /** Rows that should be there. */
    rows: number;
    figures: number;
}

/** Compares what the sources contribute, table `contributed`, merged, with the kind's merged objects. */
export async function verifyPeriods(options: VerifyPeriodsOptions): Promise<TableCompared> {
    const { kind, engine, copies, findings, records, objects, isAsked, unknownPeriods, onPeriod, signal } = options;
    const { merged: table } = kind;
    await engine.run(`
        create or replace table expected as
        select ${listed(keyNames(table))}, period, ${mergedFigures(table)}
        from contributed
        group by ${listed(keyNames(table))}, period
        order by period`);
    const counts = await engine.rows('select period, count(*) as rows from expected group by period');
    const expectedRows = new Map(counts.map((row) => [textOf(row, 'period') ?? '', wholeOf(row, 'rows') ?? 0n]));
    const counting = countingByPeriod(kind, records);
    const periods = [...new Set([...objects.merged.keys(), ...expectedRows.keys(), ...counting.keys()])]
        .filter((period) => isPeriodOf(table, period) && isAsked(periodIn(kind, period)))
        .sort();
    const compared = { table: table.name, periods: 0, rows: 0 };
    for (const [done, period] of periods.entries()) {
        onPeriod({ period, done, total: periods.length });
        const isKnown = !unknownPeriods.has(period);
        const rows = expectedRows.get(period) ?? 0n;
        compared.periods += isKnown ? 1 : 0;
        compared.rows += isKnown ? Number(rows) : 0;
        const object = objects.merged.get(period);
        const before = findings.count;
        if (object) {
            try {
                const about = { period, key: object.key, isKnown, counting: counting.get(period) ?? new Map<string, string>() };
                await copies.use([object], ([path = '']) => verifyPeriod({ ...about, path }, options));
            } catch (error) {
                signal?.throwIfAborted();
                const noted = error instanceof ConflictError ? 'changed_meanwhile' : 'could_not_read';
                findings.note(noted, object.key, `${object.key} could not be read: ${messageOf(error)}`);
            }
        } else {
            const missing = isKnown
                ? { figure: kind.accounts?.keys ?? 'rows', recomputed: rows }
                : { figure: 'object', recomputed: mergedKey(table, period) };
            findings.add({ kind: 'period', ...periodIn(kind, period), in_lake: null, ...missing });
        }
        if (findings.count > before) {
            const of = periodIn(kind, period);
            findings.mends.buildAnew.set(nameOfPeriod(of), of);
        }
    }
    return { ...compared, figures: compared.rows * figureNames(table).length };
}

/** What each period's object should contain: the raw key of each `<source>.<version>`. */
function countingByPeriod({ merged }: Kind, records: readonly SourceRecord[]): Map<string, Map<string, string>> {
    const periods = new Map<string, Map<string, string>>();
    for (const { source, state, version, versions } of records) {
        const live = state === 'failed' || state === 'retracted' || version === null ? [] : (versions[version] ?? []);
        for (const period of live.filter((one) => isPeriodOf(merged, one))) {
            const counting = periods.get(period) ?? new Map<string, string>();
            counting.set(`${sourceId(source)}.${version}`, source);
            periods.set(period, counting);
        }
    }
    return periods;
}

interface Period {
    period: string;
    key: string;
    path: string;
    isKnown: boolean;
    counting: ReadonlyMap<string, string>;
}

async function verifyPeriod({ period, key, path, isKnown, counting }: Period, options: VerifyPeriodsOptions): Promise<void> {
    const { kind, engine, findings, unreadable, signal } = options;
    const { merged: table } = kind;
    const of = periodIn(kind, period);
    const { damaged, wrongTypes, unsorted } = await loadRows(engine, 'period_rows', { table, files: [{ key, path }] });
    signal?.throwIfAborted();
    const [fault] = damaged.values();
    if (fault !== undefined) {
        findings.add({ kind: 'damaged', ...of, figure: fault, in_lake: key, recomputed: null });
        return;
    }
    findings.add(
        ...(wrongTypes.get(key) ?? []).map(({ name, found, expected }) => ({
            kind: 'period' as const,
            ...of,
            figure: `type of ${name}`,
            in_lake: found,
            recomputed: expected,
        })),
        ...[...unsorted.map(() => UNSORTED), ...(await findLyingStatistics(engine, 'period_rows', { table, path }))].map((figure) => ({
            kind: 'damaged' as const,
            ...of,
            figure,
            in_lake: key,
            recomputed: null,
        })),
        ...compareContents(
            (await readContents(engine, path)).filter((name) => !isUnreadable(name, unreadable)),
            { of, counting },
        ),
    );
    const about = { kind: 'row' as const, table: table.name };
    if (!isKnown) {
        await findImpossible(engine, { kind, table: 'period_rows', about }, findings);
        return;
    }
    const columns = listed([...keyNames(table), 'period', ...figureNames(table)]);
    await compareFigures(
        engine,
        {
            table,
            about,
            inLake: `select ${columns} from period_rows`,
            recomputed: `select ${columns} from expected where period = ${literal(period)}`,
        },
        findings,
    );
}

/** True if the source of a contribution has a record that cannot be read: then nobody knows whether it counts. */
function isUnreadable(name: string, unreadable: LedgerFound['unreadable']): boolean {
    const key = ledgerKey(name.split('.')[0] ?? '');
    return unreadable.some((record) => record.key === key);
}

function compareContents(
    contained: readonly string[],
    { of, counting }: { of: TablePeriod; counting: ReadonlyMap<string, string> },
): Difference[] {
    const about = { kind: 'contents' as const, ...of };
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

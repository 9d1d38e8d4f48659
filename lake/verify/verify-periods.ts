/**
 * Verifies each period's object of a kind: that it can be read whole, contains what the ledger says, and has the figures that its sources
 * make together.
 */
import { ConflictError } from '#lake/errors';
import type { Kind } from '#lake/kind';
import { ledgerKey, mergedKey, nameOfPeriod, type TablePeriod } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import type { ListedObject } from '#lake/store/object-store';
import { compareFigures } from './compare.ts';
import type { Copies } from './copies.ts';
import { type Engine, literal, textOf, wholeOf } from './engine.ts';
import type { Difference, Findings } from './findings.ts';
import { findImpossible } from './impossible.ts';
import { type KindObjects, type LedgerFound, messageOf, type SourceRecord } from './lake-files.ts';
import { faultDifferences, loadSound } from './object-faults.ts';
import { readContents, readEntries } from './parquet-entries.ts';
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
    const { kind, engine, findings, records, objects, isAsked, unknownPeriods, onPeriod } = options;
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
    let done = 0;
    for (const together of inBatches(periods, { objects: objects.merged, isAlone: (period) => unknownPeriods.has(period) })) {
        const batch = together.map((period): Period => {
            const isKnown = !unknownPeriods.has(period);
            compared.periods += isKnown ? 1 : 0;
            compared.rows += isKnown ? Number(expectedRows.get(period) ?? 0n) : 0;
            return { period, object: objects.merged.get(period), isKnown, counting: counting.get(period) ?? new Map<string, string>() };
        });
        onPeriod({ period: together[0] ?? '', done, total: periods.length });
        done += together.length;
        const missing = batch.filter(({ object }) => !object);
        findings.add(
            ...missing.map(({ period, isKnown }) => missingObject(kind, period, isKnown ? (expectedRows.get(period) ?? 0n) : undefined)),
        );
        const wrong = new Set([
            ...missing.map(({ period }) => period),
            ...(await verifyTogether(
                batch.flatMap((one) => (one.object ? [{ ...one, object: one.object }] : [])),
                options,
            )),
        ]);
        for (const of of [...wrong].map((period) => periodIn(kind, period))) {
            findings.mends.buildAnew.set(nameOfPeriod(of), of);
        }
    }
    return { ...compared, figures: compared.rows * figureNames(table).length };
}

/** Objects and bytes that are looked at together: what the engine is asked costs as much for one as for these. */
const MAX_TOGETHER = 48;
const MAX_BYTES_TOGETHER = 32 << 20;

/** Periods whose objects are looked at together, in their order; each that `isAlone` by itself. */
export function* inBatches(
    periods: readonly string[],
    { objects, isAlone = () => false }: { objects: ReadonlyMap<string, ListedObject>; isAlone?: (period: string) => boolean },
): Generator<string[]> {
    let batch: string[] = [];
    let bytes = 0;
    for (const period of periods) {
        const sizeBytes = objects.get(period)?.sizeBytes ?? 0;
        if (batch.length > 0 && (isAlone(period) || batch.length === MAX_TOGETHER || bytes + sizeBytes > MAX_BYTES_TOGETHER)) {
            yield batch;
            batch = [];
            bytes = 0;
        }
        batch.push(period);
        bytes += sizeBytes;
        if (isAlone(period)) {
            yield batch;
            batch = [];
            bytes = 0;
        }
    }
    if (batch.length > 0) {
        yield batch;
    }
}

/** @param rows that should be there; undefined where that is not known */
function missingObject(kind: Kind, period: string, rows: bigint | undefined): Difference {
    const said =
        rows === undefined
            ? { figure: 'object', recomputed: mergedKey(kind.merged, period) }
            : { figure: kind.accounts?.keys ?? 'rows', recomputed: rows };
    return { kind: 'period', ...periodIn(kind, period), in_lake: null, ...said };
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
    object: ListedObject | undefined;
    isKnown: boolean;
    counting: ReadonlyMap<string, string>;
}

type PeriodThere = Period & { object: ListedObject };

/** @returns the periods of which something is wrong */
async function verifyTogether(batch: readonly PeriodThere[], options: VerifyPeriodsOptions): Promise<ReadonlySet<string>> {
    const { copies, findings, signal } = options;
    let areCopied = false;
    try {
        return await copies.use(
            batch.map(({ object }) => object),
            (paths) => {
                areCopied = true;
                return verifyFiles(
                    batch.map((one, at) => ({ ...one, path: paths[at] ?? '' })),
                    options,
                );
            },
        );
    } catch (error) {
        signal?.throwIfAborted();
        if (!areCopied && batch.length > 1) {
            // One of them cannot be had: the others can.
            const wrong: string[] = [];
            for (const one of batch) {
                wrong.push(...(await verifyTogether([one], options)));
            }
            return new Set(wrong);
        }
        for (const { key } of batch.map(({ object }) => object)) {
            const noted = error instanceof ConflictError ? 'changed_meanwhile' : 'could_not_read';
            findings.note(noted, key, `${key} could not be read: ${messageOf(error)}`);
        }
        return new Set();
    }
}

/** @returns the periods of which something is wrong */
async function verifyFiles(
    batch: readonly (PeriodThere & { path: string })[],
    options: VerifyPeriodsOptions,
): Promise<ReadonlySet<string>> {
    const { kind, engine, findings, unreadable } = options;
    const { merged: table } = kind;
    const wrong = new Set<string>();
    const add = (period: string, ...differences: Difference[]): void => {
        findings.add(...differences);
        if (differences.length > 0) {
            wrong.add(period);
        }
    };
    const files = batch.map(({ path, object: { key } }) => ({ key, path }));
    const { faults, sound } = await loadSound(engine, 'period_rows', { table, files, signal: options.signal });
    const entries = await readEntries(
        engine,
        sound.map(({ path }) => path),
    );
    const isSound = new Set(sound.map(({ path }) => path));
    for (const { period, path, object, counting } of batch) {
        const of = periodIn(kind, period);
        add(period, ...faultDifferences(of, object.key, faults.get(object.key)));
        if (isSound.has(path)) {
            const contained = (await readContents(path, entries.get(path))).filter((name) => !isUnreadable(name, unreadable));
            add(period, ...compareContents(contained, { of, counting }));
        }
    }
    const whole = batch.filter(({ path }) => isSound.has(path));
    const about = { kind: 'row' as const, table: table.name };
    for (const { period } of whole.filter(({ isKnown }) => !isKnown)) {
        const before = findings.count;
        await findImpossible(engine, { kind, table: 'period_rows', about }, findings);
        if (findings.count > before) {
            wrong.add(period);
        }
    }
    const known = whole.filter(({ isKnown }) => isKnown).map(({ period }) => literal(period));
    if (known.length > 0) {
        const columns = listed([...keyNames(table), 'period', ...figureNames(table)]);
        const differing = await compareFigures(
            engine,
            {
                table,
                about,
                inLake: `select ${columns} from period_rows`,
                recomputed: `select ${columns} from expected where period in (${known.join(', ')})`,
            },
            findings,
        );
        for (const period of differing) {
            wrong.add(period);
        }
    }
    return wrong;
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

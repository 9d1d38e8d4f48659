/** Compares two relations of figures, and finds each figure in which they differ. */
import { figuresOf, type MergedTable } from '#lake/tables';
import { type Engine, type Row, textOf, wholeOf } from './engine.ts';
import type { Difference, Findings } from './findings.ts';
import { figureNames, keyNames, listed, quoted } from './table-sql.ts';

export interface Comparison {
    table: MergedTable;
    /** Query for the figures that the lake has: the table's key columns, `period`, and all figures. */
    inLake: string;
    recomputed: string;
    about: Pick<Difference, 'kind' | 'table' | 'source'>;
    /** True where rows have no key of their own: several may be equal in the key columns, and are compared in the order of their figures. */
    mayRepeat?: boolean;
}

/**
 * Adds every figure that differs. A null equals a null alone, and a row that is there with nothing but nulls is not one that is missing. A
 * row that stands on one side only, or twice in the lake, is told by one figure: the first that always has a value, or `rows`.
 * @returns the periods in which something differs
 */
export async function compareFigures(
    engine: Engine,
    { table, inLake, recomputed, about, mayRepeat = false }: Comparison,
    findings: Findings,
): Promise<string[]> {
    const names = ['period', ...keyNames(table)];
    const figures = figureNames(table);
    const keys = mayRepeat ? [...names, REPEAT] : names;
    const placed = (rows: string): string =>
        mayRepeat
            ? `select *, row_number() over (partition by ${listed(names)} order by ${listed(figures)}) as ${REPEAT} from (${rows})`
            : rows;
    const differs = (figure: string): string => `in_lake.${quoted(figure)} is distinct from recomputed.${quoted(figure)}`;
    const isOnBothSides = '_copies = 1 and _is_recomputed';
    await engine.run(`
        create or replace temp table differing as
        with in_lake as (
            select ${listed(keys)}, count(*) as _copies, ${figures.map((figure) => `any_value(${quoted(figure)}) as ${quoted(figure)}`).join(', ')}
            from (${placed(inLake)})
            group by ${listed(keys)}
        ),
        recomputed as (select *, true as _is_there from (${placed(recomputed)}))
        select
            ${keys.map((key) => `coalesce(in_lake.${quoted(key)}, recomputed.${quoted(key)}) as ${quoted(key)}`).join(', ')},
            in_lake._copies as _copies,
            recomputed._is_there is not null as _is_recomputed,
            ${figures.map((figure) => `in_lake.${quoted(figure)} as ${inLakeOf(figure)}, recomputed.${quoted(figure)} as ${recomputedOf(figure)}`).join(', ')},
            case when ${isOnBothSides} then ${figures.map((figure) => `cast(${differs(figure)} as integer)`).join(' + ')} else 1 end as _differences
        from in_lake
        full join recomputed on ${keys.map((key) => `in_lake.${quoted(key)} = recomputed.${quoted(key)}`).join(' and ')}
        where _copies is distinct from 1 or not _is_recomputed or ${figures.map(differs).join(' or ')}`);
    const [total] = await engine.rows('select sum(_differences) as differences from differing');
    if (wholeOf(total, 'differences') === null) {
        return [];
    }
    const rows = await engine.rows(`select * from differing order by ${listed(keys)} limit ${findings.room}`);
    const before = findings.count;
    for (const row of rows) {
        findings.add(...differencesOf(row, { table, about }));
    }
    findings.addUnlisted(Number(wholeOf(total, 'differences') ?? 0n) - (findings.count - before));
    return (await engine.rows('select distinct period from differing')).map((row) => textOf(row, 'period') ?? '');
}

const REPEAT = '_repeat';

function inLakeOf(figure: string): string {
    return quoted(`_in_lake_${figure}`);
}

function recomputedOf(figure: string): string {
    return quoted(`_recomputed_${figure}`);
}

function differencesOf(row: Row, { table, about }: Pick<Comparison, 'table' | 'about'>): Difference[] {
    const place = { ...about, key: keyOf(row, table), period: textOf(row, 'period') ?? '' };
    const copies = wholeOf(row, '_copies');
    const isRecomputed = row._is_recomputed === true;
    if (copies !== null && copies > 1n) {
        return [{ ...place, figure: 'rows', in_lake: copies, recomputed: isRecomputed ? 1n : null }];
    }
    const figureOf = (figure: string): Difference => ({
        ...place,
        figure,
        in_lake: figureIn(row, `_in_lake_${figure}`),
        recomputed: figureIn(row, `_recomputed_${figure}`),
    });
    if (copies === null || !isRecomputed) {
        const sure = figuresOf(table).find(({ nullable }) => !nullable);
        return [sure ? figureOf(sure.name) : { ...place, figure: 'rows', in_lake: copies, recomputed: isRecomputed ? 1n : null }];
    }
    return figureNames(table)
        .map(figureOf)
        .filter(({ in_lake, recomputed }) => in_lake !== recomputed);
}

/** The key of a row of a result, by its columns. */
export function keyOf(row: Row, table: MergedTable): Record<string, string> {
    return Object.fromEntries(keyNames(table).map((name) => [name, String(figureIn(row, name) ?? '')]));
}

/** A figure of a result: a whole number, a text or null; other numbers and timestamps as text. */
export function figureIn(row: Row, column: string): bigint | string | null {
    const value = row[column];
    return typeof value === 'object' && value !== null ? String(value) : (wholeOf(row, column) ?? textOf(row, column));
}

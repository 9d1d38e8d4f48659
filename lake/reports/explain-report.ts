/** What an explanation shows: rows for each source or line, whether they come to what the merged table says, and what to do where they do not. */
import { nameInputs } from '#lake/inputs';
import type { Kind } from '#lake/kind';
import { commitsOf } from '#lake/ledger';
import type { ResultColumn, Value } from '#lake/query/query-engine';
import type { Explanation, Part } from '#lake/reports/explain';
import type { FoundLines } from '#lake/reports/explain-lines';
import { type Rows, sayValue } from '#lake/rows';
import { figuresOf, keysOf, type MergedColumn, type MergedTable } from '#lake/tables';

/** The parts of a kind that explaining needs. */
type Explained = Pick<Kind, 'merged' | 'accounts' | 'inputs' | 'askedBy'>;

/** Type of a column as queries have it. */
function typeOf({ type }: MergedColumn): string {
    return type === 'string' ? 'varchar' : type;
}

/** A value of a column as queries have it: whole numbers as they are, other ones as text. */
function toValue({ type }: MergedColumn, value: bigint | string | null | undefined): Value {
    return value === null || value === undefined ? null : type === 'bigint' || type === 'decimal(38,0)' ? value : sayValue({ type }, value);
}

/** True for figures that are shown: squares are compared, and shown to nobody. */
function isShown({ name }: MergedColumn): boolean {
    return !name.endsWith('_sum_sq');
}

/** The columns of `partRows`. */
export function partColumns(kind: Explained): ResultColumn[] {
    const { merged, accounts, inputs } = kind;
    return [
        ...rowKeysOf(kind).map((column) => ({ name: column.name, type: typeOf(column) })),
        { name: 'source', type: 'varchar' },
        { name: 'version', type: 'varchar' },
        ...(inputs ? [{ name: 'inputs', type: 'varchar' }] : []),
        ...figuresOf(merged)
            .filter(isShown)
            .map((column) => ({ name: column.name, type: typeOf(column) })),
        ...(accounts ? [{ name: `share_of_${accounts.rows}`, type: 'double' }] : []),
    ];
}

/**
 * A row for each source, and a row of totals for each site. Of a kind that is asked for by the first columns of its key a row for each key that
 * begins so, and one of totals where several sources have it.
 */
export function partRows({ parts, total }: Explanation, kind: Explained): Value[][] {
    const { merged, accounts, inputs, askedBy } = kind;
    const shown = figuresOf(merged).filter(isShown);
    const keys = rowKeysOf(kind);
    const placed = parts.map((part) => ({ part, places: placesOf(part.rows, kind) }));
    return namesOf(total, kind).flatMap((name, at) => {
        const key = keys.map((column) => toValue(column, total[column.name]?.[at]));
        const shareOf = (rows: Rows, place: number): Value[] => {
            const counted = accounts ? Number(rows[accounts.rows]?.[place] ?? 0) : 0;
            const all = accounts ? Number(total[accounts.rows]?.[at] ?? 0) : 0;
            return accounts ? [all > 0 ? counted / all : null] : [];
        };
        const rowOf = (source: string, part: Part | undefined, rows: Rows, place: number): Value[] => [
            ...key,
            source,
            part?.version ?? null,
            ...(inputs ? [part ? inputsOf(part) : null] : []),
            ...shown.map((column) => toValue(column, rows[column.name]?.[place])),
            ...shareOf(rows, place),
        ];
        const own = placed.flatMap(({ part, places }) => {
            const place = places.get(name);
            return place === undefined ? [] : [rowOf(nameOf(part), part, part.rows, place)];
        });
        return askedBy && own.length === 1 ? own : [...own, rowOf('total', undefined, total, at)];
    });
}

/** The inputs that the part was read with; null where that is not known. */
function inputsOf({ record, version }: Part): string | null {
    const { inputs } = commitsOf(record).find((commit) => commit.version === version) ?? {};
    return inputs ? nameInputs(inputs) : null;
}

/** The key columns that tell the rows of an answer apart: the site, and those that were not asked for. */
function rowKeysOf({ merged, askedBy }: Explained): MergedColumn[] {
    const others = askedBy ? keysOf(merged).filter(({ name }) => !askedBy.includes(name)) : [];
    return keysOf(merged).filter((column) => column.name === 'site' || others.includes(column));
}

/** The name of each row for a person: `site bay`, and what else tells it apart. */
function namesOf(rows: Rows, kind: Explained): string[] {
    const keys = rowKeysOf(kind);
    return Array.from<unknown, string>(rows[keys[0]?.name ?? ''] ?? [], (_, at) =>
        keys.map(({ name }) => `${name} ${rows[name]?.[at]}`).join(', '),
    );
}

/** The place of each row by its name. */
function placesOf(rows: Rows, kind: Explained): Map<string, number> {
    return new Map(namesOf(rows, kind).map((name, at) => [name, at]));
}

/** The raw key, or the id of a source that has no ledger record. */
export function nameOf({ record, source }: Part): string {
    return record?.source ?? source;
}

/** Differences between the total and what the merged table says, and why that may be; empty where there are none. */
export function findMismatches({ inLake, total, missing, isConsolidated }: Explanation, kind: Explained): string[] {
    const { merged } = kind;
    const [lakePlaces, totalPlaces] = [placesOf(inLake, kind), placesOf(total, kind)];
    const names = [...new Set([...lakePlaces.keys(), ...totalPlaces.keys()])];
    const columns = figuresOf(merged).toSorted((a, b) => Number(isShown(b)) - Number(isShown(a)));
    const figures = names.flatMap((name) => {
        const [lakeAt, totalAt] = [lakePlaces.get(name) ?? -1, totalPlaces.get(name) ?? -1];
        return columns.flatMap((column) => {
            const [said, sum] = [sayFigure(column, inLake, lakeAt), sayFigure(column, total, totalAt)];
            return said === sum ? [] : [`${column.name} at ${name} is ${said} in ${merged.name}, its sources make ${sum}`];
        });
    });
    const gone = missing.map((key) => `${key} is gone: what it contributed cannot be told apart`);
    const waiting = `the ${merged.per} waits to be consolidated, so ${merged.name} is not yet what counts: run flowlake reconcile`;
    return [...figures, ...gone, ...(isConsolidated ? [] : [waiting])];
}

/**
 * A figure in words. A row that is not there has 0 of what every row has, and else nothing, which is not the null of a row that is there.
 */
function sayFigure(column: MergedColumn, rows: Rows, at: number): string {
    const { name, nullable, type } = column;
    const value = at < 0 ? undefined : rows[name]?.[at];
    if (value === undefined && (nullable || type === 'string' || type === 'timestamp')) {
        return 'nothing';
    }
    return value === null ? 'null' : sayValue(column, value ?? 0n);
}

/** The columns of `lineRow`. */
export function lineColumns(kind: Explained): ResultColumn[] {
    return [
        { name: 'source', type: 'varchar' },
        { name: 'line_number', type: 'bigint' },
        ...measuresOf(kind).map((name) => ({ name, type: 'bigint' })),
        { name: 'line', type: 'varchar' },
    ];
}

export function lineRow(
    { lineNumber, values, line }: FoundLines['lines'][number],
    { source, kind }: { source: string; kind: Explained },
): Value[] {
    return [source, BigInt(lineNumber), ...measuresOf(kind).map((name) => values[name] ?? null), line];
}

/** What each row of a source adds to, by the names that a traced row has it under. */
function measuresOf({ merged, accounts }: Explained): string[] {
    const figures = figuresOf(merged).filter(
        ({ name, merge, type }) => !countsOf(accounts).includes(name) && merge !== 'first' && type !== 'timestamp',
    );
    return [...new Set(figures.map(measureOf))];
}

/** The figures that count: rows, or the values of a measure. */
function countsOf(accounts: Explained['accounts']): string[] {
    return accounts ? [accounts.rows, ...Object.values(accounts.counts ?? {})] : [];
}

function measureOf({ name }: MergedColumn): string {
    return name.replace(/_(sum|sum_sq|min|max)$/, '');
}

/** Differences between the lines that were found and what the source's contribution says; empty where there are none. */
export function findLineMismatches(part: Part, found: FoundLines, { merged, accounts }: Explained): string[] {
    const { rows } = part;
    const name = nameOf(part);
    if (found.problem !== undefined) {
        return [`the lines of ${name} cannot be shown: ${found.problem}`];
    }
    const lines = accounts ? [['lines', found.count, sumOf(rows, accounts.rows)] as const] : [];
    const values = Object.entries(accounts?.counts ?? {}).map(
        ([measure, count]) => [`lines with ${measure}`, found.counts.get(measure) ?? 0n, sumOf(rows, count)] as const,
    );
    const sums = summedOf(merged)
        // A measure that no line speaks of was not told, rather than 0.
        .filter(({ name }) => !countsOf(accounts).includes(name))
        .filter((column) => found.count === 0n || found.sums.has(measureOf(column)))
        .map((column) => [column.unit ?? measureOf(column), found.sums.get(measureOf(column)) ?? 0n, sumOf(rows, column.name)] as const);
    return [...lines, ...values, ...sums].flatMap(([what, count, said]) =>
        count === said ? [] : [`${name} has ${count} ${what}, its summary says ${said}`],
    );
}

/** What the column's whole numbers come to. */
function sumOf(rows: Rows, name: string): bigint {
    return Array.from<unknown>(rows[name] ?? []).reduce<bigint>((sum, value) => sum + (typeof value === 'bigint' ? value : 0n), 0n);
}

function summedOf(merged: MergedTable): MergedColumn[] {
    return figuresOf(merged).filter((column) => column.merge === 'sum' && isShown(column));
}

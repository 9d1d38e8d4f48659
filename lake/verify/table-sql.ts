/** A merged table as the judge's database has it: numbers as wide as it can, and the period as a column. */
import type { Kind } from '#lake/kind';
import type { TablePeriod } from '#lake/layout';
import { type ColumnType, figuresOf, keysOf, type MergedColumn, type MergedTable } from '#lake/tables';
import { literal } from './engine.ts';

/** A column's name as SQL takes it, whatever word it is. */
export function quoted(name: string): string {
    return `"${name.replaceAll('"', '""')}"`;
}

export function keyNames(table: MergedTable): string[] {
    return keysOf(table).map(({ name }) => name);
}

/** The keys that a source's own rows are told apart by: all but the site, unless rows tell it themselves. */
export function ownKeyNames({ merged, hasOwnSites = false }: Pick<Kind, 'merged' | 'hasOwnSites'>): string[] {
    return keyNames(merged).filter((name) => hasOwnSites || name !== 'site');
}

export function figureNames(table: MergedTable): string[] {
    return figuresOf(table).map(({ name }) => name);
}

/** The names as SQL takes them, with commas between. */
export function listed(names: readonly string[]): string {
    return names.map(quoted).join(', ');
}

/** What the columns of keys, `period` and figures are declared as. */
export function columnsOf(table: MergedTable): string {
    const declare = (column: MergedColumn): string => `${quoted(column.name)} ${typeOf(column)}`;
    return [...keysOf(table).map(declare), 'period varchar', ...figuresOf(table).map(declare)].join(', ');
}

/** How the figures of several rows become one, by the table's merge words; nulls say nothing. */
export function mergedFigures(table: MergedTable): string {
    const firsts = figuresOf(table).filter(({ merge }) => merge === 'first');
    // The smallest of structs is compared field by field, a null behind every value.
    const smallest = `min({${firsts.map(({ name }) => `${literal(name)}: ${quoted(name)}`).join(', ')}})`;
    return figuresOf(table)
        .map((column) => {
            const { name, merge } = column;
            const value = merge === 'first' ? `struct_extract(${smallest}, ${literal(name)})` : `${merge}(${quoted(name)})`;
            return `cast(${value} as ${typeOf(column)}) as ${quoted(name)}`;
        })
        .join(', ');
}

/**
 * The figures out of a file, in which they may be of other types; what is no such value becomes null. Of columns that are `absent` those are taken
 * that stand in for them.
 */
export function castFigures(table: MergedTable, { absent = [] }: { absent?: readonly string[] } = {}): string {
    return figuresOf(table)
        .map((column) => {
            const name = absent.includes(column.name) ? (column.absentAs ?? column.name) : column.name;
            return `try_cast(${quoted(name)} as ${typeOf(column)})`;
        })
        .join(', ');
}

/** `hugeint` has room for the largest decimal of 38 digits. */
const TYPES: Readonly<Record<ColumnType, string>> = {
    string: 'varchar',
    bigint: 'hugeint',
    'decimal(28,9)': 'decimal(38, 9)',
    'decimal(38,0)': 'hugeint',
    timestamp: 'timestamp',
};

/** Type of a column in the judge's database. */
export function typeOf({ type }: MergedColumn): string {
    return TYPES[type];
}

/** True if objects of the table can be of the period: a day, or an hour of one. */
export function isPeriodOf({ per }: MergedTable, period: string): boolean {
    const pattern = per === 'hour' ? /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3])$/ : /^\d{4}-\d{2}-\d{2}$/;
    return pattern.test(period);
}

/** A period of the kind's merged table. */
export function periodIn({ merged }: Kind, period: string): TablePeriod {
    return { table: merged.name, period };
}

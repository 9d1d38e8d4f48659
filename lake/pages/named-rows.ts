/** Rows of an answer by the names of their columns, and their values as JSON has them. */
import type { Value } from '#lake/query/query-engine';
import type { Rows } from './page.ts';

export type NamedRow = Readonly<Record<string, Value>>;

export function namedRows({ columns, rows }: Rows): NamedRow[] {
    return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null])));
}

/** A text, or a figure with all its digits; null where there is none. */
export function textIn(row: NamedRow, column: string): string | null {
    const value = row[column] ?? null;
    return value === null ? null : String(value);
}

/** A count, a time or a mean, for which a float is exact enough; null where there is none. */
export function numberIn(row: NamedRow, column: string): number | null {
    const value = row[column] ?? null;
    return value === null ? null : Number(value);
}

/** Decimal text without the zeros at its end: `21.300000000` is `21.3`. Every digit that says something stays. */
export function plainDecimal(text: string | null): string | null {
    return text?.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

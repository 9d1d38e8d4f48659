/** Pages of rows by what they are sorted by (keyset): a page begins behind the row that the page before ended with, however many there are before it. */
import type { Value } from '#lake/query/query-engine';
import { textsInAddress } from './texts-in-address.ts';

export type Order = 'asc' | 'desc';

/** A column that rows are sorted by; `type` is that of SQL which its values are compared as. */
export interface SortColumn {
    name: string;
    type: 'varchar' | 'bigint' | 'decimal(38, 0)';
    order: Order;
}

/** The values of a row in the columns that rows are sorted by, as texts. */
export type Cursor = readonly string[];

/** Reads a cursor of an address: a JSON array of texts. */
export const CursorText = textsInAddress('is no place between two pages: take it from the page before, or leave it out');

/** The cursor as an address has it. */
export function cursorText(cursor: Cursor): string {
    return JSON.stringify(cursor);
}

/** These columns the other way round: for the page before. */
export function reversed(columns: readonly SortColumn[]): SortColumn[] {
    return columns.map((column) => ({ ...column, order: column.order === 'asc' ? 'desc' : 'asc' }));
}

/** `order by` without the words. */
export function orderOf(columns: readonly SortColumn[]): string {
    return columns.map(({ name, order }) => (order === 'asc' ? name : `${name} desc`)).join(', ');
}

const WHOLE_NUMBER = /^-?\d{1,38}$/;

/** Why the cursor is none of these columns; undefined where it is. */
export function faultOf(cursor: Cursor, columns: readonly SortColumn[]): string | undefined {
    const isOfColumns =
        cursor.length === columns.length && columns.every(({ type }, at) => type === 'varchar' || WHOLE_NUMBER.test(cursor[at] ?? ''));
    return isOfColumns
        ? undefined
        : `${cursorText(cursor)} is no place in rows that are sorted by ${columns.map(({ name }) => name).join(', ')}`;
}

/** The condition that a row comes behind the cursor. */
export function behind(cursor: Cursor, columns: readonly SortColumn[]): { sql: string; parameters: Value[] } {
    const [first, ...others] = columns;
    const [value, ...values] = cursor;
    if (!first || value === undefined) {
        return { sql: 'false', parameters: [] };
    }
    const typed = `cast(? as ${first.type})`;
    const isBehind = `${first.name} ${first.order === 'asc' ? '>' : '<'} ${typed}`;
    if (others.length === 0) {
        return { sql: isBehind, parameters: [value] };
    }
    const rest = behind(values, others);
    return { sql: `(${isBehind} or (${first.name} = ${typed} and ${rest.sql}))`, parameters: [value, value, ...rest.parameters] };
}

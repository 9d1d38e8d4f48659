/** Values between the port and Athena, which hands out and takes in nothing but text. */
import type { ColumnInfo } from '@aws-sdk/client-athena';
import type { ResultColumn, Value } from './query-engine.ts';

/**
 * The value as an SQL literal, which is what an execution parameter is: "for SQL execution parameters to be treated as strings, they must
 * be enclosed in single quotes" (https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html).
 */
export function parameterOf(value: Value): string {
    if (typeof value === 'string') {
        return `'${value.replaceAll("'", "''")}'`;
    }
    if (typeof value === 'bigint') {
        // Trino reads the sign apart from the digits, so the smallest bigint is none to it either.
        return value < MAX_BIGINT && value > -MAX_BIGINT ? String(value) : `decimal '${value}'`;
    }
    return typeof value === 'number' ? doubleLiteral(value) : String(value);
}

const MAX_BIGINT = 2n ** 63n;

/** A number as a double of SQL: without an exponent Trino takes it for a decimal, or for a whole number. */
function doubleLiteral(value: number): string {
    if (!Number.isFinite(value)) {
        return Number.isNaN(value) ? 'nan()' : value > 0 ? 'infinity()' : '-infinity()';
    }
    const text = String(value);
    return text.includes('e') ? text : `${text}e0`;
}

/** The column, a decimal with its digits: `decimal(38,0)`. */
export function columnOf({ Name = '', Type = 'varchar', Precision, Scale }: ColumnInfo): ResultColumn {
    return { name: Name, type: Type === 'decimal' ? `decimal(${Precision},${Scale})` : Type === 'float' ? 'real' : Type };
}

/** What turns the text of this column's values into what the port promises; null stays null. */
export function readerOf({ type }: ResultColumn): (text: string | null) => Value {
    const read = READERS[type] ?? (/^decimal\(\d+,0\)$/.test(type) ? BigInt : asText);
    return (text) => (text === null ? null : read(text));
}

const asText = (text: string): Value => text;

const READERS: Readonly<Record<string, (text: string) => Value>> = {
    tinyint: BigInt,
    smallint: BigInt,
    integer: BigInt,
    bigint: BigInt,
    // `NaN`, `Infinity` and `1.0E10` are spelt as JavaScript spells them.
    real: Number,
    double: Number,
    boolean: (text) => text === 'true',
};

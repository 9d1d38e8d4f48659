/** Values between the port and DuckDB's own. */
import type { DuckDBPreparedStatement, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Value } from './query-engine.ts';

const MAX_BIGINT = 2n ** 63n;

/** Fills every `?` of the statement in order. */
export function bindParameters(statement: DuckDBPreparedStatement, parameters: readonly Value[]): void {
    parameters.forEach((value, at) => {
        const place = at + 1;
        if (value === null) {
            statement.bindNull(place);
        } else if (typeof value === 'bigint') {
            const isWide = value >= MAX_BIGINT || value < -MAX_BIGINT;
            isWide ? statement.bindHugeInt(place, value) : statement.bindBigInt(place, value);
        } else if (typeof value === 'number') {
            statement.bindDouble(place, value);
        } else if (typeof value === 'boolean') {
            statement.bindBoolean(place, value);
        } else {
            statement.bindVarchar(place, value);
        }
    });
}

/** The rows of a chunk, column by column of these types. */
export function toRows(rows: readonly (readonly DuckDBValue[])[], types: readonly DuckDBType[]): Value[][] {
    const readers = types.map((type) => READERS[type.toString()] ?? toValue);
    return rows.map((row) => row.map((value, at) => readers[at]?.(value) ?? null));
}

const READERS: Readonly<Record<string, (value: DuckDBValue) => Value>> = {
    DOUBLE: toFraction,
    FLOAT: toFraction,
    TIMESTAMP: (value) => (value === null ? null : withMilliseconds(String(value))),
};

function toFraction(value: DuckDBValue): Value {
    return typeof value === 'number' ? value : toValue(value);
}

function toValue(value: DuckDBValue): Value {
    if (value === null || typeof value !== 'object') {
        return typeof value === 'number' ? BigInt(value) : value;
    }
    return 'scale' in value && value.scale === 0 ? value.value : value.toString();
}

/** A time as Athena writes it: `2026-01-05 09:10:00.250`. DuckDB leaves zeros at the end out, and finer digits stay. */
function withMilliseconds(time: string): string {
    const [seconds = '', fraction = ''] = time.split('.');
    return /\d$/.test(seconds) ? `${seconds}.${fraction.padEnd(3, '0')}` : time;
}

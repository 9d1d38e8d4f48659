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
    const isFraction = types.map((type) => type.toString() === 'DOUBLE' || type.toString() === 'FLOAT');
    return rows.map((row) => row.map((value, at) => toValue(value, isFraction[at] === true)));
}

function toValue(value: DuckDBValue, isFraction: boolean): Value {
    if (value === null || typeof value !== 'object') {
        return typeof value === 'number' && !isFraction ? BigInt(value) : value;
    }
    return 'scale' in value && value.scale === 0 ? value.value : value.toString();
}

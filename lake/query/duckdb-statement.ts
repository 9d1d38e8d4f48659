/** One statement that only reads, or why it is refused. */
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { SqlError } from '#lake/errors';

/** @throws SqlError where there is not exactly one statement, or one that does more than read. @throws what DuckDB says of the SQL */
export async function prepareReading(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
    const { StatementType } = await import('@duckdb/node-api');
    const statements = await connection.extractStatements(sql);
    if (statements.count !== 1) {
        throw new SqlError(`One statement at a time, please: these are ${statements.count}`);
    }
    const statement = await statements.prepare(0);
    const type = statement.statementType;
    if (type === StatementType.EXPLAIN && EXPLAIN.test(sql)) {
        // Because `explain analyze` runs what it explains.
        await prepareReading(connection, sql.replace(EXPLAIN, ''));
    } else if (type !== StatementType.SELECT) {
        throw new SqlError(
            `Only statements that read are answered (select, with, from, values, describe, show, summarize, explain), and this is ${StatementType[type]}. ` +
                'The lake’s figures change only by upload and retract',
        );
    }
    return statement;
}

/** White space and comments. */
const BLANK = '(?:\\s|--[^\\n]*\\n|/\\*[^]*?\\*/)*';

/** `explain` and its options. */
const EXPLAIN = new RegExp(`^${BLANK}explain\\b${BLANK}(?:analyze\\b${BLANK})?(?:\\([^()]*\\)${BLANK}(?=\\w))?`, 'i');

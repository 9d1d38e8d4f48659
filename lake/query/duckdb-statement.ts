/** One statement that only reads, as DuckDB understands it, or why it is refused. */
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { SqlError } from '#lake/errors';
import { assertReads, explained, refusal } from './reading-statement.ts';

/**
 * The statement, prepared. @throws SqlError where there is not exactly one statement, or one that does more than read. @throws what DuckDB
 * says of the SQL
 */
export async function prepareReading(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
    // Checked before anything is prepared: to prepare `export database` makes a folder already.
    assertReads(sql);
    const inner = explained(sql);
    if (inner !== sql) {
        // An `explain` hides from DuckDB's own word for it what it explains.
        await prepareReading(connection, inner);
    }
    const { StatementType } = await import('@duckdb/node-api');
    const statements = await connection.extractStatements(sql);
    if (statements.count !== 1) {
        throw new SqlError(`One statement at a time, please: these are ${statements.count}`);
    }
    const statement = await statements.prepare(0);
    if (statement.statementType !== StatementType.SELECT && statement.statementType !== StatementType.EXPLAIN) {
        throw refusal(StatementType[statement.statementType]);
    }
    return statement;
}

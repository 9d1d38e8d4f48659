/** One statement that only reads, as DuckDB understands it, or why it is refused. */
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { SqlError } from '#lake/errors';
import { assertReads, explained, refusal } from './reading-statement.ts';

/**
 * Functions of DuckDB that a select may call and that do more than read, or run a text as SQL in which they stand unseen: they log and profile into files
 * and to stdout, for every other question too, or take addresses of memory. test/lake/query/duckdb-functions.test.ts knows all others.
 */
export const REFUSED_FUNCTIONS: readonly string[] = [
    ...['enable_logging', 'disable_logging', 'truncate_duckdb_logs', 'write_log', 'enable_profiling', 'disable_profiling'],
    ...['checkpoint', 'force_checkpoint', 'enable_peg_parser', 'disable_peg_parser', 'check_peg_parser'],
    ...['query', 'query_table', 'json_execute_serialized_sql', 'seq_scan', 'arrow_scan', 'arrow_scan_dumb', 'setseed', 'sleep_ms'],
];

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
    // Some of these functions act as soon as they are prepared.
    await assertOnlyReads(connection, sql);
    const statement = await statements.prepare(0);
    if (statement.statementType !== StatementType.SELECT && statement.statementType !== StatementType.EXPLAIN) {
        throw refusal(StatementType[statement.statementType]);
    }
    return statement;
}

/**
 * Lets a statement pass that calls no refused function, by what DuckDB's own parser makes of it: texts and comments of SQL have too many forms to look
 * through them. What it does not take apart is an `explain`, of which the rest is looked at, or will be refused. @throws SqlError
 */
async function assertOnlyReads(connection: DuckDBConnection, sql: string): Promise<void> {
    const reader = await connection.runAndReadAll('select json_serialize_sql(cast(? as varchar))', [sql]);
    const parsed = String(reader.getRows()[0]?.[0]);
    const called = [...parsed.matchAll(CALLED)].map(([, name = '']) => name.toLowerCase());
    const refused = called.find((name) => REFUSED_FUNCTIONS.includes(name));
    if (refused !== undefined) {
        throw new SqlError(`Only statements that read are answered, and ${refused}() may do more: ask without it`);
    }
}

/** A call in the parser's JSON. Within its texts quotes are escaped. */
const CALLED = /"function_name":"((?:[^"\\]|\\.)*)"/g;

/** One statement that only reads, or why it is refused. */
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { SqlError } from '#lake/errors';

/** @throws SqlError where there is not exactly one statement, or one that does more than read. @throws what DuckDB says of the SQL */
export async function prepareReading(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
    const word = FIRST_WORD.exec(sql)?.[1]?.toLowerCase();
    if (word === undefined) {
        throw new SqlError('There is no statement in it');
    }
    // Before anything is prepared: to prepare `export database` makes a folder already.
    if (!READING_WORDS.includes(word)) {
        throw refusal(word);
    }
    if (word === 'explain') {
        // Because `explain analyze` runs what it explains.
        await prepareReading(connection, sql.replace(EXPLAIN, ''));
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

const READING_WORDS = ['select', 'with', 'from', 'values', 'table', '(', 'describe', 'desc', 'show', 'summarize', 'unpivot', 'explain'];

/** White space and comments. */
const BLANK = '(?:\\s|--[^\\n]*(?:\\n|$)|/\\*[\\s\\S]*?\\*/)*';

/** A word, or the one character that stands there instead. */
const FIRST_WORD = new RegExp(`^${BLANK}(\\w+|(?!--|/\\*)[^\\s;])`);

/** `explain` and its options. */
const EXPLAIN = new RegExp(`^${BLANK}explain\\b${BLANK}(?:analyze\\b${BLANK})?(?:\\([^()]*\\)${BLANK}(?=\\w))?`, 'i');

function refusal(what: string): SqlError {
    return new SqlError(
        `Only statements that read are answered (select, with, from, values, table, describe, show, summarize, explain), and this is ${what.toUpperCase()}. ` +
            'The lake’s figures change only by upload and retract',
    );
}

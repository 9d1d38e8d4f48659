/** One query on a connection of its own: rows as they are found, and no end that looks whole and is not. */
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { SqlError, StorageError } from '#lake/errors';
import { fileFaultIn, missingColumnIn } from './duckdb-relations.ts';
import { prepareReading } from './duckdb-statement.ts';
import { bindParameters, toRows } from './duckdb-values.ts';
import type { QueryResult, Value } from './query-engine.ts';
import { statisticsOverflowIn } from './statistics-overflow.ts';

export interface Question {
    sql: string;
    parameters: readonly Value[];
    signal: AbortSignal | undefined;
    /** The lake's directory: errors that name it are about its files. */
    root: string;
    /** Called once the connection is no longer needed, whatever happened. */
    release(): void;
}

/** Starts the query. The connection is the query's until `release`. @throws SqlError @throws OverflowError @throws StorageError @throws the signal's reason */
export async function startQuery(connection: DuckDBConnection, question: Question): Promise<QueryResult> {
    const { sql, parameters, signal } = question;
    const stopListening = interruptOn(signal, connection);
    const running = {
        ...question,
        release() {
            stopListening();
            question.release();
        },
    };
    try {
        // The transaction is a witness: see `assertComplete`.
        await connection.run('begin transaction');
        const statement = await prepareReading(connection, sql);
        bindParameters(statement, parameters);
        signal?.throwIfAborted();
        const result = await statement.stream();
        const columns = result.columnTypes().map((type, at) => ({ name: result.columnName(at), type: type.toString().toLowerCase() }));
        return { columns, batches: batchesOf(result, connection, running) };
    } catch (error) {
        running.release();
        throw translate(error, running);
    }
}

async function* batchesOf(result: DuckDBResult, connection: DuckDBConnection, question: Question): AsyncGenerator<Value[][]> {
    const types = result.columnTypes();
    try {
        for (;;) {
            question.signal?.throwIfAborted();
            const chunk = await result.fetchChunk();
            if (chunk === null || chunk.rowCount === 0) {
                await assertComplete(connection, question);
                return;
            }
            yield toRows(chunk.getRows(), types);
        }
    } catch (error) {
        throw translate(error, question);
    } finally {
        question.release();
    }
}

/**
 * Throws the error that broke the rows off in the middle, if one did. To the client a stream that broke off in the middle (overflow in a
 * late row, a file that went away, an interruption) ends like any other: DuckDB's C interface has no error there. But it aborts the
 * transaction, and then the next statement is refused.
 */
async function assertComplete(connection: DuckDBConnection, question: Question): Promise<void> {
    try {
        await connection.run('select 1');
    } catch (cause) {
        question.signal?.throwIfAborted();
        await connection.run('rollback');
        // What went wrong, only the same work tells; without its rows.
        const again = await connection.prepare(`explain analyze ${question.sql}`);
        bindParameters(again, question.parameters);
        await again.run();
        throw new StorageError('The query broke off before its last row, and did not when it was run once more: ask again', { cause });
    }
}

/** An interruption is told again after 20 ms: DuckDB forgets one that comes just before it begins to work. */
const INTERRUPT_EVERY_MS = 20;

/** Interrupts the connection once the signal aborts. @returns a function that ends the watching */
function interruptOn(signal: AbortSignal | undefined, connection: DuckDBConnection): () => void {
    let timer: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
        connection.interrupt();
        timer = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
    };
    signal?.addEventListener('abort', interrupt, { once: true });
    return () => {
        signal?.removeEventListener('abort', interrupt);
        clearInterval(timer);
    };
}

function translate(error: unknown, { root, signal }: Question): unknown {
    if (signal?.aborted) {
        return signal.reason;
    }
    // DuckDB's own errors are plain ones. What is not has been translated, or is a fault of this program, as is a query on a closed engine.
    if (!(error instanceof Error) || error.name !== 'Error' || error.message.includes('connection disconnected')) {
        return error;
    }
    const message = error.message
        .replace(/^Failed to extract statements: /, '')
        .replaceAll(/\n{2,}/g, '\n')
        .trim();
    const known = statisticsOverflowIn(message, error) ?? missingColumnIn(message, { cause: error, where: root });
    if (known) {
        return known;
    }
    const [summary = ''] = message.split('\n');
    if (summary.startsWith('Permission Error')) {
        return new SqlError(`${summary}: SQL can read the lake's own tables and nothing else`, { cause: error });
    }
    return fileFaultIn(message, { cause: error, root }) ?? new SqlError(message, { cause: error });
}

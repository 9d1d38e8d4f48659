/** Answers SQL. */

import { readFile } from 'node:fs/promises';
import type { RunContext } from '#cli/command';
import { printRows } from '#cli/draw/print-rows';
import { useFigures } from '#cli/use-figures';
import { SqlError, UsageError } from '#lake/errors';
import { tables } from '#lake/kinds';
import { VIEW_NAMES } from '#lake/query/sql-files';

/** What DuckDB and Athena say of a table or view that is not there. */
const NO_SUCH_TABLE = /\bTable\b.* does not exist|TABLE_NOT_FOUND/;

const TABLES = tables.map(({ name }) => name).join(', ');

interface QueryOptions {
    file: string | undefined;
}

/** Prints the rows of the answer. */
export async function answer(sql: string | undefined, { file }: QueryOptions, context: RunContext): Promise<number> {
    const statement = await readStatement({ sql, file, readInput: context.readInput });
    return useFigures(context, async (lake) => {
        const engine = await lake.engine();
        const result = await engine.query(statement, { signal: context.signal }).catch((error: unknown) => {
            throw error instanceof SqlError && NO_SUCH_TABLE.test(error.message)
                ? new SqlError(`${error.message}\nTables: ${TABLES}\nViews: ${VIEW_NAMES.join(', ')}`, { cause: error })
                : error;
        });
        await printRows(result, context);
        return 0;
    });
}

async function readStatement({
    sql,
    file,
    readInput,
}: {
    sql: string | undefined;
    file: string | undefined;
    readInput: () => AsyncIterable<Uint8Array>;
}): Promise<string> {
    if ((sql === undefined) === (file === undefined)) {
        throw new UsageError('Give one of: the SQL itself, -f FILE, or - to read it from the pipe (flowlake query --help shows how)');
    }
    if (file !== undefined) {
        return readFile(file, 'utf8').catch((cause: unknown) => {
            throw new UsageError(`Cannot read the SQL file ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
        });
    }
    return sql === '-' || sql === undefined ? readAll(readInput()) : sql;
}

async function readAll(input: AsyncIterable<Uint8Array>): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of input) {
        chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
}

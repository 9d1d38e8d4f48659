/** Answers SQL. */

import { readFile } from 'node:fs/promises';
import type { RunContext } from '#cli/command';
import { printRows } from '#cli/draw/print-rows';
import { useFigures } from '#cli/use-figures';
import { UsageError } from '#lake/errors';

interface QueryOptions {
    file: string | undefined;
}

/** Prints the rows of the answer. */
export async function answer(sql: string | undefined, { file }: QueryOptions, context: RunContext): Promise<number> {
    const statement = await readStatement({ sql, file, readInput: context.readInput });
    return useFigures(context, async (lake) => {
        const engine = await lake.engine();
        const result = await engine.query(statement, { signal: context.signal });
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

/** Writes the lake's tables and views as a DuckDB database. */
import { randomBytes } from 'node:crypto';
import { realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { RunContext } from '#cli/command';
import { sayCount } from '#cli/draw/quantity';
import { useFigures } from '#cli/use-figures';
import { StorageError, UsageError } from '#lake/errors';
import { viewsOfInputs } from '#lake/input-views';

/** Writes beside the file and renames: whoever opens it sees the old database or all of the new one. @throws UsageError for a lake on AWS */
export async function writeDatabase(file: string, context: RunContext): Promise<number> {
    return useFigures(context, async (lake) => {
        if (lake.kind === 's3') {
            throw new UsageError(
                'A deployed lake is asked by Athena, which needs no database of its own: docs/bi.md says how programs connect to it',
            );
        }
        const moreViews = await viewsOfInputs(await lake.store());
        const { writeDuckDbFile } = await import('#lake/query/duckdb-file');
        const target = await realpath(file).catch(() => file);
        if ((await stat(target).catch(() => undefined))?.isFile() === false) {
            throw new UsageError(`${file} is no plain file: name one, like my-lake.duckdb`);
        }
        const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
        try {
            const { names, empty } = await writeDuckDbFile(temporary, { directory: lake.directory, moreViews });
            context.signal.throwIfAborted();
            await rename(temporary, target);
            await context.stderr.write(`${file}: ${sayCount(names.length, 'table and view', 'tables and views')} of ${lake.directory}\n`);
            if (empty.length > 0) {
                await context.stderr.write(
                    `Without rows in it, also later on: ${empty.join(', ')}. Write the file again once these have rows\n`,
                );
            }
            return 0;
        } catch (error) {
            await rm(temporary, { force: true });
            if (context.signal.aborted || error instanceof StorageError || error instanceof UsageError) {
                throw error;
            }
            throw new StorageError(`Cannot write ${file}: ${error instanceof Error ? error.message : error}`, { cause: error });
        }
    });
}

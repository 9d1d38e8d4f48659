/** A DuckDB of its own, in memory, that may use a folder of its own when memory gets short; nothing of it is left behind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { OverflowError, StorageError } from '#lake/errors';
import type { SqlEngine } from '#lake/kind';

export type Row = Record<string, unknown>;

/** The judge's database; second readers count in it too. */
export interface Engine extends SqlEngine {
    close(): Promise<void>;
}

interface Lane {
    /** Settles with the lane's last statement. */
    busy: Promise<void>;
    run(sql: string, text: string): Promise<void>;
}

/** Statements that a lane keeps: every layout and choice of options has its own. */
const MAX_STATEMENTS = 50;

/** Memory for the engine: more would only be taken from the file cache, which is what the reading lives on. */
const MAX_MEMORY_BYTES = 2 ** 31;
const MIN_MEMORY_BYTES = 2 ** 29;

/** A database of its own. @param signal aborting it stops the running statement; calls then reject with the signal's reason. */
export async function openEngine({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<Engine> {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-verify-'));
    const memoryBytes = Math.max(MIN_MEMORY_BYTES, Math.min(MAX_MEMORY_BYTES, Math.floor(totalmem() / 4)));
    const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: `${memoryBytes}B`,
        temp_directory: folder,
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        preserve_insertion_order: 'false',
        // Each copy of an object is read once and is gone then: remembering its bytes fills memory for nothing.
        enable_external_file_cache: 'false',
    });
    const connections: DuckDBConnection[] = [];
    const interrupt = (): void => {
        for (const connection of connections) {
            connection.interrupt();
        }
    };
    signal?.addEventListener('abort', interrupt);
    const connect = async (): Promise<DuckDBConnection> => {
        const connection = await instance.connect();
        connections.push(connection);
        return connection;
    };
    const main = await connect();

    async function guarded<T>(work: () => Promise<T>): Promise<T> {
        signal?.throwIfAborted();
        try {
            return await work();
        } catch (error) {
            signal?.throwIfAborted();
            throw translate(error);
        }
    }

    /** One connection with the statements that it has prepared: planning them costs more than a small file's rows. */
    async function openLane(): Promise<Lane> {
        const connection = await connect();
        const statements = new Map<string, DuckDBPreparedStatement>();
        return {
            busy: Promise.resolve(),
            async run(sql, text) {
                if (statements.size > MAX_STATEMENTS) {
                    statements.clear();
                }
                const statement = statements.get(sql) ?? (await connection.prepare(sql));
                statements.set(sql, statement);
                statement.bindVarchar(1, text);
                await statement.run();
                statement.clearBindings();
            },
        };
    }
    const lanes: Lane[] = [];

    return {
        run: (sql) => guarded(async () => void (await main.run(sql))),

        rows: (sql) => guarded(async () => (await main.runAndReadAll(sql)).getRowObjects()),

        async *batches(sql) {
            const result = await guarded(() => main.stream(sql));
            const names = result.deduplicatedColumnNames();
            for (;;) {
                const chunk = await guarded(() => result.fetchChunk());
                if (!chunk || chunk.rowCount === 0) {
                    return;
                }
                yield chunk.getRowObjects(names);
            }
        },

        runForEach: (work) =>
            guarded(async () => {
                let turn = 0;
                try {
                    for await (const { sql, text } of work) {
                        const at = turn % availableParallelism();
                        const lane = lanes[at] ?? (await openLane());
                        lanes[at] = lane;
                        turn += 1;
                        await lane.busy;
                        signal?.throwIfAborted();
                        lane.busy = lane.run(sql, text);
                        // It is awaited with the lane's next turn; until then its error must not count as unheard.
                        lane.busy.catch(() => undefined);
                    }
                    await Promise.all(lanes.map(({ busy }) => busy));
                } finally {
                    await Promise.allSettled(lanes.map(({ busy }) => busy));
                    for (const lane of lanes) {
                        lane.busy = Promise.resolve();
                    }
                }
            }),

        async close() {
            signal?.removeEventListener('abort', interrupt);
            for (const connection of connections) {
                connection.closeSync();
            }
            instance.closeSync();
            await rm(folder, { recursive: true, force: true });
        },
    };
}

/** A text as SQL writes it. */
export function literal(text: string): string {
    return `'${text.replaceAll("'", "''")}'`;
}

/** Files as read_parquet takes them: the characters that would make a pattern of a path stand for themselves. */
export function fileList(paths: readonly string[]): string {
    return `[${paths.map((path) => literal(path.replace(/[[*?]/g, '[$&]'))).join(', ')}]`;
}

/** A whole number of a result, or null. */
export function wholeOf(row: Row | undefined, column: string): bigint | null {
    const value = row?.[column];
    return typeof value === 'bigint' ? value : typeof value === 'number' ? BigInt(value) : null;
}

/** A text of a result, or null. */
export function textOf(row: Row | undefined, column: string): string | null {
    const value = row?.[column];
    return typeof value === 'string' ? value : null;
}

function translate(error: unknown): unknown {
    if (!(error instanceof Error) || error.name !== 'Error') {
        return error;
    }
    if (/overflow|out of range/i.test(error.message)) {
        return new OverflowError(error.message, { cause: error });
    }
    return /^(IO|Out of Memory) Error/.test(error.message) ? new StorageError(error.message, { cause: error }) : error;
}

/** DuckDB over a lake in a directory, as the engine behind the Athena server. Parameters are bound by its own `execute`, as text of SQL. */
import type { ColumnInfo } from '@aws-sdk/client-athena';
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { openCatalog } from '#lake/query/duckdb-catalog';
import { type AthenaBackend, AthenaFailure } from '#test/support/athena-server';

/** The engine; every query is said to have scanned `scannedBytes`. */
export async function openDuckDbBackend({
    directory,
    scannedBytes = 12_345_678,
}: {
    directory: string;
    scannedBytes?: number;
}): Promise<AthenaBackend & { close(): void }> {
    const instance = await DuckDBInstance.create(':memory:');
    const createNamed = await openCatalog(await instance.connect(), { directory });
    return {
        async run({ sql, parameters }, signal) {
            await createNamed(sql);
            const connection = await instance.connect();
            // The interruption is told again and again, because DuckDB forgets one that comes just before it begins.
            const timer = setInterval(() => signal.aborted && connection.interrupt(), 20);
            try {
                if (parameters.length > 0) {
                    await connection.run(`prepare question as ${sql}`);
                }
                const bound = parameters.length === 0 ? sql : `execute question(${parameters.join(', ')})`;
                const reader = await connection.runAndReadAll(bound);
                const columns = reader.columnNames().map((name, at) => columnInfo(name, String(reader.columnType(at))));
                return { columns, rows: reader.getRows().map((row) => row.map(textOf)), scannedBytes };
            } catch (error) {
                throw new AthenaFailure(error instanceof Error ? error.message : String(error), { cause: error });
            } finally {
                clearInterval(timer);
                connection.closeSync();
            }
        },
        close: () => instance.closeSync(),
    };
}

const TYPES: Readonly<Record<string, string>> = { HUGEINT: 'decimal', FLOAT: 'float' };

function columnInfo(Name: string, type: string): ColumnInfo {
    const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type) ?? [];
    return precision === undefined
        ? { Name, Type: TYPES[type] ?? type.toLowerCase(), ...(type === 'HUGEINT' && { Precision: 38, Scale: 0 }) }
        : { Name, Type: 'decimal', Precision: Number(precision), Scale: Number(scale) };
}

function textOf(value: DuckDBValue): string | null {
    return value === null ? null : String(value);
}

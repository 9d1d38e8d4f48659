/** Trino as the engine behind the Athena server: as near as one comes to Athena without an account. */
import type { ColumnInfo } from '@aws-sdk/client-athena';
import { type AthenaBackend, AthenaFailure } from '#test/support/athena-server';
import { askTrino, TrinoError } from './trino-client.ts';

/** The engine at `url`. */
export function openTrinoBackend(url: string): AthenaBackend {
    return {
        async run({ sql, parameters, database, onScanned }, signal) {
            try {
                const { columns, rows, scannedBytes } = await askTrino(url, {
                    sql,
                    parameters,
                    database,
                    signal,
                    onProgress: (progress) => onScanned(progress.scannedBytes),
                });
                return { columns: columns.map(columnInfo), rows: rows.map((row) => row.map(textOf)), scannedBytes };
            } catch (error) {
                throw error instanceof TrinoError
                    ? new AthenaFailure(`${error.errorName}: ${error.message}`, {
                          category: error.type === 'USER_ERROR' ? 2 : 1,
                          cause: error,
                      })
                    : error;
            }
        },
    };
}

/** A column in Athena's words: types without their lengths, decimals with digits beside the name. */
function columnInfo({ name, type }: { name: string; type: string }): ColumnInfo {
    const [, precision, scale] = /^decimal\((\d+),\s*(\d+)\)$/.exec(type) ?? [];
    if (precision !== undefined) {
        return { Name: name, Type: 'decimal', Precision: Number(precision), Scale: Number(scale) };
    }
    return { Name: name, Type: type === 'real' ? 'float' : type.replace(/\(.*\)/, '') };
}

function textOf(value: unknown): string | null {
    return value === null ? null : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

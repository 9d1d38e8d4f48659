/** The same messages in a lake of a directory: what a deployed lake's chain holds, brought up by this machine alone; and the tables of both, row by row. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openDuckDb } from '#lake/query/duckdb';
import type { ObjectStore } from '#lake/store/object-store';
import { type Row, rowsOf } from '#test/support/lake-fixture';

/** What a lake is made of: the messages, and what their reading asks for. */
export const ORIGINS = ['raw/', 'profiles/', 'devices/'];

/** Copies all objects below the prefixes. @returns how many */
export async function copyObjects(store: ObjectStore, prefixes: readonly string[], folder: string): Promise<number> {
    let count = 0;
    for (const prefix of prefixes) {
        for await (const { key } of store.list(prefix)) {
            const object = await store.get(key);
            if (object) {
                const path = join(folder, key);
                await mkdir(dirname(path), { recursive: true });
                await writeFile(path, object.bytes);
                count += 1;
            }
        }
    }
    return count;
}

/** The rows of each table of a lake in a directory, in one order. */
export async function tablesOf(directory: string, tables: readonly string[]): Promise<Map<string, Row[]>> {
    const engine = await openDuckDb({ directory });
    try {
        const found = new Map<string, Row[]>();
        for (const table of tables) {
            found.set(table, await rowsOf(engine, `select * from ${table} order by all`));
        }
        return found;
    } finally {
        await engine.close();
    }
}

/** Rows as text, which compares fast where there are many; `line` of each is what a person looks for. */
export function linesOf(rows: readonly Row[]): string[] {
    return rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value)));
}

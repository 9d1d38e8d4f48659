/** What Parquet objects say of themselves beside their rows: texts and bytes that their metadata holds, or names the place of. */
import { open } from 'node:fs/promises';
import { type Engine, fileList, textOf } from './engine.ts';

/** Entries of each file's metadata by their keys, by the file's path. Files that say nothing are left out. */
export async function readEntries(engine: Engine, paths: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const found = new Map<string, Map<string, string>>();
    const rows =
        paths.length === 0
            ? []
            : await engine.rows(
                  `select file_name, decode(key) as key, decode(value) as value from parquet_kv_metadata(${fileList(paths)}) where starts_with(decode(key), 'flowlake.')`,
              );
    for (const row of rows) {
        const path = textOf(row, 'file_name') ?? '';
        const entries = found.get(path) ?? new Map<string, string>();
        found.set(path, entries.set(textOf(row, 'key') ?? '', textOf(row, 'value') ?? ''));
    }
    return found;
}

/** The bytes of a file whose place the entry names, `<offset>:<length>`; undefined where no entry does. */
export async function readPlace(path: string, entries: ReadonlyMap<string, string>, key: string): Promise<Buffer | undefined> {
    const [offset = 0, length = 0] = (entries.get(key) ?? '').split(':').map(Number);
    if (!(length > 0)) {
        return undefined;
    }
    const file = await open(path);
    try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
    } finally {
        await file.close();
    }
}

/**
 * Key of the metadata that lists what a period's object contains, `<source>.<version>`, comma between; or where in the file that list
 * stands.
 */
const CONTAINS = 'flowlake.contains';
const CONTAINS_AT = 'flowlake.contains_at';

/** What a period's object says it contains; nothing where it says nothing. */
export async function readContents(path: string, entries: ReadonlyMap<string, string> = new Map()): Promise<string[]> {
    const list = (await readPlace(path, entries, CONTAINS_AT))?.toString() ?? entries.get(CONTAINS) ?? '';
    return list === '' ? [] : list.split(',');
}

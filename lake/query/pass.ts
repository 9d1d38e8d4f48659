/** Questions that one pass over a table's files answers faster than SQL does, for a lake in a directory. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ByRange, MergedObject } from '#lake/kind';
import { kinds } from '#lake/kinds';
import { relationsOf } from './duckdb-relations.ts';
import type { QueryResult, Value } from './query-engine.ts';

/** A question of a file of sql/<kind>/queries. */
interface NamedQuestion {
    name: string;
    parameters: readonly Value[];
    signal: AbortSignal;
}

/**
 * The answer that the SQL of this name would give. Undefined where no pass is known that gives it, or where one cannot be sure of it (a file that is
 * damaged, or that goes while it is read): ask SQL, which says what is wrong.
 * @throws StorageError where a file of the table is a symbolic link. @throws the signal's reason
 */
export async function answerByPass(directory: string, { name, parameters, signal }: NamedQuestion): Promise<QueryResult | undefined> {
    const kind = kinds.find(({ passes }) => passes && Object.hasOwn(passes, name));
    const pass = kind?.passes?.[name];
    const relation = kind && relationsOf(directory).find((one) => one.name === kind.merged.name);
    // Of a table by the hour the files have other names.
    if (!pass || !relation || kind.merged.per !== 'day') {
        return undefined;
    }
    // This look finds links, too.
    const hasFiles = await relation.hasFiles();
    try {
        const objects = hasFiles ? findObjects(join(directory, kind.merged.prefix), signal) : [];
        const answer = objects && (await pass(objects, parameters));
        return answer && { columns: answer.columns, batches: inOne(answer.rows) };
    } catch (error) {
        if (error instanceof Error && 'code' in error && 'syscall' in error) {
            return undefined;
        }
        throw error;
    }
}

const DAY_FOLDER = /^day=(\d{4}-\d{2}-\d{2})$/;

/** Any folder that SQL takes for a day's. */
const LIKE_DAY_FOLDER = /^day=....-..-..$/;

/** Files that SQL takes for a day's. */
const PART = /^part-.*\.parquet$/;

/** The objects of a table by day, ascending; undefined where folders or files are not as flowlake names them. */
function findObjects(folder: string, signal: AbortSignal): MergedObject[] | undefined {
    const objects: MergedObject[] = [];
    for (const name of readdirSync(folder).sort()) {
        const day = DAY_FOLDER.exec(name)?.[1];
        const parts = LIKE_DAY_FOLDER.test(name) ? readdirSync(join(folder, name)).filter((part) => PART.test(part)) : [];
        const [part] = parts;
        if (parts.length > 1 || (part !== undefined && (day === undefined || !isDay(day)))) {
            return undefined;
        }
        if (day !== undefined && part !== undefined) {
            objects.push({ period: day, read: (use) => readFile(join(folder, name, part), { use, signal }) });
        }
    }
    return objects;
}

/** False for the 30th of February, which JavaScript takes for the 2nd of March. */
function isDay(day: string): boolean {
    const time = Date.parse(day);
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/** Smaller files are read at once: they are as large as what is read of them. */
const MAX_WHOLE_BYTES = 1 << 24;

async function readFile(path: string, { use, signal }: { use: (bytes: ByRange) => Promise<void>; signal: AbortSignal }): Promise<void> {
    // Files are read by this thread, because a hand-over costs more than they do; between them others have their turn.
    await setImmediate();
    signal.throwIfAborted();
    const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
        const sizeBytes = fstatSync(file).size;
        const readPart = (start: number, end: number): Uint8Array<ArrayBuffer> => {
            const bytes = new Uint8Array(Math.max(0, end - start));
            return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start));
        };
        const whole = sizeBytes <= MAX_WHOLE_BYTES ? readPart(0, sizeBytes) : undefined;
        await use({ sizeBytes, readRange: async ({ start, end }) => whole?.subarray(start, end) ?? readPart(start, end) });
    } finally {
        closeSync(file);
    }
}

async function* inOne(rows: Value[][]): AsyncGenerator<Value[][]> {
    if (rows.length > 0) {
        yield rows;
    }
}

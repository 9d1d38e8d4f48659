/** A Parquet file of flows, read by the engine itself from a copy on this machine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OverflowError, StorageError } from '#lake/errors';
import type { ReadingOptions, SqlEngine } from '#lake/kind';
import type { ByteStream } from '#lake/store/object-store';
import { fileList, textOf } from '#lake/verify/engine';
import { DamagedFileError, NotFollowedError } from '#lake/verify/second-reading';
import { quoted } from '#lake/verify/table-sql';
import { FIELDS, type Field, type Layout, tableLayout } from './header.ts';
import { insertTexts } from './row-sql.ts';

/** Bytes that tell a format. */
const MAGIC_BYTES = 4;

/** True if a file that begins with these bytes is Parquet; the second mark is of one that is encrypted. */
export function isParquet(start: Uint8Array): boolean {
    return ['PAR1', 'PARE'].includes(Buffer.from(start).toString('latin1', 0, MAGIC_BYTES));
}

/** The first bytes of a stream, and the whole stream. */
export async function lookAt(bytes: ByteStream): Promise<{ start: Uint8Array; all: ByteStream }> {
    const chunks = bytes[Symbol.asyncIterator]();
    const held: Buffer[] = [];
    let length = 0;
    for (let isOver = false; length < MAGIC_BYTES && !isOver; ) {
        const { done, value } = await chunks.next();
        isOver = done === true;
        if (!done) {
            held.push(Buffer.from(value));
            length += value.length;
        }
    }
    const start = Buffer.concat(held);
    async function* all(): AsyncGenerator<Uint8Array> {
        try {
            yield start;
            yield* { [Symbol.asyncIterator]: () => chunks };
        } finally {
            await chunks.return?.();
        }
    }
    return { start, all: all() };
}

/**
 * Adds the file's rows to table `parts`.
 * @returns undefined where it has not the columns that are needed, or one of a type that does not hold what it must
 * @throws DamagedFileError for a file that the engine cannot read, NotFollowedError for what the engine does not know of
 * Parquet, StorageError where this machine has no room
 */
export async function insertParquet(engine: SqlEngine, bytes: ByteStream, options: ReadingOptions): Promise<Layout | undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-verify-'));
    try {
        const path = join(folder, 'raw.parquet');
        await writeFile(path, bytes);
        return await insertFile(engine, path, options);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

interface TypedName {
    name: string;
    type: string;
}

async function insertFile(engine: SqlEngine, path: string, options: ReadingOptions): Promise<Layout | undefined> {
    const table = `read_parquet(${fileList([path])}, binary_as_string = true, hive_partitioning = false)`;
    const described = await unlessDamaged(() => engine.rows(`select column_name, column_type from (describe select * from ${table})`));
    const columns = described.map((row): TypedName => ({ name: textOf(row, 'column_name') ?? '', type: textOf(row, 'column_type') ?? '' }));
    const layout = tableLayout(columns.map(({ name }) => name.toLowerCase()));
    if (!layout) {
        return undefined;
    }
    const columnOf = (field: Field): TypedName | undefined => columns[layout.columns.find((one) => one.field === field)?.at ?? -1];
    const texts = FIELDS.map((field) => {
        const column = columnOf(field);
        const text = column && textSql(column, field);
        return text === undefined ? undefined : `trim(coalesce(${text}, ''), ' ' || chr(9)) as ${field}`;
    });
    if (texts.includes(undefined)) {
        return undefined;
    }
    const sql = insertTexts(
        layout,
        `texts as (select true as is_long_enough, false as has_open_quote, ${texts.join(', ')} from ${table})`,
        {
            options,
            isInstant: TIME.test(columnOf('began')?.type ?? ''),
        },
    );
    await unlessDamaged(() => engine.run(sql));
    return layout;
}

const TEXT = /^(?:VARCHAR|JSON|ENUM\(.*)$/;
const NUMBER = /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))$/;
const TIME = /^(?:TIMESTAMP(?: WITH TIME ZONE|_S|_MS|_NS)?|DATE)$/;

/** SQL for a value as text, null where there is none; undefined for a type that the field cannot have. Times become whole seconds since 1970. */
function textSql({ name, type }: TypedName, field: Field): string | undefined {
    const column = quoted(name);
    if (TEXT.test(type)) {
        return `cast(${column} as varchar)`;
    }
    if (field === 'began' && TIME.test(type)) {
        const perSecond = type === 'TIMESTAMP_NS' ? 1_000_000_000 : 1_000_000;
        const ticks =
            type === 'TIMESTAMP_NS'
                ? `epoch_ns(${column})`
                : type === 'TIMESTAMP WITH TIME ZONE'
                  ? `epoch_us(${column})`
                  : `epoch_us(cast(${column} as timestamp))`;
        // What is in front of 1970 is no day that counts, whatever division makes of it.
        return `case when ${ticks} < 0 then '-1' else cast(${ticks} // ${perSecond} as varchar) end`;
    }
    return field !== 'src' && field !== 'dst' && NUMBER.test(type) ? `cast(${column} as varchar)` : undefined;
}

/** What is wrong with this machine, and not with a file. */
const NO_ROOM = /Out of Memory|No space left|Could not write/;

/** What the engine does not know of Parquet, as BYTE_STREAM_SPLIT of whole numbers. */
const NOT_SUPPORTED = /only supported|not supported|unsupported|not implemented/i;

async function unlessDamaged<T>(work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        const isOfEngine = error instanceof Error && (error.name === 'Error' || error instanceof StorageError);
        if (!isOfEngine || error instanceof OverflowError || NO_ROOM.test(error.message)) {
            throw error;
        }
        if (NOT_SUPPORTED.test(error.message)) {
            throw new NotFollowedError(error.message, { cause: error });
        }
        throw new DamagedFileError(error.message, { cause: error });
    }
}

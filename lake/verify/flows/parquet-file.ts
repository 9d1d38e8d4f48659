/** A Parquet file of flows, read by the engine itself from a copy on this machine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OverflowError, StorageError } from '#lake/errors';
import type { SqlEngine } from '#lake/kind';
import type { ByteStream } from '#lake/store/object-store';
import { fileList, literal, textOf } from '#lake/verify/engine';
import { DamagedFileError, NotFollowedError } from '#lake/verify/second-reading';
import { quoted } from '#lake/verify/table-sql';
import { tableLayout } from './header.ts';
import { insertTexts, REPEATED, type Reading, skipReason } from './row-sql.ts';
import { ASKED_APART, ASKED_BEHIND_HEADER, beginning, type Found, hear } from './segments.ts';
import { FIELDS, type Field } from './tools.ts';

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
 * @param toReading is told what the file's asked rows say, and says how it is to be read.
 * @returns undefined where it has not the columns that are needed, or one of a type that does not hold what it must
 * @throws DamagedFileError for a file that the engine cannot read, NotFollowedError for what the engine does not know of
 * Parquet, StorageError where this machine has no room
 */
export async function insertParquet(
    engine: SqlEngine,
    bytes: ByteStream,
    toReading: (found: Found) => Reading,
): Promise<Found | undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-verify-'));
    try {
        const path = join(folder, 'raw.parquet');
        await writeFile(path, bytes);
        return await insertFile(engine, path, toReading);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

interface TypedName {
    name: string;
    type: string;
}

async function insertFile(engine: SqlEngine, path: string, toReading: (found: Found) => Reading): Promise<Found | undefined> {
    const table = `read_parquet(${fileList([path])}, binary_as_string = true, hive_partitioning = false)`;
    const described = await unlessDamaged(() => engine.rows(`select column_name, column_type from (describe select * from ${table})`));
    const columns = described.map((row): TypedName => ({ name: textOf(row, 'column_name') ?? '', type: textOf(row, 'column_type') ?? '' }));
    const layout = tableLayout(columns.map(({ name }) => name.toLowerCase()));
    if (!layout) {
        return undefined;
    }
    const placeOf = (field: Field): number => layout.columns.find((one) => one.field === field)?.at ?? -1;
    const timed: readonly Field[] = layout.tool.isSpan === true ? ['began', 'duration'] : ['began'];
    const areTimes = timed.map((field) => TIME.test(columns[placeOf(field)]?.type ?? ''));
    const kindPlaces = layout.names.flatMap((name, at) =>
        [...(layout.tool.kind ?? []), ...(layout.tool.kindToo ?? [])].includes(name) ? [at] : [],
    );
    const otherPlaces = [...kindPlaces, ...(layout.witness ? [layout.witness.rate, ...layout.witness.packets] : [])];
    const texts = new Map<number, string>();
    for (const at of [...FIELDS.map(placeOf), ...otherPlaces]) {
        const field = FIELDS.find((one) => placeOf(one) === at);
        const text = textSql(columns[at], {
            time: field !== undefined && timed.includes(field) ? 'seconds' : kindPlaces.includes(at) ? 'clock' : 'none',
            isAddress: field === 'src' || field === 'dst',
        });
        if (text === undefined) {
            return undefined;
        }
        texts.set(at, `trim(coalesce(${text}, ''), ' ' || chr(9))`);
    }
    if (new Set(areTimes).size > 1) {
        return undefined;
    }
    const read = [...texts.keys()].map((at) => columns[at]?.name ?? '');
    if (await unlessDamaged(() => hasRefusedCodec(engine, path, read))) {
        return undefined;
    }
    if (timed.length > 1 && areTimes[0] === true) {
        await unlessDamaged(() =>
            assertAllNanoseconds(
                engine,
                path,
                timed.map((field) => columns[placeOf(field)]?.name ?? ''),
            ),
        );
    }
    const textAt = (at: number): string => texts.get(at) ?? `''`;
    const found = beginning({ layout, rows: '', firstLine: 1, otherLogRows: 0 });
    await unlessDamaged(() => hearRows(engine, path, { found, columns, textAt }));
    const isHeader = layout.columns.map(({ at, name }) => `lower(${textAt(at)}) = ${literal(name)}`).join(' and ');
    const isText = (at: number): boolean => TEXT.test(columns[at]?.type ?? '');
    const sql = insertTexts(
        layout,
        `taken as (select true as is_long_enough, false as has_open_quote, ${areTimes[0] === true} as is_instant, ${FIELDS.map((field) => `${textAt(placeOf(field))} as ${field}`).join(', ')},
    ${kindPlaces.map((at) => `${textAt(at)} as kind_${at}, `).join('')}${FIELDS.every((field) => isText(placeOf(field))) ? isHeader : 'false'} as is_header from ${table}),
texts as (select *, coalesce(${skipReason(layout, (at) => (kindPlaces.includes(at) ? `kind_${at}` : `''`))}, case when is_header then '${REPEATED}' end) as kind from taken)`,
        { ...toReading(found), numbers: FIELDS.filter((field) => !isText(placeOf(field))) },
    );
    await unlessDamaged(() => engine.run(sql));
    return found;
}

/** True if a column is packed in a way that the lake does not read, and that the engine does not always look at. */
async function hasRefusedCodec(engine: SqlEngine, path: string, names: readonly string[]): Promise<boolean> {
    const refused = await engine.rows(`
        select path_in_schema from parquet_metadata(${fileList([path])})
        where compression in ('LZO', 'LZ4') and path_in_schema in (${names.map((name) => literal(name)).join(', ')})`);
    return refused.length > 0;
}

/**
 * The engine cuts some times to microseconds, which is a microsecond of the duration between two of them.
 * @throws NotFollowedError for columns of such times
 */
async function assertAllNanoseconds(engine: SqlEngine, path: string, names: readonly string[]): Promise<void> {
    const cut = await engine.rows(`
        select name from parquet_schema(${fileList([path])})
        where name in (${names.map((name) => literal(name)).join(', ')})
            and (type = 'INT96' or (contains(logical_type, 'isAdjustedToUTC=1') and contains(logical_type, 'NANOS=NanoSeconds')))`);
    if (cut.length > 0) {
        throw new NotFollowedError('durations between times in nanoseconds, which the engine has in microseconds');
    }
}

/** Asks the rows that are asked for their unit. What is stored as a number is in no style that groups digits, and an exponent says so. */
async function hearRows(
    engine: SqlEngine,
    path: string,
    { found, columns, textAt }: { found: Found; columns: readonly TypedName[]; textAt: (at: number) => string },
): Promise<void> {
    const { layout } = found;
    const { witness } = layout;
    if (!witness) {
        return;
    }
    const duration = layout.columns.find(({ field }) => field === 'duration')?.at ?? -1;
    const places = [...new Set([duration, witness.rate, ...witness.packets])];
    const texts = places.map((at) => {
        const isPointed = `regexp_full_match(${textAt(at)}, '[+-]?[0-9]*\\.[0-9]*')`;
        const text = TEXT.test(columns[at]?.type ?? '') ? textAt(at) : `${textAt(at)} || case when ${isPointed} then 'e0' else '' end`;
        return `${text} as text_${at}`;
    });
    const rows = await engine.rows(`
        select ${texts.join(', ')}
        from read_parquet(${fileList([path])}, binary_as_string = true, hive_partitioning = false, file_row_number = true)
        where ${layout.dialect === 'python-cicflowmeter'} or file_row_number < ${ASKED_BEHIND_HEADER} or (file_row_number + 1) % ${ASKED_APART} = 0`);
    for (const row of rows) {
        const cells = layout.names.map((_, at) => (places.includes(at) ? (textOf(row, `text_${at}`) ?? '') : ''));
        const isRateText = TEXT.test(columns[witness.rate]?.type ?? '');
        hear(cells, isRateText ? found : { ...found, styles: new Set() });
    }
}

const TEXT = /^(?:VARCHAR|JSON|ENUM\(.*)$/;
const NUMBER = /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))$/;
const TIME = /^(?:TIMESTAMP(?: WITH TIME ZONE|_S|_MS|_NS)?|DATE)$/;

/**
 * SQL for a value as text, null where there is none; undefined for a type that the column cannot have. Times become seconds since 1970, or what their
 * clock shows.
 */
function textSql(
    column: TypedName | undefined,
    { time, isAddress }: { time: 'seconds' | 'clock' | 'none'; isAddress: boolean },
): string | undefined {
    const { name, type } = column ?? { name: '', type: '' };
    const value = quoted(name);
    if (TEXT.test(type)) {
        return `cast(${value} as varchar)`;
    }
    if (time !== 'none' && TIME.test(type)) {
        const microseconds = type === 'TIMESTAMP WITH TIME ZONE' ? `epoch_us(${value})` : `epoch_us(cast(${value} as timestamp))`;
        if (time === 'clock') {
            return `cast(make_timestamp(${microseconds}) as varchar)`;
        }
        const digits = type === 'TIMESTAMP_NS' ? 9 : 6;
        const ticks = type === 'TIMESTAMP_NS' ? `epoch_ns(${value})` : microseconds;
        const perSecond = 10 ** digits;
        // What is in front of 1970 is no day that counts, whatever division makes of it.
        return `case when ${ticks} < 0 then '-1'
            else cast(${ticks} // ${perSecond} as varchar) || '.' || lpad(cast(${ticks} % ${perSecond} as varchar), ${digits}, '0') end`;
    }
    if (type === 'FLOAT' && !isAddress) {
        return shortestFloatSql(value);
    }
    if (type === 'DOUBLE' && !isAddress) {
        return `regexp_replace(cast(${value} as varchar), '\\.0$', '')`;
    }
    return !isAddress && NUMBER.test(type) ? `cast(${value} as varchar)` : undefined;
}

/** Digits that tell any two floats of 32 bits apart. */
const FLOAT_DIGITS = 9;

/** SQL for the shortest text that is this float of 32 bits: the engine writes more digits of large ones. */
function shortestFloatSql(value: string): string {
    const texts = Array.from({ length: FLOAT_DIGITS }, (_, at) => `printf('%.${at + 1}g', ${value})`);
    const cases = texts.map((text) => `when cast(${text} as float) = ${value} then ${text}`);
    return `case when not isfinite(${value}) then cast(${value} as varchar) ${cases.join(' ')} end`;
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

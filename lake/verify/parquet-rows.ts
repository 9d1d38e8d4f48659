/** Reads Parquet objects of the lake's merged tables into the engine, row by row and with all that is wrong with the files themselves. */
import { open, readFile } from 'node:fs/promises';
import { StorageError } from '#lake/errors';
import { readRows } from '#lake/parquet';
import { valuesOf } from '#lake/rows';
import type { ColumnType, MergedColumn, MergedTable } from '#lake/tables';
import { type Engine, fileList, literal, type Row, textOf, wholeOf } from './engine.ts';
import { messageOf } from './lake-files.ts';
import { findFooterFault } from './parquet-footer.ts';
import { type ColumnChunk, findPageFault } from './parquet-pages.ts';
import { castFigures, columnsOf, keyNames, listed, quoted, typeOf } from './table-sql.ts';

export interface ParquetFile {
    key: string;
    /** Path of its copy on this machine, which ends with the key. */
    path: string;
}

export interface LoadedRows {
    /** Why a file cannot be read whole, by its key; no row of these files is in the table. */
    damaged: ReadonlyMap<string, string>;
    /** Columns of other types than the table's, by the file's key. */
    wrongTypes: ReadonlyMap<string, readonly WrongType[]>;
    /** Keys of files whose rows are not in the order of their keys. */
    unsorted: readonly string[];
}

export interface WrongType {
    name: string;
    found: string;
    expected: string;
}

/** The words for a file whose rows are not sorted. */
export const UNSORTED = 'rows are not in the order of their keys';

/** Types of the columns in a file, as DuckDB names them. */
const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
    string: 'VARCHAR',
    bigint: 'BIGINT',
    'decimal(28,9)': 'DECIMAL(28,9)',
    'decimal(38,0)': 'DECIMAL(38,0)',
    timestamp: 'TIMESTAMP',
};

/**
 * Makes table `name` (filename, place, key columns, `period` as text, all figures) of the files, which are objects of the merged table `table` or
 * contributions to it: every page is looked at and every value decoded. After an abort it says nothing true.
 * @throws StorageError where this machine has no room
 */
export async function loadRows(
    engine: Engine,
    name: string,
    { table, files }: { table: MergedTable; files: readonly ParquetFile[] },
): Promise<LoadedRows> {
    await engine.run(`create or replace temp table ${name} (filename varchar, place bigint, ${columnsOf(table)})`);
    const damaged = new Map<string, string>();
    const wrongTypes = new Map<string, WrongType[]>();
    // Names of the columns that a file lacks and others stand in for: equal for all files of one format.
    const absentIn = new Map<string, string>();
    const inspected = await eachOrTogether(files, damaged, async (some) => {
        for (const { key, wrong, absent } of await inspect(engine, some, { table, damaged })) {
            absentIn.set(key, absent.join(' '));
            if (wrong.length > 0) {
                wrongTypes.set(key, wrong);
            }
        }
    });
    const whole = inspected.filter(({ key }) => !damaged.has(key));
    for (const absent of new Set(absentIn.values())) {
        await eachOrTogether(
            whole.filter(({ key }) => absentIn.get(key) === absent),
            damaged,
            (some) => insert(engine, name, { table, files: some, absent: absent.split(' ') }),
        );
    }
    const sound = files.filter(({ key }) => !damaged.has(key) && !wrongTypes.has(key));
    for (const [key, fault] of await compareReaders(engine, name, { table, files: sound })) {
        damaged.set(key, fault);
    }
    const key = `(${listed(keyNames(table))})`;
    const rows = await engine.rows(`
        select distinct filename
        from (select filename, ${key} as _key, lag(${key}) over (partition by filename order by place) as _key_before from ${name})
        where _key_before > _key`);
    const unsorted = new Set(rows.map((row) => textOf(row, 'filename')));
    return { damaged, wrongTypes, unsorted: files.filter(({ path }) => unsorted.has(path)).map(({ key }) => key) };
}

/** What is wrong with this machine, and not with a file. */
const NO_ROOM = /Out of Memory|No space left|Could not write/;

/** Does work over all files at once, and where that fails over each, to see which one it is. @returns those that went through */
async function eachOrTogether(
    files: readonly ParquetFile[],
    damaged: Map<string, string>,
    work: (files: readonly ParquetFile[]) => Promise<void>,
): Promise<readonly ParquetFile[]> {
    if (files.length === 0) {
        return files;
    }
    try {
        await work(files);
        return files;
    } catch (error) {
        const [only, another] = files;
        if (!(error instanceof Error) || (error instanceof StorageError && NO_ROOM.test(error.message))) {
            throw error;
        }
        if (another === undefined && only) {
            damaged.set(only.key, messageOf(error).replaceAll(only.path, only.key));
            return [];
        }
    }
    const sound: ParquetFile[] = [];
    for (const file of files) {
        sound.push(...(await eachOrTogether([file], damaged, work)));
    }
    return sound;
}

interface Inspected {
    key: string;
    /** Columns of other types than the table's. */
    wrong: WrongType[];
    /** Columns that the file lacks and others stand in for. */
    absent: string[];
}

/** Looks at footers and pages. @returns what is told of the files that are whole */
async function inspect(
    engine: Engine,
    files: readonly ParquetFile[],
    { table, damaged }: { table: MergedTable; damaged: Map<string, string> },
): Promise<Inspected[]> {
    const list = fileList(files.map(({ path }) => path));
    const columns = groupByFile(
        await engine.rows(`select file_name, name, duckdb_type from parquet_schema(${list}) where duckdb_type is not null`),
    );
    const chunks = groupByFile(
        await engine.rows(`
        select file_name, path_in_schema, num_values, dictionary_page_offset, data_page_offset, total_compressed_size
        from parquet_metadata(${list})
        order by data_page_offset`),
    );
    const found: Inspected[] = [];
    for (const { key, path } of files) {
        const typeOf = new Map((columns.get(path) ?? []).map((row) => [textOf(row, 'name'), textOf(row, 'duckdb_type')]));
        const lacking = table.columns.filter(({ name }) => !typeOf.has(name));
        const missing = lacking.find(({ absentAs }) => absentAs === undefined);
        const ofFile = (chunks.get(path) ?? []).map(toChunk);
        const fault = missing ? `it has no column ${missing.name}` : await firstFault(path, ofFile);
        if (fault !== undefined) {
            damaged.set(key, fault);
            continue;
        }
        const wrong = table.columns
            .filter(({ name, type }) => typeOf.has(name) && typeOf.get(name) !== DUCKDB_TYPES[type])
            .map(({ name, type }) => ({ name, found: typeOf.get(name) ?? '', expected: DUCKDB_TYPES[type] }));
        found.push({ key, wrong, absent: lacking.map(({ name }) => name) });
    }
    return found;
}

async function firstFault(path: string, chunks: readonly ColumnChunk[]): Promise<string | undefined> {
    const file = await open(path);
    try {
        const footerFault = await findFooterFault(file);
        if (footerFault !== undefined) {
            return footerFault;
        }
        for (const chunk of chunks) {
            const fault = await findPageFault(file, chunk);
            if (fault !== undefined) {
                return fault;
            }
        }
        return undefined;
    } finally {
        await file.close();
    }
}

/**
 * Compares two readers, which stumble over different things: the engine passes over what the one that merges periods does not, and the
 * other way round. So each must get through, and to equal figures. @returns by key the files where they do not; their rows are taken out of
 * the table
 */
async function compareReaders(
    engine: Engine,
    name: string,
    { table, files }: { table: MergedTable; files: readonly ParquetFile[] },
): Promise<Map<string, string>> {
    const totals = await engine.rows(`
        select filename, ${table.columns.map((column) => `${totalSql(column)} as ${quoted(column.name)}`).join(', ')}
        from ${name}
        group by filename`);
    const totalsOf = new Map(totals.map((row) => [textOf(row, 'filename'), row]));
    const faults = new Map<string, string>();
    for (const { key, path } of files) {
        const fault = await findReaderFault(path, { table, totals: totalsOf.get(path) });
        if (fault !== undefined) {
            faults.set(key, fault);
            await engine.run(`delete from ${name} where filename = ${literal(path)}`);
        }
    }
    return faults;
}

/** A prime that keeps the sums of squares of many rows small. */
const MODULUS = 4_294_967_291n;

/** What each null adds to its column's total, so that a null is not taken for a zero or an empty text. */
const NULL_ADDS = 1_000_003n;

/** The sum of numbers, or the bytes of texts, as the engine reads a column; `totalOf` counts what the other reader reads. */
function totalSql({ name, type, nullable }: MergedColumn): string {
    const total = type === 'string' ? `sum(strlen(${quoted(name)}))` : `sum(${wholeSql(quoted(name), type)} % ${MODULUS})`;
    return nullable ? `coalesce(${total}, 0) + ${NULL_ADDS} * count(*) filter (${quoted(name)} is null)` : total;
}

/** A number in the smallest units of its type. */
function wholeSql(value: string, type: ColumnType): string {
    switch (type) {
        case 'decimal(28,9)':
            return `cast(${value} * 1000000000 as hugeint)`;
        case 'timestamp':
            return `cast(epoch_ms(${value}) as hugeint)`;
        default:
            return value;
    }
}

/** Why the two readers differ over a file. @param totals what the engine read of the file; undefined where that were no rows */
async function findReaderFault(
    path: string,
    { table, totals }: { table: MergedTable; totals: Row | undefined },
): Promise<string | undefined> {
    try {
        const rows = await readRows(table, new Uint8Array(await readFile(path)));
        const differing = table.columns.find(({ name }) => totalOf(valuesOf(rows, name)) !== (wholeOf(totals, name) ?? 0n));
        return differing === undefined ? undefined : `column ${differing.name} is another to one reader than to another`;
    } catch (error) {
        return `the reader that merges ${table.per}s cannot read it: ${messageOf(error)}`;
    }
}

function totalOf(values: Iterable<unknown>): bigint {
    let total = 0n;
    for (const value of values) {
        total += typeof value === 'bigint' ? value % MODULUS : value === null ? NULL_ADDS : BigInt(Buffer.byteLength(String(value)));
    }
    return total;
}

function toChunk(row: Row): ColumnChunk {
    const numberOf = (column: string): number => Number(wholeOf(row, column) ?? 0n);
    const dictionary = numberOf('dictionary_page_offset');
    const data = numberOf('data_page_offset');
    return {
        column: textOf(row, 'path_in_schema') ?? '',
        // Some writers say 0 where there is no dictionary; nothing but the file's mark stands there.
        offset: dictionary > 0 && dictionary < data ? dictionary : data,
        sizeBytes: numberOf('total_compressed_size'),
        values: numberOf('num_values'),
    };
}

async function insert(
    engine: Engine,
    name: string,
    { table, files, absent }: { table: MergedTable; files: readonly ParquetFile[]; absent: readonly string[] },
): Promise<void> {
    const day = `regexp_extract(filename, 'day=([0-9-]{10})[^=]*$', 1)`;
    const period = table.per === 'hour' ? `${day} || 'T' || regexp_extract(filename, '/([0-9]{2})[.][^/]+$', 1)` : day;
    await engine.run(`
        insert into ${name}
        select filename, file_row_number, ${listed(keyNames(table))}, ${period}, ${castFigures(table, { absent })}
        from read_parquet(${fileList(files.map(({ path }) => path))}, filename = true, file_row_number = true, hive_partitioning = false)`);
}

/**
 * What the footers say of row groups' smallest or largest values and is not so, in words, by the file's key: readers pass over rows for it. `name` is the
 * table that `loadRows` made of the files' rows.
 */
export async function findLyingStatistics(
    engine: Engine,
    name: string,
    { table, files }: { table: MergedTable; files: readonly ParquetFile[] },
): Promise<ReadonlyMap<string, readonly string[]>> {
    const columns = table.columns.map((column) => quoted(column.name));
    const lying = new Map<string, string[]>();
    if (files.length === 0) {
        return lying;
    }
    const rows = await engine.rows(`
        with metadata as (
            select file_name as filename, row_group_id, row_group_num_rows, path_in_schema,
                coalesce(stats_min_value, stats_min) as smallest, coalesce(stats_max_value, stats_max) as largest
            from parquet_metadata(${fileList(files.map(({ path }) => path))})
        ),
        sizes as (select distinct filename, row_group_id, row_group_num_rows from metadata),
        groups as (
            select *, sum(row_group_num_rows) over (partition by filename order by row_group_id) - row_group_num_rows as first_place
            from sizes
        ),
        found as (
            select filename, row_group_id, ${columns.map((column) => `[cast(min(${column}) as varchar), cast(max(${column}) as varchar)] as ${column}`).join(', ')}
            from ${name}
            join groups using (filename)
            where place >= first_place and place < first_place + row_group_num_rows
            group by filename, row_group_id
        ),
        ends as (unpivot found on ${columns.join(', ')} into name path_in_schema value ends)
        select filename, path_in_schema, min(row_group_id) as row_group_id
        from ends
        join metadata using (filename, row_group_id, path_in_schema)
        where case path_in_schema ${table.columns.map((column) => `when ${literal(column.name)} then ${isOutside(column)}`).join(' ')} end
        group by all
        order by all`);
    const keyOf = new Map(files.map(({ key, path }) => [path, key]));
    for (const row of rows) {
        const key = keyOf.get(textOf(row, 'filename') ?? '') ?? '';
        const said = `column ${textOf(row, 'path_in_schema')}, row group ${wholeOf(row, 'row_group_id')}: values outside of what its statistics say`;
        lying.set(key, [...(lying.get(key) ?? []), said]);
    }
    return lying;
}

/** SQL that is true where values reach beyond what a footer says of them; all are texts. */
function isOutside(column: MergedColumn): string {
    const cast = (text: string): string => `try_cast(${text} as ${typeOf(column)})`;
    return `${cast('smallest')} > ${cast('ends[1]')} or ${cast('largest')} < ${cast('ends[2]')}`;
}

function groupByFile(rows: readonly Row[]): Map<string, Row[]> {
    const groups = new Map<string, Row[]>();
    for (const row of rows) {
        const file = textOf(row, 'file_name') ?? '';
        const group = groups.get(file) ?? [];
        group.push(row);
        groups.set(file, group);
    }
    return groups;
}

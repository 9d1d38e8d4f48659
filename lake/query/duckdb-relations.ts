/** What the lake's tables and views are in DuckDB: SQL over the files of a directory, computed from lake/kinds.ts and the views of sql/. */
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { devices } from '#lake/devices-table';
import { StorageError } from '#lake/errors';
import type { Kind } from '#lake/kind';
import { kinds, sources } from '#lake/kinds';
import type { Column, ColumnType, Table } from '#lake/tables';
import { readView, relationsReadBy, VIEW_NAMES } from './sql-files.ts';

/** Functions of Trino and Spark that DuckDB lacks, or has by another name. All other SQL is one text for every engine. */
export const MACROS: Readonly<Record<string, string>> = {
    'element_at(list, place)': 'list_extract(list, place)',
    'levenshtein_distance(one, other)': 'levenshtein(one, other)',
};

/** A table or view that SQL may name. */
export interface Relation {
    name: string;
    /** Names of the relations that it reads. */
    needs: readonly string[];
    /** True if there is anything to read now: DuckDB refuses to open a pattern that no file matches. */
    hasFiles(): Promise<boolean>;
    createSql(options: { hasFiles: boolean }): string;
}

/** Every relation of these kinds, and the views, each after those it needs. The directory need not be there. */
export function relationsOf(directory: string, known: readonly Kind[] = kinds): Relation[] {
    const ofTables = tablesOf(known).map((table) => tableRelation(table, directory));
    const relations = new Map(ofTables.map((relation) => [relation.name, relation]));
    for (const name of VIEW_NAMES) {
        const sql = readView(name);
        // What those that it reads need is needed as well: of a view that is not there yet DuckDB makes none.
        const read = [...relationsReadBy(sql)].flatMap((one) => relations.get(one) ?? []);
        const needs = [...new Set(read.flatMap((relation) => [...relation.needs, relation.name]))];
        relations.set(name, viewRelation({ name, sql, needs }));
    }
    return [...relations.values()];
}

/** The folders of the tables: all that SQL may read. Other ones of a lake hold what is nobody's business, as the keys of its certificates. */
export function foldersOf(directory: string, known: readonly Kind[] = kinds): string[] {
    return [...new Set(tablesOf(known).map(({ table }) => join(directory, table.prefix)))];
}

/** DuckDB's words where the first file of a table lacks a column, and where a later one does; and those of `readByNames`. */
const MISSING = [
    /Table "file" does not have a column named "(?<column>\w+)"/,
    /column "(?<column>\w+)" was read from the original file "[^"]*", but could not be found in file "(?<file>[^"]*)"/,
    /column (?<column>\w+) is missing in (?<file>[^\n]*)/,
];

/** The error for files that lack a column of their table, as those of an older format do; undefined for any other message. */
export function missingColumnIn(message: string, { cause, where }: { cause: unknown; where: string }): StorageError | undefined {
    const { column, file = where } = MISSING.map((pattern) => pattern.exec(message)?.groups).find((groups) => groups) ?? {};
    return column === undefined
        ? undefined
        : new StorageError(`column ${column} is missing in ${file}, as in files of an older format: run flowlake reconcile`, { cause });
}

/** The error for a message that is about the machine or, as it names one, about a file below `root`; undefined for one about the SQL. */
export function fileFaultIn(message: string, { cause, root }: { cause: unknown; root: string }): StorageError | undefined {
    const [summary = ''] = message.split('\n');
    if (/^(IO|Out of Memory) Error/.test(summary)) {
        return new StorageError(message, { cause });
    }
    // What the Thrift decoder throws over damaged headers of pages; DuckDB 1.5 does not say of which file.
    if (summary.startsWith('Invalid Error')) {
        return new StorageError(`${summary}: a file of the table may be damaged, run flowlake verify`, { cause });
    }
    return summary.includes(root) ? new StorageError(`${summary}: the file is damaged, run flowlake verify`, { cause }) : undefined;
}

/** A text as SQL writes it. */
export function literal(text: string): string {
    return `'${text.replaceAll("'", "''")}'`;
}

/** A path as DuckDB's patterns write it: what would make a pattern of it stands for itself. */
export function escapePattern(path: string): string {
    return path.replace(/[[*?]/g, '[$&]');
}

/** A table and its objects among the files below its prefix: a stray copy or a file being written is none. */
interface TableFiles {
    table: Table;
    /** Pattern of the objects' paths, as DuckDB writes patterns. */
    pattern: string;
    /** True if rows count only while their version of the source does. */
    isOfVersions: boolean;
}

/** The tables of the kinds, each after those it needs. */
function tablesOf(known: readonly Kind[]): TableFiles[] {
    return [
        { table: sources, pattern: '????????????????.json', isOfVersions: false },
        { table: devices, pattern: '*.json', isOfVersions: false },
        ...known.flatMap(({ merged, contributions, rejects, derived = [] }) => [
            { table: merged, pattern: `${DAY_FOLDER}${merged.per === 'hour' ? HOUR : 'part-*'}.parquet`, isOfVersions: false },
            {
                table: contributions,
                pattern: `${DAY_FOLDER}${contributions.per === 'hour' ? `${HOUR}.` : ''}????????????????.*.parquet`,
                isOfVersions: false,
            },
            { table: rejects, pattern: '????????????????.*.jsonl.gz', isOfVersions: true },
            ...derived.map(({ table }) => ({ table, pattern: `${DAY_FOLDER}part-*.parquet`, isOfVersions: false })),
        ]),
    ];
}

const DAY_FOLDER = 'day=????-??-??/';

const HOUR = '[0-2][0-9]';

/** The day in the file's own path; `hive_partitioning` takes `site=x` or `day=x` above the lake for columns as well. */
const DAY_OF_FILE = "regexp_extract(filename, 'day=(....-..-..)[/\\\\][^/\\\\]*$', 1)";

const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
    string: 'varchar',
    bigint: 'bigint',
    'decimal(28,9)': 'decimal(28, 9)',
    'decimal(38,0)': 'decimal(38, 0)',
    timestamp: 'timestamp',
};

function tableRelation({ table, pattern, isOfVersions }: TableFiles, directory: string): Relation {
    return {
        name: table.name,
        needs: isOfVersions ? [sources.name] : [],
        hasFiles: async () => hasFile(directory, `${table.prefix}${pattern}`.split('/').map(toRegExp)),
        createSql: ({ hasFiles }) => {
            const files = literal(`${escapePattern(join(directory, table.prefix))}${pattern}`);
            const live = isOfVersions ? ` where (source, version) in (select (source, version) from ${sources.name})` : '';
            return `create or replace view ${table.name} as ${hasFiles ? `${filledSelect(table, files)}${live}` : emptySelect(table)}`;
        },
    };
}

function viewRelation({ name, sql, needs }: { name: string; sql: string; needs: readonly string[] }): Relation {
    return { name, needs, hasFiles: async () => true, createSql: () => `create or replace view ${name} as ${sql}` };
}

function filledSelect(table: Table, files: string): string {
    const columns = table.columns.map((column) => `cast(${sqlOf(column, table)} as ${DUCKDB_TYPES[column.type]}) as ${column.name}`);
    const days = table.per !== undefined ? [`${DAY_OF_FILE} as day`] : [];
    return `select ${[...columns, ...days].join(', ')} from ${reader(table, files)} as file`;
}

/** SQL for a column's value in relation `file`. */
function sqlOf(column: Column, table: Table): string {
    // Of the file by name: else DuckDB takes a column that the file lacks for the one that is just being named.
    const value = `file.${column.name}`;
    if (column.absentAs !== undefined) {
        return `coalesce(${value}, file.${column.absentAs})`;
    }
    // The reader by names gives nulls for a column that the file lacks. Keys, which are text, are left as they are: filters on them skip row
    // groups, and no object was ever without them.
    const mayBeAbsent = mayLackColumns(table) && !column.nullable && column.type !== 'string';
    return mayBeAbsent ? `coalesce(${value}, error('column ${column.name} is missing in ' || filename))` : value;
}

/** True if the table has objects that lack a column, for which another one stands in. */
function mayLackColumns({ columns }: Table): boolean {
    return columns.some(({ absentAs }) => absentAs !== undefined);
}

function emptySelect(table: Table): string {
    const days = table.per !== undefined ? ['cast(null as varchar) as day'] : [];
    return `select ${[...table.columns.map(nullOf), ...days].join(', ')} where false`;
}

function nullOf({ name, type }: Column): string {
    return `cast(null as ${DUCKDB_TYPES[type]}) as ${name}`;
}

function reader(table: Table, files: string): string {
    if (table.format === 'parquet') {
        return `read_parquet(${files}, filename = true, hive_partitioning = false${mayLackColumns(table) ? `, ${readByNames(table)}` : ''})`;
    }
    const columns = table.columns.map(({ name, type }) => `${name}: ${literal(DUCKDB_TYPES[type])}`).join(', ');
    const format = table.format === 'json' ? "format = 'unstructured'" : "format = 'newline_delimited', compression = 'gzip'";
    return `read_json(${files}, ${format}, records = true, hive_partitioning = false, columns = {${columns}})`;
}

/** The option that reads columns by their names, with nulls where a file lacks one: else the first file decides which there are. */
function readByNames({ columns }: Table): string {
    const fields = columns.map(
        ({ name, type }) => `'${name}': {name: '${name}', type: ${literal(DUCKDB_TYPES[type])}, default_value: null}`,
    );
    return `schema = map {${fields.join(', ')}}`;
}

/**
 * True if some file below the folder matches the pattern, name by name. Folders are read by this thread: to hand each over to another one costs ten
 * times as much, and a lake has one for each day.
 * @throws StorageError where one of these is a symbolic link: DuckDB would follow it out of the lake.
 */
function hasFile(folder: string, [pattern, ...deeper]: readonly RegExp[]): boolean {
    const entries = entriesOf(folder).filter((entry) => pattern?.test(entry.name));
    const link = entries.find((entry) => entry.isSymbolicLink());
    if (link) {
        throw new StorageError(`${join(folder, link.name)} is a symbolic link, and a lake follows none: put there what it points to`);
    }
    // Every folder is looked into, for links.
    return entries.map((entry) => deeper.length === 0 || hasFile(join(folder, entry.name), deeper)).includes(true);
}

/** A pattern of names, as DuckDB writes it. */
function toRegExp(pattern: string): RegExp {
    return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('?', '.').replaceAll('*', '.*')}$`);
}

function entriesOf(folder: string): Dirent[] {
    try {
        return readdirSync(folder, { withFileTypes: true });
    } catch (error) {
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
            return [];
        }
        throw error;
    }
}

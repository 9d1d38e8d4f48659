/** What the lake's tables and views are in DuckDB: SQL over the files of a directory, computed from lake/kinds.ts and sql/flows/views. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '#lake/errors';
import { kinds, sources, tables } from '#lake/kinds';
import type { Column, ColumnType, Table } from '#lake/tables';
import { readView, VIEW_NAMES, type ViewName } from './sql-files.ts';

/** Where DuckDB lacks a function of Trino and Spark, or has another one by its name. All other SQL is one text for every engine. */
export const MACROS: Readonly<Record<string, string>> = {
    'element_at(list, place)': 'list_extract(list, place)',
    'levenshtein_distance(one, other)': 'levenshtein(one, other)',
};

/** A table or view that SQL may name. */
export interface Relation {
    name: string;
    /** Names of the relations that it reads. */
    needs: readonly string[];
    /** Whether there is anything to read now: DuckDB refuses to open a pattern that no file matches. */
    hasFiles(): Promise<boolean>;
    createSql(options: { hasFiles: boolean }): string;
}

/** Every relation of the lake, each after those it needs. The directory need not be there. */
export function relationsOf(directory: string): Relation[] {
    return [
        ...[...tables].sort((a, b) => needsOf(a).length - needsOf(b).length).map((table) => tableRelation(table, directory)),
        ...VIEW_NAMES.map(viewRelation),
    ];
}

/** A text as SQL writes it. */
export function literal(text: string): string {
    return `'${text.replaceAll("'", "''")}'`;
}

/** A path as DuckDB's patterns write it: what would make a pattern of it stands for itself. */
export function escapePattern(path: string): string {
    return path.replace(/[[*?]/g, '[$&]');
}

/** The objects of each table, below its prefix. Whatever else lies there (a stray copy, a file being written) is none. */
const OBJECTS: ReadonlyMap<Table, string> = new Map([
    ...kinds.flatMap(({ merged, contributions, rejects }): [Table, string][] => [
        [merged, merged.per === 'day' ? 'day=????-??-??/part-*.parquet' : 'day=????-??-??/??.parquet'],
        [contributions, `day=????-??-??/${contributions.per === 'day' ? '' : '??.'}????????????????.*.parquet`],
        [rejects, '????????????????.*.jsonl.gz'],
    ]),
    [sources, '????????????????.json'],
]);

/** From the file's own path and not by `hive_partitioning`, which takes `site=x` or `day=x` above the lake for columns as well. */
const DAY_OF_FILE = "regexp_extract(filename, 'day=(....-..-..)[/\\\\][^/\\\\]*$', 1)";

const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = { string: 'varchar', bigint: 'bigint', 'decimal(38,0)': 'decimal(38, 0)' };

function tableRelation(table: Table, directory: string): Relation {
    const pattern = OBJECTS.get(table) ?? '*';
    return {
        name: table.name,
        needs: needsOf(table),
        hasFiles: () => hasFile(directory, [table.prefix.replace('/', ''), ...pattern.split('/')]),
        createSql: ({ hasFiles }) => {
            const select = hasFiles ? filledSelect(table, `${escapePattern(join(directory, table.prefix))}${pattern}`) : emptySelect(table);
            return `create or replace view ${table.name} as ${select}`;
        },
    };
}

function viewRelation(name: ViewName): Relation {
    const text = readView(name);
    return {
        name,
        // Other views as well: of a view that is not there yet DuckDB makes none.
        needs: [...MERGED_NAMES, ...VIEW_NAMES.filter((other) => text.includes(`from ${other}\n`))],
        hasFiles: async () => true,
        createSql: () => `create or replace view ${name} as ${text}`,
    };
}

const MERGED_NAMES = kinds.map(({ merged }) => merged.name);

/** A reject counts while its version does. */
function needsOf(table: Table): string[] {
    return isRejects(table) ? [sources.name] : [];
}

function isRejects(table: Table): boolean {
    return kinds.some(({ rejects }) => rejects === table);
}

function filledSelect(table: Table, pattern: string): string {
    const columns = table.columns.map(({ name, type }) => `cast(${name} as ${DUCKDB_TYPES[type]}) as ${name}`);
    const days = table.per !== undefined ? [`${DAY_OF_FILE} as day`] : [];
    const live = isRejects(table) ? ' where (source, version) in (select (source, version) from sources)' : '';
    return `select ${[...columns, ...days].join(', ')} from ${reader(table, literal(pattern))}${live}`;
}

function emptySelect(table: Table): string {
    const days = table.per !== undefined ? ['cast(null as varchar) as day'] : [];
    return `select ${[...table.columns.map(nullOf), ...days].join(', ')} where false`;
}

function nullOf({ name, type }: Column): string {
    return `cast(null as ${DUCKDB_TYPES[type]}) as ${name}`;
}

function reader(table: Table, pattern: string): string {
    if (table.format === 'parquet') {
        return `read_parquet(${pattern}, filename = true, hive_partitioning = false)`;
    }
    const columns = table.columns.map(({ name, type }) => `${name}: ${literal(DUCKDB_TYPES[type])}`).join(', ');
    const format = table.format === 'json' ? "format = 'unstructured'" : "format = 'newline_delimited', compression = 'gzip'";
    return `read_json(${pattern}, ${format}, records = true, hive_partitioning = false, columns = {${columns}})`;
}

/**
 * Whether some file below the folder matches the pattern, name by name.
 * @throws StorageError where one of these is a symbolic link: DuckDB would follow it out of the lake.
 */
async function hasFile(folder: string, [pattern = '*', ...deeper]: readonly string[]): Promise<boolean> {
    const name = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('?', '.').replaceAll('*', '.*')}$`);
    try {
        const entries = (await readdir(folder, { withFileTypes: true })).filter((entry) => name.test(entry.name));
        const link = entries.find((entry) => entry.isSymbolicLink());
        if (link) {
            throw new StorageError(`${join(folder, link.name)} is a symbolic link, and a lake follows none: put there what it points to`);
        }
        const found = await Promise.all(entries.map((entry) => deeper.length === 0 || hasFile(join(folder, entry.name), deeper)));
        return found.includes(true);
    } catch (error) {
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
            return false;
        }
        throw error;
    }
}

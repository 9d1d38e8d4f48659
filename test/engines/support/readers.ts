/** Programs that read Parquet files without SQL, as people do in notebooks. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pairDays } from '#lake/flows/tables';
import type { ColumnType } from '#lake/tables';
import type { Answer } from './compare.ts';

export const PYTHON = fileURLToPath(new URL('../../../.tools/readers/bin/python', import.meta.url));
export const DAFT_PYTHON = fileURLToPath(new URL('../../../.tools/daft/bin/python', import.meta.url));

export const READERS = ['pyarrow', 'pandas', 'polars'] as const;

export type Reader = (typeof READERS)[number];

/** One file of pair_days. */
export interface DayRead {
    day: string;
    /** Name and the reader's own type; of pyarrow also whether it may be null. */
    columns: string[][];
    rows: (string | null)[][];
    /** Row groups as the footer has them: rows, and by column the number of nulls, smallest and largest value. */
    groups: RowGroup[];
}

interface RowGroup {
    rows: number;
    limits: Record<string, [nulls: number | null, min: string | null, max: string | null]>;
}

/** Readers that take a folder of days as one table, each in its own way. */
export const FOLDER_READERS = [...READERS, 'datafusion', 'daft', 'clickhouse'] as const;

export type FolderReader = (typeof FOLDER_READERS)[number];

/** What is missing on this machine and how to get it, in one line; undefined where nothing is. */
export function readersMissing(): string | undefined {
    return existsSync(PYTHON) && existsSync(DAFT_PYTHON)
        ? undefined
        : 'pyarrow, pandas, Polars, DataFusion, ClickHouse and Daft are not installed: npm run tools -- readers daft';
}

/** Path of a program of this folder. */
export function programOf(name: string): string {
    return fileURLToPath(new URL(name, import.meta.url));
}

/** All files of pair_days, by day. */
export async function readFiles({ folder, reader }: { folder: string; reader: Reader }): Promise<DayRead[]> {
    const { stdout } = await promisify(execFile)(PYTHON, ['-B', programOf('read_files.py'), folder, reader], { maxBuffer: 1e9 });
    return JSON.parse(stdout);
}

/** All of a table, pair_days where none is named: its columns but the day, and its rows in no order, the day in front of each, every value as text. */
export async function readFolder({
    folder,
    reader,
    table = pairDays.name,
}: {
    folder: string;
    reader: FolderReader;
    table?: string;
}): Promise<{ columns: string[]; rows: (string | null)[][] }> {
    const python = reader === 'daft' ? DAFT_PYTHON : PYTHON;
    const { stdout } = await promisify(execFile)(python, ['-B', programOf('read_folder.py'), folder, table, reader], { maxBuffer: 1e9 });
    return JSON.parse(stdout);
}

/** Types of the columns that pair_days has. */
const TYPES: Readonly<Record<Reader, Readonly<Partial<Record<ColumnType, readonly string[]>>>>> = {
    pyarrow: { string: ['string'], bigint: ['int64'], 'decimal(38,0)': ['decimal128(38, 0)'] },
    // A decimal is a Python object, exact too.
    pandas: { string: ['string'], bigint: ['Int64'], 'decimal(38,0)': ['object'] },
    polars: { string: ['String'], bigint: ['Int64'], 'decimal(38,0)': ['Decimal(precision=38, scale=0)'] },
};

/** The columns of pair_days as the reader should name them. */
export function typesOf(reader: Reader): string[][] {
    const nullOf = (nullable: boolean): string[] => (reader === 'pyarrow' ? [nullable ? 'null' : 'not null'] : []);
    return pairDays.columns.map(({ name, type, nullable }) => [name, ...(TYPES[reader][type] ?? []), ...nullOf(nullable)]);
}

/** The rows of an answer about pair_days as the files have them: in their order, without the day, every value as text. */
export function wantedOf({ columns, rows }: Answer): Answer {
    const places = pairDays.columns.map(({ name }) => columns.findIndex((column) => column.name === name));
    return { columns: [], rows: rows.map((row) => places.map((place) => row[place]?.toString() ?? null)) };
}

/** Rows of a group, as lake/parquet.ts and glue-jobs/period_object.py cut a day. */
const ROW_GROUP_ROWS = 5_000;

/** What the footer should say of these rows: groups of one size, and of every column its nulls and its true limits, text by its bytes. */
export function groupsOf({ rows }: Pick<DayRead, 'rows'>): RowGroup[] {
    return Array.from({ length: Math.ceil(rows.length / ROW_GROUP_ROWS) }, (_, group) => {
        const ofGroup = rows.slice(group * ROW_GROUP_ROWS, (group + 1) * ROW_GROUP_ROWS);
        const limits = pairDays.columns.map(({ name, type }, at): [string, RowGroup['limits'][string]] => {
            const values = ofGroup.map((row) => row[at] ?? null).filter((value) => value !== null);
            const order = type === 'string' ? compareBytes : compareWhole;
            const limit = (isBetter: (a: string, b: string) => boolean): string | null =>
                values.reduce<string | null>((best, value) => (best === null || isBetter(value, best) ? value : best), null);
            return [name, [ofGroup.length - values.length, limit((a, b) => order(a, b) < 0), limit((a, b) => order(a, b) > 0)]];
        });
        return { rows: ofGroup.length, limits: Object.fromEntries(limits) };
    });
}

function compareBytes(a: string, b: string): number {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compareWhole(a: string, b: string): number {
    return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

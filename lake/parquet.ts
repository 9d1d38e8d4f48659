/** Parquet bytes of the lake's tables: columns in, columns out, and the list of contributions that a merged object contains. */
import { type Compressors, type FileMetaData, parquetMetadata, parquetRead, type RowGroup } from 'hyparquet';
import type { ColumnSource } from 'hyparquet-writer';
import { StorageError } from '#lake/errors';
import type { MergedTable, Table } from '#lake/tables';
import { codecNamed } from './parquet/codec.ts';
import { decimalOf } from './parquet/column-values.ts';
import {
    CONTAINS,
    CONTAINS_AT,
    CREATED_BY,
    FORMAT,
    type FooterEntries,
    finishFile,
    MADE_OF,
    MADE_OF_AT,
    openFile,
    rowGroupRows,
    STATE_AT,
    schemaElement,
    unitOf,
} from './parquet/file-writer.ts';
import { readGroups } from './parquet/read-groups.ts';
import { writeGroups } from './parquet/write-groups.ts';
import { emptyRows, type Rows, valuesOf } from './rows.ts';
import { type TypedRows, toMemory, toPlain, toTyped } from './typed-rows.ts';

const FOOTER_END_BYTES = 8;

/** Bytes that a row of pairs has in a file at most as a rule: some 35 as a mean. */
const ROW_BYTES = 48;

/** The bytes that `writeTyped` makes of plain rows. */
export function writeRows(table: MergedTable, rows: Rows, options?: FooterEntries): Uint8Array<ArrayBuffer> {
    return writeTyped(table, toTyped(table, rows), options);
}

/** The bytes of an object of a merged table or of contributions to it; equal rows, lists and formats give equal bytes. */
export function writeTyped(table: MergedTable, rows: TypedRows, entries?: FooterEntries): Uint8Array<ArrayBuffer> {
    const elements = table.columns.map(schemaElement);
    const file = openFile(elements, { roomBytes: rows.count * ROW_BYTES });
    file.parquet.row_groups = writeGroups(file.writer, { table, rows, elements, groupRows: rowGroupRows(rows.count, table) });
    return finishFile(file, entries);
}

interface ReadOptions {
    /** False for row groups that cannot have what is looked for. */
    mayHold?: (group: RowGroup) => boolean;
    /** Places of the row groups to read; all where it is left out. */
    groups?: readonly number[] | undefined;
    /** True reads all numbers at once, so that damage is found now and not when they are asked for. */
    isWhole?: boolean | undefined;
}

/** Plain rows of an object, read as `readTyped` does. */
export async function readRows(table: MergedTable, bytes: Uint8Array<ArrayBuffer>, options?: ReadOptions): Promise<Rows> {
    return toPlain(table, await readTyped(table, bytes, options));
}

/**
 * The rows of an object of the table, whichever program of the lake wrote it; only of the row groups that `mayHold` what is looked for.
 * @throws StorageError where its columns are not those of this version, nor those of an older one that another column stands in for: else a
 * missing one would read as zeros. A damaged page may be told only when numbers are asked for (DamagedPageError).
 */
export function readTyped(table: MergedTable, bytes: Uint8Array<ArrayBuffer>, options?: ReadOptions): Promise<TypedRows> {
    return openTyped(table, bytes)(options);
}

/** Reads an object as `readTyped` does, as often as it is asked; the footer is read once. */
export function openTyped(table: MergedTable, bytes: Uint8Array<ArrayBuffer>): (options?: ReadOptions) => Promise<TypedRows> {
    let footer: FileMetaData | undefined;
    return async ({ mayHold = () => true, groups, isWhole = false } = {}) => {
        footer ??= parquetMetadata(bufferOf(bytes));
        const whole = physical(footer);
        const absent = findAbsent(table, whole);
        checkUnits(table, footer);
        const isWanted = groups && new Set(groups);
        const row_groups = whole.row_groups.filter((group, place) => (isWanted?.has(place) ?? true) && mayHold(group));
        const metadata = { ...whole, row_groups, num_rows: row_groups.reduce((sum, group) => sum + group.num_rows, 0n) };
        const isAbsent = new Set(absent.map(({ name }) => name));
        const present = { ...table, columns: table.columns.filter(({ name }) => !isAbsent.has(name)) };
        // What other programs wrote the library reads, and what is otherwise than this one writes.
        const rows =
            (whole.created_by === CREATED_BY && readGroups(bytes, { table: present, metadata })) ||
            toTyped(present, await readByLibrary(present, bytes, metadata));
        const standIns = new Map(absent.map(({ name, absentAs }) => [name, absentAs]));
        const withStandIns: TypedRows = {
            ...rows,
            numbers: (name, from, until) => rows.numbers(standIns.get(name) ?? name, from, until),
        };
        return isWhole ? toMemory(table, withStandIns) : withStandIns;
    };
}

/** Unpacks what the library cannot by itself. */
const COMPRESSORS: Compressors = {
    ZSTD: (block, length) => {
        const bytes = new Uint8Array(length);
        codecNamed('ZSTD')?.uncompress(block, bytes);
        return bytes;
    },
};

async function readByLibrary(table: MergedTable, bytes: Uint8Array<ArrayBuffer>, metadata: FileMetaData): Promise<Rows> {
    const rows = emptyRows(table, Number(metadata.num_rows));
    await parquetRead({
        file: bufferOf(bytes),
        metadata,
        utf8: true,
        compressors: COMPRESSORS,
        onChunk: ({ columnName, columnData, rowStart }) => {
            const column: { [at: number]: unknown } = valuesOf(rows, columnName);
            for (let at = 0; at < columnData.length; at += 1) {
                const value: unknown = columnData[at];
                column[rowStart + at] = value instanceof Uint8Array ? decimalOf(value) : value;
            }
        },
    });
    return rows;
}

interface AbsentColumn {
    name: string;
    absentAs: string;
}

/** The columns that the file lacks and another one stands in for. @throws StorageError where any other column is missing, or one too many */
function findAbsent({ columns }: MergedTable, { schema }: FileMetaData): AbsentColumn[] {
    const [, ...elements] = schema;
    const found = new Set(elements.map(({ name }) => name));
    const absent: AbsentColumn[] = [];
    for (const { name, absentAs } of columns) {
        if (found.delete(name)) {
            continue;
        }
        if (absentAs === undefined) {
            throw new StorageError(`column ${name} is missing, as in a summary of an older format: run flowlake reconcile`);
        }
        absent.push({ name, absentAs });
    }
    for (const name of found) {
        throw new StorageError(
            `column ${name} is not known to this version of flowlake: use the one that wrote the object, or a newer one`,
        );
    }
    return absent;
}

/** What a merged object contains, ascending. */
export function readContains(bytes: Uint8Array<ArrayBuffer>): string[] {
    return readContainsAtEnd(bytes, { sizeBytes: bytes.length }) ?? [];
}

/**
 * What a merged object contains, ascending, from the object's last bytes alone; `sizeBytes` is the size of the whole object. Undefined
 * where the bytes do not reach back far enough.
 */
export function readContainsAtEnd(end: Uint8Array<ArrayBuffer>, { sizeBytes }: { sizeBytes: number }): string[] | undefined {
    const list = readTextAtEnd(end, { sizeBytes, key: CONTAINS, keyAt: CONTAINS_AT });
    return list === '' ? [] : list?.split(',');
}

/** What a derived object says that it was made of, as `readContainsAtEnd` reads; empty where it does not say. */
export function readMadeOfAtEnd(end: Uint8Array<ArrayBuffer>, { sizeBytes }: { sizeBytes: number }): string | undefined {
    return readTextAtEnd(end, { sizeBytes, key: MADE_OF, keyAt: MADE_OF_AT });
}

/** The state behind a derived object, packed; undefined where it has none. */
export function readState(bytes: Uint8Array<ArrayBuffer>): Uint8Array | undefined {
    const footer = readFooterAtEnd(bytes, { sizeBytes: bytes.length });
    const [offset = 0, length = 0] = placeOf(footer && entriesOf(footer).get(STATE_AT));
    return length > 0 ? bytes.subarray(offset, offset + length) : undefined;
}

/** A text of the metadata, or of the place that it names; empty where there is none, undefined where the bytes do not reach back far enough. */
function readTextAtEnd(
    end: Uint8Array<ArrayBuffer>,
    { sizeBytes, key, keyAt }: { sizeBytes: number; key: string; keyAt: string },
): string | undefined {
    const footer = readFooterAtEnd(end, { sizeBytes });
    if (!footer) {
        return undefined;
    }
    const entries = entriesOf(footer);
    const missing = sizeBytes - end.length;
    const [offset = 0, length = 0] = placeOf(entries.get(keyAt));
    if (length > 0 && offset < missing) {
        return undefined;
    }
    return length > 0 ? Buffer.from(end.buffer, end.byteOffset + offset - missing, length).toString() : (entries.get(key) ?? '');
}

/** Offset and length of what an entry says the place of. */
function placeOf(entry: string | undefined): number[] {
    return entry?.split(':').map(Number) ?? [];
}

/** What the footer of an object tells. */
export interface FooterFacts {
    rowCount: number;
    /** Format of the kind that it says; undefined in objects that were written before they said it. */
    saidFormat: number | undefined;
    /** True if it lacks a column of its table, as objects of an older format do. */
    lacksColumns: boolean;
}

/** What the footer of an object of the table tells, from the object's last bytes alone; undefined where they do not reach back far enough. */
export function readFactsAtEnd(
    end: Uint8Array<ArrayBuffer>,
    { sizeBytes, table }: { sizeBytes: number; table: Pick<Table, 'columns'> },
): FooterFacts | undefined {
    const footer = readFooterAtEnd(end, { sizeBytes });
    if (!footer) {
        return undefined;
    }
    const said = Number(entriesOf(footer).get(FORMAT) ?? Number.NaN);
    const found = new Set(footer.schema.map(({ name }) => name));
    return {
        rowCount: Number(footer.num_rows),
        saidFormat: Number.isInteger(said) ? said : undefined,
        lacksColumns: table.columns.some(({ name }) => !found.has(name)),
    };
}

/** The footer, from the file's last bytes alone; undefined where they do not reach back far enough. */
function readFooterAtEnd(end: Uint8Array<ArrayBuffer>, { sizeBytes }: { sizeBytes: number }): FileMetaData | undefined {
    // Parquet, "File format": the footer, its length as four bytes, and `PAR1`.
    const footerBytes = end.length < FOOTER_END_BYTES ? 0 : Buffer.from(end).readUInt32LE(end.length - FOOTER_END_BYTES);
    const isCut = sizeBytes > end.length && footerBytes + FOOTER_END_BYTES > end.length;
    return isCut ? undefined : parquetMetadata(bufferOf(end));
}

function entriesOf({ key_value_metadata: entries }: FileMetaData): ReadonlyMap<string, string | undefined> {
    return new Map(entries?.map(({ key, value }) => [key, value]));
}

/** What is no text in an export; other values a query has as texts too. */
const EXPORTED_TYPES = ['bigint', 'decimal(38,0)', 'decimal(28,9)', 'timestamp', 'double', 'boolean'];

/** Any rows as Parquet, for exports. Decimals and timestamps are whole numbers in their unit: billionths, milliseconds. What has another type is text. */
export function writeParquetTable({
    columns,
    rows,
}: {
    columns: readonly { name: string; type: string }[];
    rows: readonly (readonly unknown[])[];
}): Uint8Array<ArrayBuffer> {
    const columnData = columns.map(({ name }, at): ColumnSource => ({ name, data: rows.map((row) => row[at] ?? null) }));
    const file = openFile(
        columns.map(({ name, type }, at) =>
            schemaElement({
                name,
                type: EXPORTED_TYPES.includes(type) ? type : 'string',
                nullable: rows.some((row) => (row[at] ?? null) === null),
            }),
        ),
    );
    // Synchronous over a writer in memory.
    void file.parquet.write({ columnData, rowGroupSize: rowGroupRows(rows.length) });
    return finishFile(file);
}

/** @throws StorageError where decimals or timestamps of a file are of other units than the columns': their digits would be taken for others */
function checkUnits({ columns }: MergedTable, { schema }: FileMetaData): void {
    for (const column of columns) {
        const [expected, found] = [schemaElement(column), schema.find(({ name }) => name === column.name)].map(unitOf);
        if (found !== undefined && found !== expected) {
            throw new StorageError(`column ${column.name} has ${found}, not ${expected}: it was written by another program`);
        }
    }
}

/**
 * The metadata with decimals and timestamps as the numbers and bytes they are: the reader would make doubles of decimals, which lose digits above 2^53,
 * and of timestamps dates, which end in the year 275760.
 */
function physical(metadata: FileMetaData): FileMetaData {
    const schema = metadata.schema.map((element) => {
        const { converted_type, logical_type } = element;
        if (converted_type !== 'DECIMAL' && !converted_type?.startsWith('TIMESTAMP_') && logical_type?.type !== 'TIMESTAMP') {
            return element;
        }
        const { converted_type: _, logical_type: __, ...bare } = element;
        return bare;
    });
    return { ...metadata, schema };
}

function bufferOf(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
    return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
        ? bytes.buffer
        : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

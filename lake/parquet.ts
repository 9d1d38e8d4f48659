/** Parquet bytes of the lake's tables: columns in, columns out, and the list of contributions that a merged object contains. */
import { type FileMetaData, type KeyValue, parquetMetadata, parquetRead, type RowGroup, type SchemaElement } from 'hyparquet';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import { StorageError } from '#lake/errors';
import type { ColumnType, MergedTable } from '#lake/tables';
import { readGroups } from './parquet/read-groups.ts';
import { writeGroups } from './parquet/write-groups.ts';
import { emptyRows, type Rows, valuesOf } from './rows.ts';
import { numbersOf, type TypedRows, toPlain, toTyped } from './typed-rows.ts';

/** Rows of a group: few enough that the statistics of sorted keys let a reader of one key skip nearly all groups of a period. */
const ROW_GROUP_ROWS = 5_000;

/** A group costs every reader 1.4 kB of footer: past five million rows the groups grow instead, as in glue-jobs/period_object.py. */
const MAX_ROW_GROUPS = 1_000;

/** Key of the metadata that lists what a merged object contains: `<source>.<version>`, comma between. */
const CONTAINS = 'flowlake.contains';

/**
 * Key of the metadata that says where a longer list stands: `<offset>:<length>` of the text in front of the footer, where only the
 * consolidator reads it.
 */
const CONTAINS_AT = 'flowlake.contains_at';

const FOOTER_END_BYTES = 8;

/** Who wrote a file, as its footer says. */
const CREATED_BY = 'flowlake';

/** A longer list would make every reader's footer heavy: at 36 bytes each, some hundred and ten sources. */
const MAX_INLINE_LIST_BYTES = 4096;

interface WriteOptions {
    /** What a merged object contains, in any order. */
    contains?: readonly string[];
}

/** As `writeTyped`, for few rows. */
export function writeRows(table: MergedTable, rows: Rows, options?: WriteOptions): Uint8Array<ArrayBuffer> {
    return writeTyped(table, toTyped(table, rows), options);
}

/** The bytes of an object of a merged table or of contributions to it; equal rows and lists give equal bytes. */
export function writeTyped(table: MergedTable, rows: TypedRows, { contains }: WriteOptions = {}): Uint8Array<ArrayBuffer> {
    const elements = table.columns.map(schemaElement);
    const { writer, parquet } = openWriter(elements);
    parquet.row_groups = writeGroups(writer, { table, rows, elements, groupRows: rowGroupRows(rows.count) });
    parquet.num_rows = BigInt(rows.count);
    if (contains) {
        parquet.kvMetadata = [placeList(writer, Buffer.from([...contains].sort().join(',')))];
    }
    return finish(parquet, writer);
}

interface ReadOptions {
    /** False for row groups that cannot have what is looked for. */
    mayHold?: (group: RowGroup) => boolean;
}

/** As `readTyped`, for few rows. */
export async function readRows(table: MergedTable, bytes: Uint8Array<ArrayBuffer>, options?: ReadOptions): Promise<Rows> {
    return toPlain(table, await readTyped(table, bytes, options));
}

/**
 * The rows of an object of the table, whichever program of the lake wrote it; only of the row groups that `mayHold` what is looked for.
 * @throws StorageError where its columns are not those of this version, nor those of an older one that another column stands in for: else a
 * missing one would read as zeros.
 */
export async function readTyped(
    table: MergedTable,
    bytes: Uint8Array<ArrayBuffer>,
    { mayHold = () => true }: ReadOptions = {},
): Promise<TypedRows> {
    const whole = physical(parquetMetadata(bufferOf(bytes)));
    const absent = findAbsent(table, whole);
    const row_groups = whole.row_groups.filter(mayHold);
    const metadata = { ...whole, row_groups, num_rows: row_groups.reduce((sum, group) => sum + group.num_rows, 0n) };
    const isAbsent = new Set(absent.map(({ name }) => name));
    const present = { ...table, columns: table.columns.filter(({ name }) => !isAbsent.has(name)) };
    // The library reads what other programs wrote, and says what is wrong with a damaged file.
    const rows =
        (whole.created_by === CREATED_BY && readGroups(bytes, { table: present, metadata })) ||
        toTyped(present, await readByLibrary(present, bytes, metadata));
    const standIns = Object.fromEntries(absent.map(({ name, absentAs }) => [name, numbersOf(rows, absentAs)]));
    return { ...rows, numbers: { ...rows.numbers, ...standIns } };
}

async function readByLibrary(table: MergedTable, bytes: Uint8Array<ArrayBuffer>, metadata: FileMetaData): Promise<Rows> {
    const rows = emptyRows(table, Number(metadata.num_rows));
    await parquetRead({
        file: bufferOf(bytes),
        metadata,
        utf8: true,
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
    const missing = sizeBytes - end.length;
    // Parquet, "File format": the footer, its length as four bytes, and `PAR1`.
    const footerBytes = end.length < FOOTER_END_BYTES ? 0 : Buffer.from(end).readUInt32LE(end.length - FOOTER_END_BYTES);
    if (missing > 0 && footerBytes + FOOTER_END_BYTES > end.length) {
        return undefined;
    }
    const entries = new Map(parquetMetadata(bufferOf(end)).key_value_metadata?.map(({ key, value }) => [key, value]));
    const [offset = 0, length = 0] = entries.get(CONTAINS_AT)?.split(':').map(Number) ?? [];
    if (length > 0 && offset < missing) {
        return undefined;
    }
    const list = length > 0 ? Buffer.from(end.buffer, end.byteOffset + offset - missing, length).toString() : (entries.get(CONTAINS) ?? '');
    return list === '' ? [] : list.split(',');
}

/** Any rows as Parquet, for exports: whole numbers as bigint or decimal(38,0), doubles, else text. */
export function writeParquetTable({
    columns,
    rows,
}: {
    columns: readonly { name: string; type: string }[];
    rows: readonly (readonly unknown[])[];
}): Uint8Array<ArrayBuffer> {
    const columnData = columns.map(({ name }, at): ColumnSource => ({ name, data: rows.map((row) => row[at] ?? null) }));
    const { writer, parquet } = openWriter(
        columns.map(({ name, type }, at) => schemaElement({ name, type, nullable: rows.some((row) => (row[at] ?? null) === null) })),
    );
    // Synchronous over a writer in memory.
    void parquet.write({ columnData, rowGroupSize: rowGroupRows(rows.length) });
    return finish(parquet, writer);
}

/** A file that begins, in memory. */
function openWriter(elements: readonly SchemaElement[]): { writer: ByteWriter; parquet: ParquetWriter } {
    const writer = new ByteWriter(1 << 16);
    const schema = [{ name: 'root', num_children: elements.length }, ...elements];
    const parquet = new ParquetWriter({ writer, schema, createdBy: CREATED_BY, statistics: true, statisticsTruncateLength: 64 });
    return { writer, parquet };
}

/** The bytes of the file, with its footer. */
function finish(parquet: ParquetWriter, writer: ByteWriter): Uint8Array<ArrayBuffer> {
    // Synchronous over a writer in memory.
    void parquet.finish();
    const bytes = writer.getBytes();
    if (parquet.row_groups.length === 0) {
        typeEmptyRowGroups(bytes);
    }
    return bytes;
}

/** Fields `num_rows` of 0 and `row_groups` of no element (parquet.thrift, FileMetaData) as hyparquet-writer 0.17 writes them: the list's elements have type 0. */
const UNTYPED_ROW_GROUPS = Uint8Array.of(0x16, 0x00, 0x19, 0x00);

/** A list's header is `size << 4 | element type`, and a struct is 12 (Thrift compact protocol, "List and Set"). */
const NO_STRUCTS = 0x0c;

/**
 * Gives the empty list of row groups its element type, in place. Readers in Rust (DataFusion, Daft, parquet-wasm) refuse type 0, which is
 * none, and with the file the whole folder.
 */
function typeEmptyRowGroups(bytes: Uint8Array): void {
    // From the end: names of columns stand in front of the two fields and may be anything; what stands behind them cannot hold these bytes.
    const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(UNTYPED_ROW_GROUPS);
    if (at < 0) {
        throw new TypeError('hyparquet-writer types empty lists otherwise: leave them as they are');
    }
    bytes[at + UNTYPED_ROW_GROUPS.length - 1] = NO_STRUCTS;
}

/** How many rows each row group has in an object of `rowCount` rows; the last group has what is left. */
export function rowGroupRows(rowCount: number): number {
    return Math.max(ROW_GROUP_ROWS, Math.ceil(rowCount / MAX_ROW_GROUPS));
}

function placeList(writer: ByteWriter, list: Buffer): KeyValue {
    if (list.length <= MAX_INLINE_LIST_BYTES) {
        return { key: CONTAINS, value: list.toString() };
    }
    const entry = { key: CONTAINS_AT, value: `${writer.offset}:${list.length}` };
    writer.appendBytes(list);
    return entry;
}

function schemaElement({ name, type, nullable }: { name: string; type: ColumnType | 'double' | string; nullable: boolean }): SchemaElement {
    const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
    switch (type) {
        case 'bigint':
            return { name, type: 'INT64', repetition_type };
        case 'double':
            return { name, type: 'DOUBLE', repetition_type };
        case 'boolean':
            return { name, type: 'BOOLEAN', repetition_type };
        case 'decimal(38,0)':
            return {
                name,
                type: 'FIXED_LEN_BYTE_ARRAY',
                type_length: 16,
                converted_type: 'DECIMAL',
                precision: 38,
                scale: 0,
                repetition_type,
            };
        default:
            return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type };
    }
}

/** The metadata with decimals as the bytes they are: the reader would make doubles of them, which lose digits above 2^53. */
function physical(metadata: FileMetaData): FileMetaData {
    const schema = metadata.schema.map((element) => {
        if (element.converted_type !== 'DECIMAL') {
            return element;
        }
        const { converted_type: _, logical_type: __, ...bare } = element;
        return bare;
    });
    return { ...metadata, schema };
}

/** The value of a decimal: two's complement, big-endian (Parquet LogicalTypes, DECIMAL). */
function decimalOf(bytes: Uint8Array): bigint {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return (view.getBigInt64(0) << 64n) | view.getBigUint64(8);
}

function bufferOf(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
    return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
        ? bytes.buffer
        : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

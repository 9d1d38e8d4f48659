/** A Parquet file of the lake that is being written, in memory: its schema, its footer, and the list of contributions in its metadata. */
import type { KeyValue, SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ColumnType, MergedTable } from '#lake/tables';

/** Rows of a group: few enough that the statistics of sorted keys let a reader of one key skip nearly all groups of a period. */
const ROW_GROUP_ROWS = 5_000;

/** A group costs every reader 1.4 kB of footer: past five million rows the groups grow instead, as in glue-jobs/period_object.py. */
export const MAX_ROW_GROUPS = 1_000;

/** Key of the metadata that lists what a merged object contains: `<source>.<version>`, comma between. */
export const CONTAINS = 'flowlake.contains';

/**
 * Key of the metadata that says where a longer list stands: `<offset>:<length>` of the text in front of the footer, where only the
 * consolidator reads it.
 */
export const CONTAINS_AT = 'flowlake.contains_at';

/** Keys of the metadata that say what a derived object was made of, or where that stands: JSON of lake/commit/derive-state.ts. */
export const MADE_OF = 'flowlake.made_of';
export const MADE_OF_AT = 'flowlake.made_of_at';

/** Key of the metadata that says where the state behind a derived object stands, packed. */
export const STATE_AT = 'flowlake.state_at';

/** Key of the metadata that says the kind's format in which all rows were read; of rows that were read in several, the lowest. Of a derived object it is the derived table's format. */
export const FORMAT = 'flowlake.format';

/** Who wrote a file, as its footer says. */
export const CREATED_BY = 'flowlake';

/** A longer text would make every reader's footer heavy: of a list at 36 bytes each, some hundred and ten sources. */
const MAX_INLINE_BYTES = 4096;

/** Bounds of texts are cut to that many bytes in the footer: shorter ones are values of the group. */
export const CUT_BOUND_BYTES = 64;

/** What the footer says beside the columns. */
export interface FooterEntries {
    /** What a merged object contains, as `<source>.<version>`, in any order. */
    contains?: readonly string[];
    /** Format of the kind in which the rows were read; see `FORMAT`. */
    format?: number;
    /** What a derived object was made of; see `MADE_OF`. */
    madeOf?: string;
    /** The state behind a derived object, packed. */
    state?: Uint8Array | undefined;
}

export interface OpenFile {
    writer: ByteWriter;
    parquet: ParquetWriter;
}

/** Room for an object of a few rows and its footer. */
const FIRST_BYTES = 1 << 13;

/** A file that begins, in memory, with room for so many bytes: room that is not used costs nothing, and making more of it a copy of all. */
export function openFile(elements: readonly SchemaElement[], { roomBytes = 0 }: { roomBytes?: number } = {}): OpenFile {
    const writer = new ByteWriter(Math.max(roomBytes, FIRST_BYTES));
    const schema = [{ name: 'root', num_children: elements.length }, ...elements];
    const parquet = new ParquetWriter({
        writer,
        schema,
        createdBy: CREATED_BY,
        statistics: true,
        statisticsTruncateLength: CUT_BOUND_BYTES,
    });
    return { writer, parquet };
}

/** The bytes of the file, with its footer. */
export function finishFile(
    { writer, parquet }: OpenFile,
    { contains, format, madeOf, state }: FooterEntries = {},
): Uint8Array<ArrayBuffer> {
    parquet.num_rows = parquet.row_groups.reduce((sum, { num_rows }) => sum + num_rows, 0n);
    const entries = [
        ...(contains ? [placeText(writer, [...contains].sort().join(','), { key: CONTAINS, keyAt: CONTAINS_AT })] : []),
        ...(madeOf === undefined ? [] : [placeText(writer, madeOf, { key: MADE_OF, keyAt: MADE_OF_AT })]),
        ...(state ? [placeBytes(writer, state, STATE_AT)] : []),
        ...(format === undefined ? [] : [{ key: FORMAT, value: String(format) }]),
    ];
    if (entries.length > 0) {
        parquet.kvMetadata = entries;
    }
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

/** How many rows each row group has in an object of the table of `rowCount` rows; the last group has what is left. */
export function rowGroupRows(rowCount: number, { groupRows = ROW_GROUP_ROWS }: Pick<MergedTable, 'groupRows'> = {}): number {
    return Math.max(groupRows, Math.ceil(rowCount / MAX_ROW_GROUPS));
}

/** The entry of a short text; of a long one the entry that says where it stands, in front of the footer. */
function placeText(writer: ByteWriter, text: string, { key, keyAt }: { key: string; keyAt: string }): KeyValue {
    const bytes = Buffer.from(text);
    return bytes.length <= MAX_INLINE_BYTES ? { key, value: text } : placeBytes(writer, bytes, keyAt);
}

function placeBytes(writer: ByteWriter, bytes: Uint8Array, keyAt: string): KeyValue {
    const entry = { key: keyAt, value: `${writer.offset}:${bytes.length}` };
    writer.appendBytes(bytes);
    return entry;
}

/** The column as Parquet's schema has it. */
export function schemaElement({
    name,
    type,
    nullable,
}: {
    name: string;
    type: ColumnType | 'double' | string;
    nullable: boolean;
}): SchemaElement {
    const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
    switch (type) {
        case 'bigint':
            return { name, type: 'INT64', repetition_type };
        case 'double':
            return { name, type: 'DOUBLE', repetition_type };
        case 'boolean':
            return { name, type: 'BOOLEAN', repetition_type };
        case 'decimal(28,9)':
            return {
                name,
                type: 'FIXED_LEN_BYTE_ARRAY',
                type_length: 12,
                converted_type: 'DECIMAL',
                precision: 28,
                scale: 9,
                repetition_type,
            };
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
        case 'timestamp':
            // Adjusted to UTC, Trino would show it in the time zone of its machine, and no engine find it by a timestamp of a query alike.
            return { name, type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MILLIS' }, repetition_type };
        default:
            return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type };
    }
}

/** The units of an element's numbers in words; undefined for an element that is not there. */
export function unitOf(element: SchemaElement | undefined): string | undefined {
    const { converted_type, logical_type, scale = 0 } = element ?? {};
    if (converted_type === 'DECIMAL') {
        return scale === 0 ? 'whole numbers' : `decimals of ${scale} digits behind the point`;
    }
    if (logical_type?.type === 'TIMESTAMP') {
        return `timestamps in ${logical_type.unit.toLowerCase()}`;
    }
    return (
        element && (converted_type?.startsWith('TIMESTAMP_') ? `timestamps in ${converted_type.slice(10).toLowerCase()}` : 'whole numbers')
    );
}

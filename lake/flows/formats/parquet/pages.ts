/** Reads a column of a row group page by page: memory holds a window of its bytes, its dictionary and one page, however large the group is. */
import * as zlib from 'node:zlib';
import type { ColumnMetaData, DecodedArray, PageHeader, SchemaElement } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import type { ByRange } from '#lake/kind';
import { unpackPage } from './codecs.ts';
import { damaged, RefusedParquetError } from './refused.ts';
import { readRuns } from './runs.ts';
import type { ColumnType, Stored } from './values.ts';

/** A column that is read. */
export interface ReadColumn {
    name: string;
    element: SchemaElement;
    type: ColumnType;
}

/** The values of some rows that follow each other. */
export interface Page {
    rowCount: number;
    values: ArrayLike<Stored>;
    /** Place of each row's value, -1 where it has none; undefined where each row has a value of its own, in their order. */
    index: Int32Array | undefined;
    /** True if `values` are those of a dictionary, the same array for all pages that it serves. */
    isDictionary: boolean;
}

/** The stored value of a row of the page. */
export function storedAt({ values, index }: Page, row: number): Stored {
    const at = index ? (index[row] as number) : row;
    return at < 0 ? null : (values[at] as Stored);
}

/** Bytes that are asked for at once: enough that the time to the first byte hardly counts on S3. */
const WINDOW_BYTES = 4 << 20;

/** Larger pages are none that anybody should have to hold in memory; writers make pages of 1 MiB, some of all that a group has. */
const MAX_PAGE_BYTES = 1 << 28;
const MAX_PAGE_ROWS = 1 << 24;

/** A page's header holds the smallest and the largest of its values, which a writer may not cut. */
const MAX_HEADER_BYTES = 1 << 24;

/** Parquet writes the length of the levels of a page of version 1 in front of them. */
const LENGTH_BYTES = 4;

const BYTES_OF: Partial<Record<string, number>> = { INT32: 4, FLOAT: 4, INT64: 8, DOUBLE: 8, INT96: 12 };

/** The pages of one column of one row group of `rowCount` rows. @throws DamagedFileError, RefusedParquetError */
export async function* readPages(
    ranges: ByRange,
    chunk: ColumnMetaData,
    { column, rowCount }: { column: ReadColumn; rowCount: number },
): AsyncGenerator<Page> {
    const bytes = openChunk(ranges, chunk);
    let dictionary: ArrayLike<Stored> | undefined;
    for (let rowsLeft = rowCount; rowsLeft > 0; ) {
        const header = await bytes.header();
        const packed = await bytes.take(header.compressed_page_size);
        checkSum(header, packed);
        if (header.type === 'DICTIONARY_PAGE') {
            const count = header.dictionary_page_header?.num_values ?? 0;
            const unpacked = unpackPage(packed, { codec: chunk.codec, sizeBytes: header.uncompressed_page_size });
            dictionary = plainValues(unpacked, { at: 0, count, column });
        } else if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
            const page = readDataPage(header, packed, { chunk, column, dictionary, maxRows: rowsLeft });
            rowsLeft -= page.rowCount;
            yield page;
        }
    }
}

interface DataPageOptions {
    chunk: ColumnMetaData;
    column: ReadColumn;
    dictionary: ArrayLike<Stored> | undefined;
    maxRows: number;
}

function readDataPage(header: PageHeader, packed: Uint8Array, { chunk, column, dictionary, maxRows }: DataPageOptions): Page {
    const { codec } = chunk;
    const old = header.data_page_header;
    const { num_values: rowCount = -1, encoding } = header.data_page_header_v2 ?? old ?? {};
    if (rowCount < 0 || rowCount > maxRows) {
        throw damaged(`a page of ${rowCount} rows where ${maxRows} are left`);
    }
    if (rowCount > MAX_PAGE_ROWS) {
        throw new RefusedParquetError(
            `column ${JSON.stringify(column.name)} has a page of ${rowCount} rows, more than ${MAX_PAGE_ROWS}; write the file anew with smaller pages`,
        );
    }
    const hasLevels = column.element.repetition_type !== 'REQUIRED';
    let bytes: Uint8Array;
    let at = 0;
    let present: Int32Array | undefined;
    if (header.data_page_header_v2) {
        const { definition_levels_byte_length: levelBytes, repetition_levels_byte_length: before } = header.data_page_header_v2;
        if (before !== 0 || levelBytes < 0 || levelBytes > packed.length) {
            throw damaged('levels longer than their page');
        }
        present = hasLevels ? readRuns(packed, { start: 0, end: levelBytes, width: 1, count: rowCount }) : undefined;
        const values = packed.subarray(levelBytes);
        const isPacked = header.data_page_header_v2.is_compressed !== false;
        bytes = isPacked ? unpackPage(values, { codec, sizeBytes: header.uncompressed_page_size - levelBytes }) : values;
    } else {
        bytes = unpackPage(packed, { codec, sizeBytes: header.uncompressed_page_size });
        if (hasLevels) {
            assertEncoding(old?.definition_level_encoding, ['RLE'], column);
            const length = bytes.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : viewOf(bytes).getUint32(0, true);
            at = LENGTH_BYTES + length;
            if (at > bytes.length) {
                throw damaged('levels longer than their page');
            }
            present = readRuns(bytes, { start: LENGTH_BYTES, end: at, width: 1, count: rowCount });
        }
    }
    const count = present ? present.reduce((sum, level) => sum + level, 0) : rowCount;
    const isWhole = count === rowCount;
    if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
        const places = readPlaces(bytes, { at, count, size: dictionary?.length ?? 0 });
        const index = present && !isWhole ? spread(present, (place) => places[place] as number) : places;
        return { rowCount, values: dictionary ?? [], index, isDictionary: true };
    }
    const values = count === 0 ? [] : valuesIn(bytes, { at, count, column, encoding });
    return { rowCount, values, index: present && !isWhole ? spread(present, (place) => place) : undefined, isDictionary: false };
}

/** What `of` gives for each row's place among those that have a value; -1 for the others. */
function spread(present: Int32Array, of: (place: number) => number): Int32Array {
    let place = 0;
    return present.map((level) => (level === 1 ? of(place++) : -1));
}

/** The places in the dictionary of `size` values that a page's rows name. */
function readPlaces(bytes: Uint8Array, { at, count, size }: { at: number; count: number; size: number }): Int32Array {
    const width = bytes[at] ?? 0;
    if (width > 32) {
        throw damaged('a dictionary of more than 32 bits');
    }
    const places = count === 0 || width === 0 ? new Int32Array(count) : readRuns(bytes, { start: at + 1, end: bytes.length, width, count });
    if (!places.every((place) => place >= 0 && place < size)) {
        throw damaged('a value that is not in the dictionary');
    }
    return places;
}

interface ValuesPlace {
    at: number;
    count: number;
    column: ReadColumn;
}

function valuesIn(bytes: Uint8Array, { at, count, column, encoding }: ValuesPlace & { encoding: string | undefined }): ArrayLike<Stored> {
    const { type = '', type_length: width = 0 } = column.element;
    if (encoding === 'PLAIN') {
        return plainValues(bytes, { at, count, column });
    }
    const reader = { view: viewOf(bytes), offset: at };
    try {
        if (encoding === 'DELTA_BINARY_PACKED' && (type === 'INT32' || type === 'INT64')) {
            const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
            deltaBinaryUnpack(reader, count, values);
            return values;
        }
        if ((encoding === 'DELTA_LENGTH_BYTE_ARRAY' || encoding === 'DELTA_BYTE_ARRAY') && type === 'BYTE_ARRAY') {
            const values = new Array<Uint8Array>(count);
            (encoding === 'DELTA_BYTE_ARRAY' ? deltaByteArray : deltaLengthByteArray)(reader, count, values);
            return column.type.is === 'text' ? values.map((value) => textOf(value, 0, value.length)) : values;
        }
        if (encoding === 'BYTE_STREAM_SPLIT') {
            return stored(byteStreamSplit(reader, count, type as 'DOUBLE', width));
        }
    } catch (error) {
        throw damaged(messageOf(error), error);
    }
    throw notRead(encoding, column);
}

function plainValues(bytes: Uint8Array, { at, count, column }: ValuesPlace): ArrayLike<Stored> {
    const { type, type_length: fixedBytes } = column.element;
    if (count === 0) {
        return [];
    }
    if (type === 'BYTE_ARRAY') {
        return byteArrays(bytes, { at, count, column });
    }
    const width = type === 'FIXED_LEN_BYTE_ARRAY' ? fixedBytes : BYTES_OF[type ?? ''];
    if (type === undefined || width === undefined || count < 0 || at + count * width > bytes.length) {
        throw damaged('a page ends before its last value');
    }
    return stored(readPlain({ view: viewOf(bytes), offset: at }, type, count, fixedBytes));
}

function byteArrays(bytes: Uint8Array, { at: start, count, column }: ValuesPlace): (string | Uint8Array)[] {
    const view = viewOf(bytes);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isText = column.type.is === 'text';
    const values: (string | Uint8Array)[] = [];
    for (let at = start; values.length < count; ) {
        const from = at + LENGTH_BYTES;
        at = from > bytes.length ? from : from + view.getUint32(at, true);
        if (at > bytes.length) {
            throw damaged('a page ends before its last value');
        }
        values.push(isText ? textOf(buffer, from, at) : bytes.subarray(from, at));
    }
    return values;
}

/** The column's bytes in their order, some at a time. */
function openChunk(ranges: ByRange, chunk: ColumnMetaData) {
    const data = Number(chunk.data_page_offset);
    const dictionary = Number(chunk.dictionary_page_offset ?? 0n);
    const start = dictionary > 0 && dictionary < data ? dictionary : data;
    const end = start + Number(chunk.total_compressed_size);
    if (!(start > 0 && end > start && end <= ranges.sizeBytes)) {
        throw damaged('a column beyond the end of the file');
    }
    let held = new Uint8Array(0);
    let at = 0;
    /** Place in the file behind what is held. */
    let next = start;

    /** Holds `count` bytes from `at` on, or all that are left. Each window has memory of its own: values may be views of it. */
    async function hold(count: number): Promise<void> {
        const left = held.length - at;
        if (left < count && next < end) {
            const until = Math.min(end, next + Math.max(count - left, WINDOW_BYTES));
            const more = await ranges.readRange({ start: next, end: until });
            if (more.length !== until - next) {
                throw damaged('a column beyond the end of the file');
            }
            const joined = new Uint8Array(left + more.length);
            joined.set(held.subarray(at));
            joined.set(more, left);
            held = left === 0 ? more : joined;
            at = 0;
            next = until;
        }
    }

    return {
        async header(): Promise<PageHeader> {
            await hold(1);
            for (;;) {
                const reader = { view: viewOf(held), offset: at };
                try {
                    const header = parquetHeader(reader);
                    checkHeader(header);
                    at = reader.offset;
                    return header;
                } catch (error) {
                    if (error instanceof RefusedParquetError) {
                        throw error;
                    }
                    // It may be cut off by the end of what is held.
                    if (next === end || held.length - at > MAX_HEADER_BYTES) {
                        throw damaged('a page without a header', error);
                    }
                    await hold(held.length - at + 1);
                }
            }
        },
        async take(count: number): Promise<Uint8Array> {
            await hold(count);
            if (held.length - at < count) {
                throw damaged('a column ends within a page');
            }
            at += count;
            return held.subarray(at - count, at);
        },
    };
}

function checkHeader({ type, compressed_page_size: packedBytes, uncompressed_page_size: sizeBytes }: PageHeader): void {
    if (type === undefined || !(packedBytes >= 0) || !(sizeBytes >= 0)) {
        throw new RangeError('no page header');
    }
    if (Math.max(packedBytes, sizeBytes) > MAX_PAGE_BYTES) {
        throw new RefusedParquetError(
            `a page of ${Math.max(packedBytes, sizeBytes)} bytes, more than ${MAX_PAGE_BYTES}; write the file anew with smaller row groups`,
        );
    }
}

function checkSum({ crc }: PageHeader, packed: Uint8Array): void {
    if (crc !== undefined && zlib.crc32 !== undefined && (zlib.crc32(packed) | 0) !== (crc | 0)) {
        throw damaged('a page with another checksum than its header says');
    }
}

function assertEncoding(encoding: string | undefined, known: readonly string[], column: ReadColumn): void {
    if (encoding === undefined || !known.includes(encoding)) {
        throw notRead(encoding, column);
    }
}

function notRead(encoding: string | undefined, { name }: ReadColumn): RefusedParquetError {
    return new RefusedParquetError(
        `column ${JSON.stringify(name)} is encoded as ${encoding ?? 'nothing known'}, which is not read: write the file anew`,
    );
}

/** Values as the library hands them out; of the types that are read, they are of these. */
function stored(values: DecodedArray): ArrayLike<Stored> {
    return values as ArrayLike<Stored>;
}

function viewOf(bytes: Uint8Array): DataView {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textOf(bytes: Uint8Array, from: number, until: number): string {
    return Buffer.from(bytes.buffer, bytes.byteOffset + from, until - from).toString();
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

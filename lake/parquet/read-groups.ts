/**
 * Decodes row groups that this program wrote straight into typed rows. It knows only what is written here (write-groups.ts) and was by
 * hyparquet-writer before, and gives up at anything else: the library then reads the file, or says what is wrong with it.
 */
import type { ColumnChunk, FileMetaData, PageHeader, SchemaElement } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { MergedTable } from '#lake/tables';
import { emptyNumbers, type NumberColumn, type TextColumn, type TypedRows } from '#lake/typed-rows';
import { swapBytes } from './column-values.ts';
import { readRuns } from './runs.ts';
import { uncompress } from './snappy.ts';
import { TextIndex } from './text-index.ts';

/** The rows of the groups in the footer; undefined where anything is not as this program writes it. */
export function readGroups(bytes: Uint8Array, { table, metadata }: { table: MergedTable; metadata: FileMetaData }): TypedRows | undefined {
    const count = Number(metadata.num_rows);
    const texts: Record<string, TextColumn> = {};
    const numbers: Record<string, NumberColumn> = {};
    for (const column of table.columns) {
        const element = metadata.schema.find(({ name }) => name === column.name);
        const chunks = metadata.row_groups.map(({ columns, num_rows }) => ({
            chunk: columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === column.name),
            rows: Number(num_rows),
        }));
        if (column.merge === 'key') {
            const read = readTexts(bytes, { element, chunks, count });
            if (!read) {
                return undefined;
            }
            texts[column.name] = read;
        } else {
            const read = emptyNumbers(column, count);
            if (!readNumbers(bytes, { element, chunks, into: read })) {
                return undefined;
            }
            numbers[column.name] = read;
        }
    }
    return { count, texts, numbers };
}

interface Chunks {
    element: SchemaElement | undefined;
    chunks: readonly { chunk: ColumnChunk | undefined; rows: number }[];
}

function readTexts(bytes: Uint8Array, { element, chunks, count }: Chunks & { count: number }): TextColumn | undefined {
    if (element?.type !== 'BYTE_ARRAY' || element.repetition_type !== 'REQUIRED') {
        return undefined;
    }
    const index = new TextIndex();
    const places = new Int32Array(count);
    let row = 0;
    for (const { chunk, rows } of chunks) {
        const pages = chunk && pagesOf(bytes, { chunk, rows });
        if (!pages) {
            return undefined;
        }
        const entries = new Int32Array(pages.entries?.count ?? 0);
        if (pages.entries && !addTexts(index, pages.entries.bytes, entries)) {
            return undefined;
        }
        for (const { data, values, isIndexed } of pages.data) {
            const ofPage = places.subarray(row, row + values);
            if (isIndexed ? !readIndexes(data, ofPage, entries.length) : !addTexts(index, data, ofPage)) {
                return undefined;
            }
            for (let at = 0; isIndexed && at < values; at += 1) {
                ofPage[at] = entries[ofPage[at] as number] as number;
            }
            row += values;
        }
    }
    return index.toColumn(places);
}

const LENGTH_BYTES = 4;

/** Puts the numbers of as many PLAIN texts as there is room for; false where these are not just all bytes. */
function addTexts(index: TextIndex, bytes: Uint8Array, numbers: Int32Array): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    for (let text = 0; text < numbers.length; text += 1) {
        const start = at + LENGTH_BYTES;
        const end = start <= bytes.length ? start + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
        if (end > bytes.length) {
            return false;
        }
        numbers[text] = index.add(bytes, start, end);
        at = end;
    }
    return at === bytes.length;
}

/** Reads a page of places in a dictionary; false where it is none, or a place is behind the dictionary's end. */
function readIndexes(data: Uint8Array, into: Int32Array, entries: number): boolean {
    const bits = data[0] ?? Number.POSITIVE_INFINITY;
    return (
        bits <= MAX_INDEX_BITS && readRuns(data.subarray(1), { into, count: into.length, bits }) && into.every((place) => place < entries)
    );
}

/** Places of more bits do not fit the words that they are read through. */
const MAX_INDEX_BITS = 24;

function readNumbers(bytes: Uint8Array, { element, chunks, into }: Chunks & { into: NumberColumn }): boolean {
    const { width, words, nulls } = into;
    const isType = width === 2 ? element?.type === 'INT64' : element?.type === 'FIXED_LEN_BYTE_ARRAY' && element.type_length === width * 4;
    if (!isType) {
        return false;
    }
    let row = 0;
    for (const { chunk, rows } of chunks) {
        const pages = chunk && pagesOf(bytes, { chunk, rows });
        const entries = pages?.entries && toWords(pages.entries.bytes, width);
        if (!pages || (entries && entries.length !== (pages.entries?.count ?? 0) * width)) {
            return false;
        }
        for (const { data, values, present, levels, isIndexed } of pages.data) {
            const rowOf = rowsOfValues({ row, values, present, levels, nulls, isOptional: element?.repetition_type === 'OPTIONAL' });
            const indexes = isIndexed ? new Int32Array(present) : undefined;
            const source = isIndexed ? entries : toWords(data, width);
            if (!rowOf || !source || (indexes ? !readIndexes(data, indexes, source.length / width) : source.length !== present * width)) {
                return false;
            }
            for (let value = 0; value < present; value += 1) {
                const from = (indexes ? (indexes[value] as number) : value) * width;
                const to = (rowOf[value] as number) * width;
                for (let word = 0; word < width; word += 1) {
                    words[to + word] = source[from + word] as number;
                }
            }
            row += values;
        }
    }
    return true;
}

/** PLAIN numbers as words; undefined where the bytes are no whole number of them. */
function toWords(bytes: Uint8Array, width: number): Int32Array | undefined {
    if (bytes.length % (width * 4) !== 0) {
        return undefined;
    }
    // `bytes` are an array of their own: pages are unpacked.
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    if (width === 2) {
        return words;
    }
    const values = new Int32Array(words.length);
    for (let at = 0; at < words.length; at += width) {
        for (let word = 0; word < width; word += 1) {
            values[at + word] = swapBytes(words[at + width - 1 - word] as number);
        }
    }
    return values;
}

/** Rows of a page's values, and notes which rows have none; undefined where the levels say something else than the header. */
function rowsOfValues({
    row,
    values,
    present,
    levels,
    nulls,
    isOptional,
}: Pick<DataPage, 'values' | 'present' | 'levels'> & { row: number; nulls: Uint8Array | undefined; isOptional: boolean }):
    | Int32Array
    | undefined {
    const rowOf = new Int32Array(present);
    if (!isOptional) {
        return levels.length === 0 && present === values ? rowOf.map((_, at) => row + at) : undefined;
    }
    const isPresent = new Int32Array(values);
    if (!readRuns(levels, { into: isPresent, count: values, bits: 1 }) || (present < values && !nulls)) {
        return undefined;
    }
    let count = 0;
    for (let at = 0; at < values; at += 1) {
        if (isPresent[at] === 1) {
            rowOf[count] = row + at;
            count += 1;
        } else if (nulls) {
            nulls[row + at] = 1;
        }
    }
    return count === present ? rowOf : undefined;
}

interface DataPage {
    /** Values, or places in the dictionary where `isIndexed`. */
    data: Uint8Array;
    isIndexed: boolean;
    /** Rows of the page, and how many of them have a value. */
    values: number;
    present: number;
    levels: Uint8Array;
}

interface Pages {
    entries: { bytes: Uint8Array; count: number } | undefined;
    data: DataPage[];
}

/** The pages of a column chunk, unpacked; undefined where one is damaged, of another form, or they have not just the group's rows. */
function pagesOf(bytes: Uint8Array, { chunk, rows }: { chunk: ColumnChunk; rows: number }): Pages | undefined {
    const { meta_data: facts } = chunk;
    const start = Number(facts?.dictionary_page_offset ?? facts?.data_page_offset ?? -1);
    const end = start + Number(facts?.total_compressed_size ?? 0);
    if (facts?.codec !== 'SNAPPY' || start < 0 || end > bytes.length) {
        return undefined;
    }
    const pages: Pages = { entries: undefined, data: [] };
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset + start, end - start), offset: 0 };
    let count = 0;
    while (reader.offset < end - start) {
        const header = headerOf(reader);
        const from = start + reader.offset;
        const until = from + (header?.compressed_page_size ?? 0);
        if (!header || until > end || header.compressed_page_size < 0) {
            return undefined;
        }
        reader.offset = until - start;
        const page = bytes.subarray(from, until);
        if (header.type === 'DICTIONARY_PAGE' && !pages.entries && pages.data.length === 0) {
            const entries = unpacked(page, header.uncompressed_page_size);
            if (!entries || header.dictionary_page_header?.encoding !== 'PLAIN') {
                return undefined;
            }
            pages.entries = { bytes: entries, count: header.dictionary_page_header.num_values };
            continue;
        }
        const read = dataPageOf(header, page);
        if (!read || (read.isIndexed && !pages.entries)) {
            return undefined;
        }
        pages.data.push(read);
        count += read.values;
    }
    return count === rows && Number(facts.num_values) === rows ? pages : undefined;
}

function headerOf(reader: { view: DataView; offset: number }): PageHeader | undefined {
    try {
        return parquetHeader(reader);
    } catch {
        // Whatever is wrong, the library will say it.
        return undefined;
    }
}

function dataPageOf(header: PageHeader, page: Uint8Array): DataPage | undefined {
    const { data_page_header_v2: facts, uncompressed_page_size } = header;
    if (header.type !== 'DATA_PAGE_V2' || !facts || facts.is_compressed === false || facts.repetition_levels_byte_length !== 0) {
        return undefined;
    }
    const { encoding, num_values: values, num_nulls, definition_levels_byte_length: levelBytes } = facts;
    const data = unpacked(page.subarray(levelBytes), uncompressed_page_size - levelBytes);
    const isIndexed = encoding === 'RLE_DICTIONARY';
    return data && (isIndexed || encoding === 'PLAIN')
        ? { data, isIndexed, values, present: values - num_nulls, levels: page.subarray(0, levelBytes) }
        : undefined;
}

/** A small page that unpacks to very much is damaged, and no memory is taken for it: snappy makes at most 64 bytes of 3. */
const MAX_RATIO = 22;

function unpacked(page: Uint8Array, size: number): Uint8Array | undefined {
    if (size < 0 || size > (page.length + 1) * MAX_RATIO) {
        return undefined;
    }
    const bytes = new Uint8Array(size);
    return uncompress(page, bytes) ? bytes : undefined;
}

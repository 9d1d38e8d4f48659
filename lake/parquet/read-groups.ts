/**
 * Decodes row groups that this program wrote straight into typed rows: their texts at once, their numbers when they are asked for. It knows only what is
 * written here (write-groups.ts) and was by hyparquet-writer before, and gives up at anything else: the library then reads the file, or says what is
 * wrong with it.
 */
// Imported as a whole: a name that older versions of Node have not would keep this file from loading.
import * as zlib from 'node:zlib';
import type { ColumnChunk, FileMetaData, PageHeader, SchemaElement } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { MergedColumn, MergedTable } from '#lake/tables';
import {
    copyNumbers,
    emptyNumbers,
    NO_TEXT,
    type NumberColumn,
    type NumberPiece,
    type TextColumn,
    type TypedRows,
    widthOf,
} from '#lake/typed-rows';
import { type Codec, codecNamed } from './codec.ts';
import { swapBytes } from './column-values.ts';
import { readRuns } from './runs.ts';
import { TextIndex } from './text-index.ts';

/**
 * The rows of the groups in the footer; undefined where anything is not as this program writes it. Pages with checksums are not decoded before their
 * numbers are asked for.
 * @throws DamagedPageError where a page is not as it was written, here or when numbers are asked for
 */
export function readGroups(bytes: Uint8Array, { table, metadata }: { table: MergedTable; metadata: FileMetaData }): TypedRows | undefined {
    const count = Number(metadata.num_rows);
    const texts: Record<string, TextColumn> = {};
    const columns = new Map<string, GroupedNumbers>();
    for (const column of table.columns) {
        const element = metadata.schema.find(({ name }) => name === column.name);
        const chunks = metadata.row_groups.map(({ columns, num_rows }) => ({
            chunk: columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === column.name),
            rows: Number(num_rows),
        }));
        if (column.type === 'string') {
            const read = readTexts(bytes, { element, chunks, count, nullable: column.nullable });
            if (!read) {
                return undefined;
            }
            texts[column.name] = read;
        } else {
            const numbers = new GroupedNumbers(bytes, { column, element, chunks });
            if (!numbers.isReadable()) {
                return undefined;
            }
            columns.set(column.name, numbers);
        }
    }
    return {
        count,
        texts,
        numbers(name, from, until) {
            const column = columns.get(name);
            if (!column) {
                throw new TypeError(`no column ${name} in these rows`);
            }
            return column.piece(from, until);
        },
    };
}

interface Chunk {
    chunk: ColumnChunk | undefined;
    rows: number;
}

interface Chunks {
    element: SchemaElement | undefined;
    chunks: readonly Chunk[];
}

/** Numbers of a column, decoded a row group at a time. */
class GroupedNumbers {
    readonly #bytes: Uint8Array;
    readonly #column: MergedColumn;
    readonly #element: SchemaElement | undefined;
    readonly #chunks: readonly Chunk[];
    /** The first row of each group, and behind the last one the number of all rows. */
    readonly #starts: Int32Array;
    /** Decoded groups by their places: all where pages have no checksum, else the last one. */
    readonly #decoded = new Map<number, NumberColumn>();
    #isKept = false;
    /** The group that was decoded last: its arrays are used again. */
    #last: NumberColumn | undefined;
    /** Numbers of several groups. */
    #room: NumberColumn;

    constructor(bytes: Uint8Array, { column, element, chunks }: Chunks & { column: MergedColumn }) {
        this.#bytes = bytes;
        this.#column = column;
        this.#element = element;
        this.#chunks = chunks;
        this.#starts = new Int32Array(chunks.length + 1);
        for (const [group, { rows }] of chunks.entries()) {
            this.#starts[group + 1] = (this.#starts[group] as number) + rows;
        }
        this.#room = emptyNumbers(column, 0);
    }

    /** True if numbers can be asked for. Without checksums only decoding tells: then all are decoded now, and kept. */
    isReadable(): boolean {
        if (!isNumberElement(this.#column, this.#element)) {
            return false;
        }
        if (this.#chunks.every(({ chunk }) => chunk !== undefined && hasChecksum(this.#bytes, chunk))) {
            return true;
        }
        this.#isKept = true;
        return this.#chunks.every((_, group) => this.#decode(group) !== undefined);
    }

    piece(from: number, until: number): NumberPiece {
        let group = this.#groupOf(from);
        if (until <= (this.#starts[group + 1] as number)) {
            return { ...this.#groupAt(group), start: from - (this.#starts[group] as number) };
        }
        if (this.#room.words.length < (until - from) * this.#room.width) {
            this.#room = emptyNumbers(this.#column, until - from);
        }
        for (let at = from; at < until; group += 1) {
            const start = this.#starts[group] as number;
            const end = Math.min(until, this.#starts[group + 1] as number);
            copyNumbers({ ...this.#groupAt(group), start: at - start }, end - at, { into: this.#room, at: at - from });
            at = end;
        }
        return { ...this.#room, start: 0 };
    }

    /** The group that has the row, by halves. */
    #groupOf(row: number): number {
        let [low, high] = [0, this.#chunks.length - 1];
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if ((this.#starts[middle] as number) <= row) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    #groupAt(group: number): NumberColumn {
        const numbers = this.#decoded.get(group) ?? this.#decode(group);
        if (!numbers) {
            throw new DamagedPageError('a page or its header has other bytes than were written');
        }
        return numbers;
    }

    #decode(group: number): NumberColumn | undefined {
        const chunk = this.#chunks[group] as Chunk;
        const last = this.#isKept ? undefined : this.#last;
        const numbers = last?.words.length === chunk.rows * widthOf(this.#column) ? last : emptyNumbers(this.#column, chunk.rows);
        numbers.nulls?.fill(0);
        if (!this.#isKept) {
            this.#decoded.clear();
        }
        const of = { element: this.#element, chunks: [chunk], into: numbers };
        if (!readNumbers(this.#bytes, of)) {
            return undefined;
        }
        this.#decoded.set(group, numbers);
        this.#last = numbers;
        return numbers;
    }
}

function isNumberElement(column: MergedColumn, element: SchemaElement | undefined): boolean {
    const width = widthOf(column);
    const isType = width === 2 ? element?.type === 'INT64' : element?.type === 'FIXED_LEN_BYTE_ARRAY' && element.type_length === width * 4;
    return isType && (element?.repetition_type === 'OPTIONAL' || element?.repetition_type === 'REQUIRED');
}

function readTexts(
    bytes: Uint8Array,
    { element, chunks, count, nullable }: Chunks & { count: number; nullable: boolean },
): TextColumn | undefined {
    if (element?.type !== 'BYTE_ARRAY' || element.repetition_type !== (nullable ? 'OPTIONAL' : 'REQUIRED')) {
        return undefined;
    }
    const index = new TextIndex();
    const places = new Int32Array(count);
    const nulls = nullable ? new Uint8Array(count) : undefined;
    let row = 0;
    let numbers: Int32Array = new Int32Array(0);
    const isRead = eachPage(bytes, chunks, {
        onEntries(entries, entryCount) {
            numbers = room.words('entries', entryCount);
            return addTexts(index, entries, numbers);
        },
        onData({ data, values, present, levels, isIndexed }) {
            const ofPage = places.subarray(row, row + present);
            const rows = { words: places.subarray(row, row + values), width: 1, nulls: nulls?.subarray(row, row + values) };
            row += values;
            if (!(isIndexed ? readIndexes(data, ofPage, numbers.length) : addTexts(index, data, ofPage))) {
                return false;
            }
            for (let at = 0; isIndexed && at < present; at += 1) {
                ofPage[at] = numbers[ofPage[at] as number] as number;
            }
            return spread(rows, { levels, values, present }, { isOptional: nullable });
        },
    });
    for (let at = 0; nulls && at < count; at += 1) {
        places[at] = nulls[at] === 1 ? NO_TEXT : (places[at] as number);
    }
    return isRead ? index.toColumn(places) : undefined;
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
    if (bits > MAX_INDEX_BITS || !readRuns(data.subarray(1), { into, count: into.length, bits })) {
        return false;
    }
    let most = -1;
    for (let at = 0; at < into.length; at += 1) {
        most = Math.max(most, into[at] as number);
    }
    return most < entries;
}

/** Places of more bits do not fit the words that they are read through. */
const MAX_INDEX_BITS = 24;

function readNumbers(bytes: Uint8Array, { element, chunks, into }: Chunks & { into: NumberColumn }): boolean {
    const { width, words, nulls } = into;
    const isOptional = element?.repetition_type === 'OPTIONAL';
    let row = 0;
    let entries: Int32Array = new Int32Array(0);
    return eachPage(bytes, chunks, {
        onEntries(data, count) {
            entries = room.words('entries', count * width);
            return copyPlain(data, entries, width);
        },
        onData({ data, values, present, levels, isIndexed }) {
            const to = words.subarray(row * width, (row + values) * width);
            const ofPage = { words: to, width, nulls: nulls?.subarray(row, row + values) };
            row += values;
            if (isIndexed) {
                const indexes = room.words('indexes', present);
                if (!readIndexes(data, indexes, entries.length / width)) {
                    return false;
                }
                pickNumbers(to, { entries, indexes, width });
            } else if (!copyPlain(data, to.subarray(0, present * width), width)) {
                return false;
            }
            return spread(ofPage, { levels, values, present }, { isOptional });
        },
    });
}

/** Copies PLAIN numbers; false where the bytes are not just as many. */
function copyPlain(bytes: Uint8Array, into: Int32Array, width: number): boolean {
    if (bytes.length !== into.length * 4) {
        return false;
    }
    // Pages are unpacked to the beginning of an array.
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, into.length);
    if (width === 2) {
        into.set(words);
        return true;
    }
    for (let at = 0; at < words.length; at += width) {
        for (let word = 0; word < width; word += 1) {
            into[at + word] = swapBytes(words[at + width - 1 - word] as number);
        }
    }
    return true;
}

function pickNumbers(into: Int32Array, { entries, indexes, width }: { entries: Int32Array; indexes: Int32Array; width: number }): void {
    for (let at = 0; at < indexes.length; at += 1) {
        const from = (indexes[at] as number) * width;
        for (let word = 0; word < width; word += 1) {
            into[at * width + word] = entries[from + word] as number;
        }
    }
}

/** Moves a page's values, which stand at its beginning, to their rows; false where the levels say something else than the header. */
function spread(
    { words, width, nulls }: NumberColumn,
    { levels, values, present }: Pick<DataPage, 'levels' | 'values' | 'present'>,
    { isOptional }: { isOptional: boolean },
): boolean {
    if (!isOptional) {
        return levels.length === 0 && present === values;
    }
    const isPresent = room.words('levels', values);
    if (!readRuns(levels, { into: isPresent, count: values, bits: 1 })) {
        return false;
    }
    if (present === values) {
        return isPresent.every((level) => level === 1);
    }
    let left = present;
    for (let at = values - 1; at >= 0; at -= 1) {
        left -= isPresent[at] as number;
        if (left < 0 || !nulls) {
            return false;
        }
        for (let word = 0; word < width; word += 1) {
            words[at * width + word] = isPresent[at] === 1 ? (words[left * width + word] as number) : 0;
        }
        nulls[at] = isPresent[at] === 1 ? 0 : 1;
    }
    return left === 0;
}

interface DataPage {
    /** Values, or places in the dictionary where `isIndexed`; overwritten by the next page. */
    data: Uint8Array;
    isIndexed: boolean;
    /** Rows of the page, and how many of them have a value. */
    values: number;
    present: number;
    levels: Uint8Array;
}

interface PageReader {
    /** Takes the dictionary of a chunk; false where it cannot be read. */
    onEntries(bytes: Uint8Array, count: number): boolean;
    /** Takes a data page; false where it cannot be read. */
    onData(page: DataPage): boolean;
}

/** Arrays for one page after the other: new ones for each cost a fifth of reading, in the system. */
class PageRoom {
    #bytes = new Uint8Array(0);
    readonly #words = new Map<'entries' | 'indexes' | 'levels', Int32Array>();

    /** Unpacks a page to so many bytes, which the next page overwrites; undefined where it cannot be unpacked. */
    unpack(page: Uint8Array, size: number, codec: Codec): Uint8Array | undefined {
        // A small page that unpacks to very much is damaged, and no memory is taken for it.
        if (size < 0 || size > (page.length + 1) * codec.maxRatio) {
            return undefined;
        }
        this.#bytes = this.#bytes.length < size ? new Uint8Array(size) : this.#bytes;
        const unpacked = this.#bytes.subarray(0, size);
        try {
            codec.uncompress(page, unpacked);
            return unpacked;
        } catch {
            // Whatever is wrong, the library will say it.
            return undefined;
        }
    }

    /** An array of `count` words for one purpose, which the next call for it overwrites. */
    words(purpose: 'entries' | 'indexes' | 'levels', count: number): Int32Array {
        let words = this.#words.get(purpose);
        if (words === undefined || words.length < count) {
            words = new Int32Array(count);
            this.#words.set(purpose, words);
        }
        return words.subarray(0, count);
    }
}

/** Room for all reading, which is never interrupted: with one of its own each column of a thousand small objects would keep some. */
const room = new PageRoom();

/** Hands out the pages of a column, unpacked; false where one is damaged, of another form, or a group has not just its rows. */
function eachPage(bytes: Uint8Array, chunks: Chunks['chunks'], reader: PageReader): boolean {
    const isRead = chunks.every(({ chunk, rows }) => chunk !== undefined && eachPageOf(bytes, { chunk, rows, reader }));
    if (!isRead && chunks.some(({ chunk }) => chunk !== undefined && hasChecksum(bytes, chunk))) {
        // Pages with checksums are of this writer alone, so that they are damaged. The library goes on for ever at some damaged headers.
        throw new DamagedPageError('a page or its header has other bytes than were written');
    }
    return isRead;
}

/** True if the first page of a chunk has a checksum. */
export function hasChecksum(bytes: Uint8Array, { meta_data: facts }: ColumnChunk): boolean {
    const offset = Number(facts?.dictionary_page_offset ?? facts?.data_page_offset);
    return headerOf({ view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset })?.crc !== undefined;
}

interface ChunkToRead {
    chunk: ColumnChunk;
    rows: number;
    reader: PageReader;
}

function eachPageOf(bytes: Uint8Array, { chunk, rows, reader }: ChunkToRead): boolean {
    const { meta_data: facts } = chunk;
    const start = Number(facts?.dictionary_page_offset ?? facts?.data_page_offset ?? -1);
    const end = start + Number(facts?.total_compressed_size ?? 0);
    const codec = codecNamed(facts?.codec);
    if (!facts || !codec || Number(facts.num_values) !== rows || start < 0 || end > bytes.length) {
        return false;
    }
    const unpack = (page: Uint8Array, size: number): Uint8Array | undefined => room.unpack(page, size, codec);
    const at = { view: new DataView(bytes.buffer, bytes.byteOffset + start, end - start), offset: 0 };
    let count = 0;
    let hasEntries = false;
    while (at.offset < end - start) {
        const header = headerOf(at);
        const from = start + at.offset;
        const until = from + (header?.compressed_page_size ?? -1);
        if (!header || until < from || until > end) {
            return false;
        }
        at.offset = until - start;
        const page = bytes.subarray(from, until);
        checkSum(header, page);
        if (header.type === 'DICTIONARY_PAGE' && !hasEntries && count === 0) {
            const { encoding, num_values = 0 } = header.dictionary_page_header ?? {};
            const entries = encoding === 'PLAIN' ? unpack(page, header.uncompressed_page_size) : undefined;
            // Every entry has four bytes at least.
            if (!entries || num_values < 0 || num_values * 4 > entries.length || !reader.onEntries(entries, num_values)) {
                return false;
            }
            hasEntries = true;
            continue;
        }
        const read = dataPageOf(header, page, unpack);
        count += read?.values ?? 0;
        if (count > rows) {
            throw new DamagedPageError(`a page has ${read?.values} values, and its row group has ${rows} rows`);
        }
        if (!read || (read.isIndexed && !hasEntries) || !reader.onData(read)) {
            return false;
        }
    }
    return count === rows;
}

/** @throws DamagedPageError where the page has not the bytes that it was written with; older programs wrote no checksum */
export function checkSum({ crc }: PageHeader, page: Uint8Array): void {
    if (crc !== undefined && (zlib.crc32(page) | 0) !== crc) {
        throw new DamagedPageError('a page has other bytes than were written: its CRC-32 differs');
    }
}

/** A page whose bytes changed since they were written. */
export class DamagedPageError extends Error {
    override name = 'DamagedPageError';
}

function headerOf(reader: { view: DataView; offset: number }): PageHeader | undefined {
    try {
        return parquetHeader(reader);
    } catch {
        // Whatever is wrong, the library will say it.
        return undefined;
    }
}

function dataPageOf(
    header: PageHeader,
    page: Uint8Array,
    unpack: (page: Uint8Array, size: number) => Uint8Array | undefined,
): DataPage | undefined {
    const { data_page_header_v2: facts, uncompressed_page_size } = header;
    if (header.type !== 'DATA_PAGE_V2' || !facts || facts.is_compressed === false || facts.repetition_levels_byte_length !== 0) {
        return undefined;
    }
    const { encoding, num_values: values, num_nulls, definition_levels_byte_length: levelBytes } = facts;
    const isIndexed = encoding === 'RLE_DICTIONARY';
    if (![values, num_nulls, levelBytes].every(Number.isInteger)) {
        // Not for the library, which goes on for ever where a header has lost a count.
        throw new DamagedPageError('the header of a page does not say how many values it has');
    }
    if (!(isIndexed || encoding === 'PLAIN') || values < 0 || num_nulls < 0 || num_nulls > values || levelBytes < 0) {
        return undefined;
    }
    const data = unpack(page.subarray(levelBytes), uncompressed_page_size - levelBytes);
    return data && { data, isIndexed, values, present: values - num_nulls, levels: page.subarray(0, levelBytes) };
}

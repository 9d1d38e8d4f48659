/**
 * Checks the pages of a column chunk that are copied without being decoded. Their bytes have a checksum; their headers have none, so each of a
 * header's figures is compared with what stands in the page or in the footer.
 */
import type { ColumnMetaData, PageHeader, SchemaElement } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { type Codec, codecNamed } from './codec.ts';
import { checkSum, DamagedPageError } from './read-groups.ts';
import { readRuns } from './runs.ts';

interface ChunkToCheck {
    facts: ColumnMetaData;
    element: SchemaElement;
    /** Rows of the group. */
    rows: number;
    codec: Codec;
}

/** @throws DamagedPageError where the chunk is not a dictionary, if it has one, and one data page, as this program writes them */
export function checkPages(chunk: Uint8Array, about: Omit<ChunkToCheck, 'codec'>): void {
    const codec = codecNamed(about.facts.codec);
    if (!codec) {
        throw new DamagedPageError(`column ${about.element.name} is compressed in a way that is not written here`);
    }
    const of = { ...about, codec };
    const at = { view: new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength), offset: 0 };
    const types: string[] = [];
    while (at.offset < chunk.length) {
        const start = at.offset;
        const header = parquetHeader(at);
        if (!isWrittenSo(header, chunk.subarray(start, at.offset))) {
            throw new DamagedPageError(`the header of a page of column ${of.element.name} has other bytes than were written`);
        }
        const end = at.offset + header.compressed_page_size;
        if (header.crc === undefined || end < at.offset || end > chunk.length) {
            throw new DamagedPageError('a page has no checksum, or ends elsewhere than its column');
        }
        const page = chunk.subarray(at.offset, end);
        checkSum(header, page);
        types.push(header.type);
        if (!(header.type === 'DICTIONARY_PAGE' ? isDictionary(header, page, of) : isDataPage(header, page, of))) {
            throw new DamagedPageError(`the header of a page of column ${of.element.name} does not fit the page`);
        }
        at.offset = end;
    }
    const wanted = of.facts.dictionary_page_offset === undefined ? 'DATA_PAGE_V2' : 'DICTIONARY_PAGE DATA_PAGE_V2';
    if (types.join(' ') !== wanted || Number(of.facts.num_values) !== of.rows) {
        throw new DamagedPageError(`column ${of.element.name} has not the pages that the footer says`);
    }
}

/** True if the header's bytes are those that it is written with: another reader takes a field of another type for one that is not there. */
function isWrittenSo(header: PageHeader, bytes: Uint8Array): boolean {
    const writer = new ByteWriter(bytes.length + 16);
    writePageHeader(writer, header);
    return Buffer.compare(writer.getBytes(), bytes) === 0;
}

/** Bytes of a value that has not its own length; whole numbers have 8. */
function bytesOf({ type, type_length }: SchemaElement): number | undefined {
    return type === 'BYTE_ARRAY' ? undefined : (type_length ?? 8);
}

function isDictionary(
    { dictionary_page_header: facts, uncompressed_page_size: size }: PageHeader,
    page: Uint8Array,
    of: ChunkToCheck,
): boolean {
    if (facts?.encoding !== 'PLAIN' || unpackedBytes(page, of) !== size) {
        return false;
    }
    return (
        facts.num_values ===
        (bytesOf(of.element) === undefined ? countTexts(page, { size, codec: of.codec }) : size / (bytesOf(of.element) ?? 1))
    );
}

const LENGTH_BYTES = 4;

/** Texts in a page of PLAIN ones; undefined where its bytes are not just so. */
function countTexts(page: Uint8Array, { size, codec }: { size: number; codec: Codec }): number | undefined {
    const bytes = new Uint8Array(size);
    codec.uncompress(page, bytes);
    const view = new DataView(bytes.buffer);
    let count = 0;
    let at = 0;
    while (at + LENGTH_BYTES <= size) {
        at += LENGTH_BYTES + view.getUint32(at, true);
        count += 1;
    }
    return at === size ? count : undefined;
}

function isDataPage({ data_page_header_v2: facts, uncompressed_page_size: size }: PageHeader, page: Uint8Array, of: ChunkToCheck): boolean {
    if (facts === undefined) {
        return false;
    }
    const { num_values, num_rows, num_nulls, encoding, is_compressed, repetition_levels_byte_length } = facts;
    const levels = page.subarray(0, facts.definition_levels_byte_length);
    const hasDictionary = of.facts.dictionary_page_offset !== undefined;
    const unpacked = unpackedBytes(page.subarray(levels.length), of);
    const wantedBytes = bytesOf(of.element);
    return (
        num_values === of.rows &&
        num_rows === of.rows &&
        num_nulls === Number(of.facts.statistics?.null_count) &&
        num_nulls === countNulls(levels, of) &&
        encoding === (hasDictionary ? 'RLE_DICTIONARY' : 'PLAIN') &&
        is_compressed !== false &&
        repetition_levels_byte_length === 0 &&
        unpacked === size - levels.length &&
        (hasDictionary || wantedBytes === undefined || unpacked === (num_values - num_nulls) * wantedBytes)
    );
}

/** Rows without a value by their levels, which only a nullable column has; undefined where the bytes are no levels. */
function countNulls(levels: Uint8Array, { element, rows }: ChunkToCheck): number | undefined {
    if (element.repetition_type !== 'OPTIONAL') {
        return levels.length === 0 ? 0 : undefined;
    }
    const isPresent = new Int32Array(rows);
    return readRuns(levels, { into: isPresent, count: rows, bits: 1 })
        ? isPresent.reduce((nulls, level) => nulls + 1 - level, 0)
        : undefined;
}

/** @throws DamagedPageError where the block cannot be unpacked */
function unpackedBytes(block: Uint8Array, { codec, element }: ChunkToCheck): number {
    try {
        return codec.uncompressedBytes(block);
    } catch (error) {
        throw new DamagedPageError(`a page of column ${element.name} cannot be unpacked`, { cause: error });
    }
}

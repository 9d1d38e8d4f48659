/** The pages of a Parquet file, one after the other, as its footer says they lie: that none is missing, cut or changed since it was written. */
import type { FileHandle } from 'node:fs/promises';
// As a whole: a name that older versions of Node have not would keep this file from loading.
import * as zlib from 'node:zlib';

/** One column of one row group, as the footer tells of it. */
export interface ColumnChunk {
    column: string;
    /** Where its first page begins. */
    offset: number;
    /** Pages with their headers. */
    sizeBytes: number;
    values: number;
}

/** What is wrong with a chunk's pages; undefined where nothing is. A page without a checksum is taken for what it says. */
export async function findPageFault(file: FileHandle, { column, offset, sizeBytes, values }: ColumnChunk): Promise<string | undefined> {
    const bytes = Buffer.alloc(sizeBytes);
    const { bytesRead } = await file.read(bytes, 0, sizeBytes, offset);
    if (bytesRead < sizeBytes) {
        return `column ${column}: the file ends before its pages do`;
    }
    let found = 0;
    for (let at = 0, page = 1; at < sizeBytes; page += 1) {
        const header = readPageHeader(bytes, at);
        const end = header && header.end + header.compressedBytes;
        if (end === undefined || end > sizeBytes) {
            return `column ${column}: no page begins at byte ${offset + at}`;
        }
        const checksum = zlib.crc32(bytes.subarray(header?.end, end));
        if (header?.crc !== undefined && header.crc !== checksum) {
            return `column ${column}, page ${page}: its CRC-32 is ${hex(checksum)} and should be ${hex(header.crc)}`;
        }
        found += header?.values ?? 0;
        at = end;
    }
    return found === values ? undefined : `column ${column}: its pages have ${found} values, the footer says ${values}`;
}

interface PageHeader {
    /** Where the page itself begins. */
    end: number;
    compressedBytes: number;
    crc: number | undefined;
    /** 0 for a dictionary. */
    values: number;
}

/** Fields of `PageHeader` in parquet.thrift. */
const TYPE = 1;
const COMPRESSED_SIZE = 3;
const CRC = 4;
/** The field that a page of each type has: a data page, a dictionary, a data page of version 2. The first field in each is `num_values`. */
const HEADER_OF_TYPE = new Map([
    [0, 5],
    [2, 7],
    [3, 8],
]);
const DICTIONARY = 2;
const NUM_VALUES = 1;

/** Undefined where no header can be read. */
function readPageHeader(bytes: Buffer, start: number): PageHeader | undefined {
    try {
        const { value, end } = readStruct(bytes, start);
        const compressedBytes = value.get(COMPRESSED_SIZE);
        const crc = value.get(CRC);
        const type = value.get(TYPE);
        const ofType = value.get((typeof type === 'number' && HEADER_OF_TYPE.get(type)) || 0);
        const values = ofType instanceof Map ? ofType.get(NUM_VALUES) : undefined;
        if (typeof compressedBytes !== 'number' || compressedBytes < 0 || typeof values !== 'number') {
            return undefined;
        }
        return { end, compressedBytes, crc: typeof crc === 'number' ? crc >>> 0 : undefined, values: type === DICTIONARY ? 0 : values };
    } catch {
        // Whatever the bytes are, they end too early or hold what no header has.
        return undefined;
    }
}

type Fields = Map<number, number | Fields | undefined>;

/** Types of the compact protocol of Thrift: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
const STOP = 0;
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const WHOLE_NUMBERS = [4, 5, 6];
const DOUBLE = 7;
const BINARY = 8;
const STRUCT = 12;
const MAX_DEPTH = 8;

/** A struct's numbers and structs by their field ids; other values are passed over. @throws RangeError where it is none */
function readStruct(bytes: Buffer, start: number, depth = 0): { value: Fields; end: number } {
    const value: Fields = new Map();
    let at = start;
    let id = 0;
    for (;;) {
        const head = bytes.readUInt8(at);
        const type = head & 15;
        at += 1;
        if (type === STOP) {
            return { value, end: at };
        }
        const delta = head >> 4;
        if (delta === 0) {
            const written = readVarint(bytes, at);
            id = unzigzag(written.value);
            at = written.end;
        } else {
            id += delta;
        }
        const field = readValue(bytes, at, { type, depth });
        value.set(id, field.value);
        at = field.end;
    }
}

function readValue(
    bytes: Buffer,
    at: number,
    { type, depth }: { type: number; depth: number },
): { value: number | Fields | undefined; end: number } {
    if (type === TRUE || type === FALSE) {
        return { value: undefined, end: at };
    }
    if (WHOLE_NUMBERS.includes(type)) {
        const { value, end } = readVarint(bytes, at);
        return { value: unzigzag(value), end };
    }
    if (type === BINARY) {
        const length = readVarint(bytes, at);
        return { value: undefined, end: length.end + Number(length.value) };
    }
    if (type === STRUCT && depth < MAX_DEPTH) {
        return readStruct(bytes, at, depth + 1);
    }
    if (type === BYTE || type === DOUBLE) {
        return { value: undefined, end: at + (type === BYTE ? 1 : 8) };
    }
    // Page headers have no lists, sets and maps.
    throw new RangeError(`type ${type} in a page header`);
}

function readVarint(bytes: Buffer, start: number): { value: bigint; end: number } {
    let value = 0n;
    for (let at = start, shift = 0n; shift < 64n; at += 1, shift += 7n) {
        const byte = bytes.readUInt8(at);
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) {
            return { value, end: at + 1 };
        }
    }
    throw new RangeError('a number of more than 64 bits');
}

function unzigzag(value: bigint): number {
    return Number((value >> 1n) ^ -(value & 1n));
}

function hex(checksum: number): string {
    return checksum.toString(16).padStart(8, '0');
}

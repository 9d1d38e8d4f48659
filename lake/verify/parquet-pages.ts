/**
 * Looks at the pages of a Parquet file, one after the other, as its footer says they lie: none may be missing, cut or changed since it was
 * written.
 */
import type { FileHandle } from 'node:fs/promises';
// Imported as a whole: a name that older versions of Node have not would keep this file from loading.
import * as zlib from 'node:zlib';
import { readStruct } from './thrift.ts';

/** One column of one row group, as the footer tells of it. */
export interface ColumnChunk {
    column: string;
    /** Beginning of its first page. */
    offset: number;
    /** Size of the pages with their headers. */
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
    /** Beginning of the page itself, behind its header. */
    end: number;
    compressedBytes: number;
    crc: number | undefined;
    /** Number of values; 0 for a dictionary. */
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

/** The header of the page that begins at `start`; undefined where no header can be read. */
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

function hex(checksum: number): string {
    return checksum.toString(16).padStart(8, '0');
}

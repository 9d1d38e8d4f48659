/**
 * Structs in the compact protocol of Thrift, as page headers and footers of Parquet are:
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

/** A struct's numbers, structs and lists by their field ids; of other values that they are there. */
export type Fields = Map<number, Value>;

export type Value = number | Fields | List | undefined;

/** What a list's header says. */
interface List {
    size: number;
    elementType: number;
}

const STOP = 0;
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const WHOLE_NUMBERS = [4, 5, 6];
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
/** Type of a struct, also as a list's element. */
export const STRUCT = 12;
/** Size in a list's header that says that the size follows by itself. */
const LONG_LIST = 15;
const MAX_DEPTH = 16;

/** The struct that begins at `start`, and where it ends. @throws RangeError where none does */
export function readStruct(bytes: Buffer, start: number, depth = 0): { value: Fields; end: number } {
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

function readValue(bytes: Buffer, at: number, { type, depth }: { type: number; depth: number }): { value: Value; end: number } {
    if (isTruth(type)) {
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
    if (type === LIST && depth < MAX_DEPTH) {
        return readList(bytes, at, depth + 1);
    }
    // Parquet has no sets and maps.
    throw new RangeError(`type ${type} at byte ${at}`);
}

function readList(bytes: Buffer, start: number, depth: number): { value: List; end: number } {
    const head = bytes.readUInt8(start);
    const elementType = head & 15;
    const long = head >> 4 === LONG_LIST ? readVarint(bytes, start + 1) : undefined;
    const size = long ? Number(long.value) : head >> 4;
    let at = long?.end ?? start + 1;
    for (let count = 0; count < size; count += 1) {
        // Unlike a field, an element that is true or false has a byte of its own.
        at = isTruth(elementType) ? at + 1 : readValue(bytes, at, { type: elementType, depth }).end;
        if (at > bytes.length) {
            throw new RangeError(`a list of ${size} elements ends behind byte ${bytes.length}`);
        }
    }
    return { value: { size, elementType }, end: at };
}

function isTruth(type: number): boolean {
    return type === TRUE || type === FALSE;
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

/**
 * Lines of a text with separators: where each ends, how many separators it has, and where its first fields begin. Counting all separators a word at a time
 * made reading a quarter slower; a processor that looks at sixteen bytes at once does it in next to no time (docs/performance.md). JavaScript has
 * no such instructions, so the loop is a WebAssembly function.
 */

/** Count of the separators of a line that were not counted: it is longer than a block. */
const UNCOUNTED = 2 ** 31 - 1;

const LF = 0x0a;

/** The function looks at so many bytes at once ... */
const VECTOR_BYTES = 16;
/** ... of a copy of this many, */
const BLOCK_BYTES = 1 << 16;
/** and writes a record of numbers for each line behind it: its end, its separators, the beginnings of its fields. */
const RECORDS_AT = BLOCK_BYTES + VECTOR_BYTES;
const RECORDS_BYTES = 1 << 18;
const WORD_BYTES = 4;
const [LINE_END, SEPARATORS, STARTS] = [0, 1, 2];

/** Fields whose beginnings fit the records of two lines. */
export const MAX_FIELDS = 1 << 14;

// Instructions, as https://webassembly.github.io/spec/core/binary/instructions.html numbers them.
const [BLOCK, LOOP, IF, ELSE, END, BRANCH, BRANCH_IF, RETURN] = [0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0f];
const [GET, SET, TEE, NUMBER, ADD, SUBTRACT, MULTIPLY, AND, OR] = [0x20, 0x21, 0x22, 0x41, 0x6a, 0x6b, 0x6c, 0x71, 0x72];
const [SHIFT_LEFT, SHIFT_RIGHT, IS_ZERO, IS_LESS, IS_MORE, TRAILING_ZEROS, ONES] = [0x74, 0x76, 0x45, 0x49, 0x4b, 0x68, 0x69];
const STORE = [0x36, 0x02];
const LOAD_VECTOR = [0xfd, 0x00, 0x00, 0x00];
const LOAD_NEXT_VECTOR = [0xfd, 0x00, 0x00, VECTOR_BYTES];
const [SPREAD, EQUAL, EITHER, IS_ANY, BITS] = [
    [0xfd, 0x0f],
    [0xfd, 0x23],
    [0xfd, 0x50],
    [0xfd, 0x53],
    [0xfd, 0x64],
];
const [INT32, VECTOR, NOTHING] = [0x7f, 0x7b, 0x40];

// Parameters of the function ...
const [LENGTH, SEPARATOR, FIELDS, RECORD, LAST_RECORD] = [0, 1, 2, 3, 4];
// ... and its variables: numbers, then vectors.
const [AT, COUNT, COMMAS, LINE_ENDS, MARKS, PLACE, BYTES, MORE_BYTES, ALL_COMMAS, ALL_LINE_ENDS] = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
const VARIABLES = [2, BYTES - AT, INT32, ALL_LINE_ENDS - BYTES + 1, VECTOR];

/** Writes a record for each line end among the first LENGTH bytes, and gives back where the next one would be. */
const FIND: readonly number[] = [
    ...[NUMBER, LF, ...SPREAD, SET, ALL_LINE_ENDS],
    ...[GET, SEPARATOR, ...SPREAD, SET, ALL_COMMAS],
    ...[BLOCK, NOTHING, LOOP, NOTHING],
    // while (at < length)
    ...[GET, AT, GET, LENGTH, IS_LESS, IS_ZERO, BRANCH_IF, 1],
    // if (count > fields && at + 32 <= length && there is no line end among 32 bytes) count += ones(their commas); at += 32; continue
    ...[GET, COUNT, GET, FIELDS, IS_MORE, GET, AT, NUMBER, 2 * VECTOR_BYTES, ADD, GET, LENGTH, IS_MORE, IS_ZERO, AND, IF, NOTHING],
    ...[GET, AT, ...LOAD_VECTOR, TEE, BYTES, GET, ALL_LINE_ENDS, ...EQUAL],
    ...[GET, AT, ...LOAD_NEXT_VECTOR, TEE, MORE_BYTES, GET, ALL_LINE_ENDS, ...EQUAL, ...EITHER, ...IS_ANY, IS_ZERO, IF, NOTHING],
    ...[GET, COUNT, GET, BYTES, GET, ALL_COMMAS, ...EQUAL, ...BITS, GET, MORE_BYTES, GET, ALL_COMMAS, ...EQUAL, ...BITS],
    ...[NUMBER, VECTOR_BYTES, SHIFT_LEFT, OR, ONES, ADD, SET, COUNT],
    ...[GET, AT, NUMBER, 2 * VECTOR_BYTES, ADD, SET, AT, BRANCH, 2, END, END],
    // A bit for each of sixteen bytes: is it a separator, is it a line end?
    ...[GET, AT, ...LOAD_VECTOR, TEE, BYTES, GET, ALL_COMMAS, ...EQUAL, ...BITS, SET, COMMAS],
    ...[GET, BYTES, GET, ALL_LINE_ENDS, ...EQUAL, ...BITS, TEE, LINE_ENDS],
    // if (lineEnds === 0 && count > fields) count += ones(commas)
    ...[IS_ZERO, GET, COUNT, GET, FIELDS, IS_MORE, AND, IF, NOTHING],
    ...[GET, COUNT, GET, COMMAS, ONES, ADD, SET, COUNT],
    ...[ELSE, GET, COMMAS, GET, LINE_ENDS, OR, TEE, MARKS, IF, NOTHING, LOOP, NOTHING],
    // do: place = at + trailingZeros(marks)
    ...[GET, AT, GET, MARKS, TRAILING_ZEROS, ADD, SET, PLACE],
    // if (lineEnds & lowest bit of marks)
    ...[GET, LINE_ENDS, GET, MARKS, TRAILING_ZEROS, SHIFT_RIGHT, NUMBER, 1, AND, IF, NOTHING],
    // record.lineEnd = place; record.separators = count; count = 0
    ...[GET, RECORD, GET, PLACE, ...STORE, LINE_END * WORD_BYTES],
    ...[GET, RECORD, GET, COUNT, ...STORE, SEPARATORS * WORD_BYTES],
    ...[NUMBER, 0, SET, COUNT],
    // record += (fields + 3) words; record.starts[0] = place + 1
    ...[GET, RECORD, GET, FIELDS, NUMBER, STARTS + 1, ADD, NUMBER, WORD_BYTES, MULTIPLY, ADD, TEE, RECORD],
    ...[GET, PLACE, NUMBER, 1, ADD, ...STORE, STARTS * WORD_BYTES],
    // if (record > lastRecord) return record
    ...[GET, RECORD, GET, LAST_RECORD, IS_MORE, IF, NOTHING, GET, RECORD, RETURN, END],
    // else if (++count <= fields) record.starts[count] = place + 1
    ...[ELSE, GET, COUNT, NUMBER, 1, ADD, TEE, COUNT, GET, FIELDS, IS_MORE, IS_ZERO, IF, NOTHING],
    ...[GET, RECORD, GET, COUNT, NUMBER, WORD_BYTES, MULTIPLY, ADD, GET, PLACE, NUMBER, 1, ADD, ...STORE, STARTS * WORD_BYTES],
    ...[END, END],
    // while (marks &= marks - 1)
    ...[GET, MARKS, GET, MARKS, NUMBER, 1, SUBTRACT, AND, TEE, MARKS, BRANCH_IF, 0],
    ...[END, END, END],
    // at += 16
    ...[GET, AT, NUMBER, VECTOR_BYTES, ADD, SET, AT, BRANCH, 0],
    ...[END, END],
    ...[GET, RECORD, END],
];

const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const [TYPES, FUNCTIONS, MEMORIES, EXPORTS, CODE] = [1, 3, 5, 7, 10];
const [FUNCTION_TYPE, FUNCTION, MEMORY] = [0x60, 0, 2];
const PAGES = Math.ceil((RECORDS_AT + RECORDS_BYTES) / (1 << 16));
const named = (name: string): number[] => [name.length, ...Buffer.from(name)];
/** Bytes behind their length, which two bytes hold as modules write numbers (LEB128). */
const measured = (bytes: readonly number[]): number[] => [(bytes.length & 0x7f) | 0x80, bytes.length >> 7, ...bytes];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...measured(bytes)];

const MODULE = Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(TYPES, [1, FUNCTION_TYPE, 5, INT32, INT32, INT32, INT32, INT32, 1, INT32]),
    ...section(FUNCTIONS, [1, 0]),
    ...section(MEMORIES, [1, 0, PAGES]),
    ...section(EXPORTS, [2, ...named('memory'), MEMORY, 0, ...named('find'), FUNCTION, 0]),
    ...section(CODE, [1, ...measured([...VARIABLES, ...FIND])]),
]);

/** What of WebAssembly is used here; Node's types leave it to those of browsers. */
declare const WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer }; find(...numbers: number[]): number } };
};

const { memory, find } = new WebAssembly.Instance(new WebAssembly.Module(MODULE)).exports;

/** Copy of the bytes that the last lines were found in; all finders share it. Four bytes can be read at any place of a line. */
export const block: Buffer = Buffer.from(memory.buffer, 0, RECORDS_AT);
export const blockView = new DataView(memory.buffer, 0, RECORDS_AT);

/** Beginnings of fields in `block`, at the place that a finder tells. */
export const fieldStarts = new Int32Array(memory.buffer, RECORDS_AT, RECORDS_BYTES / WORD_BYTES);

export interface LineFinderOptions {
    start: number;
    /** Behind a line end: nothing is looked for from there on. */
    limit: number;
    separator: number;
    /** Fields of a line whose beginnings are told, at most `MAX_FIELDS`; and one more. */
    fields: number;
}

/** The lines of a piece of bytes, one after the other. A finder is of use until another one finds something. */
export class LineFinder {
    /** Place of the end of the line that was found last. */
    lineEnd = -1;
    /** Separators of that line. */
    separators = 0;
    /** Place in `fieldStarts` of the line's first field; those that it has not are of no meaning. */
    starts = 0;
    readonly #bytes: Buffer;
    readonly #limit: number;
    readonly #separator: number;
    readonly #fields: number;
    readonly #recordLength: number;
    /** Place of the block in the bytes, and of what is behind its last line. */
    #blockStart: number;
    #next: number;
    /** The next record, and the end of those that are there. */
    #record = 0;
    #recordsEnd = 0;

    constructor(bytes: Buffer, { start, limit, separator, fields }: LineFinderOptions) {
        this.#bytes = bytes;
        this.#blockStart = start;
        this.#next = start;
        this.#limit = limit;
        this.#separator = separator;
        this.#fields = fields;
        this.#recordLength = fields + STARTS + 1;
    }

    /** Finds the line that begins at `start`, which is below the limit and not in front of the last line. */
    find(start: number): void {
        do {
            if (this.#record === this.#recordsEnd) {
                this.#takeBlock(start);
            }
            this.lineEnd = this.#blockStart + (fieldStarts[this.#record + LINE_END] as number);
            this.separators = fieldStarts[this.#record + SEPARATORS] as number;
            this.starts = this.#record + STARTS;
            this.#record += this.#recordLength;
        } while (this.lineEnd < start);
    }

    /** Place of the line's end in `block`. */
    get lineEndInBlock(): number {
        return this.lineEnd - this.#blockStart;
    }

    #takeBlock(start: number): void {
        this.#blockStart = Math.max(this.#next, start);
        const length = Math.min(this.#limit - this.#blockStart, BLOCK_BYTES);
        block.set(this.#bytes.subarray(this.#blockStart, this.#blockStart + length));
        block.fill(0, length, length + VECTOR_BYTES);
        fieldStarts[STARTS] = 0;
        const lastRecord = RECORDS_AT + RECORDS_BYTES - 2 * this.#recordLength * WORD_BYTES;
        const end = find(length, this.#separator, this.#fields, RECORDS_AT, lastRecord);
        this.#record = 0;
        this.#recordsEnd = (end - RECORDS_AT) / WORD_BYTES;
        if (this.#recordsEnd === 0) {
            fieldStarts[LINE_END] = this.#bytes.indexOf(LF, this.#blockStart) - this.#blockStart;
            fieldStarts[SEPARATORS] = UNCOUNTED;
            this.#recordsEnd = this.#recordLength;
        }
        this.#next = this.#blockStart + (fieldStarts[this.#recordsEnd - this.#recordLength + LINE_END] as number) + 1;
    }
}

/**
 * Lines of a text with separators: where each ends, how many separators it has, and where its first fields begin. Counting all separators a word at a time
 * made reading a quarter slower; a processor that looks at sixteen bytes at once does it in next to no time (docs/performance.md). JavaScript has
 * no such instructions, so the loop is a WebAssembly function.
 */

import {
    add,
    and,
    bitsOf,
    branch,
    branchIf,
    type Code,
    compile,
    countOnes,
    either,
    equalEach,
    get,
    giveBack,
    INT32,
    int32,
    isAny,
    isLess,
    isMore,
    isZero,
    loadVector,
    loop,
    multiply,
    or,
    orEach,
    scope,
    set,
    shiftLeft,
    shiftRight,
    spread,
    store,
    subtract,
    tee,
    trailingZeros,
    VECTOR,
    when,
} from './web-assembly.ts';

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

// Parameters of the function ...
const [LENGTH, SEPARATOR, FIELDS, RECORD, LAST_RECORD] = [0, 1, 2, 3, 4];
// ... and its variables: numbers, then vectors.
const [AT, COUNT, COMMAS, LINE_ENDS, MARKS, PLACE, BYTES, MORE_BYTES, ALL_COMMAS, ALL_LINE_ENDS] = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
const VARIABLES = [
    [BYTES - AT, INT32],
    [ALL_LINE_ENDS - BYTES + 1, VECTOR],
] as const;

const isEnough = isMore(get(COUNT), get(FIELDS));

/** Looks at 32 bytes at once where only the count of separators is wanted, and goes on to the next bytes where no line ends among them. */
const countOfTwoVectors = when(
    and(isEnough, isZero(isMore(add(get(AT), int32(2 * VECTOR_BYTES)), get(LENGTH)))),
    when(
        isZero(
            isAny(
                orEach(
                    equalEach(tee(BYTES, loadVector(get(AT))), get(ALL_LINE_ENDS)),
                    equalEach(tee(MORE_BYTES, loadVector(get(AT), VECTOR_BYTES)), get(ALL_LINE_ENDS)),
                ),
            ),
        ),
        set(
            COUNT,
            add(
                get(COUNT),
                countOnes(
                    or(
                        bitsOf(equalEach(get(BYTES), get(ALL_COMMAS))),
                        shiftLeft(bitsOf(equalEach(get(MORE_BYTES), get(ALL_COMMAS))), int32(VECTOR_BYTES)),
                    ),
                ),
            ),
        ),
        set(AT, add(get(AT), int32(2 * VECTOR_BYTES))),
        branch('vectors'),
    ),
);

/** Takes the line end at PLACE: the line's record is whole, and the next one's first field begins behind. */
const takeLineEnd: readonly Code[] = [
    store(get(RECORD), get(PLACE), LINE_END * WORD_BYTES),
    store(get(RECORD), get(COUNT), SEPARATORS * WORD_BYTES),
    set(COUNT, int32(0)),
    store(
        tee(RECORD, add(get(RECORD), multiply(add(get(FIELDS), int32(STARTS + 1)), int32(WORD_BYTES)))),
        add(get(PLACE), int32(1)),
        STARTS * WORD_BYTES,
    ),
    when(isMore(get(RECORD), get(LAST_RECORD)), giveBack(get(RECORD))),
];

/** Counts the separator at PLACE, and tells that a field begins behind it. */
const takeSeparator: readonly Code[] = [
    when(
        isZero(isMore(tee(COUNT, add(get(COUNT), int32(1))), get(FIELDS))),
        store(add(get(RECORD), multiply(get(COUNT), int32(WORD_BYTES))), add(get(PLACE), int32(1)), STARTS * WORD_BYTES),
    ),
];

/** Writes a record for each line end among the first LENGTH bytes, and gives back where the next one would be. */
const FIND: Code = [
    set(ALL_LINE_ENDS, spread(int32(LF))),
    set(ALL_COMMAS, spread(get(SEPARATOR))),
    scope(
        'all',
        loop(
            'vectors',
            branchIf('all', isZero(isLess(get(AT), get(LENGTH)))),
            countOfTwoVectors,
            // A bit for each of sixteen bytes: is it a separator, is it a line end?
            set(COMMAS, bitsOf(equalEach(tee(BYTES, loadVector(get(AT))), get(ALL_COMMAS)))),
            either(
                and(isZero(tee(LINE_ENDS, bitsOf(equalEach(get(BYTES), get(ALL_LINE_ENDS))))), isEnough),
                [set(COUNT, add(get(COUNT), countOnes(get(COMMAS))))],
                [
                    when(
                        tee(MARKS, or(get(COMMAS), get(LINE_ENDS))),
                        loop(
                            'marks',
                            set(PLACE, add(get(AT), trailingZeros(get(MARKS)))),
                            either(and(shiftRight(get(LINE_ENDS), trailingZeros(get(MARKS))), int32(1)), takeLineEnd, takeSeparator),
                            // Without its lowest bit.
                            branchIf('marks', tee(MARKS, and(get(MARKS), subtract(get(MARKS), int32(1))))),
                        ),
                    ),
                ],
            ),
            set(AT, add(get(AT), int32(VECTOR_BYTES))),
            branch('vectors'),
        ),
    ),
    get(RECORD),
];

const { memory, call: find } = compile(
    { name: 'find', parameters: LAST_RECORD + 1, variables: VARIABLES, code: FIND },
    RECORDS_AT + RECORDS_BYTES,
);

/** Copy of the bytes that the last lines were found in; all finders share it. Four bytes can be read at any place of a line. */
export const block: Buffer = Buffer.from(memory, 0, RECORDS_AT);
export const blockView = new DataView(memory, 0, RECORDS_AT);

/** Beginnings of fields in `block`, at the place that a finder tells. */
export const fieldStarts = new Int32Array(memory, RECORDS_AT, RECORDS_BYTES / WORD_BYTES);

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

/**
 * The walk over records of JSON that are known by heart, which reads what is plain in them too: a WebAssembly function. Between two values stand
 * learned bytes, which are compared; a value's own bytes tell where it ends. In JavaScript each value ended a loop, and the processor guessed
 * wrongly how long it is: 200 ns for a record of 394 bytes with fourteen values, and 110 for its five fields. Here both take 82 ns. They pass in
 * waiting for the end of one value after the other, some fifteen cycles each: an instruction less on the way from a value's first byte to its end
 * counts, one beside that way does not (docs/performance.md).
 */

import { MAX_FAST_VALUE, UNTIMED } from '../pair-table.ts';
import { DESTINATION, END, PACKETS, ROLE_COUNT, SOURCE } from './json-dialects.ts';
import {
    FIRST_ROLE,
    IMAGE_BYTES,
    IS_END,
    IS_TEXT,
    PIECE_BESIDE,
    PIECE_BYTES_AT,
    PIECE_KIND,
    PIECE_LENGTH,
    PIECE_NEXT,
    PIECE_TO,
    PLACE_FIRST,
} from './json-shapes.ts';
import { NOT_PLAIN } from './plain-row.ts';
import {
    add,
    add64,
    addEight,
    and,
    and64,
    bitsOf,
    branch,
    branchIf,
    type Code,
    compile,
    differ,
    divide,
    either,
    equal,
    equalEach,
    get,
    half,
    INT32,
    INT64,
    int32,
    int64,
    isAtMostEach,
    isLess,
    isLess64,
    isMore,
    isZero,
    isZero64,
    load,
    load64,
    loadByte,
    loadVector,
    loop,
    multiply,
    multiply64,
    multiplyFirst,
    multiplyLast,
    or,
    or64,
    orEach,
    pick,
    scope,
    select,
    set,
    shiftLeft,
    shiftLeft64,
    shiftRight,
    shiftRight64,
    spread,
    store,
    storeVector,
    subtract,
    subtract64,
    subtractEach,
    tee,
    toInt32,
    toInt64,
    trailingZeros,
    trailingZeros64,
    VECTOR,
    when,
    xor,
    xor64,
} from './web-assembly.ts';

const VECTOR_BYTES = 16;
export const WORD_BYTES = 4;

// The function's memory: the place at which it stopped, a copy of the bytes, ...
export const STOPPED_AT = 0;
export const BLOCK_AT = 64;
export const BLOCK_BYTES = 1 << 16;
/** ... zeros, which are in no value and in no piece, ... */
export const PAD_BYTES = 64;
/** ... the records that were found, ... */
export const RECORDS_AT = BLOCK_AT + BLOCK_BYTES + PAD_BYTES;
const RECORDS = 128;

// A record in words: how many line ends are between the first one and this one, ...
export const LINES_BEFORE = 0;
/** ... where the values of each role begin and end, without their quotes, `NOT_PLAIN` where there is none, ... */
export const STARTS = 1;
export const ENDS = STARTS + ROLE_COUNT;
/** ... where the record does, ... */
export const RECORD_START = ENDS + ROLE_COUNT;
export const RECORD_END = RECORD_START + 1;
/** ... what its plain values are, ... */
export const SOURCE_KEY = RECORD_START + 2;
export const DESTINATION_KEY = RECORD_START + 3;
export const PACKETS_COUNT = RECORD_START + 4;
export const DURATION = RECORD_START + 5;
/** ... and which of them are plain, as bits. */
export const PLAIN = RECORD_START + 6;
export const HAS_SOURCE = 1;
export const HAS_DESTINATION = 2;
export const HAS_PACKETS = 4;
export const HAS_DURATION = 8;
export const IS_ALL_PLAIN = HAS_SOURCE | HAS_DESTINATION | HAS_PACKETS | HAS_DURATION;
export const RECORD_WORDS = RECORD_START + 7;
const RECORD_BYTES = RECORD_WORDS * WORD_BYTES;

/** ... what records are made of, ... */
export const IMAGE_AT = RECORDS_AT + RECORDS * RECORD_BYTES;
/** ... and for each way in which the points of an IPv4 address can stand its points and its end as bits, its digits as bits, ... */
const FORMS_AT = IMAGE_AT + IMAGE_BYTES;
const FORM_POINTS = 0;
const FORM_DIGITS = 4;
/** ... which digits, in their new order, are the first of several, and that order: hundreds, tens, ones, each of all numbers from the last on. */
const FORM_FIRSTS = 8;
const FORM_ORDER = 16;
const FORM_SHIFT = 5;
const FORM_BITS = 8;
/** Found by trying: it leads each of the 81 ways to a place of its own. */
const FORM_FACTOR = 0xad07c2b6;
const WEIGHTS_AT = FORMS_AT + (1 << (FORM_BITS + FORM_SHIFT));
const MEMORY_BYTES = WEIGHTS_AT + VECTOR_BYTES;

/** Digits behind the point of a duration that are read. */
export const FRACTION_DIGITS = 8;
const MAX_PACKETS_DIGITS = 8;

// Parameters: where the first record begins, the first place of all records, 1 where commas may stand between them, what durations are multiplied
// by (0: they are not read), and what the number of their `FRACTION_DIGITS` is divided by then ...
const [AT, PLACE, IS_ARRAY, FACTOR, DIVISOR] = [0, 1, 2, 3, 4];
// ... and variables: numbers of 32 bits, of 64 bits, vectors.
const [RECORD, FIRST_PLACE, LINES, PIECE, KIND, START, SIZE, FROM, WITH, LEFT] = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
const [BITS, BYTE, DIGITS, POINTS, POINT, OK, FLAGS] = [15, 16, 17, 18, 19, 20, 21];
const [LONG, WHOLE] = [22, 23];
const [BYTES, ALL_ZEROS, ALL_NINES, ALL_QUOTES, ALL_BACKSLASHES, ALL_CONTROLS, ALL_POINTS, ALL_WEIGHTS] = [24, 25, 26, 27, 28, 29, 30, 31];
const VARIABLES = [
    [FLAGS - RECORD + 1, INT32],
    [WHOLE - LONG + 1, INT64],
    [ALL_WEIGHTS - BYTES + 1, VECTOR],
] as const;

const ZEROS = 0x3030303030303030n;
const each = (character: string): Code => spread(int32(character.charCodeAt(0)));
const sixteen = (byte: number): Code => spread(int32(byte));
const byteOf = (character: string): Code => int32(character.charCodeAt(0));
const bytesOf = (text: string): number => Buffer.from(text, 'latin1').readInt32LE();
const areDigits = (vector: Code): Code => bitsOf(isAtMostEach(subtractEach(vector, get(ALL_ZEROS)), get(ALL_NINES)));
const arePoints = (vector: Code): Code => bitsOf(equalEach(vector, get(ALL_POINTS)));
/** A number whose lowest bits, `count` of them, are set. */
const lowest = (count: Code): Code => subtract(shiftLeft(int32(1), count), int32(1));

/** Ends the walk in front of the record at hand. */
const stop = branch('walk');
const forward = (bytes: Code): Code => set(AT, add(get(AT), bytes));

/** Sets PIECE to the one that stands at AT, of those behind PLACE. The zeros behind the last bytes are in no piece. */
const findPiece = (): Code => [
    set(PIECE, load(get(PLACE), IMAGE_AT + PLACE_FIRST)),
    scope(
        'found',
        when(isZero(get(PIECE)), stop),
        // Nearly always it is the first one, and short.
        set(BITS, bitsOf(equalEach(loadVector(get(AT)), loadVector(get(PIECE), IMAGE_AT + PIECE_BYTES_AT)))),
        branchIf('found', equal(or(get(BITS), load(get(PIECE), IMAGE_AT + PIECE_BESIDE)), int32(0xffff))),
        loop(
            'pieces',
            scope(
                'other',
                set(LEFT, load(get(PIECE), IMAGE_AT + PIECE_LENGTH)),
                set(FROM, get(AT)),
                set(WITH, get(PIECE)),
                loop(
                    'vectors',
                    set(BITS, bitsOf(equalEach(loadVector(get(FROM)), loadVector(get(WITH), IMAGE_AT + PIECE_BYTES_AT)))),
                    when(
                        isMore(get(LEFT), int32(VECTOR_BYTES)),
                        branchIf('other', differ(get(BITS), int32(0xffff))),
                        set(FROM, add(get(FROM), int32(VECTOR_BYTES))),
                        set(WITH, add(get(WITH), int32(VECTOR_BYTES))),
                        set(LEFT, subtract(get(LEFT), int32(VECTOR_BYTES))),
                        branch('vectors'),
                    ),
                ),
                branchIf('found', equal(or(get(BITS), shiftLeft(int32(-1), get(LEFT))), int32(-1))),
            ),
            set(PIECE, load(get(PIECE), IMAGE_AT + PIECE_NEXT)),
            branchIf('pieces', get(PIECE)),
        ),
        stop,
    ),
];

/**
 * Sets BITS to a bit for each quote among the sixteen bytes at AT. Stops at a backslash, or what no text may hold, in front of the first one: that
 * is looked at beside, so that nothing waits for it.
 */
const findQuotes = (): Code => [
    set(BYTES, loadVector(get(AT))),
    set(BITS, bitsOf(equalEach(get(BYTES), get(ALL_QUOTES)))),
    when(
        and(
            bitsOf(orEach(equalEach(get(BYTES), get(ALL_BACKSLASHES)), isAtMostEach(get(BYTES), get(ALL_CONTROLS)))),
            xor(get(BITS), subtract(get(BITS), int32(1))),
        ),
        stop,
    ),
];

/** Moves AT to the quote that ends a text without escapes. */
const passText = (): Code => [
    findQuotes(),
    when(isZero(get(BITS)), loop('text', forward(int32(VECTOR_BYTES)), findQuotes(), branchIf('text', isZero(get(BITS))))),
    forward(trailingZeros(get(BITS))),
];

/** SIZE of digits that are not counted by `countFewDigits`. */
const MANY_DIGITS = 8;
/** Sets SIZE to how many digits stand from AT on, at most to `MANY_DIGITS`. Eight bytes in a number are ready earlier than sixteen in a vector. */
const countFewDigits = (): Code => [
    set(LONG, xor64(load64(get(AT)), int64(ZEROS))),
    set(
        SIZE,
        toInt32(
            shiftRight64(
                trailingZeros64(and64(or64(get(LONG), add64(get(LONG), int64(0x7676767676767676n))), int64(0x8080808080808080n))),
                int64(3n),
            ),
        ),
    ),
];
/** Sets SIZE to how many digits stand from AT on, at most to 32. */
const countManyDigits = (): Code => [
    set(SIZE, trailingZeros(xor(areDigits(loadVector(get(AT))), int32(-1)))),
    when(
        equal(get(SIZE), int32(VECTOR_BYTES)),
        set(SIZE, add(get(SIZE), trailingZeros(xor(areDigits(loadVector(get(AT), VECTOR_BYTES)), int32(-1))))),
    ),
];
/** True where SIZE is 0, or so large that there may be more. */
const isNotBelow = (most: number): Code => isMore(subtract(get(SIZE), int32(1)), int32(most - 2));
const countManyOrStop = (): Code => [countManyDigits(), when(isNotBelow(2 * VECTOR_BYTES), stop)];

/** Moves AT behind one of the words of JSON, which no role needs. */
const passWord = (): Code => [
    when(isMore(get(KIND), int32(IS_END)), stop),
    set(BYTE, load(get(AT))),
    either(
        or(equal(get(BYTE), int32(bytesOf('true'))), equal(get(BYTE), int32(bytesOf('null')))),
        [forward(int32(WORD_BYTES))],
        [
            when(isZero(and(equal(get(BYTE), int32(bytesOf('fals'))), equal(loadByte(get(AT), WORD_BYTES), byteOf('e')))), stop),
            forward(int32(WORD_BYTES + 1)),
        ],
    ),
];

/** Moves AT behind a number of JSON without an exponent, of at most 31 digits on each side of its point, or behind a word. */
const passPlain = (): Code => [
    countFewDigits(),
    when(
        isNotBelow(MANY_DIGITS),
        set(BYTE, loadByte(get(AT))),
        when(isMore(get(BYTE), byteOf('9')), passWord(), branch('value')),
        when(equal(get(BYTE), byteOf('-')), forward(int32(1))),
        countManyOrStop(),
    ),
    // No zero is followed by a digit.
    when(equal(loadByte(get(AT)), byteOf('0')), when(differ(get(SIZE), int32(1)), stop)),
    forward(get(SIZE)),
    when(
        equal(loadByte(get(AT)), byteOf('.')),
        forward(int32(1)),
        countFewDigits(),
        when(isNotBelow(MANY_DIGITS), countManyOrStop()),
        forward(get(SIZE)),
    ),
];

const roleStart = (role: number): Code => load(get(RECORD), (STARTS + role) * WORD_BYTES);
const roleEnd = (role: number): Code => load(get(RECORD), (ENDS + role) * WORD_BYTES);

const addFlag = (flag: number): Code => set(FLAGS, or(get(FLAGS), multiply(get(OK), int32(flag))));

/**
 * Reads the IPv4 address of a role, if it is one. Its points and its end tell where each digit stands; a table has for each of the 81 ways in which
 * they can stand the order that brings hundreds, tens and ones below each other.
 */
const readAddress = (role: number, { key, flag }: { key: number; flag: number }): Code => [
    set(START, roleStart(role)),
    set(SIZE, subtract(roleEnd(role), get(START))),
    when(
        and(differ(get(START), int32(NOT_PLAIN)), isLess(get(SIZE), int32(VECTOR_BYTES))),
        set(BYTES, loadVector(get(START))),
        set(POINT, shiftLeft(int32(1), get(SIZE))),
        set(LEFT, subtract(get(POINT), int32(1))),
        set(DIGITS, and(areDigits(get(BYTES)), get(LEFT))),
        set(POINTS, or(and(arePoints(get(BYTES)), get(LEFT)), get(POINT))),
        set(FROM, shiftLeft(shiftRight(multiply(get(POINTS), int32(FORM_FACTOR)), int32(32 - FORM_BITS)), int32(FORM_SHIFT))),
        set(BYTES, pick(subtractEach(get(BYTES), get(ALL_ZEROS)), loadVector(get(FROM), FORMS_AT + FORM_ORDER))),
        set(
            OK,
            and(
                and(
                    equal(get(POINTS), load(get(FROM), FORMS_AT + FORM_POINTS)),
                    equal(get(DIGITS), load(get(FROM), FORMS_AT + FORM_DIGITS)),
                ),
                // No number of several digits begins with a zero.
                isZero(and(bitsOf(equalEach(get(BYTES), sixteen(0))), load(get(FROM), FORMS_AT + FORM_FIRSTS))),
            ),
        ),
        set(BYTES, addEight(multiplyFirst(get(BYTES), get(ALL_WEIGHTS)), multiplyLast(get(BYTES), get(ALL_WEIGHTS)))),
        // The four numbers, each in sixteen bits; then without the highest eight, which must be zero.
        set(LONG, add64(half(get(BYTES), 0), half(get(BYTES), 1))),
        set(OK, and(get(OK), isZero64(and64(get(LONG), int64(0xff00ff00ff00ff00n))))),
        set(LONG, and64(or64(get(LONG), shiftRight64(get(LONG), int64(8n))), int64(0x0000ffff0000ffffn))),
        store(get(RECORD), toInt32(or64(get(LONG), shiftRight64(get(LONG), int64(16n)))), key * WORD_BYTES),
        addFlag(flag),
    ),
];

/** The number of eight digits in eight bytes, the first one lowest, each a number from 0 to 9. */
const eightDigits = (digits: Code): Code => {
    const step = (pairs: Code, factor: bigint, shift: bigint): Code => shiftRight64(multiply64(pairs, int64(factor)), int64(shift));
    const tens = and64(step(digits, 2_561n, 8n), int64(0x00ff00ff00ff00ffn));
    const hundreds = and64(step(tens, 6_553_601n, 16n), int64(0x0000ffff0000ffffn));
    return step(hundreds, 42_949_672_960_001n, 32n);
};
/** Bits that eight bytes have beside these. */
const bitsBeside = (bytes: Code): Code => subtract64(int64(64n), toInt64(shiftLeft(bytes, int32(3))));

/** The number of up to eight digits, at least one, in front of `end`. */
const wholeOf = (end: Code, length: Code): Code =>
    eightDigits(shiftLeft64(shiftRight64(xor64(load64(subtract(end, int32(8))), int64(ZEROS)), tee(LONG, bitsBeside(length))), get(LONG)));
/** The number of eight digits that begins with up to eight digits, at least one, at `start`, and goes on with zeros. */
const fractionOf = (start: Code, length: Code): Code =>
    eightDigits(shiftRight64(shiftLeft64(xor64(load64(start), int64(ZEROS)), tee(LONG, bitsBeside(length))), get(LONG)));

/** Reads the packets where they are few digits and nothing else. */
const readPackets = (): Code => [
    set(START, roleStart(PACKETS)),
    set(SIZE, subtract(roleEnd(PACKETS), get(START))),
    when(
        and(differ(get(START), int32(NOT_PLAIN)), isLess(subtract(get(SIZE), int32(1)), int32(MAX_PACKETS_DIGITS))),
        set(OK, equal(and(areDigits(loadVector(get(START))), lowest(get(SIZE))), lowest(get(SIZE)))),
        store(get(RECORD), toInt32(wholeOf(roleEnd(PACKETS), get(SIZE))), PACKETS_COUNT * WORD_BYTES),
        addFlag(HAS_PACKETS),
    ),
];

/** Reads the duration, where it is to be read: times FACTOR and rounded half up, or `UNTIMED`. It may have eight digits on each side of its point. */
const readDuration = (): Code => [
    set(START, roleStart(END)),
    set(SIZE, subtract(roleEnd(END), get(START))),
    set(OK, and(differ(get(FACTOR), int32(0)), equal(get(START), int32(NOT_PLAIN)))),
    store(get(RECORD), int32(UNTIMED), DURATION * WORD_BYTES),
    when(
        and(
            differ(get(FACTOR), int32(0)),
            and(differ(get(START), int32(NOT_PLAIN)), isLess(subtract(get(SIZE), int32(1)), int32(VECTOR_BYTES))),
        ),
        set(BYTES, loadVector(get(START))),
        set(BITS, lowest(get(SIZE))),
        set(POINTS, and(arePoints(get(BYTES)), get(BITS))),
        set(POINT, select(trailingZeros(get(POINTS)), get(SIZE), get(POINTS))),
        // All are digits but for the first point.
        set(OK, equal(or(and(areDigits(get(BYTES)), get(BITS)), and(get(POINTS), subtract(int32(0), get(POINTS)))), get(BITS))),
        set(LEFT, subtract(subtract(get(SIZE), get(POINT)), differ(get(POINTS), int32(0)))),
        set(OK, and(get(OK), and(isLess(subtract(get(POINT), int32(1)), int32(8)), isLess(get(LEFT), int32(FRACTION_DIGITS + 1))))),
        set(WHOLE, multiply64(wholeOf(add(get(START), get(POINT)), get(POINT)), toInt64(get(FACTOR)))),
        when(
            get(LEFT),
            set(BITS, toInt32(fractionOf(add(get(START), add(get(POINT), int32(1))), get(LEFT)))),
            set(WHOLE, add64(get(WHOLE), toInt64(divide(add(get(BITS), shiftRight(get(DIVISOR), int32(1))), get(DIVISOR))))),
        ),
        store(get(RECORD), toInt32(get(WHOLE)), DURATION * WORD_BYTES),
        set(OK, and(get(OK), isLess64(get(WHOLE), int64(BigInt(MAX_FAST_VALUE))))),
    ),
    addFlag(HAS_DURATION),
];

const isOneOf = (characters: string): Code => [...characters].map((one) => equal(get(BYTE), byteOf(one))).reduce((a, b) => or(a, b));

/** Writes records, one behind the other, from AT on, until they are no longer known or there is no room; gives back where the next one would be. */
const walkCode = (): Code => [
    set(RECORD, int32(RECORDS_AT)),
    set(ALL_ZEROS, each('0')),
    set(ALL_NINES, sixteen(9)),
    set(ALL_QUOTES, each('"')),
    set(ALL_BACKSLASHES, each('\\')),
    set(ALL_CONTROLS, sixteen(0x1f)),
    set(ALL_POINTS, each('.')),
    set(FIRST_PLACE, get(PLACE)),
    set(ALL_WEIGHTS, loadVector(int32(WEIGHTS_AT))),
    scope(
        'walk',
        loop(
            'records',
            store(get(RECORD), get(AT), RECORD_START * WORD_BYTES),
            store(get(RECORD), get(LINES), LINES_BEFORE * WORD_BYTES),
            // Two vectors hold the words of all roles.
            storeVector(get(RECORD), sixteen(NOT_PLAIN), STARTS * WORD_BYTES),
            storeVector(get(RECORD), sixteen(NOT_PLAIN), STARTS * WORD_BYTES + VECTOR_BYTES),
            set(FLAGS, int32(0)),
            set(PLACE, get(FIRST_PLACE)),
            loop(
                'values',
                findPiece(),
                set(PLACE, load(get(PIECE), IMAGE_AT + PIECE_TO)),
                set(AT, add(get(AT), load(get(PIECE), IMAGE_AT + PIECE_LENGTH))),
                set(KIND, load(get(PIECE), IMAGE_AT + PIECE_KIND)),
                when(
                    differ(get(KIND), int32(IS_END)),
                    set(START, get(AT)),
                    scope('value', either(and(get(KIND), int32(IS_TEXT)), [passText()], [passPlain()])),
                    branchIf('values', isLess(get(KIND), int32(FIRST_ROLE))),
                    // What is left of the kind are the role's words and those of FIRST_ROLE.
                    set(KIND, add(get(RECORD), and(get(KIND), int32(-FIRST_ROLE)))),
                    // No role has two values.
                    when(differ(load(get(KIND), STARTS * WORD_BYTES - FIRST_ROLE), int32(NOT_PLAIN)), stop),
                    store(get(KIND), get(START), STARTS * WORD_BYTES - FIRST_ROLE),
                    store(get(KIND), get(AT), ENDS * WORD_BYTES - FIRST_ROLE),
                    branch('values'),
                ),
            ),
            store(get(RECORD), get(AT), RECORD_END * WORD_BYTES),
            readAddress(SOURCE, { key: SOURCE_KEY, flag: HAS_SOURCE }),
            readAddress(DESTINATION, { key: DESTINATION_KEY, flag: HAS_DESTINATION }),
            readPackets(),
            readDuration(),
            store(get(RECORD), get(FLAGS), PLAIN * WORD_BYTES),
            set(RECORD, add(get(RECORD), int32(RECORD_BYTES))),
            when(equal(get(RECORD), int32(IMAGE_AT)), stop),
            loop(
                'between',
                set(BYTE, loadByte(get(AT))),
                when(
                    or(isOneOf('\n \t\r'), and(equal(get(BYTE), byteOf(',')), get(IS_ARRAY))),
                    set(LINES, add(get(LINES), equal(get(BYTE), byteOf('\n')))),
                    set(AT, add(get(AT), int32(1))),
                    branch('between'),
                ),
            ),
            branchIf('records', equal(get(BYTE), byteOf('{'))),
        ),
    ),
    store(int32(STOPPED_AT), get(AT)),
    get(RECORD),
];

// These are there once `prepareWalk` was called: it takes some 8 ms, for which only readers of JSON should wait.

/** The walk, as `walkCode` has it. */
export let walk: (...parameters: number[]) => number;
/** Bytes of the function's memory, where places of values lead to; all walkers share it. */
export let walked: Buffer;
export let walkedView: DataView;
/** The records that were found, at the place that a walker tells. */
export let records: Int32Array;

/** Makes the function and its memory, at the first call. */
export function prepareWalk(): void {
    if (walk !== undefined) {
        return;
    }
    const { memory, call } = compile({ name: 'walk', parameters: DIVISOR + 1, variables: VARIABLES, code: walkCode() }, MEMORY_BYTES);
    walk = call;
    walked = Buffer.from(memory);
    walkedView = new DataView(memory);
    records = new Int32Array(memory, 0, IMAGE_AT / WORD_BYTES);
    // Hundreds, tens and ones.
    walked
        .fill(100, WEIGHTS_AT, WEIGHTS_AT + 4)
        .fill(10, WEIGHTS_AT + 4, WEIGHTS_AT + 8)
        .fill(1, WEIGHTS_AT + 8, WEIGHTS_AT + 16);
    for (let form = 0; form < 81; form += 1) {
        prepareForm([27, 9, 3, 1].map((power) => 1 + (Math.floor(form / power) % 3)));
    }
}

/** Notes how IPv4 addresses are read whose numbers have so many digits. */
function prepareForm(lengths: readonly number[]): void {
    const order = new Uint8Array(VECTOR_BYTES).fill(0x80);
    let at = 0;
    let points = 0;
    let firsts = 0;
    for (const [number, length] of lengths.entries()) {
        for (let digit = 0; digit < length; digit += 1) {
            const place = 3 - number + 4 * (3 - length + digit);
            order[place] = at + digit;
            firsts |= digit === 0 && length > 1 ? 1 << place : 0;
        }
        at += length + 1;
        points |= 1 << (at - 1);
    }
    const formAt = FORMS_AT + ((Math.imul(points, FORM_FACTOR) >>> (32 - FORM_BITS)) << FORM_SHIFT);
    walkedView.setInt32(formAt + FORM_POINTS, points, true);
    walkedView.setInt32(formAt + FORM_DIGITS, ((1 << (at - 1)) - 1) & ~points, true);
    walkedView.setInt32(formAt + FORM_FIRSTS, firsts, true);
    walked.set(order, formAt + FORM_ORDER);
}

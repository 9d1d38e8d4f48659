/**
 * Writes WebAssembly: functions in the loops that see every byte of a file, for the instructions that JavaScript has not, which look at sixteen bytes
 * at once. A function's code is a tree of what is below; `compile` makes a module of it. Numbers of instructions are those of
 * https://webassembly.github.io/spec/core/binary/instructions.html.
 */

/** Instructions one behind the other, or inside each other. */
export type Code = number | Mark | readonly Code[];

/** The beginning or end of a block, loop or condition; or a number, of those that a branch leaves: it goes behind a block, or to where a loop begins. */
interface Mark {
    is: 'begin' | 'end' | 'leave';
    label: string;
}

const [BLOCK, LOOP, IF, ELSE, END, BRANCH, BRANCH_IF, RETURN] = [0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0f];
const NOTHING = 0x40;
const SIMD = 0xfd;

/** Types of values. */
export const [INT32, INT64, VECTOR] = [0x7f, 0x7e, 0x7b];

const nest = (opcode: number, label: string, body: readonly Code[]): Code => [
    opcode,
    NOTHING,
    { is: 'begin', label },
    body,
    END,
    { is: 'end', label },
];
export const scope = (label: string, ...body: Code[]): Code => nest(BLOCK, label, body);
export const loop = (label: string, ...body: Code[]): Code => nest(LOOP, label, body);
export const branch = (label: string): Code => [BRANCH, { is: 'leave', label }];
export const branchIf = (label: string, condition: Code): Code => [condition, BRANCH_IF, { is: 'leave', label }];
export const giveBack = (value: Code): Code => [value, RETURN];
export const when = (condition: Code, ...body: Code[]): Code => [condition, nest(IF, '', body)];
export const either = (condition: Code, then: readonly Code[], otherwise: readonly Code[]): Code => [
    condition,
    nest(IF, '', [then, ELSE, otherwise]),
];

export const get = (variable: number): Code => [0x20, variable];
export const set = (variable: number, value: Code): Code => [value, 0x21, variable];
/** Sets a variable and is its value too. */
export const tee = (variable: number, value: Code): Code => [value, 0x22, variable];

type Two = (a: Code, b: Code) => Code;
const two =
    (...opcode: number[]): Two =>
    (a, b) => [a, b, opcode];
type One = (a: Code) => Code;
const one =
    (...opcode: number[]): One =>
    (a) => [a, opcode];

export const int32 = (value: number): Code => [0x41, signed(BigInt(value | 0))];
export const isZero = one(0x45);
export const equal = two(0x46);
export const differ = two(0x47);
export const isLess = two(0x49);
export const isMore = two(0x4b);
export const trailingZeros = one(0x68);
export const add = two(0x6a);
export const subtract = two(0x6b);
export const multiply = two(0x6c);
export const divide = two(0x6e);
export const and = two(0x71);
export const or = two(0x72);
export const xor = two(0x73);
export const shiftLeft = two(0x74);
export const shiftRight = two(0x76);
export const countOnes = one(0x69);
/** The first value where the condition is not zero, else the second one. */
export const select = (then: Code, otherwise: Code, condition: Code): Code => [then, otherwise, condition, 0x1b];

/** Numbers of 64 bits. */
export const int64 = (value: bigint): Code => [0x42, signed(BigInt.asIntN(64, value))];
export const or64 = two(0x84);
export const isZero64 = one(0x50);
export const isLess64 = two(0x54);
export const subtract64 = two(0x7d);
export const trailingZeros64 = one(0x7a);
export const add64 = two(0x7c);
export const multiply64 = two(0x7e);
export const and64 = two(0x83);
export const xor64 = two(0x85);
export const shiftLeft64 = two(0x86);
export const shiftRight64 = two(0x88);
export const toInt32 = one(0xa7);
export const toInt64 = one(0xad);

/** Sixteen bytes, of which each is compared by itself: what is true has all its bits set. */
export const spread = one(SIMD, 0x0f);
export const equalEach = two(SIMD, 0x23);
export const isAtMostEach = two(SIMD, 0x2a);
export const orEach = two(SIMD, 0x50);
export const isAny = one(SIMD, 0x53);
/** A bit for each byte: its highest one. */
export const bitsOf = one(SIMD, 0x64);
export const subtractEach = two(SIMD, 0x71);

/** The bytes of the first vector at the places that the second one names; 0 for a place that it has not. */
export const pick = two(SIMD, 0x0e);
/** Eight numbers of 16 bits: the products of the first eight bytes, those of the last eight, and sums. */
export const multiplyFirst = two(SIMD, 0x9e, 0x01);
export const multiplyLast = two(SIMD, 0x9f, 0x01);
export const addEight = two(SIMD, 0x8e, 0x01);
/** One half of a vector. */
export const half = (vector: Code, index: 0 | 1): Code => [vector, SIMD, 0x1d, index];

export const load = (address: Code, offset = 0): Code => [address, 0x28, 0, unsigned(offset)];
export const loadByte = (address: Code, offset = 0): Code => [address, 0x2d, 0, unsigned(offset)];
export const load64 = (address: Code, offset = 0): Code => [address, 0x29, 0, unsigned(offset)];
export const loadVector = (address: Code, offset = 0): Code => [address, SIMD, 0, 0, unsigned(offset)];
/** At a multiple of four. */
export const store = (address: Code, value: Code, offset = 0): Code => [address, value, 0x36, 2, unsigned(offset)];
export const storeVector = (address: Code, value: Code, offset = 0): Code => [address, value, SIMD, 0x0b, 0, unsigned(offset)];

/** A function that gives back a number of 32 bits. */
export interface WasmFunction {
    name: string;
    /** How many numbers of 32 bits it is given: its first variables. */
    parameters: number;
    /** How many variables it has beside, and of what type, in their order. */
    variables: readonly (readonly [count: number, type: number])[];
    code: Code;
}

const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const [TYPES, FUNCTIONS, MEMORIES, EXPORTS, CODE] = [1, 3, 5, 7, 10];
const [FUNCTION_TYPE, FUNCTION, MEMORY] = [0x60, 0, 2];
const PAGE_BYTES = 1 << 16;

/** What of WebAssembly is used here; Node's types leave it to those of browsers. */
declare const WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object) => { exports: Record<string, (...numbers: number[]) => number> & { memory: { buffer: ArrayBuffer } } };
};

/** The function, ready to be called, and its memory. */
export function compile(
    { name, parameters, variables, code }: WasmFunction,
    memoryBytes: number,
): { memory: ArrayBuffer; call: (...numbers: number[]) => number } {
    const named = (text: string): number[] => [text.length, ...Buffer.from(text)];
    const measured = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];
    const section = (id: number, bytes: readonly number[]): number[] => [id, ...measured(bytes)];
    const locals = [variables.length, ...variables.flatMap(([count, type]) => [...unsigned(count), type])];
    const body = [...locals, ...assemble(code), END];
    const module = Uint8Array.from([
        ...MAGIC_AND_VERSION,
        ...section(TYPES, [1, FUNCTION_TYPE, parameters, ...new Array<number>(parameters).fill(INT32), 1, INT32]),
        ...section(FUNCTIONS, [1, 0]),
        ...section(MEMORIES, [1, 0, ...unsigned(Math.ceil(memoryBytes / PAGE_BYTES))]),
        ...section(EXPORTS, [2, ...named('memory'), MEMORY, 0, ...named(name), FUNCTION, 0]),
        ...section(CODE, [1, ...measured(body)]),
    ]);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
    return { memory: exports.memory.buffer, call: exports[name] as (...numbers: number[]) => number };
}

/** The bytes of code: what is inside of each other becomes one list, and each mark its number. */
function assemble(code: Code): number[] {
    const labels: string[] = [];
    const bytes: number[] = [];
    const parts: readonly unknown[] = [code];
    for (const part of parts.flat(Number.POSITIVE_INFINITY) as (number | Mark)[]) {
        if (typeof part === 'number') {
            bytes.push(part);
        } else if (part.is === 'leave') {
            bytes.push(labels.length - 1 - labels.lastIndexOf(part.label));
        } else if (part.is === 'begin') {
            labels.push(part.label);
        } else {
            labels.pop();
        }
    }
    return bytes;
}

/** Numbers as modules have them (LEB128). */
function unsigned(value: number): number[] {
    return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: bigint): number[] {
    const low = Number(value & 0x7fn);
    const rest = value >> 7n;
    const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
    return isLast ? [low] : [low | 0x80, ...signed(rest)];
}

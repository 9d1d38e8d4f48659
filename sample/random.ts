/**
 * Numbers that look random and are the same on every machine and Node version: whole 32-bit arithmetic, and of floating point only
 * what IEEE 754 rounds exactly (+ - * /). Math.exp and its like may differ in the last bit between V8 versions.
 */

/** A sequence of random whole numbers (the generator sfc32 of PractRand). */
export class Random {
    private a: number;
    private b: number;
    private c: number;
    private count = 1;

    /** Equal keys give equal sequences. */
    constructor(seed: number, stream: number, part = 0) {
        this.a = hash(1, seed, stream, part) | 0;
        this.b = hash(2, seed, stream, part) | 0;
        this.c = hash(3, seed, stream, part) | 0;
        for (let round = 0; round < 12; round++) {
            this.next();
        }
    }

    /** The next number, 0 <= x < 2^32. */
    next(): number {
        const sum = (((this.a + this.b) | 0) + this.count) | 0;
        this.count = (this.count + 1) | 0;
        this.a = this.b ^ (this.b >>> 9);
        this.b = (this.c + (this.c << 3)) | 0;
        this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
        this.c |= 0;
        return sum >>> 0;
    }
}

/** One random number, 0 <= x < 2^32, for these keys: for what must be known without going through a sequence. */
export function hash(first: number, second: number, third: number, fourth = 0): number {
    return stir(stir(stir(stir(0, first), second), third), fourth) >>> 0;
}

/** A number 0 <= x < 1 out of 32 random bits. */
export function unit(bits: number): number {
    return bits / 4294967296;
}

/** Nearly a standard normal number (mean 0, deviation 1, never beyond 3.5) out of 32 random bits. */
export function bell(bits: number): number {
    const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
    return (sum - 510) / 147.8;
}

/** Nearly 2^x for -30 < x < 30: exact at whole numbers, straight lines between them. `grow(s * bell(bits))` is nearly log-normal. */
export function grow(x: number): number {
    const whole = Math.floor(x);
    const power = whole < 0 ? 1 / (1 << -whole) : 1 << whole;
    return power * (1 + x - whole);
}

function stir(state: number, key: number): number {
    return scramble(Math.imul(state, 31) + scramble((key | 0) + 0x9e3779b9));
}

/** The finalizer of MurmurHash3: every input bit moves every output bit. */
function scramble(value: number): number {
    let x = value | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return (x ^ (x >>> 16)) | 0;
}

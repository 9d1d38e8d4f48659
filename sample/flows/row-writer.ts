/** Writes text and numbers as ASCII straight into bytes: a string for each of 84 columns would cost more than all the rest. */
import { SCIENTIFIC_FROM } from './java-number.ts';

const ZERO = 48;
const POINT = 46;
const EXPONENT = 69;
const NOT_A_NUMBER = asciiBytes('NaN');
const INFINITE = asciiBytes('Infinity');

/** The digits of 0 to 9999 as four bytes in one number: with zeros in front, and without (then what follows the digits is of no use). */
const PADDED = Uint32Array.from({ length: 10_000 }, (_, value) => littleEndian(String(value).padStart(4, '0')));
const UNPADDED = Uint32Array.from({ length: 10_000 }, (_, value) => littleEndian(String(value).padEnd(4, '0')));

/** Bytes of a text that is ASCII. */
export function asciiBytes(text: string): Uint8Array {
    return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** Rows are put one behind the other; `take` hands them out. */
export class RowWriter {
    private readonly bytes: Uint8Array;
    private readonly view: DataView;
    private at = 0;

    /** Makes an empty writer. @param maxBytes of all that is put between two calls of `take` */
    constructor(maxBytes: number) {
        // Digits are put four at a time, so that a few bytes behind the text are touched as well.
        const buffer = new ArrayBuffer(maxBytes + 8);
        this.bytes = new Uint8Array(buffer);
        this.view = new DataView(buffer);
    }

    /** Bytes put since `take`. */
    get length(): number {
        return this.at;
    }

    /** A copy of all that was put; what is put next begins anew. */
    take(): Uint8Array {
        const taken = this.bytes.slice(0, this.at);
        this.at = 0;
        return taken;
    }

    put(text: Uint8Array): void {
        this.bytes.set(text, this.at);
        this.at += text.length;
    }

    putByte(byte: number): void {
        this.bytes[this.at++] = byte;
    }

    /** Puts a few bytes of a longer text: a view for `put` would cost more than this loop. */
    putSlice(text: Uint8Array, from: number, until: number): void {
        for (let place = from; place < until; place++) {
            this.bytes[this.at++] = text[place] ?? 0;
        }
    }

    /** Puts again what was put since the length was `from`. */
    repeat(from: number): void {
        this.bytes.copyWithin(this.at, from, this.at);
        this.at += this.at - from;
    }

    /** Puts a whole number, 0 <= value <= 2^53. */
    putWhole(value: number): void {
        if (value < 10_000) {
            this.view.setUint32(this.at, UNPADDED[value] ?? 0, true);
            this.at += value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
        } else {
            const high = Math.floor(value / 10_000);
            this.putWhole(high);
            this.putFourDigits(value - high * 10_000);
        }
    }

    /** Puts a whole number from 0 on as a Java double. */
    putWholeDouble(value: number): void {
        if (value < SCIENTIFIC_FROM) {
            this.putWhole(value);
            this.putByte(POINT);
            this.putByte(ZERO);
        } else {
            this.putScientific(value, 0, 1);
        }
    }

    /**
     * Puts numerator / denominator as a Java double: exact digits, cut off after twelve to seventeen. Both are whole, the denominator at
     * most 120,000,000, the quotient 0 or at least 0.001. A denominator of 0 gives Infinity or NaN.
     */
    putQuotient(numerator: number, denominator: number): void {
        if (denominator === 0) {
            this.put(numerator === 0 ? NOT_A_NUMBER : INFINITE);
        } else {
            const whole = Math.floor(numerator / denominator);
            this.putParts(whole, numerator - whole * denominator, denominator);
        }
    }

    /** Puts any number from 0 on as a Java double, but 0 for one below 0.001. */
    putDouble(value: number): void {
        const whole = Math.floor(value);
        this.putParts(whole, value < 0.001 ? 0 : value - whole, 1);
    }

    private putParts(whole: number, rest: number, denominator: number): void {
        if (whole >= SCIENTIFIC_FROM) {
            this.putScientific(whole, rest, denominator);
            return;
        }
        this.putWhole(whole);
        this.putByte(POINT);
        this.putFraction(rest, denominator, whole === 0 ? 4 : whole < 100_000 ? 3 : 2);
    }

    private putScientific(whole: number, rest: number, denominator: number): void {
        const start = this.at;
        this.at++;
        this.putWhole(whole);
        const exponent = this.at - start - 2;
        // The first digit moves in front of the point.
        this.bytes[start] = this.bytes[start + 1] ?? 0;
        this.bytes[start + 1] = POINT;
        this.putFraction(rest, denominator, 1);
        this.putByte(EXPONENT);
        this.putWhole(exponent);
    }

    /** Puts decimal places of rest / denominator, four at a time, without zeros at the end; one digit stays behind the point. */
    private putFraction(rest: number, denominator: number, fours: number): void {
        let left = rest;
        for (let four = 0; four < fours && left > 0; four++) {
            const scaled = left * 10_000;
            const digits = Math.floor(scaled / denominator);
            this.putFourDigits(digits);
            left = scaled - digits * denominator;
        }
        if (this.bytes[this.at - 1] === POINT) {
            this.putByte(ZERO);
        }
        while (this.bytes[this.at - 1] === ZERO && this.bytes[this.at - 2] !== POINT) {
            this.at--;
        }
    }

    private putFourDigits(value: number): void {
        this.view.setUint32(this.at, PADDED[value] ?? 0, true);
        this.at += 4;
    }
}

function littleEndian(text: string): number {
    return Buffer.from(text, 'latin1').readUInt32LE();
}

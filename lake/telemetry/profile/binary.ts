/** Numbers in binary data: bytes that stand as text, registers of 16 bits that stand as numbers, and the bytes of one number. */

import { parseDecimal } from './decimal.ts';
import { shortestFloat32 } from './decoders/floats.ts';
import type { BytesWords } from './document.ts';
import { ARRAY, OBJECT } from './fields.ts';
import { decodeBase64, shorten } from './json-scanner.ts';
import { numberToken, type Token } from './tokens.ts';

/** The number that the words say; undefined where the data ends before it. A token with `why` where a value is no such data. */
export function readNumberBytes(token: Token, words: BytesWords): Token | undefined {
    const { at = 0, length, as, little = false, swap = false, bits } = words;
    const data = dataOf(token, words);
    if (data === undefined) {
        return { type: OBJECT, text: token.text, why: `${shorten(token.text)} is no ${nameOf(words)}` };
    }
    const from = at >= 0 ? at : data.length + at;
    if (from < 0 || from + length > data.length) {
        return undefined;
    }
    const bytes = data.slice(from, from + length);
    if (swap) {
        swapWords(bytes);
    }
    if (little) {
        bytes.reverse();
    }
    if (as === 'float') {
        const view = new DataView(bytes.buffer, bytes.byteOffset, length);
        return numberToken(length === 4 ? shortestFloat32(view.getFloat32(0)) : String(view.getFloat64(0)));
    }
    let value = 0n;
    for (const byte of bytes) {
        value = value * 256n + BigInt(byte);
    }
    const [low = 0, count = 8 * length] = bits ?? [];
    value = BigInt.asUintN(count, value >> BigInt(low));
    return numberToken(String(as === 'signed' ? BigInt.asIntN(count, value) : value));
}

function nameOf({ encoding, length }: BytesWords): string {
    return {
        hex: 'hex',
        base64: 'base64',
        number: `whole number of ${length} bytes`,
        registers: 'list of registers of 16 bits',
    }[encoding];
}

/** The bytes; undefined where the value is no such data. */
function dataOf({ type, text }: Token, { encoding, length }: BytesWords): Uint8Array | undefined {
    if (encoding === 'registers') {
        return decodeRegisters(type === ARRAY ? splitAt(text.slice(1, -1), ',') : splitAt(text, /[\s,]+/));
    }
    if (type === ARRAY) {
        return undefined;
    }
    return encoding === 'base64' ? decodeBase64(text.trim()) : encoding === 'hex' ? decodeHex(text) : bytesOf(text.trim(), length);
}

/** Hex digits in pairs, with blanks around or between them or without. */
function decodeHex(text: string): Uint8Array | undefined {
    const digits = text.trim().replace(/^0x/i, '');
    return /^(?:[0-9A-Fa-f]{2} *)*$/.test(digits) ? Uint8Array.from(Buffer.from(digits.replaceAll(' ', ''), 'hex')) : undefined;
}

function splitAt(text: string, separator: string | RegExp): string[] {
    const bare = text.trim();
    return bare === '' ? [] : bare.split(separator);
}

const REGISTER_BYTES = 2;

/** Each number's two bytes, one behind the other. */
function decodeRegisters(numbers: readonly string[]): Uint8Array | undefined {
    const registers = numbers.map((number) =>
        bytesOf(
            number
                .trim()
                .replace(/^"(.*)"$/, '$1')
                .trim(),
            REGISTER_BYTES,
        ),
    );
    return registers.every((register) => register !== undefined)
        ? Uint8Array.from(registers.flatMap((register) => [...register]))
        : undefined;
}

/** The bytes of a whole number, the highest first; undefined where it needs more of them, or is none. Below zero it is the two's complement. */
function bytesOf(text: string, length: number): Uint8Array | undefined {
    const number = parseDecimal(text);
    if (number === undefined || number.num % number.den !== 0n) {
        return undefined;
    }
    const whole = number.num / number.den;
    const bits = 8 * length;
    if (BigInt.asUintN(bits, whole) !== whole && BigInt.asIntN(bits, whole) !== whole) {
        return undefined;
    }
    return Uint8Array.from(
        Buffer.from(
            BigInt.asUintN(bits, whole)
                .toString(16)
                .padStart(2 * length, '0'),
            'hex',
        ),
    );
}

/** Puts the last two bytes first, and so on. */
function swapWords(bytes: Uint8Array): void {
    bytes.reverse();
    for (let at = 0; at + 1 < bytes.length; at += 2) {
        bytes.subarray(at, at + 2).reverse();
    }
}

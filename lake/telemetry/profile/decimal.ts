/** Exact decimal arithmetic: a number as it was written is a ratio of two whole numbers, rounded once, at the end. */

/** A number without loss: `num / den`, with `den` above zero. */
export interface Ratio {
    num: bigint;
    den: bigint;
}

export const ONE: Ratio = { num: 1n, den: 1n };
export const ZERO: Ratio = { num: 0n, den: 1n };

/** More digits than any device means to send. A number that is written longer is refused before it costs time. */
export const MAX_NUMBER_CHARACTERS = 100;

/** An exponent beyond this is far outside of any column, or rounds to zero: it is taken for this one. */
const MAX_EXPONENT = 400;

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** The number that a text says, undefined where the text is no decimal number: `21.30`, `-5`, `1e3`, `+007.5`. */
export function parseDecimal(text: string): Ratio | undefined {
    const match = text.length <= MAX_NUMBER_CHARACTERS ? DECIMAL.exec(text) : null;
    if (match === null) {
        return undefined;
    }
    const [, sign, whole = '', fraction = '', exponentText = '0'] = match;
    const exponent = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, Number(exponentText)));
    const digits = BigInt(whole + fraction);
    const shift = exponent - fraction.length;
    const num = sign === '-' ? -digits : digits;
    return shift >= 0 ? { num: num * powerOfTen(shift), den: 1n } : { num, den: powerOfTen(-shift) };
}

const POWERS = Array.from({ length: 40 }, (_, n) => 10n ** BigInt(n));

export function powerOfTen(exponent: number): bigint {
    return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

export function multiply(a: Ratio, b: Ratio): Ratio {
    return { num: a.num * b.num, den: a.den * b.den };
}

export function add(a: Ratio, b: Ratio): Ratio {
    return { num: a.num * b.den + b.num * a.den, den: a.den * b.den };
}

/** Below zero, zero or above zero, as `a` is less than, equal to or greater than `b`. */
export function compare(a: Ratio, b: Ratio): number {
    const difference = a.num * b.den - b.num * a.den;
    return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/** The nearest whole number of units of 10^-digits; a half goes away from zero (2.5 to 3, -2.5 to -3). */
export function roundTo(value: Ratio, digits: number): bigint {
    const num = value.num * powerOfTen(digits);
    const isNegative = num < 0n;
    const rounded = (2n * (isNegative ? -num : num) + value.den) / (2n * value.den);
    return isNegative ? -rounded : rounded;
}

/** The nearest whole number at or below. */
export function floor(value: Ratio): bigint {
    const quotient = value.num / value.den;
    return value.num < 0n && quotient * value.den !== value.num ? quotient - 1n : quotient;
}

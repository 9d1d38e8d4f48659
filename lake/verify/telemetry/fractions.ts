/** Numbers as fractions of whole numbers: nothing is rounded before the end. */

export interface Fraction {
    over: bigint;
    /** Above 0. */
    under: bigint;
}

/** Powers of ten beyond this are as good as this one: no value of a table, nor any bound, is as large or as small. */
const MAX_POWER = 2_000;

export const ZERO: Fraction = { over: 0n, under: 1n };

export function whole(number: bigint): Fraction {
    return { over: number, under: 1n };
}

/** The number that a decimal text is; undefined where it is none. */
export function fractionOf(text: string): Fraction | undefined {
    const [, sign, digits = '', fraction = '', power = '0'] = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    if (sign === undefined) {
        return undefined;
    }
    const over = BigInt(`${digits}${fraction}`) * (sign === '-' ? -1n : 1n);
    return timesTen(whole(over), Math.max(-MAX_POWER, Math.min(MAX_POWER, Number(power))) - fraction.length);
}

export function timesTen({ over, under }: Fraction, power: number): Fraction {
    return power < 0 ? { over, under: under * 10n ** BigInt(-power) } : { over: over * 10n ** BigInt(power), under };
}

export function times(one: Fraction, other: Fraction): Fraction {
    return { over: one.over * other.over, under: one.under * other.under };
}

export function divided(one: Fraction, other: Fraction): Fraction {
    const sign = other.over < 0n ? -1n : 1n;
    return { over: sign * one.over * other.under, under: sign * one.under * other.over };
}

export function plus(one: Fraction, other: Fraction): Fraction {
    return { over: one.over * other.under + other.over * one.under, under: one.under * other.under };
}

export function minus(one: Fraction, other: Fraction): Fraction {
    return plus(one, { over: -other.over, under: other.under });
}

/** Below 0, 0 or above 0, as `one` is below, equal to or above `other`. */
export function compared(one: Fraction, other: Fraction): number {
    const difference = one.over * other.under - other.over * one.under;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** In units of 10^-digits, halves away from zero. */
export function rounded(fraction: Fraction, digits: number): bigint {
    const { over, under } = timesTen(fraction, digits);
    const size = (2n * (over < 0n ? -over : over) + under) / (2n * under);
    return over < 0n ? -size : size;
}

/** The whole number at or below it. */
export function floor({ over, under }: Fraction): bigint {
    const cut = over / under;
    return over < 0n && cut * under !== over ? cut - 1n : cut;
}

/** The whole number that it is; undefined where it is none. */
export function wholeIn({ over, under }: Fraction): bigint | undefined {
    return over % under === 0n ? over / under : undefined;
}

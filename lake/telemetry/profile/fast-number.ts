/**
 * Numbers without bigints: most fit a double with all their digits. What might not is left to `compileNumber`, which is exact for every number;
 * so is whatever may be a sentinel, a suspect or beyond a limit.
 */
import { parseDecimal, powerOfTen, type Ratio, roundTo } from './decimal.ts';
import type { MetricWords, Num } from './document.ts';
import type { Field } from './fields.ts';
import { numberOf } from './tokens.ts';

/** Digits that a double always keeps. */
const SAFE_DIGITS = 15;
/** Whole numbers that hourly figures can hold (10^15) are safe integers. */
const MAX_UNITS = 1e15;

/** Two of these are a safe integer. */
const MAX_ADDEND = 2 ** 52 - 1;

const TENS = Array.from({ length: 23 }, (_, n) => 10 ** n);
const ten = (exponent: number) => TENS[exponent] as number;

/** Reads plain numbers from a field's bytes. After `read` has answered true the value is `whole + billionths / 10^9`, both of one sign. */
export class FastNumber {
    whole = 0;
    billionths = 0;
    readonly #digits: number;
    readonly #factor: number;
    readonly #factorDigits: number;
    readonly #offset: number;
    readonly #offsetDigits: number;
    /** The value must lie strictly between these. */
    readonly #above: number;
    readonly #below: number;
    /** Numbers as sent, and values in units of 10^-digits, that are looked at exactly. */
    readonly #sent: readonly number[];
    readonly #kept: readonly number[];

    /** A way to read a metric's numbers; undefined for a metric whose numbers need more than this. */
    static of(words: MetricWords): FastNumber | undefined {
        const { kind = 'number', statistics = true, unitFrom, scale = 1, scalePower, offset = 0, digits, words: known } = words;
        if (
            kind !== 'number' ||
            digits === undefined ||
            !statistics ||
            unitFrom !== undefined ||
            scalePower !== undefined ||
            known !== undefined
        ) {
            return undefined;
        }
        const factor = decimalOf(scale);
        const addition = decimalOf(offset);
        return factor === undefined || addition === undefined ? undefined : new FastNumber(words, factor, addition);
    }

    private constructor(words: MetricWords, factor: Decimal, offset: Decimal) {
        this.#digits = words.digits ?? 0;
        this.#factor = factor.units;
        this.#factorDigits = factor.digits;
        this.#offset = offset.units;
        this.#offsetDigits = offset.digits;
        this.#above = words.min === undefined ? Number.NEGATIVE_INFINITY : Number(words.min);
        this.#below = words.max === undefined ? Number.POSITIVE_INFINITY : Number(words.max);
        this.#sent = (words.sentinels ?? []).map(({ is }) => Number(is)).filter((number) => !Number.isNaN(number));
        this.#kept = (words.suspects ?? []).map(({ is }) => Number(roundTo(numberOf(is), this.#digits)));
    }

    /** True if the field's number was read; false where it has to be looked at exactly. */
    read({ bytes, start, end }: Field): boolean {
        const isNegative = bytes[start] === 0x2d;
        let pos = isNegative ? start + 1 : start;
        if (end - pos > SAFE_DIGITS + 1) {
            return false;
        }
        let units = 0;
        let scale = 0;
        let hasPoint = false;
        for (; pos < end; pos++) {
            const char = bytes[pos] as number;
            if (char >= 0x30 && char <= 0x39) {
                units = units * 10 + (char - 0x30);
                scale += hasPoint ? 1 : 0;
            } else if (char === 0x2e) {
                hasPoint = true;
            } else {
                return false;
            }
        }
        if (units > MAX_UNITS) {
            return false;
        }
        if (isNegative) {
            units = -units;
        }
        if (this.#sent.length > 0 && this.#sent.includes(units / ten(scale))) {
            return false;
        }
        if (this.#factor !== 1 || this.#factorDigits !== 0) {
            units *= this.#factor;
            scale += this.#factorDigits;
        }
        if (this.#offset !== 0) {
            const more = Math.max(0, this.#offsetDigits - scale);
            const scaled = units * ten(more);
            const added = this.#offset * ten(scale + more - this.#offsetDigits);
            if (Math.abs(scaled) > MAX_ADDEND || Math.abs(added) > MAX_ADDEND) {
                return false;
            }
            units = scaled + added;
            scale += more;
        }
        return Math.abs(units) <= Number.MAX_SAFE_INTEGER && scale <= 22 && this.#round(units, scale);
    }

    #round(units: number, scale: number): boolean {
        const digits = this.#digits;
        let rounded = units;
        if (scale > digits) {
            const size = Math.abs(units);
            const step = ten(scale - digits);
            const rest = size % step;
            const up = (size - rest) / step + (rest * 2 >= step ? 1 : 0);
            rounded = units < 0 ? -up : up;
        } else if (scale < digits) {
            rounded = units * ten(digits - scale);
        }
        const value = rounded / ten(digits);
        if (!(Math.abs(rounded) <= MAX_UNITS && value > this.#above && value < this.#below) || this.#kept.includes(rounded)) {
            return false;
        }
        const fraction = rounded % ten(digits);
        // Zero is without a sign in a table.
        this.whole = (rounded - fraction) / ten(digits) + 0;
        this.billionths = fraction * ten(9 - digits) + 0;
        return true;
    }
}

interface Decimal {
    units: number;
    digits: number;
}

/** A decimal of few digits, exactly; undefined for another, and for what a message says. */
function decimalOf(number: MetricWords['scale']): Decimal | undefined {
    const value = typeof number === 'object' || number === undefined ? undefined : parseDecimal(String(number as Num));
    return value === undefined ? undefined : reduce(value);
}

function reduce(value: Ratio): Decimal | undefined {
    let { num, den } = value;
    while (den > 1n && num % 10n === 0n) {
        num /= 10n;
        den /= 10n;
    }
    const digits = den.toString().length - 1;
    return num > -powerOfTen(6) && num < powerOfTen(6) && digits <= 6 ? { units: Number(num), digits } : undefined;
}

/** Decimal text to whole numbers, digit by digit: a float would be wrong on nine durations in a hundred of a real file. */
import type { RejectReason } from './rejects.ts';

/** Largest value of a bigint column. */
export const MAX_BIGINT = 2n ** 63n - 1n;

/**
 * Largest duration (microseconds) and count of packets that a flow may have: 317 years, or the smallest packets of 100 Gbit/s for two years. It takes hundreds of such
 * rows to fill the column of a pair's sum.
 */
export const LARGEST_OF_FLOW = 10n ** 16n;

/** More digits than this before the point are too large for any column, whatever they are. */
const MAX_WHOLE_DIGITS = 40;

export type ParsedNumber = { ok: true; value: bigint } | { ok: false; reason: RejectReason };

/**
 * `text` times 10 to the power of `scale` as a whole number from 0 to 9223372036854775807. Takes digits with an optional sign, point and
 * exponent. A fraction is rounded half up, cut away, or a reject (`not_whole`).
 */
export function parseWhole(
    text: string,
    { scale = 0, fraction: onFraction = 'round' }: { scale?: number; fraction?: 'round' | 'cut' | 'reject' } = {},
): ParsedNumber {
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
    const whole = match?.[2] ?? '';
    const fraction = match?.[3] ?? '';
    if (!match || whole + fraction === '') {
        return { ok: false, reason: notANumber(text) };
    }
    const digits = (whole + fraction).replace(/^0+/, '');
    if (digits === '') {
        return { ok: true, value: 0n };
    }
    if (match[1] === '-') {
        return { ok: false, reason: 'negative' };
    }
    // Where the point stands, counted from the left of `digits`; an exponent too long for a double becomes an infinity, which sorts right.
    const point = digits.length - fraction.length + Number(match[4] ?? '0') + scale;
    if (onFraction === 'reject' && (point < 0 || /[1-9]/.test(digits.slice(point)))) {
        return { ok: false, reason: 'not_whole' };
    }
    if (point > MAX_WHOLE_DIGITS) {
        return { ok: false, reason: 'too_large' };
    }
    const kept = point <= 0 ? '' : digits.slice(0, point).padEnd(point, '0');
    const cut = point <= 0 ? (point < 0 ? '0' : digits) : digits.slice(point);
    const value = BigInt(kept === '' ? '0' : kept) + (onFraction === 'round' && cut >= '5' ? 1n : 0n);
    return value > MAX_BIGINT ? { ok: false, reason: 'too_large' } : { ok: true, value };
}

/** True for a number, with an optional point and exponent, that is no whole one. */
export function hasFraction(text: string): boolean {
    const [, whole = '', fraction = '', exponent = '0'] = /^[+-]?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    return /[1-9]/.test((whole + fraction).slice(Math.max(0, whole.length + Number(exponent))));
}

function notANumber(text: string): RejectReason {
    if (/^[+-]?nan$/i.test(text)) {
        return 'nan';
    }
    return /^[+-]?inf(inity)?$/i.test(text) ? 'infinity' : 'not_a_number';
}

/** Numbers that are times: what they count since 1970 is told by their magnitude, and where their digits leave the day open there is none. */
import { type DurationUnit, UNIT_DIGITS } from './options.ts';

/** 1990-01-01 and 2100-01-01 in seconds: the range in which the four units of an epoch exclude each other. */
const FIRST_SECOND = 631_152_000n;
const END_SECOND = 4_102_444_800n;

/** Digits of the last nanosecond of 2099. */
const MAX_DIGITS = 19;

const SECONDS_PER_DAY = 86_400n;
const UNITS: readonly DurationUnit[] = ['s', 'ms', 'us', 'ns'];

/** A number with an optional sign, point and exponent. No digit may be taken in two ways: on a million of them that would take hours. */
const NUMBER = /^\+?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** True if a text that is no date may be an epoch. */
export function looksLikeEpoch(text: string): boolean {
    return NUMBER.test(text);
}

export interface EpochDay {
    /** `yyyy-MM-dd`, UTC. */
    day: string;
    unit: DurationUnit;
}

/**
 * The day of an epoch as decimal text, with an optional point and exponent. A number below `minSeconds`, one that fits no unit between 1990 and
 * 2100 (seconds from `minSeconds` on), one that is as well a compact date (`2024050310`), and one whose unwritten digits (`1.7148e+09`) leave two
 * days open have none.
 */
export function readEpoch(text: string, minSeconds: number): EpochDay | undefined {
    const number = writtenNumber(text);
    if (!number || number.value < BigInt(minSeconds)) {
        return undefined;
    }
    const { value, halfStep } = number;
    const unit = UNITS.find((one) => isWithin(value, one) || (one === 's' && value < FIRST_SECOND));
    if (unit === undefined || isCompactDate(value)) {
        return undefined;
    }
    const dayLength = SECONDS_PER_DAY * 10n ** BigInt(UNIT_DIGITS[unit]);
    const day = value / dayLength;
    const isOpen = halfStep > 0n && ((value - halfStep) / dayLength !== day || (value + halfStep) / dayLength !== day);
    return isOpen ? undefined : { day: new Date(Number(day) * 86_400_000).toISOString().slice(0, 10), unit };
}

function isWithin(value: bigint, unit: DurationUnit): boolean {
    const scale = 10n ** BigInt(UNIT_DIGITS[unit]);
    return value >= FIRST_SECOND * scale && value < END_SECOND * scale;
}

/** A year from 1990 to 2099, month, day and hour as ten digits: epoch seconds of the years 2033 to 2036 are such numbers. */
function isCompactDate(value: bigint): boolean {
    const [, year = '', month = '', day = ''] = /^(\d{4})(\d\d)(\d\d)([01]\d|2[0-3])$/.exec(String(value)) ?? [];
    return (
        Number(year) >= 1990 && Number(year) <= 2099 && Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31
    );
}

/** The whole part of a number, and half of what its last written digit counts where that digit stands in front of the point. */
function writtenNumber(text: string): { value: bigint; halfStep: bigint } | undefined {
    const [, whole = '', fraction = '', exponent] = /^\+?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    if (whole + fraction === '') {
        return undefined;
    }
    const digits = (whole + fraction).replace(/^0+/, '');
    // Where the point stands, counted from the left of `digits`; an exponent too long for a double becomes an infinity, which compares right.
    const point = digits.length - fraction.length + Number(exponent ?? 0);
    if (digits === '' || point <= 0) {
        return { value: 0n, halfStep: 0n };
    }
    if (point > MAX_DIGITS) {
        return undefined;
    }
    const unwritten = exponent === undefined ? 0 : point - digits.length;
    return { value: BigInt(digits.slice(0, point).padEnd(point, '0')), halfStep: unwritten > 0 ? 10n ** BigInt(unwritten) / 2n : 0n };
}

/** What single fields say, written from docs/reading.md alone and as plainly as it can be: no part of it is shared with lake/. */

export type Order = 'dmy' | 'mdy' | 'ymd';

/** The rules for dates that hold for a whole file. */
export interface DateContext {
    given: Order | undefined;
    /** Smallest number that is taken for epoch seconds. */
    firstEpochSecond: bigint;
    /** True where a written date of January 1970 is what is left of one that was cut. */
    isWithoutJanuary1970: boolean;
    /** The characters that are blanks in this file. */
    blanks: string;
}

/** Units of time by how many of them make a second: a power of ten. */
export const UNIT_POWERS = { s: 0, ms: 3, us: 6, ns: 9 } as const;
export type Unit = keyof typeof UNIT_POWERS;
const UNITS = Object.keys(UNIT_POWERS) as Unit[];

/** A day in both orders; only `slash` dates may have two days, or one. */
export type PlainDate =
    | { reason: 'date_unreadable' | 'date_against_order' | 'date_implausible' }
    | { kind: 'slash'; dmy: string | undefined; mdy: string | undefined }
    | { kind: 'dotted' | 'ymd'; day: string }
    | { kind: 'epoch'; day: string; unit: Unit }
    /** Of a format whose times leave nothing open. */
    | { kind: 'instant'; day: string };

/** Takes blanks away at both ends. */
export function trimmed(text: string, blanks: string): string {
    let from = 0;
    let until = text.length;
    while (from < until && blanks.includes(text[from]!)) {
        from += 1;
    }
    while (until > from && blanks.includes(text[until - 1]!)) {
        until -= 1;
    }
    return text.slice(from, until);
}

/** True for what stands where a duration, or an end, is not known. */
export function saysNoDuration(text: string): boolean {
    return ['', '-', 'null', 'none', 'n/a'].includes(text.toLowerCase());
}

/** IPv4 dotted quad without leading zeros, or IPv6 with or without a zone. */
export function isAddress(text: string): boolean {
    if (isQuad(text)) {
        return true;
    }
    const percent = text.indexOf('%');
    const zone = percent < 0 ? 'none' : text.slice(percent + 1);
    return /^[0-9a-zA-Z.:-]+$/.test(zone) && isIPv6(percent < 0 ? text : text.slice(0, percent));
}

function isQuad(text: string): boolean {
    const octets = text.split('.');
    return octets.length === 4 && octets.every((octet) => /^(0|[1-9][0-9]{0,2})$/.test(octet) && Number(octet) <= 255);
}

/** RFC 4291, 2.2: eight groups; the last two may be a quad; one run of groups may be left out as `::`. */
function isIPv6(text: string): boolean {
    const halves = text.split('::');
    if (halves.length > 2) {
        return false;
    }
    const counts = halves.map((half, at) => countGroups(half, { mayEndInQuad: at === halves.length - 1 }));
    if (counts.includes(undefined)) {
        return false;
    }
    const groups = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    return halves.length === 2 ? groups <= 7 : groups === 8;
}

function countGroups(half: string, { mayEndInQuad }: { mayEndInQuad: boolean }): number | undefined {
    const parts = half === '' ? [] : half.split(':');
    const last = parts.at(-1) ?? '';
    const isQuadLast = mayEndInQuad && last.includes('.');
    if (isQuadLast && !isQuad(last)) {
        return undefined;
    }
    const groups = isQuadLast ? parts.slice(0, -1) : parts;
    return groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) ? groups.length + (isQuadLast ? 2 : 0) : undefined;
}

export type PlainNumber = { value: bigint; hasFraction: boolean } | { reason: 'not_a_number' | 'nan' | 'infinity' | 'negative' };

/** Most microseconds, and most packets, that a flow may have. */
const LARGEST = 10n ** 16n;

/** A value far above any column's: more digits need not be told apart. */
const VERY_LARGE = 10n ** 60n;

/** A number times ten to the power of `scale`, rounded half up, or with `isCut` cut, to a whole one. */
export function readNumber(text: string, { scale = 0, isCut = false }: { scale?: number; isCut?: boolean } = {}): PlainNumber {
    const match = /^([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?$/.exec(text);
    if (!match) {
        const word = text.replace(/^[+-]/, '').toLowerCase();
        return { reason: word === 'nan' ? 'nan' : word === 'inf' || word === 'infinity' ? 'infinity' : 'not_a_number' };
    }
    const [, sign, mantissa = '', exponent = '0'] = match;
    const fractionDigits = mantissa.includes('.') ? mantissa.length - mantissa.indexOf('.') - 1 : 0;
    const digits = BigInt(mantissa.replace('.', ''));
    if (digits === 0n) {
        return { value: 0n, hasFraction: false };
    }
    if (sign === '-') {
        return { reason: 'negative' };
    }
    const power = BigInt(exponent) + BigInt(scale - fractionDigits);
    if (power >= 0n) {
        return { value: power > 60n ? VERY_LARGE : digits * 10n ** power, hasFraction: false };
    }
    if (-power > BigInt(mantissa.length + 1)) {
        return { value: 0n, hasFraction: true };
    }
    const divisor = 10n ** -power;
    const value = isCut ? digits / divisor : (digits * 2n + divisor) / (divisor * 2n);
    return { value, hasFraction: digits % divisor !== 0n };
}

/** A whole number from a text times ten to the power of `scale`, or the reason why not. */
export function readMeasure(text: string, { scale, isWhole }: { scale: number; isWhole: boolean }): bigint | string {
    const number = readNumber(text, { scale });
    if ('reason' in number) {
        return number.reason;
    }
    if (isWhole && number.hasFraction) {
        return 'not_whole';
    }
    return inRange(number.value);
}

export function inRange(value: bigint | string): bigint | string {
    return typeof value === 'bigint' && value > LARGEST ? 'too_large' : value;
}

/** 1990-01-01 and 2100-01-01 in seconds since 1970. */
const FIRST_SECOND = BigInt(Date.UTC(1990, 0, 1) / 1000);
const END_SECOND = BigInt(Date.UTC(2100, 0, 1) / 1000);

/** The day of a timestamp, as far as it is known before the file's order is. */
export function readDate(text: string, context: DateContext): PlainDate {
    const date = readWrittenDate(text, context);
    const days =
        'reason' in date || date.kind === 'epoch' || date.kind === 'instant'
            ? []
            : date.kind === 'slash'
              ? [date.dmy, date.mdy]
              : [date.day];
    const isJanuary1970 = days.length > 0 && days.every((day) => day === undefined || day.startsWith('1970-01-'));
    return context.isWithoutJanuary1970 && isJanuary1970 ? { reason: 'date_implausible' } : date;
}

function readWrittenDate(text: string, { given, firstEpochSecond, blanks }: DateContext): PlainDate {
    const end = [...text].findIndex((character) => character === 'T' || blanks.includes(character));
    const written = end < 0 ? text : text.slice(0, end);
    const yearFirst = /^([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})$/.exec(written);
    if (yearFirst) {
        const day = calendarDay(yearFirst[1], yearFirst[3], yearFirst[4]);
        if (day === undefined) {
            return { reason: 'date_unreadable' };
        }
        return given === undefined || given === 'ymd' ? { kind: 'ymd', day } : { reason: 'date_against_order' };
    }
    const yearLast = /^([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})$/.exec(written);
    if (yearLast) {
        const dmy = calendarDay(yearLast[4], yearLast[3], yearLast[1]);
        const mdy = calendarDay(yearLast[4], yearLast[1], yearLast[3]);
        const isDotted = yearLast[2] === '.';
        if (dmy === undefined && mdy === undefined) {
            return { reason: 'date_unreadable' };
        }
        if (given === undefined && !isDotted) {
            return { kind: 'slash', dmy, mdy };
        }
        const order = given ?? 'dmy';
        const day = order === 'dmy' ? dmy : order === 'mdy' ? mdy : undefined;
        if (day === undefined) {
            return { reason: 'date_against_order' };
        }
        return isDotted ? { kind: 'dotted', day } : { kind: 'slash', dmy: day, mdy: day };
    }
    return readEpoch(text, firstEpochSecond) ?? { reason: 'date_unreadable' };
}

export function readEpoch(text: string, firstSecond: bigint): PlainDate | undefined {
    const [, mantissa, exponent] = /^\+?([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?$/.exec(text) ?? [];
    const number = readNumber(text, { isCut: true });
    if (mantissa === undefined || 'reason' in number) {
        return undefined;
    }
    const unit = unitOfEpoch(number.value, firstSecond);
    if (unit === undefined || isCompactDate(number.value)) {
        return undefined;
    }
    const dayLength = 86_400n * 10n ** BigInt(UNIT_POWERS[unit]);
    const day = number.value / dayLength;
    if (exponent !== undefined && number.value > 0n) {
        // The last digit that is written counts this much, and the ones behind it may be anything that rounds to it.
        const places = Number(exponent) - (mantissa.split('.')[1] ?? '').length;
        const half = places > 0 ? 10n ** BigInt(places) / 2n : 0n;
        if ((number.value - half) / dayLength !== day || (number.value + half) / dayLength !== day) {
            return undefined;
        }
    }
    return { kind: 'epoch', day: new Date(Number(day) * 86_400_000).toISOString().slice(0, 10), unit };
}

function unitOfEpoch(value: bigint, firstSecond: bigint): Unit | undefined {
    if (value < FIRST_SECOND) {
        return value >= firstSecond ? 's' : undefined;
    }
    return UNITS.find((unit) => {
        const second = 10n ** BigInt(UNIT_POWERS[unit]);
        return value >= FIRST_SECOND * second && value < END_SECOND * second;
    });
}

/** Ten digits that are as well a year from 1990 to 2099, a month from 1 to 12, a day from 1 to 31 and an hour from 0 to 23. */
function isCompactDate(value: bigint): boolean {
    const text = String(value);
    const part = (from: number, until: number): number => Number(text.slice(from, until));
    const [year, month, day, hour] = [part(0, 4), part(4, 6), part(6, 8), part(8, 10)];
    return text.length === 10 && year >= 1990 && year <= 2099 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23;
}

/** The microseconds from one time to the other, or why there are none. */
export function readSpan(start: string, end: string): bigint | string {
    const epoch = readEpoch(start, 0n);
    const [from, to] = [start, end].map((text) =>
        epoch && 'kind' in epoch && epoch.kind === 'epoch' ? instantOfEpoch(text, epoch.unit) : instantOfIso(text),
    );
    return from === undefined || to === undefined ? 'not_a_number' : spanBetween(from, to);
}

/** Femtoseconds from one instant to the other in microseconds, rounded half up; or why there are none. */
export function spanBetween(from: bigint, to: bigint): bigint | string {
    return to < from ? 'negative' : ((to - from) * 2n + 10n ** 9n) / (2n * 10n ** 9n);
}

/** An instant in femtoseconds: fifteen digits of a second's fraction count. */
export function instantOfEpoch(text: string, unit: Unit): bigint | undefined {
    const [, whole, fraction = ''] = /^([0-9]{1,30})(?:\.([0-9]*))?$/.exec(text) ?? [];
    const places = 15 - UNIT_POWERS[unit];
    return whole === undefined ? undefined : BigInt(whole + fraction.slice(0, places).padEnd(places, '0'));
}

/** The instant of a date with a clock. */
export function instantOfIso(text: string): bigint | undefined {
    const [, date = '', clock = '', fraction = '', sign, hours, minutes] =
        /^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]+))? ?(?:Z|([+-])([0-9]{2}):?([0-9]{2}))?$/.exec(text) ??
        [];
    const [year, month, day] = date.split('-');
    const [hour = 0, minute = 0, second = 0] = clock.split(':').map(Number);
    if (Number(year) < 100 || calendarDay(year, month, day) === undefined || hour > 23 || minute > 59 || second > 60) {
        return undefined;
    }
    const ahead = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 * (sign === '-' ? -1 : 1);
    const seconds = Date.parse(`${date}T00:00:00Z`) / 1000 + hour * 3600 + minute * 60 + second - ahead;
    return BigInt(seconds) * 10n ** 15n + BigInt(fraction.slice(0, 15).padEnd(15, '0'));
}

/** The day of an instant; undefined outside of 1970 to 9999. */
export function dayOfInstant(instant: bigint): string | undefined {
    const days = instant / (86_400n * 10n ** 15n);
    const day = instant < 0n || days > 10_000_000n ? '' : new Date(Number(days) * 86_400_000).toISOString().slice(0, 10);
    return /^[0-9]{4}-/.test(day) ? day : undefined;
}

/** The day as text, or undefined where the calendar has none. */
function calendarDay(year = '', month = '', day = ''): string | undefined {
    const found = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
    // JavaScript's own calendar moves the 31st of April to the 1st of May.
    const date = new Date(`${found}T00:00:00Z`);
    return year !== '0000' && !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === found ? found : undefined;
}

/** What groups the digits of a number, or what surely does not. */
export type Style = 'plain' | 'points' | 'commas';

/** The only style in which the text is a number; undefined where there are several, or none. */
export function styleOf(text: string): Style | undefined {
    if (isQuad(text)) {
        return undefined;
    }
    const isOf = (pattern: RegExp): boolean => pattern.test(text.replace(/^[+-]/, ''));
    if (isOf(/^[1-9][0-9]{0,2}[.,][0-9]{3}$/)) {
        return undefined;
    }
    const isPoints = isOf(/^[0-9]{1,3}(\.[0-9]{3}){2,}(,[0-9]*)?$/) || isOf(/^[0-9]{1,3}(\.[0-9]{3})+,[0-9]*$/) || isOf(/^[0-9]+,[0-9]*$/);
    const isCommas = isOf(/^[0-9]{1,3}(,[0-9]{3}){2,}(\.[0-9]*)?$/) || isOf(/^[0-9]{1,3}(,[0-9]{3})+\.[0-9]*$/);
    const isPlain = isOf(/^([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/);
    return isPoints ? 'points' : isCommas ? 'commas' : isPlain ? 'plain' : undefined;
}

/** The number as the plain style writes it; what is none of its style stays as it is. */
export function ungrouped(text: string, style: Style): string {
    if (style === 'points' && /^[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]*)?$/.test(text)) {
        return text.replaceAll('.', '').replace(',', '.');
    }
    return style === 'commas' && /^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$/.test(text) ? text.replaceAll(',', '') : text;
}

/** An address as the tables have it: RFC 5952, 4. The zone stays as it is. */
export function shortAddress(text: string): string {
    if (!text.includes(':')) {
        return text;
    }
    const [address = '', ...zone] = text.split('%');
    const groups = expanded(address);
    // The longest run of zeros, the first of equally long ones, of two groups at least.
    let run = { from: 0, length: 1 };
    for (let from = 0; from < 8; from += 1) {
        let length = 0;
        while (from + length < 8 && groups[from + length] === 0) {
            length += 1;
        }
        run = length > run.length ? { from, length } : run;
    }
    const isQuadLast = run.from === 0 && (run.length === 6 || (run.length === 5 && groups[5] === 0xffff));
    const written = groups.map((group) => group.toString(16));
    if (isQuadLast) {
        written.splice(6, 2, [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.'));
    }
    const short =
        run.length < 2 ? written.join(':') : `${written.slice(0, run.from).join(':')}::${written.slice(run.from + run.length).join(':')}`;
    return [short, ...zone].join('%');
}

/** The eight groups of an IPv6 address. */
function expanded(address: string): number[] {
    const quad = /[0-9]+\.[0-9.]+$/.exec(address)?.[0];
    const [a = 0, b = 0, c = 0, d = 0] = quad?.split('.').map(Number) ?? [];
    const inGroups = quad === undefined ? address : address.replace(quad, `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`);
    const [head = [], tail] = inGroups.split('::').map((half) => (half === '' ? [] : half.split(':')));
    const zeros = tail ? Array.from({ length: 8 - head.length - tail.length }, () => '0') : [];
    return [...head, ...zeros, ...(tail ?? [])].map((group) => Number.parseInt(group, 16));
}

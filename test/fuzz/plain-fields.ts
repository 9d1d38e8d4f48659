/** What single fields say, written from docs/reading.md alone and as plainly as it can be: no part of it is shared with lake/. */

export type Order = 'dmy' | 'mdy' | 'ymd';

/** The rules for dates that hold for a whole file. */
export interface DateContext {
    given: Order | undefined;
    /** Smallest number that is taken for epoch seconds. */
    firstEpochSecond: bigint;
    /** The characters that are blanks in this file. */
    blanks: string;
}

/** A day in both orders; only `slash` dates may have two days, or one. */
export type PlainDate =
    | { reason: 'date_unreadable' | 'date_against_order' }
    | { kind: 'slash'; dmy: string | undefined; mdy: string | undefined }
    | { kind: 'dotted' | 'ymd' | 'epoch'; day: string };

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

/** The first second of the year 10000. */
const END_OF_TIME = 253_402_300_800n;

/** The day of a timestamp, as far as it is known before the file's order is. */
export function readDate(text: string, { given, firstEpochSecond, blanks }: DateContext): PlainDate {
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
        return day === undefined ? { reason: 'date_against_order' } : { kind: isDotted ? 'dotted' : 'slash', day, dmy: day, mdy: day };
    }
    const seconds = readNumber(text, { isCut: true });
    if ('reason' in seconds || seconds.value < firstEpochSecond || seconds.value >= END_OF_TIME) {
        return { reason: 'date_unreadable' };
    }
    return { kind: 'epoch', day: new Date(Number(seconds.value) * 1000).toISOString().slice(0, 10) };
}

/** The day as text, or undefined where the calendar has none. */
function calendarDay(year = '', month = '', day = ''): string | undefined {
    const found = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
    // JavaScript's own calendar moves the 31st of April to the 1st of May.
    const date = new Date(`${found}T00:00:00Z`);
    return year !== '0000' && !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === found ? found : undefined;
}

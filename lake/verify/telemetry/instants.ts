/** Times as devices write them, in UTC epoch milliseconds: docs/profiles.md, "Times". */
import { type Fraction, floor, fractionOf, plus, timesTen, whole } from './fractions.ts';

const DAY_MS = 86_400_000;

const UNIT_POWERS: Readonly<Record<string, number>> = { s: 3, ms: 0, us: -3, ns: -6 };

/** A number of units in milliseconds. */
export function millisecondsIn(number: Fraction, unit: string): Fraction {
    return timesTen(number, UNIT_POWERS[unit] ?? 0);
}

/** A duration of a profile, as `5m`. */
export function durationMs(text: string): number {
    const sizes: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS };
    const [, number = '', unit = ''] = /^(\d+)(\w+)$/.exec(text) ?? [];
    return Number(number) * (sizes[unit] ?? Number.NaN);
}

/** A date and time as it is written, before anything is said of its zone. */
export interface Written {
    /** Instant as if it were UTC, with a fraction of milliseconds. */
    localMs: Fraction;
    /** What its zone is ahead of UTC; undefined where it says none. */
    offsetMs: number | undefined;
}

const ISO =
    /^(\d{4})(?:-(\d\d)-(\d\d)|(\d\d)(\d\d))(?:(?:[Tt]| )(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;

/** ISO 8601; undefined where it is none, or no day or time that there is. */
export function isoTime(text: string): Written | undefined {
    const found = ISO.exec(text);
    if (!found) {
        return undefined;
    }
    const [, year = '', month, day, monthToo = '', dayToo = '', hour = '00', minute = '00', second = '00', fraction = '', zone] = found;
    return written({ year, month: month ?? monthToo, day: day ?? dayToo, hour, minute, second, fraction, zone });
}

/** What a letter group of a format stands for. */
const GROUPS: Readonly<Record<string, { part: keyof Parts; digits: string }>> = {
    YYYY: { part: 'year', digits: '\\d{4}' },
    YY: { part: 'year', digits: '\\d{2}' },
    MMM: { part: 'month', digits: '[A-Za-z]{3}' },
    MM: { part: 'month', digits: '\\d{1,2}' },
    DD: { part: 'day', digits: '\\d{1,2}' },
    HH: { part: 'hour', digits: '\\d{1,2}' },
    hh: { part: 'hour', digits: '\\d{1,2}' },
    A: { part: 'half', digits: '[AaPp][Mm]' },
    mm: { part: 'minute', digits: '\\d{1,2}' },
    ss: { part: 'second', digits: '\\d{1,2}' },
    SSS: { part: 'fraction', digits: '\\d+' },
    Z: { part: 'zone', digits: '[Zz]|[+-]\\d\\d(?::?\\d\\d)?' },
};

interface Parts {
    year: string;
    month: string;
    day: string;
    hour: string;
    minute: string;
    second: string;
    fraction: string;
    zone: string | undefined;
    /** AM or PM of a clock of twelve hours. */
    half?: string;
}

/** Their first three letters, one month behind the other. */
const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';

/** A time in the form that a profile gives. */
export function formattedTime(text: string, format: string): Written | undefined {
    const parts: (keyof Parts)[] = [];
    const pieces = format.split(/(YYYY|YY|MMM|MM|DD|HH|hh|mm|ss|SSS|A|Z)/);
    // Where digits follow digits, each group has all of its own.
    const source = pieces.map((piece, at) => {
        const group = GROUPS[piece];
        if (!group) {
            return piece.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
        }
        parts.push(group.part);
        const isBesideDigits = (pieces[at - 1] === '' && at > 1) || (pieces[at + 1] === '' && at < pieces.length - 2);
        return `(${isBesideDigits ? group.digits.replace('{1,2}', '{2}') : group.digits})`;
    });
    const found = new RegExp(`^${source.join('')}$`).exec(text);
    if (!found) {
        return undefined;
    }
    const said = Object.fromEntries(parts.map((part, at) => [part, found[at + 1]])) as Partial<Parts>;
    if (said.month !== undefined && /^[a-z]/i.test(said.month)) {
        // In between two of them it is no whole number, and so no month.
        said.month = String(MONTHS.indexOf(said.month.toLowerCase()) / 3 + 1);
    }
    if (said.half !== undefined) {
        const hour = Number(said.hour);
        said.hour = hour < 1 || hour > 12 ? 'none' : String((hour % 12) + (/p/i.test(said.half) ? 12 : 0));
    }
    const year = said.year?.length === 2 ? `20${said.year}` : said.year;
    const start = { year: '', month: '1', day: '1', hour: '0', minute: '0', second: '0', fraction: '', zone: undefined };
    return year === undefined ? undefined : written({ ...start, ...said, year });
}

function written({ year, month, day, hour, minute, second, fraction, zone }: Parts): Written | undefined {
    const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number];
    const date = new Date(0);
    date.setUTCFullYear(y, mo - 1, d);
    const isDay = date.getUTCFullYear() === y && date.getUTCMonth() === mo - 1 && date.getUTCDate() === d;
    const isEnd = h === 24 && mi === 0 && s === 0 && /^0*$/.test(fraction);
    if (!isDay || !(h < 24 || isEnd) || mi > 59 || s > 60) {
        return undefined;
    }
    const seconds = whole(BigInt(date.getTime() / 1000 + h * 3600 + mi * 60 + s));
    const offsetMs = zone === undefined ? undefined : offsetOf(zone);
    if (zone !== undefined && offsetMs === undefined) {
        return undefined;
    }
    return { localMs: timesTen(plus(seconds, fractionOf(`0.${fraction || '0'}`) ?? whole(0n)), 3), offsetMs };
}

function offsetOf(zone: string): number | undefined {
    if (/^z$/i.test(zone)) {
        return 0;
    }
    const [, sign = '', hours = '', minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
    return (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
}

/**
 * The instant of a time that stands on the clocks of a zone. An hour that autumn repeats is the later one if that is not after `latestMs`, else the
 * earlier one; one that spring leaves out is read as if the clock had not been changed yet.
 */
export function instantIn(zone: string, localMs: Fraction, latestMs: number | undefined): Fraction {
    const local = Number(floor(localMs));
    const offsetBefore = offsetAt(zone, local - DAY_MS);
    const offsets = [...new Set([offsetBefore, offsetAt(zone, local + DAY_MS)])];
    const there = offsets.filter((offset) => offsetAt(zone, local - offset) === offset).sort((one, other) => other - one);
    const [earlier = offsetBefore, later = earlier] = there;
    const offset = latestMs !== undefined && local - later <= latestMs ? later : earlier;
    return plus(localMs, whole(BigInt(-offset)));
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** How far the zone's clocks are ahead of UTC at an instant. */
function offsetAt(zone: string, atMs: number): number {
    let format = FORMATS.get(zone);
    if (!format) {
        const numeric = {
            year: 'numeric',
            month: 'numeric',
            day: 'numeric',
            hour: 'numeric',
            minute: 'numeric',
            second: 'numeric',
        } as const;
        format = new Intl.DateTimeFormat('en-US', { ...numeric, timeZone: zone, hourCycle: 'h23' });
        FORMATS.set(zone, format);
    }
    const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    return local - Math.floor(atMs / 1000) * 1000;
}

/** A day of a profile, `2000-01-01` and what may follow, in milliseconds. */
export function dayMs(text: string): number {
    const found = isoTime(text);
    return found ? Number(floor(found.localMs)) - (found.offsetMs ?? 0) : Number.NaN;
}

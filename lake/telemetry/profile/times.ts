/** Times as devices write them, to UTC epoch milliseconds. What is finer than a millisecond is cut off. */
import { floor, multiply, parseDecimal, type Ratio } from './decimal.ts';
import { openZone } from './zones.ts';

const MS_PER_DAY = 86_400_000;

/** Milliseconds of a unit of time, as a ratio. */
const MS_OF_UNIT: Readonly<Record<string, Ratio>> = {
    s: { num: 1000n, den: 1n },
    ms: { num: 1n, den: 1n },
    us: { num: 1n, den: 1000n },
    ns: { num: 1n, den: 1_000_000n },
};

/** Milliseconds that a decimal number of a unit says, cut off; undefined where the text is no number. */
export function readDuration(text: string, unit: string): number | undefined {
    const value = parseDecimal(text);
    const factor = MS_OF_UNIT[unit];
    return value === undefined || factor === undefined ? undefined : Number(floor(multiply(value, factor)));
}

/** Days since 1970-01-01 of a date of the Gregorian calendar. */
function daysFromDate(year: number, month: number, day: number): number {
    const y = month <= 2 ? year - 1 : year;
    const era = Math.floor(y / 400);
    const yearOfEra = y - era * 400;
    const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
    return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

function daysOfMonth(year: number, month: number): number {
    return month === 2 ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** The parts of a written time. */
interface Parts {
    year: number;
    month: number;
    day: number;
    hour: number;
    minute: number;
    second: number;
    ms: number;
    /** Minutes east of UTC; undefined where the text does not say. */
    offset: number | undefined;
}

/** Dashes between year, month and day, or none; colons may be missing. */
const ISO = /^(\d{4})(-?)(\d\d)\2(\d\d)(?:[Tt ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;

/** Parts of an ISO 8601 date and time: with T or a space between, any number of digits of a second, zone or none. */
function parseIso(text: string): Parts | undefined {
    const match = ISO.exec(text);
    if (match === null) {
        return undefined;
    }
    const [, year, , month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
    return {
        year: Number(year),
        month: Number(month),
        day: Number(day),
        hour: Number(hour),
        minute: Number(minute),
        second: Number(second),
        ms: Number(fraction.slice(0, 3).padEnd(3, '0')),
        offset: parseOffset(zone),
    };
}

function parseOffset(zone: string | undefined): number | undefined {
    if (zone === undefined || zone === 'Z' || zone === 'z') {
        return zone === undefined ? undefined : 0;
    }
    const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || '0');
    return zone.startsWith('-') ? -minutes : minutes;
}

/** Reader of texts of one form: the letters YYYY, YY, MMM, MM, DD, HH, hh, mm, ss, SSS, A and Z stand for what they are in a date, all else for itself. */
function compileFormat(format: string): (text: string) => Parts | undefined {
    const source = format.replace(LETTERS_OR_MARKS, (part, at: number) => {
        const letters = EXPRESSION_OF_LETTERS[part];
        // Beside other letters only the whole number of digits tells where one ends.
        const isBesideLetters = BEGINS.test(format.slice(at + part.length)) || ENDS.test(format.slice(0, at));
        return letters === undefined ? `\\${part}` : isBesideLetters ? letters.replace('{1,2}', '{2}') : letters;
    });
    const expression = new RegExp(`^${source}$`);
    return (text) => {
        const groups = expression.exec(text)?.groups;
        if (groups === undefined) {
            return undefined;
        }
        const number = (name: string, absent: number) => (groups[name] === undefined ? absent : Number(groups[name]));
        return {
            // Two digits of a year are of this century: devices with such clocks were built in it.
            year: groups.year === undefined ? 2000 + number('short', 0) : number('year', 0),
            month: groups.name === undefined ? number('month', 1) : MONTHS.indexOf(groups.name.toLowerCase()) + 1,
            day: number('day', 1),
            hour: groups.half === undefined ? number('hour', 0) : hourOf(number('clock', 0), groups.half),
            minute: number('minute', 0),
            second: number('second', 0),
            ms: Number((groups.fraction ?? '').slice(0, 3).padEnd(3, '0')),
            offset: parseOffset(groups.zone),
        };
    };
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The hour of a clock of twelve hours; 24 and more where it has no such hour. */
function hourOf(clock: number, half: string): number {
    return clock < 1 || clock > 12 ? NO_HOUR : (clock % 12) + (half.toUpperCase() === 'PM' ? 12 : 0);
}

const NO_HOUR = 99;

const LETTERS = 'YYYY|YY|MMM|MM|DD|HH|hh|mm|ss|SSS|A|Z';
const LETTERS_OR_MARKS = new RegExp(`${LETTERS}|${/[.*+?^${}()|[\]\\/]/.source}`, 'g');
const BEGINS = new RegExp(`^(?:${LETTERS})`);
const ENDS = new RegExp(`(?:${LETTERS})$`);

/** The groups of letters of a form, in their order. */
export function lettersOf(format: string): string[] {
    return [...format.matchAll(new RegExp(LETTERS, 'g'))].map(([letters]) => letters);
}

const EXPRESSION_OF_LETTERS: Readonly<Record<string, string>> = {
    YYYY: '(?<year>\\d{4})',
    YY: '(?<short>\\d\\d)',
    MMM: `(?<name>${MONTHS.map((name) => [...name].map((letter) => `[${letter.toUpperCase()}${letter}]`).join('')).join('|')})`,
    MM: '(?<month>\\d{1,2})',
    DD: '(?<day>\\d{1,2})',
    HH: '(?<hour>\\d{1,2})',
    hh: '(?<clock>\\d{1,2})',
    mm: '(?<minute>\\d{1,2})',
    ss: '(?<second>\\d{1,2})',
    SSS: '(?<fraction>\\d+)',
    A: '(?<half>[AaPp][Mm])',
    Z: '(?<zone>[Zz]|[+-]\\d\\d(?::?\\d\\d)?)',
};

/** Local milliseconds of a written time, as if it were UTC; undefined where there is no such date or time. */
function localMs({ year, month, day, hour, minute, second, ms }: Parts): number | undefined {
    const isDate = month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month);
    // Second 60 is a leap second: the first moment of the next minute, as clocks that repeat it have it.
    const isTime = (hour <= 23 && minute <= 59 && second <= 60) || (hour === 24 && minute === 0 && second === 0 && ms === 0);
    return isDate && isTime ? daysFromDate(year, month, day) * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000 + ms : undefined;
}

/** Reads a text to epoch milliseconds. `latestMs`: where a local hour comes twice, the later one is meant unless it would be after this. */
export type TextTimeReader = (text: string, latestMs: number | undefined) => number | undefined;

/** A reader of written times. `zone` holds for texts that say none; without it those are UTC. */
export function compileTextTime(format: string | undefined, zone: string | undefined): TextTimeReader {
    const parse = format === undefined ? parseIso : compileFormat(format);
    const toUtc = zone === undefined || zone === 'UTC' ? undefined : openZone(zone);
    return (text, latestMs) => {
        const parts = parse(text);
        const local = parts === undefined ? undefined : localMs(parts);
        if (parts === undefined || local === undefined) {
            return undefined;
        }
        return parts.offset !== undefined || toUtc === undefined ? local - (parts.offset ?? 0) * 60_000 : toUtc(local, latestMs);
    };
}

/** Milliseconds of a span: `90s`, `15m`, `1h`, `2d`, `500ms`; undefined for another text. */
export function parseSpan(text: string): number | undefined {
    const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
    const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: MS_PER_DAY }[match?.[2] ?? ''];
    return match === null || factor === undefined ? undefined : Number(match[1]) * factor;
}

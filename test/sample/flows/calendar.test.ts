/** Dates as files write them are days of the calendar or rejects; the calendar here is the one of JavaScript. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDate } from '#lake/flows/dates';
import { readEpoch } from '#lake/flows/epochs';
import type { DateOrder } from '#lake/flows/options';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);

const written = fc.record({
    year: fc.integer({ min: 1, max: 9999 }),
    month: fc.integer({ min: 0, max: 14 }),
    day: fc.integer({ min: 0, max: 33 }),
    isPadded: fc.boolean(),
});
const separator = fc.constantFrom('/', '-', '.');

/** The day as text, or undefined where the calendar has none. */
function dayOf({ year, month, day }: { year: number; month: number; day: number }): string | undefined {
    const date = new Date('2000-01-01T00:00:00Z');
    date.setUTCFullYear(year, month - 1, day);
    const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
    return isDay ? date.toISOString().slice(0, 10) : undefined;
}

function textOf(number: number, isPadded: boolean): string {
    return String(number).padStart(isPadded ? 2 : 1, '0');
}

/** What both orders make of a date; the reason where it is rejected. */
function read(text: string, givenOrder?: DateOrder): unknown {
    const parsed = parseDate(text, { givenOrder, minEpochSeconds: 0 });
    return parsed.ok ? [parsed.slot.dmy, parsed.slot.mdy] : parsed.reason;
}

test('a year in front is read in the calendar, leap years and all', () => {
    fc.assert(
        fc.property(written, fc.constantFrom('/', '-'), (date, between) => {
            const text = [String(date.year).padStart(4, '0'), textOf(date.month, date.isPadded), textOf(date.day, date.isPadded)].join(
                between,
            );
            const day = dayOf(date);
            expect(read(text)).toEqual(day === undefined ? 'date_unreadable' : [day, day]);
            expect(read(text, 'ymd')).toEqual(day === undefined ? 'date_unreadable' : [day, day]);
            expect(read(text, 'dmy')).toEqual(day === undefined ? 'date_unreadable' : 'date_against_order');
        }),
        { numRuns: 500 * RUNS },
    );
});

test('a year behind is read in either order, each in the calendar', () => {
    fc.assert(
        fc.property(written, separator, (date, between) => {
            const text = [textOf(date.month, date.isPadded), textOf(date.day, date.isPadded), String(date.year).padStart(4, '0')].join(
                between,
            );
            const mdy = dayOf(date);
            const dmy = dayOf({ year: date.year, month: date.day, day: date.month });
            const isNone = (dmy ?? mdy) === undefined;
            // A date with dots always has the day first.
            const open = between === '.' ? (dmy === undefined ? 'date_against_order' : [dmy, dmy]) : [dmy, mdy];
            expect(read(text)).toEqual(isNone ? 'date_unreadable' : open);
            expect(read(text, 'mdy')).toEqual(isNone ? 'date_unreadable' : mdy === undefined ? 'date_against_order' : [mdy, mdy]);
            expect(read(text, 'dmy')).toEqual(isNone ? 'date_unreadable' : dmy === undefined ? 'date_against_order' : [dmy, dmy]);
        }),
        { numRuns: 500 * RUNS },
    );
});

test('epoch seconds are UTC days, to the second', () => {
    fc.assert(
        fc.property(fc.integer({ min: 0, max: 1_990_000_000 }), (seconds) => {
            expect(readEpoch(String(seconds), 0)).toEqual({ day: new Date(seconds * 1000).toISOString().slice(0, 10), unit: 's' });
        }),
        { numRuns: 500 * RUNS, examples: [[0], [86_399], [86_400], [631_151_999], [631_152_000], [1_499_443_200]] },
    );
});

/** The days that flows began on, as the file writes them; which of two orders a file uses is known only at its end. */

import type { DateOrder, DurationUnit } from './options.ts';
import type { RejectReason } from './rejects.ts';

/** How numbers of a date are to be taken: as given by the uploader, or found out (`slashOrder` once that is settled). */
export interface DateRules {
    /** What the uploader said. */
    givenOrder?: DateOrder | undefined;
    /** Order of `a/b/yyyy` and `a-b-yyyy`; undefined while it is still open. */
    slashOrder?: 'dmy' | 'mdy' | undefined;
    /** Smallest number that is taken for epoch seconds. */
    minEpochSeconds: number;
    /** Unit of the epochs that the file is known to have most of; undefined while it is open. */
    epochUnit?: DurationUnit | undefined;
    /** True for files in which a written date of January 1970 is one that lost its end. */
    isWithoutJanuary1970?: boolean | undefined;
    /** First and last day that flows of the file may begin on; undefined while that is open. */
    days?: DayRange | undefined;
}

/** Days `yyyy-MM-dd`, both inclusive. */
export interface DayRange {
    first: string;
    last: string;
}

/** One way in which the file writes a day; every way has a slot of its own until the order is settled. */
export interface DateSlot {
    kind: 'slash' | 'dotted' | 'ymd' | 'epoch';
    /** The day under day-first, under month-first; undefined where the calendar has none. Other kinds have the same in both. */
    dmy: string | undefined;
    mdy: string | undefined;
    /** What an epoch counts. */
    epochUnit?: DurationUnit;
}

export type ParsedDate = { ok: true; slot: DateSlot } | { ok: false; reason: RejectReason };

/**
 * Reads the date in front of a timestamp (up to a blank, `T` or the end). The order of `a/b/yyyy` stays open where the rules
 * leave it open: then the slot holds the day of each order.
 */
export function parseDate(written: string, rules: DateRules): ParsedDate {
    const yearFirst = /^(\d{4})([-/])(\d{1,2})\2(\d{1,2})$/.exec(written);
    if (yearFirst) {
        const day = calendarDay(yearFirst[1], yearFirst[3], yearFirst[4]);
        const isAgainst = rules.givenOrder !== undefined && rules.givenOrder !== 'ymd' && day !== undefined;
        return settle({ kind: 'ymd', dmy: day, mdy: day }, isAgainst);
    }
    const yearLast = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4})$/.exec(written);
    if (!yearLast) {
        return { ok: false, reason: 'date_unreadable' };
    }
    const dmy = calendarDay(yearLast[4], yearLast[3], yearLast[1]);
    const mdy = calendarDay(yearLast[4], yearLast[1], yearLast[3]);
    const kind = yearLast[2] === '.' ? 'dotted' : 'slash';
    const order = rules.givenOrder ?? (kind === 'dotted' ? 'dmy' : rules.slashOrder);
    if (order === undefined) {
        return settle({ kind, dmy, mdy }, false);
    }
    const day = order === 'ymd' ? undefined : order === 'dmy' ? dmy : mdy;
    return settle({ kind, dmy: day, mdy: day }, day === undefined && (dmy ?? mdy) !== undefined);
}

/** The month that times lie in which lost their last digits, or all. */
export const CUT_TIMES_MONTH = '1970-01-';

/** True for a written date of that month, in whatever order: what is left of one that was cut. */
export function isCutDate({ kind, dmy, mdy }: DateSlot): boolean {
    return kind !== 'epoch' && [dmy, mdy].every((day) => day?.startsWith(CUT_TIMES_MONTH) !== false);
}

function settle(slot: DateSlot, isAgainstOrder: boolean): ParsedDate {
    if (isAgainstOrder) {
        return { ok: false, reason: 'date_against_order' };
    }
    return (slot.dmy ?? slot.mdy) === undefined ? { ok: false, reason: 'date_unreadable' } : { ok: true, slot };
}

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function calendarDay(year = '', month = '', day = ''): string | undefined {
    const y = Number(year);
    const m = Number(month);
    const isLeapYear = y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0);
    const lastDay = m === 2 && isLeapYear ? 29 : (DAYS_OF_MONTH[m - 1] ?? 0);
    return y > 0 && Number(day) >= 1 && Number(day) <= lastDay ? `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` : undefined;
}

/** How the uploader of a file of flows may say that it must be read. */
import type { ReadingOption } from '#lake/kind';

export const DATE_ORDERS = ['dmy', 'mdy', 'ymd'] as const;
export const DURATION_UNITS = ['s', 'ms', 'us', 'ns'] as const;
export type DateOrder = (typeof DATE_ORDERS)[number];
export type DurationUnit = (typeof DURATION_UNITS)[number];

/** Decimal places of a second in each unit of time. */
export const UNIT_DIGITS: Readonly<Record<DurationUnit, number>> = { s: 0, ms: 3, us: 6, ns: 9 };

/** The reading options, in the order in which they are part of what a version was read from. */
export const readingOptions: readonly ReadingOption[] = [
    {
        name: 'dateOrder',
        flag: 'date-order',
        choices: DATE_ORDERS,
        meaning: 'how dates are written, where the files alone do not tell: day first (dmy), month first (mdy) or year first (ymd)',
    },
    {
        name: 'durationUnit',
        flag: 'duration-unit',
        choices: DURATION_UNITS,
        meaning: 'what durations are written in: seconds (s), milliseconds (ms), microseconds (us) or nanoseconds (ns)',
    },
];

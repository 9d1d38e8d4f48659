/** How the uploader of a file of flows may say that it must be read. */
import type { ReadingOption } from '#lake/kind';
import { DATE_ORDERS, type DateOrder } from './dates.ts';
import type { PairWatch } from './flow-sink.ts';
import type { Reject } from './rejects.ts';

export const DURATION_UNITS = ['us', 's'] as const;
export type DurationUnit = (typeof DURATION_UNITS)[number];

/** In the order in which they are part of what a version was read from. */
export const readingOptions: readonly ReadingOption[] = [
    {
        name: 'dateOrder',
        flag: 'date-order',
        choices: DATE_ORDERS,
        meaning: 'how dates are written, where the files alone do not tell: day, month or year first',
    },
    {
        name: 'durationUnit',
        flag: 'duration-unit',
        choices: DURATION_UNITS,
        meaning: 'what durations are written in: microseconds (us) or seconds (s)',
    },
];

/** What the reader of a file of flows is told. */
export interface ReadFlowsOptions {
    /** What the uploader said; what is not said is found out. */
    dateOrder?: DateOrder | undefined;
    durationUnit?: DurationUnit | undefined;
    /** What an earlier reading of the same file settled. */
    settledDates?: SettledDates | undefined;
    /** Gets the rejected rows as they are met, in batches of some thousands; awaited. */
    onRejects?: ((rejects: Reject[]) => Promise<void>) | undefined;
    /** Told of the kept rows of one pair; the file is read more slowly then. */
    watch?: PairWatch | undefined;
    signal?: AbortSignal | undefined;
}

/** The order of `a/b/yyyy` in a file, and what the ledger says of it. */
export interface SettledDates {
    slashOrder: 'dmy' | 'mdy';
    dateOrder: DateOrder | 'epoch' | 'assumed' | null;
}

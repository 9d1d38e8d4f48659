/** What all rows of a file tell together of its dates: their order, what epochs count, and the days that are its own. */

/** Rows with one verdict and one date, as SQL grouped them. */
export interface DatedRows {
    /** Null for rows that are good as far as they were looked at. */
    verdict: string | null;
    /** How the date is written. */
    kind: string;
    /** Its day when day comes first and when month does; null where the calendar has none. */
    days: Readonly<Record<Order, string | null>>;
    flows: bigint;
}

type Order = 'dmy' | 'mdy';

export interface SettledDates {
    slashOrder: Order;
    /** Why rows with such a date are rejected, or undefined. */
    whyNot(kind: string, days: DatedRows['days']): string | undefined;
    /** SQL that is true for rows of table `parts` whose date is the file's. */
    isKept: string;
    /** What the ledger says, by the ways in which the kept rows write their dates, and by the order that was given. */
    orderOf(kinds: ReadonlySet<string>, given: string | undefined): string | null;
}

const FIRST_DAY = '1990-01-01';
const YEARS_AHEAD = 5;
const LAST_YEAR = 9999;

/** Epochs by what they count, the coarser first. */
const EPOCHS = ['epoch in s', 'epoch in ms', 'epoch in us', 'epoch in ns'];

/** @param hasCutDates true if days of January 1970 are what is left of times that lost their last digits. */
export function settleDates(rows: readonly DatedRows[], { hasCutDates }: { hasCutDates: boolean }): SettledDates {
    const isCut = (kind: string, day: string | null): boolean =>
        hasCutDates && !EPOCHS.includes(kind) && day?.startsWith('1970-01-') === true;
    const isSurelyCut = ({ kind, days }: Pick<DatedRows, 'kind' | 'days'>): boolean =>
        [days.dmy, days.mdy].filter((day) => day !== null).every((day) => isCut(kind, day));
    const good = rows.filter((row) => row.verdict === null && !(hasCutDates && isSurelyCut(row)));
    const flowsOf = (isOne: (row: DatedRows) => boolean): bigint => good.filter(isOne).reduce((sum, { flows }) => sum + flows, 0n);
    const dmyOnly = flowsOf(({ kind, days }) => kind === 'slash' && days.mdy === null);
    const mdyOnly = flowsOf(({ kind, days }) => kind === 'slash' && days.dmy === null);
    const slashOrder: Order = mdyOnly > dmyOnly ? 'mdy' : 'dmy';

    const counted = EPOCHS.map((kind) => ({ kind, flows: flowsOf((row) => row.kind === kind) })).filter(({ flows }) => flows > 0n);
    const epoch = counted.sort((a, b) => Number(b.flows - a.flows))[0]?.kind;
    const isOtherEpoch = (kind: string): boolean => epoch !== undefined && EPOCHS.includes(kind) && kind !== epoch;

    const dated = good.flatMap(({ kind, days, flows }) => {
        const day = days[slashOrder];
        return day === null || isOtherEpoch(kind) || day < FIRST_DAY ? [] : [{ day, flows }];
    });
    const lastDay = lastDayOf(dated);
    const isFar = (day: string): boolean => lastDay !== undefined && (day < FIRST_DAY || day > lastDay);

    return {
        slashOrder,
        whyNot(kind, days) {
            const day = days[slashOrder];
            if (hasCutDates && isSurelyCut({ kind, days })) {
                return 'date_implausible';
            }
            if (day === null || isOtherEpoch(kind)) {
                return 'date_against_order';
            }
            return isCut(kind, day) || isFar(day) ? 'date_implausible' : undefined;
        },
        isKept: [
            `day_${slashOrder} is not null`,
            epoch === undefined ? 'true' : `(not starts_with(date_kind, 'epoch') or date_kind = '${epoch}')`,
            lastDay === undefined ? 'true' : `day_${slashOrder} between date '${FIRST_DAY}' and date '${lastDay}'`,
            hasCutDates
                ? `(starts_with(date_kind, 'epoch') or day_${slashOrder} not between date '1970-01-01' and date '1970-01-31')`
                : 'true',
        ].join(' and '),
        orderOf(kinds, given) {
            if (kinds.size > 0 && [...kinds].every((kind) => kind === 'instant' || EPOCHS.includes(kind))) {
                return 'epoch';
            }
            if (given !== undefined) {
                return given;
            }
            if (dmyOnly + mdyOnly > 0n) {
                return slashOrder;
            }
            if (kinds.has('slash')) {
                return 'assumed';
            }
            return kinds.has('dotted') ? 'dmy' : kinds.has('ymd') ? 'ymd' : null;
        },
    };
}

/** The last day that the file may have, by the middle one of those that it has; undefined where it has none. */
function lastDayOf(dated: readonly { day: string; flows: bigint }[]): string | undefined {
    const inOrder = [...dated].sort((a, b) => (a.day < b.day ? -1 : 1));
    const total = inOrder.reduce((sum, { flows }) => sum + flows, 0n);
    let passed = 0n;
    const middle = inOrder.find(({ flows }) => {
        passed += flows;
        return passed * 2n >= total;
    });
    if (!middle) {
        return undefined;
    }
    const year = Math.min(Number(middle.day.slice(0, 4)) + YEARS_AHEAD, LAST_YEAR);
    const isNoLeapDay = middle.day.endsWith('-02-29') && new Date(Date.UTC(year, 1, 29)).getUTCMonth() !== 1;
    return isNoLeapDay ? `${year}-02-28` : `${year}${middle.day.slice(4)}`;
}

/** How a file writes its dates, from all its rows: which of two orders, what epochs count, and which days are none of its own. */
import type { DateSlot, DayRange } from './dates.ts';
import { isCutDate } from './dates.ts';
import type { FlowSink, SettledDates } from './flow-sink.ts';
import type { DateOrder, DurationUnit } from './options.ts';

/** No exporter of flows is older. A day in front of it, beside days that are not, is a clock that was not set or a number that lost a digit. */
const FIRST_DAY = '1990-01-01';

/** Years behind a file's middle day: what begins later, beside days that do not, was misread or misdated. */
const YEARS_AHEAD = 5;

/** The last year that a date can have. */
const LAST_YEAR = 9999;

/** What the rows settle. `isSplit` where rows were kept, or rejected, in the light of something else: the file must be read again. */
export function settleDates(sink: FlowSink): SettledDates & { isSplit: boolean } {
    const { dates, rejectedSlots } = sink;
    const { givenOrder, isWithoutJanuary1970 } = dates.rules;
    const flows = flowsBySlot(sink);
    const witnesses = { dmy: 0, mdy: 0 };
    const epochs = new Map<DurationUnit, number>();
    for (const [slot, count] of flows) {
        witnesses.dmy += slot.kind === 'slash' && slot.mdy === undefined ? count : 0;
        witnesses.mdy += slot.kind === 'slash' && slot.dmy === undefined ? count : 0;
        if (slot.epochUnit !== undefined) {
            epochs.set(slot.epochUnit, (epochs.get(slot.epochUnit) ?? 0) + count);
        }
    }
    // Day first where the witnesses are as many, or none.
    const slashOrder = witnesses.mdy > witnesses.dmy ? 'mdy' : 'dmy';
    const order = givenOrder === 'mdy' || givenOrder === 'dmy' ? givenOrder : slashOrder;
    const epochUnit = mostOf(epochs);
    const dayOf = (slot: DateSlot): string | undefined =>
        slot.epochUnit !== undefined && epochUnit !== undefined && slot.epochUnit !== epochUnit ? undefined : slot[order];
    const days = rangeOfDays(flows, dayOf);
    const isOut = (slot: DateSlot): boolean => {
        const day = dayOf(slot);
        const isFar = days !== undefined && day !== undefined && (day < days.first || day > days.last);
        return day === undefined || isFar || (isWithoutJanuary1970 === true && isCutDate({ ...slot, dmy: day, mdy: day }));
    };
    const rejected = [...rejectedSlots].flatMap((index) => dates.all[index] ?? []);
    const isSplit = [...flows.keys(), ...rejected].some(isOut);
    return { slashOrder, isWitnessed: witnesses.dmy + witnesses.mdy > 0, epochUnit, days, isSplit };
}

/** What the ledger says of the order of a file's dates. Epochs have none, whatever was given or rows that are rejected tell. */
export function dateOrderOf(
    sink: FlowSink,
    { slashOrder, isWitnessed, given }: Pick<SettledDates, 'slashOrder' | 'isWitnessed'> & { given: DateOrder | undefined },
): DateOrder | 'epoch' | 'assumed' | null {
    const kinds = new Set([...flowsBySlot(sink).keys()].map(({ kind }) => kind));
    if (kinds.size === 1 && kinds.has('epoch')) {
        return 'epoch';
    }
    if (given !== undefined || isWitnessed) {
        return given ?? slashOrder;
    }
    const unambiguous = kinds.has('dotted') ? 'dmy' : kinds.has('ymd') ? 'ymd' : kinds.has('epoch') ? 'epoch' : null;
    return kinds.has('slash') ? 'assumed' : unambiguous;
}

/** The kept flows of each date. */
function flowsBySlot({ table, dates }: FlowSink): Map<DateSlot, number> {
    const flows = dates.all.map(() => 0);
    for (let row = 0; row < table.rowCount; row += 1) {
        const slot = table.groupOf(row) >> 2;
        flows[slot] = (flows[slot] ?? 0) + table.flowsOf(row);
    }
    return new Map(dates.all.map((slot, index) => [slot, flows[index] ?? 0] as const).filter(([, count]) => count > 0));
}

/** The unit with the most flows, the coarser one where two have as many. */
function mostOf(epochs: ReadonlyMap<DurationUnit, number>): DurationUnit | undefined {
    const order: readonly DurationUnit[] = ['s', 'ms', 'us', 'ns'];
    const sorted = [...epochs].sort(([a, one], [b, two]) => two - one || order.indexOf(a) - order.indexOf(b));
    return sorted[0]?.[0];
}

/** The days that flows of the file may begin on; undefined where none begins from 1990 on. */
function rangeOfDays(flows: ReadonlyMap<DateSlot, number>, dayOf: (slot: DateSlot) => string | undefined): DayRange | undefined {
    const days = [...flows]
        .map(([slot, count]) => ({ day: dayOf(slot) ?? '', count }))
        .filter(({ day }) => day >= FIRST_DAY)
        .sort((one, other) => (one.day < other.day ? -1 : 1));
    let left = days.reduce((sum, { count }) => sum + count, 0) / 2;
    const middle = days.find(({ count }) => {
        left -= count;
        return left <= 0;
    })?.day;
    if (middle === undefined) {
        return undefined;
    }
    const lastYear = Math.min(Number(middle.slice(0, 4)) + YEARS_AHEAD, LAST_YEAR);
    return { first: FIRST_DAY, last: `${lastYear}${middle.slice(4)}` };
}

/** How a file writes its dates, from all its rows: which of two orders, what epochs count, and which days are none of its own. */
import type { DateRules, DateSlot, DayRange } from './dates.ts';
import type { FlowSink, SettledDates } from './flow-sink.ts';
import type { DateOrder, DurationUnit } from './options.ts';

/** No exporter of flows is older. A day in front of it, beside days that are not, is a clock that was not set or a number that lost a digit. */
const FIRST_DAY = '1990-01-01';

/** Years behind a file's middle day: what begins later, beside days that do not, was misread or misdated. */
const YEARS_AHEAD = 5;

/** What the rows settle. `isSplit` where rows were kept, or rejected, in the light of something else: the file must be read again. */
export function settleDates(sink: FlowSink, givenOrder: DateOrder | undefined): SettledDates & { isSplit: boolean } {
    const { table, dates, rejectedDates } = sink;
    const witnesses = { dmy: 0, mdy: 0 };
    const kinds = new Set<DateSlot['kind'] | undefined>();
    const epochs = new Map<DurationUnit, number>();
    for (let row = 0; row < table.rowCount; row += 1) {
        const slot = dates.all[table.groupOf(row) >> 2];
        kinds.add(slot?.kind);
        if (slot?.kind === 'slash' && slot.mdy === undefined) {
            witnesses.dmy += table.flowsOf(row);
        }
        if (slot?.kind === 'slash' && slot.dmy === undefined) {
            witnesses.mdy += table.flowsOf(row);
        }
        if (slot?.epochUnit !== undefined) {
            epochs.set(slot.epochUnit, (epochs.get(slot.epochUnit) ?? 0) + table.flowsOf(row));
        }
    }
    // Day first where the witnesses are as many, or none.
    const slashOrder = witnesses.mdy > witnesses.dmy ? 'mdy' : 'dmy';
    // Rows that were kept or named by a later fault in the light of the other order.
    const other = slashOrder === 'dmy' ? 'mdy' : 'dmy';
    const epochUnit = mostOf(epochs);
    const days = rangeOfDays(sink, { order: givenOrder ?? slashOrder, epochUnit });
    const isSplit = witnesses[other] > 0 || rejectedDates[other] || epochs.size > 1 || days !== undefined;
    const rules: Pick<DateRules, 'epochUnit' | 'days'> = { ...(epochs.size > 1 && { epochUnit }), ...(days && { days }) };
    if (witnesses.dmy + witnesses.mdy > 0) {
        return { slashOrder, dateOrder: slashOrder, ...rules, isSplit };
    }
    const unambiguous = kinds.has('dotted') ? 'dmy' : kinds.has('ymd') ? 'ymd' : kinds.has('epoch') ? 'epoch' : null;
    return { slashOrder, dateOrder: kinds.has('slash') ? 'assumed' : unambiguous, ...rules, isSplit };
}

/** The unit with the most flows, the coarser one where two have as many. */
function mostOf(epochs: ReadonlyMap<DurationUnit, number>): DurationUnit | undefined {
    const order: readonly DurationUnit[] = ['s', 'ms', 'us', 'ns'];
    const sorted = [...epochs].sort(([a, one], [b, two]) => two - one || order.indexOf(a) - order.indexOf(b));
    return sorted[0]?.[0];
}

/** The day that the middle one of the flows begins on, of days in their order. */
function middleOf(days: readonly (readonly [string, number])[]): string | undefined {
    let left = days.reduce((sum, [, flows]) => sum + flows, 0) / 2;
    for (const [day, flows] of days) {
        left -= flows;
        if (left <= 0) {
            return day;
        }
    }
    return undefined;
}

/** The days that flows of the file may begin on; undefined where all of them do, or none. */
function rangeOfDays(
    { table, dates }: FlowSink,
    { order, epochUnit }: { order: DateOrder; epochUnit: DurationUnit | undefined },
): DayRange | undefined {
    const flows = new Map<string, number>();
    let earlier = 0;
    for (let row = 0; row < table.rowCount; row += 1) {
        const slot = dates.all[table.groupOf(row) >> 2];
        const day = order === 'mdy' ? slot?.mdy : slot?.dmy;
        if (day === undefined || (slot?.epochUnit !== undefined && slot.epochUnit !== epochUnit)) {
            continue;
        }
        if (day < FIRST_DAY) {
            earlier += table.flowsOf(row);
        } else {
            flows.set(day, (flows.get(day) ?? 0) + table.flowsOf(row));
        }
    }
    const sorted = [...flows].sort(([a], [b]) => (a < b ? -1 : 1));
    const middle = middleOf(sorted);
    if (middle === undefined) {
        return undefined;
    }
    const last = `${String(Number(middle.slice(0, 4)) + YEARS_AHEAD).padStart(4, '0')}${middle.slice(4)}`;
    const isAnyOut = earlier > 0 || (sorted.at(-1)?.[0] ?? '') > last;
    return isAnyOut ? { first: FIRST_DAY, last } : undefined;
}

/** Stored values as the fast path takes them: whole numbers, and the slots of days. */
import type { FlowSink } from '../../flow-sink.ts';
import { styleOf } from '../../number-styles.ts';
import { parseWhole } from '../../numbers.ts';
import { UNIT_DIGITS } from '../../options.ts';
import { MAX_FAST_VALUE } from '../../pair-table.ts';
import type { RejectReason } from '../../rejects.ts';
import { type ColumnType, instantOfStored, type Stored, textOfStored } from './values.ts';

export type NumberRule = NonNullable<Parameters<typeof parseWhole>[1]>;

/** Stands for a number that is to be read with care. */
export const NOT_FAST = -1;

/** Floats of 32 bits below hold every whole number, and no two of them have one shortest text. */
const MAX_EXACT_FLOAT32 = 2 ** 24;

/** The value as a whole number below `MAX_FAST_VALUE`, or `NOT_FAST`. */
export function wholeOf(stored: Exclude<Stored, null>, type: ColumnType, parse: NumberRule): number {
    const number = typeof stored === 'bigint' && type.is === 'number' ? Number(stored) : stored;
    const isExact = typeof number === 'number' && (type.is === 'number' || (type.is === 'float32' && number < MAX_EXACT_FLOAT32));
    if (isExact && (parse.scale ?? 0) === 0 && Number.isInteger(number) && number >= 0 && number < MAX_FAST_VALUE) {
        return number;
    }
    const text = textOfStored(stored, type);
    // Text may be of another style, which is heard on the careful path.
    const parsed =
        typeof stored === 'string' && styleOf(text) !== undefined && styleOf(text) !== 'plain' ? undefined : parseWhole(text, parse);
    return parsed?.ok === true && parsed.value < BigInt(MAX_FAST_VALUE) ? Number(parsed.value) : NOT_FAST;
}

/** Finds the slots of instants; that of the last one's day without a look at the calendar. */
export function slotOfInstants(
    unit: Parameters<typeof instantOfStored>[1],
    dates: FlowSink['dates'],
): (stored: Exclude<Stored, null>) => number | RejectReason {
    const dayLength = unit === 'int96' || unit === 'days' ? undefined : 86_400n * 10n ** BigInt(UNIT_DIGITS[unit]);
    let lastFrom = 0n;
    let lastUntil = 0n;
    let last: number | RejectReason = 'date_unreadable';
    return (stored) => {
        if (typeof stored !== 'bigint' && typeof stored !== 'number') {
            return 'date_unreadable';
        }
        if (typeof stored === 'number' || dayLength === undefined) {
            return dates.slotOfInstant(instantOfStored(stored, unit));
        }
        if (stored < lastFrom || stored >= lastUntil) {
            last = dates.slotOfInstant(instantOfStored(stored, unit));
            lastFrom = stored < 0n ? 0n : stored - (stored % dayLength);
            lastUntil = stored < 0n ? 0n : lastFrom + dayLength;
        }
        return last;
    };
}

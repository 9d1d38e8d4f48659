/** The readings of one hour as rows of a table: sorted by their keys, repeats merged by the words of lake/telemetry/tables.ts. */
import { compareTexts } from '#lake/rows';
import { toTextList } from '#lake/text-list';
import { compareNumbers, NO_TEXT, type NumberColumn, rowsInMemory, sortTexts, type TextColumn, type TypedRows } from '#lake/typed-rows';
import { HOUR_MS, type HourReadings, type ReadingTable, type TextList, VALUE_WORDS } from './reading-table.ts';
import type { HourOfReadings } from './spilled-readings.ts';

/** The order of what all hours have, which is found out once. */
export interface TableOrder {
    /** Place of each series among all of them, and of each profile. */
    series: Int32Array;
    profiles: Int32Array;
}

/** The order of the table's series and profiles. */
export function orderOf({ series, profiles }: Pick<ReadingTable, 'series' | 'profiles'>): TableOrder {
    return {
        series: placesOf(
            series,
            (a, b) => compareTexts(a.site, b.site) || compareTexts(a.device, b.device) || compareTexts(a.metric, b.metric),
        ),
        profiles: placesOf(profiles.texts, compareTexts),
    };
}

/** The place of each text in their order. */
export function orderOfTexts({ texts }: TextList): Int32Array {
    return placesOf(texts, compareTexts);
}

function placesOf<T>(values: readonly T[], compare: (a: T, b: T) => number): Int32Array {
    const order = Int32Array.from(values, (_, at) => at).sort((a, b) => compare(values[a] as T, values[b] as T));
    const places = new Int32Array(values.length);
    order.forEach((value, place) => {
        places[value] = place;
    });
    return places;
}

/** The readings of an hour, and what their numbers stand for. */
export interface HourToSort extends HourOfReadings, Pick<ReadingTable, 'series' | 'profiles'> {}

/** The rows of an hour, given as its number since 1970; `texts` is the order of its texts. */
export function rowsOfHour(table: HourToSort, { hour, order, texts }: { hour: number; order: TableOrder; texts: Int32Array }): TypedRows {
    const { readings } = table;
    const { count } = readings;
    const messages = table.messages.sort(readings.messages, count);
    const sorted = sortReadings(readings, { order, messages: messages.places });
    const { rows, copies } = mergeRepeats(readings, { sorted, order: { ...order, texts }, messages: messages.places });
    const times = timesOf(rows, readings.times, hour);
    return rowsInMemory({
        count: rows.length,
        texts: {
            ...seriesTexts(table, readings.series, rows),
            message: { texts: messages.texts, places: picked(messages.places, rows) },
            text: textsOfRows(table.texts.texts, readings.texts, rows),
            clock: { texts: CLOCKS, places: clocksOf(readings.isByArrival, rows) },
            profile: textsOfRows(table.profiles.texts, readings.profiles, rows),
        },
        numbers: {
            at_ms: times,
            measured_at: times,
            received_ms: receivedOf(rows, readings.received),
            value: valuesOf(readings, rows),
            copies: { width: 2, words: copies, nulls: undefined },
        },
    });
}

/** Texts in ascending order, so that their places compare as they do. */
const CLOCKS = toTextList(['arrival', 'device']);

/** The readings in the order of their keys. Those of a series mostly come in the order of time, which needs no sorting. */
function sortReadings(readings: HourReadings, { order, messages }: { order: TableOrder; messages: Int32Array }): Int32Array {
    const { count, series, times } = readings;
    const { starts, slotOf } = slotsOf(readings, order);
    const next = starts.slice();
    const sorted = new Int32Array(count);
    for (let reading = 0; reading < count; reading += 1) {
        const slot = slotOf[series[reading] as number] as number;
        sorted[next[slot] as number] = reading;
        (next[slot] as number) += 1;
    }
    const compare = (a: number, b: number): number =>
        (times[a] as number) - (times[b] as number) || (messages[a] as number) - (messages[b] as number);
    for (let slot = 0; slot + 1 < starts.length; slot += 1) {
        const [from, until] = [starts[slot] as number, starts[slot + 1] as number];
        for (let at = from + 1; at < until; at += 1) {
            if (compare(sorted[at - 1] as number, sorted[at] as number) > 0) {
                sorted.subarray(from, until).sort(compare);
                break;
            }
        }
    }
    return sorted;
}

/** A slot for each series that the hour has, in their order: where its readings begin among the sorted ones, and one end more. */
function slotsOf({ count, series }: HourReadings, order: TableOrder): { starts: Int32Array; slotOf: Int32Array } {
    const slotOf = new Int32Array(order.series.length);
    const used: number[] = [];
    for (let reading = 0; reading < count; reading += 1) {
        const number = series[reading] as number;
        if (slotOf[number] === 0) {
            used.push(number);
        }
        (slotOf[number] as number) += 1;
    }
    used.sort((a, b) => (order.series[a] as number) - (order.series[b] as number));
    const starts = new Int32Array(used.length + 1);
    for (const [slot, number] of used.entries()) {
        starts[slot + 1] = (starts[slot] as number) + (slotOf[number] as number);
        slotOf[number] = slot;
    }
    return { starts, slotOf };
}

/** The order of an hour's texts too. */
type FullOrder = TableOrder & { texts: Int32Array };

/** One reading for each key, the one whose columns count; and how many there are of it, in words. */
function mergeRepeats(
    readings: HourReadings,
    { sorted, order, messages }: { sorted: Int32Array; order: FullOrder; messages: Int32Array },
): { rows: Int32Array; copies: Int32Array } {
    const { series, times } = readings;
    const rows = new Int32Array(sorted.length);
    const copies = new Int32Array(sorted.length * 2);
    let count = 0;
    for (const reading of sorted) {
        const last = rows[count - 1] as number;
        const isRepeat =
            count > 0 && times[last] === times[reading] && messages[last] === messages[reading] && series[last] === series[reading];
        if (!isRepeat) {
            rows[count] = reading;
            count += 1;
        } else if (compareFirsts(readings, order, reading, last) < 0) {
            rows[count - 1] = reading;
        }
        (copies[(count - 1) * 2] as number) += 1;
    }
    return { rows: rows.subarray(0, count), copies: copies.subarray(0, count * 2) };
}

/** The order of two readings of one key by their `first` columns, in the table's order; a null is behind every value. */
function compareFirsts({ received, values, texts, isByArrival, profiles }: HourReadings, order: FullOrder, a: number, b: number): number {
    const [textA, textB] = [texts[a] as number, texts[b] as number];
    const isOtherKind = Number(textA !== NO_TEXT) - Number(textB !== NO_TEXT);
    return (
        (received[a] as number) - (received[b] as number) ||
        isOtherKind ||
        compareNumbers(values, a * VALUE_WORDS, values, b * VALUE_WORDS, VALUE_WORDS) ||
        (textA === NO_TEXT ? 0 : (order.texts[textA] as number) - (order.texts[textB] as number)) ||
        (isByArrival[b] as number) - (isByArrival[a] as number) ||
        (order.profiles[profiles[a] as number] as number) - (order.profiles[profiles[b] as number] as number)
    );
}

/** The texts of the rows' series by column: only those that occur. Rows of a series stand together, so that each is looked at once. */
function seriesTexts(
    { series }: Pick<ReadingTable, 'series'>,
    numbers: Int32Array,
    rows: Int32Array,
): Record<'site' | 'device' | 'metric', TextColumn> {
    const used: number[] = [];
    const starts: number[] = [];
    for (let row = 0; row < rows.length; row += 1) {
        const number = numbers[rows[row] as number] as number;
        if (row === 0 || number !== used[used.length - 1]) {
            used.push(number);
            starts.push(row);
        }
    }
    const column = (name: 'site' | 'device' | 'metric'): TextColumn => {
        const placeOf = new Map<string, number>();
        const ofUsed = Int32Array.from(used, (number) => {
            const text = (series[number] as (typeof series)[number])[name];
            const place = placeOf.get(text) ?? placeOf.size;
            placeOf.set(text, place);
            return place;
        });
        const sorted = sortTexts(toTextList([...placeOf.keys()]), ofUsed);
        const places = new Int32Array(rows.length);
        for (const [at, start] of starts.entries()) {
            places.fill(sorted.places[at] as number, start, starts[at + 1] ?? rows.length);
        }
        return { texts: sorted.texts, places };
    };
    return { site: column('site'), device: column('device'), metric: column('metric') };
}

/** The texts that occur in the rows, and the place of each row's one. Neighbours mostly have the same. */
function textsOfRows(all: readonly string[], numbers: Int32Array, rows: Int32Array): TextColumn {
    const placeOf = new Map<number, number>();
    const places = new Int32Array(rows.length);
    let last = NO_TEXT;
    let lastPlace = NO_TEXT;
    for (let row = 0; row < rows.length; row += 1) {
        const number = numbers[rows[row] as number] as number;
        if (number !== last) {
            last = number;
            lastPlace = number === NO_TEXT ? NO_TEXT : (placeOf.get(number) ?? placeOf.size);
            if (number !== NO_TEXT) {
                placeOf.set(number, lastPlace);
            }
        }
        places[row] = lastPlace;
    }
    return sortTexts(toTextList([...placeOf.keys()].map((number) => all[number] as string)), places);
}

function picked(values: Int32Array, rows: Int32Array): Int32Array {
    const places = new Int32Array(rows.length);
    for (let row = 0; row < rows.length; row += 1) {
        places[row] = values[rows[row] as number] as number;
    }
    return places;
}

/** Places among `CLOCKS`. */
function clocksOf(isByArrival: Uint8Array, rows: Int32Array): Int32Array {
    const places = new Int32Array(rows.length);
    for (let row = 0; row < rows.length; row += 1) {
        places[row] = 1 - (isByArrival[rows[row] as number] as number);
    }
    return places;
}

/** Times within the hour as numbers of 64 bits. */
function timesOf(rows: Int32Array, times: Int32Array, hour: number): NumberColumn {
    const words = new Int32Array(rows.length * 2);
    for (let row = 0; row < rows.length; row += 1) {
        setInstant(words, row, hour * HOUR_MS + (times[rows[row] as number] as number));
    }
    return { width: 2, words, nulls: undefined };
}

/** Whole milliseconds as numbers of 64 bits. */
function receivedOf(rows: Int32Array, received: Float64Array): NumberColumn {
    const words = new Int32Array(rows.length * 2);
    for (let row = 0; row < rows.length; row += 1) {
        setInstant(words, row, received[rows[row] as number] as number);
    }
    return { width: 2, words, nulls: undefined };
}

function setInstant(words: Int32Array, row: number, instant: number): void {
    words[row * 2] = instant;
    words[row * 2 + 1] = Math.floor(instant / WORD);
}

const WORD = 2 ** 32;

function valuesOf({ values, texts }: HourReadings, rows: Int32Array): NumberColumn {
    const words = new Int32Array(rows.length * VALUE_WORDS);
    const nulls = new Uint8Array(rows.length);
    for (let row = 0; row < rows.length; row += 1) {
        const reading = rows[row] as number;
        nulls[row] = texts[reading] === NO_TEXT ? 0 : 1;
        // One statement for each of the three words: a loop over them takes longer than all else here.
        words[row * VALUE_WORDS] = values[reading * VALUE_WORDS] as number;
        words[row * VALUE_WORDS + 1] = values[reading * VALUE_WORDS + 1] as number;
        words[row * VALUE_WORDS + 2] = values[reading * VALUE_WORDS + 2] as number;
    }
    return { width: VALUE_WORDS, words, nulls };
}

/**
 * Readings of a source that do not fit memory: they lie in scratch room, hour by hour in parts, until the source is read to its end. All parts of an hour come
 * back as if they had never left, so that rows are sorted and merged in one way only.
 */
import type { SourceBytes } from '#lake/kind';
import { MessageNames } from './message-names.ts';
import { HOUR_MS, HourReadings, type ReadingTable, TextList, VALUE_WORDS } from './reading-table.ts';

type Scratch = ReturnType<NonNullable<SourceBytes['openScratch']>>;

/** Readings of one hour, and what their numbers of messages and texts stand for. */
export interface HourOfReadings {
    readings: HourReadings;
    messages: MessageNames;
    texts: TextList;
}

/** Place of a part in the scratch room. */
interface Part {
    start: number;
    end: number;
    count: number;
}

export class SpilledReadings {
    readonly #scratch: Scratch;
    readonly #parts = new Map<number, Part[]>();

    constructor(scratch: Scratch) {
        this.#scratch = scratch;
    }

    /** Moves the readings of the table here: a part for each hour. @throws StorageError */
    add(table: ReadingTable): void {
        for (const [hour, readings] of table.hours) {
            const bytes = pack(readings, hour, table);
            const start = this.#scratch.append(bytes);
            const part = { start, end: start + bytes.length, count: readings.count };
            const parts = this.#parts.get(hour);
            if (parts) {
                parts.push(part);
            } else {
                this.#parts.set(hour, [part]);
            }
        }
        table.letGo();
    }

    /** The hours that have readings. */
    hours(): Iterable<number> {
        return this.#parts.keys();
    }

    /** All readings of an hour, in the order in which they came. @throws StorageError */
    read(hour: number): HourOfReadings {
        const parts = this.#parts.get(hour) ?? [];
        const all = {
            readings: new HourReadings(parts.reduce((sum, { count }) => sum + count, 0)),
            messages: new MessageNames(),
            texts: new TextList(),
        };
        for (const { start, end } of parts) {
            unpack(this.#scratch.read({ start, end }), hour, all);
        }
        return all;
    }

    close(): void {
        this.#scratch.close();
    }
}

/** Columns of a part in their order, after its header: the number of its readings, and how many words each column has. */
const COLUMNS = ['series', 'times', 'texts', 'messages', 'profiles', 'isByArrival', 'values', 'received', 'hashes'] as const;

/** Columns that have no word, or another number of them, for each reading. */
const OWN_LENGTH: readonly string[] = ['values', 'received', 'hashes'];
const HEADER_WORDS = 1 + COLUMNS.length;

type Columns = Record<(typeof COLUMNS)[number], Int32Array>;

/** The readings as bytes: columns of words, and behind them JSON of the texts that they name. A column of one and the same value is that value alone. */
function pack(readings: HourReadings, hour: number, { messages, texts }: Omit<HourOfReadings, 'readings'>): Uint8Array {
    const { count, series, times, profiles, isByArrival, values, received } = readings;
    const pickedMessages = messages.pick(readings.messages.subarray(0, count));
    const pickedTexts = texts.pick(readings.texts.subarray(0, count));
    const columns: Columns = {
        series: series.subarray(0, count),
        times: times.subarray(0, count),
        texts: pickedTexts.numbers,
        messages: pickedMessages.numbers,
        profiles: profiles.subarray(0, count),
        isByArrival: Int32Array.from(isByArrival.subarray(0, count)),
        values: values.subarray(0, count * VALUE_WORDS),
        received: areReceivedWhenMeasured(readings, hour) ? new Int32Array(0) : new Int32Array(received.buffer, 0, count * 2),
        hashes: pickedMessages.hashes,
    };
    const packed = COLUMNS.map((name) => (OWN_LENGTH.includes(name) ? columns[name] : shorten(columns[name])));
    const header = Int32Array.from([count, ...packed.map(({ length }) => length)]);
    const named = Buffer.from(JSON.stringify([pickedMessages.names, pickedTexts.texts]));
    return Buffer.concat([...[header, ...packed].map(bytesOf), named]);
}

/** Adds the readings of a part to those that are there. */
function unpack(bytes: Uint8Array, hour: number, { readings, messages, texts }: HourOfReadings): void {
    const header = new Int32Array(bytes.buffer, bytes.byteOffset, HEADER_WORDS);
    const count = header[0] as number;
    let at = HEADER_WORDS * 4;
    const columns = {} as Columns;
    for (const [place, name] of COLUMNS.entries()) {
        const words = header[place + 1] as number;
        columns[name] = new Int32Array(bytes.buffer, bytes.byteOffset + at, words);
        at += words * 4;
    }
    const [names, someTexts] = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.length - at).toString()) as string[][];
    const from = readings.count;
    const fill = (into: Int32Array | Uint8Array, name: (typeof COLUMNS)[number]): void => {
        const words = columns[name];
        if (words.length === count) {
            into.set(words, from);
        } else {
            into.fill(words[0] as number, from, from + count);
        }
    };
    fill(readings.series, 'series');
    fill(readings.times, 'times');
    fill(readings.texts, 'texts');
    fill(readings.messages, 'messages');
    fill(readings.profiles, 'profiles');
    fill(readings.isByArrival, 'isByArrival');
    readings.values.set(columns.values, from * VALUE_WORDS);
    if (columns.received.length > 0) {
        readings.received.set(new Float64Array(columns.received.slice().buffer), from);
    } else {
        for (let row = from; row < from + count; row += 1) {
            readings.received[row] = hour * HOUR_MS + (readings.times[row] as number);
        }
    }
    messages.addPicked({ numbers: readings.messages.subarray(from, from + count), hashes: columns.hashes, names: names ?? [] });
    texts.addPicked({ numbers: readings.texts.subarray(from, from + count), texts: someTexts ?? [] });
    readings.count += count;
}

/** True if no reading has a time of arrival of its own. */
function areReceivedWhenMeasured({ count, received, times }: HourReadings, hour: number): boolean {
    for (let at = 0; at < count; at += 1) {
        if (received[at] !== hour * HOUR_MS + (times[at] as number)) {
            return false;
        }
    }
    return true;
}

/** The first value alone where all are the same. */
function shorten(words: Int32Array): Int32Array {
    const first = words[0];
    for (let at = 1; at < words.length; at += 1) {
        if (words[at] !== first) {
            return words;
        }
    }
    return words.subarray(0, 1);
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array {
    return new Uint8Array(buffer, byteOffset, byteLength);
}

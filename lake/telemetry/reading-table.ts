/** The readings of one source as they are met, in columns by the hour: no object is made of a reading. Repeats become one row at the end. */
import { NO_TEXT } from '#lake/typed-rows';
import { MessageNames } from './message-names.ts';
import type { Reading } from './reading.ts';

export const HOUR_MS = 3_600_000;

/** Words of 32 bits that a value has: whole numbers of 96 bits, the lowest word first. */
export const VALUE_WORDS = 3;

/** A device's metric at a site. */
export interface Series {
    site: string;
    device: string;
    metric: string;
}

/** The readings of one hour, in the order in which they came. */
export class HourReadings {
    count = 0;
    series = new Int32Array(FIRST_ROOM);
    /** Milliseconds since the hour began. */
    times = new Int32Array(FIRST_ROOM);
    received = new Float64Array(FIRST_ROOM);
    /** Units of 10^-9, `VALUE_WORDS` words each; 0 where the reading is a text. */
    values = new Int32Array(FIRST_ROOM * VALUE_WORDS);
    /** Numbers of texts, `NO_TEXT` where the reading is a number. */
    texts = new Int32Array(FIRST_ROOM);
    messages = new Int32Array(FIRST_ROOM);
    profiles = new Int32Array(FIRST_ROOM);
    /** 1 where the device's clock was not believed. */
    isByArrival = new Uint8Array(FIRST_ROOM);

    /** Makes room for one more. */
    grow(): void {
        const room = this.series.length * 2;
        this.series = grown(this.series, new Int32Array(room));
        this.times = grown(this.times, new Int32Array(room));
        this.received = grown(this.received, new Float64Array(room));
        this.values = grown(this.values, new Int32Array(room * VALUE_WORDS));
        this.texts = grown(this.texts, new Int32Array(room));
        this.messages = grown(this.messages, new Int32Array(room));
        this.profiles = grown(this.profiles, new Int32Array(room));
        this.isByArrival = grown(this.isByArrival, new Uint8Array(room));
    }
}

/** Room of an hour's columns at first: a source may have a few readings in each of very many hours. */
const FIRST_ROOM = 16;

function grown<T extends Int32Array | Float64Array | Uint8Array>(from: T, into: T): T {
    into.set(from);
    return into;
}

/** Texts, each once, by numbers from 0 on. */
class TextList {
    readonly texts: string[] = [];
    readonly #numbers = new Map<string, number>();

    numberOf(text: string): number {
        let number = this.#numbers.get(text);
        if (number === undefined) {
            number = this.texts.length;
            this.texts.push(text);
            this.#numbers.set(text, number);
        }
        return number;
    }
}

/** Values that are numbers below this are exact as doubles, so that their words need no bigint. */
const MAX_EXACT = 2 ** 53;
const WORD = 2 ** 32;

export class ReadingTable {
    readonly messages = new MessageNames();
    readonly profiles = new TextList();
    readonly texts = new TextList();
    readonly series: Series[] = [];
    /** Readings by their hour since 1970. */
    readonly hours = new Map<number, HourReadings>();
    /** All readings, and those whose device's clock was not believed. */
    readingCount = 0;
    byArrivalCount = 0;
    readonly #devices = new TextList();
    readonly #metrics = new TextList();
    readonly #sites = new TextList();
    /** Numbers of series by those of their metrics, for each device at each site. */
    readonly #seriesOf = new Map<number, Int32Array>();
    #lastHour = Number.NaN;
    #last = new HourReadings();

    get deviceCount(): number {
        return this.#devices.texts.length;
    }

    /** Series by metric of a device at a site: as `seriesNumber` takes it. */
    deviceNumber(site: string, device: string): number {
        return this.#sites.numberOf(site) * WORD + this.#devices.numberOf(device);
    }

    metricNumber(metric: string): number {
        return this.#metrics.numberOf(metric);
    }

    /** The number of a series, by those of `deviceNumber` and `metricNumber`. */
    seriesNumber(device: number, metric: number): number {
        let ofDevice = this.#seriesOf.get(device);
        if (ofDevice === undefined || metric >= ofDevice.length) {
            const larger = new Int32Array(Math.max(4, metric + 1)).fill(-1);
            larger.set(ofDevice ?? []);
            ofDevice = larger;
            this.#seriesOf.set(device, ofDevice);
        }
        let number = ofDevice[metric] as number;
        if (number < 0) {
            number = this.series.length;
            this.series.push({
                site: this.#sites.texts[Math.floor(device / WORD)] as string,
                device: this.#devices.texts[device % WORD] as string,
                metric: this.#metrics.texts[metric] as string,
            });
            ofDevice[metric] = number;
        }
        return number;
    }

    /** Adds a reading as the profile gives it. */
    add(reading: Reading, { site, profile }: { site: string; profile: string }): void {
        const { device, metric, atMs, receivedMs, units, text, message, clock } = reading;
        this.addRow({
            series: this.seriesNumber(this.deviceNumber(site, device), this.metricNumber(metric)),
            atMs,
            receivedMs,
            message: this.messages.add(message),
            profile: this.profiles.numberOf(profile),
            isByArrival: clock === 'arrival',
        });
        if (units !== undefined) {
            this.setUnits(units);
        } else {
            this.setText(this.texts.numberOf(text ?? ''));
        }
    }

    /** Adds a reading without its value, which is to be set next. */
    addRow(row: { series: number; atMs: number; receivedMs: number; message: number; profile: number; isByArrival: boolean }): void {
        this.addNumbers(row.series, row.atMs, row.receivedMs, row.message, row.profile, row.isByArrival ? 1 : 0);
    }

    /** As `addRow`, for the reader's inner loop. */
    addNumbers(series: number, atMs: number, receivedMs: number, message: number, profile: number, isByArrival: number): void {
        const hour = Math.floor(atMs / HOUR_MS);
        if (hour !== this.#lastHour) {
            this.#goToHour(hour);
        }
        const into = this.#last;
        const at = into.count;
        if (at === into.series.length) {
            into.grow();
        }
        into.series[at] = series;
        into.times[at] = atMs - hour * HOUR_MS;
        into.received[at] = receivedMs;
        into.texts[at] = NO_TEXT;
        into.messages[at] = message;
        into.profiles[at] = profile;
        into.isByArrival[at] = isByArrival;
        into.count = at + 1;
        this.readingCount += 1;
        this.byArrivalCount += isByArrival;
    }

    /** Sets the text of the reading that was added last, by its number in `texts`. */
    setText(text: number): void {
        this.#last.texts[this.#last.count - 1] = text;
    }

    /** Sets the value of the reading that was added last: a whole number of units below 2^53. */
    setExact(units: number): void {
        const { values, count } = this.#last;
        const at = (count - 1) * VALUE_WORDS;
        const high = Math.floor(units / WORD);
        values[at] = units;
        values[at + 1] = high;
        values[at + 2] = high < 0 ? -1 : 0;
    }

    /** Sets the value of the reading that was added last. */
    setUnits(units: bigint): void {
        if (units < MAX_EXACT && units > -MAX_EXACT) {
            this.setExact(Number(units));
            return;
        }
        const { values, count } = this.#last;
        for (let word = 0, rest = units; word < VALUE_WORDS; word += 1, rest >>= 32n) {
            values[(count - 1) * VALUE_WORDS + word] = Number(BigInt.asIntN(32, rest));
        }
    }

    #goToHour(hour: number): void {
        let readings = this.hours.get(hour);
        if (!readings) {
            readings = new HourReadings();
            this.hours.set(hour, readings);
        }
        this.#last = readings;
        this.#lastHour = hour;
    }
}

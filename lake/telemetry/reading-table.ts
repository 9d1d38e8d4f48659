/** The readings of one source as they are met, in columns by the hour: no object is made of a reading. Repeats become one row at the end. */
import { NO_TEXT } from '#lake/typed-rows';
import { MessageNames } from './message-names.ts';

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
    series: Int32Array;
    /** Milliseconds since the hour began. */
    times: Int32Array;
    received: Float64Array;
    /** Units of 10^-9, `VALUE_WORDS` words each; 0 where the reading is a text. */
    values: Int32Array;
    /** Numbers of texts, `NO_TEXT` where the reading is a number. */
    texts: Int32Array;
    messages: Int32Array;
    profiles: Int32Array;
    /** 1 where the device's clock was not believed. */
    isByArrival: Uint8Array;

    /** No readings, and room for some. */
    constructor(room = FIRST_ROOM) {
        this.series = new Int32Array(room);
        this.times = new Int32Array(room);
        this.received = new Float64Array(room);
        this.values = new Int32Array(room * VALUE_WORDS);
        this.texts = new Int32Array(room);
        this.messages = new Int32Array(room);
        this.profiles = new Int32Array(room);
        this.isByArrival = new Uint8Array(room);
    }

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
export class TextList {
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

    /** The texts that the numbers name, each once, and the number of each among them; `NO_TEXT` stays what it is. */
    pick(numbers: Int32Array): PickedTexts {
        const picked = new TextList();
        return {
            numbers: numbers.map((number) => (number < 0 ? number : picked.numberOf(this.texts[number] as string))),
            texts: picked.texts,
        };
    }

    /** Adds texts that were picked from another list, and changes their numbers in place to those that they have here. */
    addPicked({ numbers, texts }: PickedTexts): void {
        const numberHere = texts.map((text) => this.numberOf(text));
        for (let at = 0; at < numbers.length && texts.length > 0; at += 1) {
            const number = numbers[at] as number;
            numbers[at] = number < 0 ? number : (numberHere[number] as number);
        }
    }
}

interface PickedTexts {
    numbers: Int32Array;
    texts: readonly string[];
}

/** A device at a site: the numbers of its series, by those of their metrics; -1 where there is none yet. */
export interface DeviceSeries {
    site: string;
    device: string;
    numbers: Int32Array;
    /** The device that came behind it last: fleets mostly report in turn. */
    next: DeviceSeries | undefined;
}

/** Whole numbers below this are exact as doubles, so that their words need no bigint. */
const MAX_EXACT = 2 ** 53;
const WORD = 2 ** 32;
const UNITS_OF_ONE = 1e9;

export class ReadingTable {
    /** Identities of messages, and texts of readings: of the readings that are in `hours`. */
    messages = new MessageNames();
    texts = new TextList();
    readonly profiles = new TextList();
    readonly metrics = new TextList();
    readonly series: Series[] = [];
    /** Readings by their hour since 1970. */
    hours = new Map<number, HourReadings>();
    /** Readings that are in `hours`. */
    heldCount = 0;
    /** All readings that were added, and those whose device's clock was not believed. */
    readingCount = 0;
    byArrivalCount = 0;
    readonly #devices = new Map<string, Map<string, DeviceSeries>>();
    #lastDevice: DeviceSeries | undefined;
    /** Columns whose room hours to come may have: making room reading by reading takes a tenth of all time. */
    readonly #spare: HourReadings[] = [];
    #lastHour = Number.NaN;
    #last = new HourReadings();

    /** Distinct devices; one id at two sites is two. */
    get deviceCount(): number {
        return [...this.#devices.values()].reduce((sum, devices) => sum + devices.size, 0);
    }

    /** The series of a device. */
    device(site: string, device: string): DeviceSeries {
        const before = this.#lastDevice;
        const guess = before?.next;
        if (guess !== undefined && guess.device === device && guess.site === site) {
            this.#lastDevice = guess;
            return guess;
        }
        const found = this.#findDevice(site, device);
        if (before !== undefined) {
            before.next = found;
        }
        this.#lastDevice = found;
        return found;
    }

    #findDevice(site: string, device: string): DeviceSeries {
        let ofSite = this.#devices.get(site);
        if (!ofSite) {
            ofSite = new Map();
            this.#devices.set(site, ofSite);
        }
        let found = ofSite.get(device);
        if (!found) {
            found = { site, device, numbers: new Int32Array(FIRST_METRICS).fill(-1), next: undefined };
            ofSite.set(device, found);
        }
        return found;
    }

    /** Adds a reading without its value, which is to be set next. `metric`, `message` and `profile` are numbers of the lists above. */
    add(of: DeviceSeries, metric: number, atMs: number, receivedMs: number, message: number, profile: number, isByArrival: boolean): void {
        const hour = Math.floor(atMs / HOUR_MS);
        if (hour !== this.#lastHour) {
            this.#goToHour(hour);
        }
        const into = this.#last;
        const at = into.count;
        if (at === into.series.length) {
            into.grow();
        }
        const series = metric < of.numbers.length ? (of.numbers[metric] as number) : -1;
        into.series[at] = series >= 0 ? series : this.#addSeries(of, metric);
        into.times[at] = atMs - hour * HOUR_MS;
        into.received[at] = receivedMs;
        into.texts[at] = NO_TEXT;
        into.messages[at] = message;
        into.profiles[at] = profile;
        into.isByArrival[at] = isByArrival ? 1 : 0;
        into.count = at + 1;
        this.heldCount += 1;
        this.readingCount += 1;
        this.byArrivalCount += isByArrival ? 1 : 0;
    }

    /** Lets go of the readings, and keeps what is known of devices, metrics and profiles. */
    letGo(): void {
        for (const readings of this.hours.values()) {
            readings.count = 0;
            this.#spare.push(readings);
        }
        this.hours = new Map();
        this.messages = new MessageNames();
        this.texts = new TextList();
        this.heldCount = 0;
        this.#lastHour = Number.NaN;
    }

    /** Sets the text of the reading that was added last. */
    setText(text: string): void {
        const { texts, values, count } = this.#last;
        texts[count - 1] = this.texts.numberOf(text);
        values.fill(0, (count - 1) * VALUE_WORDS, count * VALUE_WORDS);
    }

    /** Sets the value of the reading that was added last: `whole + billionths / 10^9`, both safe integers of one sign. */
    setNumber(whole: number, billionths: number): void {
        const units = whole * UNITS_OF_ONE + billionths;
        if (units >= MAX_EXACT || units <= -MAX_EXACT) {
            this.setUnits(BigInt(whole) * BigInt(UNITS_OF_ONE) + BigInt(billionths));
            return;
        }
        const { values, count } = this.#last;
        const at = (count - 1) * VALUE_WORDS;
        const high = Math.floor(units / WORD);
        values[at] = units;
        values[at + 1] = high;
        values[at + 2] = high < 0 ? -1 : 0;
    }

    /** Sets the value of the reading that was added last, in units of 10^-9. */
    setUnits(units: bigint): void {
        const { values, count } = this.#last;
        for (let word = 0, rest = units; word < VALUE_WORDS; word += 1, rest >>= 32n) {
            values[(count - 1) * VALUE_WORDS + word] = Number(BigInt.asIntN(32, rest));
        }
    }

    #addSeries(of: DeviceSeries, metric: number): number {
        if (metric >= of.numbers.length) {
            const larger = new Int32Array(Math.max(of.numbers.length * 2, metric + 1)).fill(-1);
            larger.set(of.numbers);
            of.numbers = larger;
        }
        const { site, device } = of;
        of.numbers[metric] = this.series.length;
        this.series.push({ site, device, metric: this.metrics.texts[metric] as string });
        return this.series.length - 1;
    }

    #goToHour(hour: number): void {
        let readings = this.hours.get(hour);
        if (!readings) {
            readings = this.#spare.pop() ?? new HourReadings();
            this.hours.set(hour, readings);
        }
        this.#last = readings;
        this.#lastHour = hour;
    }
}

/** Metrics of a device that there is room for at first. */
const FIRST_METRICS = 8;

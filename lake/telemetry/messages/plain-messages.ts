/**
 * Plain messages of plain profiles, from their bytes straight into the table: no object is made of a reading, and no bigint of a number that is exact as a
 * double. Whatever is not plain is left to the profile, which comes to the same figures; a test compares both.
 */
import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { NOT_PLAIN, readWhole } from '#lake/flows/formats/plain-row';
import { PlainIso } from '#lake/flows/formats/plain-times';
import { FALSE, type Field, FieldTree, MAX_FIELDS, NUMBER, TEXT, TRUE } from '../profile/fields.ts';
import { JsonScanner, UnreadableError } from '../profile/json-scanner.ts';
import type { ReadingTable } from '../reading-table.ts';
import { COLUMN_DIGITS, type PlainMetric, type PlainPlan, type PlainTimeUnit } from './plain-plan.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** What is known of a message beside its payload. */
export interface PlainMessage {
    arrivedMs: number | undefined;
    topic: string | undefined;
    /** Device by its certificate. */
    device: string | undefined;
    site: string;
}

/** More devices than this are not known by heart: they are looked up by their text. */
const MAX_KNOWN_DEVICES = 1_000_000;
/** Ids of devices that are no work to check; others are left to the profile. */
const PLAIN_DEVICE = /^[A-Za-z0-9._:/-]{1,128}$/;
const MAX_DEVICE_BYTES = 128;
/** Texts that are short enough for every profile. */
const MAX_TEXT_BYTES = 1024;

const POWERS_OF_TEN = Array.from({ length: COLUMN_DIGITS + 1 }, (_, power) => 10 ** power);
/** Fifteen digits are always exact in a double. */
const MAX_DIGITS = 15;

export class PlainMessages {
    /** Fields of the last message that the profile does not name. */
    readonly unknownFields: readonly string[];
    readonly #plan: PlainPlan;
    readonly #table: ReadingTable;
    readonly #profile: number;
    readonly #tree = new FieldTree();
    readonly #scanner = new JsonScanner(this.#tree);
    readonly #device: Field;
    readonly #time: Field;
    readonly #fields: readonly Field[];
    readonly #metrics: readonly number[];
    readonly #iso = new PlainIso();
    readonly #devices = new Map<string, number>();
    #site: string | undefined;
    #viewOf: Buffer | undefined;
    #view: DataView = new DataView(new ArrayBuffer(0));
    /** What the metrics of the message at hand are: units of 10^-9, or the number of a text, or `NaN` where there is none. */
    readonly #values: Float64Array;

    constructor(plan: PlainPlan, { table, profile }: { table: ReadingTable; profile: string }) {
        this.#plan = plan;
        this.#table = table;
        this.#profile = table.profiles.numberOf(profile);
        this.#device = this.#tree.at(plan.device);
        this.#time = this.#tree.at(plan.time.keys);
        this.#fields = plan.metrics.map(({ keys }) => this.#tree.at(keys));
        this.#metrics = plan.metrics.map(({ name }) => table.metricNumber(name));
        this.#values = new Float64Array(plan.metrics.length);
        for (const path of plan.ignored) {
            this.#tree.ignore(path);
        }
        this.unknownFields = this.#scanner.unknown;
    }

    /** Takes the message whose payload these bytes are. @returns false where it is not plain: nothing of it was taken then */
    take(bytes: Buffer, start: number, end: number, message: PlainMessage): boolean {
        const payload = bytes.subarray(start, end);
        if (
            this.#tree.size > MAX_FIELDS ||
            (message.topic !== undefined && !this.#plan.fits(message.topic)) ||
            !isUtf8(payload) ||
            !this.#scan(bytes, start, end)
        ) {
            return false;
        }
        const atMs = this.#timeOf(bytes);
        const { arrivedMs } = message;
        const { earliestMs, aheadMs } = this.#plan;
        if (Number.isNaN(atMs) || atMs < earliestMs || atMs > LAST_MS || (arrivedMs !== undefined && atMs > arrivedMs + aheadMs)) {
            return false;
        }
        const device = this.#deviceOf(bytes, message);
        const count = this.#readValues(bytes);
        if (device < 0 || count <= 0) {
            return false;
        }
        this.#add(device, atMs, arrivedMs ?? atMs, this.#nameOf(payload));
        return true;
    }

    #scan(bytes: Buffer, start: number, end: number): boolean {
        try {
            this.#scanner.read(bytes, start, end);
            return true;
        } catch (error) {
            if (error instanceof UnreadableError) {
                return false;
            }
            throw error;
        }
    }

    #nameOf(payload: Uint8Array): number {
        const digits = hash('sha256', payload, 'hex');
        return this.#table.messages.addHash(Number.parseInt(digits.slice(0, 8), 16), Number.parseInt(digits.slice(8, 16), 16));
    }

    /** UTC epoch milliseconds; NaN where the message says none that is plain. */
    #timeOf(bytes: Buffer): number {
        const { scan, type, start, end } = this.#time;
        if (scan !== this.#scanner.scan) {
            return Number.NaN;
        }
        const { unit } = this.#plan.time;
        if (unit !== 'ISO') {
            return type === NUMBER ? epochOf(bytes, start, end, unit) : Number.NaN;
        }
        if (type !== TEXT) {
            return Number.NaN;
        }
        if (this.#viewOf !== bytes) {
            this.#viewOf = bytes;
            this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        }
        const microseconds = this.#iso.read(bytes, this.#view, start, end);
        return microseconds === NOT_PLAIN ? Number.NaN : Math.floor(microseconds / 1000);
    }

    /** The number of the device at the site, or -1. */
    #deviceOf(bytes: Buffer, { device: certified, site }: PlainMessage): number {
        const { scan, type, start, end } = this.#device;
        const isSaid = scan === this.#scanner.scan;
        if (isSaid ? type !== TEXT || end - start > MAX_DEVICE_BYTES : certified === undefined) {
            return -1;
        }
        const device = isSaid ? bytes.toString('latin1', start, end) : (certified ?? '');
        if (certified !== undefined && certified !== device) {
            return -1;
        }
        if (site !== this.#site || this.#devices.size > MAX_KNOWN_DEVICES) {
            this.#devices.clear();
            this.#site = site;
        }
        let number = this.#devices.get(device);
        if (number === undefined) {
            number = PLAIN_DEVICE.test(device) ? this.#table.deviceNumber(site, device) : -1;
            this.#devices.set(device, number);
        }
        return number;
    }

    /** Reads the metrics. @returns how many there are, or -1 where one is not plain */
    #readValues(bytes: Buffer): number {
        const { metrics } = this.#plan;
        const fields = this.#fields;
        const { scan } = this.#scanner;
        let count = 0;
        for (let metric = 0; metric < fields.length; metric += 1) {
            const field = fields[metric] as Field;
            if (field.scan !== scan) {
                this.#values[metric] = Number.NaN;
                continue;
            }
            const value = this.#valueOf(bytes, field, metrics[metric] as PlainMetric);
            if (Number.isNaN(value)) {
                return -1;
            }
            this.#values[metric] = value;
            count += 1;
        }
        return count;
    }

    #valueOf(bytes: Buffer, { type, start, end }: Field, { kind, digits, min, max, special }: PlainMetric): number {
        if (kind === 'number') {
            const units = type === NUMBER ? unitsOf(bytes, start, end, digits) : Number.NaN;
            return units >= min && units <= max && (special.length === 0 || !special.includes(units)) ? units : Number.NaN;
        }
        if (kind === 'yes/no') {
            return type === TRUE ? UNITS_OF_ONE : type === FALSE ? 0 : Number.NaN;
        }
        return type === TEXT && end - start <= MAX_TEXT_BYTES ? this.#table.texts.numberOf(bytes.toString('utf8', start, end)) : Number.NaN;
    }

    #add(device: number, atMs: number, receivedMs: number, message: number): void {
        const table = this.#table;
        const { metrics } = this.#plan;
        for (let metric = 0; metric < metrics.length; metric += 1) {
            const value = this.#values[metric] as number;
            if (Number.isNaN(value)) {
                continue;
            }
            table.addNumbers(table.seriesNumber(device, this.#metrics[metric] as number), atMs, receivedMs, message, this.#profile, 0);
            if ((metrics[metric] as PlainMetric).kind === 'text') {
                table.setText(value);
            } else {
                table.setExact(value);
            }
        }
    }
}

const UNITS_OF_ONE = 1e9;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A number in units of 10^-9, if it has no exponent, no more digits than are kept, and is exact as a double; else NaN. */
function unitsOf(bytes: Uint8Array, start: number, end: number, digits: number): number {
    const isNegative = bytes[start] === MINUS;
    let at = isNegative ? start + 1 : start;
    let value = 0;
    let fraction = 0;
    let isFraction = 0;
    if (end - at > MAX_DIGITS + 1) {
        return Number.NaN;
    }
    for (; at < end; at += 1) {
        const byte = bytes[at] as number;
        const digit = byte - ZERO;
        if (digit >= 0 && digit <= 9) {
            value = value * 10 + digit;
            fraction += isFraction;
        } else if (byte === POINT) {
            isFraction = 1;
        } else {
            return Number.NaN;
        }
    }
    if (fraction > digits) {
        // Zeros behind the last digit that is kept change nothing; others would be rounded.
        const cut = 10 ** (fraction - digits);
        if (value % cut !== 0) {
            return Number.NaN;
        }
        value /= cut;
        fraction = digits;
    }
    const units = value * (POWERS_OF_TEN[COLUMN_DIGITS - fraction] as number);
    return units > Number.MAX_SAFE_INTEGER ? Number.NaN : isNegative ? -units : units;
}

const MS_PER_SECOND = 1000;
const MS_DIGITS = 3;

/** Milliseconds of an epoch in plain digits, cut off; NaN for any other. */
function epochOf(bytes: Buffer, start: number, end: number, unit: Exclude<PlainTimeUnit, 'ISO'>): number {
    const point = bytes.indexOf(POINT, start);
    const wholeEnd = point >= 0 && point < end ? point : end;
    const whole = readWhole(bytes, start, wholeEnd);
    if (whole === NOT_PLAIN || (wholeEnd < end && unit !== 's')) {
        return Number.NaN;
    }
    if (unit !== 's') {
        return unit === 'ms' ? whole : Math.floor(whole / MS_PER_SECOND);
    }
    let milliseconds = whole * MS_PER_SECOND;
    for (let at = wholeEnd + 1, digit = 0; at < end; at += 1, digit += 1) {
        const value = (bytes[at] as number) - ZERO;
        if (value < 0 || value > 9) {
            return Number.NaN;
        }
        milliseconds += digit < MS_DIGITS ? value * (POWERS_OF_TEN[MS_DIGITS - 1 - digit] as number) : 0;
    }
    return milliseconds;
}

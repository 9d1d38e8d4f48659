/**
 * Table `metric_hours`: what the readings of one metric of one device come to in one hour. A row depends on the readings of its hour and on the
 * profile only, so that a late reading changes one hour and no other (rule R8 of docs/design.md, "Derived tables").
 */
import type { RulesOf, SortedReadings } from './sorted-readings.ts';

/** One metric of one device in one hour. Values are whole numbers in units of 10^-digits; of texts, and of a metric whose profile keeps no statistics, there are none. */
export interface MetricHour {
    site: string;
    device: string;
    metric: string;
    /** Hour of the day in UTC, 0 to 23. */
    hour: number;
    /** How many readings. */
    n: number;
    first_ms: number;
    last_ms: number;
    /** The longest time between two readings that follow each other; 0 where there is one reading. */
    longest_gap_ms: number;
    /** Readings that are further apart are a gap, by the profile. */
    gap_limit_ms: number;
    values: HourValues | undefined;
}

export interface HourValues {
    /** Digits behind the point: as many as the profile declares, or more where a value has more (it was read by rules of before). */
    digits: number;
    sum: bigint;
    /** Sum of the squares; undefined where it has more than 38 digits, which values of more than 16 digits can bring about. */
    sum_sq: bigint | undefined;
    min: bigint;
    max: bigint;
    first: bigint;
    last: bigint;
    /** The sum of value times milliseconds until the next reading, where that comes within the profile's limit for gaps. */
    area: bigint;
    /** The milliseconds that `area` covers. */
    area_ms: number;
}

/** Digits of the column `value`. */
const VALUE_DIGITS = 9;

/** The largest decimal(38,0). */
const MAX_DECIMAL = 10n ** 38n - 1n;

/** Every metric of every device in the hour, in the order of the readings; one at a time, for there may be very many. */
export function* metricHours(readings: SortedReadings, { hour, rulesOf }: { hour: number; rulesOf: RulesOf }): Generator<MetricHour> {
    const starts = startsOf(readings);
    for (let at = 0; at + 1 < starts.length; at += 1) {
        yield hourOf(readings, { start: starts[at] as number, end: starts[at + 1] as number, hour, rulesOf });
    }
}

/** The first reading of each metric of each device, and behind the last one the number of all readings. */
export function startsOf(readings: SortedReadings): Int32Array {
    const starts: number[] = [];
    for (let row = 0; row < readings.count; row += 1) {
        if (!readings.isSameSeries(row)) {
            starts.push(row);
        }
    }
    starts.push(readings.count);
    return Int32Array.from(starts);
}

interface Series {
    start: number;
    /** Exclusive. */
    end: number;
    hour: number;
    rulesOf: RulesOf;
}

function hourOf(readings: SortedReadings, series: Series): MetricHour {
    const { start, end, hour } = series;
    let longestGap = 0;
    for (let row = start + 1; row < end; row += 1) {
        longestGap = Math.max(longestGap, readings.atMsAt(row) - readings.atMsAt(row - 1));
    }
    const { digits, gapLimitMs } = settingsOf(readings, series);
    return {
        site: readings.siteAt(start),
        device: readings.deviceAt(start),
        metric: readings.metricAt(start),
        hour,
        n: end - start,
        first_ms: readings.atMsAt(start),
        last_ms: readings.atMsAt(end - 1),
        longest_gap_ms: longestGap,
        gap_limit_ms: gapLimitMs,
        values: valuesOf(readings, { start, end, digits, gapLimitMs }),
    };
}

interface Settings {
    /** Digits behind the point; undefined for a metric of which no figures are kept. */
    digits: number | undefined;
    gapLimitMs: number;
}

/** The figures of the readings that have a value; undefined where none has, or none are kept. */
function valuesOf(
    readings: SortedReadings,
    { start, end, digits, gapLimitMs }: Omit<Series, 'hour' | 'rulesOf'> & Settings,
): HourValues | undefined {
    if (digits === undefined) {
        return undefined;
    }
    const divisor = 10n ** BigInt(VALUE_DIGITS - digits);
    let values: HourValues | undefined;
    let sumSq = 0n;
    let lastMs = 0;
    for (let row = start; row < end; row += 1) {
        const units = readings.unitsAt(row);
        if (units === undefined) {
            continue;
        }
        const value = units / divisor;
        const atMs = readings.atMsAt(row);
        if (values === undefined) {
            values = { digits, sum: 0n, sum_sq: undefined, min: value, max: value, first: value, last: value, area: 0n, area_ms: 0 };
        } else if (atMs - lastMs <= gapLimitMs) {
            values.area += values.last * BigInt(atMs - lastMs);
            values.area_ms += atMs - lastMs;
        }
        values.sum += value;
        sumSq += value * value;
        values.min = value < values.min ? value : values.min;
        values.max = value > values.max ? value : values.max;
        values.last = value;
        lastMs = atMs;
    }
    if (values && sumSq <= MAX_DECIMAL) {
        values.sum_sq = sumSq;
    }
    return values;
}

/**
 * Digits and limit for gaps of a series. Where profiles took turns in the hour the larger number of digits counts and the shorter limit: neither
 * loses a digit, nor bridges a gap that one of them would not. More digits than they declare, from rules of before, are kept.
 */
function settingsOf(readings: SortedReadings, { start, end, rulesOf }: Series): Settings {
    const metric = readings.metricAt(start);
    let gapLimitMs = Number.POSITIVE_INFINITY;
    let digits: number | undefined;
    for (const profile of profilesOf(readings, start, end)) {
        const rules = rulesOf(profile);
        gapLimitMs = Math.min(gapLimitMs, rules?.gapLimitMs ?? 0);
        const declared = rules?.digitsOf(metric);
        digits = declared === undefined ? digits : Math.max(declared, digits ?? 0);
    }
    if (digits !== undefined) {
        let divisor = 10n ** BigInt(VALUE_DIGITS - digits);
        for (let row = start; row < end; row += 1) {
            const units = readings.unitsAt(row) ?? 0n;
            while (units % divisor !== 0n) {
                digits += 1;
                divisor /= 10n;
            }
        }
    }
    return { digits, gapLimitMs };
}

function profilesOf(readings: SortedReadings, start: number, end: number): Set<string> {
    const profiles = new Set<string>();
    for (let row = start; row < end; row += 1) {
        profiles.add(readings.profileAt(row));
    }
    return profiles;
}

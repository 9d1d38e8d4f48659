/**
 * What plain messages of a profile look like. A profile is plain where device, time and metrics stand at fixed paths and nothing else decides: no conditions,
 * no patterns, no arithmetic. What a message must be beside that, plain-messages.ts says.
 */
import { compare, floor, multiply, parseDecimal, powerOfTen, type Ratio, roundTo } from '../profile/decimal.ts';
import type { MetricWords, Num, PathWord, ProfileDocument, SourceWords, TimeChoice } from '../profile/document.ts';
import { parsePath, parseTopicPattern, type Segment } from '../profile/paths.ts';
import { clockLimits } from '../profile/time-choices.ts';
import { asList } from '../profile/tokens.ts';

export interface PlainPlan {
    /** Keys from the payload's root on. */
    device: readonly string[];
    time: { keys: readonly string[]; unit: PlainTimeUnit };
    metrics: readonly PlainMetric[];
    /** Paths whose fields are no unknown ones. */
    ignored: readonly (readonly Segment[])[];
    earliestMs: number;
    aheadMs: number;
    /** True for a topic that the profile takes. */
    fits(topic: string): boolean;
}

export type PlainTimeUnit = 'ISO' | 's' | 'ms' | 'us';

export interface PlainMetric {
    name: string;
    keys: readonly string[];
    kind: 'number' | 'text' | 'yes/no';
    /** Digits behind the point that are kept. */
    digits: number;
    /** Smallest and largest value that is no problem, in units of 10^-9. */
    min: number;
    max: number;
    /** Values that mean something else, or are doubted. */
    special: readonly number[];
}

/** Words that change nothing in how a message is read. */
const PLAIN_WORDS = new Set([
    ...['name', 'description', 'decoder', 'topics', 'device', 'time', 'retained', 'emptyMeans', 'metrics', 'ignore', 'clock'],
    ...['dueEvery', 'grace', 'gapLimit', 'alerts'],
]);

const PLAIN_METRIC_WORDS = new Set([
    ...['name', 'path', 'kind', 'unit', 'digits', 'statistics', 'min', 'max', 'sentinels', 'suspects', 'nullMeans', 'description'],
]);

/** The plan of a plain profile; undefined for any other. */
export function planOf(document: ProfileDocument): PlainPlan | undefined {
    const isPlain = Object.keys(document).every((word) => PLAIN_WORDS.has(word)) && (document.decoder ?? 'json') === 'json';
    const device = plainSource(document.device);
    const time = plainTime(document.time);
    const metrics = document.metrics.map(plainMetric);
    const ignored = (document.ignore ?? []).map(parsePath);
    if (!isPlain || !device || !time || !areAll(metrics)) {
        return undefined;
    }
    return { device, time, metrics, ignored, ...clockLimits(document), fits: topicsOf(document) };
}

function areAll<T>(values: readonly (T | undefined)[]): values is readonly T[] {
    return values.every((value) => value !== undefined);
}

/** Keys of a path without patterns. */
function keysOf(path: PathWord | undefined): readonly string[] | undefined {
    const keys = path === undefined ? [] : parsePath(path).map(({ literal }) => literal);
    return keys.length > 0 && areAll(keys) ? keys : undefined;
}

function plainSource(words: SourceWords | readonly SourceWords[]): readonly string[] | undefined {
    const [only, ...others] = asList(words);
    return others.length === 0 && only && Object.keys(only).join() === 'path' ? keysOf(only.path) : undefined;
}

/** The first choice, if it stands at a path; the others are for messages without it. */
function plainTime(words: TimeChoice | readonly TimeChoice[]): PlainPlan['time'] | undefined {
    const [first] = asList<TimeChoice>(words);
    if (first === undefined || first === 'arrival') {
        return undefined;
    }
    const { unit = 'ISO', path, ...others } = first;
    const keys = keysOf(path);
    return keys && unit !== 'ns' && Object.keys(others).length === 0 ? { keys, unit } : undefined;
}

function plainMetric(words: MetricWords): PlainMetric | undefined {
    const { name, path, kind = 'number', digits = 0, statistics = true, sentinels = [], suspects = [] } = words;
    const keys = keysOf(path);
    const isPlain = keys && !name.includes('{') && Object.keys(words).every((word) => PLAIN_METRIC_WORDS.has(word));
    if (!isPlain || (kind !== 'number' && sentinels.length > 0)) {
        return undefined;
    }
    const most = statistics ? Number(MAX_STATISTICS_UNITS * powerOfTen(COLUMN_DIGITS - digits)) : Number.MAX_SAFE_INTEGER;
    const special = [
        ...sentinels.flatMap(({ is }) => exactUnits(is) ?? []),
        ...suspects.flatMap(({ is }) => Number(roundTo(decimalOf(is), digits) * powerOfTen(COLUMN_DIGITS - digits))),
    ];
    const min = Math.max(boundOf(words.min, -1), -most);
    const max = Math.min(boundOf(words.max, 1), most);
    return { name, keys, kind, digits, min, max, special };
}

/** Digits behind the point that column `value` has. */
export const COLUMN_DIGITS = 9;

/** Whole numbers that statistics take: lake/telemetry/profile/values.ts has them too. */
const MAX_STATISTICS_UNITS = 10n ** 15n;

function decimalOf(number: Num): Ratio {
    return parseDecimal(String(number)) ?? { num: 0n, den: 1n };
}

/** The units of a number that has no more digits than the column; else nothing is equal to it. Texts are equal to no number. */
function exactUnits(number: Num): number | undefined {
    const value = parseDecimal(String(number));
    const units = value && roundTo(value, COLUMN_DIGITS);
    return value && units !== undefined && compare(value, { num: units, den: powerOfTen(COLUMN_DIGITS) }) === 0 ? Number(units) : undefined;
}

/** The last units inside of a bound: the smallest for side -1, the largest for side 1. */
function boundOf(bound: Num | undefined, side: -1 | 1): number {
    if (bound === undefined) {
        return side * Number.MAX_SAFE_INTEGER;
    }
    const units = multiply(decimalOf(bound), { num: powerOfTen(COLUMN_DIGITS), den: 1n });
    const last = side === 1 ? floor(units) : -floor({ num: -units.num, den: units.den });
    const most = BigInt(Number.MAX_SAFE_INTEGER);
    return Number(last > most ? most : last < -most ? -most : last);
}

/** Topics that were looked up once. */
const MAX_KNOWN_TOPICS = 100_000;

function topicsOf({ topics }: ProfileDocument): (topic: string) => boolean {
    if (topics === undefined) {
        return () => true;
    }
    const patterns = topics.map(parseTopicPattern);
    const known = new Map<string, boolean>();
    return (topic) => {
        let fits = known.get(topic);
        if (fits === undefined) {
            fits = patterns.some((pattern) => pattern.match(topic) !== undefined);
            if (known.size < MAX_KNOWN_TOPICS) {
                known.set(topic, fits);
            }
        }
        return fits;
    };
}

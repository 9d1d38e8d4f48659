/** Faults of a profile that its schema cannot see: names that nothing gives, zones and dates that do not exist, limits out of reach. */
import { UsageError } from '#lake/errors';
import type { Fault } from './check.ts';
import { compare, parseDecimal, powerOfTen } from './decimal.ts';
import type { MetricWords, ProfileDocument, TimeChoice, TimeWords } from './document.ts';
import { namesOf } from './metrics.ts';
import { capturesOf, namesIn, parsePath, parseTopicPattern } from './paths.ts';
import { openReader } from './reader.ts';
import { rulesOf } from './rules-of.ts';
import { asList } from './tokens.ts';
import { conversion, unitsLike } from './units.ts';
import { isZone } from './zones.ts';

export function faultsOfMeaning(document: ProfileDocument): Fault[] {
    const faults = [
        ...faultsOfTimes('time', document.time),
        ...document.metrics.flatMap((metric, index) => faultsOfMetric(metric, `metrics[${index}]`, document)),
        ...faultsOfNames(document),
        ...faultsOfAlerts(document),
    ];
    if (faults.length > 0) {
        return faults;
    }
    // What is left shows when the profile is made into functions.
    return [...faultsThrown('', () => openReader(document)), ...faultsThrown('alerts', () => rulesOf(document))];
}

function faultsThrown(path: string, make: () => unknown): Fault[] {
    try {
        make();
        return [];
    } catch (error) {
        if (error instanceof UsageError) {
            return [{ path, why: error.message }];
        }
        throw error;
    }
}

function faultsOfTimes(path: string, words: TimeChoice | readonly TimeChoice[]): Fault[] {
    const isList = Array.isArray(words);
    return asList<TimeChoice>(words as TimeChoice | readonly TimeChoice[]).flatMap((choice, index) => {
        const at = isList ? `${path}[${index}]` : path;
        return choice === 'arrival' ? [] : faultsOfTime(at, choice);
    });
}

function faultsOfTime(path: string, { unit = 'ISO', zone, format, epoch, ago }: TimeWords): Fault[] {
    const faults: Fault[] = [];
    const isText = unit === 'ISO';
    if (zone !== undefined && !isZone(zone)) {
        faults.push({
            path: `${path}.zone`,
            why: `is "${zone}", which is no zone of the IANA list: type one like "Europe/Madrid" or "UTC"`,
        });
    }
    if (!isText && (zone !== undefined || format !== undefined)) {
        faults.push({ path, why: `has a zone or format, which only texts have: its unit is "${unit}"; take one of them away` });
    }
    if (isText && (epoch !== undefined || ago === true)) {
        faults.push({ path, why: 'has "epoch" or "ago", which only numbers have: say the number\'s unit, "unit": "s"' });
    }
    if (format !== undefined && !/YY/.test(format)) {
        faults.push({ path: `${path}.format`, why: `is "${format}", which has no year: write one like "DD.MM.YYYY HH:mm:ss"` });
    }
    return faults;
}

/** Largest number, in units of 10^-digits, of which hourly figures are kept. */
const MOST_UNITS = 15;

function faultsOfMetric(metric: MetricWords, path: string, document: ProfileDocument): Fault[] {
    const { kind = 'number', digits = 0, statistics = true, min, max, unit, unitFrom } = metric;
    const faults: Fault[] = [];
    if (kind !== 'number') {
        for (const word of [
            'digits',
            'scale',
            'scalePower',
            'offset',
            'min',
            'max',
            'suspects',
            'unitFrom',
            'suffix',
            'decimalComma',
            'statistics',
        ] as const) {
            if (metric[word] !== undefined) {
                faults.push({ path, why: `has "${word}", which only numbers have: its kind is "${kind}"; take one of them away` });
            }
        }
    }
    if (metric.bit !== undefined && kind !== 'yes/no') {
        faults.push({ path, why: 'has "bit", which gives yes or no: add "kind": "yes/no"' });
    }
    const most = { num: powerOfTen(MOST_UNITS), den: powerOfTen(digits) };
    for (const [word, limit] of [
        ['min', min],
        ['max', max],
    ] as const) {
        const value = limit === undefined ? undefined : parseDecimal(String(limit));
        if (value !== undefined && statistics && compare({ num: value.num < 0n ? -value.num : value.num, den: value.den }, most) > 0) {
            faults.push({
                path: `${path}.${word}`,
                why: `is ${limit}, but with ${digits} digits behind the point hourly figures hold numbers up to 10^${MOST_UNITS - digits}: lower it, take fewer "digits", or say "statistics": false`,
            });
        }
    }
    if (min !== undefined && max !== undefined && compare(parseDecimal(String(min)) ?? ZERO, parseDecimal(String(max)) ?? ZERO) > 0) {
        faults.push({ path: `${path}.min`, why: `is ${min}, above max, ${max}: change them over` });
    }
    faults.push(...faultsOfUnits(metric, path));
    if (unit === 'as sent' && unitFrom === undefined && metric.from === undefined) {
        faults.push({ path: `${path}.unit`, why: 'is "as sent", but nothing says where the unit is sent: add "unitFrom"' });
    }
    if (metric.from !== undefined && asList(metric.from).some((source) => source.path !== undefined && capturesAnything(source.path))) {
        faults.push({ path: `${path}.from`, why: 'has a pattern of keys, which only "path" may have' });
    }
    if (metric.time !== undefined) {
        faults.push(...faultsOfTimes(`${path}.time`, metric.time));
    }
    const taken = namesOf(metric).find((name) => globalNames(document).includes(name));
    if (taken !== undefined) {
        faults.push({ path, why: `names {${taken}}, which is a name of the whole profile already: take another name` });
    }
    return faults;
}

const ZERO = { num: 0n, den: 1n };

function capturesAnything(path: string | readonly string[]): boolean {
    return parsePath(path).some((segment) => segment.literal === undefined);
}

/** Numbers whose unit is said must be convertible to the unit of the metric. */
function faultsOfUnits({ unit, unitFrom, from }: MetricWords, path: string): Fault[] {
    if (unit === 'as sent') {
        return [];
    }
    const sent = [
        ...Object.values(unitFrom?.units ?? {}).map((name) => ({ name, at: `${path}.unitFrom.units` })),
        ...(from === undefined ? [] : asList(from)).flatMap((source) =>
            source.unit === undefined ? [] : [{ name: source.unit, at: `${path}.from` }],
        ),
    ];
    return sent
        .filter(({ name }) => unit === undefined || conversion(name, unit) === undefined)
        .map(({ name, at }) => ({
            path: at,
            why:
                unit === undefined
                    ? `says the unit "${name}", but the metric has none to convert to: add "unit": "${name}"`
                    : `says the unit "${name}", which cannot be made "${unit}": ${unitsLike(unit).join(', ')} can`,
        }));
}

/** Names that all of a profile knows. */
function globalNames({ topics = [], each, let: given = {} }: ProfileDocument): string[] {
    return [
        ...topics.flatMap((topic) => parseTopicPattern(topic).captures),
        ...(each === undefined ? [] : asList(each)).flatMap((path) => capturesOf(parsePath(path))),
        ...Object.keys(given),
    ];
}

/** Faults of the names of metrics: unknown ones in braces, and one name for two kinds of values. */
function faultsOfNames(document: ProfileDocument): Fault[] {
    const faults: Fault[] = [];
    const known = globalNames(document);
    const firstOf = new Map<string, MetricWords>();
    for (const [index, metric] of document.metrics.entries()) {
        const path = `metrics[${index}]`;
        const names = [...known, ...namesOf(metric)];
        const unknown = namesIn(metric.name).find((name) => !names.includes(name));
        if (unknown !== undefined) {
            faults.push({
                path: `${path}.name`,
                why: `uses {${unknown}}, which nothing names: ${names.length === 0 ? 'no names are known here' : `known here are ${names.join(', ')}`}; capture it in the path or the topic, or add it to "let"`,
            });
        }
        if (metric.name.includes('{')) {
            continue;
        }
        const first = firstOf.get(metric.name);
        if (first === undefined) {
            firstOf.set(metric.name, metric);
            continue;
        }
        for (const word of ['kind', 'unit', 'digits'] as const) {
            if (metric.notReading === undefined && first.notReading === undefined && (metric[word] ?? '') !== (first[word] ?? '')) {
                faults.push({
                    path: `${path}.${word}`,
                    why: `is ${JSON.stringify(metric[word])}, but another metric "${metric.name}" has ${JSON.stringify(first[word])}: readings of one name must be of one kind`,
                });
            }
        }
    }
    return faults;
}

function faultsOfAlerts({ alerts = [], metrics }: ProfileDocument): Fault[] {
    const faults: Fault[] = [];
    const names = new Set<string>();
    for (const [index, alert] of alerts.entries()) {
        const path = `alerts[${index}]`;
        if (names.has(alert.rule)) {
            faults.push({ path: `${path}.rule`, why: `is "${alert.rule}", which another rule is called: give each a name of its own` });
        }
        names.add(alert.rule);
        const needsMetric = alert.above !== undefined || alert.below !== undefined || alert.missingFor !== undefined;
        if (needsMetric !== (alert.metric !== undefined)) {
            faults.push({
                path,
                why: needsMetric
                    ? `lacks "metric", the name of what it watches: type "metric": "${metrics[0]?.name}", for example`
                    : 'has "metric", which this kind of rule has not: take it away',
            });
        }
        const canHold = alert.above !== undefined || alert.below !== undefined || alert.outside !== undefined;
        if (alert.holdFor !== undefined && !canHold) {
            faults.push({ path: `${path}.holdFor`, why: 'must not stand in a rule about silence: the time stands in the rule already' });
        }
        const watched =
            alert.outside === undefined
                ? alert.metric === undefined
                    ? []
                    : [alert.metric]
                : [alert.outside.latitudeMetric ?? 'latitude', alert.outside.longitudeMetric ?? 'longitude'];
        for (const name of watched) {
            if (!metrics.some((metric) => metric.name === name || metric.name.includes('{'))) {
                faults.push({
                    path,
                    why: `watches "${name}", which is no metric of the profile: it has ${metrics.map((metric) => metric.name).join(', ')}`,
                });
            }
        }
    }
    return faults;
}

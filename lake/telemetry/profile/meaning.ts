/** Faults of a profile that its schema cannot see: names that nothing gives, zones and dates that do not exist, limits out of reach. */
import { UsageError } from '#lake/errors';
import type { Fault } from './check.ts';
import { compare, parseDecimal, powerOfTen } from './decimal.ts';
import type { BytesWords, MetricWords, PathWord, ProfileDocument, TimeChoice, TimeWords } from './document.ts';
import { namesOf } from './metrics.ts';
import { capturesOf, fillPath, namesIn, parsePath, parseTopicPattern, type Segment, showPath } from './paths.ts';
import { openReader } from './reader.ts';
import { rulesOf } from './rules-of.ts';
import { FILTERS } from './templates.ts';
import { compileTextTime, lettersOf } from './times.ts';
import { asList } from './tokens.ts';
import { conversion, unitsLike } from './units.ts';
import { isZone } from './zones.ts';

export function faultsOfMeaning(document: ProfileDocument): Fault[] {
    const faults = [
        ...faultsOfTimes('time', document.time),
        ...document.metrics.flatMap((metric, index) => faultsOfMetric(metric, `metrics[${index}]`, document)),
        ...faultsOfNames(document),
        ...faultsOfPlaces(document),
        ...faultsOfIgnored(document),
        ...faultsOfNumbers('', document),
        ...faultsOfAlerts(document),
        ...faultsOfWide(document),
    ];
    if (faults.length > 0) {
        return faults;
    }
    // What is left shows when the profile is made into functions.
    return [...faultsThrown('', () => openReader(document)), ...faultsThrown('alerts', () => rulesOf(document))];
}

/** A row of a wide table is a message that is one JSON object. */
function faultsOfWide({ wide, each, unpack, decoder = 'json' }: ProfileDocument): Fault[] {
    const word = each !== undefined ? 'each' : unpack !== undefined ? 'unpack' : decoder === 'json' ? undefined : 'decoder';
    const why = `is for messages that are one JSON object each, and the profile has "${word}": leave one of the two out`;
    return wide === true && word !== undefined ? [{ path: 'wide', why }] : [];
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
    if (epoch !== undefined && compileTextTime(undefined, undefined)(epoch, undefined) === undefined) {
        faults.push({ path: `${path}.epoch`, why: `is "${epoch}", no date: type one like "2000-01-01"` });
    }
    const letters = format === undefined ? [] : lettersOf(format);
    const parts = letters.map((group) => PART_OF_LETTERS[group] ?? group);
    const twice = letters.find((_, at) => parts.indexOf(parts[at] ?? '') < at);
    if (twice !== undefined) {
        faults.push({
            path: `${path}.format`,
            why: `is "${format}", in which "${twice}" says once more what stands before: take one of them away`,
        });
    }
    if (letters.includes('hh') !== letters.includes('A')) {
        faults.push({
            path: `${path}.format`,
            why: `is "${format}": "hh", the hours of a clock of twelve, and "A", AM or PM, stand together; the hours of a day are "HH"`,
        });
    }
    if (format !== undefined && !/YY/.test(format)) {
        faults.push({ path: `${path}.format`, why: `is "${format}", which has no year: write one like "DD.MM.YYYY HH:mm:ss"` });
    }
    return faults;
}

/** Letters of a form that say the part of a date that others say too. */
const PART_OF_LETTERS: Readonly<Record<string, string>> = { YY: 'YYYY', MMM: 'MM', hh: 'HH' };

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

/** One name for two kinds of values. */
function faultsOfNames(document: ProfileDocument): Fault[] {
    const faults: Fault[] = [];
    const firstOf = new Map<string, MetricWords>();
    for (const [index, metric] of document.metrics.entries()) {
        const path = `metrics[${index}]`;
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

/** Words that are read for every message: no pattern has captured anything for them. */
const OF_EVERY_MESSAGE = ['device', 'time', 'identity', 'let', 'notReadings'] as const;

/** Faults of paths, texts and topics wherever they stand. */
function faultsOfPlaces(document: ProfileDocument): Fault[] {
    const global = globalNames(document);
    const faults: Fault[] = OF_EVERY_MESSAGE.flatMap((word) => faultsOfPlace(word, document[word], { captured: [], known: global }));
    // Asked while the payload is taken apart: only its topic is known by then.
    const ofTopics = (document.topics ?? []).flatMap((topic) => parseTopicPattern(topic).captures);
    faults.push(...faultsOfPlace('unpack', document.unpack, { captured: [], known: ofTopics }));
    for (const [index, { path, only }] of (document.unpack ?? []).entries()) {
        const same = (document.unpack ?? []).slice(0, index).find((other) => showKeys(other.path) === showKeys(path));
        if (same && (same.only === undefined || only === undefined)) {
            faults.push({
                path: `unpack[${index}].path`,
                why: `is ${JSON.stringify(path)}, which stands before it already: say in "only" of both when which one holds`,
            });
        }
    }
    for (const [index, { path, ...words }] of document.metrics.entries()) {
        const captured = path === undefined ? [] : capturesOf(parsePath(path));
        faults.push(
            ...faultsOfPlace(`metrics[${index}]`, words, { captured, known: [...global, ...namesOf({ path, ...words } as MetricWords)] }),
        );
        if (path !== undefined && parsePath(path).some(({ isEveryElement }) => isEveryElement)) {
            faults.push({
                path: `metrics[${index}].path`,
                why: `is ${JSON.stringify(path)}, but [] may stand in "each" only: name the index, as in values.{i}`,
            });
        }
        faults.push(...faultsOfBraces(`metrics[${index}].path`, path));
    }
    for (const [index, path] of (document.each === undefined ? [] : asList(document.each)).entries()) {
        const segments = parsePath(path);
        if (segments.slice(0, -1).some(({ isEveryElement }) => isEveryElement)) {
            faults.push({
                path: `each[${index}]`,
                why: `is "${path}", but [] may stand at the end only: name the index before it, as in a.{i}.b[]`,
            });
        }
        faults.push(...faultsOfBraces(`each[${index}]`, path));
    }
    return [...faults, ...(document.topics ?? []).flatMap((topic, index) => faultsOfBraces(`topics[${index}]`, topic))];
}

/** A path, however it is written. */
function showKeys(path: PathWord): string {
    return showPath(fillPath(path, new Map()));
}

/** Patterns of metrics of which nothing is ever read, because each field that fits is left alone. A plain path is read all the same. */
function faultsOfIgnored({ metrics, ignore = [] }: ProfileDocument): Fault[] {
    return metrics.flatMap(({ path }, index) => {
        const ignored = path !== undefined && capturesAnything(path) && ignore.find((word) => coversAll(parsePath(word), parsePath(path)));
        return ignored === undefined || ignored === false
            ? []
            : [
                  {
                      path: `metrics[${index}].path`,
                      why: `is ${JSON.stringify(path)}, of which nothing is read, because "ignore" has ${JSON.stringify(ignored)}: name there the other fields only`,
                  },
              ];
    });
}

/** True if each field that fits the path is, or lies within, one that fits the cover. */
function coversAll(cover: readonly Segment[], path: readonly Segment[]): boolean {
    return (
        cover.length <= path.length &&
        cover.every(({ literal, expression }, at) => {
            const key = path[at];
            if (key?.literal === undefined || literal !== undefined) {
                return literal === undefined ? isAnyKey(expression) : literal === key?.literal;
            }
            return expression?.test(key.literal) === true;
        })
    );
}

function isAnyKey(expression: RegExp | undefined): boolean {
    return expression !== undefined && /^\^(?:\.\*|\(\?<\w+>\.\*\))\$$/.test(expression.source);
}

/** Braces that stand for nothing, because they hold no name. */
function faultsOfBraces(path: string, text: string | readonly string[] | undefined): Fault[] {
    const rest = (text === undefined ? [] : asList(text)).map((part) => part.replace(/\{[A-Za-z][A-Za-z0-9_]*#?\}/g, '')).join('');
    return /[{}]/.test(rest)
        ? [{ path, why: `is ${JSON.stringify(text)}, in which braces hold no name: write {name}, with letters, digits and _` }]
        : [];
}

interface Names {
    captured: readonly string[];
    known: readonly string[];
}

/** Walks through words of any kind, and looks at each path, text and number of bytes in them. */
function faultsOfPlace(at: string, words: unknown, names: Names): Fault[] {
    if (Array.isArray(words)) {
        return words.flatMap((word, index) => faultsOfPlace(`${at}[${index}]`, word, names));
    }
    if (typeof words !== 'object' || words === null) {
        return [];
    }
    return Object.entries(words).flatMap(([word, value]) => {
        const path = `${at}.${word}`;
        if ((word === 'path' || word === 'show') && (typeof value === 'string' || Array.isArray(value))) {
            return faultsOfPath(path, value, names);
        }
        if ((word === 'text' || word === 'name') && typeof value === 'string') {
            const unknown = namesIn(value).find((name) => !names.known.includes(name));
            return unknown === undefined
                ? faultsOfFilters(path, value)
                : [
                      {
                          path,
                          why: `is "${value}", but nothing names {${unknown}}: ${knownOf(names.known)}; capture it in the path or the topic, or add it to "let"`,
                      },
                  ];
        }
        if (word === 'bytes') {
            return faultsOfBytes(path, value as BytesWords);
        }
        return word === 'map' || word === 'words' || word === 'units' ? [] : faultsOfPlace(path, value, names);
    });
}

/** What stands behind the colon in `{name:lower}`. */
function faultsOfFilters(path: string, text: string): Fault[] {
    const unknown = [...text.matchAll(/\{\w+:([^}]*)\}/g)]
        .map(([, filter = '']) => filter)
        .find((filter) => !Object.hasOwn(FILTERS, filter));
    return unknown === undefined
        ? faultsOfBraces(path, text.replace(/:[a-z]+\}/g, '}'))
        : [{ path, why: `is "${text}", which changes a text by ":${unknown}": known are ${Object.keys(FILTERS).join(', ')}` }];
}

function faultsOfPath(path: string, value: string | readonly string[], { captured, known }: Names): Fault[] {
    const unknown = parsePath(value).find(
        (segment) =>
            segment.literal === undefined && (segment.captures.length === 0 || segment.captures.some((name) => !captured.includes(name))),
    );
    return unknown === undefined
        ? faultsOfBraces(path, value)
        : [
              {
                  path,
                  why: `is ${JSON.stringify(value)}, in which ${unknown.isEveryElement ? '[]' : unknown.captures.length === 0 ? '*' : `{${unknown.captures.join('}, {')}}`} stands for no key that is known here: only names that the metric's own "path" captures may stand in another path${unknown.captures.some((name) => known.includes(name)) ? ', not those of "each": leave "each" out, and let one pattern go all the way, as in a.{i}.b.{n}.value' : ''}`,
              },
          ];
}

function knownOf(names: readonly string[]): string {
    return names.length === 0 ? 'no names are known here' : `known here are ${names.join(', ')}`;
}

function faultsOfBytes(path: string, { encoding, at = 0, as, length, swap, bits }: BytesWords): Fault[] {
    const faults: Fault[] = [];
    if (encoding === 'number' && at !== 0) {
        faults.push({
            path: `${path}.at`,
            why: `is ${at}, but a number has no bytes beside its own: leave it out, and take "bits" for a part`,
        });
    }
    if (swap === true && (length < 4 || length % 2 !== 0)) {
        faults.push({ path: `${path}.swap`, why: `changes words of 16 bits over, but ${length} bytes are no two of them: take it away` });
    }
    if (as === 'float' && length !== 4 && length !== 8) {
        faults.push({ path: `${path}.length`, why: `is ${length}, but a float has 4 or 8 bytes` });
    }
    const [low = 0, count = 0] = bits ?? [];
    if (bits !== undefined && (as === 'float' || low + count > 8 * length)) {
        faults.push({
            path: `${path}.bits`,
            why:
                as === 'float'
                    ? 'must not stand beside "as": "float"'
                    : `are ${low} to ${low + count - 1}, but ${length} bytes have ${8 * length}`,
        });
    }
    return faults;
}

const MAX_DIGITS = 15;

/** Numbers with more digits than JavaScript keeps: what stands in the file is not what was read. */
function faultsOfNumbers(at: string, words: unknown): Fault[] {
    if (typeof words === 'number') {
        return Number(words.toPrecision(MAX_DIGITS)) === words
            ? []
            : [{ path: at, why: `is ${words}, a number of more than ${MAX_DIGITS} digits: put it in quotes, so that none is lost` }];
    }
    if (typeof words !== 'object' || words === null) {
        return [];
    }
    const isList = Array.isArray(words);
    return Object.entries(words).flatMap(([word, value]) =>
        faultsOfNumbers(isList ? `${at}[${word}]` : at === '' ? word : `${at}.${word}`, value),
    );
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

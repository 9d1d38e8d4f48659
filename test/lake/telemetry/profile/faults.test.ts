/** Whoever writes a profile is told each of its faults: where it is, what is wrong, and what to type. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { PRESETS } from '#lake/telemetry/presets';
import { PROFILE_SCHEMA } from '#lake/telemetry/profile/check';
import { faultsOf, parseProfile } from '#lake/telemetry/profile/profile';
import { metricOf, profileOf } from '#test/support/read-messages';

const metrics = (words: object) => ({ metrics: [JSON.parse(JSON.stringify(metricOf(words)))] });
const alert = (words: object) => ({ alerts: [{ rule: 'r', severity: 'info', message: 'm', ...words }] });

test.each<[object, string, RegExp]>([
    [{ name: 'Cold Room' }, 'name', /"Cold Room", which has not the right form.*type "cold-room"/],
    [{ metric: [] }, '', /"metric", which is no word of the language here: did you mean "metrics"\?/],
    [{ metrics: [] }, 'metrics', /must NOT have fewer than 1 items.*type \[/],
    [metrics({ digits: undefined }), 'metrics[0]', /lacks "digits".*type "digits": 2/],
    [metrics({ digits: 12 }), 'metrics[0].digits', /is 12, but must be <= 9/],
    [metrics({ digits: 1.5 }), 'metrics[0].digits', /is 1.5, but must be a whole number/],
    [metrics({ path: undefined }), 'metrics[0]', /lacks one of "path", "from": type "path"/],
    [metrics({ from: { path: 'x' } }), 'metrics[0]', /has "path" and "from", of which only one may stand/],
    [metrics({ kind: 'bool' }), 'metrics[0].kind', /is "bool", but must be "number", "text", "yes\/no"/],
    [metrics({ kind: 'text' }), 'metrics[0]', /has "digits", which only numbers have/],
    [metrics({ bit: 3 }), 'metrics[0]', /"bit", which gives yes or no: add "kind": "yes\/no"/],
    [metrics({ min: 'abc' }), 'metrics[0].min', /"abc", which has not the right form/],
    [metrics({ min: 2, max: 1 }), 'metrics[0].min', /is 2, above max, 1/],
    [
        metrics({ digits: 3, max: 10_000_000_000_000 }),
        'metrics[0].max',
        /numbers up to 10\^12: lower it, take fewer "digits", or say "statistics": false/,
    ],
    [
        { ...metrics({}), time: { path: 't', format: 'DD.MM.YYYY hh:mm' } },
        'time.format',
        /"hh", the hours of a clock of twelve, and "A", AM or PM, stand together/,
    ],
    [{ ...metrics({}), time: { path: 't', format: 'DD.MM.YYYY HH:mm A' } }, 'time.format', /stand together; the hours of a day are "HH"/],
    [{ ...metrics({}), time: { path: 't', format: 'DD.MM.YYYY MMM' } }, 'time.format', /in which "MMM" says once more what stands before/],
    [{ ...metrics({}), time: { path: 't', format: 'YYYY YYYY' } }, 'time.format', /in which "YYYY" says once more/],
    [metrics({ scale: 1.2345678901234567 }), 'metrics[0].scale', /more than 15 digits: put it in quotes/],
    [
        metrics({ unit: 'Cel', unitFrom: { path: 'u', units: { F: 'degF' } } }),
        'metrics[0].unitFrom.units',
        /"degF", which cannot be made "Cel": Cel, K, \[degF\], \[degR\] can/,
    ],
    [
        metrics({ unitFrom: { path: 'u', units: { F: '[degF]' } } }),
        'metrics[0].unitFrom.units',
        /the metric has none to convert to: add "unit"/,
    ],
    [metrics({ unit: 'as sent' }), 'metrics[0].unit', /nothing says where the unit is sent: add "unitFrom"/],
    [metrics({ unless: { path: 'x', is: 1 } }), 'metrics[0].unless', /lacks "why"/],
    [metrics({ only: { path: 'x' } }), 'metrics[0].only', /lacks one of "is", "isNot", "present"/],
    [metrics({ sentinels: [255] }), 'metrics[0].sentinels[0]', /is 255, but must be an object.*type \{"is":255/],
    [metrics({ name: '{n}' }), 'metrics[0].name', /nothing names \{n\}: no names are known here/],
    [metrics({ name: '{n:loud}', path: '{n}' }), 'metrics[0].name', /":loud": known are lower, upper, snake, dots/],
    [metrics({ path: 'a[]' }), 'metrics[0].path', /\[\] may stand in "each" only/],
    [metrics({ path: 'a.{n' }), 'metrics[0].path', /braces hold no name/],
    [{ ...metrics({ path: 'a.{n}.v' }), ignore: ['x', 'a.*'] }, 'metrics[0].path', /nothing is read, because "ignore" has "a\.\*"/],
    [{ ...metrics({ path: 'a.{n}.v' }), ignore: ['a'] }, 'metrics[0].path', /nothing is read, because "ignore" has "a": name there/],
    [{ ...metrics({ path: 'a.{n}.v' }), ignore: ['{any}.*.v'] }, 'metrics[0].path', /nothing is read/],
    [
        metrics({ name: '{n}', path: '{n}', only: { path: '{m}', is: 1 } }),
        'metrics[0].only.path',
        /\{m\} stands for no key that is known here[^,]*$/,
    ],
    [
        { each: 'a.{m}.b[]', ...metrics({ let: { kind: { path: 'a.{m}.kind', outer: true } } }) },
        'metrics[0].let.kind.path',
        /\{m\} stands for no key .*, not those of "each": leave "each" out/,
    ],
    [metrics({ path: undefined, from: { path: 'a.{n}' } }), 'metrics[0].from', /a pattern of keys, which only "path" may have/],
    [
        metrics({ path: undefined, from: { path: 'a', bytes: { encoding: 'hex', at: 0, length: 3, as: 'float' } } }),
        'metrics[0].from.bytes.length',
        /a float has 4 or 8 bytes/,
    ],
    [
        metrics({ path: undefined, from: { path: 'a', bytes: { encoding: 'number', at: 2, length: 2, as: 'signed' } } }),
        'metrics[0].from.bytes.at',
        /is 2, but a number has no bytes beside its own: leave it out/,
    ],
    ...[2, 3, 5].map((length): [object, string, RegExp] => [
        metrics({ path: undefined, from: { path: 'a', bytes: { encoding: 'registers', length, as: 'signed', swap: true } } }),
        'metrics[0].from.bytes.swap',
        /bytes are no two of them: take it away/,
    ]),
    [
        {
            ...metrics({}),
            unpack: [
                { path: 'a.b', as: 'json' },
                { path: ['a', 'b'], as: 'form', only: { path: 'c', is: 1 } },
            ],
        },
        'unpack[1].path',
        /stands before it already: say in "only" of both when which one holds/,
    ],
    [{ ...metrics({}), unpack: [{ path: 'a', as: 'json', only: { path: 'b' } }] }, 'unpack[0].only', /lacks one of "is"/],
    [
        { ...metrics({}), let: { n: { path: 'n' } }, unpack: [{ path: 'a', as: 'json', only: { text: '{n}', is: 'x' } }] },
        'unpack[0].only.text',
        /nothing names \{n\}: no names are known here/,
    ],
    [
        metrics({ path: undefined, from: { path: 'a', bytes: { encoding: 'hex', at: 0, length: 1, as: 'signed', bits: [4, 5] } } }),
        'metrics[0].from.bytes.bits',
        /4 to 8, but 1 bytes have 8/,
    ],
    [
        { metrics: [metricOf(), metricOf({ path: 'u', digits: 1 })] },
        'metrics[1].digits',
        /another metric "t" has 2: readings of one name must be of one kind/,
    ],
    [{ device: 'deviceId' }, 'device', /is "deviceId", but must be an object.*type \{"path":"deviceId"\}/],
    [{ device: {} }, 'device', /lacks one of "path", "header", "from", "text"/],
    [{ device: [{ path: 'a', header: 'b' }] }, 'device[0]', /has "path" and "header", of which only one may stand/],
    [{ device: { path: '{x}' } }, 'device.path', /\{x\} stands for no key/],
    [{ device: { path: '*' } }, 'device.path', /\* stands for no key/],
    [{ device: { text: '{x}' } }, 'device.text', /nothing names \{x\}/],
    [{ time: 'ts' }, 'time', /is "ts", but must be "arrival"/],
    [{ time: { path: 'ts', unit: 'seconds' } }, 'time.unit', /"seconds", but must be "s", "ms", "us", "ns", "ISO"/],
    [{ time: [{ path: 'ts', zone: 'Madrid' }] }, 'time[0].zone', /no zone of the IANA list: type one like "Europe\/Madrid"/],
    [{ time: { path: 'ts', unit: 's', zone: 'Europe/Madrid' } }, 'time', /has a zone or format, which only texts have/],
    [{ time: { path: 'ts', format: 'HH:mm' } }, 'time.format', /has no year/],
    [{ time: { path: 'ts', unit: 's', epoch: '2000-13-01' } }, 'time.epoch', /no date/],
    [{ time: { path: 'ts', ago: true } }, 'time', /"epoch" or "ago", which only numbers have/],
    [{ dueEvery: '15 minutes' }, 'dueEvery', /type "15m"/],
    [{ clock: { earliest: '2010-13-01' } }, '', /clock.earliest is "2010-13-01", no date/],
    [{ topics: ['a/{x'] }, 'topics[0]', /braces hold no name/],
    [{ each: 'a[].b[]' }, 'each[0]', /\[\] may stand at the end only/],
    [{ let: { '1x': { path: 'a' } } }, 'let', /a name begins with a letter/],
    [
        { ...metrics({ path: '{n}', name: '{n}' }), let: { n: { path: 'a' } } },
        'metrics[0]',
        /\{n\}, which is a name of the whole profile already/,
    ],
    [{ notReadings: [{ path: 'x', is: 1 }] }, 'notReadings[0]', /lacks "why"/],
    [alert({ severity: 'bad', silentFor: '1h' }), 'alerts[0].severity', /"bad", but must be "info", "warning", "critical"/],
    [alert({}), 'alerts[0]', /lacks one of "above", "below", "missingFor", "silentFor", "outside"/],
    [alert({ above: { raise: 2, clear: 1 } }), 'alerts[0]', /lacks "metric"/],
    [alert({ metric: 'q', above: { raise: 2, clear: 1 } }), 'alerts[0]', /watches "q", which is no metric of the profile: it has t/],
    [alert({ metric: 't', above: { raise: 1, clear: 2 } }), 'alerts', /cleared at 2.000000000, which is beyond it/],
    [alert({ metric: 't', below: { raise: 2, clear: 1 } }), 'alerts', /beyond it/],
    [alert({ silentFor: '1h', holdFor: '1m' }), 'alerts[0].holdFor', /must not stand in a rule about silence/],
    [{ alerts: [...alert({ silentFor: '1h' }).alerts, ...alert({ silentFor: '2h' }).alerts] }, 'alerts[1].rule', /another rule is called/],
])('%j', (words, path, why) => {
    const faults = faultsOf(profileOf(words));
    expect(faults).toContainEqual({ path, why: expect.stringMatching(why) });
    expect(() => parseProfile(profileOf(words))).toThrow(faults[0]?.why);
});

test.each([null, 1, 'x', [], {}])('%j is no profile', (document) => {
    expect(faultsOf(document).length).toBeGreaterThan(0);
    expect(() => parseProfile(document)).toThrow(/^The profile has /);
});

test('all faults are told at once', () => {
    expect(() => parseProfile({ name: 'x', metrics: [{ name: 't', path: 't' }, { nam: 'u' }] })).toThrow(
        /^The profile "x" has \d faults:\n {2}the profile lacks "device".*\n {2}the profile lacks "time".*\n[\s\S]*metrics\[1\] has "nam".*did you mean "name"\?/,
    );
});

describe('the rules', () => {
    const { rules, factsOf } = parseProfile(
        profileOf({
            metrics: [
                metricOf({ unit: 'Cel' }),
                { name: 'state', path: 'state', kind: 'text' },
                { name: 'on', path: 'on', kind: 'yes/no' },
                { name: 'big', path: 'big', digits: 0, statistics: false },
                { name: '{n}.x', path: 'a.{n}.x', digits: 1 },
                { name: '{n}.{m}', path: 'b.{n}.{m}', digits: 3 },
                { name: 'latitude', path: 'lat', digits: 7 },
                { name: 'longitude', path: 'lon', digits: 7 },
            ],
            dueEvery: '15m',
            grace: '90s',
            gapLimit: '2h',
            alerts: [
                { rule: 'warm', severity: 'warning', message: 'too warm', metric: 't', above: { raise: 8.5, clear: '6' }, holdFor: '10m' },
                { rule: 'cold', severity: 'critical', message: 'too cold', metric: 't', below: { raise: -1, clear: 0 } },
                { rule: 'gone', severity: 'info', message: 'silent', silentFor: '1d' },
                { rule: 'no-x', severity: 'info', message: 'no state', metric: 'state', missingFor: '6h' },
                {
                    rule: 'away',
                    severity: 'info',
                    message: 'away',
                    outside: { latitude: 40.4167, longitude: '-3.7033', radiusM: 500, backM: 400 },
                    holdFor: '1m',
                },
            ],
        }),
    );

    test('have digits of numbers and of yes and no, of names from patterns too, the most of those that fit', () => {
        expect(['t', 'state', 'on', 'big', 'q.x', 'q.y', 'unknown', 'latitude'].map(rules.digitsOf)).toEqual([
            2,
            undefined,
            0,
            undefined,
            3,
            3,
            undefined,
            7,
        ]);
        expect(factsOf('t')).toEqual({ kind: 'number', unit: 'Cel', digits: 2 });
    });

    test('have spans in milliseconds', () => {
        expect(rules).toMatchObject({ dueEveryMs: 900_000, graceMs: 90_000, gapLimitMs: 7_200_000 });
        expect(parseProfile(profileOf()).rules).toMatchObject({ dueEveryMs: undefined, graceMs: 0, gapLimitMs: 3_600_000, alerts: [] });
    });

    test('have alerts in units of 10^-9', () => {
        expect(rules.alerts).toEqual([
            {
                is: 'threshold',
                rule: 'warm',
                severity: 'warning',
                message: 'too warm',
                metric: 't',
                side: 'above',
                raise: 8_500_000_000n,
                clear: 6_000_000_000n,
                holdForMs: 600_000,
            },
            {
                is: 'threshold',
                rule: 'cold',
                severity: 'critical',
                message: 'too cold',
                metric: 't',
                side: 'below',
                raise: -1_000_000_000n,
                clear: 0n,
                holdForMs: 0,
            },
            { is: 'silent', rule: 'gone', severity: 'info', message: 'silent', afterMs: 86_400_000 },
            { is: 'missing', rule: 'no-x', severity: 'info', message: 'no state', metric: 'state', afterMs: 21_600_000 },
            {
                is: 'fence',
                rule: 'away',
                severity: 'info',
                message: 'away',
                latitude: 'latitude',
                longitude: 'longitude',
                latitudeUnits: 40_416_700_000n,
                longitudeUnits: -3_703_300_000n,
                radiusM: 500,
                backM: 400,
                holdForMs: 60_000,
            },
        ]);
    });
});

test('every word of the schema is described, and every example of it is allowed', () => {
    const words: [string, any][] = [];
    const walk = (at: string, schema: any) => {
        for (const [word, property] of Object.entries<any>(schema?.properties ?? {})) {
            words.push([`${at}.${word}`, property]);
        }
        for (const [key, inner] of Object.entries<any>(schema ?? {})) {
            if (key !== 'if' && typeof inner === 'object' && inner !== null) {
                walk(/^\d+$|properties|items/.test(key) ? at : `${at}.${key}`, inner);
            }
        }
    };
    walk('', PROFILE_SCHEMA);
    const { $defs } = PROFILE_SCHEMA as { $defs: Record<string, { description?: string }> };
    const undescribed = words.filter(
        ([, { description, $ref }]) => description === undefined && $defs[$ref?.replace('#/$defs/', '')]?.description === undefined,
    );
    expect(undescribed.map(([word]) => word)).toEqual([]);
    expect(words.length).toBeGreaterThan(100);
});

test('the schema’s file is what the program checks by', () => {
    const file = readFileSync(new URL('../../../../lake/telemetry/profile/profile.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(file)).toEqual(PROFILE_SCHEMA);
    for (const preset of PRESETS.values()) {
        expect(faultsOf(preset)).toEqual([]);
    }
});

test.each([['a.*.w'], ['*.Id'], ['a.x*'], ['a.{n}.v.w'], ['b']])(
    'a pattern of a metric may stand beside "ignore": ["%s"], which leaves some fields to it',
    (ignored) => {
        expect(faultsOf(profileOf({ ...metrics({ path: 'a.{n}.v' }), ignore: [ignored] }))).toEqual([]);
    },
);

test('a plain path of a metric is read although "ignore" covers it', () => {
    expect(faultsOf(profileOf({ ...metrics({ path: 'a.v' }), ignore: ['a.*'] }))).toEqual([]);
});

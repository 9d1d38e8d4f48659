/** The messages of twelve makers come out as what test/fixtures/messages says: each reading, each problem, nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { formatUnits } from '#lake/rows';
import { PRESETS } from '#lake/telemetry/presets';
import { parseDecimal, roundTo } from '#lake/telemetry/profile/decimal';
import { type Profile, parseProfile } from '#lake/telemetry/profile/profile';

const FOLDER = new URL('../../../fixtures/messages/', import.meta.url);

interface Handed {
    arrival: string;
    topic?: string;
    headers?: Record<string, string>;
    partition_key?: string;
    retain?: boolean;
    payload?: string;
    payload_base64?: string;
}

interface Expected {
    message: number;
    device: string;
    metric: string;
    unit: string | null;
    at: string | null;
    value?: string;
    problem?: string;
    historical?: boolean;
}

/** What our own words for a problem must say, by the words of the expectation. */
const MEANINGS: Readonly<Record<string, RegExp>> = {
    'no decoded object: data ANUBLA== kept for a later codec': /no decoded object.*ANUBLA==/,
    'external power: no battery level': /external power: no battery level/,
    'battery level unavailable': /battery level unavailable/,
    'position.valid is false': /position\.valid.*false/,
    'ping: tst is the sending time, the position may be older': /ping: .*older/,
    'not a reading: last will': /not a reading: last will/,
    'not a reading: region event depot enter': /not a reading: region event.*transition.*enter/,
    'a sum (1200.5), not a value': /a sum, not a value \(1200\.5\)/,
    'external power present: 0 % is not a battery state': /external power present: no battery state/,
    'no value (null), errors: read': /no value \(null\), errors: \["read"\]/,
    'not available (255)': /not available \(255\)/,
    'no value (is_null)': /no value \(null: is_null\)/,
    'suspect: 185.0 F = 85.0 C is the power-on value of the probe':
        /suspect: 185\.0 \[degF\] = 85\.0 Cel is the power-on value of the probe/,
    'no value (null)': /no value \(null\)/,
    'not a reading: join, a new session begins': /not a reading: join, a new session begins/,
    'no decoded_payload: frm_payload kept for a later codec': /no decoded_payload: .*AAABLA==/,
    'no value (null: invalid)': /no value \(null: invalid\)/,
    'no value (empty payload: device gone)': /no value \(empty payload: device gone\)/,
    'not a reading: end of a full publish': /not a reading: end of a full publish/,
    'not a reading: a setting': /not a reading: a setting/,
    'not a reading: availability': /not a reading: availability/,
};

const REPEAT = 'repeat of message 0 (same source and id), counted once';

/** The maker's own programs speak three dialects, each with its preset. */
const PRESETS_OF: Readonly<Record<string, readonly string[]>> = {
    'seed-programs': ['asset-tracker', 'asset-stream', 'asset-stream', 'sensor-telemetry'],
};

const makers = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.expected.json'))
    .map((name) => name.replace('.expected.json', ''));

function read(name: string) {
    return JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
}

function bytesOf({ payload, payload_base64 }: Handed): Uint8Array {
    return payload_base64 === undefined ? new TextEncoder().encode(payload) : Buffer.from(payload_base64, 'base64');
}

const number = (text: string) => formatUnits(roundTo(parseDecimal(text)!, 9), 9);
const iso = (ms: number) => new Date(ms).toISOString();

test('there are twelve makers', () => {
    expect(makers).toHaveLength(12);
});

describe.each(makers)('%s', (maker) => {
    const messages: Handed[] = read(`${maker}.json`).messages;
    const expected: Expected[] = read(`${maker}.expected.json`);
    const profiles = new Map<string, Profile>();
    const readers = new Map<string, ReturnType<Profile['open']>>();
    const outcomes = messages.map((message, index) => {
        const name = PRESETS_OF[maker]?.[index] ?? maker;
        const profile = profiles.get(name) ?? parseProfile(PRESETS.get(name));
        profiles.set(name, profile);
        const reader = readers.get(name) ?? profile.open();
        readers.set(name, reader);
        return {
            profile,
            arrival: message.arrival,
            ...reader.read({
                payload: bytesOf(message),
                arrivedMs: Date.parse(message.arrival),
                topic: message.topic,
                headers: message.headers,
                key: message.partition_key,
                isRetained: message.retain,
            }),
        };
    });
    const isReading = ({ value, problem }: Expected) => value !== undefined || problem === REPEAT;

    test('gives each reading, with device, unit, time and value', () => {
        const given = outcomes.flatMap(({ readings, profile, arrival }, message) =>
            readings.map(({ device, metric, atMs, clock, units, text, unit, isHistorical }) => ({
                message,
                device,
                metric,
                unit: unit ?? profile.factsOf(metric)?.unit,
                at: clock === 'arrival' && iso(atMs) === arrival ? null : iso(atMs),
                value: text ?? formatUnits(units!, 9),
                historical: isHistorical ?? false,
            })),
        );
        const wanted = expected.filter(isReading).map(({ problem, ...reading }) => ({
            ...reading,
            value: problem === REPEAT ? number('21.30') : reading.unit === 'text' ? reading.value : number(reading.value!),
            historical: reading.historical ?? false,
        }));
        const order = (a: { message: number; metric: string; at: string | null }, b: typeof a) =>
            a.message - b.message || `${a.metric} ${a.at}`.localeCompare(`${b.metric} ${b.at}`);
        expect(given.sort(order)).toEqual(wanted.sort(order));
    });

    test('tells each problem, with device and time, and what it means', () => {
        const given = outcomes.flatMap(({ problems }, message) =>
            problems.map(({ device, metric, atMs, why }) => ({
                message,
                device,
                metric: metric ?? '(whole)',
                at: atMs === undefined ? null : iso(atMs),
                why,
            })),
        );
        const wanted = expected
            .filter((row) => !isReading(row))
            .map(({ message, device, metric, at, problem }) => ({
                message,
                device,
                metric: metric.startsWith('(') ? '(whole)' : metric,
                at,
                why: expect.stringMatching(MEANINGS[problem!] ?? problem!),
            }));
        const order = (a: { message: number; metric: string }, b: typeof a) => a.message - b.message || a.metric.localeCompare(b.metric);
        expect(given.sort(order)).toEqual(wanted.sort(order));
    });

    test('leaves no field unnamed', () => {
        expect(outcomes.flatMap(({ unknownFields }) => unknownFields)).toEqual([]);
    });
});

test('knows a repeat by the source and id of a CloudEvent, whichever of its two forms it has', () => {
    const messages: Handed[] = read('cloudevents.json').messages;
    const reader = parseProfile(PRESETS.get('cloudevents')).open();
    const keys = messages.map((message) => {
        const [reading] = reader.read({
            payload: bytesOf(message),
            arrivedMs: Date.parse(message.arrival),
            headers: message.headers,
        }).readings;
        return [reading?.device, reading?.metric, reading?.atMs, reading?.message];
    });
    expect(keys[3]).toEqual(keys[0]);
    expect(new Set(keys.map(String)).size).toBe(3);
});

test('every preset has no fault, and its name is the name of its file', () => {
    const files = readdirSync(new URL('../../../../lake/telemetry/presets/', import.meta.url)).map((name) => name.replace('.json', ''));
    expect([...PRESETS.keys()].sort()).toEqual(files.sort());
    for (const preset of PRESETS.values()) {
        expect(parseProfile(preset).name).toBe(preset.name);
    }
});

/**
 * Cases of the language, as data: a profile a line, its messages in order, and what each must give. Every reader of profiles, in whatever language it is
 * written, has to give the same of test/fixtures/profile-cases.jsonl: readings to the last digit, the reason of each problem, the fields that nobody names.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Message } from '#lake/telemetry/message';
import { parseProfile } from '#lake/telemetry/profile/profile';

interface Case {
    profile: object;
    messages: (Omit<Message, 'payload'> & {
        payload?: string;
        payload_base64?: string;
        readings: object[];
        problems: { reason: string; metric?: string }[];
        unknownFields: string[];
    })[];
}

const cases: Case[] = readFileSync(new URL('../../../fixtures/profile-cases.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test.each(cases.map((each, index) => [index + 1, each] as const))('line %d', (_, { profile, messages }) => {
    const reader = parseProfile(profile).open();
    for (const { payload, payload_base64, readings, problems, unknownFields, ...message } of messages) {
        const bytes = payload === undefined ? Buffer.from(payload_base64 ?? '', 'base64') : new TextEncoder().encode(payload);
        const outcome = reader.read({ ...message, arrivedMs: message.arrivedMs, payload: bytes });
        expect(
            outcome.readings.map(({ unit, kind, digits, clockNote, units, text, isHistorical, ...reading }) => ({
                ...reading,
                ...(text === undefined ? { units: String(units) } : { text }),
                ...(isHistorical ? { isHistorical } : {}),
            })),
        ).toEqual(readings);
        expect(outcome.problems.map(({ why, element, ...problem }) => problem)).toEqual(problems);
        expect(outcome.unknownFields).toEqual(unknownFields);
    }
});

test('there are cases of readings, of every reason, and of sequences', () => {
    const reasons = new Set(cases.flatMap(({ messages }) => messages.flatMap(({ problems }) => problems.map(({ reason }) => reason))));
    expect([...reasons].sort()).toEqual([
        'bad_name',
        'bad_time',
        'device_mismatch',
        'no_birth',
        'no_device',
        'no_reading',
        'no_scale',
        'no_time',
        'no_value',
        'out_of_limits',
        'sentinel',
        'suspect',
        'unknown_unit',
        'unknown_word',
        'unreadable',
        'wrong_type',
    ]);
    expect(cases.some(({ messages }) => messages.length > 2)).toBe(true);
});

/** The second reading of profiles against the cases of the language: all that it follows come out, and what it does not follow it names. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { NotFollowedError } from '#lake/verify/second-reading';
import { ProfileReader } from '#lake/verify/telemetry/read-message';

interface Case {
    profile: { decoder?: string };
    messages: {
        payload?: string;
        payload_base64?: string;
        arrivedMs?: number;
        readings: Record<string, unknown>[];
        problems: { reason: string; metric?: string }[];
        unknownFields: string[];
    }[];
}

const cases: Case[] = readFileSync(new URL('../../../fixtures/profile-cases.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const NOT_FOLLOWED = ['cbor', 'senml', 'senml-cbor', 'sparkplug-b'];
const numbered = cases.map((each, index) => [index + 1, each] as const);
const isFollowed = ([, { profile }]: readonly [number, Case]): boolean => !NOT_FOLLOWED.includes(profile.decoder ?? 'json');

test.each(numbered.filter(isFollowed))('line %d', (_, { profile, messages }) => {
    const reader = new ProfileReader(profile);
    for (const { payload, payload_base64, readings, problems, unknownFields, ...message } of messages) {
        const bytes = payload === undefined ? Buffer.from(payload_base64 ?? '', 'base64') : new TextEncoder().encode(payload);
        const outcome = reader.read({ ...message, arrivedMs: message.arrivedMs, payload: bytes });
        expect(
            outcome.readings.map(({ units, text, ...reading }) => ({
                ...reading,
                ...(text === undefined ? { units: String(units) } : { text }),
            })),
        ).toEqual(readings.map(({ isHistorical: _historical, ...reading }) => reading));
        expect(outcome.problems).toEqual(problems.map(({ reason, metric }) => (metric === undefined ? { reason } : { reason, metric })));
        expect([...outcome.unknownFields]).toEqual(unknownFields);
    }
});

test.each(numbered.filter((each) => !isFollowed(each)))('line %d is not followed', (_, { profile }) => {
    expect(() => new ProfileReader(profile)).toThrow(NotFollowedError);
});

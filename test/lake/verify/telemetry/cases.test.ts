/** The second reading of profiles against the cases of the language: all of them come out. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
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

const numbered = cases.map((each, index) => [index + 1, each] as const);

test.each(numbered)('line %d', (_, { profile, messages }) => {
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

test('payloads of every decoder are among the cases', () => {
    const decoders = new Set(cases.map(({ profile }) => profile.decoder ?? 'json'));
    expect([...decoders].sort()).toEqual(['cbor', 'json', 'senml', 'senml-cbor', 'sparkplug-b', 'text']);
});

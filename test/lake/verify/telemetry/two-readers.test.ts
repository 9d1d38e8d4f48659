/** Both readers of messages give the same: of all that makers send, and of payloads of every decoder that are broken in any way. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PRESETS } from '#lake/telemetry/presets';
import { parseProfile } from '#lake/telemetry/profile/profile';
import type { Message } from '#lake/verify/telemetry/places';
import { ProfileReader } from '#lake/verify/telemetry/read-message';

const FIXTURES = new URL('../../../fixtures/', import.meta.url);

/** The outcomes of messages of one source, one after the other, of both readers and in the same words. */
function readBoth(document: unknown, messages: readonly Message[]): { first: unknown[]; second: unknown[] } {
    const [first, second] = [parseProfile(document).open(), new ProfileReader(document)];
    const inOrder = <T>(some: readonly T[]): T[] =>
        some
            .map((each) => ({ each, text: JSON.stringify(each) }))
            .sort((a, b) => (a.text < b.text ? -1 : 1))
            .map(({ each }) => each);
    return {
        first: messages.map((message) => {
            const { readings, problems, unknownFields } = first.read(message);
            return {
                readings: readings.map(({ device, metric, atMs, receivedMs, units, text, message: identity, clock }) => ({
                    device,
                    metric,
                    atMs,
                    receivedMs,
                    units: units?.toString(),
                    text,
                    message: identity,
                    clock,
                })),
                problems: inOrder(problems.map(({ reason, metric }) => ({ reason, metric }))),
                unknownFields: [...new Set(unknownFields)].sort(),
            };
        }),
        second: messages.map((message) => {
            const { readings, problems, unknownFields } = second.read(message);
            return {
                readings: readings.map(({ units, ...reading }) => ({ ...reading, units: units?.toString() })),
                problems: inOrder(problems.map(({ reason, metric }) => ({ reason, metric }))),
                unknownFields: [...unknownFields].sort(),
            };
        }),
    };
}

interface Handed {
    arrival: string;
    topic?: string;
    headers?: Record<string, string>;
    partition_key?: string;
    retain?: boolean;
    payload?: string;
    payload_base64?: string;
}

const makers = readdirSync(new URL('messages/', FIXTURES))
    .filter((name) => /^[^.]+\.json$/.test(name))
    .map((name) => name.replace('.json', ''));

function handed(maker: string): Message[] {
    const { messages }: { messages: Handed[] } = JSON.parse(readFileSync(new URL(`messages/${maker}.json`, FIXTURES), 'utf8'));
    return messages.map(({ arrival, topic, headers, partition_key, retain, payload, payload_base64 }) => ({
        payload: payload_base64 === undefined ? Buffer.from(payload ?? '') : Buffer.from(payload_base64, 'base64'),
        arrivedMs: Date.parse(arrival),
        topic,
        headers,
        key: partition_key,
        isRetained: retain,
    }));
}

test.each(makers)('what %s sends', (maker) => {
    const presets = maker === 'seed-programs' ? ['asset-tracker', 'asset-stream', 'sensor-telemetry'] : [maker];
    for (const preset of presets) {
        const document = PRESETS.get(preset);
        expect(document).toBeDefined();
        const { first, second } = readBoth(document, handed(maker));
        expect(second).toEqual(first);
    }
});

interface Case {
    profile: { decoder?: string };
    messages: { payload?: string; payload_base64?: string; arrivedMs?: number; topic?: string }[];
}

const cases: Case[] = readFileSync(new URL('profile-cases.jsonl', FIXTURES), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** A change of bytes: one is another, some go, some come twice, or others come in. */
const change = fc.record({
    place: fc.nat(),
    how: fc.constantFrom('set', 'cut', 'repeat', 'insert', 'end'),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
});

function changed(payload: Uint8Array, changes: readonly { place: number; how: string; bytes: Uint8Array }[]): Buffer {
    return changes.reduce((before, { place, how, bytes }) => {
        const at = before.length === 0 ? 0 : place % before.length;
        const [head, tail] = [before.subarray(0, at), before.subarray(at)];
        switch (how) {
            case 'set':
                return Buffer.concat([head, bytes.subarray(0, 1), tail.subarray(1)]);
            case 'cut':
                return Buffer.concat([head, tail.subarray(bytes.length)]);
            case 'repeat':
                return Buffer.concat([head, tail.subarray(0, bytes.length), tail]);
            case 'insert':
                return Buffer.concat([head, bytes, tail]);
            default:
                return Buffer.from(head);
        }
    }, Buffer.from(payload));
}

describe.each(['cbor', 'senml', 'senml-cbor', 'sparkplug-b'])('payloads of %s that are broken', (decoder) => {
    const of = cases.filter(({ profile }) => profile.decoder === decoder);
    const messageOf = ({ payload, payload_base64, ...message }: Case['messages'][number]): Message => ({
        ...message,
        arrivedMs: message.arrivedMs,
        payload: payload === undefined ? Buffer.from(payload_base64 ?? '', 'base64') : Buffer.from(payload),
    });

    test('come to the same', () => {
        fc.assert(
            fc.property(
                fc.nat(),
                fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
                (which, changes) => {
                    const one = of[which % of.length] as Case;
                    const sound = one.messages.map(messageOf);
                    const broken = changes.flatMap((some) =>
                        sound.map((message) => ({ ...message, payload: changed(message.payload, some) })),
                    );
                    const { first, second } = readBoth(one.profile, [...broken, ...sound]);
                    expect(second).toEqual(first);
                },
            ),
            { numRuns: 300 },
        );
    });
});

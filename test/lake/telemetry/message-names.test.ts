/** Identities of messages under numbers: sorted, picked and added they are the texts that they were. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareTexts } from '#lake/rows';
import { MessageNames } from '#lake/telemetry/message-names';
import { hashOf, hashWordsOf } from '#lake/telemetry/profile/identity';
import { textIn } from '#lake/text-list';

/** Hashes of payloads, ids that count up (their first digits are all the same), and names of other forms. */
const identity = fc.oneof(
    fc.integer({ min: 0, max: 5_000 }).map((seed) => createHash('sha256').update(String(seed)).digest('hex').slice(0, 16)),
    fc.integer({ min: 0, max: 5_000 }).map((number) => number.toString(16).padStart(16, '0')),
    fc.constantFrom('ffffffffffffffff', '0', 'FFFFFFFFFFFFFFFF', 'session:7', 'é', ''),
);

function textsOf(names: MessageNames, numbers: Int32Array): string[] {
    const { texts, places } = names.sort(numbers, numbers.length);
    const all = Array.from({ length: texts.count }, (_, place) => textIn(texts, place));
    expect(all).toEqual([...new Set(all)].sort(compareTexts));
    return Array.from(places, (place) => all[place] ?? '');
}

describe('identities of messages', () => {
    it('are sorted, each once', () => {
        for (const alone of [identity, identity.filter((text) => text.length === 16 && text < 'g')]) {
            fc.assert(
                fc.property(fc.array(alone, { minLength: 1, maxLength: 300 }), (texts) => {
                    const names = new MessageNames();
                    const numbers = Int32Array.from(texts, (text) => names.add(text));
                    expect(textsOf(names, numbers)).toEqual(texts);
                    expect(Array.from(numbers, (number) => names.textOf(number))).toEqual(texts);
                }),
                { numRuns: 200 },
            );
        }
    });

    it('stay what they are when some of them go to others', () => {
        fc.assert(
            fc.property(fc.array(identity, { minLength: 2, maxLength: 50 }), fc.array(identity), (texts, others) => {
                const [names, more] = [new MessageNames(), new MessageNames()];
                const numbers = Int32Array.from(texts, (text) => names.add(text));
                const before = Int32Array.from(others, (text) => more.add(text));
                const picked = names.pick(numbers.subarray(1));
                more.addPicked(picked);
                expect(textsOf(more, Int32Array.of(...before, ...picked.numbers))).toEqual([...others, ...texts.slice(1)]);
            }),
            { numRuns: 200 },
        );
    });

    it('are the same hash as words and as text', () => {
        fc.assert(
            fc.property(fc.uint8Array(), (payload) => {
                const names = new MessageNames();
                const { high, low } = hashWordsOf(payload);
                expect(names.textOf(names.addHash(high, low))).toBe(hashOf(payload));
                expect(hashOf(payload)).toBe(createHash('sha256').update(payload).digest('hex').slice(0, 16));
            }),
        );
    });
});

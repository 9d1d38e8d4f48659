/** What the chain's writer puts into a line comes out of it again, byte by byte. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ChainMessage, compareSequences, decodeLine, encodeEnd, encodeMessage, isChainLine, WAYS } from '#lake/telemetry/chain-line';

const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const text = fc.string({ unit: 'binary' });

const messages: fc.Arbitrary<ChainMessage> = fc
    .record({
        sequence: fc.bigInt({ min: 0n, max: 10n ** 128n }).map(String),
        arrivedMs: fc.integer({ min: 0, max: 4e12 }),
        way: fc.constantFrom(...WAYS),
        device: some(text),
        topic: some(text),
        session: some(text),
        headers: some(fc.dictionary(text, text)),
        key: some(text),
        isRetained: fc.constantFrom(undefined, true),
        profile: some(text),
        site: some(text),
        refused: some(text),
        payload: fc
            .oneof(
                fc.uint8Array(),
                fc.string({ unit: 'binary' }).map((one) => Buffer.from(one)),
            )
            .map((bytes) => Buffer.from(bytes)),
    })
    .map((message) => Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined)) as unknown as ChainMessage);

describe('a line of a chain object', () => {
    it('says what was put into it, on one line', () => {
        fc.assert(
            fc.property(messages, (message) => {
                const line = encodeMessage(message);
                expect(line).not.toContain('\n');
                expect(decodeLine(line)).toEqual({ is: 'message', message });
                expect(isChainLine(line)).toBe(true);
            }),
        );
    });

    it('has text as it is, and base64 only where it is none', () => {
        const message = { sequence: '1', arrivedMs: 0, way: 'mqtt' as const };
        expect(encodeMessage({ ...message, payload: Buffer.from('{"t":1}') })).toBe(
            '{"sequence":"1","arrived_ms":0,"way":"mqtt","payload":"{\\"t\\":1}"}',
        );
        expect(encodeMessage({ ...message, payload: Buffer.from([0xff]) })).toBe(
            '{"sequence":"1","arrived_ms":0,"way":"mqtt","payload_base64":"/w=="}',
        );
    });

    it('tells the object’s end', () => {
        expect(encodeEnd('7')).toBe('{"end":"7"}');
        expect(decodeLine('{"end":"7"}')).toEqual({ is: 'end', sequence: '7' });
    });

    const good = { sequence: '1', arrived_ms: 5, way: 'http', payload: 'x' };
    const broken: [string, string, string][] = [
        ['no JSON', '{', 'no JSON object'],
        ['an array', '[]', 'no JSON object'],
        ['no sequence', JSON.stringify({ ...good, sequence: undefined }), 'no sequence'],
        ['a sequence that is a number', JSON.stringify({ ...good, sequence: 1 }), 'its sequence 1'],
        ['a sequence of letters', JSON.stringify({ ...good, sequence: 'a' }), 'its sequence "a"'],
        ['an end of letters', '{"end":"a"}', 'its end "a"'],
        ['no arrival', JSON.stringify({ ...good, arrived_ms: undefined }), 'arrived_ms'],
        ['half a millisecond', JSON.stringify({ ...good, arrived_ms: 0.5 }), 'arrived_ms'],
        ['another way', JSON.stringify({ ...good, way: 'post' }), 'none of mqtt, http, kinesis'],
        ['no payload', JSON.stringify({ ...good, payload: undefined }), 'neither a payload'],
        ['two payloads', JSON.stringify({ ...good, payload_base64: '' }), 'neither a payload'],
        ['base64 that is none', JSON.stringify({ ...good, payload: undefined, payload_base64: 'x' }), 'neither a payload'],
        ['a site that is a number', JSON.stringify({ ...good, site: 1 }), 'its site is no text'],
        ['headers that are a list', JSON.stringify({ ...good, headers: [] }), 'its headers'],
    ];
    it.each(broken)('is broken with %s', (_, line, why) => {
        expect(decodeLine(line)).toEqual({ is: 'broken', why: expect.stringContaining(why) });
    });
});

describe('sequence numbers', () => {
    it('compare as numbers, with or without zeros in front', () => {
        fc.assert(
            fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.bigInt({ min: 0n, max: 10n ** 40n }), (a, b) => {
                expect(Math.sign(compareSequences(String(a).padStart(129, '0'), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
            }),
        );
    });
});

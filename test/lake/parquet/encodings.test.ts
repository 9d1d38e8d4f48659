/** What pages are made of, against the library's own reading of it: snappy blocks, and runs of small numbers. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { snappyUncompress } from 'hyparquet';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { bitsFor, maxRunsBytes, readRuns, writeRuns } from '#lake/parquet/runs';
import { compress, maxCompressedBytes } from '#lake/parquet/snappy';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);

/** Bytes with repetitions near and far, as columns have them. */
const bytes = fc
    .array(fc.tuple(fc.uint8Array({ maxLength: 70 }), fc.integer({ min: 1, max: 40 })), { maxLength: 30 })
    .map((pieces) => Buffer.concat(pieces.flatMap(([piece, times]) => Array.from({ length: times }, () => piece))));

describe('a snappy block', () => {
    function expectToComeBack(input: Uint8Array): void {
        const room = new Uint8Array(maxCompressedBytes(input.length));
        const packed = room.slice(0, compress(input, input.length, room));
        const output = new Uint8Array(input.length);
        snappyUncompress(packed, output);
        expect(Buffer.compare(output, input)).toBe(0);
    }

    test('unpacks to the bytes that it was made of', () => {
        fc.assert(fc.property(bytes, expectToComeBack), { numRuns: 300 * RUNS });
    });

    test.each([0, 1, 3, 4, 5, 59, 60, 61, 62, 255, 256, 257, 65_535, 65_536, 65_537, 200_000])(
        'is right at %d bytes of any kind',
        (length) => {
            expectToComeBack(new Uint8Array(length));
            expectToComeBack(Uint8Array.from({ length }, (_, at) => Math.imul(at, 0x9e3779b1) >>> 24));
            // The same piece again, further away than a copy reaches.
            expectToComeBack(Uint8Array.from({ length }, (_, at) => (at % 70_000) * 7));
        },
    );

    test('of what repeats is small', () => {
        const room = new Uint8Array(maxCompressedBytes(40_000));
        expect(compress(new Uint8Array(40_000), 40_000, room)).toBeLessThan(2_000);
    });
});

describe('runs of small numbers', () => {
    const numbers = fc
        .array(fc.tuple(fc.nat(9000), fc.integer({ min: 1, max: 30 })), { minLength: 1, maxLength: 40 })
        .map((runs) => Int32Array.from(runs.flatMap(([value, times]) => Array.from({ length: times }, () => value))));

    function written(values: Int32Array, bits: number): Uint8Array {
        const output = new Uint8Array(maxRunsBytes(values.length, bits));
        return output.slice(0, writeRuns(output, 0, { values, count: values.length, bits }));
    }

    test('are read by the library, and by our own code, as they were written', () => {
        fc.assert(
            fc.property(numbers, fc.constantFrom(0, 1, 8, 10), (values, moreBits) => {
                const bits = bitsFor(Math.max(...values)) + moreBits;
                const output = written(values, bits);
                const byLibrary: number[] = new Array(values.length);
                const view = new DataView(output.buffer);
                readRleBitPackedHybrid({ view, offset: 0 }, bits, byLibrary, output.length);
                expect(Int32Array.from(byLibrary)).toEqual(values);
                const into = new Int32Array(values.length);
                expect(readRuns(output, { into, count: values.length, bits })).toBe(true);
                expect(into).toEqual(values);
            }),
            { numRuns: 300 * RUNS },
        );
    });

    test('are refused where a byte of them is missing or one too many', () => {
        fc.assert(
            fc.property(numbers, (values) => {
                const bits = bitsFor(Math.max(...values, 1));
                const output = written(values, bits);
                const read = (bytes: Uint8Array) => readRuns(bytes, { into: new Int32Array(values.length), count: values.length, bits });
                expect([read(output.slice(0, -1)), read(Uint8Array.of(...output, 0))]).toEqual([false, false]);
            }),
            { numRuns: 100 * RUNS },
        );
    });
});

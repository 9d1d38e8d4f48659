/** Lists of texts as bytes sort and unite as the texts do by their bytes in UTF-8. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
    areAscending,
    areUtf8,
    compareTextsIn,
    orderOfTexts,
    pickTexts,
    type TextList,
    textIn,
    toTextList,
    uniteTexts,
} from '#lake/text-list';
import { toTextColumn } from '#lake/typed-rows';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);

/** Texts that begin alike, and characters whose order in UTF-16 is not that of their bytes. */
const text = fc.oneof(
    fc.string({
        unit: fc.constantFrom('a', 'b', '1', '.', 'ü', 'Ａ', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
        maxLength: 6,
    }),
    fc.tuple(fc.constantFrom('', '10.0.0.', '2001:db8::', 'x'.repeat(70)), fc.nat(300)).map(([front, number]) => `${front}${number}`),
);

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const textsOf = (list: TextList): string[] => Array.from({ length: list.count }, (_, place) => textIn(list, place));

test('texts sort by their bytes, few and many', () => {
    fc.assert(
        fc.property(fc.uniqueArray(text, { maxLength: 200, size: 'max' }), (texts) => {
            const list = toTextList(texts);
            const sorted = pickTexts(list, orderOfTexts(list));
            expect(textsOf(list)).toEqual(texts);
            expect(textsOf(sorted)).toEqual(texts.toSorted(byBytes));
            expect(areAscending(sorted)).toBe(true);
            expect(areAscending(list)).toBe(texts.every((one, at) => at === 0 || byBytes(texts[at - 1]!, one) < 0));
        }),
        { numRuns: 200 * RUNS },
    );
});

test('two texts compare by their bytes', () => {
    fc.assert(
        fc.property(text, text, (a, b) => {
            expect(Math.sign(compareTextsIn(toTextList(['', a]), 1, toTextList([b]), 0))).toBe(byBytes(a, b));
        }),
        { numRuns: 500 * RUNS },
    );
});

test('lists unite into one that has each text once, and say where theirs are in it', () => {
    fc.assert(
        fc.property(fc.array(fc.uniqueArray(text, { maxLength: 40 }), { maxLength: 6 }), (lists) => {
            const sorted = lists.map((texts) => texts.toSorted(byBytes));
            const { texts, placesOf } = uniteTexts(sorted.map(toTextList));
            expect(textsOf(texts)).toEqual([...new Set(sorted.flat())].sort(byBytes));
            expect(placesOf.map((places) => [...places].map((place) => textIn(texts, place)))).toEqual(sorted);
        }),
        { numRuns: 200 * RUNS },
    );
});

test('the texts of rows are a column of places that compare as they do', () => {
    fc.assert(
        fc.property(fc.array(text, { maxLength: 60 }), (values) => {
            const { texts, places } = toTextColumn({ name: 'text', nullable: false }, values);
            expect([...places].map((place) => textIn(texts, place))).toEqual(values);
            expect(areAscending(texts)).toBe(true);
        }),
        { numRuns: 100 * RUNS },
    );
});

test('bytes that are UTF-8 only together are none', () => {
    const bytes = Buffer.from('aüb');
    expect(areUtf8({ count: 2, bytes, starts: Int32Array.of(0, 1, 4) })).toBe(true);
    expect(areUtf8({ count: 2, bytes, starts: Int32Array.of(0, 2, 4) })).toBe(false);
    expect(areUtf8({ count: 3, bytes, starts: Int32Array.of(0, 3, 3, 4) })).toBe(true);
    expect(areUtf8({ count: 1, bytes: Uint8Array.of(0xff), starts: Int32Array.of(0, 1) })).toBe(false);
    expect(areUtf8({ count: 0, bytes: new Uint8Array(0), starts: Int32Array.of(0) })).toBe(true);
});

/** Lines are cut at line feeds alone, whatever pieces a text comes in. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { linesOf } from '#lake/text-lines';

async function cut(text: string, sizes: number): Promise<string[]> {
    const bytes = Buffer.from(text);
    const pieces = async function* () {
        for (let from = 0; from < bytes.length; from += sizes) {
            yield bytes.subarray(from, from + sizes);
        }
    };
    const lines: string[] = [];
    for await (const line of linesOf(pieces())) {
        lines.push(line);
    }
    return lines;
}

test('a JSON text with separators of Unicode is one line', async () => {
    const lines = [{ text: 'a\u2028b\u2029c\u0085d' }, { text: 'e\r' }].map((line) => JSON.stringify(line));
    for (const size of [1, 2, 3, 100]) {
        expect(await cut(`${lines.join('\n')}\n`, size)).toEqual(lines);
        expect(await cut(lines.join('\n'), size)).toEqual(lines);
    }
});

test('any lines come back, in pieces of any size', async () => {
    const line = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\n') && !text.startsWith('\ufeff'));
    await fc.assert(
        fc.asyncProperty(fc.array(line, { minLength: 1 }), fc.integer({ min: 1, max: 9 }), async (lines, size) => {
            expect(await cut(`${lines.join('\n')}\n`, size)).toEqual(lines.map((text) => Buffer.from(text).toString()));
        }),
    );
});

/** The lines that the WebAssembly function finds are those that are there, wherever a block of bytes ends. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { block, fieldStarts, LineFinder, MAX_FIELDS } from '#lake/flows/formats/line-finder';

const COMMA = 0x2c;
const LF = 0x0a;

/** What a finder says of the line that begins at `start`. */
function lineAt(finder: LineFinder, start: number, fields: number) {
    finder.find(start);
    const { lineEnd, separators, starts, lineEndInBlock } = finder;
    const inBlock = (place: number): number => place - lineEndInBlock + lineEnd;
    const told = Math.min(separators, fields) + 1;
    return {
        lineEnd,
        separators,
        starts: Array.from({ length: told }, (_, at) => inBlock(fieldStarts[starts + at] as number)),
        text: block.toString('latin1', lineEndInBlock - (lineEnd - start), lineEndInBlock),
    };
}

/** The same by what JavaScript has. */
function expected(text: string, start: number, fields: number) {
    const lineEnd = text.indexOf('\n', start);
    const line = text.slice(start, lineEnd);
    const commas = [...line].flatMap((character, at) => (character === ',' ? [start + at + 1] : []));
    return { lineEnd, separators: commas.length, starts: [start, ...commas].slice(0, fields + 1), text: line };
}

const lines = fc.array(fc.string({ unit: fc.constantFrom(',', ',', 'x', '\r', '\0', '\n', '12345', ' '.repeat(20)), maxLength: 60 }), {
    minLength: 1,
});

test('every line is found with its separators and the beginnings of its first fields', () => {
    fc.assert(
        fc.property(lines, fc.nat(100), fc.nat(40), fc.array(fc.boolean()), (texts, before, fields, skips) => {
            const text = `${'?'.repeat(before)}${texts.join('\n')}\n`;
            const bytes = Buffer.from(text, 'latin1');
            const finder = new LineFinder(bytes, { start: before, limit: bytes.length, separator: COMMA, fields });
            for (let [at, turn] = [before, 0]; at < bytes.length; turn += 1) {
                expect(lineAt(finder, at, fields)).toEqual(expected(text, at, fields));
                at = text.indexOf('\n', at) + 1;
                // A row of several lines was taken another way.
                at = skips[turn] === true && at < bytes.length ? text.indexOf('\n', at) + 1 : at;
            }
        }),
        { numRuns: 500 },
    );
});

test.each([0, 3, 100, MAX_FIELDS])('with %p fields told, lines are found over many blocks', (fields) => {
    const text = Array.from({ length: 30_000 }, (_, at) => 'ab,'.repeat(at % 40))
        .join('\n')
        .concat('\n');
    const bytes = Buffer.from(text, 'latin1');
    const finder = new LineFinder(bytes, { start: 0, limit: bytes.length, separator: COMMA, fields });
    let [at, found] = [0, 0];
    for (; at < bytes.length; at = finder.lineEnd + 1) {
        finder.find(at);
        found += 1;
        if (finder.lineEnd !== bytes.indexOf(LF, at) || finder.separators !== (found - 1) % 40) {
            throw new Error(`line ${found}: ends at ${finder.lineEnd} with ${finder.separators} separators`);
        }
    }
    expect(found).toBe(30_000);
});

test('a line that is longer than a block has more separators than any header', () => {
    const text = `a,b\n${'x,'.repeat(50_000)}\nc,d,e\n`;
    const bytes = Buffer.from(text, 'latin1');
    const finder = new LineFinder(bytes, { start: 0, limit: bytes.length, separator: COMMA, fields: 1 });
    const ends = [4, 100_005, text.length].map((behind) => behind - 1);
    const found = ends.map((end, line) => {
        finder.find(line === 0 ? 0 : (ends[line - 1] as number) + 1);
        return [finder.lineEnd === end, finder.separators];
    });
    expect(found).toEqual([
        [true, 1],
        [true, 2 ** 31 - 1],
        [true, 2],
    ]);
});

/** CSV for other programs, and CSV that a spreadsheet may open. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { csvLine, csvLineForSpreadsheets } from '#lake/csv';

test.each([
    ['=1+1', "'=1+1"],
    ['=cmd|x!A1', "'=cmd|x!A1"],
    ['+49 30 1', "'+49 30 1"],
    ['-a', "'-a"],
    ['@sum(1)', "'@sum(1)"],
    ['\tx', "'\tx"],
    ['\rx', '"\'\rx"'],
    ['\nx', '"\'\nx"'],
    ['\uff1d1', "'\uff1d1"],
    ["'=1", "''=1"],
    ["''@x", "'''@x"],
    ['=a,"b"', '"\'=a,""b"""'],
    ['-', "'-"],
    ['-1+1', "'-1+1"],
])('%j is no formula in a spreadsheet', (text, written) => {
    expect(csvLineForSpreadsheets([text])).toBe(`${written}\n`);
});

test.each(['-5', '+5', '-5.25', '-.5', '-1e9', '+1.5E-7', 'plain', "it's", "'quoted'", '10.0.0.1', '2026-01-05', 'a=b', ''])(
    '%j stays as it is',
    (text) => {
        expect(csvLineForSpreadsheets([text])).toBe(csvLine([text]));
    },
);

test('numbers, truths and nulls stay as they are', () => {
    const row = [-9007199254740993n, -1.5, Number.NaN, true, null];
    expect(csvLineForSpreadsheets(row)).toBe('-9007199254740993,-1.5,NaN,true,\n');
});

test('who takes one apostrophe off in front of a formula has every text again', () => {
    fc.assert(
        fc.property(fc.oneof(fc.string(), fc.stringMatching(/^['=+@-]{0,4}\w*$/)), (text) => {
            const written = csvLineForSpreadsheets([text]).slice(0, -1);
            const field = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
            expect(field).not.toMatch(/^[=@\t\r\n]/);
            expect(/^'+[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(field) ? field.slice(1) : field).toBe(text);
        }),
    );
});

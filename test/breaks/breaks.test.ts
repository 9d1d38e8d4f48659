/**
 * The documents have every break, and what counts as caught. Whether a break's text still stands in its file says only `npm run test:breaks`:
 * here it would fail for whoever changes that text, as if that were a fault.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Break, breaks } from './breaks.ts';
import { applyBreak, type JestReport, verdictOf } from './try-break.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

describe('the list of breaks', () => {
    test.each(breaks.map((one) => [one.name, one] as const))('%s names a source and tests that are there', (_, { file, tests }) => {
        expect([file, ...tests].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    });

    test('has each name once, and is the table of docs/testing.md', () => {
        const names = breaks.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        const [, table = ''] =
            /\| break \| [^\n]+\n\| ---[^\n]+\n((?:\|[^\n]+\n)+)/.exec(readFileSync(join(ROOT, 'docs/testing.md'), 'utf8')) ?? [];
        expect(table).toBe(breaks.map(({ name, does, file }) => `| \`${name}\` | ${does} | \`${file}\` |\n`).join(''));
    });
});

const BREAK: Break = { name: 'a', does: '', file: 'b.ts', text: 'old', replacement: '$& new', tests: [] };

test('a text is replaced as it is, and is an error where it is missing or there twice', () => {
    expect(applyBreak('an old text', BREAK)).toBe('an $& new text');
    expect(() => applyBreak('a text', BREAK)).toThrow('break a: its text is found 0 times in b.ts');
    expect(() => applyBreak('old, old', BREAK)).toThrow('found 2 times');
});

describe('a break is caught', () => {
    function reportOf(failureMessage: string | undefined, { passed = 1, unloaded = 0 } = {}): JestReport {
        const failed = { fullName: 'it holds', status: 'failed', failureMessages: [failureMessage ?? ''] };
        return {
            numRuntimeErrorTestSuites: unloaded,
            numPassedTests: passed,
            numFailedTests: failureMessage === undefined ? 0 : 1,
            testResults: [{ name: '/a.test.ts', status: 'failed', assertionResults: failureMessage === undefined ? [] : [failed] }],
        };
    }

    test('by an assertion that fails among others that do not', () => {
        expect(verdictOf(reportOf('Error: expect(received).toBe(expected)'))).toEqual({
            isCaught: true,
            by: 'it holds',
            file: '/a.test.ts',
        });
    });

    test.each([
        ['where the source does not load', reportOf(undefined, { unloaded: 1 }), 'does not load'],
        ['where all tests pass', reportOf(undefined), 'all 1 tests pass'],
        ['where nothing works any more', reportOf('expect(received)', { passed: 0 }), 'every test fails'],
        ['by an error of any kind', reportOf('TypeError: x is not a function'), 'by no assertion'],
        ['by tests that never end', undefined, 'did not come to an end'],
    ])('not %s', (_, report, why) => {
        expect(verdictOf(report)).toEqual({ isCaught: false, why: expect.stringContaining(why) });
    });
});

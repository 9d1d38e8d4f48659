/** Every doc comment of the program makes sense read alone, as an editor shows it: with its subject first. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['lake', 'cli', 'web', 'lambdas', 'cdk'];

/**
 * Words that a doc comment must not open with. Each leans on something that is not in the comment: on the name below it ("Of the raw
 * object"), on the comment above it ("The same of records"), on a number in the code ("So many digits"), or on a clause that never comes
 * ("Whether it may go", "Told of bytes", "Where it ends").
 */
const OPENINGS = [
    'Also',
    'As',
    'Ascending',
    'Because',
    'By',
    'Each of',
    'Else',
    'For',
    'Hears',
    'Like',
    'Of',
    'So',
    'Surely',
    'That',
    'The same',
    'Then',
    'Those',
    'Told',
    'Undefined',
    'When',
    'Where',
    'Whether',
    'With',
];

/** A doc comment; what stands in the brackets is its text, up to the end of the comment. */
const DOC_COMMENT = /(?<=^|\s)\/\*\*\s+(?:\*\s+)?([\s\S]*?)\s*\*\//g;
const BAD_OPENING = new RegExp(`^(?:${OPENINGS.join('|')})\\b`);

function readComments(source: string): string[] {
    return [...source.matchAll(DOC_COMMENT)].map(([, text = '']) => text);
}

function findBadOpenings(source: string): string[] {
    return readComments(source).filter((text) => BAD_OPENING.test(text));
}

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...FOLDERS], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((file) => /\.tsx?$/.test(file));

describe('a doc comment makes sense read alone', () => {
    test.each(FOLDERS)('in %s/ none opens with a word that leans on what is not there', (folder) => {
        const sources = files
            .filter((file) => file.startsWith(`${folder}/`))
            .map((file) => ({ file, text: readFileSync(ROOT + file, 'utf8') }));
        expect(sources.flatMap(({ file, text }) => findBadOpenings(text).map((comment) => `${file}: ${comment}`))).toEqual([]);
        // A pattern that sees nothing would report success.
        expect(sources.flatMap(({ text }) => readComments(text)).length).toBeGreaterThan(sources.length / 2);
    });

    test.each(OPENINGS)('one that opens with "%s" is found on one line, over several, and at a field', (word) => {
        expect(findBadOpenings(`/** ${word} planted. */\nexport const one = 1;`)).toEqual([`${word} planted.`]);
        expect(findBadOpenings(`/**\n * ${word} planted.\n */\nexport const one = 1;`)).toEqual([`${word} planted.`]);
        expect(findBadOpenings(`export interface Two {\n    /** ${word} planted. */\n    two: 2;\n}`)).toEqual([`${word} planted.`]);
    });

    test('one that has its subject first is not, nor one that only begins with the letters of such a word', () => {
        const good = [
            'Nine digits always fit 32 bits.',
            'Bytes read since the last call.',
            'Offset of the page.',
            'Each period, ascending.',
        ];
        expect(findBadOpenings(good.map((text) => `/** ${text} */\nconst x = 1;\n`).join(''))).toEqual([]);
        expect(findBadOpenings("const folders = ['lake/**', 'Of'];\n// Of no interest\n")).toEqual([]);
    });
});

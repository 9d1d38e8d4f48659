/** Every path that a comment or a page names is there: who follows it must not end in nothing. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A path of this tree, a file by its ending or a folder by its final slash. What stands in angle brackets or has a star is a pattern, and none. */
const PATH =
    /(?<![\w./<*-])((?:lake|cli|lambdas|cdk|glue-jobs|sql|sample|bench|docs|test|web|findings|\.ci)\/[\w./-]*(?:\.(?:tsx?|js|css|py|md|sql|json|pml|sh|txt)(?![\w<*])|\/(?![\w<*$[{])))/g;

/** What the comments of a source look like, by its ending. Strings are left alone: tests name files that they make. */
const COMMENTS: Readonly<Record<string, RegExp>> = {
    ts: /\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$/gm,
    tsx: /\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$/gm,
    js: /\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$/gm,
    py: /"""[\s\S]*?"""|#.*$/gm,
    sql: /--.*$/gm,
    sh: /#.*$/gm,
    pml: /\/\*[\s\S]*?\*\//gm,
};

/** Made by a build or by tools, or told of another time. */
const NOT_KEPT = /^(?:docs\/model\/pan|CHANGELOG\.md)/;

function wordsOf(file: string): string {
    const text = readFileSync(ROOT + file, 'utf8');
    const ending = file.slice(file.lastIndexOf('.') + 1);
    const comments = COMMENTS[ending];
    return ending === 'md' ? text : comments ? (text.match(comments) ?? []).join('\n') : '';
}

function findDeadPaths(words: string): string[] {
    return [...words.matchAll(PATH)].flatMap(([, path = '']) => (existsSync(ROOT + path) || NOT_KEPT.test(path) ? [] : [path]));
}

test('every path that a comment or a page names is there', () => {
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
        .split('\n')
        .filter((file) => file !== '' && existsSync(ROOT + file) && !file.startsWith('test/fixtures/') && file !== 'CHANGELOG.md');
    const dead = files.flatMap((file) => findDeadPaths(wordsOf(file)).map((path) => `${file}: ${path}`));
    expect(dead).toEqual([]);
    // A pattern that sees nothing would report success.
    expect(files.flatMap((file) => [...wordsOf(file).matchAll(PATH)]).length).toBeGreaterThan(300);
});

test('a path that is not there is found, and what is no path of the tree is not', () => {
    expect(findDeadPaths('see lake/no-such-room/file.ts and docs/nothing.md, or `cli/attic/`')).toEqual([
        'lake/no-such-room/file.ts',
        'docs/nothing.md',
        'cli/attic/',
    ]);
    expect(findDeadPaths('lake/errors.ts, lambdas/<job>/handler.ts, test/**/*.test.ts, my-lake/raw/x.ts, https://a.b/docs/x.md')).toEqual(
        [],
    );
});

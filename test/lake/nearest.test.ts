/** What a user may have meant, and how words are written so that a shell takes them. */
import { execFileSync } from 'node:child_process';
import { parseLakeLocation } from '#lake/lake';
import { nearestOf } from '#lake/nearest';
import { quoteForShell } from '#lake/quote-for-shell';

test('the nearest names take the fewest changes; of a path as much of its end counts as was given', () => {
    const keys = ['raw/site=berlin/monday.csv', 'raw/site=berlin/tuesday.csv', 'raw/sunday.csv', 'raw/friday.csv'];
    expect(nearestOf('mnoday.csv', keys, { count: 2 })).toEqual(['raw/site=berlin/monday.csv', 'raw/friday.csv']);
    expect(nearestOf('site=berlni/monday.csv', keys, { count: 1 })).toEqual(['raw/site=berlin/monday.csv']);
    expect(nearestOf('x', [])).toEqual([]);
});

test.each(['plain', './a/b.csv', 'two words', "it's", 'say "x"', '$HOME `id` \\ !', 'both \' and "', ''])(
    'a shell takes %j back as one word',
    (word) => {
        expect(execFileSync('sh', ['-c', `printf %s ${quoteForShell(word)}`], { encoding: 'utf8' })).toBe(word);
    },
);

test('a lake is a directory or a bucket, shown as it is typed', () => {
    expect(parseLakeLocation('s3://flows')).toEqual({ kind: 's3', name: 's3://flows', bucket: 'flows' });
    expect(parseLakeLocation('s3://flows/')).toMatchObject({ kind: 's3', bucket: 'flows' });
    for (const name of ['s3://', 's3://Flows', 's3://flows/2026', 's3://a']) {
        expect(() => parseLakeLocation(name)).toThrow(`${name} is no lake`);
    }
    expect(parseLakeLocation('S3://flows')).toEqual({ kind: 's3', name: 's3://flows', bucket: 'flows' });
    for (const name of ['s3:/flows', 's3:flows', 's3a://flows', 'https://flows.s3.amazonaws.com', 'arn:aws:s3:::flows', 'gs://flows']) {
        expect(() => parseLakeLocation(name)).toThrow(
            `${name} is no lake: give s3://bucket, or a directory (./${name}, where one has this name)`,
        );
    }
    expect(parseLakeLocation('C:\\lake')).toMatchObject({ kind: 'directory', name: 'C:\\lake' });
    expect(parseLakeLocation('my:lake')).toMatchObject({ kind: 'directory', name: 'my:lake' });
    expect(parseLakeLocation('./s3:/flows')).toMatchObject({ kind: 'directory' });
    expect(parseLakeLocation('/data/lake/')).toEqual({ kind: 'directory', name: '/data/lake/', directory: '/data/lake' });
});

/** An upload that was cut off is taken up where it was, and only that very one. */
import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { ConflictError } from '#lake/errors';
import { type JournalEntry, journalOf } from '#lake/upload/journal';
import { makeFolder } from '#test/support/temporary';

const ENTRY: JournalEntry = { bucket: 'lake', key: 'raw/a.csv', metadata: { 'date-order': 'mdy' }, sizeBytes: 1_000 };

let folder: string;

beforeEach(async () => {
    folder = await makeFolder();
});

function journal(change: Partial<JournalEntry> = {}) {
    return journalOf({ ...ENTRY, ...change }, { XDG_CACHE_HOME: folder });
}

test('is found again by another process until it is forgotten', async () => {
    expect(await journal().find()).toBeUndefined();
    await journal().keep('upload-1');
    expect(await journal().find()).toBe('upload-1');
    await journal().forget();
    expect(await journal().find()).toBeUndefined();
    await journal().forget();
});

test.each<[string, Partial<JournalEntry>]>([
    ['another bucket', { bucket: 'other' }],
    ['another name', { key: 'raw/b.csv' }],
    ['other reading options, which are part of the object once it is begun', { metadata: { 'date-order': 'dmy' } }],
    ['another size', { sizeBytes: 1_001 }],
])('is not taken for one of %s', async (_, change) => {
    await journal().keep('upload-1');
    expect(await journal(change).find()).toBeUndefined();
});

test('begins anew where what was kept of it was cut off itself', async () => {
    await journal().keep('upload-1');
    const [name = ''] = await readdir(join(folder, 'flowlake/uploads'));
    for (const length of [20, 0]) {
        await truncate(join(folder, 'flowlake/uploads', name), length);
        expect(await journal().find()).toBeUndefined();
    }
    await journal().keep('upload-2');
    expect(await journal().find()).toBe('upload-2');
});

test('is of no more use once another upload of the name has won', () => {
    const refused = Object.assign(new Error('at least one of the conditions did not hold'), { name: 'PreconditionFailed' });
    expect([new ConflictError('changed'), refused, new Error('the line is cut')].map(journal().isWorthKeeping)).toEqual([
        false,
        false,
        true,
    ]);
});

/** Databases of `serve`: what their errors say to people. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from '@jest/globals';
import { openDatabase } from '#lake/serve/sqlite';
import { makeFolder } from '#test/support/temporary';

const OPTIONS = {
    schema: 'create table numbers (n integer, text text)',
    version: 1,
    words: { what: 'notes cannot be used', damaged: 'Remove the file', busy: 'somebody holds it' },
};

test('a full disk is said as one, and nobody is told to remove the file', async () => {
    const database = openDatabase(join(await makeFolder(), 'notes.sqlite'), OPTIONS);
    database.all('pragma max_page_count = 4');
    const fill = (): void => void database.run('insert into numbers values (1, ?)', 'x'.repeat(50_000));
    expect(fill).toThrow('notes cannot be used: the disk is full, or the file has the size that it may have; free some space');

    database.close();
});

test('what is no database, or holds another process up for long, is said with what to do', async () => {
    const file = join(await makeFolder(), 'notes.sqlite');
    writeFileSync(file, 'nothing '.repeat(1_000));
    expect(() => openDatabase(file, OPTIONS)).toThrow('notes cannot be used: it is no database. Remove the file');
    const other = join(await makeFolder(), 'notes.sqlite');
    openDatabase(other, OPTIONS).close();
    const holder = new DatabaseSync(other);
    holder.exec('begin immediate');
    expect(() => openDatabase(other, OPTIONS)).toThrow('notes cannot be used: somebody holds it');
    holder.close();
});

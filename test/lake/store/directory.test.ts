/** The store in a directory: what every store promises, and what people may do to its files by hand. */
import { execFile as execFileWithCallback } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, link, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { StorageError } from '#lake/errors';
import { shortHash } from '#lake/source-id';
import { openDirectoryStore, removeTemporary, temporaryPath } from '#lake/store/directory';
import { ABSENT } from '#lake/store/object-store';
import { describeObjectStore } from '#test/support/object-store-contract';
import { makeFolder } from '#test/support/temporary';

const execFile = promisify(execFileWithCallback);

const NOTE_SYNCS = fileURLToPath(new URL('../../support/note-syncs.ts', import.meta.url));

describeObjectStore('directory', { openStore: async () => openDirectoryStore(await makeFolder()), mayNest: false });

describe('files that a person puts under raw/', () => {
    test('are objects like any other, the same at every look', async () => {
        const folder = await makeFolder();
        await writeByHand(folder, 'raw/site=berlin/a.csv', 'by hand');
        const store = openDirectoryStore(folder);
        const found = await store.head('raw/site=berlin/a.csv');
        const { etag } = await openDirectoryStore(await makeFolder()).put('raw/x', Buffer.from('by hand'));
        expect(found).toMatchObject({ etag, sizeBytes: 7, metadata: {} });
        expect(await store.head('raw/site=berlin/a.csv')).toEqual(found);
        expect(await openDirectoryStore(folder).head('raw/site=berlin/a.csv')).toEqual(found);
        await expect(store.put('raw/site=berlin/a.csv', Buffer.from('x'), { ifMatch: ABSENT })).rejects.toThrow(
            'changed by another writer',
        );
        await store.put('raw/site=berlin/a.csv', Buffer.from('x'), { ifMatch: etag });
    });

    test('are other objects once they are changed, also where size and time stay', async () => {
        const folder = await makeFolder();
        const path = await writeByHand(folder, 'raw/a.csv', 'before');
        await utimes(path, 1e9, 1e9);
        const store = openDirectoryStore(folder);
        const before = await store.head('raw/a.csv');
        await writeByHand(folder, 'raw/new', 'after!');
        await utimes(join(folder, 'raw/new'), 1e9, 1e9);
        await rename(join(folder, 'raw/new'), path);
        const after = await store.head('raw/a.csv');
        expect(after?.sizeBytes).toBe(before?.sizeBytes);
        expect(after?.etag).not.toBe(before?.etag);
        expect(after?.generation).not.toBe(before?.generation);
    });

    test('replace what was uploaded, options and all', async () => {
        const folder = await makeFolder();
        const store = openDirectoryStore(folder);
        const put = await store.put('raw/a.csv', Buffer.from('uploaded'), { metadata: { 'date-order': 'mdy' } });
        await writeByHand(folder, 'raw/a.csv', 'by hand');
        const found = await store.head('raw/a.csv');
        expect(found?.metadata).toEqual({});
        expect(found?.generation).not.toBe(put.generation);
    });
});

describe('a lake that is moved', () => {
    test.each([false, true])('keeps generations and options of its raw files (times kept: %s)', async (preserveTimestamps) => {
        const [from, to] = [await makeFolder(), await makeFolder()];
        const store = openDirectoryStore(from);
        await writeByHand(from, 'raw/by-hand.csv', 'by hand');
        await store.put('raw/a.csv', Buffer.from('a'), { metadata: { 'duration-unit': 's' } });
        await store.put('raw/a.csv', Buffer.from('a'), { metadata: { 'date-order': 'mdy' } });
        const keys = ['raw/a.csv', 'raw/by-hand.csv'];
        const before = await Promise.all(keys.map((key) => store.head(key)));
        expect(before[0]?.metadata).toEqual({ 'date-order': 'mdy' });
        await cp(from, to, { recursive: true, preserveTimestamps });
        expect(await Promise.all(keys.map((key) => openDirectoryStore(to).head(key)))).toEqual(before);
        await rename(to, `${to}-moved`);
        expect(await Promise.all(keys.map((key) => openDirectoryStore(`${to}-moved`).head(key)))).toEqual(before);
        await rename(`${to}-moved`, to);
    });

    test('knows nothing of an upload that was refused', async () => {
        const [from, to] = [await makeFolder(), await makeFolder()];
        const store = openDirectoryStore(from);
        const put = await store.put('raw/a.csv', Buffer.from('a'), { metadata: { 'date-order': 'mdy' } });
        // Later, so that its description would be the newest of these bytes.
        await new Promise((resolve) => setTimeout(resolve, 2));
        await expect(store.put('raw/a.csv', Buffer.from('a'), { ifMatch: ABSENT })).rejects.toThrow('changed by another writer');
        await cp(from, to, { recursive: true });
        expect(await openDirectoryStore(to).head('raw/a.csv')).toEqual(put);
    });

    test('without what the store knew of it has its files as if put by hand', async () => {
        const folder = await makeFolder();
        const put = await openDirectoryStore(folder).put('raw/a.csv', Buffer.from('a'), { metadata: { 'date-order': 'mdy' } });
        await rm(join(folder, '.flowlake'), { recursive: true });
        const found = await openDirectoryStore(folder).head('raw/a.csv');
        expect(found).toEqual({ ...put, generation: expect.stringMatching(/^found-/), metadata: {} });
    });

    test('reads descriptions that a crash has cut short as none', async () => {
        const folder = await makeFolder();
        const store = openDirectoryStore(folder);
        const put = await store.put('raw/a.csv', Buffer.from('a'));
        const [name = ''] = await readdir(join(folder, '.flowlake/objects'));
        const [file = ''] = await readdir(join(folder, '.flowlake/objects', name));
        await writeFile(join(folder, '.flowlake/objects', name, file), '{"etag":"');
        expect(await store.head('raw/a.csv')).toMatchObject({ etag: put.etag, sizeBytes: 1 });
    });
});

describe('errors of the system', () => {
    test.each([
        ['ENOSPC', 'the disk is full'],
        ['EDQUOT', 'your disk quota is used up'],
        ['EIO', 'the disk reports an input/output error'],
    ])('%s in the middle of a file is one clear error, and nothing is left', async (code, meaning) => {
        const folder = await makeFolder();
        const store = openDirectoryStore(folder);
        const error = Object.assign(new Error(`${code}: ...`), { code, syscall: 'write' });
        async function* body(): AsyncGenerator<Uint8Array> {
            yield Buffer.alloc(100_000);
            throw error;
        }
        const failure = await store.put('raw/a.csv', body()).catch((reason: unknown) => reason);
        expect(failure).toBeInstanceOf(StorageError);
        expect(failure).toMatchObject({
            message: expect.stringContaining(`cannot write raw/a.csv in ${folder}: ${meaning}`),
            cause: error,
        });
        expect(await filesIn(folder)).toEqual([]);
    });

    test('a file where the lake should be is one clear error', async () => {
        const file = join(await makeFolder(), 'lake');
        await writeFile(file, 'no folder');
        const store = openDirectoryStore(file);
        await expect(store.put('raw/a.csv', Buffer.from('a'))).rejects.toThrow('a file stands where a folder is needed');
        expect(await store.head('raw/a.csv')).toBeUndefined();
    });

    test.each(['.flowlake', '.flowlake/tmp', 'raw'])('a file in the place of the folder %s is named', async (name) => {
        const folder = await makeFolder();
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), 'no folder');
        await expect(openDirectoryStore(folder).put('raw/a.csv', Buffer.from('a'))).rejects.toThrow(
            `cannot write raw/a.csv in ${folder}: a file stands where a folder is needed: ${join(folder, name)} (EEXIST)`,
        );
    });

    (existsSync('/proc/self') ? test : test.skip)('a lake where no folder can be made is refused at once', async () => {
        await expect(openDirectoryStore('/proc/flowlake/lake').put('raw/a.csv', Buffer.from('a'))).rejects.toThrow(
            'cannot write raw/a.csv in /proc/flowlake/lake: nothing can be made below /proc (ENOENT)',
        );
    });

    test('a folder in the way of an object is one clear error, and nothing is left', async () => {
        const folder = await makeFolder();
        await mkdir(join(folder, 'raw/a.csv/below'), { recursive: true });
        const store = openDirectoryStore(folder);
        await expect(store.put('raw/a.csv', Buffer.from('a'))).rejects.toThrow('a folder stands where a file is needed');
        await expect(store.put('raw/a.csv', Buffer.from('a'), { ifMatch: ABSENT })).rejects.toThrow(
            'a folder stands where a file is needed',
        );
        expect((await filesIn(folder)).filter((name) => !name.startsWith('.flowlake/lock/'))).toEqual([]);
    });

    test('reading changes nothing in a folder that has no lake yet', async () => {
        const folder = await makeFolder();
        const store = openDirectoryStore(join(folder, 'none'));
        expect(await store.head('raw/a.csv')).toBeUndefined();
        await store.delete('raw/a.csv');
        for await (const object of store.list('raw/')) {
            throw new Error(`there should be no ${object.key}`);
        }
        expect(await readdir(folder)).toEqual([]);
        await chmod(folder, 0o700);
    });
});

async function writeByHand(folder: string, key: string, text: string): Promise<string> {
    const path = join(folder, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
}

async function filesIn(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

test('an object is on the disk before it has its name', async () => {
    const { stdout } = await execFile(process.execPath, [NOTE_SYNCS, await makeFolder()]);
    expect(stdout).toBe('false\nfalse\n');
});

test('a new object keeps its metadata where its writer was killed before it took the name away that it was written under', async () => {
    const folder = await makeFolder();
    const store = openDirectoryStore(folder);
    const put = await store.put('raw/a.csv', Buffer.from('a'), { ifMatch: ABSENT, metadata: { 'date-order': 'dmy' } });
    const left = temporaryPath(folder);
    await link(join(folder, 'raw/a.csv'), left);
    await removeTemporary(folder, basename(left));
    expect(await readdir(dirname(left))).toEqual([]);
    expect(await openDirectoryStore(folder).head('raw/a.csv')).toEqual(put);
});

test('a new object takes the place of a link, and what the link points to stays', async () => {
    const folder = await makeFolder();
    const other = join(await makeFolder(), 'other.csv');
    await writeFile(other, 'other');
    await mkdir(join(folder, 'raw'));
    await symlink(other, join(folder, 'raw/a.csv'));
    const store = openDirectoryStore(folder);
    await store.put('raw/a.csv', Buffer.from('a'), { ifMatch: ABSENT });
    expect(Buffer.from((await store.get('raw/a.csv'))?.bytes ?? '').toString()).toBe('a');
    expect(await readFile(other, 'utf8')).toBe('other');
});

describe('many small objects', () => {
    const MANY = 1_200;

    /** Raw files that were put by hand, and described at the first look. */
    async function putMany(): Promise<{ folder: string; keys: string[] }> {
        const folder = await makeFolder();
        const keys = Array.from({ length: MANY }, (_, at) => `raw/${at}.csv`);
        for (const key of keys) {
            await writeByHand(folder, key, key);
        }
        const store = openDirectoryStore(folder);
        for (const key of keys) {
            await store.head(key);
        }
        return { folder, keys };
    }

    test('are looked at without a link being followed, be it the last of them', async () => {
        const { folder, keys } = await putMany();
        const objects = join(folder, '.flowlake/objects');
        const linked = shortHash(keys.at(-1)!);
        await rename(join(objects, linked), join(folder, 'elsewhere'));
        await symlink(join(folder, 'elsewhere'), join(objects, linked));
        const store = openDirectoryStore(folder);
        const refused: string[] = [];
        for (const key of keys) {
            await store.head(key).catch((error: Error) => refused.push(error.message));
        }
        expect(refused).toEqual([expect.stringContaining(`.flowlake/objects/${linked} in ${folder} is a symbolic link`)]);
    });

    test('leave others their turn while they are listed and looked at', async () => {
        const { folder } = await putMany();
        const store = openDirectoryStore(folder);
        let turns = 0;
        const count = (): void => {
            turns += 1;
            timer = setTimeout(count, 0);
        };
        let timer = setTimeout(count, 0);
        for (let round = 0; round < 10; round += 1) {
            for await (const { key } of store.list('raw/')) {
                await store.head(key);
            }
        }
        clearTimeout(timer);
        expect(turns).toBeGreaterThan(1);
    });

    test('are listed as they were when their folder was read, also one that goes meanwhile', async () => {
        const folder = await makeFolder();
        await writeByHand(folder, 'raw/a', 'aa');
        await writeByHand(folder, 'raw/b', 'bb');
        const listed = [];
        for await (const object of openDirectoryStore(folder).list('raw/')) {
            listed.push(object);
            await rm(join(folder, 'raw/b'), { force: true });
        }
        expect(listed.map(({ key, sizeBytes }) => [key, sizeBytes])).toEqual([
            ['raw/a', 2],
            ['raw/b', 0],
        ]);
    });

    test('are read whole at the bound from which on others read them', async () => {
        const store = openDirectoryStore(await makeFolder());
        for (const size of [0, 65_535, 65_536, 65_537]) {
            const bytes = new Uint8Array(size).fill(7);
            const put = await store.put(`ledger/${size}`, bytes);
            expect(await store.get(`ledger/${size}`)).toEqual({ info: put, bytes });
            expect(await store.readEnd(`ledger/${size}`, { lastBytes: 3 })).toEqual({ bytes: bytes.slice(-3), sizeBytes: size });
        }
    });
});

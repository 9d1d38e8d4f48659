/** Objects in memory, kept up with what others write: what is seen when, and what a look costs. */
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { FollowedObjects } from '#lake/live/followed-objects';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { makeFolder } from '#test/support/temporary';

let directory: string;
let store: ObjectStore;
let listings: number;
let steadyMs: number;
/** False on a file system of which a folder does not tell whether folders lie in it: there each look lists. */
let isTold: boolean;

beforeEach(async () => {
    directory = await makeFolder();
    const real = openDirectoryStore(directory);
    [listings, steadyMs] = [0, 0];
    store = {
        ...real,
        list(prefix) {
            listings += 1;
            return real.list(prefix);
        },
    };
    await put('a');
    isTold = (await store.folderMark?.('things/')) !== undefined;
});

const put = (name: string, text = name): Promise<unknown> => store.put(`things/${name}.json`, Buffer.from(text));

const follow = (): Promise<FollowedObjects<string>> =>
    FollowedObjects.open({
        store,
        prefix: 'things/',
        parse: (_key, bytes) => Buffer.from(bytes).toString(),
        everyMs: 1_000_000,
        now: Date.now,
        monotonicMs: () => steadyMs,
        onTrouble: (why) => {
            throw new Error(why);
        },
    });

async function look(objects: FollowedObjects<string>, afterMs: number): Promise<number> {
    steadyMs += afterMs;
    const before = listings;
    await objects.refresh();
    return listings - before;
}

const textsOf = (objects: FollowedObjects<string>): string[] => objects.entries().flatMap(([, known]) => (known.ok ? [known.value] : []));

test('a folder in which nothing changes is listed until it has settled, and then every half minute', async () => {
    const objects = await follow();
    expect(await look(objects, 1_000)).toBe(1);
    // A change right behind the first look could have had the time of the one before it: one more listing sees it.
    expect(await look(objects, 2_000)).toBe(1);
    expect(await look(objects, 1_000)).toBe(isTold ? 0 : 1);
    expect(await look(objects, 28_000)).toBe(isTold ? 0 : 1);
    expect(await look(objects, 1_000)).toBe(1);
    expect(await look(objects, 1_000)).toBe(isTold ? 0 : 1);
    objects.close();
});

test('what comes, changes and goes is seen at the next look', async () => {
    const objects = await follow();
    await look(objects, 4_000);
    await put('b');
    await look(objects, 1_000);
    expect(textsOf(objects)).toEqual(['a', 'b']);
    await look(objects, 4_000);
    await put('a', 'another');
    await look(objects, 1_000);
    expect(textsOf(objects)).toEqual(['another', 'b']);
    await look(objects, 4_000);
    await store.delete('things/a.json');
    await look(objects, 1_000);
    expect(textsOf(objects)).toEqual(['b']);
    objects.close();
});

test('what was written into a file in its place is seen within half a minute', async () => {
    const objects = await follow();
    await look(objects, 4_000);
    writeFileSync(join(directory, 'things/a.json'), 'by hand');
    await look(objects, 30_000);
    expect(textsOf(objects)).toEqual(['by hand']);
    objects.close();
});

test('a folder with folders in it is always listed: its own time says nothing of theirs', async () => {
    await mkdir(join(directory, 'things/inner'));
    const objects = await follow();
    await look(objects, 4_000);
    await put('inner/c');
    expect(await look(objects, 1_000)).toBe(1);
    expect(textsOf(objects)).toEqual(['a', 'inner/c']);
    objects.close();
});

test('a folder that is not there yet is looked for', async () => {
    await store.delete('things/a.json');
    const objects = await FollowedObjects.open<string>({
        ...{ store, prefix: 'others/', everyMs: 1_000_000, now: Date.now, monotonicMs: () => steadyMs, onTrouble: () => undefined },
        parse: (key) => key,
    });
    await look(objects, 4_000);
    await store.put('others/x.json', Buffer.from('x'));
    await look(objects, 1_000);
    expect(textsOf(objects)).toEqual(['others/x.json']);
    objects.close();
});

/** What every object store promises (lake/store/object-store.ts); each adapter runs this suite. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ConflictError, StorageError } from '#lake/errors';
import { ABSENT, type ByteStream, type ListedObject, type ObjectStore } from '#lake/store/object-store';
import { bytesOf, cut, failing, inPieces, noise, readAll, sha256, textOf } from '#test/support/bytes';

export interface ContractOptions {
    /** An empty store; called before every test. */
    openStore: () => ObjectStore | Promise<ObjectStore>;
    /** True if `raw/a` and `raw/a/b` may both be objects, as on S3; in a directory one name is a file or a folder. */
    mayNest: boolean;
}

/** Count of objects: more than S3 lists at once. */
const MANY_OBJECTS = 1_005;

/** Size of a body: more than one part of an upload in parts, and no multiple of anything. */
const LARGE_BYTES = 9 * 2 ** 20 + 17;

const KEYS_OF_ALL_KINDS = [
    'raw/two words.csv',
    ' raw/blank in front',
    'raw/plus+plus and+.csv',
    'raw/100%.csv',
    'raw/%2F%20.csv',
    'raw/\'single\' "double" `back`.csv',
    'raw/Zürich – 東京 🚰.csv',
    'raw/Zu\u0308rich.csv',
    'raw/site=berlin/a=b&c#d?e;f,g:h@i$j!k(l)[m]{n}~o^p|q<r>.csv',
    'raw/back\\slash.csv',
    'raw/.hidden/..two..dots',
    'raw/CASE.csv',
    'raw/case.csv',
    `raw/${'long'.repeat(60)}`,
];

export function describeObjectStore(name: string, { openStore, mayNest }: ContractOptions): void {
    let store: ObjectStore;

    beforeEach(async () => {
        store = await openStore();
    });

    describe(`${name}: one object`, () => {
        test('says that nothing is there', async () => {
            expect(await store.head('raw/none')).toBeUndefined();
            expect(await store.get('raw/none')).toBeUndefined();
            await expect(readAll(store.open('raw/none', { ifMatch: 'e' }))).rejects.toThrow(ConflictError);
            await store.delete('raw/none');
            await store.delete('raw/none', { only: { etag: 'e', generation: 'g' } });
            expect(await listed(store, '')).toEqual([]);
        });

        test.each(['raw/one.csv', 'ledger/one.json'])('gives back what was put under %s, by every way of asking', async (key) => {
            const put = await store.put(key, bytesOf('one'));
            expect(put).toMatchObject({ key, sizeBytes: 3, metadata: {} });
            expect(put.etag).not.toBe(ABSENT);
            expect(await store.head(key)).toEqual(put);
            expect(await store.get(key)).toEqual({ info: put, bytes: bytesOf('one') });
            expect(await readAll(store.open(key, { ifMatch: put.etag }))).toEqual(bytesOf('one'));
            expect(await listed(store, key)).toMatchObject([{ key, sizeBytes: 3 }]);
        });

        test.each(['raw/one.csv', 'pair_days/one.parquet'])('gives back the end of %s alone', async (key) => {
            await store.put(key, bytesOf('0123456789'));
            expect(await store.readEnd(key, { lastBytes: 4 })).toEqual({ sizeBytes: 10, bytes: bytesOf('6789') });
            expect(await store.readEnd(key, { lastBytes: 10 })).toEqual({ sizeBytes: 10, bytes: bytesOf('0123456789') });
            expect(await store.readEnd(key, { lastBytes: 11 })).toEqual({ sizeBytes: 10, bytes: bytesOf('0123456789') });
            expect(await store.readEnd('raw/none', { lastBytes: 4 })).toBeUndefined();
            await store.put(key, bytesOf(''));
            expect(await store.readEnd(key, { lastBytes: 4 })).toEqual({ sizeBytes: 0, bytes: bytesOf('') });
        });

        test.each(['raw/one.csv', 'ledger/one.json'])('gives back a part of %s, of the bytes that were asked for or none', async (key) => {
            const { etag: ifMatch } = await store.put(key, bytesOf('0123456789'));
            expect(await store.readRange(key, { ifMatch, start: 0, end: 1 })).toEqual(bytesOf('0'));
            expect(await store.readRange(key, { ifMatch, start: 3, end: 7 })).toEqual(bytesOf('3456'));
            expect(await store.readRange(key, { ifMatch, start: 9, end: 10 })).toEqual(bytesOf('9'));
            expect(await store.readRange(key, { ifMatch, start: 8, end: 20 })).toEqual(bytesOf('89'));
            expect(await store.readRange(key, { ifMatch, start: 4, end: 4 })).toEqual(bytesOf(''));
            expect(await store.readRange(key, { ifMatch, start: 10, end: 12 })).toEqual(bytesOf(''));
            await store.put(key, bytesOf('abcdefghij'));
            await expect(store.readRange(key, { ifMatch, start: 3, end: 7 })).rejects.toThrow(ConflictError);
            await store.delete(key);
            await expect(store.readRange(key, { ifMatch, start: 3, end: 7 })).rejects.toThrow(ConflictError);
        });

        test('keeps an empty object, put whole or as a stream', async () => {
            const whole = await store.put('raw/whole', new Uint8Array());
            const stream = await store.put('raw/stream', inPieces([]));
            expect(whole.etag).toBe(stream.etag);
            for (const info of [whole, stream]) {
                expect(info.sizeBytes).toBe(0);
                expect(await store.head(info.key)).toEqual(info);
                expect((await store.get(info.key))?.bytes).toEqual(new Uint8Array());
                expect(await readAll(store.open(info.key, { ifMatch: info.etag }))).toEqual(new Uint8Array());
            }
            expect((await listed(store, 'raw/')).map(({ sizeBytes }) => sizeBytes)).toEqual([0, 0]);
        });

        test('keeps a large object that comes in pieces of all sizes, each overwritten by the next', async () => {
            const bytes = noise(LARGE_BYTES);
            const put = await store.put('raw/large', inPieces(cut(bytes, [1, 70_000, 3, 1 << 20, 0, 65_536])));
            expect(put.sizeBytes).toBe(LARGE_BYTES);
            expect(await store.head('raw/large')).toEqual(put);
            expect(sha256(await readAll(store.open('raw/large', { ifMatch: put.etag })))).toBe(sha256(bytes));
            expect(sha256((await store.get('raw/large'))?.bytes ?? bytesOf('nothing'))).toBe(sha256(bytes));
        });

        test('gives a reader bytes of its own', async () => {
            const mine = bytesOf('mine');
            await store.put('ledger/mine', mine);
            mine.fill(0);
            (await store.get('ledger/mine'))?.bytes.fill(1);
            expect((await store.get('ledger/mine'))?.bytes).toEqual(bytesOf('mine'));
        });

        test('replaces bytes, size and metadata together', async () => {
            const before = await store.put('raw/a', bytesOf('before'), { metadata: { 'date-order': 'dmy' } });
            const after = await store.put('raw/a', bytesOf('afterwards'), { metadata: { 'duration-unit': 's' } });
            expect(after.etag).not.toBe(before.etag);
            expect(await store.head('raw/a')).toEqual({ ...after, sizeBytes: 10, metadata: { 'duration-unit': 's' } });
            await store.put('raw/a', bytesOf('afterwards'));
            expect((await store.head('raw/a'))?.metadata).toEqual({});
            expect((await store.get('raw/a'))?.info.metadata).toEqual({});
        });

        test('keeps equal bytes apart by their generation', async () => {
            const seen = new Set<string>();
            for (const metadata of [{}, { 'date-order': 'dmy' }, {}]) {
                const put = await store.put('raw/a', bytesOf('same'), { metadata });
                expect(await store.head('raw/a')).toEqual(put);
                expect((await store.get('raw/a'))?.info).toEqual(put);
                seen.add(put.generation);
            }
            const other = await store.put('raw/b', bytesOf('same'));
            expect(seen.add(other.generation).size).toBe(4);
        });

        test('forgets all of a deleted object', async () => {
            const before = await store.put('raw/a', bytesOf('same'), { metadata: { 'date-order': 'dmy' } });
            await store.delete('raw/a');
            expect(await store.head('raw/a')).toBeUndefined();
            expect(await listed(store, 'raw/')).toEqual([]);
            const after = await store.put('raw/a', bytesOf('same'), { ifMatch: ABSENT });
            expect(after).toMatchObject({ etag: before.etag, metadata: {} });
            expect(after.generation).not.toBe(before.generation);
        });

        test('takes keys of all kinds', async () => {
            for (const key of KEYS_OF_ALL_KINDS) {
                await store.put(key, bytesOf(key));
            }
            for (const key of KEYS_OF_ALL_KINDS) {
                const { etag } = (await store.head(key)) ?? {};
                expect(await readAll(store.open(key, { ifMatch: etag ?? '' }))).toEqual(bytesOf(key));
                expect((await listed(store, key)).map((object) => object.key)).toEqual([key]);
            }
            expect((await listed(store, '')).map(({ key }) => key)).toEqual(inByteOrder(KEYS_OF_ALL_KINDS));
            for (const key of KEYS_OF_ALL_KINDS) {
                await store.delete(key);
            }
            expect(await listed(store, '')).toEqual([]);
        });
    });

    describe(`${name}: conditions`, () => {
        test.each(['raw/a', 'ledger/a'])('writes %s on its etag or its absence and on nothing else', async (key) => {
            await expect(store.put(key, bytesOf('1'), { ifMatch: 'no such etag' })).rejects.toThrow(ConflictError);
            expect(await store.head(key)).toBeUndefined();
            const first = await store.put(key, bytesOf('1'), { ifMatch: ABSENT });
            await expect(store.put(key, bytesOf('2'), { ifMatch: ABSENT })).rejects.toThrow(ConflictError);
            const second = await store.put(key, bytesOf('2'), { ifMatch: first.etag });
            await expect(store.put(key, bytesOf('3'), { ifMatch: first.etag })).rejects.toThrow(ConflictError);
            expect(await store.get(key)).toEqual({ info: second, bytes: bytesOf('2') });
            await store.delete(key);
            await expect(store.put(key, bytesOf('3'), { ifMatch: second.etag })).rejects.toThrow(ConflictError);
            expect(await store.head(key)).toBeUndefined();
        });

        test('holds a large stream to its condition', async () => {
            const bytes = noise(LARGE_BYTES);
            const large = (): ByteStream => inPieces(cut(bytes, [1 << 20]));
            const first = await store.put('raw/a', large(), { ifMatch: ABSENT });
            await expect(store.put('raw/a', large(), { ifMatch: ABSENT })).rejects.toThrow(ConflictError);
            const second = await store.put('raw/a', bytesOf('small'), { ifMatch: first.etag });
            await expect(store.put('raw/a', large(), { ifMatch: first.etag })).rejects.toThrow(ConflictError);
            expect(await store.head('raw/a')).toEqual(second);
        });

        test('lets just one of twenty win', async () => {
            let ifMatch: string = ABSENT;
            for (let round = 0; round < 5; round += 1) {
                const attempts = await Promise.allSettled(
                    Array.from({ length: 20 }, (_, at) => store.put('ledger/race', bytesOf(`${round} ${at}`), { ifMatch })),
                );
                const winners = attempts.filter((attempt) => attempt.status === 'fulfilled');
                expect(winners).toHaveLength(1);
                for (const attempt of attempts) {
                    expect(attempt).toMatchObject(attempt.status === 'rejected' ? { reason: expect.any(ConflictError) } : {});
                }
                const found = await store.get('ledger/race');
                expect(found?.info).toEqual(winners[0]?.value);
                expect(attempts.findIndex((attempt) => attempt.status === 'fulfilled')).toBe(Number(textOf(found?.bytes).split(' ')[1]));
                ifMatch = found?.info.etag ?? '';
            }
        });

        test('loses no increment of a counter', async () => {
            const increment = async (): Promise<void> => {
                for (;;) {
                    const found = await store.get('ledger/counter');
                    try {
                        const next = bytesOf(String(Number(textOf(found?.bytes)) + 1));
                        await store.put('ledger/counter', next, { ifMatch: found?.info.etag ?? ABSENT });
                        return;
                    } catch (error) {
                        expect(error).toBeInstanceOf(ConflictError);
                    }
                }
            };
            await Promise.all(Array.from({ length: 12 }, increment));
            expect(textOf((await store.get('ledger/counter'))?.bytes)).toBe('12');
        });

        test('opens the version that was asked for or none', async () => {
            const first = await store.put('raw/a', bytesOf('first'));
            const second = await store.put('raw/a', bytesOf('second'));
            await expect(readAll(store.open('raw/a', { ifMatch: first.etag }))).rejects.toThrow(ConflictError);
            expect(await readAll(store.open('raw/a', { ifMatch: second.etag }))).toEqual(bytesOf('second'));
            await store.delete('raw/a');
            await expect(readAll(store.open('raw/a', { ifMatch: second.etag }))).rejects.toThrow(ConflictError);
        });

        test.each(['replaced', 'deleted'])('never gives a reader a mixture, when the object is %s under it', async (fate) => {
            const bytes = noise(LARGE_BYTES);
            const { etag } = await store.put('raw/a', bytes);
            const pieces: Buffer[] = [];
            const read = async (): Promise<void> => {
                for await (const piece of store.open('raw/a', { ifMatch: etag })) {
                    if (pieces.push(Buffer.from(piece)) === 1) {
                        await (fate === 'deleted' ? store.delete('raw/a') : store.put('raw/a', noise(LARGE_BYTES + 1)));
                    }
                }
            };
            const outcome = await read().catch((error: unknown) => error);
            if (outcome === undefined) {
                expect(sha256(Buffer.concat(pieces))).toBe(sha256(bytes));
            } else {
                expect(outcome).toBeInstanceOf(ConflictError);
            }
        });

        test('can be left in the middle of reading', async () => {
            const large = await store.put('raw/a', noise(LARGE_BYTES));
            for await (const piece of store.open('raw/a', { ifMatch: large.etag })) {
                expect(piece.length).toBeGreaterThan(0);
                break;
            }
            await store.delete('raw/a', { only: large });
            expect(await store.head('raw/a')).toBeUndefined();
        });

        test.each(['second', 'first'])('deletes the upload that was asked for or none, also where the next one is %s', async (next) => {
            const first = await store.put('raw/a', bytesOf('first'));
            const second = await store.put('raw/a', bytesOf(next));
            await expect(store.delete('raw/a', { only: first })).rejects.toThrow(ConflictError);
            expect(await store.head('raw/a')).toEqual(second);
            await store.delete('raw/a', { only: second });
            expect(await store.head('raw/a')).toBeUndefined();
        });
    });

    describe(`${name}: streams that fail`, () => {
        const failures = [
            ['at once', 0],
            ['after some bytes', 100_000],
            ['after a part', LARGE_BYTES],
        ] as const;

        test.each(failures)('leaves nothing of a stream that fails %s', async (_, length) => {
            const broken = new Error('the line is cut');
            await expect(store.put('raw/a', failing(length, broken))).rejects.toBe(broken);
            await expect(store.put('raw/a', failing(length, broken), { ifMatch: ABSENT })).rejects.toBe(broken);
            expect(await store.head('raw/a')).toBeUndefined();
            expect(await listed(store, '')).toEqual([]);
        });

        test.each(failures)('keeps what was there when its replacement fails %s', async (_, length) => {
            const broken = new Error('the line is cut');
            const put = await store.put('raw/a', bytesOf('stays'), { metadata: { 'date-order': 'mdy' } });
            await expect(store.put('raw/a', failing(length, broken))).rejects.toBe(broken);
            await expect(store.put('raw/a', failing(length, broken), { ifMatch: put.etag })).rejects.toBe(broken);
            expect(await store.get('raw/a')).toEqual({ info: put, bytes: bytesOf('stays') });
        });
    });

    describe(`${name}: listings`, () => {
        test('begin with the prefix, in the order of their bytes', async () => {
            const keys = [
                'raw/a-b',
                'raw/a.csv',
                'raw/a/b',
                'raw/a/b.csv/c',
                'raw/a0',
                'raw/aé',
                'raw/a\u{ff5e}',
                'raw/a\u{1f6b0}',
                'raw/b',
                'rawer',
            ];
            for (const key of keys.toReversed()) {
                await store.put(key, bytesOf(key));
            }
            const keysOf = async (prefix: string): Promise<string[]> => (await listed(store, prefix)).map(({ key }) => key);
            expect(await keysOf('')).toEqual(inByteOrder(keys));
            expect(await keysOf('raw')).toEqual(inByteOrder(keys));
            expect(await keysOf('raw/')).toEqual(inByteOrder(keys.slice(0, 9)));
            expect(await keysOf('raw/a')).toEqual(inByteOrder(keys.slice(0, 8)));
            expect(await keysOf('raw/a/')).toEqual(['raw/a/b', 'raw/a/b.csv/c']);
            expect(await keysOf('raw/a/b.')).toEqual(['raw/a/b.csv/c']);
            expect(await keysOf('raw/a.csv')).toEqual(['raw/a.csv']);
            for (const prefix of ['raw/a.csv/', 'raw/a.csv/b', 'raw/c', 'ra/', 'none/', 'RAW/']) {
                expect(await keysOf(prefix)).toEqual([]);
            }
        });

        test('know nothing of folders: what lies below a key is not the key', async () => {
            await store.put('raw/a/b', bytesOf('below'));
            expect(await store.head('raw/a')).toBeUndefined();
            expect(await store.get('raw/a')).toBeUndefined();
            await expect(readAll(store.open('raw/a', { ifMatch: 'e' }))).rejects.toThrow(ConflictError);
            await store.delete('raw/a');
            await store.delete('raw/a', { only: { etag: 'e', generation: 'g' } });
            expect(await store.head('raw/a/b/c')).toBeUndefined();
            expect(await store.get('raw/a/b/c')).toBeUndefined();
            await store.delete('raw/a/b/c');
            expect(textOf((await store.get('raw/a/b'))?.bytes)).toBe('below');
        });

        test(mayNest ? 'let a key stand below another' : 'refuse a key below another in words that help', async () => {
            const first = await store.put('raw/a', bytesOf('a'));
            await store.put('raw/b/c', bytesOf('c'));
            const puts = [store.put('raw/a/b', bytesOf('b')), store.put('raw/b', bytesOf('b'), { ifMatch: ABSENT })];
            for (const outcome of await Promise.allSettled(puts)) {
                expect(outcome).toMatchObject(mayNest ? { status: 'fulfilled' } : { reason: expect.any(StorageError), status: 'rejected' });
                if (outcome.status === 'rejected') {
                    expect(outcome.reason.message).toMatch(/a file stands where a folder is needed|a folder stands where a file is needed/);
                }
            }
            expect((await listed(store, '')).map(({ key }) => key)).toEqual(
                mayNest ? ['raw/a', 'raw/a/b', 'raw/b', 'raw/b/c'] : ['raw/a', 'raw/b/c'],
            );
            expect(await store.head('raw/a')).toEqual(first);
        });

        test('are whole, however many objects there are', async () => {
            const keys = Array.from({ length: MANY_OBJECTS }, (_, at) => `summaries/day=2026-01-01/${at}`);
            for (let at = 0; at < keys.length; at += 67) {
                await Promise.all(keys.slice(at, at + 67).map((key) => store.put(key, bytesOf(key))));
            }
            expect((await listed(store, 'summaries/')).map(({ key }) => key)).toEqual(inByteOrder(keys));
        });

        test('go on when objects come and go meanwhile', async () => {
            const keys = ['raw/a', 'raw/b', 'raw/c/d', 'raw/e', 'raw/f'];
            await Promise.all(keys.map((key) => store.put(key, bytesOf(key))));
            const seen: string[] = [];
            for await (const { key } of store.list('raw/')) {
                if (seen.push(key) === 1) {
                    await Promise.all(['raw/c/d', 'raw/e'].map((gone) => store.delete(gone)));
                    await store.put('raw/d', bytesOf('new'));
                }
            }
            expect(seen.filter((key) => !['raw/c/d', 'raw/d', 'raw/e'].includes(key))).toEqual(['raw/a', 'raw/b', 'raw/f']);
            expect(seen).toEqual(inByteOrder(seen));
        });

        test('say when each object was written last, and no other etag than it has', async () => {
            const before = Date.now();
            const info = await store.put('raw/a', bytesOf('a'));
            const [object] = await listed(store, 'raw/');
            // Clocks of another machine, and whole seconds, are allowed.
            expect(Math.abs((object?.modifiedAt.getTime() ?? 0) - before)).toBeLessThan(60_000);
            expect(object?.etag ?? info.etag).toBe(info.etag);
        });
    });

    describe(`${name}: scratch room`, () => {
        test('gives back what was appended, and is no object', async () => {
            const [one, other] = [store.openScratch?.(), store.openScratch?.()];
            const large = noise(LARGE_BYTES);
            expect(one?.append(large)).toBe(0);
            expect(one?.append(bytesOf('one'))).toBe(LARGE_BYTES);
            expect(other?.append(bytesOf('other'))).toBe(0);
            expect(one?.append(bytesOf('two'))).toBe(LARGE_BYTES + 3);
            expect(one?.read({ start: LARGE_BYTES + 2, end: LARGE_BYTES + 5 })).toEqual(bytesOf('etw'));
            expect(Buffer.from(one?.read({ start: 0, end: LARGE_BYTES }) ?? []).equals(large)).toBe(true);
            expect(other?.read({ start: 0, end: 5 })).toEqual(bytesOf('other'));
            expect(() => other?.read({ start: 3, end: 6 })).toThrow('5 bytes');
            expect(await listed(store, '')).toEqual([]);
            for (const scratch of [one, other, one]) {
                scratch?.close();
            }
            expect(() => one?.read({ start: 0, end: 1 })).toThrow();
        });
    });
}

async function listed(store: ObjectStore, prefix: string): Promise<ListedObject[]> {
    const objects: ListedObject[] = [];
    for await (const object of store.list(prefix)) {
        objects.push(object);
    }
    return objects;
}

function inByteOrder(keys: readonly string[]): string[] {
    return keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

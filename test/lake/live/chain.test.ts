/** The chain's writer: whatever batches come, in other pieces, again or late, each message stands in the chain once and in order. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { chainKey, chainPlaceOf, ledgerKey } from '#lake/layout';
import { ChainWriter, listChain, readChainEnd } from '#lake/live/chain';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { decodeLine } from '#lake/telemetry/chain-line';
import { chainMessage } from '#test/support/chain-messages';
import { memoryStore } from '#test/support/memory-store';

const shard = { stream: '20260105T100000Z-00c0ffee', shard: '0' };
const MINUTE_MS = 60_000;

const batch = (...sequences: (number | string)[]) =>
    sequences.map((sequence) => chainMessage(Number(BigInt(sequence) % 1000n), { sequence: String(sequence) }));

function writerOver(store: ObjectStore, clock = { nowMs: 0 }) {
    return new ChainWriter(store, { ...shard, now: () => new Date(clock.nowMs) });
}

/** Sequence numbers of the chain's objects, in the order of their names. */
async function objectsOf(store: ObjectStore): Promise<string[][]> {
    const objects: string[][] = [];
    for await (const { key } of store.list('raw/')) {
        const lines = gunzipSync((await store.get(key))?.bytes ?? Buffer.of())
            .toString()
            .trimEnd()
            .split('\n')
            .map(decodeLine);
        expect(lines.at(-1)).toMatchObject({ is: 'end' });
        objects.push(lines.slice(0, -1).map((line) => (line.is === 'message' ? line.message.sequence : 'none')));
    }
    return objects;
}

describe('an object of the chain', () => {
    it('is named by the end of the one before, and tells its own in its last line and its metadata', async () => {
        const store = memoryStore();
        const writer = writerOver(store);
        expect(await writer.append(batch(1, 2, 3))).toEqual({ end: '3', appended: 3, key: chainKey({ kind: 'telemetry', ...shard }, '0') });
        const { key } = await writer.append(batch(4, 10));
        expect(key).toBe(`raw/kind=telemetry/stream=${shard.stream}/shard=0/${'0'.repeat(128)}3.jsonl.gz`);
        expect(chainPlaceOf(key ?? '')).toEqual({ prefix: `raw/kind=telemetry/stream=${shard.stream}/shard=0/`, predecessorEnd: '3' });
        expect((await store.head(key ?? ''))?.metadata).toEqual({ end: '10' });
        const lines = gunzipSync((await store.get(key ?? ''))?.bytes ?? Buffer.of()).toString();
        expect(lines.split('\n').slice(-2)).toEqual(['{"end":"10"}', '']);
        expect(lines.split('\n').map(decodeLine).slice(0, 2)).toEqual(batch(4, 10).map((message) => ({ is: 'message', message })));
    });

    it('has the same bytes for the same messages', async () => {
        const [one, other] = [memoryStore(), memoryStore()];
        const messages = Array.from({ length: 3000 }, (_, n) => chainMessage(n + 1));
        const { key = '' } = await writerOver(one).append(messages);
        await writerOver(other).append(messages);
        expect((await one.head(key))?.etag).toBe((await other.head(key))?.etag);
        expect((await objectsOf(one)).flat()).toHaveLength(3000);
    });

    it.each(['9', '99', '49669'.padEnd(56, '0'), '1'.padEnd(128, '0')])(
        'follows one that ends with %s, as numbers compare',
        async (end) => {
            const store = memoryStore();
            const next = String(BigInt(end) + 1n);
            await writerOver(store).append(batch(end));
            expect(await writerOver(store).append(batch(end, next))).toMatchObject({ appended: 1, end: next });
            expect(await objectsOf(store)).toEqual([[end], [next]]);
            expect(await readChainEnd(store, shard)).toBe(next);
        },
    );
});

describe('a batch', () => {
    it('that comes again, in whatever pieces, adds only what is behind the end', async () => {
        const store = memoryStore();
        await writerOver(store).append(batch(1, 2, 3));
        expect(await writerOver(store).append(batch(1, 2))).toEqual({ end: '3', appended: 0, key: undefined });
        expect(await writerOver(store).append(batch(2, 3, 4, 5))).toMatchObject({ end: '5', appended: 2 });
        expect(await writerOver(store).append([])).toMatchObject({ end: '5', appended: 0 });
        expect(await objectsOf(store)).toEqual([
            ['1', '2', '3'],
            ['4', '5'],
        ]);
    });

    it('has several messages of one number in one object, all or none', async () => {
        const store = memoryStore();
        await writerOver(store).append(batch(1, 2, 2));
        await writerOver(store).append(batch(2, 2, 3, 3, 3));
        expect(await objectsOf(store)).toEqual([
            ['1', '2', '2'],
            ['3', '3', '3'],
        ]);
    });

    it('whose messages are out of order, or have no number, is refused', async () => {
        const writer = writerOver(memoryStore());
        await expect(writer.append(batch(2, 1))).rejects.toThrow('Message "1" cannot follow 2 in a chain');
        for (const sequence of ['', '0', '000', '-1', '1.5']) {
            await expect(writer.append([chainMessage(1, { sequence })])).rejects.toThrow('cannot follow 0 in a chain');
        }
    });

    it('may not come before the one before is in', async () => {
        const writer = writerOver(memoryStore());
        const first = writer.append(batch(1));
        await expect(writer.append(batch(2))).rejects.toThrow('one batch after the other');
        await first;
        expect(await writer.append(batch(2))).toMatchObject({ appended: 1 });
    });

    it('whose answer was lost is found in the chain the next time', async () => {
        const store = memoryStore();
        let isLost = true;
        const writer = writerOver({
            ...store,
            async put(...parameters) {
                const info = await store.put(...parameters);
                if (isLost) {
                    isLost = false;
                    throw new Error('no answer');
                }
                return info;
            },
        });
        await expect(writer.append(batch(1, 2))).rejects.toThrow('no answer');
        expect(await writer.append(batch(1, 2, 3))).toMatchObject({ appended: 1, end: '3' });
        expect(await objectsOf(store)).toEqual([['1', '2'], ['3']]);
    });
});

describe('two writers', () => {
    it('make one list: who comes later reads the end again, and drops what is in', async () => {
        const store = memoryStore();
        const [one, other] = [writerOver(store), writerOver(store)];
        await one.append(batch(1));
        await other.append(batch(1, 2, 3));
        expect(await one.append(batch(2, 3, 4))).toMatchObject({ appended: 1, end: '4' });
        expect(await other.append(batch(4))).toMatchObject({ appended: 0 });
        expect(await objectsOf(store)).toEqual([['1'], ['2', '3'], ['4']]);
    });

    it('believe the end in memory for ten minutes, and list again then', async () => {
        let lists = 0;
        const store = memoryStore();
        const counted: ObjectStore = {
            ...store,
            list(prefix) {
                lists += 1;
                return store.list(prefix);
            },
        };
        const clock = { nowMs: 0 };
        const writer = writerOver(counted, clock);
        await writer.append(batch(1));
        clock.nowMs += 10 * MINUTE_MS;
        await writer.append(batch(2));
        expect(lists).toBe(1);
        clock.nowMs += 10 * MINUTE_MS + 1;
        await writer.append(batch(3));
        expect(lists).toBe(2);
        // A clock that was put back says nothing of how long ago it was.
        clock.nowMs -= 1;
        await writer.append(batch(4));
        expect(lists).toBe(3);
        const only = new ChainWriter(counted, { ...shard, now: () => new Date(clock.nowMs), believeMs: Number.POSITIVE_INFINITY });
        await only.append(batch(5));
        clock.nowMs += 1e9;
        await only.append(batch(6));
        expect(lists).toBe(4);
    });
});

describe('the end of a chain', () => {
    it('is 0 where it has no object, and that of the greatest name where some were pruned', async () => {
        const store = memoryStore();
        expect(await readChainEnd(store, shard)).toBe('0');
        const keys = [];
        for (const n of [1, 2, 3, 4]) {
            keys.push((await writerOver(store).append(batch(n))).key ?? '');
        }
        await store.delete(keys[1] ?? '');
        await store.delete(keys[0] ?? '');
        expect(await readChainEnd(store, shard)).toBe('4');
        expect(await listChain(store, { ...shard, behind: '2' })).toEqual(keys.slice(2));
        expect(await listChain(store, { ...shard, behind: '3' })).toEqual(keys.slice(3));
    });

    it('is read from the last line where the object was copied without its metadata', async () => {
        const store = memoryStore();
        const { key = '' } = await writerOver(store).append(batch(1, 2, 7));
        const { bytes } = (await store.get(key)) ?? { bytes: new Uint8Array() };
        await store.put(key, bytes);
        expect(await readChainEnd(store, shard)).toBe('7');
        await store.put(key, bytes, { metadata: { end: 'seven' } });
        expect(await readChainEnd(store, shard)).toBe('7');
    });

    it('cannot be told, and nothing is appended, where the last object is damaged or none of the chain', async () => {
        const store = memoryStore();
        const { key = '' } = await writerOver(store).append(batch(5, 6));
        for (const bytes of [Buffer.from('no gzip'), gunzipSync((await store.get(key))?.bytes ?? Buffer.of())]) {
            await store.put(key, bytes);
            await expect(writerOver(store).append(batch(7))).rejects.toThrow(`${key} is no chain object, or a damaged one`);
        }
        await store.put(key, Buffer.of(), { metadata: { end: '0' } });
        await expect(writerOver(store).append(batch(7))).rejects.toThrow('its end 0 is not behind its name');
    });

    it('is no less than what its writer is told, where objects were taken away', async () => {
        const store = memoryStore();
        const writer = new ChainWriter(store, { ...shard, now: () => new Date(), atLeast: '5' });
        expect(await writer.end()).toBe('5');
        expect(await writer.append(batch(4, 5, 6))).toMatchObject({ appended: 1, key: chainKey({ kind: 'telemetry', ...shard }, '5') });
        expect(await new ChainWriter(store, { ...shard, now: () => new Date(), atLeast: '5' }).end()).toBe('6');
    });

    it('is not that of other chains, nor of other files beside it', async () => {
        const store = memoryStore();
        await writerOver(store).append(batch(1));
        await new ChainWriter(store, { ...shard, shard: '1', now: () => new Date() }).append(batch(9));
        await store.put(`raw/kind=telemetry/stream=${shard.stream}/shard=0/zzz.jsonl.gz`, Buffer.from('a file of somebody'));
        expect(await readChainEnd(store, shard)).toBe('1');
    });
});

describe('an end that is known without a listing', () => {
    /** A chain of three objects, and a writer that is told this end; `lists` counts its listings. */
    async function openTold(told: string | undefined) {
        const store = memoryStore();
        const first = writerOver(store);
        for (const n of [1, 2, 3]) {
            await first.append(batch(n));
        }
        const counted = { ...store, lists: 0 };
        counted.list = (prefix: string) => {
            counted.lists += 1;
            return store.list(prefix);
        };
        const writer = new ChainWriter(counted, { ...shard, now: () => new Date(0), findEnd: async () => told });
        return { store, counted, writer };
    }

    it('is believed where its object is the last, and nothing is listed', async () => {
        const { store, counted, writer } = await openTold('3');
        expect(await writer.append(batch(2, 3, 4))).toMatchObject({ end: '4', appended: 1 });
        expect(counted.lists).toBe(0);
        expect(await objectsOf(store)).toEqual([['1'], ['2'], ['3'], ['4']]);
    });

    it.each([['1'], [undefined]])('is looked for where it is an older one, or none: %s', async (told) => {
        const { store, counted, writer } = await openTold(told);
        expect(await writer.append(batch(2, 3, 4))).toMatchObject({ end: '4', appended: 1 });
        expect(counted.lists).toBe(1);
        expect(await objectsOf(store)).toEqual([['1'], ['2'], ['3'], ['4']]);
    });

    it('is no end where what was named after it was read, and is pruned', async () => {
        const { store, counted, writer } = await openTold('1');
        const freed = chainKey({ kind: 'telemetry', ...shard }, '1');
        await store.put(ledgerKey(sourceId(freed)), Buffer.from('{}'));
        await store.delete(freed);
        expect(await writer.append(batch(4))).toMatchObject({ key: chainKey({ kind: 'telemetry', ...shard }, '3') });
        expect(counted.lists).toBe(1);
    });
});

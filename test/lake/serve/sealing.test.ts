/** Sealing: every message of the inbox comes into the tables once, whatever fails on the way, and only then leaves the inbox. */
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { findUndoneWork } from '#lake/commit/reconcile';
import { mergedKey, RAW_PREFIX } from '#lake/layout';
import type { Inbox } from '#lake/serve/inbox';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { readings } from '#lake/telemetry/tables';
import { newMessage } from '#test/support/chain-messages';
import { readingsOf } from '#test/support/readings-of';
import { inboxFile, newLake, serveLake } from '#test/support/served-lake';

function appendAll(inbox: Inbox, from: number, to: number): Promise<string[]> {
    return Promise.all(Array.from({ length: to - from + 1 }, (_, at) => inbox.append(newMessage(from + at))));
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

async function chainOf(store: ObjectStore): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of store.list(RAW_PREFIX)) {
        keys.push(key);
    }
    return keys;
}

async function expectNothingUndone(store: ObjectStore): Promise<void> {
    expect(await findUndoneWork(store, { now: new Date() })).toEqual({ sources: [], deadObjects: [], periods: [], derived: [] });
}

describe('sealing', () => {
    it('takes all messages into the chain and the tables, and only then out of the inbox', async () => {
        const { store, inbox, sealer } = await serveLake(await newLake());
        await appendAll(inbox, 1, 50);
        expect(sealer.status()).toMatchObject({ sealedTo: '0', inLakeTo: '0', lagMessages: 50, faults: [] });
        expect(sealer.status().lagMs).toBeGreaterThan(0);
        expect(await sealer.sealNow()).toMatchObject({
            messages: 50,
            objects: [expect.stringContaining('/shard=0/000')],
            unreadable: [],
            faults: [],
        });
        expect(sealer.status()).toEqual({ sealedTo: '50', inLakeTo: '50', lagMessages: 0, lagMs: 0, faults: [], lastError: undefined });
        expect(inbox.discardedTo()).toBe('50');
        expect(await readingsOf(store)).toEqual(numbers(1, 50));
        await expectNothingUndone(store);

        await appendAll(inbox, 51, 60);
        await sealer.sealNow();
        expect(await sealer.sealNow()).toMatchObject({ messages: 0, objects: [] });
        expect(await readingsOf(store)).toEqual(numbers(1, 60));
        expect(await chainOf(store)).toHaveLength(2);
    });

    it('begins by itself some time after a message came, and at once where there are many', async () => {
        const { store, inbox, sealer, close } = await serveLake(await newLake(), { settings: { everyMs: 50, maxMessages: 100 } });
        await appendAll(inbox, 1, 3);
        await until(() => sealer.status().inLakeTo === '3');
        await close();
        expect(await readingsOf(store)).toEqual(numbers(1, 3));

        const many = await serveLake(await newLake(), { settings: { everyMs: 1e9, maxMessages: 100 } });
        await appendAll(many.inbox, 1, 99);
        await sleep(20);
        expect(many.sealer.status().sealedTo).toBe('0');
        await appendAll(many.inbox, 100, 101);
        await until(() => many.sealer.status().inLakeTo === '101');

        const large = await serveLake(await newLake(), { settings: { everyMs: 1e9, maxBytes: 100_000 } });
        await large.inbox.append(newMessage(1, { payload: Buffer.alloc(100_001, ' ') }));
        await until(() => large.sealer.status().inLakeTo === '1');
    });

    it('makes no object without a message, and several of many', async () => {
        const { store, inbox, sealer } = await serveLake(await newLake(), { settings: { everyMs: 1e9, maxMessages: 10 } });
        await sealer.sealNow();
        expect(await chainOf(store)).toEqual([]);
        await appendAll(inbox, 1, 205);
        await sealer.sealNow();
        expect(await chainOf(store)).toHaveLength(21);
        expect(await readingsOf(store)).toEqual(numbers(1, 205));
        expect(inbox.discardedTo()).toBe('205');
    });

    it('goes on after a restart with what was left in the inbox, and says no message twice', async () => {
        const directory = await newLake();
        const first = await serveLake(directory);
        await appendAll(first.inbox, 1, 20);
        await first.close();
        const second = await serveLake(directory);
        await second.sealer.sealNow();
        await appendAll(second.inbox, 21, 25);
        await second.close();
        const third = await serveLake(directory);
        await until(() => third.sealer.status().inLakeTo === '25');
        expect(await readingsOf(third.store)).toEqual(numbers(1, 25));
    });

    it('loses nothing of an inbox that was restored from a backup: its numbers begin again under another stream', async () => {
        // Without the look at the chain the numbers go on as the backup has them: new messages are taken for those that the chain has.
        for (const [endOfChain, expected] of [
            [undefined, [...numbers(1, 20), ...numbers(101, 104)]],
            [async () => '0', [...numbers(1, 20), ...numbers(104, 104)]],
        ] as const) {
            const directory = await newLake();
            const first = await serveLake(directory);
            await appendAll(first.inbox, 1, 17);
            await first.close();
            await cp(inboxFile(directory), `${directory}.backup`);
            const second = await serveLake(directory);
            await appendAll(second.inbox, 18, 20);
            await second.sealer.sealNow();
            await second.close();
            await cp(`${directory}.backup`, inboxFile(directory));
            const third = await serveLake(directory, endOfChain && { endOfChain });
            await appendAll(third.inbox, 101, 104);
            await third.sealer.sealNow();
            expect(await readingsOf(third.store)).toEqual(expected);
            await expectNothingUndone(third.store);
        }
    });

    it('goes on where somebody has taken the chain away', async () => {
        const directory = await newLake();
        const first = await serveLake(directory);
        await appendAll(first.inbox, 1, 5);
        await first.sealer.sealNow();
        await first.close();
        await rm(join(directory, 'raw'), { recursive: true });
        const second = await serveLake(directory);
        expect(await second.sealer.sealNow()).toMatchObject({ messages: 0, faults: [] });
        await appendAll(second.inbox, 6, 7);
        expect(await second.sealer.sealNow()).toMatchObject({ messages: 2, faults: [] });
        expect(await readingsOf(second.store)).toEqual(numbers(1, 7));
    });

    it('keeps in the inbox what others have not read', async () => {
        let read = '7';
        const { inbox, sealer } = await serveLake(await newLake(), { readTo: () => read });
        await appendAll(inbox, 1, 20);
        await sealer.sealNow();
        expect([inbox.discardedTo(), sealer.status().inLakeTo]).toEqual(['7', '20']);
        read = '20';
        await sealer.sealNow();
        expect(inbox.discardedTo()).toBe('20');
    });

    it('ends after the pass that is under way, and answers everybody', async () => {
        const { inbox, sealer } = await serveLake(await newLake());
        await appendAll(inbox, 1, 5);
        const [first, second] = [sealer.sealNow(), sealer.sealNow()];
        const third = sealer.sealNow();
        await sealer.stop();
        expect(await first).toMatchObject({ messages: 5 });
        await Promise.allSettled([second, third]);
        await expect(sealer.sealNow()).rejects.toThrow('sealing has ended');
    });
});

describe('what cannot be done', () => {
    it('in the chain is kept as a fault; messages go on being taken in, and are sealed later', async () => {
        const directory = await newLake();
        const broken = openDirectoryStore(directory);
        let isBroken = true;
        const store: ObjectStore = {
            ...broken,
            put: (key, ...rest) =>
                isBroken && key.startsWith(RAW_PREFIX) ? Promise.reject(new Error('no room')) : broken.put(key, ...rest),
        };
        const { inbox, sealer } = await serveLake(directory, { store });
        await appendAll(inbox, 1, 3);
        expect(await sealer.sealNow()).toMatchObject({
            messages: 0,
            faults: [{ what: 'append to the chain', message: 'no room', tries: 1 }],
        });
        await appendAll(inbox, 4, 6);
        expect(await sealer.sealNow()).toMatchObject({ faults: [{ tries: 2 }] });
        const { lastError, faults, lagMessages, inLakeTo } = sealer.status();
        expect([lastError, lagMessages, inLakeTo, inbox.discardedTo()]).toEqual(['no room', 6, '0', '0']);
        expect((faults[0]?.nextTryAt.getTime() ?? 0) - (faults[0]?.since.getTime() ?? 0)).toBeGreaterThanOrEqual(60_000);
        isBroken = false;
        expect(await sealer.sealNow()).toMatchObject({ messages: 6, faults: [] });
        expect(await readingsOf(store)).toEqual(numbers(1, 6));
    });

    it('of one period holds up no other, leaves a mark, and is done once it can be', async () => {
        const directory = await newLake();
        const { store, inbox, sealer } = await serveLake(directory);
        const hour = join(directory, mergedKey(readings, '2026-01-05T10'));
        // A folder stands where the hour's object belongs.
        await mkdir(hour, { recursive: true });
        await appendAll(inbox, 1, 3);
        await inbox.append(newMessage(4000));
        const { faults } = await sealer.sealNow();
        expect(faults).toMatchObject([{ what: expect.stringContaining('consolidate readings 2026-01-05T10'), tries: 1 }]);
        expect(sealer.status()).toMatchObject({ inLakeTo: '4', lastError: faults[0]?.message });
        expect(inbox.discardedTo()).toBe('4');
        expect(await readingsOf(store)).toEqual([4000]);

        await inbox.append(newMessage(4001));
        await sealer.sealNow();
        expect(await readingsOf(store)).toEqual([4000, 4001]);
        await rm(hour, { recursive: true });
        expect(await sealer.sealNow()).toMatchObject({ faults: [] });
        expect(await readingsOf(store)).toEqual([1, 2, 3, 4000, 4001]);
        await expectNothingUndone(store);
    });

    it('because it was ended is done after the next start', async () => {
        const directory = await newLake();
        const plain = openDirectoryStore(directory);
        const ending = new AbortController();
        const store: ObjectStore = {
            ...plain,
            async put(key, ...rest) {
                const info = await plain.put(key, ...rest);
                if (key.startsWith(RAW_PREFIX)) {
                    ending.abort(new Error('it is to end now'));
                }
                return info;
            },
        };
        const first = await serveLake(directory, { store, signal: ending.signal });
        await appendAll(first.inbox, 1, 5);
        await expect(first.sealer.sealNow()).rejects.toThrow('it is to end now');
        await expect(first.sealer.sealNow()).rejects.toThrow('sealing has ended');
        expect([await readingsOf(plain), first.inbox.discardedTo()]).toEqual([[], '0']);
        await first.close();
        const second = await serveLake(directory);
        expect(await second.sealer.sealNow()).toMatchObject({ faults: [] });
        expect(await chainOf(plain)).toHaveLength(1);
        expect([await readingsOf(plain), second.inbox.discardedTo()]).toEqual([numbers(1, 5), '5']);
    });

    it('of what a killed command left is told, and holds up nothing; it is finished once it can be', async () => {
        const directory = await newLake();
        const store = openDirectoryStore(directory);
        const left = 'raw/kind=telemetry/left.jsonl';
        await store.put(left, Buffer.from(newMessage(7).payload), { metadata: { profile: 'thermometer' } });
        await mkdir(join(directory, '.flowlake/running'), { recursive: true });
        await writeFile(join(directory, '.flowlake/running/999999999-dead'), `${hostname()} 999999999 1`);
        // A folder stands where its hour belongs.
        const hour = join(directory, mergedKey(readings, '2026-01-05T10'));
        await mkdir(hour, { recursive: true });
        const { inbox, sealer } = await serveLake(directory);
        await inbox.append(newMessage(4000));
        const { faults } = await sealer.sealNow();
        expect(faults).toMatchObject([{ what: 'finish what a command that was cut off has left' }]);
        expect(await readingsOf(store)).toEqual([4000]);
        await rm(hour, { recursive: true });
        expect(await sealer.sealNow()).toMatchObject({ faults: [] });
        expect(await readingsOf(store)).toEqual([7, 4000]);
        expect(await readdir(join(directory, '.flowlake/running'))).toEqual([]);
    });

    it('of an object that has the name of one that was read before is told: it is never read', async () => {
        const directory = await newLake();
        const first = await serveLake(directory, { readTo: () => '0' });
        await appendAll(first.inbox, 1, 5);
        const { objects } = await first.sealer.sealNow();
        await first.close();
        await rm(join(directory, 'raw'), { recursive: true });
        const second = await serveLake(directory, { readTo: () => '0', signal: AbortSignal.abort() });
        await appendAll(second.inbox, 6, 7);
        await second.close();
        const third = await serveLake(directory);
        const { faults } = await third.sealer.sealNow();
        expect(faults).toMatchObject([
            {
                what: `summarize ${objects[0]}`,
                message: expect.stringContaining('has the name of an object of the chain that was read before'),
            },
        ]);
        expect(await readingsOf(third.store)).toEqual(numbers(1, 5));
    });
});

async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
        await sleep(5);
    }
}

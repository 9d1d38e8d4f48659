import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StorageError } from '#lake/errors';
import type { LiveProfiles } from '#lake/live/live-profiles';
import { LatestConsumer, type LatestConsumerOptions } from '#lake/serve/latest-consumer';
import { openStateDatabase, type StateDatabase } from '#lake/serve/state-database';
import { openStateQueries } from '#lake/serve/state-queries';
import { MemoryInbox, openTestProfiles, START_MS, TestClock } from '#test/support/live-world';
import { memoryStore } from '#test/support/memory-store';
import { makeFolder } from '#test/support/temporary';

let file: string;
let inbox: MemoryInbox;
let profiles: LiveProfiles;
let clock: TestClock;
let state: StateDatabase;
let faults: string[];

beforeEach(async () => {
    file = join(await makeFolder(), 'live', 'state.sqlite');
    inbox = new MemoryInbox();
    clock = new TestClock();
    faults = [];
    profiles = await openTestProfiles(memoryStore({}), { clock, faults });
    state = openStateDatabase(file);
});

afterEach(() => state.close());

const open = (options: Partial<LatestConsumerOptions> = {}) =>
    new LatestConsumer({
        inbox,
        store: state,
        profiles,
        now: clock.now,
        monotonicMs: clock.monotonicMs,
        onFault: (what) => faults.push(what),
        ...options,
    });

const temperatures = async (device = 'th-1') => (await state.read([device])).get(device)?.metrics.temperature?.value;

const say = (temp: number, { device = 'th-1', at = inbox.messages.length } = {}) =>
    inbox.add({ device, payload: { t: START_MS + at, n: at, temp } });

describe('the consumer', () => {
    test('takes what is in the inbox, and goes on behind it after a restart', async () => {
        say(20);
        await open().takeAll();
        say(21);
        state.close();
        state = openStateDatabase(file);
        expect(state.cursor()).toEqual({ stream: 's1', sequence: '1' });
        await open().takeAll();
        expect([await temperatures(), state.cursor()]).toEqual(['21.00', { stream: 's1', sequence: '2' }]);
    });

    test('begins at 0 where the inbox counts anew', async () => {
        say(20);
        const consumer = open();
        expect(consumer.takenTo()).toBe('0');
        await consumer.takeAll();
        expect(consumer.takenTo()).toBe('1');
        inbox.stream = 's2';
        expect(consumer.takenTo()).toBe('0');
        inbox.messages.length = 0;
        say(25, { at: 9 });
        await open().takeAll();
        expect([await temperatures(), state.cursor()]).toEqual(['25.00', { stream: 's2', sequence: '1' }]);
    });

    test('wakes when something is appended', async () => {
        const consumer = open();
        consumer.start();
        say(20);
        say(21);
        while ((await temperatures()) !== '21.00') {
            await sleep(1);
        }
        await consumer.stop();
        expect(faults).toEqual([]);
    });

    test('says once that it stands still, tries again, and says that it goes on', async () => {
        let isBroken = true;
        const consumer = open({
            profiles: { read: (messages) => (isBroken ? Promise.reject(new StorageError('disk is gone')) : profiles.read(messages)) },
        });
        consumer.start();
        say(20);
        while (faults.length === 0) {
            await sleep(1);
        }
        expect(consumer.progress().fault).toBe('disk is gone');
        await sleep(300);
        isBroken = false;
        while ((await temperatures()) === undefined) {
            await sleep(5);
        }
        await consumer.stop();
        expect(faults).toEqual(['latest state stands still, and is tried again: disk is gone', 'latest state goes on']);
    });

    test('is never stopped by a payload that breaks a reader', async () => {
        const profile = await profiles.open('thermostat');
        const { reader } = profile as { reader: { read(message: { payload: Uint8Array }): unknown } };
        const read = reader.read;
        reader.read = (message) => {
            if (message.payload.length === 0) {
                throw new RangeError('broken');
            }
            return read(message);
        };
        inbox.add({ payload: '' });
        say(20);
        await open().takeAll();
        expect(await temperatures()).toBe('20.00');
        expect(faults).toHaveLength(1);
    });

    test('merges again where another one was faster, and both together take each message once', async () => {
        for (let at = 0; at < 40; at += 1) {
            say(at % 2 === 0 ? 31 : 20, { device: `th-${at % 3}` });
        }
        inbox.add({ payload: 'no json' });
        const other = openStateDatabase(file);
        let isFirst = true;
        const raced = open({
            store: {
                ...state,
                async write(batch) {
                    if (isFirst) {
                        isFirst = false;
                        await open({ store: other }).takeAll();
                    }
                    return state.write(batch);
                },
            },
        });
        await raced.takeAll();
        other.close();
        expect((await state.read(['th-1'])).get('th-1')).toMatchObject({ version: 1, rejected: 1, late: 0, sequence: '41' });
        const alerts = openStateQueries(state.database).alerts({ limit: 100 });
        expect(alerts).toHaveLength(20);
        expect(openStateQueries(state.database).events({ after: 0, limit: 1000, latest: false }).events).toHaveLength(40 - 1);
    });

    test('tells how far it is: level with an empty inbox, behind while it cannot write', async () => {
        const consumer = open();
        clock.pass(5_000);
        expect(consumer.progress()).toMatchObject({ watermarkMs: START_MS + 5_000, behindMs: 0 });
        say(20);
        clock.pass(7_000);
        expect(consumer.progress()).toMatchObject({ watermarkMs: START_MS + 5_000, behindMs: 7_000 });
        await consumer.takeAll();
        expect(consumer.progress()).toMatchObject({ watermarkMs: START_MS + 12_000, behindMs: 0 });
    });
});

describe('the database', () => {
    test('syncs each commit to the disk', () => {
        expect(state.database.get('pragma synchronous')).toEqual({ synchronous: 2 });
        expect(state.database.get('pragma journal_mode')).toEqual({ journal_mode: 'wal' });
    });

    test('waits for the disk again after values that it did not wait for', async () => {
        say(3);
        await open().takeAll();
        expect(state.cursor()).toMatchObject({ sequence: '1' });
        expect(state.database.get('pragma synchronous')).toEqual({ synchronous: 2 });
        state.database.quickTransaction(() => {
            expect(state.database.get('pragma synchronous')).toEqual({ synchronous: 1 });
        });
        expect(() =>
            state.database.quickTransaction(() => {
                throw new Error('no');
            }),
        ).toThrow('no');
        expect(state.database.get('pragma synchronous')).toEqual({ synchronous: 2 });
    });

    test('gives no number of an event again that a power cut may have taken', async () => {
        say(1);
        await open().takeAll();
        const told = openStateQueries(state.database).lastEvent();
        expect(told).toBeGreaterThan(0);
        // As after a power cut: the event is gone, and so is the number that was given.
        state.database.run('delete from events');
        state.database.run("delete from sqlite_sequence where name = 'events'");
        state.close();
        state = openStateDatabase(file);
        state.leaveNumbersOut();
        const queries = openStateQueries(state.database);
        expect(queries.lastEvent()).toBeGreaterThan(told);
        expect(queries.events({ after: told, limit: 10 })).toEqual({ events: [], isWhole: true });
    });

    test('can be read by nobody else, and says where it cannot be', async () => {
        expect(statSync(file).mode & 0o777).toBe(0o600);
        const folder = await makeFolder();
        writeFileSync(join(folder, 'file'), '');
        expect(() => openStateDatabase(join(folder, 'file', 'state.sqlite'))).toThrow(StorageError);
    });

    test('of a newer program is refused', () => {
        state.close();
        const other = new DatabaseSync(file);
        other.exec('pragma user_version = 99');
        other.close();
        expect(() => openStateDatabase(file)).toThrow(/newer version of flowlake \(schema 99/);
        rmSync(file);
        state = openStateDatabase(file);
    });

    test('that is damaged says what to do', async () => {
        const damaged = join(await makeFolder(), 'state.sqlite');
        writeFileSync(damaged, 'no database at all'.repeat(100));
        expect(() => openStateDatabase(damaged)).toThrow(StorageError);
        expect(() => openStateDatabase(damaged)).toThrow(/remove .*state\.sqlite with its -wal and -shm/);
    });

    test('writes a batch whole or not at all', async () => {
        say(31);
        await open().takeAll();
        const item = (await state.read(['th-1'])).get('th-1')!;
        const fresh = { ...item, device: 'th-9', version: 1 };
        const stale = { item, alerts: [], events: [] };
        const cursor = { before: state.cursor(), after: { stream: 's1', sequence: '7' } };
        expect(await state.write({ changes: [{ ...stale, item: fresh }, stale], cursor, nowMs: 0 })).toBe(false);
        expect(await state.write({ changes: [{ ...stale, item: fresh }], cursor: { ...cursor, before: cursor.after }, nowMs: 0 })).toBe(
            false,
        );
        expect((await state.read(['th-9'])).size).toBe(0);
        expect(state.cursor()).toEqual({ stream: 's1', sequence: '1' });
    });
});

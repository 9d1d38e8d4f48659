import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StorageError } from '#lake/errors';
import type { LiveProfiles } from '#lake/live/live-profiles';
import { LatestConsumer } from '#lake/serve/latest-consumer';
import { openStateDatabase, type StateDatabase } from '#lake/serve/state-database';
import { openStateQueries, type StateQueries } from '#lake/serve/state-queries';
import { Watch } from '#lake/serve/watch';
import { MemoryInbox, openTestProfiles, START_MS, TestClock, THERMOSTAT } from '#test/support/live-world';
import { memoryStore } from '#test/support/memory-store';
import { makeFolder } from '#test/support/temporary';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 86_400 * SECOND;
const FLEET = 510;

let file: string;
let inbox: MemoryInbox;
let profiles: LiveProfiles;
let clock: TestClock;
let state: StateDatabase;
let queries: StateQueries;
let consumer: LatestConsumer;
let watch: Watch;
let faults: string[];
let isBroken: boolean;

async function restart(): Promise<void> {
    state?.close();
    state = openStateDatabase(file);
    queries = openStateQueries(state.database);
    const onFault = (what: string) => faults.push(what);
    const reading = {
        read: (messages: Parameters<LiveProfiles['read']>[0]) =>
            isBroken ? Promise.reject(new StorageError('disk is gone')) : profiles.read(messages),
    };
    consumer = new LatestConsumer({ inbox, store: state, profiles: reading, now: clock.now, monotonicMs: clock.monotonicMs, onFault });
    watch = new Watch({
        state,
        queries,
        profiles,
        progress: () => consumer.progress(),
        now: clock.now,
        monotonicMs: clock.monotonicMs,
        onFault,
    });
}

beforeEach(async () => {
    file = join(await makeFolder(), 'state.sqlite');
    inbox = new MemoryInbox();
    clock = new TestClock();
    faults = [];
    isBroken = false;
    profiles = await openTestProfiles(memoryStore({}), { clock });
    await restart();
});

afterEach(() => state.close());

async function hear(...devices: string[]): Promise<void> {
    for (const device of devices) {
        inbox.add({ device, arrivedMs: clock.nowMs, payload: { t: clock.nowMs, n: inbox.messages.length, temp: 20, batt: 80 } });
    }
    await consumer.takeAll();
}

/** Time passes, and the watch looks each second of it that counts: at most some dozens of times. */
async function pass(ms: number): Promise<void> {
    const steps = Math.min(20, Math.ceil(ms / SECOND));
    for (let step = 0; step < steps; step += 1) {
        clock.pass(ms / steps);
        await watch.tick();
    }
}

const silences = () => queries.alerts({ limit: 5_000 }).filter(({ kind }) => kind === 'silent');
const told = () => queries.events({ after: 0, limit: 9_999, latest: false }).events.map(({ event }) => event.kind);

test('a device that is in another state is told of once, and nothing while latest state stands still', async () => {
    const states = () =>
        queries
            .events({ after: 0, limit: 999 })
            .events.flatMap(({ event }) => (event.kind === 'state' ? [`${event.device} ${event.state}`] : []));
    await hear('a', 'b');
    await watch.tick();
    await pass(50 * SECOND);
    expect(states()).toEqual([]);
    await hear('b');
    await pass(40 * SECOND);
    expect(states()).toEqual(['a late']);
    await pass(15 * SECOND);
    await hear('a');
    await pass(2 * SECOND);
    expect(states()).toEqual(['a late', 'a silent', 'a online']);
    isBroken = true;
    inbox.add({ payload: { t: START_MS, temp: 1 } });
    await pass(10 * MINUTE);
    expect(states()).toHaveLength(3);
});

describe('a silence', () => {
    test('is raised once its time has passed, by the times that history will have, and cleared by the next message', async () => {
        await hear('a');
        await pass(100 * SECOND);
        expect(silences()).toEqual([]);
        expect(watch.clock().isPipelineLate).toBe(false);
        await pass(SECOND);
        await pass(5 * MINUTE);
        expect(silences()).toMatchObject([
            {
                id: `a~silent~${START_MS + 100 * SECOND}`,
                began_ms: START_MS + 100 * SECOND,
                ended_ms: null,
                raised_ms: START_MS + 101 * SECOND,
                why: 'the device says nothing: no reading for 100 s',
            },
        ]);
        expect(queries.device('a', watch.clock())?.state).toBe('silent');
        const backMs = clock.nowMs;
        await hear('a');
        expect(silences()).toMatchObject([{ ended_ms: backMs }]);
        expect(queries.device('a', watch.clock())?.state).toBe('online');
        expect(told()).toEqual(['raised', 'cleared']);
    });

    test('ends with its arrival where the message was measured in time and was long on its way', async () => {
        await hear('a');
        await pass(5 * MINUTE);
        inbox.add({ device: 'a', arrivedMs: clock.nowMs, payload: { t: START_MS + MINUTE, n: 99, temp: 20 } });
        await consumer.takeAll();
        expect(silences()).toMatchObject([{ ended_ms: clock.nowMs }]);
    });

    test('is raised by each rule in its turn', async () => {
        const twice = {
            ...THERMOSTAT,
            name: 'twice',
            alerts: [
                ['short', '2m', 'info'],
                ['long', '1h', 'critical'],
            ].map(([rule, silentFor, severity]) => ({ rule, silentFor, severity, message: 'quiet' })),
        };
        profiles = await openTestProfiles(memoryStore({}), { clock, profiles: [twice] });
        await restart();
        inbox.add({ profile: 'twice', payload: { t: START_MS, n: 1, temp: 1 } });
        await consumer.takeAll();
        await pass(3 * MINUTE);
        expect(silences()).toMatchObject([{ rule: 'short', severity: 'info' }]);
        await pass(60 * MINUTE);
        expect(silences().map(({ rule }) => rule)).toEqual(['long', 'short']);
        await hear('th-1');
    });

    test('is raised of each of many devices, and of none twice', async () => {
        await hear(...Array.from({ length: FLEET }, (_, at) => `d${at}`));
        await pass(2 * MINUTE);
        await pass(2 * MINUTE);
        expect(silences()).toHaveLength(FLEET);
        expect(told()).toHaveLength(FLEET);
    });

    test('waits where a message comes in between', async () => {
        await hear('a');
        clock.pass(5 * MINUTE);
        const read = state.read;
        state.read = async (devices) => {
            const items = await read(devices);
            state.read = read;
            await hear('a');
            return items;
        };
        await watch.tick();
        expect(silences()).toEqual([]);
    });
});

describe('nothing is raised of a fleet that is well', () => {
    const fleet = Array.from({ length: FLEET }, (_, at) => `d${at}`);
    const states = () => queries.fleet(watch.clock()).devices;

    test.each([
        ['ahead by a day', DAY],
        ['back by a day', -DAY],
        ['ahead by two minutes', 2 * MINUTE],
        ['back by two minutes', -2 * MINUTE],
    ])('when the machine’s clock goes %s', async (_, ms) => {
        await hear(...fleet);
        await pass(50 * SECOND);
        clock.nowMs += ms;
        expect(states()).toMatchObject({ silent: 0, late: 0 });
        await pass(50 * SECOND);
        expect(silences()).toEqual([]);
        await hear(...fleet.slice(1));
        // The one that does not come is told all the same, an interval after the clock was set, or two.
        await pass(52 * SECOND);
        await hear(...fleet.slice(1));
        await pass(90 * SECOND);
        expect(silences().map(({ device }) => device)).toEqual(['d0']);
        expect(faults).toEqual([expect.stringMatching(/the machine's clock went (ahead|back) by \d+ s/)]);
    });

    test('when this program was not running for an hour', async () => {
        await hear(...fleet);
        clock.pass(60 * MINUTE);
        await restart();
        await watch.tick();
        await pass(90 * SECOND);
        expect(silences()).toEqual([]);
        await hear(...fleet.slice(1));
        await pass(20 * SECOND);
        expect(silences().map(({ device }) => device)).toEqual(['d0']);
    });

    test('and one that was silent before a restart stays so', async () => {
        await hear('a');
        await pass(3 * MINUTE);
        await restart();
        expect(queries.device('a', watch.clock())?.state).toBe('silent');
        await pass(60 * MINUTE);
        expect(silences()).toHaveLength(1);
        expect(told()).toEqual(['raised']);
    });

    test('when latest state stands still: that is one alarm, also over a restart, and one word at its end', async () => {
        await hear(...fleet);
        isBroken = true;
        inbox.add({ payload: { t: START_MS, temp: 1 } });
        await pass(40 * SECOND);
        await pass(10 * MINUTE);
        expect(told()).toEqual(['pipeline_late']);
        expect(states()).toEqual({ online: 0, late: 0, silent: 0, unknown: FLEET });
        expect(state.pipelineLateSince()).toBe(START_MS);
        await restart();
        inbox.add({ payload: { t: START_MS, temp: 1 } });
        await pass(10 * MINUTE);
        isBroken = false;
        await consumer.takeAll();
        await pass(90 * SECOND);
        expect(silences()).toEqual([]);
        // The restart begins on time, until it is seen that it is not.
        expect(told()).toEqual(['pipeline_late', 'pipeline_on_time', 'pipeline_late', 'pipeline_on_time']);
        expect(state.pipelineLateSince()).toBeUndefined();
        expect(states()).toMatchObject({ unknown: 0 });
    });
});

test('what cannot be written is said once, and tried again', async () => {
    await hear('a');
    const write = state.write;
    state.write = () => Promise.reject(new StorageError('disk is full'));
    await pass(5 * MINUTE);
    expect(faults).toEqual(['silences cannot be raised, and are tried again: disk is full']);
    state.write = write;
    await pass(SECOND);
    expect(silences()).toHaveLength(1);
});

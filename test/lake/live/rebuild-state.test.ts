import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LiveProfiles } from '#lake/live/live-profiles';
import { rebuildState } from '#lake/live/rebuild-state';
import { LatestConsumer } from '#lake/serve/latest-consumer';
import { openStateDatabase, type StateDatabase } from '#lake/serve/state-database';
import { openStateQueries } from '#lake/serve/state-queries';
import { openDirectoryStore } from '#lake/store/directory';
import { openFleet } from '#test/support/fleet-fixture';
import { MemoryInbox, TestClock } from '#test/support/live-world';
import { makeFolder } from '#test/support/temporary';

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-01-05T12:00:00Z');
const PROFILE = {
    identity: [{ path: 'n' }],
    dueEvery: '1h',
    gapLimit: '12h',
    alerts: [{ rule: 'hot', severity: 'warning', message: 'too warm', metric: 'temperature', above: { raise: 30, clear: 28 } }],
};

/** Device, time, metric and value, in the order of the inbox. */
const READINGS: [device: string, at: string, metric: string, is: string][] = [
    ['d1', '2025-12-20T10:00', 'battery', '50'],
    ['d1', '2026-01-04T10:00', 'battery', '80'],
    ['d1', '2026-01-04T11:00', 'temperature', '20.5'],
    ['d1', '2026-01-05T10:00', 'status', 'ok'],
    ['d1', '2026-01-05T10:30', 'temperature', '31'],
    ['d1', '2026-01-05T10:45', 'temperature', '33'],
    ['d2', '2026-01-05T09:00', 'temperature', '31'],
    ['d2', '2026-01-05T09:30', 'temperature', '20'],
];

let state: StateDatabase;
let inbox: MemoryInbox;

beforeEach(async () => {
    state = openStateDatabase(join(await makeFolder(), 'state.sqlite'));
    inbox = new MemoryInbox();
});

afterEach(() => state.close());

function say([device, at, metric, is]: (typeof READINGS)[number]): void {
    const arrivedMs = Date.parse(`${at}Z`);
    const value = metric === 'status' ? JSON.stringify(is) : is;
    inbox.add({
        device,
        profile: 'made-up',
        arrivedMs,
        payload: `{"n":"${at}","device":"${device}","ts":${arrivedMs / 1000},"${metric}":${value}}`,
    });
}

async function openLake(readings: typeof READINGS) {
    const lake = await openFleet({
        profile: PROFILE,
        readings: readings.map(([device, at, metric, is]) => ({
            device,
            at: `${at}:00.000Z`,
            metric,
            is,
            message: at.replace(':', '%3A'),
        })),
    });
    const store = openDirectoryStore(lake.directory);
    const clock = new TestClock();
    clock.nowMs = NOW_MS;
    const profiles = new LiveProfiles({ store, monotonicMs: clock.monotonicMs, onFault: (what) => fail(what) });
    const follow = (into: StateDatabase) =>
        new LatestConsumer({ inbox, store: into, profiles, now: clock.now, monotonicMs: clock.monotonicMs, onFault: fail }).takeAll();
    return { store, engine: lake.engine, profiles, follow };
}

function fail(what: string): never {
    throw new Error(what);
}

test('latest state that was lost is made anew from the lake, and goes on with the inbox', async () => {
    const { store, engine, profiles, follow } = await openLake(READINGS);
    const rebuilt = await rebuildState({ store, engine, profiles, state, inLake: { stream: 's1', sequence: '8' }, nowMs: NOW_MS });
    expect(rebuilt).toEqual({ devices: 2, metrics: 4, openAlerts: 1, fromDay: '2025-12-29' });

    const whole = openStateDatabase(join(await makeFolder(), 'state.sqlite'));
    READINGS.forEach(say);
    await follow(whole);
    const shape = async (of: StateDatabase) =>
        [...(await of.read(['d1', 'd2'])).values()].map(({ version: _version, sequence: _sequence, late: _late, ...item }) => ({
            ...item,
            open: item.open.map(({ raised_ms: _raised, ...alert }) => alert),
        }));
    expect(await shape(state)).toEqual(await shape(whole));
    whole.close();

    // The inbox still holds those that the lake has, and one that it does not.
    const queries = openStateQueries(state.database);
    expect(queries.lastEvent()).toBe(0);
    say(['d1', '2026-01-05T11:30', 'temperature', '20']);
    await follow(state);
    expect(queries.events({ after: 0, limit: 9, latest: false }).events.map(({ event }) => event.kind)).toEqual(['cleared']);
    expect(queries.alerts({ limit: 9 })).toMatchObject([
        { device: 'd1', rule: 'hot', ended_ms: Date.parse('2026-01-05T11:30Z'), worst: '33', readings: 2, raised_ms: null },
    ]);
});

test('what was cut off is made anew from its beginning', async () => {
    const { store, engine, profiles } = await openLake(READINGS);
    const inLake = { stream: 's1', sequence: '8' };
    const cut = {
        ...state,
        write: async (batch: Parameters<StateDatabase['write']>[0]) =>
            state.write({ ...batch, changes: batch.changes.slice(0, 1), cursor: undefined }),
    };
    await rebuildState({ store, engine, profiles, state: cut, inLake, nowMs: NOW_MS });
    expect(state.cursor()).toBeUndefined();
    await rebuildState({ store, engine, profiles, state, inLake, nowMs: NOW_MS });
    expect(state.cursor()).toEqual(inLake);
    expect([...(await state.read(['d1', 'd2'])).values()].map(({ version }) => version)).toEqual([1, 1]);
});

test('a reading from the future of a wrong clock is no latest one', async () => {
    const { store, engine, profiles } = await openLake([...READINGS, ['d1', '2026-03-05T10:00', 'temperature', '99']]);
    await rebuildState({ store, engine, profiles, state, inLake: { stream: 's1', sequence: '8' }, nowMs: NOW_MS });
    expect((await state.read(['d1'])).get('d1')?.metrics.temperature).toMatchObject({ value: '33.0' });
});

test('a lake without readings gives an empty state', async () => {
    const { store, engine, profiles } = await openLake([]);
    expect(
        await rebuildState({ store, engine, profiles, state, inLake: { stream: 's1', sequence: '8' }, nowMs: NOW_MS + DAY_MS }),
    ).toMatchObject({
        devices: 0,
        metrics: 0,
    });
});

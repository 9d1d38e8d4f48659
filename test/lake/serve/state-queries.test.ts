import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { UsageError } from '#lake/errors';
import { type LiveClock, stateOf } from '#lake/live/device-state';
import { newItem } from '#lake/live/latest';
import { DEVICE_STATES, type DeviceItem, type LiveEpisode } from '#lake/live/state-store';
import { openStateDatabase, type StateDatabase } from '#lake/serve/state-database';
import { openStateQueries, type StateQueries } from '#lake/serve/state-queries';
import { START_MS } from '#test/support/live-world';
import { makeFolder } from '#test/support/temporary';

let state: StateDatabase;
let queries: StateQueries;

beforeAll(async () => {
    state = openStateDatabase(join(await makeFolder(), 'state.sqlite'));
    queries = openStateQueries(state.database);
});

afterAll(() => state.close());

const alert = (
    device: string,
    {
        rule = 'hot',
        began = 0,
        ended = null as number | null,
        severity = 'warning' as LiveEpisode['severity'],
        kind = 'alert' as LiveEpisode['kind'],
    } = {},
): LiveEpisode => ({
    id: `${device}~${rule}~${START_MS + began}`,
    ...{
        site: 'main',
        device,
        profile: 'p',
        rule,
        kind,
        severity,
        began_ms: START_MS + began,
        ended_ms: ended === null ? null : START_MS + ended,
    },
    ...{ worst: '31.5', readings: 2, why: 'too warm', raised_ms: START_MS + began },
});

async function empty(): Promise<void> {
    for (const table of ['items', 'alerts', 'events', 'acknowledgements', 'facts', 'outbox']) {
        state.database.run(`delete from ${table}`);
    }
}

async function put(...items: (Partial<DeviceItem> & { device: string; alerts?: LiveEpisode[] })[]): Promise<void> {
    const changes = items.map(({ alerts = [], ...fields }) => ({
        item: { ...newItem(fields.device, 's'), site: 'main', profile: 'p', version: 1, ...fields },
        alerts,
        events: alerts.map((one) => ({ kind: 'raised' as const, alert: one })),
    }));
    expect(await state.write({ changes, nowMs: START_MS })).toBe(true);
}

const timesOf = (receivedMs: number, dueIn = 60, graceFor = 40) => ({
    lastReceivedMs: receivedMs,
    dueMs: receivedMs + dueIn,
    silentMs: receivedMs + dueIn + graceFor,
    nextSilenceMs: receivedMs + dueIn + graceFor,
});

const clockAt = (ms: number, others: Partial<LiveClock> = {}): LiveClock => ({
    nowMs: ms,
    watermarkMs: ms,
    watchedSinceMs: 0,
    isPipelineLate: false,
    ...others,
});

describe('the state of a device', () => {
    test.each([
        ['online until its next message is due', clockAt(1060), 'online'],
        ['late behind that', clockAt(1061), 'late'],
        ['late to the end of the grace', clockAt(1100), 'late'],
        ['silent behind it', clockAt(1101), 'silent'],
        ['unknown while latest state stands still', clockAt(1101, { watermarkMs: 1000, isPipelineLate: true }), 'unknown'],
        ['online even then, where nothing is due yet', clockAt(1050, { watermarkMs: 1000, isPipelineLate: true }), 'online'],
        ['judged by what is in latest state, not by the clock', clockAt(1101, { watermarkMs: 1050 }), 'online'],
        ['counted from the start of the watch, where it was heard before', clockAt(5100, { watchedSinceMs: 5000 }), 'late'],
        ['counted from when the clock was set back, where it was heard by the old one', clockAt(600, { watchedSinceMs: 500 }), 'late'],
    ])('is %s', (_, clock, wanted) => {
        expect(stateOf({ ...newItem('d', 's'), ...timesOf(1000) }, clock)).toBe(wanted);
    });

    test('is silent while a silence is raised, whatever the watch has seen', () => {
        const item = { ...newItem('d', 's'), ...timesOf(1000), open: [alert('d', { kind: 'silent' })] };
        expect(stateOf(item, clockAt(5000, { watchedSinceMs: 5000 }))).toBe('silent');
        expect(stateOf(item, clockAt(5000, { isPipelineLate: true }))).toBe('unknown');
    });

    test('is unknown where its profile names no interval', () => {
        expect(stateOf({ ...newItem('d', 's'), lastReceivedMs: 1 }, clockAt(2))).toBe('unknown');
    });

    test('is the same in the database, whatever the clocks are', async () => {
        const times = fc.integer({ min: 0, max: 300 });
        await fc.assert(
            fc.asyncProperty(
                fc.array(
                    fc.record({
                        receivedMs: times,
                        dueIn: fc.integer({ min: 1, max: 90 }),
                        graceFor: fc.integer({ min: 0, max: 50 }),
                        isRaised: fc.boolean(),
                        isKnown: fc.boolean(),
                    }),
                    { minLength: 1, maxLength: 5 },
                ),
                fc.record({ nowMs: times, watermarkMs: times, watchedSinceMs: times, isPipelineLate: fc.boolean() }),
                async (made, clock) => {
                    await empty();
                    await put(
                        ...made.map(({ receivedMs, dueIn, graceFor, isRaised, isKnown }, at) => ({
                            device: `d${at}`,
                            ...(isKnown ? timesOf(receivedMs, dueIn, graceFor) : {}),
                            open: isRaised ? [alert(`d${at}`, { kind: 'silent' })] : [],
                        })),
                    );
                    const byPage = DEVICE_STATES.flatMap((one) =>
                        queries.devices({ state: one, limit: 10 }, clock).map(({ item, state: told }) => [item.device, one, told]),
                    );
                    expect(byPage.length).toBe(made.length);
                    expect(byPage.filter(([, one, told]) => one !== told)).toEqual([]);
                    const { devices } = queries.fleet(clock);
                    expect(Object.values(devices).reduce<number>((sum, count) => sum + count, 0)).toBe(made.length);
                },
            ),
            { numRuns: 60 },
        );
    });
});

describe('devices', () => {
    test('come in pages by their ids, filtered by state, profile, site and the beginning of the id', async () => {
        await empty();
        await put(
            { device: 'a%1', ...timesOf(1000) },
            { device: 'a%2', ...timesOf(1200), site: 'shed' },
            { device: 'aX3', ...timesOf(1000), profile: 'q' },
            { device: 'b', ...timesOf(1000) },
        );
        const ids = (asked: Parameters<StateQueries['devices']>[0]) => queries.devices(asked, clockAt(1250)).map(({ item }) => item.device);
        expect(ids({ limit: 2 })).toEqual(['a%1', 'a%2']);
        expect(ids({ limit: 2, after: 'a%2' })).toEqual(['aX3', 'b']);
        expect(ids({ limit: 9, prefix: 'a%' })).toEqual(['a%1', 'a%2']);
        expect(ids({ limit: 9, state: 'online' })).toEqual(['a%2']);
        expect(ids({ limit: 1, state: 'silent', after: 'a%1' })).toEqual(['aX3']);
        expect(ids({ limit: 9, profile: 'q' })).toEqual(['aX3']);
        expect(ids({ limit: 9, site: 'shed', state: 'silent' })).toEqual([]);
        expect(queries.device('b', clockAt(1250))).toMatchObject({ state: 'silent', item: { device: 'b' } });
        expect(queries.device('c', clockAt(1250))).toBeUndefined();
    });

    test('are counted by state, profile and site, with the alerts that are open', async () => {
        await empty();
        await put(
            { device: 'a', ...timesOf(1000), alerts: [alert('a'), alert('a', { began: 1, ended: 2, severity: 'critical' })] },
            { device: 'b', ...timesOf(1200) },
            { device: 'c', profile: 'q', alerts: [alert('c', { severity: 'critical' })] },
        );
        const none = { online: 0, late: 0, silent: 0, unknown: 0 };
        expect(queries.fleet(clockAt(1250))).toEqual({
            devices: { online: 1, late: 0, silent: 1, unknown: 1 },
            groups: [
                { profile: 'p', site: 'main', devices: { ...none, online: 1, silent: 1 } },
                { profile: 'q', site: 'main', devices: { ...none, unknown: 1 } },
            ],
            openAlerts: { info: 0, warning: 1, critical: 1 },
            unacknowledged: 2,
            isPipelineLate: false,
        });
    });
});

describe('alerts', () => {
    beforeAll(async () => {
        await empty();
        await put(
            {
                device: 'a',
                alerts: [
                    alert('a', { began: 1, ended: 5 }),
                    alert('a', { began: 9 }),
                    alert('a', { began: 9, rule: 'cold', severity: 'critical' }),
                ],
            },
            { device: 'b', alerts: [alert('b', { began: 4 })] },
        );
    });

    const ids = (asked: Partial<Parameters<StateQueries['alerts']>[0]>) => queries.alerts({ limit: 10, ...asked }).map(({ id }) => id);
    const all = () => queries.alerts({ limit: 10 }).map(({ id }) => id);

    test('come with the newest first, in pages', () => {
        expect(queries.alerts({ limit: 10 }).map(({ device, rule, began_ms }) => [device, rule, began_ms - START_MS])).toEqual([
            ['a', 'hot', 9],
            ['a', 'cold', 9],
            ['b', 'hot', 4],
            ['a', 'hot', 1],
        ]);
        const [first, second, ...rest] = all();
        expect(queries.alerts({ limit: 2 }).map(({ id }) => id)).toEqual([first, second]);
        const { began_ms: beganMs, id } = queries.alert(second!)!;
        expect(queries.alerts({ limit: 2, after: { beganMs, id } }).map((one) => one.id)).toEqual(rest);
    });

    test('are filtered by state, device, rule and severity', () => {
        expect(ids({ state: 'closed' })).toHaveLength(1);
        expect(ids({ state: 'open' })).toHaveLength(3);
        expect(ids({ device: 'b' })).toHaveLength(1);
        expect(ids({ rule: 'cold' })).toHaveLength(1);
        expect(ids({ severity: 'critical', device: 'b' })).toHaveLength(0);
    });

    test('are acknowledged by somebody, with a note, and stay so when they change', async () => {
        const [id = ''] = all();
        const said = { by: 'Ada', note: 'on my way', atMs: 7 };
        const noted = { is: 'acknowledged', alert: { id, acknowledged: { at_ms: 7, by: 'Ada', note: 'on my way' } } };
        expect(state.acknowledge(id, said)).toMatchObject(noted);
        expect(state.acknowledge(id, { ...said, atMs: 8 })).toMatchObject(noted);
        expect(state.acknowledge(id, { ...said, by: 'Bob' })).toMatchObject({ is: 'taken', alert: { acknowledged: { by: 'Ada' } } });
        expect(state.acknowledge('x~y~1', said)).toEqual({ is: 'missing' });
        expect(() => state.acknowledge(id, { by: ' ', note: '', atMs: 7 })).toThrow(UsageError);
        expect(ids({ state: 'unacknowledged' })).toHaveLength(2);
        const item = (await state.read(['a'])).get('a')!;
        const ended = alert('a', { began: 9, ended: 20 });
        await state.write({
            changes: [{ item: { ...item, version: 2 }, alerts: [ended], events: [{ kind: 'cleared', alert: ended }] }],
            nowMs: 1,
        });
        expect(queries.alert(id)).toMatchObject({
            ended_ms: START_MS + 20,
            acknowledged: { by: 'Ada' },
            history: 'pending',
            inHistory: null,
        });
        expect(queries.alerts({ state: 'acknowledged', limit: 9 })).toHaveLength(1);
        expect(
            queries
                .events({ after: 0, limit: 99 })
                .events.map(({ event }) => event.kind)
                .slice(-2),
        ).toEqual(['acknowledged', 'cleared']);
    });

    test('take what history says of them, and those that only history has', async () => {
        const [id = ''] = all();
        const known = queries.alert(id)!;
        const added = { ...alert('z', { began: 3, ended: 4 }), raised_ms: null };
        const judged = [
            { alert: known, history: 'changed' as const, inHistory: { ...known, readings: 9 } },
            { alert: added, history: 'added' as const, inHistory: null },
        ];
        const before = queries.lastEvent();
        await state.judgedTo({ stream: '', sequence: '0' }).judge(judged, 1);
        await state.judgedTo({ stream: '', sequence: '0' }).judge(judged, 2);
        expect(queries.events({ after: before, limit: 9 }).events.map(({ event }) => event.kind)).toEqual(['judged', 'judged']);
        expect(queries.alert(id)).toMatchObject({ history: 'changed', inHistory: { readings: 9 }, readings: known.readings });
        expect(queries.alert(added.id)).toMatchObject({ history: 'added', raised_ms: null });
    });
});

describe('events', () => {
    test('have ids that increase, for who goes on behind the last one, and say where some are gone', async () => {
        await empty();
        await put({ device: 'e', alerts: [alert('e', { began: 1 }), alert('e', { began: 2 })] });
        const { events, isWhole } = queries.events({ after: 0, limit: 10 });
        expect([events.length, isWhole]).toEqual([2, true]);
        expect(queries.events({ after: events[0]!.id, limit: 10 }).events).toEqual([events[1]]);
        expect(queries.lastEvent()).toBe(events[1]!.id);
        // More of the new readings than are kept.
        state.database.transaction(() => {
            for (let at = 0; at < 20_100; at += 1) {
                state.database.run('insert into events (at_ms, is_latest, event) values (0, 1, \'{"kind":"latest"}\')');
            }
        });
        state.tidy(START_MS);
        expect(queries.events({ after: events[1]!.id, limit: 3 })).toMatchObject({ isWhole: false });
        expect(queries.events({ after: 0, limit: 3, latest: false })).toEqual({ events, isWhole: true });
        expect(queries.events({ after: queries.lastEvent() - 2, limit: 9 })).toMatchObject({ events: [{}, {}], isWhole: true });
    });
});

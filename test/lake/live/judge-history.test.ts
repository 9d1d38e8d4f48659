import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { judgeHistory } from '#lake/live/judge-history';
import { LiveProfiles } from '#lake/live/live-profiles';
import { LatestConsumer } from '#lake/serve/latest-consumer';
import { openStateDatabase, type StateDatabase } from '#lake/serve/state-database';
import { openStateQueries, type StateQueries } from '#lake/serve/state-queries';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { openFleet } from '#test/support/fleet-fixture';
import { MemoryInbox, TestClock } from '#test/support/live-world';
import { makeFolder } from '#test/support/temporary';

const DAY = '2026-01-05';
const NEXT = '2026-01-06';
const PROFILE = {
    identity: [{ path: 'n' }],
    gapLimit: '12h',
    alerts: [{ rule: 'hot', severity: 'warning', message: 'too warm', metric: 'temperature', above: { raise: 30, clear: 28 } }],
};

let inbox: MemoryInbox;
let state: StateDatabase;
let queries: StateQueries;
let store: ObjectStore;

beforeEach(async () => {
    inbox = new MemoryInbox();
    state = openStateDatabase(join(await makeFolder(), 'state.sqlite'));
    queries = openStateQueries(state.database);
});

afterEach(() => state.close());

/** Readings of a device, `hh:mm` of a day, that history has; and those that came live, in the order in which they came. */
async function live(history: readonly [string, string][], came: readonly [string, string][] = history): Promise<void> {
    const readings = history.map(([at, is]) => ({ at: timeOf(at), is, message: at }));
    const lake = await openFleet({ readings, profile: PROFILE });
    store = openDirectoryStore(lake.directory);
    let arrivedMs = 0;
    for (const [at, temperature] of came) {
        const ms = Date.parse(timeOf(at));
        arrivedMs = Math.max(arrivedMs, ms);
        inbox.add({
            device: 'd1',
            profile: 'made-up',
            arrivedMs,
            payload: `{"n":"${at}","device":"d1","ts":${ms / 1000},"temperature":${temperature}}`,
        });
    }
    const clock = new TestClock();
    const profiles = new LiveProfiles({ store, monotonicMs: clock.monotonicMs, onFault: fail });
    await new LatestConsumer({ inbox, store: state, profiles, now: clock.now, monotonicMs: clock.monotonicMs, onFault: fail }).takeAll();
}

const fail = (what: string): never => {
    throw new Error(what);
};

/** `10:00` of the first day, `+10:00` of the next. */
const timeOf = (at: string) => `${at.startsWith('+') ? NEXT : DAY}T${at.replace('+', '')}:00.000Z`;

const judge = (days = [DAY, NEXT], sequence = inbox.last()) =>
    judgeHistory({ store, state: state.judgedTo({ stream: inbox.stream, sequence }), days, nowMs: Date.parse(timeOf('+23:00')) });

const verdicts = () =>
    queries
        .alerts({ limit: 99 })
        .map(({ began_ms, ended_ms, history, inHistory }) => [
            new Date(began_ms).toISOString().slice(11, 16),
            ended_ms && new Date(ended_ms).toISOString().slice(11, 16),
            history,
            inHistory && [inHistory.began_ms, inHistory.ended_ms].map((ms) => ms && new Date(ms).toISOString().slice(11, 16)).join('-'),
        ]);

describe('history’s verdict', () => {
    test('confirms what nothing late has changed, closed or open', async () => {
        await live([
            ['10:00', '31'],
            ['10:30', '20'],
            ['+01:00', '33'],
            ['+01:10', '34'],
        ]);
        await judge();
        expect(verdicts()).toEqual([
            ['01:00', null, 'confirmed', null],
            ['10:00', '10:30', 'confirmed', null],
        ]);
        expect(queries.events({ after: 0, limit: 99, latest: false }).events.map(({ event }) => event.kind)).toEqual([
            'raised',
            'cleared',
            'raised',
        ]);
    });

    test('changes an alert that ended earlier, and adds the one that it held too', async () => {
        await live(
            [
                ['10:00', '31'],
                ['10:10', '20'],
                ['10:30', '32'],
                ['10:40', '20'],
            ],
            [
                ['10:00', '31'],
                ['10:30', '32'],
                ['10:10', '20'],
                ['10:40', '20'],
            ],
        );
        await judge();
        expect(verdicts()).toEqual([
            ['10:30', '10:40', 'added', null],
            ['10:00', '10:40', 'changed', '10:00-10:10'],
        ]);
        expect(queries.events({ after: 0, limit: 99, latest: false }).events.at(-1)).toMatchObject({ event: { kind: 'judged' } });
    });

    test('takes an alert away that history does not have, and adds one that came late; no hook is told', async () => {
        await live(
            [
                ['09:00', '35'],
                ['09:10', '20'],
                ['10:00', '31'],
                ['10:40', '20'],
            ],
            [
                ['10:00', '31'],
                ['10:40', '20'],
                ['09:00', '35'],
                ['09:10', '20'],
                ['+01:00', '40'],
                ['+01:10', '20'],
            ],
        );
        await judge();
        expect(verdicts()).toEqual([
            ['01:00', '01:10', 'gone', null],
            ['10:00', '10:40', 'confirmed', null],
            ['09:00', '09:10', 'added', null],
        ]);
        expect(queries.alerts({ limit: 9 }).at(-1)).toMatchObject({ raised_ms: null, why: expect.stringMatching(/^too warm/) });
        const before = queries.lastEvent();
        await judge();
        expect(queries.lastEvent()).toBe(before);
    });

    test('waits for what is not in the lake yet', async () => {
        await live(
            [],
            [
                ['10:00', '31'],
                ['10:30', '20'],
                ['11:00', '31'],
            ],
        );
        await judge([DAY], '2');
        expect(verdicts()).toEqual([
            ['11:00', null, 'pending', null],
            ['10:00', '10:30', 'pending', null],
        ]);
        await judge([DAY], '3');
        expect(verdicts()[1]).toEqual(['10:00', '10:30', 'gone', null]);
    });

    test('finds the end of an alert on another day than the live one', async () => {
        await live(
            [
                ['22:00', '31'],
                ['23:00', '20'],
                ['+01:00', '20'],
            ],
            [
                ['22:00', '31'],
                ['+01:00', '20'],
                ['23:00', '20'],
            ],
        );
        await judge([NEXT]);
        expect(verdicts()).toEqual([['22:00', '01:00', 'changed', '22:00-23:00']]);
    });

    test('is not asked for days that are long over', async () => {
        await live(
            [
                ['10:00', '31'],
                ['10:30', '20'],
            ],
            [],
        );
        expect(
            await judgeHistory({
                store,
                state: state.judgedTo({ stream: 's1', sequence: '9' }),
                days: [DAY],
                nowMs: Date.parse('2026-06-01'),
            }),
        ).toEqual([]);
        expect(verdicts()).toEqual([]);
    });
});

/** History's verdict on alerts on AWS: the watch finds the days whose episodes changed, and says once what history has. */
import { eventsIn } from '#lake/cloud/state-events';
import { openCloudWatch } from '#lake/cloud/state-watch';
import { LiveProfiles } from '#lake/live/live-profiles';
import { openDirectoryStore } from '#lake/store/directory';
import { takeLatest } from '#lambdas/take-latest';
import { look } from '#lambdas/watch/look';
import { openMemoryCloud } from '#test/support/cloud-state';
import { openFleet } from '#test/support/fleet-fixture';
import { TestClock } from '#test/support/live-world';

const DAY = '2026-01-05';
const MINUTE = 60_000;
const PROFILE = {
    identity: [{ path: 'n' }],
    gapLimit: '12h',
    alerts: [{ rule: 'hot', severity: 'warning', message: 'too warm', metric: 'temperature', above: { raise: 30, clear: 28 } }],
};

const msOf = (at: string) => Date.parse(`${DAY}T${at}:00.000Z`);

/** Readings that history has, and those that came live, in the order in which they came. */
async function openWorld(history: readonly [string, string][], came: readonly [string, string][] = history) {
    const lake = await openFleet({
        readings: history.map(([at, is]) => ({ at: `${DAY}T${at}:00.000Z`, is, message: at })),
        profile: PROFILE,
    });
    const store = openDirectoryStore(lake.directory);
    const clock = new TestClock();
    const fail = (what: string): never => {
        throw new Error(what);
    };
    const profiles = new LiveProfiles({ store, monotonicMs: clock.monotonicMs, onFault: fail });
    const { dynamo, state } = openMemoryCloud({ now: clock.now });
    const watch = openCloudWatch({ client: dynamo, table: dynamo.table });
    let arrivedMs = 0;
    const messages = came.map(([at, temperature], n) => {
        arrivedMs = Math.max(arrivedMs, msOf(at));
        const payload = Buffer.from(`{"n":"${at}","device":"d1","ts":${msOf(at) / 1000},"temperature":${temperature}}`);
        return { sequence: String(n + 1), arrivedMs, way: 'mqtt' as const, device: 'd1', profile: 'made-up', payload };
    });
    clock.nowMs = arrivedMs;
    await takeLatest(messages, { stream: 's', state, profiles, clock: () => state.clock(), now: clock.now });
    const lookOnce = (signal = new AbortController().signal) =>
        look({
            ...{ watch, state, profiles, store, signal, now: clock.now },
            watermark: async () => clock.now(),
            log: { info: () => undefined, warn: () => undefined, error: () => undefined },
            metrics: { addMetric: () => undefined },
        });
    const verdicts = async () =>
        (await state.alerts({ limit: 99, after: undefined })).answer.items.map(
            ({ began_ms: began, ended_ms: ended, history: is, inHistory }) =>
                [began, ended, inHistory?.ended_ms ?? null]
                    .map((ms) => (ms === null ? '-' : new Date(ms).toISOString().slice(11, 16)))
                    .concat(is)
                    .join(' '),
        );
    const told = () => dynamo.records.flatMap(eventsIn).flatMap(({ event }) => (event.kind === 'judged' ? `${event.alert.history}` : []));
    return { clock, dynamo, lookOnce, verdicts, told };
}

test('comes once the messages are in the tables, and is said once', async () => {
    const { clock, lookOnce, verdicts, told } = await openWorld(
        [
            ['09:00', '35'],
            ['09:10', '20'],
            ['10:00', '31'],
            ['10:20', '20'],
            ['10:40', '20'],
        ],
        [
            ['10:00', '31'],
            ['10:40', '20'],
            ['10:20', '20'],
            ['09:00', '35'],
            ['09:10', '20'],
            ['11:00', '40'],
            ['11:10', '20'],
        ],
    );
    await lookOnce();
    // What has just changed may not be in the tables yet.
    expect(await verdicts()).toEqual(['11:00 11:10 - pending', '10:00 10:40 - pending', '09:00 09:10 - added']);
    clock.pass(31 * MINUTE);
    await lookOnce();
    expect(await verdicts()).toEqual(['11:00 11:10 - gone', '10:00 10:40 10:20 changed', '09:00 09:10 - added']);
    expect(told().sort()).toEqual(['added', 'changed', 'gone']);
    clock.pass(61 * MINUTE);
    await lookOnce();
    await lookOnce();
    expect(told()).toHaveLength(3);
});

test('goes on where a look was cut off', async () => {
    const { clock, dynamo, lookOnce, verdicts, told } = await openWorld([
        ['09:00', '35'],
        ['09:10', '20'],
        ['10:00', '31'],
        ['10:20', '20'],
    ]);
    clock.pass(31 * MINUTE);
    const over = new AbortController();
    dynamo.fate = (when, operation) => {
        if (when === 'behind' && operation === 'UpdateItem' && dynamo.items().some(({ history }) => history?.S === 'confirmed')) {
            over.abort();
        }
    };
    await lookOnce(over.signal);
    dynamo.fate = () => undefined;
    await lookOnce();
    expect(await verdicts()).toEqual(['10:00 10:20 - confirmed', '09:00 09:10 - confirmed']);
    expect(told()).toEqual([]);
});

/** Lambda watch: silences are raised once, a late pipeline is one event, and what does not fit in one look is done by the next one. */
import { eventsIn } from '#lake/cloud/state-events';
import { openCloudWatch } from '#lake/cloud/state-watch';
import type { LiveEvent } from '#lake/live/state-store';
import { takeLatest } from '#lambdas/take-latest';
import { look } from '#lambdas/watch/look';
import { openMemoryCloud } from '#test/support/cloud-state';
import { MemoryInbox, openTestProfiles, TestClock, THERMOSTAT } from '#test/support/live-world';
import { memoryStore } from '#test/support/memory-store';

const MINUTE = 60_000;

async function openWorld(count: number) {
    const clock = new TestClock();
    const store = memoryStore();
    const profiles = await openTestProfiles(store, { clock, faults: [], profiles: [THERMOSTAT] });
    const { dynamo, state } = openMemoryCloud({ now: clock.now, maxPage: 7 });
    const watch = openCloudWatch({ client: dynamo, table: dynamo.table });
    const devices = Array.from({ length: count }, (_, n) => `th-${String(n).padStart(3, '0')}`);
    const metrics = new Map<string, number>();
    let waitingSinceMs: number | undefined;
    const inbox = new MemoryInbox();
    const send = async (from: readonly string[]) => {
        const before = inbox.messages.length;
        for (const device of from) {
            inbox.add({ device, arrivedMs: clock.now(), payload: { t: clock.now(), temp: 20, n: inbox.messages.length } });
        }
        await takeLatest(inbox.messages.slice(before), { stream: 's', state, profiles, clock: () => state.clock(), now: clock.now });
    };
    const lookOnce = (signal = new AbortController().signal) =>
        look({
            ...{ watch, state, profiles, store, signal, now: clock.now },
            watermark: async () => waitingSinceMs ?? clock.now(),
            log: { info: () => undefined, warn: () => undefined, error: () => undefined },
            metrics: { addMetric: (name, _, value) => metrics.set(name, value) },
        });
    const events = () => dynamo.records.flatMap(eventsIn).map(({ event }) => event);
    const told = (kind: LiveEvent['kind']) => events().filter((event) => event.kind === kind);
    const wait = (sinceMs: number | undefined) => {
        waitingSinceMs = sinceMs;
    };
    return { clock, dynamo, state, watch, devices, metrics, send, lookOnce, told, wait };
}

test('raises each silence once, and tells that the devices are silent', async () => {
    const { clock, state, devices, send, lookOnce, told, metrics } = await openWorld(40);
    await lookOnce();
    await send(devices);
    await lookOnce();
    clock.pass(3 * MINUTE);
    await send(devices.slice(0, 10));
    await lookOnce();
    expect(told('raised')).toHaveLength(30);
    expect(metrics.get('SilencesRaised')).toBe(30);
    expect((await state.fleet()).answer.devices).toEqual({ online: 10, late: 0, silent: 30, unknown: 0 });
    const silent = told('state').filter((event) => event.kind === 'state' && event.state === 'silent');
    expect(silent).toHaveLength(30);
    clock.pass(MINUTE);
    await lookOnce();
    await lookOnce();
    expect(told('raised')).toHaveLength(30);
    await send(devices.slice(10, 12));
    expect(told('cleared')).toHaveLength(2);
});

test('tells of a device that is late, once', async () => {
    const { clock, devices, send, lookOnce, told } = await openWorld(3);
    await lookOnce();
    await send(devices);
    await lookOnce();
    clock.pass(70_000);
    await lookOnce();
    await lookOnce();
    expect(told('state').flatMap((event) => (event.kind === 'state' ? event.state : []))).toEqual([
        'online',
        'online',
        'online',
        'late',
        'late',
        'late',
    ]);
});

test('a pipeline that stands still is one event, and devices are unknown meanwhile', async () => {
    const { clock, state, devices, send, lookOnce, told, wait } = await openWorld(20);
    await lookOnce();
    await send(devices);
    await lookOnce();
    const sinceMs = clock.now() + 1_000;
    wait(sinceMs);
    for (let minute = 0; minute < 5; minute += 1) {
        clock.pass(MINUTE);
        await lookOnce();
    }
    expect(told('raised')).toEqual([]);
    expect(told('pipeline_late')).toMatchObject([{ since_ms: sinceMs }]);
    expect((await state.fleet()).answer).toMatchObject({ isPipelineLate: true, devices: { unknown: 20, silent: 0 } });
    wait(undefined);
    await lookOnce();
    expect(told('pipeline_on_time')).toMatchObject([{ since_ms: sinceMs }]);
    // Nobody knows whether they could reach the stream: each has its whole interval again.
    expect(told('raised')).toEqual([]);
    clock.pass(5_000);
    expect((await state.fleet()).answer.devices).toMatchObject({ online: 20 });
    clock.pass(3 * MINUTE);
    await lookOnce();
    expect(told('raised')).toHaveLength(20);
});

test('latest state is late where nobody has looked for minutes', async () => {
    const { clock, state, devices, send, lookOnce } = await openWorld(1);
    await lookOnce();
    await send(devices);
    clock.pass(6 * MINUTE);
    expect((await state.clock()).isPipelineLate).toBe(true);
    expect((await state.device(devices[0] ?? ''))?.answer.state).toBe('unknown');
});

test('what reports in time is looked at by nobody', async () => {
    const { clock, dynamo, devices, send, lookOnce } = await openWorld(10);
    await lookOnce();
    for (let n = 0; n < 20; n += 1) {
        await send(devices);
        clock.pass(20_000);
    }
    const waits = dynamo.records
        .filter(({ dynamodb }) => dynamodb.NewImage?.is?.S === 'device')
        .map(({ dynamodb }) => `${dynamodb.Keys.part?.S} ${dynamodb.NewImage?.wait_rank?.S}`);
    // The index is written when a time of the grid is over, and not with each message.
    expect(waits).toHaveLength(200);
    expect(new Set(waits).size).toBeLessThanOrEqual(10 * 9);
});

test('a look that is cut off is ended by the next one', async () => {
    const { clock, devices, send, lookOnce, told, dynamo } = await openWorld(30);
    await lookOnce();
    await send(devices);
    clock.pass(3 * MINUTE);
    let writes = 0;
    dynamo.fate = (when, operation) => {
        writes += operation === 'TransactWriteItems' && when === 'behind' ? 1 : 0;
        if (writes === 5) {
            throw new Error('the function died');
        }
    };
    await expect(lookOnce()).rejects.toThrow('died');
    dynamo.fate = () => undefined;
    await lookOnce();
    expect(told('raised')).toHaveLength(30);
    const over = new AbortController();
    over.abort();
    await lookOnce(over.signal);
});

/** Latest state on AWS that was lost, made anew from the tables while messages go on coming. */

import { LiveProfiles } from '#lake/live/live-profiles';
import { noteRegistered } from '#lake/live/note-registered';
import { rebuildState } from '#lake/live/rebuild-state';
import { openDirectoryStore } from '#lake/store/directory';
import { takeLatest } from '#lambdas/take-latest';
import { openMemoryCloud } from '#test/support/cloud-state';
import { openFleet } from '#test/support/fleet-fixture';
import { TestClock } from '#test/support/live-world';

const NOW_MS = Date.parse('2026-01-05T12:00Z');
const PROFILE = {
    identity: [{ path: 'n' }],
    gapLimit: '12h',
    alerts: [{ rule: 'hot', severity: 'warning', message: 'too warm', metric: 'temperature', above: { raise: 30, clear: 28 } }],
};

async function openWorld() {
    const reading = (device: string, time: string, metric: string, is: string) => ({
        ...{ device, metric, is, at: `2026-01-05T${time}:00.000Z`, message: time.replace(':', '%3A') },
    });
    const lake = await openFleet({
        profile: PROFILE,
        readings: [
            reading('d1', '10:00', 'temperature', '31'),
            reading('d1', '10:00', 'humidity', '50'),
            reading('d2', '10:00', 'temperature', '20'),
        ],
    });
    const store = openDirectoryStore(lake.directory);
    const clock = new TestClock();
    clock.nowMs = NOW_MS;
    const fail = (what: string): never => {
        throw new Error(what);
    };
    const profiles = new LiveProfiles({ store, monotonicMs: clock.monotonicMs, onFault: fail });
    const { dynamo, state } = openMemoryCloud({ now: clock.now });
    const send = (device: string, sequence: string, temperature: string) =>
        takeLatest(
            [
                {
                    sequence,
                    arrivedMs: NOW_MS,
                    way: 'mqtt',
                    device,
                    profile: 'made-up',
                    payload: Buffer.from(`{"n":"${sequence}","device":"${device}","ts":${NOW_MS / 1000},"temperature":${temperature}}`),
                },
            ],
            { stream: 's', state, profiles, clock: () => state.clock(), now: clock.now },
        );
    const rebuild = () =>
        rebuildState({ store, engine: lake.engine, profiles, state, inLake: { stream: '', sequence: '0' }, nowMs: NOW_MS });
    const values = async () =>
        Object.fromEntries(
            [...(await state.read(['d1', 'd2']))].map(([device, { metrics }]) => [
                device,
                Object.entries(metrics)
                    .map(([name, { value }]) => `${name} ${value}`)
                    .sort(),
            ]),
        );
    return { dynamo, state, send, rebuild, values };
}

test('devices get what the tables have, unless they have newer values; nobody is told', async () => {
    const { dynamo, state, send, rebuild, values } = await openWorld();
    await noteRegistered(state, [{ device: 'd1', site: 'main', profile: 'made-up' }], { nowMs: NOW_MS });
    await send('d2', '7', '25');
    const told = dynamo.records.length;
    await rebuild();
    expect(await values()).toEqual({ d1: ['humidity 50', 'temperature 31.0'], d2: ['temperature 25.0'] });
    expect(
        (await state.alerts({ limit: 9, after: undefined, state: 'open' })).answer.items.map(({ device, rule }) => `${device} ${rule}`),
    ).toEqual(['d1 hot']);
    expect(dynamo.records.slice(told).filter(({ dynamodb }) => dynamodb.NewImage?.is?.S === 'events')).toEqual([]);
    const before = await state.read(['d1', 'd2']);
    await rebuild();
    expect(await state.read(['d1', 'd2'])).toEqual(before);
});

test('a device that sends meanwhile keeps its newer values, and gets the others', async () => {
    const { dynamo, send, rebuild, values, state } = await openWorld();
    let sent = false;
    dynamo.fate = async (when, operation) => {
        if (!sent && when === 'before' && (operation === 'PutItem' || operation === 'TransactWriteItems')) {
            sent = true;
            await send('d1', '7', '25');
        }
    };
    await rebuild();
    expect(await values()).toEqual({ d1: ['humidity 50', 'temperature 25.0'], d2: ['temperature 20.0'] });
    expect((await state.read(['d1'])).get('d1')).toMatchObject({ stream: 's', sequence: '7' });
});

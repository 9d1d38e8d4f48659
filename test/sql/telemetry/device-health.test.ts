/** device_health: when a device was heard, its battery, its silences and alerts. */
import { HOT, ms, openFleet } from '#test/support/fleet-fixture';

test('tells of each device what it said last, and what was wrong', async () => {
    const { ask } = await openFleet({
        profile: { alerts: [HOT], dueEvery: '1h', grace: '30m' },
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '31' },
            { at: '2026-01-05T07:00:00Z', is: '90', metric: 'battery' },
            { at: '2026-01-05T09:00:00Z', is: '20' },
            { at: '2026-01-06T08:50:00Z', is: '88', metric: 'battery' },
            { at: '2026-01-06T09:00:00Z', is: '32' },
            { at: '2026-01-05T01:00:00Z', is: 'parked', metric: 'status', device: 'd2' },
        ],
    });
    expect(await ask('select * from device_health order by device')).toEqual([
        {
            site: 'main',
            device: 'd1',
            first_ms: ms('2026-01-05T07:00:00Z'),
            last_ms: ms('2026-01-06T09:00:00Z'),
            metrics: 2n,
            readings: 5n,
            longest_gap_ms: 0n,
            battery: '88.000000000',
            battery_ms: ms('2026-01-06T08:50:00Z'),
            silences: 2n,
            silent_ms: 30n * 60_000n + (ms('2026-01-06T08:50:00Z') - ms('2026-01-05T10:30:00Z')),
            alerts: 2n,
            open_alerts: 1n,
        },
        expect.objectContaining({ device: 'd2', readings: 1n, battery: null, battery_ms: null, silences: 0n, silent_ms: 0n, alerts: 0n }),
    ]);
});

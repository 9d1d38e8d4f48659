/** fleet_hours: what the devices of a site say together. */
import { HOT, openFleet } from '#test/support/fleet-fixture';

test('an hour has averages over the site’s devices, and the share of them that came into alert', async () => {
    const { ask } = await openFleet({
        profile: { alerts: [HOT] },
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '31' },
            { at: '2026-01-05T07:20:00Z', is: '32' },
            { at: '2026-01-05T07:30:00Z', is: '10', device: 'd2' },
            { at: '2026-01-05T07:30:00Z', is: 'moving', device: 'd3', metric: 'status' },
            { at: '2026-01-05T07:30:00Z', is: '99', device: 'd4', site: 'bay' },
            { at: '2026-01-05T08:00:00Z', is: '31' },
        ],
    });
    expect(await ask("select * from fleet_hours where site = 'main' order by day, hour, metric")).toEqual([
        {
            site: 'main',
            metric: 'status',
            day: '2026-01-05',
            hour: 7n,
            devices: 1n,
            n: 1n,
            min: null,
            max: null,
            mean: null,
            devices_alerted: 1n,
            alert_rate: 1 / 3,
        },
        {
            site: 'main',
            metric: 'temperature',
            day: '2026-01-05',
            hour: 7n,
            devices: 2n,
            n: 3n,
            min: '10.000000000',
            max: '32.000000000',
            mean: 73 / 3,
            devices_alerted: 1n,
            alert_rate: 1 / 3,
        },
        expect.objectContaining({ hour: 8n, devices: 1n, mean: 31, devices_alerted: 0n, alert_rate: 0 }),
    ]);
});

/** fleet_days: devices and readings of each site and day. */
import { openFleet } from '#test/support/fleet-fixture';

test('counts devices, metrics and readings of the days asked for', async () => {
    const { askQuery } = await openFleet({
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '21' },
            { at: '2026-01-05T23:59:00Z', is: '22', device: 'd2' },
            { at: '2026-01-05T08:00:00Z', is: '70', metric: 'battery' },
            { at: '2026-01-06T07:00:00Z', is: '20', site: 'bay', copies: 3 },
            { at: '2026-01-07T07:00:00Z', is: '21' },
        ],
    });
    const bay = { site: 'bay', day: '2026-01-06', devices: 1n, metrics: 1n, readings: 1n };
    expect(await askQuery('fleet_days', [null, '2026-01-05', '2026-01-06'])).toEqual([
        { site: 'main', day: '2026-01-05', devices: 2n, metrics: 2n, readings: 3n },
        bay,
    ]);
    expect(await askQuery('fleet_days', ['bay', '2026-01-01', '2026-01-31'])).toEqual([bay]);
});

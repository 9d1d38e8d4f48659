/** device_metrics: what a device measures, and from when to when. */
import { ms, openFleet } from '#test/support/fleet-fixture';

test('lists the metrics of each site at which the device stands', async () => {
    const { askQuery } = await openFleet({
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '21' },
            { at: '2026-01-09T07:00:00Z', is: '22' },
            { at: '2026-01-06T07:00:00Z', is: '7', metric: 'battery', site: 'bay' },
            { at: '2026-01-06T07:00:00Z', is: '7', device: 'd2' },
        ],
    });
    const time = ms('2026-01-06T07:00:00Z');
    expect(await askQuery('device_metrics', ['d1'])).toEqual([
        { site: 'bay', metric: 'battery', first_ms: time, last_ms: time, readings: 1n },
        { site: 'main', metric: 'temperature', first_ms: ms('2026-01-05T07:00:00Z'), last_ms: ms('2026-01-09T07:00:00Z'), readings: 2n },
    ]);
    expect(await askQuery('device_metrics', ['d9'])).toEqual([]);
});

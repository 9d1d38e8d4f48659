/** metric_drift: weeks in which a device has moved from its past, and from its fleet. */
import { type FleetReading, openFleet } from '#test/support/fleet-fixture';
import { dayAfter } from '#test/support/lake-fixture';

/** A reading on each Wednesday. */
function weekly(device: string, values: readonly number[]): FleetReading[] {
    return values.map((value, week) => ({ at: `${dayAfter(week * 7 + 2)}T12:00:00Z`, is: value.toFixed(1), device }));
}

test('tells how far a device has moved beyond what its fleet has', async () => {
    const { ask } = await openFleet({
        readings: [
            ...weekly('a', [20, 20, 20, 25]),
            ...weekly('b', [21, 21, 21, 26]),
            ...weekly('c', [22, 22, 22, 27]),
            ...weekly('d', [23, 23, 23, 33]),
        ],
    });
    const rows = await ask('select device, week, usual, change, fleet_change, drift from metric_drift order by device');
    expect(rows).toEqual([
        { device: 'a', week: dayAfter(21), usual: 20, change: 5, fleet_change: 5, drift: 0 },
        { device: 'b', week: dayAfter(21), usual: 21, change: 5, fleet_change: 5, drift: 0 },
        { device: 'c', week: dayAfter(21), usual: 22, change: 5, fleet_change: 5, drift: 0 },
        { device: 'd', week: dayAfter(21), usual: 23, change: 10, fleet_change: 5, drift: 5 },
    ]);
    expect(await ask('select device, score from metric_drift where score > 3')).toEqual([{ device: 'd', score: expect.any(Number) }]);
});

test('three weeks are needed, and of a fleet three devices', async () => {
    const { ask } = await openFleet({ readings: [...weekly('a', [20, 20, 20, 25, 25]), ...weekly('b', [21, 21, 21])] });
    expect(await ask('select device, week, fleet_change, drift from metric_drift order by week')).toEqual([
        { device: 'a', week: dayAfter(21), fleet_change: 0, drift: 5 },
        { device: 'a', week: dayAfter(28), fleet_change: 0, drift: 5 },
    ]);
});

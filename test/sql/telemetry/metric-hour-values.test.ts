/** metric_hour_values: hours of a metric in its own unit. */
import { ms, openFleet } from '#test/support/fleet-fixture';

const HOUR = 'select * exclude (first_ms, last_ms, hour_ms) from metric_hour_values order by device, metric, day, hour';

test('an hour has its figures in the metric’s own unit, and its exact sum in billionths', async () => {
    const { ask } = await openFleet({
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '21.3' },
            { at: '2026-01-05T07:30:00Z', is: '-0.5' },
            { at: '2026-01-05T07:40:00Z', is: '20' },
        ],
    });
    expect(await ask(HOUR)).toEqual([
        {
            site: 'main',
            device: 'd1',
            metric: 'temperature',
            day: '2026-01-05',
            hour: 7n,
            digits: 1n,
            n: 3n,
            min: '-0.500000000',
            max: '21.300000000',
            mean: 40.8 / 3,
            // 21.3 for half an hour, -0.5 for ten minutes.
            time_mean: (21.3 * 30 - 0.5 * 10) / 40,
            first_value: '21.300000000',
            last_value: '20.000000000',
            longest_gap_ms: 1_800_000n,
            units: 40_800_000_000n,
            step: 0.1,
        },
    ]);
});

test('of texts there is the number of readings, and no figure', async () => {
    const { ask } = await openFleet({ readings: [{ at: '2026-01-05T07:00:00Z', is: 'moving', metric: 'status' }] });
    expect(await ask('select n, digits, min, mean, units, step, first_ms from metric_hour_values')).toEqual([
        { n: 1n, digits: null, min: null, mean: null, units: null, step: null, first_ms: ms('2026-01-05T07:00:00Z') },
    ]);
});

test('values of up to 28 digits keep each of them', async () => {
    const metrics = [{ name: 'pulses', path: 'pulses', digits: 9 }];
    const { ask } = await openFleet({
        profile: { metrics },
        readings: [{ at: '2026-01-05T07:00:00Z', is: '999999.123456789', metric: 'pulses' }],
    });
    expect(await ask('select min, last_value from metric_hour_values')).toEqual([
        { min: '999999.123456789', last_value: '999999.123456789' },
    ]);
});

test('a step is one in the last digit: the very double that is written so', async () => {
    const metrics = Array.from({ length: 10 }, (_, digits) => ({ name: `m${digits}`, path: `m${digits}`, digits }));
    const { ask } = await openFleet({
        profile: { metrics },
        readings: metrics.map(({ name }) => ({ at: '2026-01-05T07:00:00Z', is: '1', metric: name })),
    });
    const steps = [1, 0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001, 0.0000001, 0.00000001, 0.000000001];
    expect((await ask('select step from metric_hour_values order by metric')).map(({ step }) => step)).toEqual(steps);
});

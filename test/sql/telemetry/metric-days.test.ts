/** metric_days: days of a metric, with the time between two hours. */
import fc from 'fast-check';
import { type FleetReading, openFleet } from '#test/support/fleet-fixture';

test('a day adds up its hours, and the time from one hour to the next belongs to it', async () => {
    const { ask } = await openFleet({
        readings: [
            { at: '2026-01-05T07:50:00Z', is: '10' },
            { at: '2026-01-05T08:10:00Z', is: '20' },
            { at: '2026-01-05T23:50:00Z', is: '40' },
            { at: '2026-01-06T00:10:00Z', is: '0' },
        ],
    });
    expect(await ask('select day, n, min, max, mean, stddev_pop, time_mean, longest_gap_ms from metric_days order by day')).toEqual([
        {
            day: '2026-01-05',
            n: 3n,
            min: '10.000000000',
            max: '40.000000000',
            mean: 700 / 3 / 10,
            stddev_pop: Math.sqrt(140_000) / 3 / 10,
            // 10 for twenty minutes; the next gap is longer than an hour; 40 for twenty minutes, over midnight.
            time_mean: 25,
            longest_gap_ms: 15n * 3_600_000n + 40n * 60_000n,
        },
        { day: '2026-01-06', n: 1n, min: '0.000000000', max: '0.000000000', mean: 0, stddev_pop: 0, time_mean: null, longest_gap_ms: 0n },
    ]);
});

test('hours of different digits are one day in the larger number of them', async () => {
    const { ask } = await openFleet({
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '1.5' },
            // From a profile of before, which had more digits.
            { at: '2026-01-05T09:00:00Z', is: '2.125' },
        ],
    });
    expect(await ask('select min, max, mean, stddev_pop from metric_days')).toEqual([
        { min: '1.500000000', max: '2.125000000', mean: 1.8125, stddev_pop: 0.3125 },
    ]);
});

test('where squares do not fit there is no deviation, and all else', async () => {
    const metrics = [{ name: 'temperature', path: 't', digits: 0 }];
    const readings = ['00', '01'].map((minute): FleetReading => ({ at: `2026-01-05T07:${minute}:00Z`, is: '9999999999999999999' }));
    const { ask } = await openFleet({ profile: { metrics }, readings });
    expect(await ask('select n, max, stddev_pop from metric_days')).toEqual([
        { n: 2n, max: '9999999999999999999.000000000', stddev_pop: null },
    ]);
});

test('is the day’s readings counted up by hand', async () => {
    const value = fc.integer({ min: -500, max: 500 });
    const minutes = fc.uniqueArray(fc.integer({ min: 0, max: 1439 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
        fc.asyncProperty(minutes, fc.array(value, { minLength: 12, maxLength: 12 }), async (times, values) => {
            const sorted = [...times].sort((a, b) => a - b);
            const tenths = sorted.map((_, at) => values[at] as number);
            const readings = sorted.map((minute, at): FleetReading => {
                const is = `${(tenths[at] as number) < 0 ? '-' : ''}${Math.floor(Math.abs(tenths[at] as number) / 10)}.${Math.abs(tenths[at] as number) % 10}`;
                return { at: new Date(Date.UTC(2026, 0, 5, 0, minute)).toISOString(), is };
            });
            const { ask } = await openFleet({ readings });
            const sum = tenths.reduce((total, one) => total + one, 0);
            const squares = tenths.reduce((total, one) => total + one * one, 0);
            let [area, time] = [0, 0];
            for (let at = 1; at < sorted.length; at += 1) {
                const gap = (sorted[at] as number) - (sorted[at - 1] as number);
                if (gap <= 60) {
                    area += (tenths[at - 1] as number) * gap;
                    time += gap;
                }
            }
            const [row] = await ask('select n, mean, stddev_pop, time_mean from metric_days');
            expect(row?.n).toBe(BigInt(times.length));
            expect(row?.mean).toBeCloseTo(sum / times.length / 10, 12);
            expect(row?.stddev_pop).toBeCloseTo(Math.sqrt(times.length * squares - sum * sum) / times.length / 10, 12);
            expect(row?.time_mean === null ? null : Number(row?.time_mean).toFixed(9)).toBe(
                time === 0 ? null : (area / time / 10).toFixed(9),
            );
        }),
        { numRuns: 8 },
    );
});

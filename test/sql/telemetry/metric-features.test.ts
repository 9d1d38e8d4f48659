/** metric_features: what may be known of a metric at the end of an hour, and nothing of what comes later. */
import { expect, test } from '@jest/globals';
import { type FleetReading, openFleet } from '#test/support/fleet-fixture';
import { dayAfter } from '#test/support/lake-fixture';

/** A reading at five past the hour, so many hours after the beginning of the first day. */
function at(hour: number, value: number, device = 'a'): FleetReading {
    const clock = String(hour % 24).padStart(2, '0');
    return { at: `${dayAfter(Math.floor(hour / 24))}T${clock}:05:00Z`, is: value.toFixed(1), device };
}

const ALL = 'select * from metric_features order by site, device, metric, hour_ms';

test('the past is of hours before the row’s own, over spans of time and not of rows', async () => {
    const { ask } = await openFleet({ readings: [at(0, 10), at(0, 14), at(5, 20), at(24, 30), at(25, 31)] });
    expect(await ask(ALL)).toMatchObject([
        {
            ...{
                hour: 0n,
                n: 2n,
                min: 10,
                max: 14,
                mean: 12,
                last_value: 14,
                running_hours: 1n,
                hours_since_first_seen: 0n,
            },
            ...{
                hours_since_last_seen: null,
                last_mean: null,
                change_from_last: null,
                past_24h_hours: 0n,
                past_24h_mean: null,
                past_24h_min: null,
            },
            ...{
                past_7d_hours: 0n,
                past_7d_mean: null,
                past_same_hour_days: 0n,
                past_same_hour_median: null,
                change_from_past_same_hour: null,
            },
        },
        {
            hour: 5n,
            running_hours: 2n,
            hours_since_first_seen: 5n,
            hours_since_last_seen: 5n,
            last_mean: 12,
            change_from_last: 8,
            past_24h_hours: 1n,
            past_24h_mean: 12,
        },
        {
            ...{
                hour: 0n,
                mean: 30,
                past_24h_hours: 2n,
                past_24h_mean: 44 / 3,
                past_24h_min: 10,
                past_24h_max: 20,
                hours_since_last_seen: 19n,
            },
            ...{ past_same_hour_days: 1n, past_same_hour_median: 12, change_from_past_same_hour: 18 },
        },
        // The first hour is 25 hours ago: out of the day, and in the week.
        {
            hour: 1n,
            past_24h_hours: 2n,
            past_24h_mean: 25,
            past_7d_hours: 3n,
            past_7d_mean: 18.5,
            past_7d_max: 30,
            past_same_hour_days: 0n,
        },
    ]);
});

test('of the same hour on seven days before, the middle one and the ends', async () => {
    const values = [5, 1, 9, 7, 3, 2, 8, 100, 4];
    const { ask } = await openFleet({ readings: values.map((value, day) => at(24 * day + 6, value)) });
    const rows = await ask(
        'select past_same_hour_days, past_same_hour_median, past_same_hour_min, past_same_hour_max from metric_features order by hour_ms',
    );
    expect(rows.slice(-2)).toEqual([
        { past_same_hour_days: 7n, past_same_hour_median: 5, past_same_hour_min: 1, past_same_hour_max: 9 },
        { past_same_hour_days: 7n, past_same_hour_median: 7, past_same_hour_min: 1, past_same_hour_max: 100 },
    ]);
});

test('a row is the same whatever comes after it, and whatever other devices do', async () => {
    const past = Array.from({ length: 60 }, (_, hour) => at(hour * 3, (hour * 37) % 11));
    const later = Array.from({ length: 40 }, (_, hour) => at(180 + hour * 5, 1000 + hour));
    const others = Array.from({ length: 30 }, (_, hour) => at(hour * 4, hour, 'b'));
    const before = await (await openFleet({ readings: past })).ask(ALL);
    const { ask } = await openFleet({ readings: [...past, ...later, ...others] });
    const after = await ask(`select * from metric_features where device = 'a' order by hour_ms`);
    expect(before).toHaveLength(60);
    expect(after.slice(0, 60)).toEqual(before);
    expect(after).toHaveLength(100);
});

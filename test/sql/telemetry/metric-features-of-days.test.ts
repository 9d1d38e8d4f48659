/** metric_features_of_days: the rows of a range, with the days before it in their figures. */
import { expect, test } from '@jest/globals';
import { openFleet } from '#test/support/fleet-fixture';
import { dayAfter } from '#test/support/lake-fixture';

test('days before the range count and have no row', async () => {
    const { askQuery } = await openFleet({ readings: [0, 1, 2, 3].map((day) => ({ at: `${dayAfter(day)}T10:00:00Z`, is: `${day}.0` })) });
    const rows = await askQuery('metric_features_of_days', [dayAfter(2), dayAfter(1)]);
    expect(rows).toMatchObject([
        { day: dayAfter(1), mean: 1, running_hours: 2n, last_mean: 0 },
        { day: dayAfter(2), mean: 2, running_hours: 3n, last_mean: 1 },
    ]);
});

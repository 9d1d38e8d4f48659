/** device_changes: devices that came or went in a range of days. */
import { type FleetReading, openFleet } from '#test/support/fleet-fixture';
import { dayAfter } from '#test/support/lake-fixture';

/** Readings of one device, one a day. */
function onDays(days: readonly number[], reading: Partial<FleetReading> = {}): FleetReading[] {
    return days.map((day) => ({ at: `${dayAfter(day)}T07:00:00Z`, is: '21', ...reading }));
}

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
/** The range is what comes after the first seven days. */
const ASKED = [null, dayAfter(0), dayAfter(9), dayAfter(7), dayAfter(7)];

test('new is what was never heard before, gone what was heard on half of the days at least', async () => {
    const { askQuery } = await openFleet({
        readings: [
            ...onDays(EVERY_DAY, { device: 'steady' }),
            ...onDays([8, 9], { device: 'new' }),
            ...onDays([8], { device: 'new', metric: 'battery' }),
            ...onDays([0, 1, 2, 3, 6], { device: 'gone' }),
            ...onDays([0, 6], { device: 'seldom' }),
            ...onDays([0, 1, 2, 3, 4, 5, 6], { device: 'silent', site: 'closed' }),
            ...onDays([8], { device: 'first', site: 'opened' }),
        ],
    });
    expect(await askQuery('device_changes', [...ASKED, 10n])).toEqual([
        { change: 'new', total: 1n, site: 'main', device: 'new', days: 2n, first_day: dayAfter(8), last_day: dayAfter(9), readings: 3n },
        { change: 'gone', total: 1n, site: 'main', device: 'gone', days: 5n, first_day: dayAfter(0), last_day: dayAfter(6), readings: 5n },
    ]);
    expect(await askQuery('device_changes', ['closed', ...ASKED.slice(1), 10n])).toEqual([]);
});

/** busiest_days: the days with the most flows. */
import { dayAfter, openFixture } from '#test/support/lake-fixture';

test('puts the day with the most flows first', async () => {
    const { askQuery } = await openFixture([
        { day: dayAfter(0), site: 'berlin' },
        { day: dayAfter(1), site: 'berlin' },
        { day: dayAfter(1), site: 'berlin' },
        { day: dayAfter(2), site: 'osaka' },
    ]);
    const days = async (...parameters: (string | bigint | null)[]) =>
        (await askQuery('busiest_days', parameters)).map(({ site, day, flows }) => `${site} ${day} ${flows}`);
    expect(await days(null, null, null, 2n)).toEqual([`berlin ${dayAfter(1)} 2`, `osaka ${dayAfter(2)} 1`]);
    expect(await days('berlin', null, dayAfter(0), 2n)).toEqual([`berlin ${dayAfter(0)} 1`]);
});

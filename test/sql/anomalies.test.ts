/** anomalies: the newest unusual days. */
import { dayAfter, openFixture } from '#test/support/lake-fixture';

test('puts the newest first, of the site and days that are asked for', async () => {
    const flows = ['berlin', 'osaka'].flatMap((site) =>
        Array.from({ length: 30 }, (_, at) => ({ day: dayAfter(at), site, packets: at === 21 || at === 28 ? 5000n : 100n })),
    );
    const { askQuery } = await openFixture(flows);
    const days = async (...parameters: (string | bigint | null)[]) =>
        (await askQuery('anomalies', parameters)).map(({ site, day }) => `${site} ${day}`);
    expect(await days(null, null, null, 3n)).toEqual([`berlin ${dayAfter(28)}`, `osaka ${dayAfter(28)}`, `berlin ${dayAfter(21)}`]);
    expect(await days('osaka', null, dayAfter(27), 9n)).toEqual([`osaka ${dayAfter(21)}`]);
    expect(await days('osaka', dayAfter(22), null, 9n)).toEqual([`osaka ${dayAfter(28)}`]);
});

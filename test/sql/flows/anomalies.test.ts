/** anomalies: the newest unusual days. */
import { readQuery } from '#lake/query/sql-files';
import { dayAfter, openFixture } from '#test/support/lake-fixture';

test('puts the newest first, of the site and days that are asked for', async () => {
    const flows = ['berlin', 'osaka'].flatMap((site) =>
        Array.from({ length: 30 }, (_, at) => ({ day: dayAfter(at), site, packets: at === 21 || at === 28 ? 5000n : 100n })),
    );
    const { askQuery } = await openFixture(flows);
    const days = async (...parameters: (string | bigint | null)[]) =>
        (await askQuery('anomalies', parameters)).map(({ site, day }) => `${site} ${day}`);
    expect(await days(null, null, null, 3n)).toEqual([`berlin ${dayAfter(28)}`, `osaka ${dayAfter(28)}`, `berlin ${dayAfter(21)}`]);
    expect(await days('osaka', dayAfter(27), null, 9n)).toEqual([`osaka ${dayAfter(21)}`]);
    expect(await days('osaka', null, dayAfter(22), 9n)).toEqual([`osaka ${dayAfter(28)}`]);
});

test('gives the verdicts of the view, and reads no day after the last one asked for', async () => {
    const flows = Array.from({ length: 40 }, (_, at) => ({ day: dayAfter(at), packets: at % 9 === 8 ? 5000n : 100n }));
    const { ask, askQuery } = await openFixture(flows);
    const [plan] = await ask(`explain analyze ${readQuery('anomalies')}`, [null, dayAfter(29), null, 99n]);
    expect(String(plan?.explain_value)).toContain('Total Files Read: 30');
    expect(await askQuery('anomalies', [null, dayAfter(29), dayAfter(20), 99n])).toEqual(
        await ask(`select * from pair_anomalies where day between '${dayAfter(20)}' and '${dayAfter(29)}' order by day desc, score desc`),
    );
});

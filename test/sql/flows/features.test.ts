/** features: the rows of pair_features for a range of days. */
import { OverflowError } from '#lake/errors';
import { readQuery } from '#lake/query/sql-files';
import { dayAfter, openFixture } from '#test/support/lake-fixture';

const flows = [0, 1, 2, 3].flatMap((at) => [
    { day: dayAfter(at), site: 'osaka', packets: BigInt(at) },
    { day: dayAfter(at), site: 'berlin', packets: BigInt(at * at) },
]);

test('says what the view says of the days of the range, both ends included, by day and pair', async () => {
    const { ask, askQuery } = await openFixture(flows);
    const rows = await askQuery('features', [dayAfter(2), dayAfter(1)]);
    expect(rows).toEqual(
        await ask(`select * from pair_features where day in ('${dayAfter(1)}', '${dayAfter(2)}') order by day, site, src_ip, dst_ip`),
    );
    expect(rows.map(({ day, site, running_days }) => [day, site, running_days])).toEqual([
        [dayAfter(1), 'berlin', 2n],
        [dayAfter(1), 'osaka', 2n],
        [dayAfter(2), 'berlin', 3n],
        [dayAfter(2), 'osaka', 3n],
    ]);
});

test('reads no day after the last one asked for, and so does not fail for one', async () => {
    const { ask, askQuery } = await openFixture([0, 1, 2].map((at) => ({ day: dayAfter(at), duration: 9223372036854775807n })));
    await expect(ask('select * from pair_features')).rejects.toThrow(OverflowError);
    expect(await askQuery('features', [dayAfter(0), dayAfter(0)])).toHaveLength(1);
    const [row] = await ask(`explain analyze ${readQuery('features')}`, [dayAfter(0), dayAfter(0)]);
    expect(/Total Files Read: (\d+)/.exec(String(row?.explain_value))?.[1]).toBe('1');
});

test('has no rows where the lake has no days', async () => {
    const { askQuery } = await openFixture([]);
    expect(await askQuery('features', [dayAfter(9), dayAfter(0)])).toEqual([]);
});

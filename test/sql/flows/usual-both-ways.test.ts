/** usual_both_ways: what was usual between two addresses. */
import { readQuery } from '#lake/query/sql-files';
import { dayAfter, type FixtureLake, openFixture } from '#test/support/lake-fixture';

const DAYS = 40;
const ENDS = [
    ['a', 'b'],
    ['b', 'a'],
    ['c', 'b'],
] as const;
let lake: FixtureLake;
beforeAll(async () => {
    lake = await openFixture(
        ['berlin', 'osaka'].flatMap((site) =>
            ENDS.flatMap(([src, dst]) =>
                Array.from({ length: DAYS }, (_, at) => ({ day: dayAfter(at), site, src, dst, packets: BigInt(100 + at) })),
            ),
        ),
    );
});

test('says what the view says there and back, by site, direction, day and measure', async () => {
    expect(await lake.askQuery('usual_both_ways', ['a', 'b', 'b', 'a', null, null, null])).toEqual(
        await lake.ask(
            `select * from pair_usual where (src_ip = 'a' and dst_ip = 'b') or (src_ip = 'b' and dst_ip = 'a')
            order by site, src_ip, dst_ip, day, measure`,
        ),
    );
    expect(await lake.askQuery('usual_both_ways', ['c', 'b', 'b', 'c', 'osaka', dayAfter(30), dayAfter(29)])).toEqual(
        await lake.ask(
            `select * from pair_usual where src_ip = 'c' and site = 'osaka' and day in ('${dayAfter(29)}', '${dayAfter(30)}') order by day, measure`,
        ),
    );
});

test('has no rows for addresses that are no pair', async () => {
    expect(await lake.askQuery('usual_both_ways', ['a', 'c', 'c', 'a', null, null, null])).toEqual([]);
});

test('reads no day after the last one asked for', async () => {
    const [plan] = await lake.ask(`explain analyze ${readQuery('usual_both_ways')}`, ['a', 'b', 'b', 'a', null, dayAfter(9), null]);
    expect(String(plan?.explain_value)).toContain('Total Files Read: 10');
});

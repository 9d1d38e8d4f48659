/** usual_of_pair: what was usual for one pair. */
import { readQuery } from '#lake/query/sql-files';
import { dayAfter, type FixtureLake, openFixture } from '#test/support/lake-fixture';

const DAYS = 40;
let lake: FixtureLake;
beforeAll(async () => {
    lake = await openFixture(
        ['berlin', 'osaka'].flatMap((site) =>
            ['a', 'c'].flatMap((src) =>
                Array.from({ length: DAYS }, (_, at) => ({ day: dayAfter(at), site, src, dst: 'b', packets: BigInt(100 + at) })),
            ),
        ),
    );
});

test('says what the view says of the pair, by site, day and measure', async () => {
    expect(await lake.askQuery('usual_of_pair', ['a', 'b', null, null, null])).toEqual(
        await lake.ask("select * from pair_usual where src_ip = 'a' and dst_ip = 'b' order by site, day, measure"),
    );
    expect(await lake.askQuery('usual_of_pair', ['a', 'b', 'osaka', dayAfter(30), dayAfter(29)])).toEqual(
        await lake.ask(
            `select * from pair_usual where src_ip = 'a' and site = 'osaka' and day in ('${dayAfter(29)}', '${dayAfter(30)}') order by day, measure`,
        ),
    );
});

test('has no rows for a pair that is not there', async () => {
    expect(await lake.askQuery('usual_of_pair', ['b', 'a', null, null, null])).toEqual([]);
});

test('reads no day after the last one asked for', async () => {
    const [plan] = await lake.ask(`explain analyze ${readQuery('usual_of_pair')}`, ['a', 'b', null, dayAfter(9), null]);
    expect(String(plan?.explain_value)).toContain('Total Files Read: 10');
});

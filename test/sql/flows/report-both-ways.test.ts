/** report_both_ways: the rows of two addresses, there and back. */
import { readQuery } from '#lake/query/sql-files';
import { dayAfter, type FixtureLake, openFixture } from '#test/support/lake-fixture';

const flows = [0, 1, 2, 3].flatMap((at) => [
    { day: dayAfter(at), site: 'berlin', src: 'a', dst: 'b', packets: BigInt(at) },
    { day: dayAfter(at), site: 'osaka', src: 'a', dst: 'b', packets: 100n },
    { day: dayAfter(at), site: 'osaka', src: 'b', dst: 'a', packets: 7n },
    { day: dayAfter(at), site: 'osaka', src: 'a', dst: 'c', packets: 9n },
]);
let lake: FixtureLake;
beforeAll(async () => {
    lake = await openFixture(flows);
});

test('says what the view says there and back, by site, direction and day', async () => {
    const rows = await lake.askQuery('report_both_ways', ['a', 'b', 'b', 'a', null, null, null]);
    expect(rows).toEqual(
        await lake.ask(
            `select * from pair_running where (src_ip = 'a' and dst_ip = 'b') or (src_ip = 'b' and dst_ip = 'a') order by site, src_ip, day`,
        ),
    );
    expect(rows).toHaveLength(12);
});

test('counts the running figures from the first day, also where fewer are asked for', async () => {
    const rows = await lake.askQuery('report_both_ways', ['b', 'a', 'a', 'b', 'osaka', dayAfter(2), dayAfter(1)]);
    expect(rows.map(({ src_ip, day, running_days }) => `${src_ip} ${day} ${running_days}`)).toEqual(
        ['a', 'b'].flatMap((src) => [1, 2].map((at) => `${src} ${dayAfter(at)} ${at + 1}`)),
    );
});

test('reads no day after the last one asked for', async () => {
    const [plan] = await lake.ask(`explain analyze ${readQuery('report_both_ways')}`, ['a', 'b', 'b', 'a', null, dayAfter(1), null]);
    expect(String(plan?.explain_value)).toContain('Total Files Read: 2');
});

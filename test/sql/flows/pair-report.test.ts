/** pair_report: the rows of one pair. */
import { readQuery } from '#lake/query/sql-files';
import { dayAfter, type FixtureLake, openFixture } from '#test/support/lake-fixture';

const flows = [0, 1, 2, 3].flatMap((at) => [
    { day: dayAfter(at), site: 'berlin', src: 'a', dst: 'b', packets: BigInt(at) },
    { day: dayAfter(at), site: 'osaka', src: 'a', dst: 'b', packets: 100n },
    { day: dayAfter(at), site: 'osaka', src: 'b', dst: 'a', packets: 7n },
]);
let lake: FixtureLake;
beforeAll(async () => {
    lake = await openFixture(flows);
});
const days = async (...parameters: (string | null)[]) =>
    (await lake.askQuery('pair_report', parameters)).map(({ site, day, running_days }) => `${site} ${day} ${running_days}`);

test('lists a pair by site and day', async () => {
    expect(await days('a', 'b', null, null, null)).toEqual(
        ['berlin', 'osaka'].flatMap((site) => [0, 1, 2, 3].map((at) => `${site} ${dayAfter(at)} ${at + 1}`)),
    );
});

test('counts the running figures from the first day, also where fewer are asked for', async () => {
    expect(await days('a', 'b', 'berlin', dayAfter(2), dayAfter(1))).toEqual([`berlin ${dayAfter(1)} 2`, `berlin ${dayAfter(2)} 3`]);
    expect(await days('a', 'b', 'osaka', null, dayAfter(3))).toEqual([`osaka ${dayAfter(3)} 4`]);
    expect(await days('a', 'b', 'osaka', dayAfter(0), null)).toEqual([`osaka ${dayAfter(0)} 1`]);
});

test('has no rows for a pair that is not there', async () => {
    expect(await days('a', 'c', null, null, null)).toEqual([]);
});

test('says what the view says', async () => {
    expect(await lake.askQuery('pair_report', ['a', 'b', null, null, null])).toEqual(
        await lake.ask("select * from pair_running where src_ip = 'a' and dst_ip = 'b' order by site, day"),
    );
});

test('reads no day after the last one asked for', async () => {
    const filesRead = async (lastDay: string | null) => {
        const [row] = await lake.ask(`explain analyze ${readQuery('pair_report')}`, ['a', 'b', null, lastDay, dayAfter(1)]);
        return /Total Files Read: (\d+)/.exec(String(row?.explain_value))?.[1];
    };
    expect(await filesRead(dayAfter(1))).toBe('2');
    expect(await filesRead(null)).toBe('4');
});

test('has the columns of pair_running', async () => {
    const { columns } = await lake.engine.query('select * from pair_running');
    const [row] = await lake.askQuery('pair_report', ['a', 'b', null, null, null]);
    expect(Object.keys(row!)).toEqual(columns.map(({ name }) => name));
});

test('opens only the row groups that can hold the pair', async () => {
    const many = Array.from({ length: 12_000 }, (_, at) => ({ day: '2026-01-05', src: `10.0.${at >> 8}.${at & 255}`, dst: 'x' }));
    const { ask } = await openFixture(many);
    const [row] = await ask(`explain analyze ${readQuery('pair_report')}`, ['10.0.3.7', 'x', null, null, null]);
    const plan = String(row?.explain_value);
    expect(plan.slice(plan.indexOf('TABLE_SCAN'))).toMatch(/src_ip='10\.0\.3\.7'/);
});

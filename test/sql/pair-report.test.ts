/** pair_report: the rows of one pair. */
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
    expect(await days('a', 'b', 'berlin', dayAfter(1), dayAfter(2))).toEqual([`berlin ${dayAfter(1)} 2`, `berlin ${dayAfter(2)} 3`]);
    expect(await days('a', 'b', 'osaka', dayAfter(3), null)).toEqual([`osaka ${dayAfter(3)} 4`]);
    expect(await days('a', 'b', 'osaka', null, dayAfter(0))).toEqual([`osaka ${dayAfter(0)} 1`]);
});

test('has no rows for a pair that is not there', async () => {
    expect(await days('a', 'c', null, null, null)).toEqual([]);
});

test('has the columns of pair_running', async () => {
    const { columns } = await lake.engine.query('select * from pair_running');
    const [row] = await lake.askQuery('pair_report', ['a', 'b', null, null, null]);
    expect(Object.keys(row!)).toEqual(columns.map(({ name }) => name));
});

test('opens only the row groups that can hold the pair', async () => {
    const many = Array.from({ length: 12_000 }, (_, at) => ({ day: '2026-01-05', src: `10.0.${at >> 8}.${at & 255}`, dst: 'x' }));
    const { ask } = await openFixture(many);
    const sql =
        "explain analyze select * from pair_running where src_ip = cast('10.0.3.7' as varchar) and site = coalesce(cast(null as varchar), site)";
    const [row] = await ask(sql);
    const plan = String(row?.explain_value);
    expect(plan.slice(plan.indexOf('TABLE_SCAN'))).toMatch(/src_ip='10\.0\.3\.7'/);
});

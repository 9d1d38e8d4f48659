/** pair_usual: what was usual for a pair on each of its days. What stands out by it, pair-anomalies.test.ts tests rule by rule. */
import { dayAfter, type Flow, openFixture } from '#test/support/lake-fixture';

/** Days from a Monday on with one flow each, its packets told by the day's place. */
function steady(count: number, packets: (at: number) => bigint): Flow[] {
    return Array.from({ length: count }, (_, at) => ({ day: dayAfter(at), packets: packets(at) }));
}

test('tells of every day with a past what was usual, also where the day was', async () => {
    const { ask } = await openFixture(steady(19, (at) => BigInt(at + 1)));
    const rows = await ask("select day, value, usual, usual_low, usual_high from pair_usual where measure = 'fwd_pkts_sum' order by day");
    // The workdays 1 to 5 are known on the Monday of the second week; of weekends five are known on no day.
    expect(rows[0]).toEqual({ day: dayAfter(7), value: 8n, usual: 3n, usual_low: 2n, usual_high: 4n });
    expect(rows.map(({ day }) => day)).toEqual([7, 8, 9, 10, 11, 14, 15, 16, 17, 18].map((at) => dayAfter(at)));
});

test('has each pair, day and measure once', async () => {
    const flows = ['a', 'b'].flatMap((src) => steady(40, (at) => BigInt(at % 5)).map((flow) => ({ ...flow, src })));
    const { ask } = await openFixture(flows);
    const [counts] = await ask("select count(*) as n, count(distinct concat(src_ip, ' ', day, ' ', measure)) as keys from pair_usual");
    expect(counts?.n).toBe(counts?.keys);
    expect(Number(counts?.n)).toBeGreaterThan(100);
});

test('pair_anomalies has the days whose score is 3.5 or more, and no others', async () => {
    const { ask } = await openFixture(steady(60, (at) => (at % 13 === 12 ? 900n : BigInt(100 + (at % 7)))));
    const unusual = await ask('select * from pair_anomalies order by day, measure');
    expect(unusual).toEqual(await ask('select * from pair_usual where score >= 3.5 order by day, measure'));
    expect(unusual.length).toBeGreaterThan(1);
    expect((await ask('select count(*) as n from pair_usual'))[0]?.n).toBeGreaterThan(unusual.length);
});

test('a day below what is usual has a score below 0', async () => {
    const { ask } = await openFixture(steady(12, (at) => (at === 8 ? 1n : 100n)));
    expect(await ask(`select score < -3.5 as is_low from pair_usual where day = '${dayAfter(8)}' and measure = 'fwd_pkts_sum'`)).toEqual([
        { is_low: true },
    ]);
});

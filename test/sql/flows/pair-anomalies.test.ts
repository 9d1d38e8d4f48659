/** pair_anomalies: the days that are unusual against a pair's own past. */
import fc from 'fast-check';
import { dayAfter, type Flow, openFixture, type Row } from '#test/support/lake-fixture';

/** Days from a Monday on with one flow each, its packets told by the day's place. */
function steady(count: number, packets: (at: number) => bigint): Flow[] {
    return Array.from({ length: count }, (_, at) => ({ day: dayAfter(at), packets: packets(at) }));
}

test('finds the day that is ten times the usual, and says what is usual', async () => {
    const { ask } = await openFixture(steady(30, (at) => (at === 22 ? 1000n : 100n)));
    expect(await ask('select * from pair_anomalies')).toEqual([
        {
            site: 'main',
            src_ip: '10.0.0.1',
            dst_ip: '10.0.0.2',
            day: '2026-01-27',
            measure: 'fwd_pkts_sum',
            value: 1000n,
            usual: 100n,
            usual_low: 100n,
            usual_high: 100n,
            score: round(Math.log(1001 / 101) / 0.15),
        },
    ]);
});

test('gives no verdict before a pair has five days of the same kind', async () => {
    // Monday to Friday, then the next week: Monday 12th is the first with five workdays before it.
    const rows = async (surge: number) =>
        (await openFixture(steady(12, (at) => (at === surge ? 9000n : 10n)))).ask('select day from pair_anomalies');
    expect(await rows(4)).toEqual([]);
    expect(await rows(7)).toEqual([{ day: '2026-01-12' }]);
    // Saturdays and Sundays are judged by themselves: of the second weekend none has five before it.
    expect(await rows(5)).toEqual([]);
});

test('judges weekends by weekends', async () => {
    const isWeekend = (at: number) => at % 7 >= 5;
    const { ask } = await openFixture(steady(40, (at) => (isWeekend(at) ? 10n : 1000n)));
    expect(await ask('select * from pair_anomalies')).toEqual([]);
    const surge = await openFixture(steady(40, (at) => (isWeekend(at) && at !== 34 ? 10n : 1000n)));
    expect(await surge.ask('select day, usual from pair_anomalies')).toEqual([{ day: dayAfter(34), usual: 10n }]);
});

test('still finds large days after one that was larger', async () => {
    const { ask } = await openFixture(steady(40, (at) => (at === 21 ? 1_000_000n : at === 30 ? 1000n : 100n)));
    expect((await ask('select day from pair_anomalies order by day')).map(({ day }) => day)).toEqual([dayAfter(21), dayAfter(30)]);
});

test('finds no fault with quiet days and days without traffic', async () => {
    const { ask } = await openFixture(steady(40, (at) => (at === 30 ? 1n : 100n)).filter((_, at) => at % 3 !== 1));
    expect(await ask('select * from pair_anomalies')).toEqual([]);
});

test('judges durations by the days that have some, however many have none between them', async () => {
    const untimed = (at: number) => at % 3 !== 0;
    const days = Array.from({ length: 60 }, (_, at) => ({
        day: dayAfter(at),
        duration: untimed(at) ? null : at === 57 ? 9_000_000n : 1000n,
        packets: 10n,
    }));
    const { ask } = await openFixture(days);
    expect(await ask('select day, measure, value, usual, usual_low from pair_anomalies')).toEqual([
        { day: dayAfter(57), measure: 'flow_duration_us_sum', value: 9_000_000n, usual: 1000n, usual_low: 1000n },
    ]);
});

const histories = fc.array(
    fc.record({
        src: fc.constantFrom('a', 'b'),
        day: fc.integer({ min: 0, max: 70 }).map((count) => dayAfter(count, '2024-02-20')),
        duration: fc.oneof(
            { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: 9n }) },
            { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 10n ** 13n }) },
            { weight: 3, arbitrary: fc.constant(null) },
        ),
        packets: fc.oneof(
            { weight: 9, arbitrary: fc.bigInt({ min: 90n, max: 110n }) },
            { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 5000n }) },
        ),
    }),
    { minLength: 150, maxLength: 300, size: 'max' },
);

test('equals the rule written down in TypeScript', async () => {
    let found = 0;
    await fc.assert(
        fc.asyncProperty(histories, async (flows) => {
            const { ask, engine } = await openFixture(flows);
            const rows = await ask('select * from pair_anomalies order by src_ip, measure, day');
            expect(rows).toEqual(reference(flows));
            found += rows.length;
            await engine.close();
        }),
        { numRuns: 4 },
    );
    expect(found).toBeGreaterThan(5);
});

function reference(flows: readonly Flow[]): Row[] {
    const measures: [string, (flow: Flow) => bigint | null][] = [
        ['flow_duration_us_sum', ({ duration }) => duration!],
        ['flows', () => 1n],
        ['fwd_pkts_sum', ({ packets }) => packets!],
    ];
    const rows: Row[] = [];
    for (const src of [...new Set(flows.map((flow) => flow.src!))].sort()) {
        for (const [measure, amount] of measures) {
            const totals = new Map<string, bigint>();
            // A day on which no flow has the measure is none of its days.
            for (const flow of flows.filter((one) => one.src === src && amount(one) !== null)) {
                totals.set(flow.day, (totals.get(flow.day) ?? 0n) + amount(flow)!);
            }
            for (const day of [...totals.keys()].sort()) {
                const past = [...totals.keys()]
                    .filter((other) => other < day && isWeekend(other) === isWeekend(day))
                    .sort()
                    .slice(-28);
                const values = past.map((other) => totals.get(other)!).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
                if (values.length < 5) {
                    continue;
                }
                const [low, usual, high] = [0.25, 0.5, 0.75].map((part) => values[Math.floor((values.length - 1) * part)]!) as [
                    bigint,
                    bigint,
                    bigint,
                ];
                const log = (value: bigint) => Math.log(1 + Number(value));
                const width = Math.max((log(high) - log(low)) / 1.349, 1 / Math.sqrt(1 + Number(usual)), 0.15);
                const value = totals.get(day)!;
                const score = (log(value) - log(usual)) / width;
                if (score >= 3.5) {
                    rows.push({
                        site: 'main',
                        src_ip: src,
                        dst_ip: '10.0.0.2',
                        day,
                        measure,
                        value,
                        usual,
                        usual_low: low,
                        usual_high: high,
                        score: round(score),
                    });
                }
            }
        }
    }
    return rows;
}

function isWeekend(day: string): boolean {
    return [0, 6].includes(new Date(day).getUTCDay());
}

/** The score to six decimals, as the view has it. */
function round(score: number): number {
    return Math.round(score * 1e6) / 1e6;
}

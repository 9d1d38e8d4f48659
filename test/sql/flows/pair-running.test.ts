/** pair_running: running statistics over a pair's daily totals. */
import fc from 'fast-check';
import { OverflowError } from '#lake/errors';
import { dayAfter, type Flow, groupBy, openFixture, type Row } from '#test/support/lake-fixture';

test('counts every day of a pair from its first one, whatever days lie between', async () => {
    const { ask } = await openFixture([
        { day: '2026-01-05', duration: 3n, packets: 1n },
        { day: '2026-01-05', duration: 4n, packets: 1n },
        { day: '2026-01-09', duration: 1n, packets: 2n },
        { day: '2026-01-31', duration: 1n, packets: 3n },
    ]);
    expect(await ask('select * from pair_running order by day')).toEqual([
        {
            site: 'main',
            src_ip: '10.0.0.1',
            dst_ip: '10.0.0.2',
            day: '2026-01-05',
            flows: 2n,
            timed_flows: 2n,
            flow_duration_us_sum: 7n,
            fwd_pkts_sum: 2n,
            running_days: 1n,
            running_timed_days: 1n,
            flow_duration_us_running_mean: 7,
            flow_duration_us_running_stddev_pop: 0,
            flow_duration_us_running_stddev_samp: null,
            fwd_pkts_running_mean: 2,
            fwd_pkts_running_stddev_pop: 0,
            fwd_pkts_running_stddev_samp: null,
        },
        expect.objectContaining({
            day: '2026-01-09',
            running_days: 2n,
            flow_duration_us_running_mean: 4,
            flow_duration_us_running_stddev_pop: 3,
            flow_duration_us_running_stddev_samp: Math.sqrt(18),
            fwd_pkts_running_mean: 2,
            fwd_pkts_running_stddev_pop: 0,
            fwd_pkts_running_stddev_samp: 0,
        }),
        expect.objectContaining({
            day: '2026-01-31',
            running_days: 3n,
            flow_duration_us_running_mean: 3,
            flow_duration_us_running_stddev_pop: Math.sqrt(72) / 3,
            fwd_pkts_running_mean: 7 / 3,
            fwd_pkts_running_stddev_pop: Math.sqrt(2) / 3,
        }),
    ]);
});

test('takes one address pair of two sites, and the two directions, for different pairs', async () => {
    const { ask } = await openFixture([
        { day: '2026-01-05', site: 'berlin', packets: 5n },
        { day: '2026-01-06', site: 'osaka', packets: 9n },
        { day: '2026-01-06', src: '10.0.0.2', dst: '10.0.0.1', packets: 2n },
    ]);
    expect(await ask('select site, src_ip, running_days, fwd_pkts_running_mean as mean from pair_running order by site, src_ip')).toEqual([
        { site: 'berlin', src_ip: '10.0.0.1', running_days: 1n, mean: 5 },
        { site: 'main', src_ip: '10.0.0.2', running_days: 1n, mean: 2 },
        { site: 'osaka', src_ip: '10.0.0.1', running_days: 1n, mean: 9 },
    ]);
});

test.each([
    { totals: [9000000000000000n, 9000000000000077n], deviation: 38.5 },
    { totals: [9000000000000000n, 9000000000000077n, 9000000000000154n], deviation: Math.sqrt(6 * 77 ** 2) / 3 },
    { totals: [4000000000000000000n, 4000000000000000001n], deviation: 0.5 },
    { totals: [9223372036854775807n], deviation: 0 },
])('keeps every digit of daily totals near $totals.0', async ({ totals, deviation }) => {
    const { ask } = await openFixture(totals.map((total, at) => ({ day: dayAfter(at), duration: total, packets: total })));
    const [row] = await ask('select * from pair_running order by day desc limit 1');
    expect(row).toMatchObject({
        flow_duration_us_sum: totals.at(-1),
        flow_duration_us_running_stddev_pop: deviation,
        fwd_pkts_running_stddev_pop: deviation,
    });
});

test.each([
    [9223372036854775807n, 9223372036854775807n],
    [5000000000000000000n, 5000000000000000000n],
    [1n, 2n, 9223372036854775807n],
    Array.from({ length: 34 }, () => 300000000000000000n),
])('refuses what would leave its range instead of answering something wrong: %s', async (...totals) => {
    const { ask } = await openFixture(totals.map((total, at) => ({ day: dayAfter(at), duration: total })));
    const answer = ask('select * from pair_running');
    await expect(answer).rejects.toThrow(OverflowError);
    await expect(answer).rejects.toThrow(
        `flow_duration_us of 10.0.0.1 to 10.0.0.2 at site main is too large for exact statistics on ${dayAfter(totals.length - 1)}`,
    );
    // What needs no squares is answered all the same.
    expect(await ask('select count(*) as days, max(flow_duration_us_running_mean) > 1e17 as is_large from pair_running')).toEqual([
        { days: BigInt(totals.length), is_large: true },
    ]);
});

/** Pairs with some flows on some days, of all sizes that the views can hold. */
const lakes = fc
    .array(
        fc.record({
            src: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fe80::1'),
            site: fc.constantFrom('main', 'berlin'),
            day: fc.integer({ min: 0, max: 9 }).map((count) => dayAfter(count)),
            size: fc.constantFrom(1n, 1_000n, 3_000_000_007n, 9_000_000_000_000_000n),
            duration: fc.option(fc.bigInt({ min: 0n, max: 1_000_000n }), { freq: 1 }),
            packets: fc.bigInt({ min: 0n, max: 1n << 40n }),
        }),
        { minLength: 1, maxLength: 200 },
    )
    .map((flows) =>
        flows.map(
            ({ size, duration, ...flow }): Flow => ({ ...flow, duration: duration === null ? null : (duration * size) / 1_000_000n }),
        ),
    );

test('equals a reference in whole numbers, and on a pair’s last day its pair_stats', async () => {
    await fc.assert(
        fc.asyncProperty(lakes, async (flows) => {
            const { ask, engine } = await openFixture(flows);
            const running = await ask('select * from pair_running order by site, src_ip, day');
            expect(running).toEqual(reference(flows));
            const last = running.filter((row, at) => row.src_ip !== running[at + 1]?.src_ip || row.site !== running[at + 1]?.site);
            const stats = await ask('select * from pair_stats order by site, src_ip');
            expect(stats.map(statistics('daily'))).toEqual(last.map(statistics('running')));
            expect(stats.map(({ days, timed_days, last_day }) => [days, timed_days, last_day])).toEqual(
                last.map(({ running_days, running_timed_days, day }) => [running_days, running_timed_days, day]),
            );
            await engine.close();
        }),
        { numRuns: 8 },
    );
});

function statistics(what: 'daily' | 'running') {
    return (row: Row) =>
        ['flow_duration_us', 'fwd_pkts'].flatMap((measure) =>
            ['mean', 'stddev_pop', 'stddev_samp'].map((statistic) => row[`${measure}_${what}_${statistic}`]),
        );
}

function reference(flows: readonly Flow[]): Row[] {
    const pairs = groupBy(flows, ({ site, src }) => `${site} ${src}`);
    return [...pairs.keys()].sort().flatMap((pair) => {
        const ofPair = pairs.get(pair)!;
        const days = [...new Set(ofPair.map(({ day }) => day))].sort();
        const totals = days.map((day) => {
            const ofDay = ofPair.filter((flow) => flow.day === day);
            const durations = ofDay.map(({ duration }) => duration!).filter((duration) => duration !== null);
            return {
                flows: BigInt(ofDay.length),
                timed: BigInt(durations.length),
                duration: sum(durations),
                packets: sum(ofDay.map(({ packets }) => packets!)),
            };
        });
        return days.map((day, at) => {
            const past = totals.slice(0, at + 1);
            const timedPast = past.filter(({ timed }) => timed > 0n);
            return {
                site: ofPair[0]!.site!,
                src_ip: ofPair[0]!.src!,
                dst_ip: '10.0.0.2',
                day,
                flows: totals[at]!.flows,
                timed_flows: totals[at]!.timed,
                flow_duration_us_sum: totals[at]!.duration,
                fwd_pkts_sum: totals[at]!.packets,
                running_days: BigInt(past.length),
                running_timed_days: BigInt(timedPast.length),
                ...describe(
                    'flow_duration_us',
                    timedPast.map(({ duration }) => duration),
                ),
                ...describe(
                    'fwd_pkts',
                    past.map(({ packets }) => packets),
                ),
            };
        });
    });

    function describe(measure: string, values: bigint[]): Row {
        const count = values.length;
        const spread = Number(BigInt(count) * sum(values.map((value) => value * value)) - sum(values) ** 2n);
        return {
            [`${measure}_running_mean`]: count === 0 ? null : Number(sum(values)) / count,
            [`${measure}_running_stddev_pop`]: count === 0 ? null : Math.sqrt(spread) / count,
            [`${measure}_running_stddev_samp`]: count < 2 ? null : Math.sqrt(spread / (count * (count - 1))),
        };
    }
}

function sum(values: bigint[]): bigint {
    return values.reduce((total, value) => total + value, 0n);
}

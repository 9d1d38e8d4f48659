/** pair_stats: totals and spread of each pair. */
import { OverflowError } from '#lake/errors';
import { dayAfter, openFixture } from '#test/support/lake-fixture';

test('tells the spread of a pair’s daily totals from that of its flows', async () => {
    const { ask } = await openFixture([
        { day: '2026-01-05', duration: 2n, packets: 0n },
        { day: '2026-01-05', duration: 4n, packets: 6n },
        { day: '2026-01-07', duration: 12n, packets: 3n },
    ]);
    expect(await ask('select * from pair_stats')).toEqual([
        {
            site: 'main',
            src_ip: '10.0.0.1',
            dst_ip: '10.0.0.2',
            days: 2n,
            timed_days: 2n,
            first_day: '2026-01-05',
            last_day: '2026-01-07',
            flows: 3n,
            timed_flows: 3n,
            flow_duration_us_sum: 18n,
            flow_duration_us_min: 2n,
            flow_duration_us_max: 12n,
            flow_duration_us_daily_mean: 9,
            flow_duration_us_daily_stddev_pop: 3,
            flow_duration_us_daily_stddev_samp: Math.sqrt(18),
            flow_duration_us_flow_mean: 6,
            flow_duration_us_flow_stddev_pop: Math.sqrt(168) / 3,
            flow_duration_us_flow_stddev_samp: Math.sqrt(28),
            fwd_pkts_sum: 9n,
            fwd_pkts_min: 0n,
            fwd_pkts_max: 6n,
            fwd_pkts_daily_mean: 4.5,
            fwd_pkts_daily_stddev_pop: 1.5,
            fwd_pkts_daily_stddev_samp: Math.sqrt(4.5),
            fwd_pkts_flow_mean: 3,
            fwd_pkts_flow_stddev_pop: Math.sqrt(54) / 3,
            fwd_pkts_flow_stddev_samp: 3,
        },
    ]);
});

test('tells of durations only what the flows say that have one, on the days that have such flows', async () => {
    const { ask } = await openFixture([
        { day: '2026-01-04', duration: null, packets: 6n },
        { day: '2026-01-05', duration: 2n, packets: 0n },
        { day: '2026-01-05', duration: 4n, packets: 6n },
        { day: '2026-01-05', duration: null, packets: 6n },
        { day: '2026-01-06', duration: null, packets: 6n },
        { day: '2026-01-07', duration: 12n, packets: 3n },
    ]);
    expect(await ask('select * from pair_stats')).toMatchObject([
        {
            days: 4n,
            timed_days: 2n,
            first_day: '2026-01-04',
            last_day: '2026-01-07',
            flows: 6n,
            timed_flows: 3n,
            flow_duration_us_sum: 18n,
            flow_duration_us_min: 2n,
            flow_duration_us_max: 12n,
            flow_duration_us_daily_mean: 9,
            flow_duration_us_daily_stddev_pop: 3,
            flow_duration_us_daily_stddev_samp: Math.sqrt(18),
            flow_duration_us_flow_mean: 6,
            flow_duration_us_flow_stddev_pop: Math.sqrt(168) / 3,
            flow_duration_us_flow_stddev_samp: Math.sqrt(28),
            fwd_pkts_sum: 27n,
            fwd_pkts_daily_mean: 6.75,
            fwd_pkts_flow_mean: 4.5,
        },
    ]);
});

test('tells nothing of the durations of a pair that has none', async () => {
    const { ask } = await openFixture([0, 1].map((at) => ({ day: dayAfter(at), duration: null, packets: 3n })));
    expect(await ask('select * from pair_stats')).toMatchObject([
        {
            days: 2n,
            timed_days: 0n,
            flows: 2n,
            timed_flows: 0n,
            flow_duration_us_sum: 0n,
            flow_duration_us_min: null,
            flow_duration_us_max: null,
            flow_duration_us_daily_mean: null,
            flow_duration_us_daily_stddev_pop: null,
            flow_duration_us_daily_stddev_samp: null,
            flow_duration_us_flow_mean: null,
            flow_duration_us_flow_stddev_pop: null,
            flow_duration_us_flow_stddev_samp: null,
            fwd_pkts_daily_mean: 3,
            fwd_pkts_flow_mean: 3,
        },
    ]);
});

test('has no sample deviation for a single day and a single flow', async () => {
    const { ask } = await openFixture([{ day: '2026-01-05' }]);
    expect(await ask('select * from pair_stats')).toEqual([
        expect.objectContaining({
            fwd_pkts_daily_stddev_pop: 0,
            fwd_pkts_daily_stddev_samp: null,
            fwd_pkts_flow_stddev_pop: 0,
            fwd_pkts_flow_stddev_samp: null,
        }),
    ]);
});

test('has one row per pair, and all rows together have every flow', async () => {
    const flows = Array.from({ length: 60 }, (_, at) => ({
        day: dayAfter(at % 7),
        site: at % 2 === 0 ? 'main' : 'berlin',
        src: `10.0.0.${at % 3}`,
        dst: `10.0.1.${at % 5}`,
        duration: BigInt(at) ** 9n,
        packets: BigInt(at),
    }));
    const { ask } = await openFixture(flows);
    const [sums] = await ask(`
        select
            count(*) as row_count,
            count(distinct (site, src_ip, dst_ip)) as pairs,
            sum(flows) as flows,
            sum(flow_duration_us_sum) as duration,
            sum(fwd_pkts_sum) as packets
        from pair_stats`);
    expect(sums).toEqual({
        row_count: 30n,
        pairs: 30n,
        flows: 60n,
        duration: flows.reduce((total, { duration }) => total + duration, 0n),
        packets: 1770n,
    });
});

test('refuses what would leave its range instead of answering something wrong', async () => {
    // Fits a bigint, and so do its sums; but the exact step squares them.
    const total = 4_000_000_000_000_000_000n;
    const { ask } = await openFixture([0n, 1n, 2n].map((more, at) => ({ day: dayAfter(at), packets: total + more })));
    const answer = ask('select * from pair_stats');
    await expect(answer).rejects.toThrow(OverflowError);
    await expect(answer).rejects.toThrow(
        `fwd_pkts of 10.0.0.1 to 10.0.0.2 at site main is too large for exact statistics on ${dayAfter(2)}`,
    );
    expect(await ask('select days, fwd_pkts_sum from pair_stats')).toEqual([{ days: 3n, fwd_pkts_sum: 3n * total + 3n }]);
});

/** day_totals: the traffic of each site and day. */
import { openFixture } from '#test/support/lake-fixture';

test('adds up each site’s day', async () => {
    const { ask } = await openFixture([
        { day: '2026-01-05', site: 'berlin', src: 'a', duration: 1n, packets: 2n },
        { day: '2026-01-05', site: 'berlin', src: 'a', duration: 3n, packets: 4n },
        { day: '2026-01-05', site: 'berlin', src: 'b', duration: 5n, packets: 6n },
        { day: '2026-01-05', site: 'osaka', src: 'a', duration: 7n, packets: 8n },
        { day: '2026-01-06', site: 'berlin', src: 'a', duration: 9n, packets: 10n },
    ]);
    expect(await ask('select * from day_totals order by day, site')).toEqual([
        { site: 'berlin', day: '2026-01-05', flows: 3n, timed_flows: 3n, pairs: 2n, flow_duration_us_sum: 9n, fwd_pkts_sum: 12n },
        { site: 'osaka', day: '2026-01-05', flows: 1n, timed_flows: 1n, pairs: 1n, flow_duration_us_sum: 7n, fwd_pkts_sum: 8n },
        { site: 'berlin', day: '2026-01-06', flows: 1n, timed_flows: 1n, pairs: 1n, flow_duration_us_sum: 9n, fwd_pkts_sum: 10n },
    ]);
});

test('says of how many flows the durations are', async () => {
    const { ask } = await openFixture([
        { day: '2026-01-05', src: 'a', duration: null, packets: 2n },
        { day: '2026-01-05', src: 'a', duration: 3n, packets: 4n },
        { day: '2026-01-05', src: 'b', duration: null, packets: 6n },
        { day: '2026-01-06', src: 'b', duration: null, packets: 8n },
    ]);
    expect(await ask('select day, flows, timed_flows, flow_duration_us_sum, fwd_pkts_sum from day_totals order by day')).toEqual([
        { day: '2026-01-05', flows: 3n, timed_flows: 1n, flow_duration_us_sum: 3n, fwd_pkts_sum: 12n },
        { day: '2026-01-06', flows: 1n, timed_flows: 0n, flow_duration_us_sum: 0n, fwd_pkts_sum: 8n },
    ]);
});

test('adds up totals whose sum no bigint holds', async () => {
    const largest = 2n ** 63n - 1n;
    const { ask } = await openFixture(['a', 'b', 'c'].map((src) => ({ day: '2026-01-05', src, duration: largest, packets: largest })));
    expect(await ask('select flow_duration_us_sum, fwd_pkts_sum from day_totals')).toEqual([
        { flow_duration_us_sum: 3n * largest, fwd_pkts_sum: 3n * largest },
    ]);
});

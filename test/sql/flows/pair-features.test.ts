/** pair_features: what a model may know of a pair on a day. */
import fc from 'fast-check';
import { OverflowError } from '#lake/errors';
import { dayAfter, type Flow, groupBy, openFixture, type Row } from '#test/support/lake-fixture';

test('tells of each day how it is and how the pair was before it', async () => {
    const { ask } = await openFixture([
        { day: '2026-01-05', duration: 3n, packets: 1n },
        { day: '2026-01-05', duration: 4n, packets: 1n },
        { day: '2026-01-10', duration: 1n, packets: 2n },
        { day: '2026-01-12', duration: 10n, packets: 3n },
    ]);
    expect(await ask('select * from pair_features order by day')).toEqual([
        {
            site: 'main',
            src_ip: '10.0.0.1',
            dst_ip: '10.0.0.2',
            day: '2026-01-05',
            day_of_week: 1n,
            is_weekend: false,
            days_since_first_seen: 0n,
            days_since_last_seen: null,
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
            past_7_days_active: 0n,
            flows_past_7_days_sum: 0,
            flow_duration_us_past_7_days_sum: 0,
            fwd_pkts_past_7_days_sum: 0,
            flow_duration_us_past_mean: null,
            flow_duration_us_past_stddev_pop: null,
            flow_duration_us_past_z_score: null,
            fwd_pkts_past_mean: null,
            fwd_pkts_past_stddev_pop: null,
            fwd_pkts_past_z_score: null,
        },
        expect.objectContaining({
            day: '2026-01-10',
            day_of_week: 6n,
            is_weekend: true,
            days_since_first_seen: 5n,
            days_since_last_seen: 5n,
            running_days: 2n,
            past_7_days_active: 1n,
            flows_past_7_days_sum: 2,
            flow_duration_us_past_7_days_sum: 7,
            fwd_pkts_past_7_days_sum: 2,
            flow_duration_us_past_mean: 7,
            flow_duration_us_past_stddev_pop: 0,
            // One day tells nothing of how far days usually are from each other.
            flow_duration_us_past_z_score: null,
            fwd_pkts_past_z_score: null,
        }),
        expect.objectContaining({
            day: '2026-01-12',
            day_of_week: 1n,
            is_weekend: false,
            days_since_first_seen: 7n,
            days_since_last_seen: 2n,
            flows: 1n,
            running_days: 3n,
            flow_duration_us_running_mean: 6,
            // The first of the seven days before it, and the last.
            past_7_days_active: 2n,
            flows_past_7_days_sum: 3,
            flow_duration_us_past_7_days_sum: 8,
            fwd_pkts_past_7_days_sum: 4,
            flow_duration_us_past_mean: 4,
            flow_duration_us_past_stddev_pop: 3,
            flow_duration_us_past_z_score: 2,
            fwd_pkts_past_mean: 2,
            fwd_pkts_past_stddev_pop: 0,
            // All days before it were equal: no distance from them can be measured.
            fwd_pkts_past_z_score: null,
        }),
    ]);
});

test('leaves the figures of the duration as they were on a day without one', async () => {
    const { ask } = await openFixture([
        { day: '2026-01-05', duration: null, packets: 1n },
        { day: '2026-01-06', duration: 1n, packets: 1n },
        { day: '2026-01-07', duration: 7n, packets: 2n },
        { day: '2026-01-08', duration: null, packets: 3n },
        { day: '2026-01-09', duration: 10n, packets: 3n },
    ]);
    const rows = await ask(`
        select timed_flows, running_timed_days as days, flow_duration_us_running_mean as mean, flow_duration_us_past_mean as past_mean,
            flow_duration_us_past_stddev_pop as deviation, flow_duration_us_past_z_score as score, fwd_pkts_past_mean as pkts
        from pair_features order by day
    `);
    expect(rows.map((row) => Object.values(row))).toEqual([
        [0n, 0n, null, null, null, null, null],
        [1n, 1n, 1, null, null, null, 1],
        [1n, 2n, 4, 1, 0, null, 1],
        [0n, 2n, 4, 4, 3, null, 4 / 3],
        [1n, 3n, 6, 4, 3, 2, 7 / 4],
    ]);
});

test('counts the days of the calendar, over months, leap days and years, and the week from Monday on', async () => {
    const days = ['2023-12-31', '2024-02-29', '2024-03-01', '2025-03-01', '2025-03-08', '2025-03-09'];
    const { ask } = await openFixture(days.map((day) => ({ day, packets: 1n })));
    const rows = await ask(`
        select day_of_week as weekday, is_weekend, days_since_first_seen as first, days_since_last_seen as last, past_7_days_active as week
        from pair_features order by day
    `);
    expect(rows.map((row) => Object.values(row))).toEqual([
        [7n, true, 0n, null, 0n],
        [4n, false, 60n, 60n, 0n],
        [5n, false, 61n, 1n, 1n],
        [6n, true, 426n, 365n, 0n],
        [6n, true, 433n, 7n, 1n],
        [7n, true, 434n, 1n, 1n],
    ]);
});

test('takes one address pair of two sites, and the two directions, for different pairs', async () => {
    const { ask } = await openFixture([
        { day: '2026-01-05', site: 'berlin' },
        { day: '2026-01-06', site: 'osaka' },
        { day: '2026-01-06', src: '10.0.0.2', dst: '10.0.0.1' },
        { day: '2026-01-07', site: 'osaka' },
    ]);
    expect(
        await ask('select site, day, days_since_last_seen as last, flows_past_7_days_sum as week from pair_features order by 1, 2'),
    ).toEqual([
        { site: 'berlin', day: '2026-01-05', last: null, week: 0 },
        { site: 'main', day: '2026-01-06', last: null, week: 0 },
        { site: 'osaka', day: '2026-01-06', last: null, week: 0 },
        { site: 'osaka', day: '2026-01-07', last: 1n, week: 1 },
    ]);
});

test.each([9_000_000_000_000_000n, 2_000_000_000_000_000_000n])(
    'measures the distance of a day exactly where totals near %s lose their last digits in a double',
    async (base) => {
        const totals = [base, base + 77n, base + 154n, base + 78n];
        const { ask } = await openFixture(totals.map((total, at) => ({ day: dayAfter(at), duration: total, packets: 7n })));
        const rows = await ask('select flow_duration_us_past_z_score as score from pair_features order by day');
        // (2 * 154 - 77) / (2 * 38.5) and (3 * 78 - 231) / sqrt(3 * (77^2 + 154^2) - 231^2)
        expect(rows.map(({ score }) => score)).toEqual([null, null, 3, 3 / (3 * (Math.sqrt(35574) / 3))]);
    },
);

test('holds the totals of seven days where they are more than a whole number of the lake may be', async () => {
    const large = 1_320_000_000_000_000_000n;
    const { ask } = await openFixture([0, 1, 2, 3, 4, 5, 6, 7].map((at) => ({ day: dayAfter(at), duration: at < 7 ? large : 1n })));
    const [row] = await ask('select * from pair_features order by day desc limit 1');
    expect(row).toMatchObject({ past_7_days_active: 7n, flow_duration_us_past_7_days_sum: 9.24e18 });
});

test('refuses what would leave its range, and names the pair and the day', async () => {
    const { ask } = await openFixture([0, 1].map((at) => ({ day: dayAfter(at), duration: 9223372036854775807n })));
    const answer = ask('select * from pair_features');
    await expect(answer).rejects.toThrow(OverflowError);
    await expect(answer).rejects.toThrow(`10.0.0.1 to 10.0.0.2 at site main is too large for exact statistics on ${dayAfter(1)}`);
});

/** Pairs with some flows on some days of three weeks, of all sizes that the view can hold. */
const lakes = fc
    .array(
        fc.record({
            src: fc.constantFrom('10.0.0.1', 'fe80::1'),
            site: fc.constantFrom('main', 'berlin'),
            day: fc.integer({ min: 0, max: 20 }).map((count) => dayAfter(count)),
            size: fc.constantFrom(1n, 1_000n, 3_000_000_007n, 9_000_000_000_000_000n),
            duration: fc.option(fc.bigInt({ min: 0n, max: 1_000_000n }), { freq: 1 }),
            packets: fc.bigInt({ min: 0n, max: 1n << 40n }),
        }),
        { minLength: 2, maxLength: 80 },
    )
    .map((flows) =>
        flows.map(
            ({ size, duration, ...flow }): Flow => ({ ...flow, duration: duration === null ? null : (duration * size) / 1_000_000n }),
        ),
    );

async function featuresOf(flows: readonly Flow[]): Promise<Row[]> {
    const { ask, engine } = await openFixture(flows);
    const rows = await ask('select * from pair_features order by day, site, src_ip, dst_ip');
    await engine.close();
    return rows;
}

test('knows nothing of later days: taken away or changed, they leave every row as it was, bit for bit', async () => {
    await fc.assert(
        fc.asyncProperty(lakes, fc.integer({ min: 0, max: 20 }), async (flows, count) => {
            const last = dayAfter(count);
            const known = (await featuresOf(flows)).filter(({ day }) => String(day) <= last);
            const past = flows.filter(({ day }) => day <= last);
            const future = [...flows, { src: 'fe80::1', day: dayAfter(count + 1) }].filter(({ day }) => day > last);
            const changed = [...past, ...future.map((flow): Flow => ({ ...flow, duration: 77n, packets: 5n }))];
            expect(await featuresOf(past)).toEqual(known);
            expect((await featuresOf(changed)).filter(({ day }) => String(day) <= last)).toEqual(known);
        }),
        { numRuns: 5 },
    );
});

test('equals a reference in whole numbers, has one row per pair and day, and the totals of pair_days', async () => {
    await fc.assert(
        fc.asyncProperty(lakes, async (flows) => {
            const { ask, engine } = await openFixture(flows);
            const rows = await ask('select * from pair_features order by site, src_ip, day');
            expect(rows).toEqual(reference(flows).map((expected) => expect.objectContaining(expected)));
            const totals = 'select site, src_ip, dst_ip, day, flows, timed_flows, flow_duration_us_sum, fwd_pkts_sum';
            expect(await ask(`${totals} from pair_features order by site, src_ip, day`)).toEqual(
                await ask(`${totals} from pair_days order by site, src_ip, day`),
            );
            const running = await ask('select * from pair_running order by site, src_ip, day');
            expect(rows).toEqual(running.map((row) => expect.objectContaining(row)));
            await engine.close();
        }),
        { numRuns: 5 },
    );
});

function reference(flows: readonly Flow[]): Row[] {
    const pairs = groupBy(flows, ({ site, src }) => `${site} ${src}`);
    return [...pairs.keys()].sort().flatMap((pair) => {
        const byDay = groupBy(pairs.get(pair)!, ({ day }) => day);
        const days = [...byDay.keys()].sort();
        const totals = days.map((day) => {
            const durations = byDay
                .get(day)!
                .map(({ duration }) => duration!)
                .filter((duration) => duration !== null);
            return {
                flows: BigInt(byDay.get(day)!.length),
                isTimed: durations.length > 0,
                duration: sum(durations),
                packets: sum(byDay.get(day)!.map(({ packets }) => packets!)),
            };
        });
        return days.map((day, at) => {
            const date = new Date(day);
            const week = totals.slice(0, at).filter((_, before) => daysBetween(days[before]!, day) <= 7);
            return {
                day,
                day_of_week: BigInt(date.getUTCDay() || 7),
                is_weekend: date.getUTCDay() % 6 === 0,
                days_since_first_seen: BigInt(daysBetween(days[0]!, day)),
                days_since_last_seen: at === 0 ? null : BigInt(daysBetween(days[at - 1]!, day)),
                past_7_days_active: BigInt(week.length),
                flows_past_7_days_sum: Number(sum(week.map((total) => total.flows))),
                flow_duration_us_past_7_days_sum: Number(sum(week.map((total) => total.duration))),
                fwd_pkts_past_7_days_sum: Number(sum(week.map((total) => total.packets))),
                ...describePast(
                    'flow_duration_us',
                    totals[at]!.isTimed ? totals[at]!.duration : null,
                    totals
                        .slice(0, at)
                        .filter(({ isTimed }) => isTimed)
                        .map(({ duration }) => duration),
                ),
                ...describePast(
                    'fwd_pkts',
                    totals[at]!.packets,
                    totals.slice(0, at).map(({ packets }) => packets),
                ),
            };
        });
    });

    function describePast(measure: string, value: bigint | null, past: bigint[]): Row {
        const count = BigInt(past.length);
        const days = past.length;
        const deviation = Math.sqrt(Number(count * sum(past.map((one) => one * one)) - sum(past) ** 2n)) / days;
        return {
            [`${measure}_past_mean`]: days === 0 ? null : Number(sum(past)) / days,
            [`${measure}_past_stddev_pop`]: days === 0 ? null : deviation,
            [`${measure}_past_z_score`]:
                value === null || days < 2 || deviation === 0 ? null : Number(count * value - sum(past)) / (days * deviation),
        };
    }
}

function daysBetween(first: string, second: string): number {
    return (Date.parse(second) - Date.parse(first)) / 86_400_000;
}

function sum(values: bigint[]): bigint {
    return values.reduce((total, value) => total + value, 0n);
}

/** Today: amounts beside what is usual, sites that sent nothing, what came and went, what was unusual, alerts. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Lake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import { alertsOfDayPage } from '#lake/pages/alerts-of-day';
import { newsPage } from '#lake/pages/news';
import type { Page } from '#lake/pages/page';
import { todayPage } from '#lake/pages/today';
import { unusualPage } from '#lake/pages/unusual';
import { type FleetReading, HOT, openFleet } from '#test/support/fleet-fixture';
import { pairDaysKey } from '#test/support/flow-tables';
import { dayAfter, type Flow, openFixture } from '#test/support/lake-fixture';
import { pageContext } from '#test/support/page-context';
import { makeFolder } from '#test/support/temporary';

const lakes = new Map<string, Lake>();
afterAll(() => Promise.all([...lakes.values()].map((lake) => lake.close())));

async function ask(page: Page, directory: string, parameters: Record<string, string> = {}, now?: string): Promise<any> {
    const location = { kind: 'directory', name: directory, directory } as const;
    const lake = lakes.get(directory) ?? (await openLake(location, { environment: {}, signal: new AbortController().signal }));
    lakes.set(directory, lake);
    const more = now === undefined ? {} : { now: () => new Date(now) };
    return page.answer(page.parameters.parse(parameters), pageContext(lake, more));
}

/** A flow a day for so many days from a Monday on; `skips` are left out. */
function daily(days: number, flow: Partial<Flow> = {}, skips: readonly number[] = []): Flow[] {
    return Array.from({ length: days }, (_, at) => at)
        .filter((at) => !skips.includes(at))
        .map((at) => ({ day: dayAfter(at), ...flow }));
}

/** Monday of the fifth week. */
const MONDAY = 28;

describe('amounts of a day', () => {
    test('are those of query, with all their digits, beside what is usual on days like it', async () => {
        const packets = 9_007_199_254_740_993n;
        const flows = [
            ...daily(MONDAY + 1, { site: 'berlin' }),
            ...daily(MONDAY + 1, { site: 'osaka', packets }),
            { day: dayAfter(MONDAY), site: 'osaka', src: '10.0.0.9', packets },
            // On weekends there is more, which is not usual for a Monday.
            ...[5, 6, 12, 13].map((at) => ({ day: dayAfter(at), site: 'berlin', src: '10.0.0.7' })),
        ];
        const { directory, ask: query } = await openFixture(flows);
        const found = await ask(todayPage, directory);
        const [total] = await query(
            `select cast(sum(fwd_pkts_sum) as varchar) as packets from day_totals where day = '${dayAfter(MONDAY)}'`,
        );
        expect(found.flows).toMatchObject({ amount: '3', pairs: '3', packets: total?.packets, siteCount: 2, quiet: [] });
        expect(found.flows.packets).toBe('18014398509481996');
        expect(found.flows.sites).toEqual([
            expect.objectContaining({ site: 'osaka', amount: '2', pairs: '2', packets: String(2n * packets), usual: '1', usualDays: 20 }),
            expect.objectContaining({ site: 'berlin', amount: '1', usual: '1' }),
        ]);
        expect(found).toMatchObject({ day: dayAfter(MONDAY), telemetry: null });
    });

    test('of readings are counted with the devices that sent them', async () => {
        const readings = ['d1', 'd2'].map((device) => ({ at: `${dayAfter(0)}T10:00:00Z`, is: '20.0', device }));
        const { directory } = await openFleet({ readings });
        expect((await ask(todayPage, directory)).telemetry).toMatchObject({
            amount: '2',
            devices: '2',
            sites: [{ site: 'main', amount: '2', devices: '2', usual: null }],
        });
    });

    test('of an empty lake are none, and no zero', async () => {
        expect(await ask(todayPage, await makeFolder())).toEqual({ day: null, flows: null, telemetry: null });
    });
});

describe('a site that sent nothing', () => {
    const lake = daily(MONDAY + 1, { site: 'berlin' });

    test('is missed where it normally sends on such days, with the days that tell so', async () => {
        const { directory } = await openFixture([...lake, ...daily(MONDAY, { site: 'osaka' }, [1])]);
        const { quiet } = (await ask(todayPage, directory)).flows;
        expect(quiet).toEqual([{ site: 'osaka', sentDays: 19, days: 20, last: dayAfter(27), strip: expect.any(Array) }]);
        expect(quiet[0].strip).toEqual(['1', null, ...Array.from({ length: 18 }, () => '1'), null]);
    });

    test('is not missed on a weekend where it sends on workdays only', async () => {
        const weekends = [5, 6, 12, 13, 19, 20, 26, 27];
        const { directory } = await openFixture([...lake, ...daily(MONDAY + 1, { site: 'osaka' }, weekends)]);
        expect((await ask(todayPage, directory, { day: dayAfter(26) })).flows.quiet).toEqual([]);
        expect((await ask(todayPage, directory, { day: dayAfter(28) })).flows.quiet).toEqual([]);
    });

    test('is still missed a week later, and no longer where it sent on less than half of the days', async () => {
        const { directory } = await openFixture([...lake, ...daily(20, { site: 'gone-a-week' }), ...daily(11, { site: 'gone-for-long' })]);
        expect((await ask(todayPage, directory)).flows.quiet.map(({ site }: { site: string }) => site)).toEqual(['gone-a-week']);
    });
});

describe('days that cannot be read', () => {
    const damage = (directory: string, day: string) => writeFile(join(directory, pairDaysKey(day)), 'PAR1 no more');

    test('are no days without figures: what is usual is told without them, and no site is missed by them', async () => {
        const { directory } = await openFixture([...daily(MONDAY + 1, { site: 'berlin' }), ...daily(MONDAY, { site: 'osaka' })]);
        await damage(directory, dayAfter(MONDAY - 7));
        const { flows } = await ask(todayPage, directory);
        expect(flows).toMatchObject({ amount: '1', sites: [{ site: 'berlin', usual: '1', usualDays: 19 }] });
        expect(flows.quiet).toEqual([expect.objectContaining({ site: 'osaka', sentDays: 19, days: 19 })]);
        expect(flows.unreadable).toEqual([{ day: dayAfter(MONDAY - 7), why: expect.stringContaining('verify') }]);
    });

    test('say so themselves, and nobody is missed on them', async () => {
        const { directory } = await openFixture([...daily(MONDAY + 1, { site: 'berlin' }), ...daily(MONDAY, { site: 'osaka' })]);
        await damage(directory, dayAfter(MONDAY));
        const { day, flows } = await ask(todayPage, directory);
        expect(day).toBe(dayAfter(MONDAY));
        expect(flows).toMatchObject({ amount: null, siteCount: 0, quiet: [], unreadable: [{ day: dayAfter(MONDAY) }] });
    });
});

describe('pairs', () => {
    test('that were at no day of four weeks are new, at a site that was there before', async () => {
        const { directory } = await openFixture([
            ...daily(MONDAY + 1, { site: 'berlin' }),
            { day: dayAfter(MONDAY), site: 'berlin', src: '10.0.0.8' },
            { day: dayAfter(MONDAY), site: 'berlin', src: '10.0.0.9' },
            { day: dayAfter(MONDAY), site: 'berlin', src: '10.0.0.9' },
            // Older than four weeks: new again.
            { day: '2025-12-31', site: 'berlin', src: '10.0.0.8' },
            // On a weekend it was there.
            { day: dayAfter(26), site: 'berlin', src: '10.0.0.7' },
            { day: dayAfter(MONDAY), site: 'berlin', src: '10.0.0.7' },
            // All of a new site is new, which is told once, as the site.
            { day: dayAfter(MONDAY), site: 'osaka' },
        ]);
        const found = await ask(newsPage, directory, { of: 'pairs', day: dayAfter(MONDAY) });
        expect(found.new).toEqual({
            total: 2,
            rows: [
                expect.objectContaining({ site: 'berlin', src_ip: '10.0.0.9', dst_ip: '10.0.0.2', amount: '2' }),
                expect.objectContaining({ src_ip: '10.0.0.8', amount: '1' }),
            ],
        });
        expect(found.gone).toEqual({ total: 0, rows: [] });
        expect(await ask(newsPage, directory, { of: 'pairs', day: dayAfter(MONDAY), limit: '1' })).toMatchObject({
            new: { total: 2, rows: [{ src_ip: '10.0.0.9' }] },
        });
    });

    test('that were there on days like it up to the last one are gone, and not those that were seldom or went before', async () => {
        const { directory } = await openFixture([
            ...daily(MONDAY + 1, { site: 'berlin' }),
            ...daily(MONDAY, { site: 'berlin', src: '10.0.0.7' }, [3]),
            ...daily(MONDAY - 3, { site: 'berlin', src: '10.0.0.8' }),
            ...daily(MONDAY, { site: 'berlin', src: '10.0.0.9' }, [0, 2, 4, 8, 10, 14, 16]),
            // The whole site is missing, which is told once.
            ...daily(MONDAY, { site: 'osaka' }),
        ]);
        const { gone } = await ask(newsPage, directory, { of: 'pairs', day: dayAfter(MONDAY) });
        expect(gone).toEqual({
            total: 1,
            rows: [
                {
                    site: 'berlin',
                    src_ip: '10.0.0.7',
                    dst_ip: '10.0.0.2',
                    amount: '19',
                    seenDays: 19,
                    siteDays: 20,
                    lastDay: dayAfter(27),
                },
            ],
        });
    });

    test('that are unusual are those of pair_anomalies on that day', async () => {
        const flows = daily(MONDAY + 1).map((flow, at) => ({ ...flow, packets: at === MONDAY ? 1_000n : 10n + BigInt(at % 3) }));
        const { directory, ask: query } = await openFixture(flows);
        const { rows, hasMore } = await ask(unusualPage, directory, { of: 'pairs', day: dayAfter(MONDAY) });
        const expected = await query(`select * from pair_anomalies where day = '${dayAfter(MONDAY)}'`);
        expect(rows).toEqual(
            expected.map((row) => JSON.parse(JSON.stringify(row, (_, one) => (typeof one === 'bigint' ? String(one) : one)))),
        );
        expect([rows.length, hasMore, rows[0].value]).toEqual([1, false, '1000']);
        expect((await ask(unusualPage, directory, { of: 'pairs', day: dayAfter(MONDAY - 1) })).rows).toEqual([]);
    });
});

describe('devices', () => {
    const readingsOf = (device: string, days: readonly number[], value = (at: number) => 20 + (at % 3) / 10): FleetReading[] =>
        days.flatMap((day) =>
            [9, 10].map((hour) => ({ device, at: `${dayAfter(day)}T${String(hour).padStart(2, '0')}:00:00Z`, is: value(day).toFixed(1) })),
        );
    const all = Array.from({ length: MONDAY + 1 }, (_, at) => at);

    test('come and go as pairs do', async () => {
        const { directory } = await openFleet({
            readings: [...readingsOf('stays', all), ...readingsOf('comes', [MONDAY]), ...readingsOf('goes', all.slice(0, -1))],
        });
        const found = await ask(newsPage, directory, { of: 'devices', day: dayAfter(MONDAY) });
        expect(found.new.rows).toEqual([expect.objectContaining({ site: 'main', device: 'comes', amount: '2' })]);
        expect(found.gone.rows).toEqual([
            expect.objectContaining({ device: 'goes', seenDays: 20, siteDays: 20, lastDay: dayAfter(MONDAY - 1) }),
        ]);
    });

    test('whose hours are unusual are those of metric_anomalies on that day, in every class of day', async () => {
        const weeks = Array.from({ length: 77 }, (_, at) => at);
        // Weekends are warmer, mornings vary; some days stand out.
        const odd = [MONDAY, 33, 60, 61, 76];
        const value = (at: number) => 20 + (at % 5) / 10 + (at % 7 > 4 ? 8 : 0) + (odd.includes(at) ? -9 : 0);
        const { directory, ask: query } = await openFleet({
            readings: [
                ...readingsOf('d1', weeks, value),
                ...readingsOf(
                    'd2',
                    weeks.filter((at) => at % 2 === 0),
                    (at) => value(at) * 2,
                ),
            ],
        });
        const expected = await query('select * from metric_anomalies order by day, abs(score) desc, site, device, metric, hour');
        expect(expected.length).toBeGreaterThan(4);
        const days = weeks.filter((at) => at % 6 === 0 || odd.includes(at) || expected.some(({ day }) => day === dayAfter(at)));
        const found = [];
        for (const day of days) {
            found.push(...(await ask(unusualPage, directory, { of: 'hours', day: dayAfter(day), limit: '1000' })).rows);
        }
        expect(found).toEqual(
            expected.map((row) => JSON.parse(JSON.stringify(row, (_, one) => (typeof one === 'bigint' ? String(one) : one)))),
        );
    });

    test('that have moved from their past are those of metric_drift in the week of the day', async () => {
        const weeks = Array.from({ length: 63 }, (_, at) => at);
        const { directory, ask: query } = await openFleet({
            readings: ['a', 'b', 'c', 'd'].flatMap((device) =>
                readingsOf(device, weeks, (at) => 20 + (at % 3) / 10 + (device === 'd' && at >= 56 ? 6 : 0)),
            ),
        });
        const { rows } = await ask(unusualPage, directory, { of: 'drift', day: dayAfter(59) });
        const [expected] = await query(`select score from metric_drift where device = 'd' and week = '${dayAfter(56)}'`);
        expect(rows).toEqual([expect.objectContaining({ device: 'd', week: dayAfter(56), score: expected?.score })]);
    });
});

describe('alerts of a day', () => {
    const at = (day: number, hour: string, is: string) => ({ at: `${dayAfter(day)}T${hour}:00Z`, is });
    const readings = [
        // Ended the day before; over midnight; on the day; open.
        ...[at(0, '10:00', '35.0'), at(0, '10:30', '20.0')],
        ...[at(0, '23:30', '35.0'), at(1, '00:30', '20.0')],
        ...[at(1, '08:00', '36.0'), at(1, '08:30', '20.0'), at(1, '09:00', '37.0')],
    ];

    test('are those that it has seen, and what is open now is counted apart', async () => {
        const { directory, ask: query } = await openFleet({ readings, profile: { alerts: [HOT], dueEvery: '2h' } });
        const found = await ask(alertsOfDayPage, directory, { day: dayAfter(1) }, `${dayAfter(4)}T00:00:00Z`);
        const alerts = found.rows.filter(({ kind }: { kind: string }) => kind === 'alert');
        expect(alerts.map(({ beganMs, state }: any) => [new Date(beganMs).toISOString().slice(0, 16), state])).toEqual([
            [`${dayAfter(1)}T09:00`, 'open'],
            [`${dayAfter(1)}T08:00`, 'ended'],
            [`${dayAfter(0)}T23:30`, 'ended'],
        ]);
        expect(alerts[0]).toMatchObject({
            severity: 'warning',
            device: 'd1',
            rule: 'hot',
            worst: '37.000000000',
            why: expect.stringContaining('too warm'),
        });
        expect(found.counts.find(({ kind }: { kind: string }) => kind === 'alert')).toEqual({
            kind: 'alert',
            severity: 'warning',
            episodes: 3,
            open: 1,
            began: 2,
            openNow: 1,
        });
        const [counted] = await query("select count(*) as n from all_episodes where kind = 'alert'");
        expect(counted?.n).toBe(4n);
    });
});

/** Alerts: of history, and as they were raised live. */
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { newItem } from '#lake/live/latest';
import type { LiveEpisode } from '#lake/live/state-store';
import { alertsHistoryPage } from '#lake/pages/alerts-history';
import { alertsLivePage } from '#lake/pages/alerts-live';
import { openStateDatabase, type StateDatabase } from '#lake/serve/state-database';
import { openStateQueries } from '#lake/serve/state-queries';
import { stateServices } from '#lake/serve/state-services';
import { askPageOf } from '#test/support/ask-page';
import { HOT, ms, openFleet } from '#test/support/fleet-fixture';
import { makeFolder } from '#test/support/temporary';

describe('alerts of history', () => {
    const NOW = '2026-01-06T12:00:00Z';
    const now = { now: () => new Date(NOW) };

    async function openLake() {
        return openFleet({
            profile: {
                alerts: [HOT, { ...HOT, rule: 'burning', severity: 'critical', above: { raise: 60, clear: 50 } }],
                dueEvery: '1h',
                grace: '30m',
            },
            readings: [
                { at: '2026-01-05T07:00:00Z', is: '31' },
                { at: '2026-01-05T08:00:00Z', is: '20' },
                { at: '2026-01-05T09:00:00Z', is: '70' },
                { at: '2026-01-05T09:30:00Z', is: '20' },
                { at: '2026-01-06T11:00:00Z', is: '33' },
                { at: '2026-01-06T06:00:00Z', is: '33', device: 'd2', site: 'attic' },
            ],
        });
    }

    test('are those of query alerts, in its order', async () => {
        const { directory, askQuery } = await openLake();
        const found = await askPageOf(alertsHistoryPage, directory, {}, now);
        const rows = await askQuery('alerts', [ms(NOW), null, null, null, null, null, 100n]);
        expect(rows.length).toBeGreaterThan(5);
        expect(found.alerts).toEqual(
            rows.map((row) =>
                expect.objectContaining({
                    ...{ severity: row.severity, site: row.site, device: row.device, rule: row.rule, kind: row.kind, why: row.why },
                    beganMs: Number(row.began_ms),
                    endedMs: row.ended_ms === null ? null : Number(row.ended_ms),
                    readings: String(row.readings),
                }),
            ),
        );
        expect(found.count).toBe(rows.length);
        expect(found.open).toEqual({ info: 0, warning: rows.filter((row) => row.state === 'open').length, critical: 0 });
        expect(found).toMatchObject({ rules: ['burning', 'hot', 'silent'], sites: ['attic', 'main'], profiles: ['made-up'] });
    });

    test('are chosen by each of their names, and paged; counts are of what is chosen', async () => {
        const { directory } = await openLake();
        const all = (await askPageOf(alertsHistoryPage, directory, {}, now)).alerts;
        for (const [name, value] of Object.entries({
            severity: 'critical',
            kind: 'silent',
            rule: 'hot',
            site: 'attic',
            device: 'd1',
            profile: 'made-up',
        })) {
            const { alerts, count, closed, open } = await askPageOf(alertsHistoryPage, directory, { [name]: value }, now);
            expect(alerts).toEqual(all.filter((alert: any) => alert[name] === value));
            expect(count).toBe(alerts.length);
            expect(closed + open.warning + open.critical).toBe(count);
            expect(count).toBeGreaterThan(0);
        }
        const pages = await Promise.all(
            ['1', '2', '3', '4'].map((page) => askPageOf(alertsHistoryPage, directory, { page, limit: '2' }, now)),
        );
        expect(pages.flatMap(({ alerts }) => alerts)).toEqual(all.slice(0, 8));
        const open = await askPageOf(alertsHistoryPage, directory, { state: 'open' }, now);
        expect(open.alerts).toEqual(all.filter(({ endedMs }: any) => endedMs === null));
        const early = await askPageOf(alertsHistoryPage, directory, { to: '2026-01-05', state: 'closed', kind: 'alert' }, now);
        expect(early.alerts.map(({ rule }: any) => rule).sort()).toEqual(['burning', 'hot', 'hot']);
        const nobodys = await askPageOf(alertsHistoryPage, directory, { device: "d1' or 'x' = 'x" }, now);
        expect(nobodys).toMatchObject({ alerts: [], count: 0 });
    });
});

describe('alerts of latest state', () => {
    const databases: StateDatabase[] = [];
    afterAll(() => {
        for (const database of databases) {
            database.close();
        }
    });

    const alert = (
        device: string,
        { began = 0, site = 'main', kind = 'alert' as LiveEpisode['kind'], worst = '31.5' } = {},
    ): LiveEpisode => ({
        id: `${device}~hot~${began}`,
        ...{ site, device, profile: 'p', rule: 'hot', kind, severity: 'warning', began_ms: began, ended_ms: null, worst, readings: 2 },
        ...{ why: 'too <b>warm</b>', raised_ms: began + 5 },
    });

    async function openLive(alerts: readonly LiveEpisode[]) {
        const state = openStateDatabase(join(await makeFolder(), 'state.sqlite'));
        databases.push(state);
        const changes = alerts.map((one) => ({
            item: { ...newItem(one.device, 's'), site: one.site, profile: 'p', version: 1 },
            alerts: [one],
            events: [],
        }));
        expect(await state.write({ changes, nowMs: 1000 })).toBe(true);
        const clock = () => ({ nowMs: 1000, watermarkMs: 1000, watchedSinceMs: 0, isPipelineLate: false });
        return stateServices({ state, queries: openStateQueries(state.database), clock });
    }

    test('have who knows of them, and what history says', async () => {
        const directory = await makeFolder();
        const live = await openLive([alert('d1', { began: 10 }), alert('d2', { began: 20, worst: '9007199254740993.5' })]);
        await live.acknowledge({ id: 'd1~hot~10', by: 'anna', note: 'fan <i>replaced</i>' });
        const found = await askPageOf(alertsLivePage, directory, {}, { live });
        expect(found).toMatchObject({ isLive: true, openAlerts: { warning: 2 }, unacknowledged: 1, isPipelineLate: false, next: null });
        expect(found.alerts).toEqual([
            expect.objectContaining({
                id: 'd2~hot~20',
                worst: '9007199254740993.5',
                acknowledged: null,
                history: 'pending',
                beganMs: 20,
                raisedMs: 25,
            }),
            expect.objectContaining({ id: 'd1~hot~10', acknowledged: { at_ms: 1000, by: 'anna', note: 'fan <i>replaced</i>' } }),
        ]);
        const unseen = await askPageOf(alertsLivePage, directory, { state: 'unacknowledged' }, { live });
        expect(unseen.alerts.map(({ id }: any) => id)).toEqual(['d2~hot~20']);
    });

    test('come page by page, also where most are of another site', async () => {
        const directory = await makeFolder();
        const alerts = Array.from({ length: 50 }, (_, n) =>
            alert(`d${n}`, { began: n, site: n % 10 === 0 ? 'attic' : 'main', kind: n % 20 === 0 ? 'silent' : 'alert' }),
        );
        const live = await openLive(alerts);
        const seen: string[] = [];
        for (let after: string | undefined; seen.length < 100; ) {
            const page = await askPageOf(
                alertsLivePage,
                directory,
                { site: 'attic', limit: '2', ...(after !== undefined && { after }) },
                { live },
            );
            seen.push(...page.alerts.map(({ device }: any) => device));
            if (page.next === null) {
                break;
            }
            after = page.next;
        }
        expect(seen).toEqual(['d40', 'd30', 'd20', 'd10', 'd0']);
        expect((await askPageOf(alertsLivePage, directory, { kind: 'silent' }, { live })).alerts).toHaveLength(3);
    });

    test('are not there where nothing was ever served', async () => {
        expect(await askPageOf(alertsLivePage, await makeFolder())).toEqual({ isLive: false });
    });
});

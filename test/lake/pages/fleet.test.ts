/** The fleet's pages: devices with their states, lines, positions, averages, as history and as latest state have them. */
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { newItem } from '#lake/live/latest';
import type { DeviceItem } from '#lake/live/state-store';
import { fleetHistoryPage } from '#lake/pages/fleet-history';
import { fleetHoursPage } from '#lake/pages/fleet-hours';
import { fleetLinesPage } from '#lake/pages/fleet-lines';
import { fleetLivePage } from '#lake/pages/fleet-live';
import { fleetMapPage } from '#lake/pages/fleet-map';
import type { LiveState } from '#lake/pages/page';
import { placeOf } from '#lake/pages/place';
import { openStateDatabase, type StateDatabase } from '#lake/serve/state-database';
import { openStateQueries } from '#lake/serve/state-queries';
import { stateServices } from '#lake/serve/state-services';
import { askPageOf } from '#test/support/ask-page';
import { HOT, ms, openFleet } from '#test/support/fleet-fixture';
import { makeFolder } from '#test/support/temporary';

const POSITIONS = [
    { name: 'latitude', path: 'latitude', digits: 4 },
    { name: 'longitude', path: 'longitude', digits: 4 },
];

const PROFILE = {
    metrics: [
        { name: 'temperature', path: 'temperature', digits: 1 },
        { name: 'battery', path: 'battery', digits: 0 },
        { name: 'status', path: 'status', kind: 'text' },
        ...POSITIONS,
    ],
    alerts: [HOT],
    dueEvery: '1h',
    grace: '30m',
};

const READINGS = [
    { at: '2026-01-04T07:00:00Z', is: '20', device: 'd0' },
    { at: '2026-01-05T07:00:00Z', is: '31' },
    { at: '2026-01-05T07:00:00Z', is: '90', metric: 'battery' },
    { at: '2026-01-05T09:00:00Z', is: '20' },
    { at: '2026-01-06T08:50:00Z', is: '88', metric: 'battery' },
    { at: '2026-01-06T09:00:00Z', is: '32' },
    { at: '2026-01-06T09:30:00Z', is: 'parked', metric: 'status', device: 'd2' },
    { at: '2026-01-06T09:30:00Z', is: '52.5200', metric: 'latitude', device: 'd2' },
    { at: '2026-01-06T09:30:00Z', is: '13.4050', metric: 'longitude', device: 'd2' },
    { at: '2026-01-06T10:00:00Z', is: '9007199254740.9', device: 'd3', site: 'attic' },
];

const DEVICES = [
    { device: 'd1', place: 'geo:48.1,11.5;u=20' },
    { device: 'never', place: 'boiler room' },
];

const DAYS = { from: '2026-01-04', to: '2026-01-06' };

async function openLake() {
    return openFleet({ profile: PROFILE, readings: READINGS, devices: DEVICES });
}

const at = (time: string) => ({ now: () => new Date(time) });

describe('devices of history', () => {
    test('are those of query devices, with its figures, where the range is the whole lake', async () => {
        const { directory, ask, askQuery } = await openLake();
        const { devices } = await askPageOf(fleetHistoryPage, directory, { ...DAYS, sort: 'device' }, at('2026-01-07T00:00:00Z'));
        const rows = await askQuery('devices', [null, null, 100n]);
        const figures = rows.map((row) => ({
            site: row.site,
            device: row.device,
            place: row.place,
            ip: row.ip,
            lastMs: row.last_ms === null ? null : Number(row.last_ms),
            silentFromMs: row.silent_from_ms === null ? null : Number(row.silent_from_ms),
            readings: String(row.readings ?? 0),
            openAlerts: Number(row.open_alerts ?? 0),
            silences: Number(row.silences ?? 0),
        }));
        const bySite = (a: { site: string; device: string }, b: { site: string; device: string }) =>
            `${a.site} ${a.device}` < `${b.site} ${b.device}` ? -1 : 1;
        expect(devices.sort(bySite)).toEqual(figures.map((row) => expect.objectContaining(row)));
        const health = await ask('select * from device_health');
        expect(
            health
                .map(({ site, device, battery, alerts }) => [
                    site,
                    device,
                    battery === null ? null : String(Number(battery)),
                    Number(alerts),
                ])
                .sort(),
        ).toEqual(
            devices
                .filter(({ lastMs }: any) => lastMs !== null)
                .map(({ site, device, battery, alerts }: any) => [site, device, battery, alerts])
                .sort(),
        );
        expect(devices.find(({ device }: { device: string }) => device === 'd1')).toMatchObject({
            battery: '88',
            profile: 'made-up',
            alerts: 2,
        });
        expect(devices).toHaveLength(5);
    });

    test('have the state of the moment, or of the lake’s newest reading', async () => {
        const { directory } = await openLake();
        const statesAt = async (parameters: Record<string, string>, now: string) => {
            const { devices, newestMs } = await askPageOf(fleetHistoryPage, directory, { ...DAYS, ...parameters }, at(now));
            expect(newestMs).toBe(Number(ms('2026-01-06T10:00:00Z')));
            return Object.fromEntries(devices.map(({ device, state }: { device: string; state: string }) => [device, state]));
        };
        expect(await statesAt({}, '2026-01-06T10:40:00Z')).toEqual({
            d0: 'silent',
            d1: 'silent',
            d2: 'online',
            d3: 'online',
            never: 'unknown',
        });
        expect(await statesAt({}, '2026-11-30T00:00:00Z')).toEqual({
            d0: 'silent',
            d1: 'silent',
            d2: 'silent',
            d3: 'silent',
            never: 'unknown',
        });
        expect(await statesAt({ at: 'end' }, '2026-11-30T00:00:00Z')).toMatchObject({ d0: 'silent', d1: 'online', d3: 'online' });
    });

    test('of fewer days are those heard in them, and those whose silence lasts, or that are registered', async () => {
        const { directory } = await openLake();
        const { devices } = await askPageOf(
            fleetHistoryPage,
            directory,
            { from: '2026-01-06', to: '2026-01-06' },
            at('2026-01-07T00:00:00Z'),
        );
        expect(devices.map(({ device, lastMs, state }: any) => [device, lastMs === null, state])).toEqual([
            ['d0', true, 'silent'],
            ['d1', false, 'silent'],
            ['d2', false, 'silent'],
            ['d3', false, 'silent'],
            ['never', true, 'unknown'],
        ]);
        const d1 = devices.find(({ device }: any) => device === 'd1');
        // Its silence ended on that day, its alert is open: what lies in the day counts.
        expect(d1.troubledMs).toBe(
            Number(ms('2026-01-06T08:50:00Z') - ms('2026-01-06T00:00:00Z')) +
                Number(ms('2026-01-07T00:00:00Z') - ms('2026-01-06T09:00:00Z')) +
                Number(ms('2026-01-07T00:00:00Z') - ms('2026-01-06T10:30:00Z')),
        );
        expect(d1.why).toContain('too warm');
    });

    test('are chosen, sorted and paged', async () => {
        const { directory } = await openLake();
        const names = async (parameters: Record<string, string>) => {
            const { devices, count } = await askPageOf(fleetHistoryPage, directory, { ...DAYS, ...parameters }, at('2026-01-07T00:00:00Z'));
            return [count, devices.map(({ device }: any) => device).join(' ')];
        };
        expect(await names({ site: 'attic' })).toEqual([1, 'd3']);
        expect(await names({ prefix: 'd' })).toEqual([4, 'd0 d1 d2 d3']);
        expect(await names({ state: 'unknown' })).toEqual([1, 'never']);
        expect(await names({ profile: 'other' })).toEqual([0, '']);
        expect(await names({ sort: '-alerts', limit: '2' })).toEqual([5, 'd1 d3']);
        expect(await names({ sort: 'last', limit: '2', page: '2' })).toEqual([5, 'd2 d3']);
        expect(await names({ sort: '-battery', limit: '1' })).toEqual([5, 'd1']);
        expect(() => fleetHistoryPage.parameters.parse({ ...DAYS, sort: 'why' })).toThrow('Expected one of device, last');
        expect(() => fleetHistoryPage.parameters.parse({ ...DAYS, sate: 'silent' })).toThrow('sate');
    });

    test('make groups by profile and site, with the share that had an alert', async () => {
        const { directory } = await openLake();
        const { groups, sites, profiles } = await askPageOf(fleetHistoryPage, directory, DAYS, at('2026-01-07T00:00:00Z'));
        expect(sites).toEqual(['attic', 'main']);
        expect(profiles).toEqual(['made-up']);
        expect(groups).toEqual([
            { profile: 'made-up', site: 'attic', online: 0, silent: 1, unknown: 0, heard: 1, alerted: 1, alerts: 1, alertRate: 1 },
            { profile: 'made-up', site: 'main', online: 0, silent: 3, unknown: 1, heard: 3, alerted: 1, alerts: 2, alertRate: 1 / 3 },
        ]);
    });
});

test('lines are the hours of a day of each device’s metric', async () => {
    const { directory } = await openLake();
    const { lines } = await askPageOf(fleetLinesPage, directory, { day: '2026-01-05', devices: 'd1,d2,nobody' });
    expect(lines).toEqual({
        'main/d1': { metric: 'temperature', means: Array.from({ length: 24 }, (_, hour) => ({ 7: 31, 9: 20 })[hour] ?? null) },
    });
    const battery = await askPageOf(fleetLinesPage, directory, { day: '2026-01-06', devices: 'd1', metric: 'battery' });
    expect(battery.lines['main/d1']).toMatchObject({ metric: 'battery' });
    expect(battery.lines['main/d1'].means[8]).toBe(88);
});

test('hours are those of fleet_hours, and averages those of all readings of a profile and site', async () => {
    const { directory, ask } = await openLake();
    const { metric, metrics, sites, groups } = await askPageOf(fleetHoursPage, directory, DAYS);
    expect(metric).toBe('temperature');
    expect(metrics).toEqual(['battery', 'latitude', 'longitude', 'temperature']);
    const rows = await ask("select * from fleet_hours where metric = 'temperature' order by site, day, hour");
    expect(sites.flatMap(({ site, mean }: any) => mean.map((one: number) => [site, one]))).toEqual(rows.map((row) => [row.site, row.mean]));
    expect(sites.flatMap((of: any) => of.alertRate)).toEqual(rows.map((row) => row.alert_rate));
    expect(sites[0]).toMatchObject({ site: 'attic', max: ['9007199254740.9'], hourMs: [Number(ms('2026-01-06T10:00:00Z'))] });
    expect(groups).toEqual([
        { profile: 'made-up', site: 'attic', devices: 1, n: '1', mean: 9007199254740.9 },
        { profile: 'made-up', site: 'main', devices: 2, n: '4', mean: 25.75 },
    ]);
    expect((await askPageOf(fleetHoursPage, directory, { ...DAYS, site: 'attic' })).groups).toHaveLength(1);
});

test('the map has devices by their own position, else by the registry’s, and counts the others', async () => {
    const { directory } = await openLake();
    const map = await askPageOf(fleetMapPage, directory, DAYS, at('2026-01-06T10:40:00Z'));
    expect(map).toMatchObject({
        device: ['d1', 'd2'],
        state: ['silent', 'online'],
        latitude: [48.1, 52.52],
        longitude: [11.5, 13.405],
        by: ['place', 'metric'],
        unplaced: 3,
    });
});

test('places are coordinates where they say some', () => {
    expect(placeOf('geo:48.2010,16.3695,183')).toEqual({ latitude: 48.201, longitude: 16.3695 });
    expect(placeOf(' -33.9, 151.2 ')).toEqual({ latitude: -33.9, longitude: 151.2 });
    for (const text of ['boiler room', '12, 13 and 14', 'rack 4,5b', '95.0,10.0', '10.0,190.0', '']) {
        expect(placeOf(text)).toBeUndefined();
    }
});

describe('the fleet as it is now', () => {
    const NOW = Number(ms('2026-01-06T12:00:00Z'));
    const databases: StateDatabase[] = [];
    afterAll(() => {
        for (const database of databases) {
            database.close();
        }
    });

    async function openLive(items: (Partial<DeviceItem> & { device: string })[]): Promise<LiveState> {
        const state = openStateDatabase(join(await makeFolder(), 'state.sqlite'));
        databases.push(state);
        const changes = items.map((item) => ({
            item: { ...newItem(item.device, 's'), site: 'main', profile: 'made-up', version: 1, ...item },
            alerts: [],
            events: [],
        }));
        expect(await state.write({ changes, nowMs: NOW })).toBe(true);
        const clock = () => ({ nowMs: NOW, watermarkMs: NOW, watchedSinceMs: 0, isPipelineLate: false });
        return stateServices({ state, queries: openStateQueries(state.database), clock });
    }

    const reading = (value: string) => ({
        value,
        text: null,
        unit: '%',
        atMs: NOW,
        message: 'm',
        receivedMs: NOW,
        clock: 'device' as const,
    });

    test('comes from latest state, page by page', async () => {
        const { directory } = await openLake();
        const heard = { lastAtMs: NOW - 1000, lastReceivedMs: NOW - 900, dueMs: NOW + 60_000, silentMs: NOW + 90_000 };
        const live = await openLive([
            { device: 'd1', ...heard, metrics: { battery: reading('87') } },
            { device: 'd2', ...heard, dueMs: NOW - 50, metrics: { latitude: reading('10.5'), longitude: reading('20.5') } },
            { device: 'e1', site: 'attic', ...heard, silentMs: NOW - 1, dueMs: NOW - 2 },
        ]);
        const first = await askPageOf(fleetLivePage, directory, { limit: '2' }, { live });
        expect(first).toMatchObject({ isLive: true, next: 'd2', fleet: { devices: { online: 1, late: 1, silent: 1, unknown: 0 } } });
        expect(first.devices).toEqual([
            expect.objectContaining({
                device: 'd1',
                state: 'online',
                battery: { value: '87', unit: '%', atMs: NOW },
                lastReceivedMs: NOW - 900,
            }),
            expect.objectContaining({ device: 'd2', state: 'late', battery: null }),
        ]);
        const second = await askPageOf(fleetLivePage, directory, { limit: '2', after: 'd2' }, { live });
        expect(second).toMatchObject({ next: null, devices: [{ device: 'e1', state: 'silent', site: 'attic' }] });
        expect((await askPageOf(fleetLivePage, directory, { state: 'late' }, { live })).devices).toHaveLength(1);
        const map = await askPageOf(fleetMapPage, directory, DAYS, { live, ...at('2026-01-06T12:00:00Z') });
        expect(map).toMatchObject({ isLive: true, device: ['d1', 'd2'], latitude: [48.1, 10.5], state: ['online', 'late'], unplaced: 4 });
    });

    test('is said not to be there, where nothing was ever served', async () => {
        const { directory } = await openLake();
        expect(await askPageOf(fleetLivePage, directory)).toEqual({ isLive: false });
    });
});

test('an empty lake has no devices', async () => {
    const directory = await makeFolder();
    expect(await askPageOf(fleetHistoryPage, directory, DAYS)).toMatchObject({ newestMs: null, count: 0, devices: [], groups: [] });
    expect(await askPageOf(fleetHoursPage, directory, DAYS)).toMatchObject({ metric: null, sites: [] });
    expect(await askPageOf(fleetMapPage, directory, DAYS)).toMatchObject({ device: [], unplaced: 0 });
});

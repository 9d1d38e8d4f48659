/** A device's pages: what it is, its series, spans, traffic, peers, and the messages behind a point. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { devicePage } from '#lake/pages/device';
import { deviceMessagesPage } from '#lake/pages/device-messages';
import { devicePeersPage } from '#lake/pages/device-peers';
import { deviceSeriesPage } from '#lake/pages/device-series';
import { deviceSpansPage } from '#lake/pages/device-spans';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { askPageOf } from '#test/support/ask-page';
import { type FleetReading, HOT, ms, openFleet } from '#test/support/fleet-fixture';
import { makeFolder } from '#test/support/temporary';

const at = (time: string) => ({ now: () => new Date(time) });

/** A reading each so many minutes of a day. */
function every(
    minutes: number,
    {
        from = '2026-01-05T00:00:00Z',
        count,
        is = (n: number) => String(20 + (n % 10)),
    }: { from?: string; count: number; is?: (n: number) => string },
): FleetReading[] {
    return Array.from({ length: count }, (_, n) => ({ at: new Date(Date.parse(from) + n * minutes * 60_000).toISOString(), is: is(n) }));
}

describe('what a device is', () => {
    test('is told by registry, profile and history', async () => {
        const { directory } = await openFleet({
            profile: {
                metrics: [
                    { name: 'temperature', path: 't', unit: 'Cel', digits: 1 },
                    { name: 'status', path: 's', kind: 'text' },
                ],
            },
            readings: [
                { at: '2026-01-05T07:00:00Z', is: '31' },
                { at: '2026-01-06T07:00:00Z', is: 'on', metric: 'status' },
            ],
            devices: [
                { device: 'd1', ip: '10.0.0.7', place: 'attic' },
                { device: 'd1', site: 'main', place: 'cellar', from: '2026-01-06' },
            ],
        });
        expect(await askPageOf(devicePage, directory, { id: 'd1' })).toEqual({
            device: 'd1',
            profile: 'made-up',
            assignments: [
                expect.objectContaining({ place: 'attic', ip: '10.0.0.7', valid_to: '2026-01-06' }),
                expect.objectContaining({ place: 'cellar', valid_from: '2026-01-06', valid_to: null }),
            ],
            live: null,
            metrics: [
                {
                    site: 'main',
                    metric: 'status',
                    firstMs: Number(ms('2026-01-06T07:00:00Z')),
                    lastMs: Number(ms('2026-01-06T07:00:00Z')),
                    readings: '1',
                    unit: null,
                    kind: 'text',
                    place: 1,
                },
                {
                    site: 'main',
                    metric: 'temperature',
                    firstMs: Number(ms('2026-01-05T07:00:00Z')),
                    lastMs: Number(ms('2026-01-05T07:00:00Z')),
                    readings: '1',
                    unit: 'Cel',
                    kind: 'number',
                    place: 0,
                },
            ],
            firstMs: Number(ms('2026-01-05T07:00:00Z')),
            lastMs: Number(ms('2026-01-06T07:00:00Z')),
        });
    });

    test('is known without a registry, by what its readings were read with', async () => {
        const { directory } = await openFleet({ readings: [{ at: '2026-01-05T07:00:00Z', is: '31' }] });
        expect(await askPageOf(devicePage, directory, { id: 'd1' })).toMatchObject({ profile: 'made-up', assignments: [] });
        await expect(askPageOf(devicePage, directory, { id: 'd2' })).rejects.toThrow('The lake knows no device d2');
    });
});

describe('a series', () => {
    const OF = { id: 'd1', site: 'main', metric: 'temperature' };

    test('of a long range has the hours of metric_hour_values, and what is a gap', async () => {
        const { directory, ask } = await openFleet({
            profile: { gapLimit: '45m' },
            readings: [...every(30, { count: 100 }), { at: '2026-01-12T03:00:00Z', is: '-9007199254740.9' }],
        });
        const series = await askPageOf(deviceSeriesPage, directory, { ...OF, from: '2026-01-05', to: '2026-01-12' });
        const rows = await ask("select * from metric_hour_values where device = 'd1' order by hour_ms");
        expect(rows).toHaveLength(51);
        expect(series).toMatchObject({
            grain: 'hour',
            stepMs: 3_600_000,
            gapLimitMs: 45 * 60_000,
            atMs: rows.map((row) => Number(row.hour_ms)),
            mean: rows.map((row) => row.mean),
            n: rows.map((row) => Number(row.n)),
            firstMs: rows.map((row) => Number(row.first_ms)),
        });
        expect(series.min.at(-1)).toBe('-9007199254740.9');
        expect(series.max[0]).toBe('21');
    });

    test('of a short range has every reading with all its digits', async () => {
        const { directory } = await openFleet({
            profile: { metrics: [{ name: 'temperature', path: 't', digits: 3 }] },
            readings: [
                { at: '2026-01-05T07:00:00.250Z', is: '9007199254740.993', message: 'm1', copies: 2 },
                { at: '2026-01-05T07:30:00Z', is: '20.5' },
                { at: '2026-01-06T07:30:00Z', is: '20.5' },
            ],
        });
        expect(await askPageOf(deviceSeriesPage, directory, { ...OF, from: '2026-01-05', to: '2026-01-05T07:30' })).toMatchObject({
            grain: 'reading',
            atMs: [Number(ms('2026-01-05T07:00:00.250Z'))],
            value: ['9007199254740.993'],
            message: ['m1'],
            copies: ['2'],
        });
        // A text has no hours of values, and is told all the same.
        const { directory: other } = await openFleet({ readings: [{ at: '2026-01-05T07:00:00Z', is: 'parked', metric: 'status' }] });
        const texts = await askPageOf(deviceSeriesPage, other, { ...OF, metric: 'status', from: '2026-01-05', to: '2026-01-05' });
        expect(texts).toMatchObject({ grain: 'reading', value: [null], text: ['parked'] });
    });

    test('of more readings than can be drawn has steps of time', async () => {
        const { directory } = await openFleet({ readings: every(0.5, { count: 4000 }) });
        const series = await askPageOf(deviceSeriesPage, directory, { ...OF, from: '2026-01-05', to: '2026-01-06' });
        expect(series).toMatchObject({ grain: 'step', stepMs: 60_000 });
        expect(series.n.reduce((sum: number, n: number) => sum + n, 0)).toBe(4000);
        expect(series.atMs).toHaveLength(2000);
    });

    test('of nothing is empty', async () => {
        const { directory } = await openFleet({ readings: [] });
        expect(await askPageOf(deviceSeriesPage, directory, { ...OF, from: '2026-01-05', to: '2026-02-05' })).toMatchObject({
            grain: 'hour',
            gapLimitMs: null,
            atMs: [],
        });
        expect(() => deviceSeriesPage.parameters.parse({ ...OF, from: 'monday', to: '2026-01-05' })).toThrow('Expected a time of UTC');
    });
});

test('spans are the episodes of the range, and traffic is that of device_traffic', async () => {
    const { directory, ask } = await openFleet({
        profile: { alerts: [HOT], dueEvery: '1h', grace: '30m' },
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '31' },
            { at: '2026-01-05T08:00:00Z', is: '20' },
            { at: '2026-01-06T08:00:00Z', is: '32' },
            { at: '2026-01-06T08:00:00Z', is: '32', device: 'd2' },
        ],
        devices: [{ device: 'd1', ip: '10.0.0.7' }],
        flows: [
            { day: '2026-01-05', src: '10.0.0.7', dst: '10.0.0.1', packets: 9_007_199_254_740_993n },
            { day: '2026-01-05', src: '10.0.0.1', dst: '10.0.0.7' },
            { day: '2026-01-05', src: '10.0.0.7', dst: '10.0.0.2', site: 'other' },
            { day: '2026-01-07', src: '10.0.0.7', dst: '10.0.0.3' },
        ],
    });
    const of = { id: 'd1', site: 'main', from: '2026-01-05', to: '2026-01-07' };
    const { spans, days } = await askPageOf(deviceSpansPage, directory, of, at('2026-01-06T09:00:00Z'));
    expect(spans).toEqual([
        expect.objectContaining({
            rule: 'hot',
            kind: 'alert',
            worst: '31',
            beganMs: Number(ms('2026-01-05T07:00:00Z')),
            endedMs: Number(ms('2026-01-05T08:00:00Z')),
        }),
        expect.objectContaining({
            kind: 'silent',
            beganMs: Number(ms('2026-01-05T09:30:00Z')),
            endedMs: Number(ms('2026-01-06T08:00:00Z')),
        }),
        expect.objectContaining({ rule: 'hot', worst: '32', endedMs: null }),
    ]);
    const later = await askPageOf(deviceSpansPage, directory, { ...of, from: '2026-01-06' }, at('2026-01-08T00:00:00Z'));
    // The open silence counts once its time has come; what ended before is left out.
    expect(later.spans.map(({ kind, endedMs }: any) => `${kind} ${endedMs === null}`)).toEqual([
        'silent false',
        'alert true',
        'silent true',
    ]);
    const rows = await ask("select * from device_traffic where device = 'd1' order by day");
    expect(days.map((day: any) => [day.day, day.packetsOut, day.flowsIn, day.readings])).toEqual(
        rows.map((row) => [row.day, String(row.pkts_out), String(row.flows_in), String(row.readings)]),
    );
    expect(days[0].packetsOut).toBe('9007199254740993');
    expect(await askPageOf(devicePeersPage, directory, of)).toEqual({
        peers: [
            { address: '10.0.0.7', peer: '10.0.0.1', flowsOut: '1', packetsOut: '9007199254740993', flowsIn: '1', packetsIn: '10' },
            { address: '10.0.0.7', peer: '10.0.0.3', flowsOut: '1', packetsOut: '10', flowsIn: '0', packetsIn: '0' },
        ],
    });
});

describe('the messages behind a point', () => {
    const AT = Date.parse('2026-01-05T10:15:00Z');

    async function openUploaded() {
        const folder = await makeFolder();
        const lake = join(folder, 'lake');
        const run = (...argv: string[]) => runLine(['--lake', lake, ...argv], { world: fakeWorld({}) });
        const profile = {
            name: 'room',
            device: { path: 'd' },
            time: { path: 't', unit: 'ms' },
            metrics: [{ name: 'v', path: 'v', digits: 3 }],
        };
        await writeFile(join(folder, 'room.json'), JSON.stringify(profile));
        await run('profile', 'add', join(folder, 'room.json'));
        const messages = [
            { d: 'a7', t: AT, v: '<b>1.5</b>' },
            { d: 'a7', t: AT, v: 1.5 },
            { d: 'a7', t: AT + 1000, v: 900719925474.993 },
            { d: 'b8', t: AT, v: 2.5 },
        ];
        await writeFile(join(folder, 'a.jsonl'), messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
        await writeFile(
            join(folder, 'b.jsonl'),
            `${JSON.stringify(messages[1])}\n${JSON.stringify({ d: 'a7', t: AT + 3_600_000, v: 3 })}\n`,
        );
        const said = await run('upload', '--kind', 'telemetry', '--profile', 'room', join(folder, 'a.jsonl'), join(folder, 'b.jsonl'));
        expect(said.exitCode).toBe(0);
        return lake;
    }

    test('are shown line by line, of each file that brought them', async () => {
        const lake = await openUploaded();
        const of = { id: 'a7', site: 'main', metric: 'v', at: String(AT) };
        const hour = await askPageOf(deviceMessagesPage, lake, {
            ...of,
            at: String(Date.parse('2026-01-05T10:00:00Z')),
            until: String(Date.parse('2026-01-05T11:00:00Z')),
        });
        expect(hour).toMatchObject({ period: '2026-01-05T10', isConsolidated: true, missing: [] });
        expect(hour.readings.map(({ value, copies }: any) => [value, copies])).toEqual([
            ['1.5', '2'],
            ['900719925474.993', '1'],
        ]);
        const one = await askPageOf(deviceMessagesPage, lake, of);
        expect(one.readings).toHaveLength(1);
        expect(one.sources).toEqual([
            expect.objectContaining({
                source: expect.stringContaining('a.jsonl'),
                readings: 1,
                problem: null,
                lines: [{ lineNumber: 2, line: expect.stringContaining('"v":1.5') }],
            }),
            expect.objectContaining({
                source: expect.stringContaining('b.jsonl'),
                readings: 1,
                lines: [{ lineNumber: 1, line: expect.stringContaining('"v":1.5') }],
            }),
        ]);
        expect(one.command).toBe('flowlake explain --kind telemetry a7 v 2026-01-05T10 --lines');
    });

    test('are asked for within an hour', async () => {
        const { directory } = await openFleet({ readings: [] });
        const of = { id: 'a7', site: 'main', metric: 'v', at: String(AT) };
        await expect(askPageOf(deviceMessagesPage, directory, { ...of, until: String(AT + 3_600_000) })).rejects.toThrow('in one hour');
        expect(await askPageOf(deviceMessagesPage, directory, of)).toMatchObject({ readings: [], sources: [] });
    });
});

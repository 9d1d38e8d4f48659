/** devices: who is registered or was heard. */
import { ms, openFleet } from '#test/support/fleet-fixture';

test('joins the registry with what was heard, each device once', async () => {
    const { askQuery } = await openFleet({
        profile: { dueEvery: '1h' },
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '21' },
            { at: '2026-01-05T07:00:00Z', is: '21', device: 'd2' },
        ],
        devices: [
            { device: 'd1', ip: '10.0.0.7', place: 'cellar' },
            { device: 'd1', ip: '10.0.0.8', place: 'roof', from: '2026-02-01' },
            { device: 'd3', site: 'bay' },
        ],
    });
    expect(await askQuery('devices', [null, null, 10n])).toEqual([
        expect.objectContaining({ site: 'bay', device: 'd3', profile: 'made-up', last_ms: null, silent_from_ms: null }),
        {
            site: 'main',
            device: 'd1',
            profile: 'made-up',
            place: 'roof',
            ip: '10.0.0.8',
            last_ms: ms('2026-01-05T07:00:00Z'),
            silent_from_ms: ms('2026-01-05T08:00:00Z'),
            readings: 1n,
            metrics: 1n,
            battery: null,
            open_alerts: 0n,
            silences: 0n,
        },
        expect.objectContaining({ device: 'd2', profile: null, ip: null }),
    ]);
    const idsOf = async (...parameters: (string | bigint | null)[]) => (await askQuery('devices', parameters)).map(({ device }) => device);
    expect(await idsOf('bay', null, 10n)).toEqual(['d3']);
    expect(await idsOf(null, 'd2', 10n)).toEqual(['d2']);
    expect(await idsOf(null, null, 2n)).toEqual(['d3', 'd1']);
});

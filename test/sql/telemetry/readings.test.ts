/** readings: a device's readings, the newest of them. */
import type { Value } from '#lake/query/query-engine';
import { ms, openFleet } from '#test/support/fleet-fixture';

test('lists the newest readings, oldest first, of what is asked for', async () => {
    const { askQuery } = await openFleet({
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '21', copies: 3 },
            { at: '2026-01-05T07:00:00Z', is: '90', metric: 'battery' },
            { at: '2026-01-06T07:00:00Z', is: 'moving', metric: 'status' },
            { at: '2026-01-07T07:00:00.250Z', is: '22.5', site: 'bay' },
            { at: '2026-01-07T07:00:00Z', is: '1', device: 'd2' },
        ],
    });
    const ask = async (...[metric = null, site = null, first = null, last = null, from = null, to = null, limit = 9n]: Value[]) =>
        (await askQuery('readings', ['d1', metric, site, first, last, from, to, limit])).map(
            ({ metric: name, value, text }) => `${name} ${value ?? text}`,
        );
    const [battery, temperature, status, warmer] = [
        'battery 90.000000000',
        'temperature 21.000000000',
        'status moving',
        'temperature 22.500000000',
    ];
    expect(await ask()).toEqual([battery, temperature, status, warmer]);
    expect(await ask('temperature')).toEqual([temperature, warmer]);
    expect(await ask(null, 'bay')).toEqual([warmer]);
    expect(await ask(null, null, '2026-01-06', '2026-01-06')).toEqual([status]);
    expect(await ask(null, null, null, null, ms('2026-01-06T07:00:00Z'), ms('2026-01-07T07:00:00.250Z'))).toEqual([status]);
    expect(await ask(null, null, null, null, null, null, 2n)).toEqual([status, warmer]);
    expect(await askQuery('readings', ['d1', 'temperature', 'main', null, null, null, null, 1n])).toEqual([
        {
            site: 'main',
            device: 'd1',
            metric: 'temperature',
            measured_at: '2026-01-05 07:00:00.000',
            at_ms: ms('2026-01-05T07:00:00Z'),
            value: '21.000000000',
            text: null,
            clock: 'device',
            received_ms: ms('2026-01-05T07:00:00Z'),
            message: '0',
            copies: 3n,
        },
    ]);
});

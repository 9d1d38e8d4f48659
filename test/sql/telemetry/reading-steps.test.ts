/** reading_steps: a device's readings in steps of time. */
import type { Value } from '#lake/query/query-engine';
import { ms, openFleet } from '#test/support/fleet-fixture';

test('a step has how many readings, the smallest, the largest and the mean', async () => {
    const { askQuery } = await openFleet({
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '21.5' },
            { at: '2026-01-05T07:14:59.999Z', is: '-1' },
            { at: '2026-01-05T07:15:00Z', is: '3' },
            { at: '2026-01-05T07:15:00Z', is: 'moving', metric: 'status' },
        ],
    });
    const ask = (step: bigint, ...[metric = null, from = null, to = null]: Value[]) =>
        askQuery('reading_steps', [step, 'd1', metric, null, null, null, from, to]);
    expect(await ask(900_000n)).toEqual([
        { site: 'main', device: 'd1', metric: 'status', from_ms: ms('2026-01-05T07:15:00Z'), n: 1n, min: null, max: null, mean: null },
        {
            site: 'main',
            device: 'd1',
            metric: 'temperature',
            from_ms: ms('2026-01-05T07:00:00Z'),
            n: 2n,
            min: '-1.000000000',
            max: '21.500000000',
            mean: 10.25,
        },
        expect.objectContaining({ from_ms: ms('2026-01-05T07:15:00Z'), n: 1n, mean: 3 }),
    ]);
    expect(await ask(3_600_000n, 'temperature')).toEqual([expect.objectContaining({ n: 3n, mean: 23.5 / 3 })]);
    expect(await ask(86_400_000n, 'temperature', ms('2026-01-05T07:00:01Z'), ms('2026-01-05T07:15:00Z'))).toEqual([
        expect.objectContaining({ from_ms: ms('2026-01-05T00:00:00Z'), n: 1n }),
    ]);
    expect(await ask(5n)).toEqual([]);
});

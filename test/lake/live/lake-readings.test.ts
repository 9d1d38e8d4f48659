/** The readings of the lake, page after page. */

import type { ReadingPlace } from '#lake/live/api/services';
import { lakeReadings, type ReadingsSource } from '#lake/live/lake-readings';
import { readQuery } from '#lake/query/sql-files';
import { type FleetReading, openFleet } from '#test/support/fleet-fixture';

const NOW = Date.parse('2026-01-05T12:00:00Z');

/** How often each query was asked. */
type Asked = Record<string, number>;

async function openReadings(readings: readonly FleetReading[]) {
    const { engine } = await openFleet({ readings });
    const asked: Asked = {};
    const source: ReadingsSource = {
        ask: (name, parameters) => {
            asked[name] = (asked[name] ?? 0) + 1;
            return engine.query(readQuery(name), { parameters });
        },
        isRegistered: async (device) => device === 'registered',
        now: () => NOW,
    };
    return { ...lakeReadings(source), asked };
}

const QUESTION = { device: 'd1', metric: undefined, site: undefined, fromMs: undefined, toMs: undefined };

test('gives every reading once, newest first, wherever pages end', async () => {
    // Five rows of one time, one of another site, and one long before.
    const at = '2026-01-05T07:00:00Z';
    const { readings } = await openReadings([
        { at: '2025-06-01T00:00:00Z', is: '1' },
        { at: '2026-01-05T06:59:59.999Z', is: '2' },
        ...['a', 'b', 'c'].map((message) => ({ at, is: '3', message })),
        { at, is: 'moving', metric: 'status' },
        { at, is: '5', site: 'bay' },
        { at: '2026-01-05T08:00:00Z', is: '6' },
        { at, is: '9', device: 'd2' },
    ]);
    const all: string[] = [];
    for (const limit of [1, 2, 3, 100]) {
        const seen: string[] = [];
        let after: ReadingPlace | undefined;
        for (;;) {
            const page = await readings({ ...QUESTION, after, limit });
            seen.push(...(page?.answer.items ?? []).map(({ value, text, message, site }) => `${text ?? value} ${message} ${site}`));
            expect(page?.answer.items.length).toBeLessThanOrEqual(limit);
            after = page?.answer.items.at(-1);
            if (!page?.answer.hasMore) {
                break;
            }
        }
        all.push(seen.join(', '));
    }
    const [six, three, one] = ['6.000000000', '3.000000000', '1.000000000'];
    const wanted = `${six} 0 main, ${three} c main, ${three} b main, ${three} a main, 5.000000000 0 bay, moving 0 main, 2.000000000 0 main, ${one} 0 main`;
    expect([...new Set(all)]).toEqual([wanted]);
});

test('goes on behind a place that has more readings of its time than one question fetches', async () => {
    const at = '2026-01-05T07:00:00Z';
    const { readings } = await openReadings(
        Array.from({ length: 300 }, (_, n) => ({ at, is: String(n), message: String(n).padStart(3, '0') })),
    );
    const place = { atMs: Date.parse(at), metric: 'temperature', message: '010', site: 'main' };
    const page = await readings({ ...QUESTION, after: place, limit: 100 });
    expect(page?.answer.items.map(({ message }) => message)).toEqual(Array.from({ length: 10 }, (_, n) => String(9 - n).padStart(3, '0')));
    expect(page?.answer.hasMore).toBe(false);
});

test('looks at one day first, and further back only where that has not enough', async () => {
    const { readings, asked } = await openReadings([
        { at: '2026-01-05T07:00:00Z', is: '1' },
        { at: '2026-01-05T08:00:00Z', is: '2' },
        { at: '2025-12-20T08:00:00Z', is: '3' },
    ]);
    await readings({ ...QUESTION, after: undefined, limit: 1 });
    expect(asked).toEqual({ readings: 1 });
    await readings({ ...QUESTION, after: undefined, limit: 2 });
    expect(asked).toEqual({ readings: 3 });
    const page = await readings({ ...QUESTION, after: undefined, limit: 3 });
    expect(page?.answer.items).toHaveLength(3);
});

test('tells a device without readings from one that nobody knows', async () => {
    const { readings, steps } = await openReadings([{ at: '2026-01-05T07:00:00Z', is: '1' }]);
    const [fromMs, toMs] = [NOW, NOW + 1];
    for (const [device, known] of [
        ['d1', true],
        ['registered', true],
        ['d3', false],
    ] as const) {
        const page = await readings({ ...QUESTION, device, fromMs, toMs, after: undefined, limit: 1 });
        expect({ device, known: page !== undefined, items: page?.answer.items ?? [] }).toEqual({ device, known, items: [] });
        expect((await steps({ ...QUESTION, device, fromMs, toMs, stepMs: 60_000 })) !== undefined).toBe(known);
    }
});

test('gives steps newest first, exact but for the mean', async () => {
    const { steps } = await openReadings([
        { at: '2026-01-05T07:00:00Z', is: '0.1' },
        { at: '2026-01-05T07:30:00Z', is: '0.4' },
        { at: '2026-01-05T08:00:00Z', is: 'moving', metric: 'status' },
        { at: '2026-01-05T08:00:00Z', is: '21' },
    ]);
    const found = await steps({ ...QUESTION, fromMs: NOW - 86_400_000, toMs: NOW, stepMs: 3_600_000 });
    const [seven, eight] = [Date.parse('2026-01-05T07:00:00Z'), Date.parse('2026-01-05T08:00:00Z')];
    const of = { site: 'main', device: 'd1' };
    expect(found?.answer).toEqual([
        { ...of, metric: 'status', fromMs: eight, readings: 1, min: null, max: null, mean: null },
        { ...of, metric: 'temperature', fromMs: eight, readings: 1, min: '21.000000000', max: '21.000000000', mean: 21 },
        { ...of, metric: 'temperature', fromMs: seven, readings: 2, min: '0.100000000', max: '0.400000000', mean: 0.25 },
    ]);
});

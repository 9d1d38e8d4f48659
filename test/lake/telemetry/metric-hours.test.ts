import { describe, expect, test } from '@jest/globals';
import { metricHours } from '#lake/telemetry/metric-hours';
import { type MadeReading, rulesWith, sortedReadings } from '#test/support/sorted-readings';

const RULES = {
    p: rulesWith({ digits: { temp: 2, level: 0 }, gapLimitMs: 1000 }),
    fine: rulesWith({ digits: { temp: 3 }, gapLimitMs: 500 }),
};

function hoursOf(...made: MadeReading[]) {
    return [...metricHours(sortedReadings(made), { hour: 7, rulesOf: (profile) => RULES[profile as keyof typeof RULES] })];
}

describe('an hour of a metric', () => {
    test('has count, sums, smallest and largest in the digits that its profile declares', () => {
        const [hour] = hoursOf({ at: 10, is: '21.3' }, { at: 30, is: '-0.05' }, { at: 20, is: '21.35' });
        expect(hour).toMatchObject({ site: 'main', device: 'd1', metric: 'temp', hour: 7, n: 3, first_ms: 10, last_ms: 30 });
        expect(hour?.values).toMatchObject({ digits: 2, sum: 4260n, sum_sq: 2130n ** 2n + 2135n ** 2n + 25n, min: -5n, max: 2135n });
        expect(hour?.values).toMatchObject({ first: 2130n, last: -5n });
    });

    test('has the area under its values up to the next reading, but not over a gap', () => {
        const [hour] = hoursOf({ at: 0, is: '2' }, { at: 1000, is: '-3' }, { at: 2001, is: '5' }, { at: 2101, is: '7' });
        // 2.00 for 1,000 ms, a gap of 1,001 ms, 5.00 for 100 ms.
        expect(hour?.values).toMatchObject({ area: 200n * 1000n + 500n * 100n, area_ms: 1100 });
        expect(hour?.longest_gap_ms).toBe(1001);
    });

    test('of readings at one instant counts each, and has no time between them', () => {
        const [hour] = hoursOf({ at: 5, is: '1', message: 'a' }, { at: 5, is: '2', message: 'b' });
        expect(hour).toMatchObject({ n: 2, longest_gap_ms: 0, values: { first: 100n, last: 200n, area: 0n } });
    });

    test('of texts has times and no values', () => {
        expect(hoursOf({ at: 1, is: 'moving' }, { at: 4, is: 'parked' })).toEqual([
            expect.objectContaining({ n: 2, first_ms: 1, last_ms: 4, longest_gap_ms: 3, values: undefined }),
        ]);
    });

    test('of a metric of which the profile keeps no figures has times and no values', () => {
        expect(hoursOf({ at: 1, is: '7', metric: 'pulses' }, { at: 4, is: '8', metric: 'pulses' })).toEqual([
            expect.objectContaining({ n: 2, first_ms: 1, last_ms: 4, values: undefined }),
        ]);
    });

    test('is one for each site, device and metric', () => {
        const hours = hoursOf(
            { at: 1, is: '1', site: 'b' },
            { at: 1, is: '1', device: 'd2' },
            { at: 1, is: '1', metric: 'level' },
            { at: 1, is: '1' },
        );
        expect(hours.map(({ site, device, metric }) => `${site} ${device} ${metric}`)).toEqual([
            'b d1 temp',
            'main d1 level',
            'main d1 temp',
            'main d2 temp',
        ]);
    });

    test('keeps every digit where a value has more than its profile declares, or two profiles took turns', () => {
        expect(hoursOf({ at: 1, is: '1.23456' })[0]?.values).toMatchObject({ digits: 5, sum: 123456n });
        const [both] = hoursOf({ at: 0, is: '1' }, { at: 700, is: '1', profile: 'fine' });
        expect(both?.values).toMatchObject({ digits: 3, sum: 2000n, area: 0n });
    });

    test('has no sum of squares where that would have more than 38 digits, and all else', () => {
        const large = 9_999_999_999_999_999_999n;
        expect(hoursOf({ at: 1, is: String(large), metric: 'level' })[0]?.values).toMatchObject({
            sum: large,
            sum_sq: large * large,
            max: large,
        });
        const [hour] = hoursOf({ at: 1, is: String(large), metric: 'level' }, { at: 2, is: String(-large), metric: 'level' });
        expect(hour?.values).toMatchObject({ sum: 0n, sum_sq: undefined, min: -large, max: large, area: large });
    });
});

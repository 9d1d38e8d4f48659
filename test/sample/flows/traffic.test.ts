import { describe, expect, test } from '@jest/globals';
import { plannedAnomalies } from '#sample/flows/sample-files';
import { pairOf, rowsOfSample, type SampleRow, secondOf } from './sample-rows.ts';

const OPTIONS = { flows: 28_000, days: 28, pairs: 100 };
const ROWS = rowsOfSample(OPTIONS);
const DAYS = [...new Set(ROWS.map(({ day }) => day))].sort();

/** Flows of each pair on each of the days. */
const COUNTS = new Map<string, number[]>();
for (const row of ROWS) {
    const counts = COUNTS.get(pairOf(row)) ?? DAYS.map(() => 0);
    counts[DAYS.indexOf(row.day)]! += 1;
    COUNTS.set(pairOf(row), counts);
}

function median(values: number[]): number {
    return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

describe('planned anomalies', () => {
    const planned = plannedAnomalies(OPTIONS);

    test('are a surge, a scan and a comeback for each site, on working days of their own', () => {
        expect(planned.map(({ site, kind }) => `${site} ${kind}`)).toEqual(
            ['berlin', 'lisbon', 'osaka'].flatMap((site) => [`${site} surge`, `${site} scan`, `${site} comeback`]),
        );
        expect(planned.filter(({ day }) => new Date(day).getUTCDay() % 6 === 0)).toEqual([]);
        expect(new Set(planned.map(({ site, day }) => `${site} ${day}`)).size).toBe(9);
    });

    test.each(planned)('stand out in a plain count: $kind at $site', ({ kind, site, src, dst, day }) => {
        const counts = COUNTS.get(`${site} ${src} > ${dst}`) ?? [];
        const place = DAYS.indexOf(day);
        const before = counts.slice(0, kind === 'comeback' ? place - 7 : place);
        const usual = median(before.filter((_, at) => ![5, 6].includes(at % 7)));
        expect(usual).toBeGreaterThan(0);
        expect(counts[place]).toBeGreaterThan(6 * usual);
        expect(before.filter((count) => count > 3 * usual)).toEqual([]);
        if (kind === 'surge') {
            expect(counts[place]).toBeLessThan(14 * usual);
        }
        if (kind === 'comeback') {
            expect(counts.slice(place - 7, place)).toEqual([0, 0, 0, 0, 0, 0, 0]);
        }
        if (kind === 'scan') {
            const scan = ROWS.filter((row) => row.day === day && pairOf(row) === `${site} ${src} > ${dst}`);
            expect(new Set(scan.map((row) => row.cell('Dst Port'))).size).toBeGreaterThan(scan.length / 2);
        }
    });

    test('are fewer where the calendar or the site is too small for them', () => {
        expect(plannedAnomalies({ ...OPTIONS, days: 5 })).toEqual([]);
        expect(plannedAnomalies({ ...OPTIONS, pairs: 6 })).toHaveLength(3);
    });
});

describe('the rhythm of a branch', () => {
    const isWeekend = ({ day }: SampleRow) => new Date(day).getUTCDay() % 6 === 0;
    const isNight = (row: SampleRow) => secondOf(row) < 6 * 3600 || secondOf(row) >= 22 * 3600;

    test('is slower at night and at weekends, and nearly still there for badge readers and printers', () => {
        const office = ROWS.filter((row) => ['4070', '9100'].includes(row.cell('Dst Port')));
        // A third of all hours are at night, two sevenths of all days are weekends: 0.33 and 0.29 where nobody minds.
        for (const [rows, most] of [[ROWS, 0.25] as const, [office, 0.05] as const]) {
            expect(rows.length).toBeGreaterThan(500);
            expect(rows.filter(isNight).length / rows.length).toBeLessThan(most);
            expect(rows.filter(isWeekend).length / rows.length).toBeLessThan(most);
        }
    });

    test('goes on around the clock for meters', () => {
        const meters = ROWS.filter((row) => row.cell('Dst Port') === '5683');
        expect(meters.filter(isNight).length / meters.length).toBeGreaterThan(0.25);
        expect(meters.filter(isWeekend).length / meters.length).toBeGreaterThan(0.2);
    });

    test('differs from pair to pair by far more than a factor of ten', () => {
        const totals = [...COUNTS.values()].map((counts) => counts.reduce((a, b) => a + b));
        expect(Math.max(...totals)).toBeGreaterThan(10 * Math.min(...totals));
    });

    test('begins late or ends early for a few devices', () => {
        const lives = [...COUNTS.values()].filter((counts) => counts.filter((count) => count > 0).length > 3);
        const late = lives.filter((counts) => counts.slice(0, 5).every((count) => count === 0));
        const gone = lives.filter((counts) => counts.slice(-5).every((count) => count === 0));
        expect(late.length).toBeGreaterThan(0);
        expect(gone.length).toBeGreaterThan(0);
        expect(late.length + gone.length).toBeLessThan(COUNTS.size / 3);
    });

    test('has the same private addresses at every site', () => {
        const sites = [...COUNTS.keys()].filter((pair) => pair.endsWith(' 192.168.1.22 > 192.168.1.1'));
        expect(sites.map((pair) => pair.split(' ')[0])).toEqual(['berlin', 'lisbon', 'osaka']);
    });
});

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { UsageError } from '#lake/errors';
import { readFlows } from '#lake/flows/read-flows';
import { DEFAULT_SAMPLE, sampleFiles } from '#sample/flows/sample-files';
import type { SampleOptions } from '#sample/flows/traffic';
import { pairOf, rowsOf, rowsOfSample, secondOf, textOf } from './sample-rows.ts';

const SMALL: Partial<SampleOptions> = { flows: 3000, days: 8, pairs: 60, seed: 5 };

/** All files' names and bytes. */
function fingerprint(options: Partial<SampleOptions>): string {
    const hash = createHash('sha256');
    for (const file of sampleFiles(options)) {
        hash.update(`${file.site}/${file.name}\n`).update(textOf(file));
    }
    return hash.digest('hex');
}

describe('the bytes of a sample', () => {
    test('are the same for the same options, on every machine, until the generator itself is changed', () => {
        expect(fingerprint(SMALL)).toBe('ac3dbbcd9ceaf1d757c14f56c2213eb2cc8de9c9171c2d4e7f72ae510fe286e0');
        expect(fingerprint({ ...SMALL, ...DEFAULT_SAMPLE, ...SMALL })).toBe(fingerprint(SMALL));
    });

    test('are others for another seed', () => {
        expect(fingerprint({ ...SMALL, seed: 6 })).not.toBe(fingerprint(SMALL));
    });

    test('do not depend on when, how often and beside which other file they are read', () => {
        const [first, second] = sampleFiles(SMALL);
        const alone = [textOf(first!), textOf(second!)];
        const both = [first!.chunks[Symbol.iterator](), second!.chunks[Symbol.iterator]()];
        const side = both.map(() => [] as Uint8Array[]);
        for (let round = 0; round < 10; round++) {
            both.forEach((chunks, place) => {
                side[place]?.push(chunks.next().value ?? new Uint8Array());
            });
        }
        expect(side.map((chunks) => Buffer.concat(chunks).toString('latin1'))).toEqual(alone);
    });
});

describe('the size of a sample', () => {
    test.each([
        { flows: 1, days: 1, pairs: 1 },
        { flows: 7, days: 3, pairs: 40 },
        { flows: 40, days: 3, pairs: 40 },
        { flows: 5003, days: 30, pairs: 77 },
        { flows: 4000, days: 1, pairs: 900, sites: ['hub'] },
        { flows: 999, days: 90, pairs: 2 },
    ])('is to the flow what was asked for, and every pair has one: %p', (size) => {
        const rows = rowsOfSample(size);
        expect(rows).toHaveLength(size.flows);
        expect(new Set(rows.map(pairOf)).size).toBe(Math.min(size.pairs, size.flows));
        const told = [...sampleFiles(size)].map(({ flows }) => flows);
        expect(told).toEqual([...sampleFiles(size)].map((file) => rowsOf(file).length));
    });

    test('is spread over all sites and days, one file each, day by day', () => {
        const files = [...sampleFiles(SMALL)].map(({ site, day, name }) => `${site} ${day} ${name}`);
        expect(files).toHaveLength(24);
        expect(files.slice(2, 4)).toEqual(['osaka 2026-01-05 2026-01-05_Flow.csv', 'berlin 2026-01-06 2026-01-06_Flow.csv']);
        expect(files[23]).toBe('osaka 2026-01-12 2026-01-12_Flow.csv');
    });

    test.each([
        [{ flows: 0 }, 'flows is 0'],
        [{ days: 1.5 }, 'days is 1.5'],
        [{ pairs: Number.NaN }, 'pairs is NaN'],
        [{ seed: -1 }, 'seed is -1'],
        [{ sites: [] }, 'sites are ""'],
        [{ sites: ['a', 'a'] }, 'sites are "a, a"'],
        [{ sites: ['../a'] }, 'Site "../a"'],
        [{ firstDay: '2026-02-30' }, 'firstDay is "2026-02-30"'],
    ])('that makes no sense is refused: %p', (options, message) => {
        expect(() => [...sampleFiles(options)]).toThrow(UsageError);
        expect(() => [...sampleFiles(options)]).toThrow(message);
    });
});

describe('the rows of a sample', () => {
    const rows = rowsOfSample({ flows: 8000, days: 4, pairs: 100, firstDay: '2024-02-27' });

    test('have 84 cells, each a number as Java writes it, behind CICFlowMeter header', () => {
        const [file] = sampleFiles(SMALL);
        expect(textOf(file!).split('\n')[0]).toMatch(
            /^Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Tot Fwd Pkts,/,
        );
        const strange = rows.filter(({ line }) => {
            const cells = line.split(',');
            const numbers = cells.slice(7, 83).filter((cell) => /^(\d+|\d+\.\d+|\d\.\d+E\d+|NaN|Infinity)$/.test(cell));
            return cells.length !== 84 || numbers.length !== 76 || cells[83] !== 'No Label';
        });
        expect(strange).toEqual([]);
    });

    test('stand in the order of time and belong to the day of their file', () => {
        expect([...new Set(rows.map((row) => `${row.cell('Timestamp').slice(0, 10)} = ${row.day}`))]).toEqual([
            '27/02/2024 = 2024-02-27',
            '28/02/2024 = 2024-02-28',
            '29/02/2024 = 2024-02-29',
            '01/03/2024 = 2024-03-01',
        ]);
        for (const file of sampleFiles(SMALL)) {
            const seconds = rowsOf(file).map(secondOf);
            expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
        }
    });

    test('have CICFlowMeter oddities: no time at all, the cut at 120 s, the same row twice', () => {
        const instant = rows.filter((row) => row.cell('Flow Duration') === '0');
        expect(instant.length).toBeGreaterThan(rows.length / 500);
        expect(new Set(instant.map((row) => row.cell('Flow Byts/s')))).toEqual(new Set(['Infinity', 'NaN']));
        expect(new Set(instant.map((row) => row.cell('Flow Pkts/s')))).toEqual(new Set(['Infinity']));
        const longest = Math.max(...rows.map((row) => Number(row.cell('Flow Duration'))));
        expect(longest).toBeGreaterThan(119_900_000);
        expect(longest).toBeLessThanOrEqual(120_000_000);
        expect(rows.filter((row, place) => row.line === rows[place + 1]?.line).length).toBeGreaterThan(0);
    });

    test('agree with themselves: rates, means and pauses follow from packets, bytes and duration', () => {
        const isNear = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(b), 1);
        const contradictions = rows.filter((row) => {
            const value = (column: string) => Number(row.cell(column));
            const [forward, backward, us] = [value('Tot Fwd Pkts'), value('Tot Bwd Pkts'), value('Flow Duration')];
            const bytes = value('TotLen Fwd Pkts') + value('TotLen Bwd Pkts');
            const agrees =
                isNear(value('Flow Byts/s'), (bytes * 1e6) / us) &&
                isNear(value('Bwd Pkts/s'), (backward * 1e6) / us) &&
                isNear(value('Flow IAT Mean'), us / (forward + backward - 1)) &&
                isNear(value('Fwd Pkt Len Mean') * forward, value('TotLen Fwd Pkts')) &&
                value('Flow IAT Min') <= value('Flow IAT Max') &&
                value('Flow IAT Max') <= us &&
                value('Fwd IAT Tot') <= us;
            return us > 0 && !agrees;
        });
        expect(contradictions.map(({ line }) => line)).toEqual([]);
    });

    test('are read by the lake without a reject, IPv6 among them', async () => {
        let [kept, pairs] = [0, 0];
        for (const file of sampleFiles({ ...SMALL, days: 1 })) {
            const result = await readFlows(() => Readable.from(file.chunks));
            expect(result).toMatchObject({ ok: true, dialect: 'cicflowmeter', rowsRead: file.flows, rowsRejected: 0 });
            kept += file.flows;
            pairs += 'pairs' in result ? result.pairs : 0;
        }
        expect([kept, pairs]).toEqual([SMALL.flows, SMALL.pairs]);
        expect(rows.filter((row) => row.cell('Src IP').startsWith('fe80::')).length).toBeGreaterThan(10);
    });
});

/** Rows of pairs merge to the same totals, whatever came in which file and in whatever order. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OverflowError } from '#lake/errors';
import { emptyPairRows, type PairRows } from '#lake/flows/pair-rows';
import { mergePairRows } from '#test/support/flow-tables';

import { type MeasuredFlow, measuredFlow, pairRowsOfFlows, textOfRows } from '#test/support/pair-rows-of';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const FLOW: MeasuredFlow = { site: 'berlin', src: '10.0.0.1', dst: '10.0.0.2', durationUs: 0n, packets: 0n };

const DAY = '2026-01-05';
const mergeOfDay = (lists: readonly PairRows[]): PairRows => mergePairRows(lists, { day: DAY });

/** Flows, each with the file that it came in, and an order of the files. */
const split = fc.tuple(
    fc.array(fc.tuple(measuredFlow, fc.nat(6)), { maxLength: 60 }),
    fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }),
);

describe('merging', () => {
    test('gives the rows of all flows together, for any split into files and any order of them', () => {
        fc.assert(
            fc.property(split, ([flows, order]) => {
                const files = order.map((file) => pairRowsOfFlows(flows.filter(([, of]) => of === file).map(([flow]) => flow)));
                const wanted = textOfRows(pairRowsOfFlows(flows.map(([flow]) => flow)));
                expect(textOfRows(mergeOfDay(files))).toEqual(wanted);
                // One file after the other into what is there, as days are consolidated.
                expect(textOfRows(files.reduce((merged, file) => mergeOfDay([merged, file]), emptyPairRows()))).toEqual(wanted);
            }),
            { numRuns: 200 * RUNS },
        );
    });

    test('changes none of the lists that it merges, and shares nothing with them', () => {
        const [one, other] = [pairRowsOfFlows([FLOW]), pairRowsOfFlows([FLOW, { ...FLOW, site: 'osaka' }])];
        const before = [one, other].map(textOfRows);
        const merged = mergeOfDay([one, other]);
        merged.flows.fill(9n);
        merged.site.fill('elsewhere');
        expect([one, other].map(textOfRows)).toEqual(before);
        mergeOfDay([one]).flows.fill(9n);
        expect([one, other].map(textOfRows)).toEqual(before);
    });

    test('keeps sites in the order of their bytes, as Spark and every Parquet reader sort them', () => {
        const [late, last] = ['\uff21', '\u{1f600}'];
        const rowsOfSite = (site: string) => pairRowsOfFlows([{ ...FLOW, site }]);
        const merged = mergeOfDay([rowsOfSite(last), rowsOfSite(late), rowsOfSite('z')]);
        expect(merged.site).toEqual(['z', late, last]);
        const again = mergeOfDay([merged, rowsOfSite(last)]);
        expect(again.site).toEqual(['z', late, last]);
        expect([...again.flows]).toEqual([1n, 1n, 2n]);
    });

    test('of nothing is nothing', () => {
        for (const lists of [[], [emptyPairRows()], [emptyPairRows(), emptyPairRows(), emptyPairRows()]]) {
            const merged = mergeOfDay(lists);
            expect(textOfRows(merged)).toEqual([]);
            expect(merged.flows).toHaveLength(0);
        }
    });

    test('takes pairs for equal only where site and both addresses are', () => {
        const flows = [FLOW, { ...FLOW, site: 'osaka' }, { ...FLOW, src: FLOW.dst, dst: FLOW.src }, { ...FLOW, src: '10.0.0.11' }];
        expect(mergeOfDay(flows.map((flow) => pairRowsOfFlows([flow]))).flows).toEqual(BigInt64Array.of(1n, 1n, 1n, 1n));
    });

    test('keeps long lists in order', () => {
        const flows = Array.from({ length: 3_000 }, (_, at) => ({ ...FLOW, src: `10.0.${at >> 8}.${at & 255}`, packets: BigInt(at) }));
        const lists = [0, 1, 2].map((third) => pairRowsOfFlows(flows.filter((_, at) => at % 3 === third || at % 7 === 0)));
        expect(textOfRows(mergeOfDay(lists))).toEqual(
            textOfRows(pairRowsOfFlows(flows.flatMap((flow, at) => (at % 7 === 0 ? [flow, flow, flow] : [flow])))),
        );
    });
});

describe('the largest values', () => {
    const LARGEST = { bigint: 2n ** 63n - 1n, decimal: 10n ** 38n - 1n };
    const columns = [
        ['flow_duration_us_sum', LARGEST.bigint],
        ['fwd_pkts_sum', LARGEST.bigint],
        ['flow_duration_us_sum_sq', LARGEST.decimal],
        ['fwd_pkts_sum_sq', LARGEST.decimal],
    ] as const;

    function rowsWith(column: (typeof columns)[number][0], value: bigint): PairRows {
        const rows = pairRowsOfFlows([FLOW]);
        rows[column][0] = value;
        return rows;
    }

    test.each(columns)('of %s are reached', (column, largest) => {
        const merged = mergeOfDay([rowsWith(column, largest - 1n), rowsWith(column, 0n), rowsWith(column, 1n)]);
        expect(merged[column][0]).toBe(largest);
    });

    test.each(columns)('of %s are never passed: an error names pair, day and column, in any order of merging', (column, largest) => {
        const parts = [largest - 1n, 1n, 1n];
        for (const order of [
            [0, 1, 2],
            [1, 2, 0],
            [1, 0, 2],
        ]) {
            const merge = (): unknown => mergeOfDay(order.map((at) => rowsWith(column, parts[at] ?? 0n)));
            expect(merge).toThrow(OverflowError);
            expect(merge).toThrow(`${column} of 10.0.0.1 to 10.0.0.2 at site berlin on ${DAY} would be ${largest + 1n}`);
        }
    });
});

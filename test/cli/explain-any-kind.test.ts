/** What `explain` shows of a kind that is not flows: its own columns, its nulls, and lines whose values its reader tells. */

import { addInput } from '#lake/inputs';
import type { LedgerRecord } from '#lake/ledger';
import { mergeRows } from '#lake/merge-rows';
import type { Explanation } from '#lake/reports/explain';
import { findLines } from '#lake/reports/explain-lines';
import { findLineMismatches, findMismatches, lineColumns, lineRow, partColumns, partRows } from '#lake/reports/explain-report';
import { emptyRows, type Rows } from '#lake/rows';
import { telemetry } from '#lake/telemetry/kind';
import { gauges } from '#test/kinds/gauges';
import { memoryStore } from '#test/support/memory-store';

const HOUR = '2026-01-05T13';
const KEY = 'raw/kind=gauges/harbour.gauge';
const TEXT = `instant,gauge,level
2026-01-05T13:05:00Z,pier,-120
2026-01-05T13:25:00Z,pier,
2026-01-05T13:30:00Z,lock,1
2026-01-05T13:45:00Z,pier,20
2026-01-05T14:00:00Z,pier,80
`;

/** One row of a gauge. */
function rowOf(site: string, { readings = 1n, sum = 0n, squares = 0n, min = null, max = null }: Record<string, bigint | null> = {}): Rows {
    return {
        site: [site],
        gauge: ['pier'],
        readings: BigInt64Array.of(readings ?? 0n),
        level_mm_sum: BigInt64Array.of(sum ?? 0n),
        level_mm_sum_sq: [squares ?? 0n],
        level_mm_min: [min ?? null],
        level_mm_max: [max ?? null],
    };
}

function explanationOf(inLake: Rows, lists: Rows[]): Explanation {
    return {
        inLake,
        parts: lists.map((rows, at) => ({ record: undefined, source: `source${at}`, version: '1-a', rows })),
        total: mergeRows(lists, { table: gauges.merged, period: HOUR }),
        missing: [],
        isConsolidated: true,
    };
}

describe('figures', () => {
    test('are shown in the columns of the kind’s table, without squares, and nulls as nulls', () => {
        const explanation = explanationOf(emptyRows(gauges.merged), [
            rowOf('bay'),
            rowOf('bay', { sum: -5n, squares: 25n, min: -5n, max: -5n }),
        ]);
        expect(partColumns(gauges).map(({ name }) => name)).toEqual([
            'site',
            'source',
            'version',
            'inputs',
            'readings',
            'level_mm_sum',
            'level_mm_min',
            'level_mm_max',
        ]);
        expect(partRows(explanation, gauges)).toEqual([
            ['bay', 'source0', '1-a', null, 1n, 0n, null, null],
            ['bay', 'source1', '1-a', null, 1n, -5n, -5n, -5n],
            ['bay', 'total', null, null, 2n, -5n, -5n, -5n],
        ]);
    });

    test('are shown with the inputs that each version was read with, also one that is live no more', () => {
        const commits = [
            { version: '1-a', inputs: { lock: 1, pier: 0 } },
            { version: '2-b', inputs: { lock: 2, pier: 0 } },
        ];
        const record = { source: KEY, version: '2-b', history: commits } as unknown as LedgerRecord;
        const explanation = explanationOf(emptyRows(gauges.merged), [rowOf('bay'), rowOf('bay')]);
        const parts = explanation.parts.map((part, at) => ({ ...part, record, version: commits[at]!.version }));
        expect(partRows({ ...explanation, parts }, gauges).map((row) => row[3])).toEqual(['lock@1, pier@0', 'lock@2, pier@0', null]);
    });

    test('that are null agree with a null alone: not with 0, and not with a row that is not there', () => {
        const parts = [rowOf('bay')];
        expect(findMismatches(explanationOf(rowOf('bay'), parts), gauges)).toEqual([]);
        expect(findMismatches(explanationOf(rowOf('bay', { min: 0n }), parts), gauges)).toEqual([
            'level_mm_min at site bay is 0 in gauges_hours, its sources make null',
        ]);
        expect(findMismatches(explanationOf(emptyRows(gauges.merged), parts), gauges)).toEqual([
            'readings at site bay is 0 in gauges_hours, its sources make 1',
            'level_mm_min at site bay is nothing in gauges_hours, its sources make null',
            'level_mm_max at site bay is nothing in gauges_hours, its sources make null',
        ]);
    });

    test('of an hour that waits are told by hour and table', () => {
        expect(findMismatches({ ...explanationOf(rowOf('bay'), [rowOf('bay')]), isConsolidated: false }, gauges)).toEqual([
            'the hour waits to be consolidated, so gauges_hours is not yet what counts: run flowlake reconcile',
        ]);
    });
});

describe('lines', () => {
    async function find(period: string, { options = {}, maxLines = 10 }: { options?: Record<string, string>; maxLines?: number } = {}) {
        const store = memoryStore({ pieceBytes: 7 });
        const { etag } = await store.put(KEY, Buffer.from(TEXT));
        const record = { source: KEY, etag, options } as unknown as LedgerRecord;
        return findLines(record, { store, kind: gauges, key: ['pier'], period, maxLines });
    }

    test('are those of the key in the period, with what each adds to the measures', async () => {
        const found = await find(HOUR);
        expect(lineColumns(gauges).map(({ name }) => name)).toEqual(['source', 'line_number', 'readings', 'level_mm', 'line']);
        expect(found.lines.map((line) => lineRow(line, { source: KEY, kind: gauges }))).toEqual([
            [KEY, 2n, 1n, -120n, '2026-01-05T13:05:00Z,pier,-120'],
            [KEY, 3n, 1n, 0n, '2026-01-05T13:25:00Z,pier,'],
            [KEY, 5n, 1n, 20n, '2026-01-05T13:45:00Z,pier,20'],
        ]);
        expect((await find(HOUR, { maxLines: 1 })).count).toBe(3n);
    });

    test('are read with the options that the source was read with', async () => {
        expect((await find(HOUR, { options: { datum: 'chart' } })).sums.get('level_mm')).toBe(1900n);
    });

    test('are read with the inputs in the versions that the source was read with', async () => {
        const store = memoryStore();
        for (const zero_mm of [1, 1000]) {
            await addInput(store, gauges.inputs?.prefix ?? '', 'lock', { zero_mm });
        }
        const { etag } = await store.put(KEY, Buffer.from('instant,gauge,level\nscale lock\n2026-01-05T13:05:00Z,pier,10\n'));
        const levelBy = async (inputs: Record<string, number>) => {
            const record = { source: KEY, etag, options: {}, inputs } as unknown as LedgerRecord;
            const { sums } = await findLines(record, { store, kind: gauges, key: ['pier'], period: HOUR, maxLines: 1 });
            return sums.get('level_mm');
        };
        expect([await levelBy({ lock: 1 }), await levelBy({ lock: 2 }), await levelBy({ lock: 0 })]).toEqual([11n, 1010n, undefined]);
    });

    test('must come to what the contribution says, measure by measure', async () => {
        const found = await find(HOUR);
        const partOf = (rows: Rows) => ({ record: undefined, source: 'harbour', version: '1-a', rows });
        const right = partOf(rowOf('main', { readings: 3n, sum: -100n, squares: 14_800n, min: -120n, max: 20n }));
        expect(findLineMismatches(right, found, gauges)).toEqual([]);
        expect(findLineMismatches(partOf(rowOf('main', { readings: 2n, sum: 0n })), found, gauges)).toEqual([
            'harbour has 3 readings, its summary says 2',
            'harbour has -100 millimetres, its summary says 0',
        ]);
        expect(findLineMismatches(right, await find('2026-01-07T00'), gauges)).toEqual([
            'harbour has 0 readings, its summary says 3',
            'harbour has 0 millimetres, its summary says -100',
        ]);
    });
});

describe('figures that are asked for by the beginning of their key', () => {
    const AT = 1_767_607_200_000n;
    const readingOf = (at: bigint, message: string, { value = 21_300_000_000n, copies = 1n } = {}): Rows => ({
        site: ['main'],
        device: ['th-1'],
        metric: ['temperature'],
        at_ms: BigInt64Array.of(at),
        message: [message],
        measured_at: BigInt64Array.of(at),
        received_ms: BigInt64Array.of(at),
        value: [value],
        text: [null],
        clock: ['device'],
        profile: ['thermostat'],
        copies: BigInt64Array.of(copies),
    });
    const lists = [
        mergeRows([readingOf(AT, 'a'), readingOf(AT + 1n, 'b')], { table: telemetry.merged, period: HOUR }),
        readingOf(AT, 'a', { copies: 2n }),
    ];
    const total = mergeRows(lists, { table: telemetry.merged, period: HOUR });
    const parts = lists.map((rows, at) => ({ record: undefined, source: `source${at}`, version: '1-a', rows }));
    const explanation: Explanation = { inLake: total, parts, total, missing: [], isConsolidated: true };

    test('have a row for each key and source, and totals where several sources have one', () => {
        expect(
            partColumns(telemetry)
                .map(({ name }) => name)
                .slice(0, 6),
        ).toEqual(['site', 'at_ms', 'message', 'source', 'version', 'inputs']);
        const copies = partColumns(telemetry).findIndex(({ name }) => name === 'copies');
        expect(partRows(explanation, telemetry).map((row) => [row[1], row[2], row[3], row[copies]])).toEqual([
            [AT, 'a', 'source0', 1n],
            [AT, 'a', 'source1', 2n],
            [AT, 'a', 'total', 3n],
            [AT + 1n, 'b', 'source0', 1n],
        ]);
        expect(findMismatches(explanation, telemetry)).toEqual([]);
    });

    test('are told apart by all of their key where they differ', () => {
        const inLake = mergeRows([readingOf(AT, 'a', { copies: 3n, value: 1n }), readingOf(AT + 2n, 'b')], {
            table: telemetry.merged,
            period: HOUR,
        });
        const mismatches = findMismatches({ ...explanation, inLake }, telemetry);
        expect(mismatches).toContainEqual(
            `value at site main, at_ms ${AT}, message a is 0.000000001 in readings, its sources make 21.300000000`,
        );
        expect(mismatches).toContainEqual(`copies at site main, at_ms ${AT + 1n}, message b is 0 in readings, its sources make 1`);
        expect(mismatches).toContainEqual(`copies at site main, at_ms ${AT + 2n}, message b is 1 in readings, its sources make 0`);
    });

    test('have as many lines as their rows say together', () => {
        const [part] = parts;
        const found = { lines: [], count: 2n, sums: new Map([['copies', 2n]]), counts: new Map([['copies', 2n]]) };
        expect(findLineMismatches(part!, found, telemetry)).toEqual([]);
        expect(findLineMismatches(part!, { ...found, count: 3n }, telemetry)).toEqual(['source0 has 3 lines, its summary says 2']);
        expect(lineColumns(telemetry).map(({ name }) => name)).toEqual(['source', 'line_number', 'line']);
    });
});

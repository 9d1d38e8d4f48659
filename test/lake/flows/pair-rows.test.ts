/** The rows of a table of pairs are in the order of their addresses' texts, with every figure exact, whatever the addresses and values are. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pairRowsOf } from '#lake/flows/pair-rows';
import { PairTable } from '#lake/flows/pair-table';
import { flowSummaries } from '#lake/flows/tables';
import { readRows, writeTyped } from '#lake/parquet';
import { toMemory, toPlain } from '#lake/typed-rows';
import { type MeasuredFlow, pairRowsOfFlows } from '#test/support/pair-rows-of';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);

const octet = fc.oneof(fc.constantFrom(0, 1, 2, 9, 10, 19, 20, 99, 100, 101, 200, 255), fc.nat(255));
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const address = fc.oneof(
    ipv4,
    fc.constantFrom('::', '::1', '1::', '2001:db8::7', '10::1', '100::', 'fe80::1%eth0', '::ffff:10.0.0.1', 'a::', '9::'),
);
const packets = fc.oneof(fc.bigInt({ min: 0n, max: 9n }), fc.bigInt({ min: 0n, max: 2n ** 33n }), fc.bigInt({ min: 0n, max: 2n ** 52n }));
const flow: fc.Arbitrary<MeasuredFlow> = fc.record({
    site: fc.constant('main'),
    src: address,
    dst: address,
    durationUs: fc.option(packets, { freq: 3 }),
    packets,
});

/** A table as the readers fill it: small values the fast way, others with bigints; every second flow on another written day. */
function tableOf(flows: readonly MeasuredFlow[]): PairTable {
    const table = new PairTable();
    for (const [at, { src, dst, durationUs, packets: count }] of flows.entries()) {
        const source = table.addressKey(src)!;
        const destination = table.addressKey(dst)!;
        const row = table.rowOf(source.key, destination.key, (at % 2) * 4 + (source.isText ? 1 : 0) + (destination.isText ? 2 : 0));
        if (durationUs !== null && durationUs < 2n ** 32n - 1n && count < 2n ** 32n - 1n) {
            table.addFlow(row, Number(durationUs), Number(count));
        } else {
            table.addLargeFlow(row, durationUs, count);
        }
    }
    return table;
}

test('any flows, also those of a day that is written in two ways', () => {
    fc.assert(
        fc.property(fc.array(flow, { maxLength: 60 }), (flows) => {
            const table = tableOf(flows);
            const rows = Int32Array.from({ length: table.rowCount }, (_, row) => row);
            const typed = pairRowsOf(table, { rows, site: 'main', day: '2026-01-05' });
            expect(toPlain(flowSummaries, typed)).toEqual(pairRowsOfFlows(flows));
        }),
        { numRuns: 200 * RUNS },
    );
});

test('many pairs of few and of many addresses', () => {
    const flows = Array.from({ length: 30_000 }, (_, at): MeasuredFlow => {
        const mixed = Math.imul(at, 0x9e3779b1) >>> 0;
        const src =
            at % 10 === 0 ? `2001:db8::${(at % 5_000).toString(16)}` : `10.${(mixed >>> 8) & 255}.${(mixed >>> 16) & 255}.${mixed & 7}`;
        return { site: 'main', src: src.replace(/::0$/, '::'), dst: `192.0.2.${at % 256}`, durationUs: BigInt(mixed), packets: BigInt(at) };
    });
    const table = tableOf(flows);
    const rows = Int32Array.from({ length: table.rowCount }, (_, row) => row);
    expect(toPlain(flowSummaries, pairRowsOf(table, { rows, site: 'main', day: '2026-01-05' }))).toEqual(pairRowsOfFlows(flows));
});

/** So many pairs, every tenth with IPv6, some with values that do not fit the table's rows, some without a duration. */
function flowsOfPairs(count: number): MeasuredFlow[] {
    return Array.from({ length: count }, (_, at): MeasuredFlow => {
        const mixed = Math.imul(at, 0x9e3779b1) >>> 0;
        const src =
            at % 10 === 0 ? `2001:db8::${((mixed % 60_000) + 1).toString(16)}:1` : `10.${(mixed >>> 8) & 255}.${(mixed >>> 16) & 255}.9`;
        const durationUs = at % 7 === 0 ? null : at % 501 === 0 ? 2n ** 55n + BigInt(at) : BigInt(mixed);
        return { site: 'main', src, dst: `192.0.${at >> 8}.${at & 255}`, durationUs, packets: at % 777 === 0 ? 2n ** 62n : BigInt(at) };
    });
}

describe('rows are encoded straight from the table', () => {
    test.each([0, 1, 4_999, 5_000, 5_001])('%d pairs', async (count) => {
        const flows = flowsOfPairs(count);
        const table = tableOf(flows);
        expect(table.countPairs()).toBe(count);
        const rows = Int32Array.from({ length: table.rowCount }, (_, row) => row);
        const typed = pairRowsOf(table, { rows, site: 'main', day: '2026-01-05' });
        const wanted = pairRowsOfFlows(flows);
        expect(toPlain(flowSummaries, toMemory(flowSummaries, typed))).toEqual(wanted);
        expect(await readRows(flowSummaries, writeTyped(flowSummaries, typed))).toEqual(wanted);
    });

    test('day by day, each of its own rows', () => {
        const flows = flowsOfPairs(3_000);
        const table = tableOf(flows);
        const all = Int32Array.from({ length: table.rowCount }, (_, row) => row);
        // Flows of even places are of the first written day.
        const days = [0, 1].map((slot) => all.filter((row) => table.groupOf(row) >> 2 === slot));
        const typed = days.map((rows) => pairRowsOf(table, { rows, site: 'main', day: '2026-01-05' }));
        for (const [slot, rows] of typed.entries()) {
            expect(toPlain(flowSummaries, rows)).toEqual(pairRowsOfFlows(flows.filter((_, at) => at % 2 === slot)));
        }
    });

    test('and a table whose rows were put in order takes no more flows', () => {
        const table = tableOf(flowsOfPairs(3));
        pairRowsOf(table, { rows: Int32Array.of(0, 1, 2), site: 'main', day: '2026-01-05' });
        expect(() => table.rowOf(1, 2, 0)).toThrow(TypeError);
    });

    test('a total that leaves its column is told at once, by its pair and day', () => {
        const flow = { site: 'main', src: '10.0.0.1', dst: '10.0.0.2', durationUs: 2n ** 63n - 1n, packets: 1n };
        const twice = tableOf([flow, { ...flow, durationUs: 5n }, flow]);
        for (const rows of [Int32Array.of(0), Int32Array.of(0, 1)]) {
            expect(() => pairRowsOf(twice, { rows, site: 'main', day: '2026-01-05' })).toThrow(
                'flow_duration_us_sum of 10.0.0.1 to 10.0.0.2 at site main on 2026-01-05 would be 18446744073709551614',
            );
        }
        // Of a day that is written in two ways each half fits, and both together do not.
        const halves = tableOf([flow, { ...flow, durationUs: 7n }]);
        expect(() => pairRowsOf(halves, { rows: Int32Array.of(0, 1), site: 'main', day: '2026-01-05' })).toThrow(
            'flow_duration_us_sum of 10.0.0.1 to 10.0.0.2 at site main on 2026-01-05 would be 9223372036854775814',
        );
    });
});

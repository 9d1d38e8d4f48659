/** Totals are exact whatever the values, against plain bigint sums. */
import fc from 'fast-check';
import { DURATION, MAX_FAST_VALUE, PACKETS, PairTable, UNTIMED } from '#lake/flows/pair-table';

const LIMIT = 2n ** 63n - 1n;
const values = fc.oneof(
    fc.bigInt({ min: 0n, max: 100n }),
    fc.bigInt({ min: 0n, max: LIMIT }),
    fc.integer({ min: 0, max: 62 }).map((bits) => 2n ** BigInt(bits)),
    fc.integer({ min: 1, max: 63 }).map((bits) => 2n ** BigInt(bits) - 1n),
);

test('sums, squares, smallest and largest of any values are exact', () => {
    fc.assert(
        fc.property(fc.array(fc.tuple(fc.option(values, { freq: 4 }), values), { minLength: 1, maxLength: 60 }), (flows) => {
            const table = new PairTable();
            const row = table.rowOf(1, 2, 0);
            for (const [duration, packets] of flows) {
                if ((duration ?? 0n) < BigInt(MAX_FAST_VALUE) && packets < BigInt(MAX_FAST_VALUE)) {
                    table.addFlow(row, duration === null ? UNTIMED : Number(duration), Number(packets));
                } else {
                    table.addLargeFlow(row, duration, packets);
                }
            }
            expect(table.flowsOf(row)).toBe(flows.length);
            const durations = flows.map(([duration]) => duration).filter((duration) => duration !== null);
            expect(table.timedFlowsOf(row)).toBe(durations.length);
            expect(table.totalsOf(row, DURATION)).toEqual(plainTotals(durations));
            expect(table.totalsOf(row, PACKETS)).toEqual(plainTotals(flows.map(([, packets]) => packets)));
        }),
        { numRuns: 1_000 },
    );
});

test('the largest fast value a million times over is exact', () => {
    const table = new PairTable();
    const row = table.rowOf(1, 2, 0);
    const value = MAX_FAST_VALUE - 1;
    for (let flow = 0; flow < 1_000_000; flow += 1) {
        table.addFlow(row, value, 1);
    }
    const exact = BigInt(value);
    expect(table.totalsOf(row, DURATION)).toEqual({ sum: exact * 1_000_000n, sumSq: exact * exact * 1_000_000n, min: exact, max: exact });
});

test('flows without a duration are counted for each pair, however many pairs come behind the first of them', () => {
    const table = new PairTable();
    const first = table.rowOf(0, 1, 0);
    for (let flow = 0; flow < 2 ** 20 + 3; flow += 1) {
        table.addFlow(first, UNTIMED, 2);
    }
    for (let pair = 1; pair < 50_000; pair += 1) {
        const row = table.rowOf(pair, 1, 0);
        table.addFlow(row, 5, 1);
        for (let flow = 0; flow < pair % 4; flow += 1) {
            table.addFlow(row, UNTIMED, 1);
        }
    }
    expect([table.flowsOf(first), table.timedFlowsOf(first)]).toEqual([2 ** 20 + 3, 0]);
    expect(table.totalsOf(first, DURATION)).toEqual({ sum: 0n, sumSq: 0n, min: null, max: null });
    expect(table.totalsOf(first, PACKETS).sum).toBe(2n * (2n ** 20n + 3n));
    for (const pair of [1, 2, 3, 4, 2_047, 2_048, 49_999]) {
        const row = table.rowOf(pair, 1, 0);
        expect([table.flowsOf(row), table.timedFlowsOf(row)]).toEqual([1 + (pair % 4), 1]);
        expect(table.totalsOf(row, DURATION)).toEqual({ sum: 5n, sumSq: 25n, min: 5n, max: 5n });
    }
});

test('a hundred thousand pairs keep apart, addresses as written', () => {
    const table = new PairTable();
    for (let pair = 0; pair < 100_000; pair += 1) {
        const source = table.addressKey(`10.${pair >> 16}.${(pair >> 8) & 255}.${pair & 255}`);
        const destination = table.addressKey(pair % 3 === 0 ? `2001:db8::${pair.toString(16).slice(-4)}` : '203.0.113.255');
        const group = (source?.isText ? 1 : 0) | (destination?.isText ? 2 : 0);
        table.addFlow(table.rowOf(source?.key ?? 0, destination?.key ?? 0, group), pair, 1);
    }
    expect(table.rowCount).toBe(100_000);
    expect([table.sourceOf(70_000), table.destinationOf(70_000)]).toEqual(['10.1.17.112', '203.0.113.255']);
    expect([table.sourceOf(99_999), table.destinationOf(99_999)]).toEqual(['10.1.134.159', '2001:db8::869f']);
    expect(table.totalsOf(99_999, DURATION).sum).toBe(99_999n);
});

test('pairs are counted once whatever their days, and an IPv4 address is no other address, though both are kept as numbers', () => {
    const table = new PairTable();
    const [first, second] = [table.addressKey('::1'), table.addressKey('::2')];
    const [zero, one] = [table.addressKey('0.0.0.0'), table.addressKey('0.0.0.1')];
    expect([first?.key, second?.key]).toEqual([zero?.key, one?.key]);
    for (const day of [0, 1]) {
        table.addFlow(table.rowOf(0, 1, day << 2), 1, 1);
        table.addFlow(table.rowOf(0, 1, (day << 2) | 1), 1, 1);
        table.addFlow(table.rowOf(0, 1, (day << 2) | 2), 1, 1);
        table.addFlow(table.rowOf(0, 1, (day << 2) | 3), 1, 1);
    }
    expect([table.rowCount, table.countPairs()]).toEqual([8, 4]);
    expect([table.sourceOf(2), table.destinationOf(2)]).toEqual(['0.0.0.0', '::2']);
    // Many enough that some meet in the hash table.
    for (let key = 2; key < 25_000; key += 1) {
        for (const kinds of [0, 1, 2, 3]) {
            table.addFlow(table.rowOf(key, 1, kinds), 1, 1);
        }
    }
    expect(table.countPairs()).toBe(24_999 * 4);
});

test('what is no address has no key', () => {
    const table = new PairTable();
    expect(['1.2.3', '1.2.3.256', '01.2.3.4', '1::2::3', 'host', ''].map((text) => table.addressKey(text))).toEqual(
        Array(6).fill(undefined),
    );
});

function plainTotals(all: readonly bigint[]) {
    const ascending = all.toSorted((a, b) => (a < b ? -1 : 1));
    return {
        sum: all.reduce((sum, value) => sum + value, 0n),
        sumSq: all.reduce((sum, value) => sum + value * value, 0n),
        min: ascending[0] ?? null,
        max: ascending.at(-1) ?? null,
    };
}

/** Flows that are counted in batches add up like single ones, to the last digit. */
import { expect, test } from '@jest/globals';
import { BATCH_FLOWS, FlowBatch } from '#lake/flows/flow-batch';
import { DURATION, MAX_FAST_VALUE, PACKETS, PairTable, UNTIMED } from '#lake/flows/pair-table';

test('batches of any values and pairs add up exactly, while the table grows', () => {
    const table = new PairTable();
    const batch = new FlowBatch();
    const expected = new Map<string, { flows: number; timed: number; sum: bigint; sumSq: bigint }>();
    const next = random();
    for (let flow = 0; flow < 100_000; flow += 1) {
        const source = next() % 200;
        const destination = next() % 50;
        const isTimed = next() % 3 > 0;
        const duration = next() % MAX_FAST_VALUE;
        put(batch, { source, destination, duration: isTimed ? duration : UNTIMED, packets: flow });
        if (batch.count === BATCH_FLOWS || next() % 500 === 0) {
            table.addFlows(batch);
        }
        const { flows, timed, sum, sumSq } = expected.get(`${source} ${destination}`) ?? { flows: 0, timed: 0, sum: 0n, sumSq: 0n };
        const value = isTimed ? BigInt(duration) : 0n;
        const after = { flows: flows + 1, timed: timed + (isTimed ? 1 : 0), sum: sum + value, sumSq: sumSq + value * value };
        expected.set(`${source} ${destination}`, after);
    }
    table.addFlows(batch);
    const found = [...expected.keys()].map((key) => {
        const [source = 0, destination = 0] = key.split(' ').map(Number);
        const row = table.rowOf(source, destination, 0);
        const { sum, sumSq } = table.totalsOf(row, DURATION);
        return [key, { flows: table.flowsOf(row), timed: table.timedFlowsOf(row), sum, sumSq }] as const;
    });
    expect(table.rowCount).toBe(expected.size);
    expect(new Map(found)).toEqual(expected);
});

test('one pair with millions of very large values is exact', () => {
    const table = new PairTable();
    const batch = new FlowBatch();
    const flows = 2 ** 21 + 7;
    // Odd, and the upper halves of their squares too: past 2^53 a double would lose them.
    const duration = MAX_FAST_VALUE - 2;
    const packets = 4_294_900_003;
    for (let place = 0; place < BATCH_FLOWS; place += 1) {
        put(batch, { source: 1, destination: 2, duration, packets });
    }
    for (let flow = 0; flow < flows; flow += BATCH_FLOWS) {
        batch.count = Math.min(BATCH_FLOWS, flows - flow);
        table.addFlows(batch);
    }
    expect(table.flowsOf(0)).toBe(flows);
    expect(table.totalsOf(0, DURATION)).toEqual(sumUp(BigInt(duration), BigInt(flows)));
    expect(table.totalsOf(0, PACKETS)).toEqual(sumUp(BigInt(packets), BigInt(flows)));
});

test('squares next to powers of two are exact', () => {
    for (let bits = 1; bits < 64; bits += 1) {
        for (const step of [-1, 0, 1]) {
            const value = Math.min(Math.ceil(Math.sqrt(2 ** bits)) + step, MAX_FAST_VALUE - 1);
            const table = new PairTable();
            table.addFlow(table.rowOf(1, 2, 0), value, value);
            expect(table.totalsOf(0, DURATION)).toEqual(sumUp(BigInt(value), 1n));
        }
    }
});

test('a pair of several days is one pair', () => {
    const table = new PairTable();
    for (let flow = 0; flow < 10_000; flow += 1) {
        table.addFlow(table.rowOf(flow % 700, 1, (flow % 13) << 2), 1, 1);
    }
    // These numbers, as places of texts, are other addresses.
    table.addFlow(table.rowOf(5, 1, 1), 1, 1);
    expect(table.rowCount).toBe(9_101);
    expect(table.countPairs()).toBe(701);
});

function put(batch: FlowBatch, flow: { source: number; destination: number; duration: number; packets: number }): void {
    batch.sources[batch.count] = flow.source;
    batch.destinations[batch.count] = flow.destination;
    batch.groups[batch.count] = 0;
    batch.durations[batch.count] = flow.duration;
    batch.packets[batch.count] = flow.packets;
    batch.count += 1;
}

function sumUp(value: bigint, flows: bigint) {
    return { sum: value * flows, sumSq: value * value * flows, min: value, max: value };
}

/** Whole numbers below 2^32 without pattern, the same ones each time (xorshift32). */
function random(): () => number {
    let state = 2_463_534_242;
    return () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return state >>> 0;
    };
}

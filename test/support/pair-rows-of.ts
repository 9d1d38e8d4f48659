/** Rows of pairs for tests: made by plain grouping, and seen as text. */

import fc from 'fast-check';
import { emptyPairRows, type PairRows } from '#lake/flows/pair-rows';
import { type FlowMeasure, flowMeasures } from '#lake/flows/tables';
import { figuresOf } from '#test/support/small-files';

export interface MeasuredFlow {
    site: string;
    src: string;
    dst: string;
    /** Null where the flow has no duration. */
    durationUs: bigint | null;
    packets: bigint;
}

/** What a flow adds to each measure. */
const VALUE_OF: Readonly<Record<FlowMeasure, (flow: MeasuredFlow) => bigint | null>> = {
    flow_duration_us: ({ durationUs }) => durationUs,
    fwd_pkts: ({ packets }) => packets,
};

/** Small sets, so that pairs meet; addresses of both kinds, and sites that sort differently by their bytes and by UTF-16. */
export const measuredFlow: fc.Arbitrary<MeasuredFlow> = fc.record({
    site: fc.constantFrom('main', 'berlin', 'Zürich', '\u{ff5e}', '\u{1f6b0}'),
    src: fc.constantFrom('10.0.0.1', '10.0.0.10', '10.0.0.2', 'fe80::1', '2001:db8::7'),
    dst: fc.constantFrom('10.0.0.1', '192.168.1.7', 'fe80::1%eth0'),
    durationUs: fc.option(fc.bigInt({ min: 0n, max: 2n ** 55n }), { freq: 3 }),
    packets: fc.oneof(fc.bigInt({ min: 0n, max: 9n }), fc.bigInt({ min: 0n, max: 2n ** 55n })),
});

/** The rows of these flows, in the order of their keys. */
export function pairRowsOfFlows(flows: readonly MeasuredFlow[]): PairRows {
    const byKey = new Map<string, MeasuredFlow[]>();
    for (const flow of flows) {
        const key = [flow.site, flow.src, flow.dst].join('\n');
        byKey.set(key, [...(byKey.get(key) ?? []), flow]);
    }
    const groups = [...byKey].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const rows = emptyPairRows(groups.length);
    groups.forEach(([key, list], at) => {
        const [site = '', src = '', dst = ''] = key.split('\n');
        rows.site.push(site);
        rows.src_ip.push(src);
        rows.dst_ip.push(dst);
        rows.flows[at] = BigInt(list.length);
        rows.timed_flows[at] = BigInt(list.filter(({ durationUs }) => durationUs !== null).length);
        for (const name of flowMeasures) {
            const values = list.map(VALUE_OF[name]).filter((value) => value !== null);
            const ascending = BigInt64Array.from(values).sort();
            const columns = rows as unknown as Record<string, (bigint | null)[]>;
            rows[`${name}_sum`][at] = values.reduce((sum, value) => sum + value, 0n);
            rows[`${name}_sum_sq`].push(values.reduce((sum, value) => sum + value * value, 0n));
            columns[`${name}_min`]![at] = ascending[0] ?? null;
            columns[`${name}_max`]![at] = ascending.at(-1) ?? null;
        }
    });
    return rows;
}

/** The rows as texts, one for each, in their order. */
export function textOfRows(rows: PairRows): string[] {
    return figuresOf(rows, 'day').map((row) => row.join(': '));
}

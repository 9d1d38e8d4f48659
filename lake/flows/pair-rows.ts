/** Rows of table `flow_summaries` for one day of a file of flows: made by hand, for a file may have millions of pairs. */
import { compareTexts, emptyRows, limitOf, mergeRows, overflowError, type Rows } from '#lake/rows';
import type { MergedColumn } from '#lake/tables';
import { DURATION, type Measure, PACKETS, type PairTable } from './pair-table.ts';
import { type FlowMeasure, flowMeasures, flowSummaries } from './tables.ts';

type Texts = 'site' | 'src_ip' | 'dst_ip';

/** Rows of table `flow_summaries`, with the types that its columns have. */
export type PairRows = Record<Texts, string[]> &
    Record<'flows' | 'timed_flows' | `${FlowMeasure}_sum` | `fwd_pkts_${'min' | 'max'}`, BigInt64Array> &
    Record<`flow_duration_us_${'min' | 'max'}`, (bigint | null)[]> &
    Record<`${FlowMeasure}_sum_sq`, bigint[]>;

/** No rows, or room for `count` rows that the caller fills. */
export function emptyPairRows(count = 0): PairRows {
    return emptyRows(flowSummaries, count) as PairRows;
}

/** The pair table's name of each measure. */
const IN_TABLE: Readonly<Record<FlowMeasure, Measure>> = { flow_duration_us: DURATION, fwd_pkts: PACKETS };

function columnNamed(name: string): MergedColumn {
    const column = flowSummaries.columns.find((one) => one.name === name);
    if (!column) {
        throw new TypeError(`flow_summaries has no column ${name}`);
    }
    return column;
}

/** Rows of one day of a file that was read. @throws OverflowError where a total leaves its column; it names the pair and the day */
export function pairRowsOf(table: PairTable, { rows, site, day }: { rows: readonly number[]; site: string; day: string }): Rows {
    const keyed = rows.map((row) => ({ row, source: table.sourceOf(row), destination: table.destinationOf(row) }));
    keyed.sort((a, b) => compareTexts(a.source, b.source) || compareTexts(a.destination, b.destination));
    const columns = emptyPairRows(rows.length);
    keyed.forEach(({ row, source, destination }, at) => {
        columns.site.push(site);
        columns.src_ip.push(source);
        columns.dst_ip.push(destination);
        columns.flows[at] = BigInt(table.flowsOf(row));
        columns.timed_flows[at] = BigInt(table.timedFlowsOf(row));
    });
    const checked = (value: bigint, column: MergedColumn, at: number): bigint => {
        if (value > limitOf(column)) {
            throw overflowError(value, column, { rows: columns, at, table: flowSummaries, period: day });
        }
        return value;
    };
    for (const name of flowMeasures) {
        const sumColumn = columnNamed(`${name}_sum`);
        const squaresColumn = columnNamed(`${name}_sum_sq`);
        keyed.forEach(({ row }, at) => {
            const { sum, sumSq, min, max } = table.totalsOf(row, IN_TABLE[name]);
            columns[`${name}_sum`][at] = checked(sum, sumColumn, at);
            columns[`${name}_sum_sq`].push(checked(sumSq, squaresColumn, at));
            setBound(columns[`${name}_min`], at, min);
            setBound(columns[`${name}_max`], at, max);
        });
    }
    // A day that the file writes in two ways (7/3/2017 and 07/03/2017) has its pairs twice.
    return keyed.some(({ source, destination }, at) => source === keyed[at - 1]?.source && destination === keyed[at - 1]?.destination)
        ? mergeRows([columns], { table: flowSummaries, period: day })
        : columns;
}

function setBound(values: BigInt64Array | (bigint | null)[], at: number, bound: bigint | null): void {
    // Where the column holds no nulls every flow has the measure, and no row is without flows.
    values[at] = bound as bigint;
}

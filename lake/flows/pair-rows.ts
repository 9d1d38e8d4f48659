/** Rows of table `flow_summaries` for one day of a file of flows: made by hand, for a file may have millions of pairs. */
import { mergeTyped } from '#lake/merge-rows';
import { emptyRows, limitOf, overflowError } from '#lake/rows';
import type { MergedColumn } from '#lake/tables';
import { emptyNumbers, type NumberColumn, numbersOf, setBigint, type TypedRows } from '#lake/typed-rows';
import { orderPairs } from './pair-order.ts';
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
export function pairRowsOf(table: PairTable, { rows, site, day }: { rows: readonly number[]; site: string; day: string }): TypedRows {
    const { rows: ordered, texts, sources, destinations } = orderPairs(table, rows);
    const count = ordered.length;
    const numbers = Object.fromEntries(
        flowSummaries.columns.flatMap((column) => (column.merge === 'key' ? [] : [[column.name, emptyNumbers(column, count)]])),
    );
    const typed: TypedRows = {
        count,
        texts: {
            site: { texts: [site], places: new Int32Array(count) },
            src_ip: { texts, places: sources },
            dst_ip: { texts, places: destinations },
        },
        numbers,
    };
    const flows = numbersOf(typed, 'flows').words;
    const timedFlows = numbersOf(typed, 'timed_flows').words;
    for (let at = 0; at < count; at += 1) {
        const row = ordered[at] as number;
        setDouble(flows, at * 2, table.flowsOf(row));
        setDouble(timedFlows, at * 2, table.timedFlowsOf(row));
    }
    for (const name of flowMeasures) {
        fillMeasure(table, typed, { name, ordered, place: { site, day } });
    }
    // A day that the file writes in two ways (7/3/2017 and 07/03/2017) has its pairs twice.
    return sources.some((source, at) => at > 0 && source === sources[at - 1] && destinations[at] === destinations[at - 1])
        ? mergeTyped([typed], { table: flowSummaries, period: day })
        : typed;
}

interface MeasureToFill {
    name: FlowMeasure;
    ordered: Int32Array;
    place: { site: string; day: string };
}

/** Fills the four columns of a measure: a row's totals are words already, but for what does not fit the table's rows. */
function fillMeasure(table: PairTable, typed: TypedRows, { name, ordered, place }: MeasureToFill): void {
    const measure = IN_TABLE[name];
    const sums = numbersOf(typed, `${name}_sum`).words;
    const squares = numbersOf(typed, `${name}_sum_sq`).words;
    const [least, most] = [numbersOf(typed, `${name}_min`), numbersOf(typed, `${name}_max`)];
    for (let at = 0; at < ordered.length; at += 1) {
        const row = ordered[at] as number;
        if (table.isLarge(row)) {
            const { sum, sumSq, min, max } = table.totalsOf(row, measure);
            const key = { site: place.site, src_ip: table.sourceOf(row), dst_ip: table.destinationOf(row) };
            const checked = (value: bigint, column: MergedColumn): bigint => {
                if (value > limitOf(column)) {
                    throw overflowError(value, column, { table: flowSummaries, period: place.day, key });
                }
                return value;
            };
            setBigint(sums, at * 2, 2, checked(sum, columnNamed(`${name}_sum`)));
            setBigint(squares, at * 4, 4, checked(sumSq, columnNamed(`${name}_sum_sq`)));
            setBound(least, at, min);
            setBound(most, at, max);
            continue;
        }
        table.copySums(row, measure, { sums, sumAt: at * 2, squares, squaresAt: at * 4 });
        const min = table.minOf(row, measure);
        if (min === undefined) {
            setBound(least, at, null);
            setBound(most, at, null);
        } else {
            least.words[at * 2] = min;
            most.words[at * 2] = table.maxOf(row, measure);
        }
    }
}

function setBound({ words, nulls }: NumberColumn, at: number, bound: bigint | null): void {
    if (bound !== null) {
        setBigint(words, at * 2, 2, bound);
    } else if (nulls) {
        nulls[at] = 1;
    } else {
        // Where the column holds no nulls every flow has the measure, and no row is without flows.
        throw new TypeError('a row of the pair table has no flow with the measure');
    }
}

/** Stores a whole number below 2^53 in two words. */
function setDouble(words: Int32Array, at: number, value: number): void {
    words[at] = value;
    words[at + 1] = value / 2 ** 32;
}

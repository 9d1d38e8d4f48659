/** Rows of table `flow_summaries` for one day of a file of flows: made by hand, for a file may have millions of pairs. */
import { mergeTyped } from '#lake/merge-rows';
import { emptyRows, limitOf, overflowError } from '#lake/rows';
import { columnNamed, figuresOf, type MergedColumn } from '#lake/tables';
import { toTextList } from '#lake/text-list';
import { emptyNumbers, type NumberColumn, setBigint, type TypedRows, toMemory } from '#lake/typed-rows';
import { orderPairs } from './pair-order.ts';
import { DURATION, type Measure, PACKETS, type PairTable, placeIn } from './pair-table.ts';
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

/**
 * Rows of one day of a file that was read: those of the table, ascending. Their numbers are made from the table whenever they are asked for, so that
 * there is no second copy of all.
 * The table's rows change places for it, among those that are given, and no flow can be added any more.
 * @throws OverflowError where a total leaves its column; it names the pair and the day
 */
export function pairRowsOf(table: PairTable, { rows, site, day }: { rows: Int32Array; site: string; day: string }): TypedRows {
    const { order, texts, sources, destinations } = orderPairs(table, rows);
    table.arrange(rows, order);
    const large = table.largeAmong(rows);
    checkTotals(
        table,
        large.map((at) => rows[at] as number),
        { site, day },
    );
    const columns = new Map<string, Asked>();
    for (const column of figuresOf(flowSummaries)) {
        columns.set(column.name, { column, room: emptyNumbers(column, 0), fill: fillerOf(column.name) });
    }
    const typed: TypedRows = {
        count: rows.length,
        texts: {
            site: { texts: toTextList([site]), places: new Int32Array(rows.length) },
            src_ip: { texts, places: sources },
            dst_ip: { texts, places: destinations },
        },
        numbers(name, from, until) {
            const asked = columns.get(name);
            if (!asked) {
                throw new TypeError(`flow_summaries has no numbers ${name}`);
            }
            if (asked.room.words.length < (until - from) * asked.room.width) {
                asked.room = emptyNumbers(asked.column, until - from);
            }
            asked.fill(table, { rows: rows.subarray(from, until), large: placesWithin(large, from, until) }, asked.room);
            return { ...asked.room, start: 0 };
        },
    };
    // A day that the file writes in two ways (7/3/2017 and 07/03/2017) has its pairs twice. They are added up now: a sum may be too large.
    if (sources.some((source, at) => at > 0 && source === sources[at - 1] && destinations[at] === destinations[at - 1])) {
        return toMemory(flowSummaries, mergeTyped([typed], { table: flowSummaries, period: day }));
    }
    // Totals of large rows are bigints, and making them anew each time they are asked for takes longer than all else.
    return large.length * MANY_LARGE > rows.length ? toMemory(flowSummaries, typed) : typed;
}

/** All numbers are made once and kept if more than one row of this many is large. */
const MANY_LARGE = 16;

/** A column, and room for the numbers that were asked for last. */
interface Asked {
    column: MergedColumn;
    room: NumberColumn;
    fill: Filler;
}

/** The figures of a measure, by the ends of their columns' names. */
const FIGURES = ['sum', 'sum_sq', 'min', 'max'] as const;

/** The pair table's name of each figure. */
const IN_TOTALS = { sum: 'sum', sum_sq: 'sumSq', min: 'min', max: 'max' } as const;

/** The places from `from` up to `until`, of a list that ascends, counted from there. */
function placesWithin(places: Int32Array, from: number, until: number): Int32Array {
    return places.subarray(placeIn(places, from), placeIn(places, until)).map((place) => place - from);
}

/** Only large totals can leave their columns: others are of less than 2^20 flows, with values below 2^32. */
function checkTotals(table: PairTable, rows: Int32Array, { site, day }: { site: string; day: string }): void {
    const measures = flowMeasures.map((name) => ({
        measure: IN_TABLE[name],
        limits: FIGURES.map((figure) => {
            const column = columnNamed(flowSummaries, `${name}_${figure}`);
            return { total: IN_TOTALS[figure], column, limit: limitOf(column) };
        }),
    }));
    for (const row of rows) {
        for (const { measure, limits } of measures) {
            const totals = table.totalsOf(row, measure);
            for (const { total, column, limit } of limits) {
                const value = totals[total];
                if (value !== null && value > limit) {
                    const key = { site, src_ip: table.sourceOf(row), dst_ip: table.destinationOf(row) };
                    throw overflowError(value, column, { table: flowSummaries, period: day, key });
                }
            }
        }
    }
}

/** Rows of the table, and the places among them of those whose totals are not all in its words. */
interface RowsToFill {
    rows: Int32Array;
    large: Int32Array;
}

/** Fills a column with the numbers of some rows of the table. */
type Filler = (table: PairTable, of: RowsToFill, into: NumberColumn) => void;

function fillerOf(column: string): Filler {
    if (column === 'flows' || column === 'timed_flows') {
        const isTimed = column === 'timed_flows';
        return (table, { rows, large }, { words }) => {
            table.copyFlows(rows, { isTimed, words });
            for (const at of large) {
                const row = rows[at] as number;
                setBigint(words, at * 2, 2, BigInt(isTimed ? table.timedFlowsOf(row) : table.flowsOf(row)));
            }
        };
    }
    for (const name of flowMeasures) {
        for (const figure of FIGURES) {
            if (column === `${name}_${figure}`) {
                return (table, of, into) => fillFigure(table, of, { name, figure, into });
            }
        }
    }
    throw new TypeError(`the pair table has nothing for column ${column}`);
}

interface FigureToFill {
    name: FlowMeasure;
    figure: (typeof FIGURES)[number];
    into: NumberColumn;
}

function fillFigure(table: PairTable, { rows, large }: RowsToFill, { name, figure, into }: FigureToFill): void {
    const measure = IN_TABLE[name];
    const { words, nulls, width } = into;
    nulls?.fill(0, 0, rows.length);
    if (figure === 'sum') {
        table.copySums(rows, measure, words);
    } else if (figure === 'sum_sq') {
        table.copySquares(rows, measure, words);
    } else {
        table.copyBounds(rows, measure, { isMax: figure === 'max', words, nulls });
    }
    for (const at of large) {
        const value = table.totalOf(rows[at] as number, measure, IN_TOTALS[figure]);
        setBigint(words, at * width, width, value ?? 0n);
        if (nulls) {
            nulls[at] = value === null ? 1 : 0;
        }
    }
}

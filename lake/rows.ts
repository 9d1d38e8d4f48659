/** Rows of `pair_days` and `flow_summaries` as columns, sorted by site, source and destination; and how two such lists merge. */
import { OverflowError } from '#lake/errors';
import { DURATION, PACKETS, type PairTable } from '#lake/flows/pair-table';

/** The largest decimal(38,0). */
const MAX_DECIMAL = 10n ** 38n - 1n;
const MAX_BIGINT = 2n ** 63n - 1n;

const TEXT_COLUMNS = ['site', 'src_ip', 'dst_ip'] as const;
const BIGINT_COLUMNS = [
    'flows',
    'flow_duration_us_sum',
    'flow_duration_us_min',
    'flow_duration_us_max',
    'fwd_pkts_sum',
    'fwd_pkts_min',
    'fwd_pkts_max',
] as const;
const DECIMAL_COLUMNS = ['flow_duration_us_sum_sq', 'fwd_pkts_sum_sq'] as const;

type TextColumn = (typeof TEXT_COLUMNS)[number];
type BigintColumn = (typeof BIGINT_COLUMNS)[number];
type DecimalColumn = (typeof DECIMAL_COLUMNS)[number];

/** One array per column, all of one length; every key (site, src_ip, dst_ip) once, ascending by its bytes. */
export type PairRows = Record<TextColumn, string[]> & Record<BigintColumn, BigInt64Array> & Record<DecimalColumn, bigint[]>;

/** No rows, or room for `count` rows that the caller fills. */
export function emptyPairRows(count = 0): PairRows {
    const numbers = (): BigInt64Array => new BigInt64Array(count);
    return {
        site: [],
        src_ip: [],
        dst_ip: [],
        flows: numbers(),
        flow_duration_us_sum: numbers(),
        flow_duration_us_sum_sq: [],
        flow_duration_us_min: numbers(),
        flow_duration_us_max: numbers(),
        fwd_pkts_sum: numbers(),
        fwd_pkts_sum_sq: [],
        fwd_pkts_min: numbers(),
        fwd_pkts_max: numbers(),
    };
}

/** One day of a file that was read. @throws OverflowError where a total leaves its column; it names the pair and the day. */
export function pairRowsOf(table: PairTable, { rows, site, day }: { rows: readonly number[]; site: string; day: string }): PairRows {
    const keyed = rows.map((row) => ({ row, source: table.sourceOf(row), destination: table.destinationOf(row) }));
    keyed.sort((a, b) => compare(a.source, b.source) || compare(a.destination, b.destination));
    const columns = emptyPairRows(rows.length);
    keyed.forEach(({ row, source, destination }, at) => {
        columns.site.push(site);
        columns.src_ip.push(source);
        columns.dst_ip.push(destination);
        columns.flows[at] = BigInt(table.flowsOf(row));
        const duration = table.totalsOf(row, DURATION);
        columns.flow_duration_us_sum[at] = checked(duration.sum, MAX_BIGINT, { columns, at, column: 'flow_duration_us_sum', day });
        columns.flow_duration_us_sum_sq.push(checked(duration.sumSq, MAX_DECIMAL, { columns, at, column: 'flow_duration_us_sum_sq', day }));
        columns.flow_duration_us_min[at] = duration.min;
        columns.flow_duration_us_max[at] = duration.max;
        const packets = table.totalsOf(row, PACKETS);
        columns.fwd_pkts_sum[at] = checked(packets.sum, MAX_BIGINT, { columns, at, column: 'fwd_pkts_sum', day });
        columns.fwd_pkts_sum_sq.push(checked(packets.sumSq, MAX_DECIMAL, { columns, at, column: 'fwd_pkts_sum_sq', day }));
        columns.fwd_pkts_min[at] = packets.min;
        columns.fwd_pkts_max[at] = packets.max;
    });
    // A day that the file writes in two ways (7/3/2017 and 07/03/2017) has its pairs twice.
    return keyed.some(({ source, destination }, at) => source === keyed[at - 1]?.source && destination === keyed[at - 1]?.destination)
        ? mergePairRows([columns, emptyPairRows()], { day })
        : columns;
}

/** All rows of the day's lists together, one per key, every total exact. @throws OverflowError where one leaves its column; it names the pair and the day. */
export function mergePairRows(lists: readonly PairRows[], { day }: { day: string }): PairRows {
    if (lists.length > 2) {
        const half = Math.ceil(lists.length / 2);
        return mergePairRows([mergePairRows(lists.slice(0, half), { day }), mergePairRows(lists.slice(half), { day })], { day });
    }
    const [left = emptyPairRows(), right = emptyPairRows()] = lists;
    const merged = emptyPairRows(left.site.length + right.site.length);
    let leftAt = 0;
    let rightAt = 0;
    while (leftAt < left.site.length || rightAt < right.site.length) {
        if (rightAt >= right.site.length || (leftAt < left.site.length && compareKeys(left, leftAt, right, rightAt) <= 0)) {
            append(merged, { from: left, at: leftAt, day });
            leftAt += 1;
        } else {
            append(merged, { from: right, at: rightAt, day });
            rightAt += 1;
        }
    }
    for (const column of BIGINT_COLUMNS) {
        merged[column] = merged[column].subarray(0, merged.site.length);
    }
    return merged;
}

interface Addend {
    from: PairRows;
    at: number;
    day: string;
}

interface Cell {
    columns: PairRows;
    at: number;
    column: string;
    day: string;
}

/** Puts a row behind the merged ones, or into the last one where that has the same key. */
function append(merged: PairRows, { from, at, day }: Addend): void {
    const last = merged.site.length - 1;
    if (last >= 0 && compareKeys(merged, last, from, at) === 0) {
        add(merged, last, { from, at, day });
        return;
    }
    for (const column of TEXT_COLUMNS) {
        merged[column].push(from[column][at] as string);
    }
    for (const column of BIGINT_COLUMNS) {
        merged[column][last + 1] = from[column][at] as bigint;
    }
    for (const column of DECIMAL_COLUMNS) {
        merged[column].push(from[column][at] as bigint);
    }
}

function add(merged: PairRows, into: number, { from, at, day }: Addend): void {
    for (const column of ['flows', 'flow_duration_us_sum', 'fwd_pkts_sum'] as const) {
        const sum = (merged[column][into] as bigint) + (from[column][at] as bigint);
        merged[column][into] = checked(sum, MAX_BIGINT, { columns: merged, at: into, column, day });
    }
    for (const column of DECIMAL_COLUMNS) {
        const sum = (merged[column][into] as bigint) + (from[column][at] as bigint);
        merged[column][into] = checked(sum, MAX_DECIMAL, { columns: merged, at: into, column, day });
    }
    for (const column of ['flow_duration_us_min', 'fwd_pkts_min'] as const) {
        const value = from[column][at] as bigint;
        merged[column][into] = value < (merged[column][into] as bigint) ? value : (merged[column][into] as bigint);
    }
    for (const column of ['flow_duration_us_max', 'fwd_pkts_max'] as const) {
        const value = from[column][at] as bigint;
        merged[column][into] = value > (merged[column][into] as bigint) ? value : (merged[column][into] as bigint);
    }
}

function checked(value: bigint, limit: bigint, { columns, at, column, day }: Cell): bigint {
    if (value > limit) {
        const pair = `${columns.src_ip[at]} to ${columns.dst_ip[at]} at site ${columns.site[at]} on ${day}`;
        throw new OverflowError(`${column} of ${pair} would be ${value}, above the largest value of its column, ${limit}`);
    }
    return value;
}

function compareKeys(a: PairRows, atA: number, b: PairRows, atB: number): number {
    return (
        compareSites(a.site[atA] as string, b.site[atB] as string) ||
        compare(a.src_ip[atA] as string, b.src_ip[atB] as string) ||
        compare(a.dst_ip[atA] as string, b.dst_ip[atB] as string)
    );
}

/** Where the order of UTF-16, which JavaScript compares by, is not that of UTF-8, by which every Parquet reader and Spark sort. */
const BEYOND_COMMON_ORDER = /[\ud800-\uffff]/;

/** By the bytes; a site is a folder's name and may have any characters, an address has ASCII. */
function compareSites(a: string, b: string): number {
    if (a === b) {
        return 0;
    }
    const isCommon = !BEYOND_COMMON_ORDER.test(a) || !BEYOND_COMMON_ORDER.test(b);
    return isCommon ? compare(a, b) : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compare(a: string, b: string): number {
    return a === b ? 0 : a < b ? -1 : 1;
}

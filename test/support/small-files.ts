/** Small files of flows whose figures are known by simple counting, apart from all code of the lake. */

import type { PairRows } from '#lake/flows/pair-rows';
import type { ReadingOptions } from '#lake/kind';
import type { ObjectStore } from '#lake/store/object-store';
import { PAIR_DAYS_PREFIX, readPairRows } from '#test/support/flow-tables';

export interface SmallFlow {
    src: string;
    dst: string;
    /** Date as written: `aa/bb/yyyy`, either number a day or a month. */
    date: string;
    /** Null where the row has no duration. */
    durationUs: number | null;
    packets: number;
}

export interface SmallFile {
    text: string;
    flows: readonly SmallFlow[];
    /** Count of rows that cannot be used. */
    rejects: number;
    /** True if it is a file of flows at all. */
    isUsable: boolean;
}

/** Figures of a lake: for each `day site src dst` its flows, those with a duration, and sum, sum of squares, smallest and largest of both measures. */
export type Figures = Map<string, string>;

const HEADER = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts';

export function smallFile(flows: readonly SmallFlow[], { rejects = 0 }: { rejects?: number } = {}): SmallFile {
    const rows = flows.map(({ src, dst, date, durationUs, packets }) =>
        [src, dst, `${date} 12:00:00`, durationUs ?? '', packets].join(','),
    );
    const bad = Array.from({ length: rejects }, (_, at) => `10.0.0.1,10.0.0.2,${flows[0]?.date ?? '01/01/2026'},NaN,${at}`);
    return { text: `${[HEADER, ...rows, ...bad].join('\n')}\n`, flows, rejects, isUsable: true };
}

export function unusableFile(text: string): SmallFile {
    return { text, flows: [], rejects: 0, isUsable: false };
}

/** The day of a flow; without an order the day comes first. */
export function dayOfFlow({ date }: SmallFlow, { dateOrder = 'dmy' }: ReadingOptions): string {
    const [a, b, year] = date.split('/');
    return dateOrder === 'mdy' ? `${year}-${a}-${b}` : `${year}-${b}-${a}`;
}

/** What files come to together. */
export function countUp(files: Iterable<{ file: SmallFile; site: string; options: ReadingOptions }>): Figures {
    const flows = new Map<string, SmallFlow[]>();
    for (const { file, site, options } of files) {
        for (const flow of file.flows) {
            const key = [dayOfFlow(flow, options), site, flow.src, flow.dst].join(' ');
            flows.set(key, [...(flows.get(key) ?? []), flow]);
        }
    }
    return sorted(
        [...flows].map(([key, list]) => {
            const durations = list.flatMap(({ durationUs }) => durationUs ?? []);
            const packets = list.map((flow) => flow.packets);
            return [key, [list.length, durations.length, ...statistics(durations), ...statistics(packets)].join(' ')];
        }),
    );
}

/** The figures of a pair's day, in the order in which a value of `Figures` has them. */
export const FIGURE_COLUMNS = [
    'flows',
    'timed_flows',
    'flow_duration_us_sum',
    'flow_duration_us_sum_sq',
    'flow_duration_us_min',
    'flow_duration_us_max',
    'fwd_pkts_sum',
    'fwd_pkts_sum_sq',
    'fwd_pkts_min',
    'fwd_pkts_max',
] as const;

/** What `pair_days` of the lake says. */
export async function readFigures(store: ObjectStore): Promise<Figures> {
    const figures: [string, string][] = [];
    for await (const { key } of store.list(PAIR_DAYS_PREFIX)) {
        const object = await store.get(key);
        if (object) {
            figures.push(...figuresOf(await readPairRows(object.bytes), key.slice(PAIR_DAYS_PREFIX.length + 'day='.length).slice(0, 10)));
        }
    }
    return sorted(figures);
}

export function figuresOf(rows: PairRows, day: string): [string, string][] {
    return rows.site.map((site, at) => [
        [day, site, rows.src_ip[at], rows.dst_ip[at]].join(' '),
        FIGURE_COLUMNS.map((column) => rows[column][at]).join(' '),
    ]);
}

function statistics(values: readonly number[]): (number | null)[] {
    const sum = values.reduce((a, b) => a + b, 0);
    const bounds = values.length === 0 ? [null, null] : [Math.min(...values), Math.max(...values)];
    return [sum, values.reduce((a, b) => a + b * b, 0), ...bounds];
}

function sorted(figures: Iterable<[string, string]>): Figures {
    return new Map([...figures].sort(([a], [b]) => (a < b ? -1 : 1)));
}

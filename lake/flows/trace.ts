/** Finds the very rows of a raw object that one pair's day is made of, by the reader that summarized it. */
import type { SourceBytes, Traced } from '#lake/kind';
import type { WatchedRow } from './flow-sink.ts';
import { toFlowOptions } from './read.ts';
import { readFlows } from './read-flows.ts';
import type { FlowMeasure } from './tables.ts';

/** Tells of each row of the pair on the day. @returns why the source cannot be read, else undefined */
export async function traceRows(
    source: SourceBytes,
    { key: [src = '', dst = ''], period, options, found, onRow }: Traced,
): Promise<string | undefined> {
    const isMonthFirst = found.date_order === 'mdy';
    const onWatched = ({ date, lineNumber, durationUs, packets, line }: WatchedRow): void => {
        if ((isMonthFirst ? date.mdy : date.dmy) === period) {
            const values: Record<FlowMeasure, bigint | null> = { flow_duration_us: durationUs, fwd_pkts: packets };
            onRow({ lineNumber, values, line });
        }
    };
    const result = await readFlows(() => source.open(), {
        ...toFlowOptions(options),
        watch: { src, dst, onRow: onWatched },
        ranges: source,
        signal: source.signal,
    });
    return 'error' in result ? result.error : undefined;
}

/** A series of a device as a chart draws it: its gaps are gaps. */
import type { DeviceSeries } from '../../../lake/pages/device-series.ts';

export interface Drawn {
    times: number[];
    /** Means of hours and steps, values of readings. */
    values: (number | null)[];
    texts: (string | null)[];
    /** Smallest and largest value; undefined for single readings. */
    low: (number | null)[] | undefined;
    high: (number | null)[] | undefined;
}

/** The points, and a null in the middle of each gap and at both ends of the range, so that charts of one range lie below one another. */
export function drawnOf(series: DeviceSeries, { fromMs, untilMs }: { fromMs: number; untilMs: number }): Drawn {
    const isBand = series.grain !== 'reading';
    const drawn: Drawn = { times: [], values: [], texts: [], low: isBand ? [] : undefined, high: isBand ? [] : undefined };
    const add = (atMs: number, value: number | null, text: string | null, low: number | null, high: number | null) => {
        drawn.times.push(atMs);
        drawn.values.push(value);
        drawn.texts.push(text);
        drawn.low?.push(low);
        drawn.high?.push(high);
    };
    const gap = (atMs: number) => add(atMs, null, null, null, null);
    const count = series.atMs.length;
    let endMs = fromMs;
    gap(fromMs);
    for (let at = 0; at < count; at++) {
        const atMs = series.atMs[at] ?? 0;
        if (drawn.times.length > 1 && isGap(series, at, endMs) && atMs - (drawn.times.at(-1) ?? 0) > 1) {
            gap(Math.floor(((drawn.times.at(-1) ?? 0) + atMs) / 2));
        }
        if (drawn.times.at(-1) === atMs) {
            drawn.times.pop();
            for (const column of [drawn.values, drawn.texts, drawn.low, drawn.high]) {
                column?.pop();
            }
        }
        if (series.grain === 'reading') {
            const text = series.value[at] ?? null;
            add(atMs, numberOf(text), text, null, null);
            endMs = atMs;
        } else {
            add(atMs, series.mean[at] ?? null, null, numberOf(series.min[at]), numberOf(series.max[at]));
            endMs = series.lastMs[at] ?? atMs + (series.stepMs ?? 0);
        }
    }
    if ((drawn.times.at(-1) ?? 0) < untilMs) {
        gap(untilMs);
    }
    return drawn;
}

/** True if nothing was measured for longer than the profile's limit before this point, or for more than a whole step. */
function isGap(series: DeviceSeries, at: number, endMs: number): boolean {
    const beginMs = (series.grain === 'reading' ? series.atMs[at] : (series.firstMs[at] ?? series.atMs[at])) ?? 0;
    const [before = 0, atMs = 0] = [series.atMs[at - 1], series.atMs[at]];
    return beginMs - endMs > (series.gapLimitMs ?? Number.POSITIVE_INFINITY) || (series.grain === 'hour' && atMs - before > series.stepMs);
}

function numberOf(text: string | null | undefined): number | null {
    return text === null || text === undefined ? null : Number(text);
}

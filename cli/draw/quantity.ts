/** Times, counts and rates as people say them; for talk on stderr, never for data. */

import { SCALES } from '#lake/say-size';

/** A time: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function sayDuration(ms: number): string {
    const seconds = Math.round(ms / 1000);
    if (ms < 9_950) {
        return `${(ms / 1000).toFixed(1)} s`;
    }
    if (seconds < 60) {
        return `${seconds} s`;
    }
    const minutes = Math.floor(seconds / 60);
    return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A count and its noun: `1 file`, `2 files`; whole numbers digit by digit. */
export function sayCount(count: number | bigint, one: string, many = `${one}s`): string {
    return `${count} ${count === 1 || count === 1n ? one : many}`;
}

/** A count of periods: `3 days`, or `3 periods` where some of them are no days. `total` is given where these are some of more. */
export function countPeriods(periods: readonly { period: string }[], total = periods.length): string {
    return sayCount(total, periods.every(({ period }) => DAY.test(period)) ? 'day' : 'period');
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A number of an axis whose ticks are `step` apart: `2.5k`, `10.0k`. */
export function sayTick(value: number, step: number): string {
    const scale = SCALES.find(({ from }) => step >= from) ?? { suffix: '', from: 1 };
    const scaledStep = step / scale.from;
    const places = Math.max(0, Math.ceil(-Math.log10(scaledStep) - 1e-9), Number.isInteger(scaledStep) ? 0 : 1);
    return `${(value / scale.from).toFixed(places)}${value === 0 ? '' : scale.suffix}`;
}

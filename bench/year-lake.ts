/** A lake of many days of 20 thousand pairs, some of which surge. */
import { existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { emptyPairRows, type PairRows } from '#lake/flows/pair-rows';
import { flowMeasures, pairDays } from '#lake/flows/tables';
import { mergedKey } from '#lake/layout';
import { writeRows } from '#lake/parquet';

export const PAIRS = 20_000;

/** Different days that are made; later ones are links to them, and a year of days is 365 files all the same. */
const DIFFERENT_DAYS = 365;

/** One pair's day in so many is fifty times the usual. */
const SURGE_EVERY = 9973;

/** Makes the lake of this many days below the folder, unless it is there. @returns its directory */
export function makeDays(folder: string, days: number): string {
    const lake = join(folder, `days-${days}`);
    if (!existsSync(lake)) {
        for (let day = 0; day < days; day += 1) {
            const path = pathOfDay(lake, day);
            mkdirSync(dirname(path), { recursive: true });
            // Days of an earlier call serve this one too.
            const made = [lake, ...[91, 365].map((other) => join(folder, `days-${other}`))]
                .map((other) => pathOfDay(other, day % DIFFERENT_DAYS))
                .find((other) => existsSync(other));
            if (made === undefined) {
                writeFileSync(path, writeRows(pairDays, rowsOf(day)));
            } else {
                linkSync(made, path);
            }
        }
    }
    return lake;
}

function pathOfDay(lake: string, day: number): string {
    return join(lake, mergedKey(pairDays, new Date(Date.UTC(2021, 0, 1 + day)).toISOString().slice(0, 10)));
}

function rowsOf(day: number): PairRows {
    const rows = emptyPairRows(PAIRS);
    const keys = Array.from({ length: PAIRS }, (_, at) => [`10.0.${at >> 8}.${at & 255}`, `192.168.0.${at & 255}`] as const);
    keys.sort(([a], [b]) => (a < b ? -1 : 1));
    keys.forEach(([source, destination], at) => {
        rows.site.push('main');
        rows.src_ip.push(source);
        rows.dst_ip.push(destination);
        const flows = (at + day * PAIRS) % SURGE_EVERY === 0 ? 50n : 1n;
        rows.flows[at] = flows;
        rows.timed_flows[at] = flows;
        const durationUs = BigInt(1 + ((at * 7919 + day * 104_729) % 1_000_003));
        for (const measure of flowMeasures) {
            const value = (measure === 'flow_duration_us' ? durationUs : durationUs % 97n) * flows;
            rows[`${measure}_sum`][at] = value;
            rows[`${measure}_sum_sq`].push(value * value);
            rows[`${measure}_min`][at] = value;
            rows[`${measure}_max`][at] = value;
        }
    });
    return rows;
}

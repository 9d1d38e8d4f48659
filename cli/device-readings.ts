/** The readings of one device: what is asked, what the lake has, what is said where there are none, and what an export of them looks like. */

import { type CollectedRows, collectRows } from '#lake/collect-rows';
import type { Lake } from '#lake/lake';
import { EXPORTS_PREFIX } from '#lake/layout';
import { nearestOf } from '#lake/nearest';
import type { Value } from '#lake/query/query-engine';
import type { CountedQuestions } from '#lake/reports/ask-counted';
import { Failure } from './command.ts';
import type { FileFormat } from './pair-report.ts';

/** A device, and which of its readings. */
export interface ReadingsQuestion {
    device: string;
    metric: string | undefined;
    site: string | undefined;
    /** The first day, inclusive. */
    from: string | undefined;
    /** The last day, inclusive. */
    to: string | undefined;
}

/** The largest number that the engines take for a number of rows. */
const ALL_ROWS = 2n ** 63n - 1n;

/** All readings that are asked for, in the order of time. */
export async function fetchReadings(
    { ask }: Pick<CountedQuestions, 'ask'>,
    { device, metric, site, from, to }: ReadingsQuestion,
): Promise<CollectedRows> {
    return ask('readings', [device, metric ?? null, site ?? null, from ?? null, to ?? null, null, null, ALL_ROWS]);
}

/** The readings in steps of time. */
export async function fetchSteps(
    { ask }: Pick<CountedQuestions, 'ask'>,
    { device, metric, site, from, to }: ReadingsQuestion,
    { stepMs }: { stepMs: number },
): Promise<CollectedRows> {
    return ask('reading_steps', [BigInt(stepMs), device, metric ?? null, site ?? null, from ?? null, to ?? null, null, null]);
}

/** One metric of a device at one site. */
export interface Series {
    site: string;
    metric: string;
    firstMs: number;
    lastMs: number;
}

/** What the lake has of the device. */
export async function seriesOf(lake: Lake, device: string): Promise<Series[]> {
    const { rows } = await collectRows(await lake.ask('device_metrics', [device]));
    return rows.map(([site, metric, first, last]) => ({
        site: String(site),
        metric: String(metric),
        firstMs: Number(first),
        lastMs: Number(last),
    }));
}

/** The series that are asked for. */
export function askedOf(known: readonly Series[], { metric, site }: { metric: string | undefined; site: string | undefined }): Series[] {
    return known.filter((series) => series.metric === (metric ?? series.metric) && series.site === (site ?? series.site));
}

/** Says why there is nothing, where the device has other readings. @throws Failure where it has none that were asked for, naming what there is */
export async function explainNoReadings(
    lake: Lake,
    { device, metric, site }: Pick<ReadingsQuestion, 'device' | 'metric' | 'site'>,
): Promise<string> {
    const known = await seriesOf(lake, device);
    if (known.length === 0) {
        await assertThere(lake, device, { site });
        throw new Failure(`No readings of ${device}: it is registered, and nothing of it has come yet`);
    }
    const asked = askedOf(known, { metric, site });
    if (asked.length === 0) {
        const names = known.map((series) => `${series.metric} at ${series.site}`).join(', ');
        throw new Failure(`No such readings of ${device}; it has ${names}`);
    }
    const first = new Date(Math.min(...asked.map(({ firstMs }) => firstMs))).toISOString();
    const last = new Date(Math.max(...asked.map(({ lastMs }) => lastMs))).toISOString();
    return `No readings of ${device} in that time: it has some from ${first} to ${last}`;
}

/** Key of the export in the lake; equal questions have equal keys. */
export function readingsKey({ device, metric, site, from, to }: ReadingsQuestion, format: FileFormat): string {
    const days = from === undefined && to === undefined ? '' : `_${from ?? ''}_${to ?? ''}`;
    const name = [device, ...(metric === undefined ? [] : [metric])].map(encodeURIComponent).join('_');
    return `${EXPORTS_PREFIX}readings/${site === undefined ? 'all' : `site=${site}`}/${name}${days}.${format}`;
}

/** The rows with numbers as Parquet has them: a value in billionths, an instant in milliseconds. */
export function parquetColumns({ columns, rows }: CollectedRows): CollectedRows {
    const at = columns.findIndex(({ name }) => name === 'at_ms');
    const typed = columns.map((column) => ({
        ...column,
        type: column.name === 'measured_at' ? 'timestamp' : column.type.replaceAll(' ', ''),
    }));
    const read = typed.map(({ type, name }, index): ((row: readonly Value[]) => Value) => {
        if (name === 'measured_at') {
            return (row) => row[at] ?? null;
        }
        return type === 'decimal(28,9)' ? (row) => billionths(row[index] ?? null) : (row) => row[index] ?? null;
    });
    return {
        columns: typed,
        rows: rows.map((row) => read.map((value) => value(row))),
    };
}

/** `21.300000000` as 21300000000. */
function billionths(value: Value): Value {
    return value === null ? null : BigInt(String(value).replace('.', ''));
}

/** Lets a device and a site pass that the lake has: registered or heard. @throws Failure for others, naming the nearest */
export async function assertThere(lake: Lake, device: string | undefined, { site }: { site: string | undefined }): Promise<void> {
    if (device === undefined && site === undefined) {
        return;
    }
    const there = await devicesOf(lake);
    const sites = [...new Set(there.map((one) => one.site))];
    if (device === undefined && site !== undefined && !sites.includes(site)) {
        throw new Failure(`No device is at a site ${site}${sayNearest(nearestOf(site, sites))}`);
    }
    const known = there.filter((one) => one.device === (device ?? one.device));
    if (known.some((one) => one.site === (site ?? one.site))) {
        return;
    }
    const where = site === undefined ? '' : ` at site ${site}`;
    const hint =
        known.length > 0
            ? `: it is at ${known.map((one) => one.site).join(', ')}`
            : sayNearest(nearestOf(device ?? '', [...new Set(there.map((one) => one.device))]));
    throw new Failure(`No device ${device}${where}${hint}`);
}

function sayNearest(nearest: readonly string[]): string {
    return nearest.length === 0 ? ': the lake has no devices yet' : `. The nearest: ${nearest.join(', ')}; flowlake devices lists all`;
}

/** Every device that is registered or was heard. */
async function devicesOf(lake: Lake): Promise<{ site: string; device: string }[]> {
    const { rows } = await collectRows(await lake.ask('devices', [null, null, ALL_ROWS]));
    return rows.map(([site, device]) => ({ site: String(site), device: String(device) }));
}

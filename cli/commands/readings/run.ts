/** Shows what a device measured: its readings, steps of time, or a plot. */

import { Failure, type RunContext } from '#cli/command';
import { askedOf, explainNoReadings, seriesOf } from '#cli/device-readings';
import { forPeople } from '#cli/draw/for-people';
import { renderSeries, type SeriesPoint } from '#cli/draw/plot-series';
import { printRows } from '#cli/draw/print-rows';
import { useFigures } from '#cli/use-figures';
import { collectRows } from '#lake/collect-rows';
import { UsageError } from '#lake/errors';
import type { Lake } from '#lake/lake';
import type { QueryResult, Value } from '#lake/query/query-engine';
import { DEFAULT_LAST, STEPS } from '#lake/telemetry/steps';

export interface ReadingsOptions {
    metric: string | undefined;
    site: string | undefined;
    /** ISO 8601. */
    from: string | undefined;
    /** ISO 8601, exclusive. */
    to: string | undefined;
    /** A key of STEPS. */
    every: string | undefined;
    plot: boolean;
    last: number;
}

/** Prints the readings, oldest first. @throws Failure where the lake knows no such device or metric */
export async function showReadings(device: string, options: ReadingsOptions, context: RunContext): Promise<number> {
    if (options.plot && options.metric === undefined) {
        throw new UsageError('A plot is of one metric: add --metric NAME (flowlake readings DEVICE shows which there are)');
    }
    if (options.plot && context.isOutputGiven && context.output !== 'table') {
        throw new UsageError('A plot is for reading: leave out --plot, or --output');
    }
    if (options.last !== DEFAULT_LAST && (options.plot || options.every !== undefined)) {
        throw new UsageError(`--last is of single readings: leave it out, or ${options.plot ? '--plot' : '--every'}`);
    }
    return useFigures(context, async (lake) => {
        const ifNone = async () => context.stderr.write(`${await explainNoReadings(lake, { device, ...options })}\n`);
        await (options.plot ? plot : list)(lake, { device, options, context: { ...context, ifNone } });
        return 0;
    });
}

/** Points of a plot beside each other, at most: a column of the terminal has two dots, and the band shows what lies between. */
const POINTS_PER_COLUMN = 4;

interface Asked {
    device: string;
    options: ReadingsOptions;
}

/** A question, and what is to be done where nothing answers it. */
interface Shown extends Asked {
    context: RunContext & { ifNone: () => Promise<void> };
}

/** Prints rows. */
async function list(lake: Lake, { device, options, context }: Shown): Promise<void> {
    const { every, last } = options;
    const stepMs = every === undefined ? undefined : STEPS.get(every);
    const result =
        stepMs === undefined ? await askReadings(lake, { device, options, last }) : await askSteps(lake, { device, options, stepMs });
    const shown = context.output === 'table' ? forPeople(result, { without: ['at_ms', 'received_ms', 'message', 'copies'] }) : result;
    await printRows(shown, context);
}

/** Draws the metric. */
async function plot(lake: Lake, { device, options, context }: Shown): Promise<void> {
    const { stdout } = context;
    const { metric = '', every } = options;
    const range = await rangeOf(lake, { device, options });
    if (range === undefined) {
        return context.ifNone();
    }
    const fits = (ms: number): boolean => (range.toMs - range.fromMs) / ms <= stdout.columns * POINTS_PER_COLUMN;
    const [step, stepMs] =
        [...STEPS].find(([name, ms]) => (every === undefined ? fits(ms) : name === every)) ??
        [...STEPS].at(-1) ??
        (['1d', 86_400_000] as const);
    const { columns, rows } = await collectRows(await askSteps(lake, { device, options, stepMs }));
    const at = (name: string) => columns.findIndex((column) => column.name === name);
    const [site, from, mean, min, max] = [at('site'), at('from_ms'), at('mean'), at('min'), at('max')];
    const sites = new Map<string, SeriesPoint[]>();
    for (const row of rows.filter((found) => found[mean] !== null)) {
        const points = sites.get(String(row[site])) ?? [];
        points.push({ fromMs: Number(row[from]), mean: Number(row[mean]), min: Number(row[min]), max: Number(row[max]) });
        sites.set(String(row[site]), points);
    }
    for (const [name, points] of sites) {
        const title = `${metric} of ${device} at ${name}, a point every ${step}`;
        await stdout.write(renderSeries(points, { title, stepMs, columns: stdout.columns }));
    }
    if (rows.length > 0 && sites.size === 0) {
        throw new Failure(`${metric} of ${device} is a text: a plot needs numbers (leave out --plot to list it)`);
    }
    if (rows.length === 0) {
        await context.ifNone();
    }
}

function askReadings(lake: Lake, { device, options, last }: Asked & { last: number }): Promise<QueryResult> {
    return lake.ask('readings', [device, ...rangeParameters(options), BigInt(last)]);
}

function askSteps(lake: Lake, { device, options, stepMs }: Asked & { stepMs: number }): Promise<QueryResult> {
    return lake.ask('reading_steps', [BigInt(stepMs), device, ...rangeParameters(options)]);
}

/** Metric, site, days and times, as the queries take them. */
function rangeParameters({ metric, site, from, to }: ReadingsOptions): Value[] {
    const lastMs = to === undefined ? undefined : Date.parse(to) - 1;
    return [
        metric ?? null,
        site ?? null,
        from === undefined ? null : from.slice(0, 'yyyy-mm-dd'.length),
        lastMs === undefined ? null : new Date(lastMs).toISOString().slice(0, 'yyyy-mm-dd'.length),
        from === undefined ? null : BigInt(Date.parse(from)),
        to === undefined ? null : BigInt(Date.parse(to)),
    ];
}

/** The time that a plot spans: what was asked for, and else what there is. */
async function rangeOf(lake: Lake, { device, options }: Asked): Promise<{ fromMs: number; toMs: number } | undefined> {
    const known = askedOf(await seriesOf(lake, device), options);
    if (known.length === 0) {
        return undefined;
    }
    const firstMs = Math.min(...known.map((series) => series.firstMs));
    const lastMs = Math.max(...known.map((series) => series.lastMs));
    return {
        fromMs: Math.max(firstMs, options.from === undefined ? firstMs : Date.parse(options.from)),
        toMs: Math.min(lastMs, options.to === undefined ? lastMs : Date.parse(options.to)),
    };
}

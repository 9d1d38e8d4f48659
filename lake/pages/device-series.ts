/** What a device measured in a range of time: hours of long ranges, readings of short ones, and steps of time where readings are too many to be drawn. */
import { z } from '@hono/zod-openapi';
import { readQuery } from '#lake/query/sql-files';
import { STEPS } from '#lake/telemetry/steps';
import { namedRows, numberIn, plainDecimal, textIn } from './named-rows.ts';
import { definePage, type PageContext } from './page.ts';
import { daysOf, Instants } from './time-range.ts';

const HOUR_MS = 3_600_000;

/** Longer ranges are shown by the hour. */
const MAX_FINE_MS = 4 * 86_400_000;

/** Readings that are drawn one by one; more are drawn as steps of time, of which there are so many at most. */
const MAX_POINTS = 3000;

/** Two years of hours, and more. */
const MAX_HOURS = 20_000;

const Asked = z.strictObject({ id: z.string(), site: z.string(), metric: z.string(), ...Instants });

type Asked = z.output<typeof Asked>;

/** The answer of the page, as its reader gets it. */
export type DeviceSeries = Awaited<ReturnType<typeof answer>>;

export const deviceSeriesPage = definePage({
    name: 'device-series',
    parameters: Asked,
    reads: (asked) => [{ table: 'metric_hours', ...daysOf(asked) }, ...(isFine(asked) ? [{ table: 'readings', ...daysOf(asked) }] : [])],
    answer,
});

async function answer(asked: Asked, context: PageContext) {
    const hours = await askHours(asked, context);
    // The profile of the newest hour: a gap is what is longer.
    const gapLimitMs = hours.at(-1)?.gapLimitMs ?? null;
    if (!isFine(asked)) {
        return { grain: 'hour' as const, stepMs: HOUR_MS, gapLimitMs, ...inColumns(hours) };
    }
    const count = hours.reduce((sum, { n }) => sum + n, 0);
    if (count <= MAX_POINTS) {
        return { grain: 'reading' as const, stepMs: null, gapLimitMs, ...(await askReadings(asked, context)) };
    }
    const span = asked.to - asked.from;
    const stepMs = [...STEPS.values()].find((ms) => span / ms <= MAX_POINTS) ?? HOUR_MS;
    return { grain: 'step' as const, stepMs, gapLimitMs, ...inColumns(await askSteps({ ...asked, stepMs }, context)) };
}

function isFine({ from, to }: { from: number; to: number }): boolean {
    return to - from <= MAX_FINE_MS;
}

interface Span {
    atMs: number;
    n: number;
    mean: number | null;
    /** Decimal text. */
    min: string | null;
    max: string | null;
    /** First and last reading in it; null where that is not told. */
    firstMs: number | null;
    lastMs: number | null;
}

interface Hour extends Span {
    gapLimitMs: number;
}

async function askHours({ id, site, metric, from, to }: Asked, context: PageContext): Promise<Hour[]> {
    const days = daysOf({ from, to });
    const sql = `
select v.hour_ms, v.n, v.mean, v.min, v.max, v.first_ms, v.last_ms, h.gap_limit_ms
from metric_hour_values as v
inner join metric_hours as h on h.day = v.day and h.site = v.site and h.device = v.device and h.metric = v.metric and h.hour_ms = v.hour_ms
where
    v.day >= ? and v.day <= ? and v.site = ? and v.device = ? and v.metric = ?
    and h.day >= ? and h.day <= ? and h.site = ? and h.device = ? and h.metric = ?
    and v.hour_ms >= ? and v.hour_ms < ?
order by v.hour_ms`;
    const of = [days.from, days.to, site, id, metric];
    // An hour of which a part lies in the range is shown whole.
    const parameters = [...of, ...of, BigInt(from - (from % HOUR_MS)), BigInt(to)];
    return namedRows(await context.ask(sql, { parameters, maxRows: MAX_HOURS })).map((row) => ({
        atMs: numberIn(row, 'hour_ms') ?? 0,
        n: numberIn(row, 'n') ?? 0,
        mean: numberIn(row, 'mean'),
        min: plainDecimal(textIn(row, 'min')),
        max: plainDecimal(textIn(row, 'max')),
        firstMs: numberIn(row, 'first_ms'),
        lastMs: numberIn(row, 'last_ms'),
        gapLimitMs: numberIn(row, 'gap_limit_ms') ?? 0,
    }));
}

async function askSteps({ id, site, metric, from, to, stepMs }: Asked & { stepMs: number }, context: PageContext): Promise<Span[]> {
    const days = daysOf({ from, to });
    const parameters = [BigInt(stepMs), id, metric, site, days.from, days.to, BigInt(from), BigInt(to)];
    return namedRows(await context.ask(readQuery('reading_steps'), { parameters })).map((row) => ({
        atMs: numberIn(row, 'from_ms') ?? 0,
        n: numberIn(row, 'n') ?? 0,
        mean: numberIn(row, 'mean'),
        min: plainDecimal(textIn(row, 'min')),
        max: plainDecimal(textIn(row, 'max')),
        firstMs: null,
        lastMs: null,
    }));
}

async function askReadings({ id, site, metric, from, to }: Asked, context: PageContext) {
    const days = daysOf({ from, to });
    const parameters = [id, metric, site, days.from, days.to, BigInt(from), BigInt(to), BigInt(MAX_POINTS)];
    const rows = namedRows(await context.ask(readQuery('readings'), { parameters }));
    return {
        atMs: rows.map((row) => numberIn(row, 'at_ms') ?? 0),
        value: rows.map((row) => plainDecimal(textIn(row, 'value'))),
        text: rows.map((row) => textIn(row, 'text')),
        message: rows.map((row) => textIn(row, 'message')),
        clock: rows.map((row) => textIn(row, 'clock')),
        copies: rows.map((row) => textIn(row, 'copies')),
        receivedMs: rows.map((row) => numberIn(row, 'received_ms')),
    };
}

/** In columns: a year of hours is said in a third of the bytes. */
function inColumns(spans: readonly Span[]) {
    return {
        atMs: spans.map(({ atMs }) => atMs),
        n: spans.map(({ n }) => n),
        mean: spans.map(({ mean }) => mean),
        min: spans.map(({ min }) => min),
        max: spans.map(({ max }) => max),
        firstMs: spans.map(({ firstMs }) => firstMs),
        lastMs: spans.map(({ lastMs }) => lastMs),
    };
}

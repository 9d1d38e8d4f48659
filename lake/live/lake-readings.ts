/** The readings of the lake, page after page, as the API gives them. They are asked by the queries that the command line asks, of any engine. */
import { collectRows } from '#lake/collect-rows';
import type { QueryResult, Value } from '#lake/query/query-engine';
import { compareTexts } from '#lake/rows';
import type { ApiServices, LakeReading, ReadingPlace, ReadingStep, ReadingsQuestion } from './api/services.ts';

export interface ReadingsSource {
    /** Asks a query of sql/telemetry/queries. */
    ask(name: 'readings' | 'reading_steps' | 'device_metrics', parameters: readonly Value[]): Promise<QueryResult>;
    /** True if the registry has the device. */
    isRegistered(device: string): Promise<boolean>;
    /** UTC epoch milliseconds. */
    now(): number;
}

const DAY_MS = 86_400_000;

/** Spans of time in which a page is looked for first where no beginning is said: an engine reads only their days. */
const SPANS_MS = [DAY_MS, 30 * DAY_MS];

export function lakeReadings(source: ReadingsSource): Pick<ApiServices, 'readings' | 'steps'> {
    return {
        async readings({ after, limit, ...question }) {
            // Readings of the place's own millisecond stand before and behind it.
            const toMs = after === undefined ? question.toMs : Math.min(after.atMs + 1, question.toMs ?? Number.POSITIVE_INFINITY);
            const items = await newestBefore(source, { question: { ...question, toMs }, after, count: limit + 1 });
            if (items.length === 0 && !(await isKnown(source, question.device))) {
                return undefined;
            }
            return { answer: { items: items.slice(0, limit), hasMore: items.length > limit }, version: undefined };
        },
        async steps({ stepMs, ...question }) {
            const { columns, rows } = await collectRows(
                await source.ask('reading_steps', [BigInt(stepMs), question.device, ...rangeParameters(question)]),
            );
            const steps = rows.map((row) => toStep(namedRow(columns, row)));
            if (steps.length === 0 && !(await isKnown(source, question.device))) {
                return undefined;
            }
            steps.sort((a, b) => b.fromMs - a.fromMs || compareTexts(a.metric, b.metric) || compareTexts(a.site, b.site));
            return { answer: steps, version: undefined };
        },
    };
}

interface Wanted {
    question: ReadingsQuestion;
    after: ReadingPlace | undefined;
    count: number;
}

/** The newest readings behind the place, newest first, as many as are wanted where there are so many. */
async function newestBefore(source: ReadingsSource, { question, after, count }: Wanted): Promise<LakeReading[]> {
    const endMs = question.toMs ?? source.now();
    const begins = question.fromMs === undefined ? [...SPANS_MS.map((span) => endMs - span), undefined] : [question.fromMs];
    let found: LakeReading[] = [];
    for (const fromMs of begins) {
        found = await newestSince(source, { question: { ...question, fromMs }, after, count });
        if (found.length >= count) {
            break;
        }
    }
    return found;
}

async function newestSince(source: ReadingsSource, { question, after, count }: Wanted): Promise<LakeReading[]> {
    // The query counts from the end of time: what stands at or before the place is asked for too, and left out.
    for (let extra = after === undefined ? 0 : 64; ; extra *= 4) {
        const asked = count + extra;
        const { columns, rows } = await collectRows(
            await source.ask('readings', [question.device, ...rangeParameters(question), BigInt(asked)]),
        );
        const readings = rows.map((row) => toReading(namedRow(columns, row))).sort((a, b) => comparePlaces(b, a));
        const behind = readings.filter((reading) => after === undefined || comparePlaces(reading, after) < 0);
        if (behind.length >= count || rows.length < asked) {
            return behind.slice(0, count);
        }
    }
}

/** The order of query `readings`, oldest first. */
function comparePlaces(a: ReadingPlace, b: ReadingPlace): number {
    return a.atMs - b.atMs || compareTexts(a.metric, b.metric) || compareTexts(a.message, b.message) || compareTexts(a.site, b.site);
}

/** Metric, site, days and times, as the queries take them. */
function rangeParameters({ metric, site, fromMs, toMs }: ReadingsQuestion): Value[] {
    const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);
    return [
        metric ?? null,
        site ?? null,
        fromMs === undefined ? null : dayOf(fromMs),
        toMs === undefined ? null : dayOf(toMs - 1),
        fromMs === undefined ? null : BigInt(fromMs),
        toMs === undefined ? null : BigInt(toMs),
    ];
}

/** True if the lake has readings of the device, or the registry knows it. */
async function isKnown(source: ReadingsSource, device: string): Promise<boolean> {
    return (await collectRows(await source.ask('device_metrics', [device]))).rows.length > 0 || source.isRegistered(device);
}

type Row = Readonly<Record<string, Value>>;

function namedRow(columns: readonly { name: string }[], row: readonly Value[]): Row {
    return Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null]));
}

const textOf = (value: Value | undefined): string | null => (value === null || value === undefined ? null : String(value));

function toReading({ site, device, metric, message, at_ms, value, text, clock, received_ms, copies }: Row): LakeReading {
    return {
        site: String(site),
        device: String(device),
        metric: String(metric),
        message: String(message),
        atMs: Number(at_ms),
        value: textOf(value),
        text: textOf(text),
        clock: String(clock),
        receivedMs: Number(received_ms),
        copies: Number(copies),
    };
}

function toStep({ site, device, metric, from_ms, n, min, max, mean }: Row): ReadingStep {
    return {
        site: String(site),
        device: String(device),
        metric: String(metric),
        fromMs: Number(from_ms),
        readings: Number(n),
        min: textOf(min),
        max: textOf(max),
        mean: mean === null || mean === undefined ? null : Number(mean),
    };
}

/** The pair over time: daily totals there and back with what was usual, and the running mean. */
import { useMemo } from 'preact/hooks';
import { type Mark, type Series, type Span, TimeChart } from '../../parts/time-chart.tsx';
import type { ScreenProps } from '../../screen.ts';
import { addDays, dayMs, type Measure, type PairDay, type PairFound, verdictOf, type Way, waysOf } from './pair-answer.ts';

interface PairChartsProps extends ScreenProps {
    path: string;
    answer: PairFound;
    measure: Measure;
    way: Way;
}

const DAY_MS = 86_400_000;

export function PairCharts({ path, query, go, answer, measure, way }: PairChartsProps) {
    const drawn = useMemo(() => drawingOf(answer, { measure, way }), [answer, measure, way.name]);
    const zoom = (fromMs: number, untilMs: number) => {
        const text = (ms: number): string => new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);
        go(path, { ...Object.fromEntries(query), from: text(fromMs + DAY_MS / 2), to: text(untilMs) });
    };
    return (
        <>
            <TimeChart
                title="Daily totals there and back"
                unit={measure.unit}
                times={drawn.times}
                isDays
                series={drawn.totals}
                band={drawn.band}
                marks={drawn.marks}
                spans={drawn.spans}
                onZoom={zoom}
                height={320}
            />
            {drawn.running && (
                <TimeChart
                    title={`Running mean of ${way.src} → ${way.dst}`}
                    unit={measure.unit}
                    times={drawn.times}
                    isDays
                    series={drawn.running.series}
                    band={drawn.running.band}
                    spans={drawn.spans}
                    onZoom={zoom}
                />
            )}
        </>
    );
}

interface Drawing {
    times: number[];
    totals: Series[];
    band: { title: string; low: (number | null)[]; high: (number | null)[] };
    marks: Mark[];
    spans: Span[];
    running: { series: Series[]; band: Drawing['band'] } | undefined;
}

function drawingOf(answer: PairFound, { measure, way }: { measure: Measure; way: Way }): Drawing {
    const { range, missing } = answer;
    const { column, running } = measure;
    const days: string[] = [];
    for (let day = range.from; day <= range.to; day = addDays(day, 1)) {
        days.push(day);
    }
    const isMissing = new Set(missing);
    const [there, back] = waysOf(answer);
    const series = (of: Way, color: number): Series => {
        const byDay = new Map(of.days.map((day) => [day.day, day]));
        // On a day that was heard, and on which the pair has no flow, there was nothing: 0. On one without a file nobody knows.
        const texts = days.map((day) => byDay.get(day)?.[column] ?? (isMissing.has(day) ? null : '0'));
        return {
            title: `${of.src} → ${of.dst}`,
            values: texts.map((text) => (text === null ? null : Number(text))),
            texts,
            look: 'line',
            color,
        };
    };
    const ofWay = new Map(way.days.map((day) => [day.day, day]));
    const usual = (part: 'usual' | 'low' | 'high') => days.map((day) => ofWay.get(day)?.usual[column]?.[part] ?? null);
    const numbers = (texts: readonly (string | null)[]) => texts.map((text) => (text === null ? null : Number(text)));
    const medians = usual('usual');
    return {
        times: days.map(dayMs),
        totals: [
            series(there, 1),
            ...(back.days.length > 0 ? [series(back, 2)] : []),
            {
                title: `Usual ${way.src} → ${way.dst} (median)`,
                values: numbers(medians),
                texts: medians,
                look: 'dashed',
                color: way.name === 'there' ? 3 : 4,
            },
        ],
        band: { title: 'Middle half of what is usual', low: numbers(usual('low')), high: numbers(usual('high')) },
        marks: marksOf([there, back], column),
        spans: spansOf(missing),
        running: running && runningOf({ days, way: ofWay, running, column, isMissing }),
    };
}

function marksOf(ways: readonly Way[], column: Measure['column']): Mark[] {
    const labels = new Map<string, string>();
    for (const { src, dst, days } of ways) {
        for (const { day, usual } of days) {
            const ofMeasure = usual[column];
            if (ofMeasure && verdictOf(ofMeasure) === 'unusual') {
                const label = `unusual ${src} → ${dst}: usual was ${ofMeasure.usual}, score ${ofMeasure.score}`;
                labels.set(day, [labels.get(day), label].filter((one) => one !== undefined).join('; '));
            }
        }
    }
    return [...labels].map(([day, label]) => ({ atMs: dayMs(day), label }));
}

/** Days in a row are one span. A day is drawn over its middle. */
function spansOf(missing: readonly string[]): Span[] {
    const spans: Span[] = [];
    for (const day of missing) {
        const fromMs = dayMs(day) - DAY_MS / 2;
        const last = spans.at(-1);
        if (last?.untilMs === fromMs) {
            last.untilMs = fromMs + DAY_MS;
        } else {
            spans.push({ fromMs, untilMs: fromMs + DAY_MS, label: 'No file of the site', kind: 'missing' });
        }
    }
    return spans;
}

interface Running {
    days: readonly string[];
    way: ReadonlyMap<string, PairDay>;
    running: NonNullable<Measure['running']>;
    column: Measure['column'];
    isMissing: ReadonlySet<string>;
}

function runningOf({ days, way, running, column, isMissing }: Running): Drawing['running'] {
    const means = days.map((day) => way.get(day)?.[`${running}_running_mean`] ?? null);
    if (means.every((mean) => mean === null)) {
        return undefined;
    }
    const deviations = days.map((day) => way.get(day)?.[`${running}_running_stddev_pop`] ?? null);
    const edge = (sign: 1 | -1) =>
        means.map((mean, at) => (mean === null || deviations[at] === null ? null : Math.max(0, mean + sign * (deviations[at] ?? 0))));
    const texts = days.map((day) => way.get(day)?.[column] ?? (isMissing.has(day) ? null : '0'));
    return {
        series: [
            { title: 'Daily total', values: texts.map((text) => (text === null ? null : Number(text))), texts, look: 'points', color: 1 },
            { title: 'Running mean', values: means, look: 'line', color: 2 },
        ],
        band: { title: 'Mean ± standard deviation', low: edge(-1), high: edge(1) },
    };
}

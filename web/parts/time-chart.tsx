/**
 * Series over time, drawn by uPlot. Behind the picture stands a table of the same values, for who cannot see it and for who wants the digits. Gaps stay gaps: a null is never
 * drawn, and never joined over.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { onNewColors } from '../shell/theme-choice.ts';
import { roundTo } from './figure.tsx';
import { groupDigits } from './quantity.ts';
import { sayInstant, weekdayOf } from './time.tsx';

export interface Series {
    title: string;
    /** One value for each time; null is a gap. */
    values: readonly (number | null)[];
    /** The values with all their digits, where numbers would lose some. */
    texts?: readonly (string | null)[];
    look: 'line' | 'dashed' | 'bars' | 'points';
    /** Which of the colours of data, 1 to 6; in the order of the series where nothing is said. */
    color?: number;
}

/** An area between two series, as the middle half of days. */
export interface Band {
    title: string;
    low: readonly (number | null)[];
    high: readonly (number | null)[];
}

/** A time that is marked, with a word. */
export interface Mark {
    atMs: number;
    label: string;
}

/** A span of time that is marked behind the series. `until` is exclusive. */
export interface Span {
    fromMs: number;
    untilMs: number;
    label: string;
    /** `missing` is hatched, `alert` filled, `silence` dotted: never colour alone. */
    kind: 'missing' | 'alert' | 'silence';
}

interface TimeChartProps {
    title: string;
    unit?: string;
    /** UTC epoch milliseconds, ascending. */
    times: readonly number[];
    /** True where each time is a whole day. */
    isDays?: boolean;
    /** False for what zero says nothing of, as temperatures: the axis of values spans what there is. */
    isFromZero?: boolean;
    series: readonly Series[];
    band?: Band | undefined;
    marks?: readonly Mark[];
    spans?: readonly Span[];
    /** Called with what somebody has drawn a frame around, in epoch milliseconds. */
    onZoom?(fromMs: number, untilMs: number): void;
    height?: number;
}

/** None, and always the same none: another list would have the plot drawn anew. */
const NO_MARKS: readonly Mark[] = [];
const NO_SPANS: readonly Span[] = [];

/** Rows that the table behind a chart shows at most. */
const MAX_TABLE_ROWS = 2000;

export function TimeChart(props: TimeChartProps) {
    const { title, unit, times, series, band, marks = NO_MARKS, spans = NO_SPANS, isDays = false, isFromZero = true, height = 260 } = props;
    const place = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot>(undefined);
    const [at, setAt] = useState<number | null>(null);
    const zoom = useRef(props.onZoom);
    zoom.current = props.onZoom;
    const data = useMemo(() => dataOf({ times, series, band }), [times, series, band]);

    useEffect(() => {
        const element = place.current;
        if (!element) {
            return;
        }
        const draw = () => {
            plot.current?.destroy();
            const options = optionsOf({ ...props, marks, spans, isDays, isFromZero, height, width: element.clientWidth });
            options.hooks = {
                ...options.hooks,
                setCursor: [({ cursor: { idx } }) => setAt(idx ?? null)],
                setSelect: [
                    (chart) => {
                        const { left, width } = chart.select;
                        if (width > 0) {
                            zoom.current?.(Math.round(chart.posToVal(left, 'x')), Math.round(chart.posToVal(left + width, 'x')));
                        }
                        chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
                    },
                ],
            };
            plot.current = new uPlot(options, data, element);
        };
        draw();
        const sized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
        sized.observe(element);
        const leaveColors = onNewColors(draw);
        return () => {
            sized.disconnect();
            leaveColors();
            plot.current?.destroy();
            plot.current = undefined;
        };
    }, [data, marks, spans, isDays, isFromZero, height, unit]);

    /** Moves the line through the values by arrow keys. */
    const move = (event: KeyboardEvent) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        const chart = plot.current;
        if (step === undefined || !chart || times.length === 0) {
            return;
        }
        event.preventDefault();
        const next = Math.min(times.length - 1, Math.max(0, (chart.cursor.idx ?? (step > 0 ? -1 : times.length)) + step));
        chart.setCursor({ left: chart.valToPos(times[next] ?? 0, 'x'), top: 10 });
    };

    const sayTime = (ms: number) => (isDays ? sayDay(ms) : sayInstant(ms));
    return (
        <figure class="chart">
            <figcaption>
                {title}
                {unit !== undefined && <span class="unit"> in {unit}</span>}
            </figcaption>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move through the values */}
            <div ref={place} class="chart-place" role="img" tabIndex={0} aria-label={describe({ ...props, sayTime })} onKeyDown={move} />
            <Legend {...{ series, band, spans }} />
            <p class="chart-at" aria-live="polite">
                {at === null || times[at] === undefined
                    ? ''
                    : [sayTime(times[at]), ...series.map((one) => `${one.title}: ${sayValue(one, at)}`)].join(' · ')}
            </p>
            <Values {...{ title, times, series, band, marks, sayTime }} />
        </figure>
    );
}

function dataOf({ times, series, band }: Pick<TimeChartProps, 'times' | 'series' | 'band'>): uPlot.AlignedData {
    return [
        times as number[],
        ...series.map(({ values }) => values as (number | null)[]),
        ...(band ? [band.high as (number | null)[], band.low as (number | null)[]] : []),
    ];
}

type DrawOptions = TimeChartProps & {
    marks: readonly Mark[];
    spans: readonly Span[];
    isDays: boolean;
    isFromZero: boolean;
    height: number;
    width: number;
};

function optionsOf({ series, band, marks, spans, isDays, isFromZero, height, width, onZoom }: DrawOptions): uPlot.Options {
    const colors = readColors();
    const lines = series.map(({ title, look, color }, order): uPlot.Series => {
        const stroke = colors.data[((color ?? order + 1) - 1) % colors.data.length] ?? colors.ink;
        const bars = look === 'bars' ? { paths: barsPath(), fill: `${stroke}99`, points: { show: false } } : {};
        return {
            label: title,
            stroke,
            width: look === 'points' ? 0 : look === 'bars' ? 1 : 1.75,
            spanGaps: false,
            ...(look === 'dashed' && { dash: [6, 4] }),
            ...(look === 'points' ? { points: { show: true, size: 5, fill: stroke } } : {}),
            ...bars,
        };
    });
    const edges: uPlot.Series[] = band
        ? [{ stroke: 'transparent' }, { stroke: 'transparent' }].map((one) => ({ ...one, points: { show: false } }))
        : [];
    const axis = {
        stroke: colors.ink,
        grid: { stroke: colors.line, width: 1 },
        ticks: { stroke: colors.line, width: 1 },
        font: '12px system-ui, sans-serif',
    };
    return {
        width,
        height,
        // Room for half of the last time's text.
        padding: [12, 34, 0, 0],
        ms: 1,
        tzDate: (ms) => uPlot.tzDate(new Date(ms), 'Etc/UTC'),
        legend: { show: false },
        cursor: { y: false, drag: { x: onZoom !== undefined, y: false, setScale: false }, points: { size: 7 } },
        scales: {
            x: { time: true, ...(isDays && { range: wholeDays }) },
            y: { range: { min: isFromZero ? { pad: 0.1, soft: 0, mode: 1 } : { pad: 0.1 }, max: { pad: 0.1, mode: 0 } } },
        },
        axes: [
            {
                ...axis,
                space: isDays ? 100 : 80,
                values: (_: uPlot, ticks: number[], _axis: number, _space: number, step: number) => timeTicks(ticks, step),
                ...(isDays && { incrs: DAY_STEPS, splits: daySplits }),
            },
            { ...axis, size: 64, values: (_: uPlot, ticks: number[]) => ticks.map(sayTick) },
        ],
        series: [{}, ...lines, ...edges],
        ...(band && { bands: [{ series: [series.length + 1, series.length + 2], fill: colors.band }] }),
        hooks: {
            drawClear: [
                (chart) => {
                    for (const span of spans) {
                        drawSpan(chart, span, colors);
                    }
                },
            ],
            draw: [
                (chart) => {
                    for (const mark of marks) {
                        drawMark(chart, mark, colors);
                    }
                },
            ],
        },
    };
}

function barsPath(): uPlot.Series.PathBuilder {
    const builder = uPlot.paths.bars?.({ size: [0.7, 24] });
    if (!builder) {
        throw new Error('uPlot has no bars');
    }
    return builder;
}

const DAY_MS = 86_400_000;
const DAY_STEPS = [1, 2, 7, 14, 28, 56, 91, 182, 364].map((days) => days * DAY_MS);

function sayDay(ms: number): string {
    const day = new Date(ms).toISOString().slice(0, 10);
    return `${weekdayOf(day)} ${day}`;
}

/** The first Monday that there was in epoch time: weeks begin then. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** Days that are `step` apart, Mondays where that is a number of weeks; uPlot by itself would go by months, which are of unequal length. */
function daySplits(_: uPlot, _axis: number, from: number, until: number, step: number): number[] {
    const days: number[] = [];
    for (let ms = Math.ceil((from - FIRST_MONDAY_MS) / step) * step + FIRST_MONDAY_MS; ms <= until; ms += step) {
        days.push(ms);
    }
    return days;
}

/** Half a day before the first day and behind the last one: bars stand over the middle of their days. */
function wholeDays(_: uPlot, from: number, until: number): [number, number] {
    return [from - DAY_MS / 2, until + DAY_MS / 2];
}

/** Texts of times that are `step` apart: days as `2026-01-05`, shorter steps as `09:10`, with the day below the first of each. */
function timeTicks(ticks: readonly number[], step: number): string[] {
    let before = '';
    return ticks.map((ms) => {
        const iso = new Date(ms).toISOString();
        const day = iso.slice(0, 10);
        if (step >= DAY_MS) {
            return day;
        }
        const time = iso.slice(11, step >= 60_000 ? 16 : step >= 1000 ? 19 : 23);
        const text = day === before ? time : `${time}\n${day}`;
        before = day;
        return text;
    });
}

const SCALES = [
    { from: 1e15, suffix: 'P' },
    { from: 1e12, suffix: 'T' },
    { from: 1e9, suffix: 'G' },
    { from: 1e6, suffix: 'M' },
    { from: 1e3, suffix: 'k' },
];

/** A value of an axis: `2.5k`. */
function sayTick(value: number): string {
    const scale = SCALES.find(({ from }) => Math.abs(value) >= from);
    return scale ? `${roundTo(value / scale.from, 3)}${scale.suffix}` : roundTo(value, 3);
}

function sayValue({ values, texts }: Pick<Series, 'values' | 'texts'>, at: number): string {
    const text = texts?.[at];
    if (text !== undefined && text !== null) {
        return groupDigits(text);
    }
    const value = values[at];
    return value === null || value === undefined ? 'none' : groupDigits(roundTo(value, 6));
}

interface Colors {
    ink: string;
    line: string;
    band: string;
    alert: string;
    missing: string;
    data: readonly string[];
}

function readColors(): Colors {
    const style = getComputedStyle(document.documentElement);
    const read = (name: string) => style.getPropertyValue(name).trim();
    return {
        ink: read('--ink-2'),
        line: read('--line'),
        band: read('--band'),
        alert: read('--alert-area'),
        missing: read('--hatch'),
        data: [1, 2, 3, 4, 5, 6].map((order) => read(`--data-${order}`)),
    };
}

function drawSpan(chart: uPlot, { fromMs, untilMs, kind }: Span, colors: Colors): void {
    const { ctx, bbox } = chart;
    const left = Math.max(bbox.left, chart.valToPos(fromMs, 'x', true));
    const right = Math.min(bbox.left + bbox.width, chart.valToPos(untilMs, 'x', true));
    if (right <= left) {
        return;
    }
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, Math.max(2, right - left), bbox.height);
    ctx.clip();
    if (kind === 'alert') {
        ctx.fillStyle = colors.alert;
        ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
    } else {
        ctx.strokeStyle = colors.missing;
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash(kind === 'silence' ? [2 * devicePixelRatio, 3 * devicePixelRatio] : []);
        const step = 7 * devicePixelRatio;
        for (let x = left - bbox.height; x < right; x += step) {
            ctx.beginPath();
            ctx.moveTo(x, bbox.top + bbox.height);
            ctx.lineTo(x + bbox.height, bbox.top);
            ctx.stroke();
        }
    }
    ctx.restore();
}

function drawMark(chart: uPlot, { atMs }: Mark, colors: Colors): void {
    const { ctx, bbox } = chart;
    const x = Math.round(chart.valToPos(atMs, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) {
        return;
    }
    const size = 5 * devicePixelRatio;
    ctx.save();
    ctx.fillStyle = colors.data[1] ?? colors.ink;
    ctx.strokeStyle = ctx.fillStyle;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x - size, bbox.top);
    ctx.lineTo(x + size, bbox.top);
    ctx.lineTo(x, bbox.top + 1.5 * size);
    ctx.fill();
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
}

function Legend({ series, band, spans }: Pick<TimeChartProps, 'series' | 'band'> & { spans: readonly Span[] }) {
    const kinds = [...new Map(spans.map(({ kind, label }) => [kind, label]))];
    return (
        <ul class="legend">
            {series.map(({ title, look, color }, order) => (
                <li key={title}>
                    <span class={`swatch ${look} data-${color ?? (order % 6) + 1}`} aria-hidden="true" />
                    {title}
                </li>
            ))}
            {band && (
                <li>
                    <span class="swatch band" aria-hidden="true" />
                    {band.title}
                </li>
            )}
            {kinds.map(([kind, label]) => (
                <li key={kind}>
                    <span class={`swatch span-${kind}`} aria-hidden="true" />
                    {label}
                </li>
            ))}
        </ul>
    );
}

/** The picture in a sentence. */
function describe({ title, unit, times, series, sayTime }: TimeChartProps & { sayTime(ms: number): string }): string {
    const [first, last] = [times[0], times.at(-1)];
    if (first === undefined || last === undefined) {
        return `${title}: no values`;
    }
    const ranges = series.flatMap(({ title: name, values }) => {
        const some = values.filter((value) => value !== null);
        const [least, most] = [Math.min(...bounded(some)), Math.max(...bounded(some))];
        return some.length === 0 ? [`${name}: none`] : [`${name}: ${roundTo(least, 4)} to ${roundTo(most, 4)}`];
    });
    return `${title}${unit === undefined ? '' : ` in ${unit}`}, ${sayTime(first)} to ${sayTime(last)}. ${ranges.join('. ')}. The table below has the values; arrow keys move through them.`;
}

/** Least and largest of many values: more than an argument list can hold. */
function bounded(values: readonly number[]): [number, number] {
    return values.reduce<[number, number]>(
        ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
        [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
}

interface ValuesProps extends Pick<TimeChartProps, 'title' | 'times' | 'series' | 'band'> {
    marks: readonly Mark[];
    sayTime(ms: number): string;
}

function Values({ title, times, series, band, marks, sayTime }: ValuesProps) {
    const [isOpen, setOpen] = useState(false);
    const labels = new Map(marks.map(({ atMs, label }) => [atMs, label]));
    const all: readonly Pick<Series, 'title' | 'values' | 'texts'>[] = [
        ...series,
        ...(band
            ? [
                  { title: `${band.title}, from`, values: band.low },
                  { title: `${band.title}, to`, values: band.high },
              ]
            : []),
    ];
    return (
        <details class="values" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
            <summary>Table of these values</summary>
            {isOpen && (
                // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
                <section class="table-scroll tall" tabIndex={0} aria-label={`${title}: values`}>
                    <table>
                        <caption class="hidden">{title}</caption>
                        <thead>
                            <tr>
                                <th scope="col">Time (UTC)</th>
                                {all.map((one) => (
                                    <th key={one.title} scope="col" class="number">
                                        {one.title}
                                    </th>
                                ))}
                                {marks.length > 0 && <th scope="col">Marked</th>}
                            </tr>
                        </thead>
                        <tbody>
                            {times.slice(0, MAX_TABLE_ROWS).map((ms, at) => (
                                <tr key={ms}>
                                    <th scope="row">{sayTime(ms)}</th>
                                    {all.map((one) => (
                                        <td key={one.title} class="number">
                                            {sayValue(one, at)}
                                        </td>
                                    ))}
                                    {marks.length > 0 && <td>{labels.get(ms) ?? ''}</td>}
                                </tr>
                            ))}
                        </tbody>
                    </table>
                    {times.length > MAX_TABLE_ROWS && (
                        <p>
                            The first {MAX_TABLE_ROWS} of {times.length}: choose a shorter time to see the others.
                        </p>
                    )}
                </section>
            )}
        </details>
    );
}

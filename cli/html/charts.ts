/**
 * Charts of a page, drawn by Observable Plot into SVG while the page is written: nothing is left to be run where it is read. Colours are those of the
 * page's style, so that a chart is dark where the page is, and light on paper.
 */
import {
    areaY,
    axisX,
    axisY,
    barX,
    dot,
    gridX,
    gridY,
    lineY,
    type Markish,
    type PlotOptions,
    plot,
    rect,
    rectY,
    ruleY,
    utcInterval,
} from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { addDays, type DayRange, daysOf } from '#lake/reports/days-of';
import { type Markup, markup, trusted } from './markup.ts';

const WIDTH = 880;
const DAY_MS = 86_400_000;

/** Wide enough for `1.25M`. */
const MARGIN_LEFT = 52;

/** What is missing: the pattern stands in the page, see `HATCH`. */
const HATCHED = 'url(#hatched)';

/** The pattern of what is missing, which the charts of a page share. */
export const HATCH = trusted(
    '<svg width="0" height="0" aria-hidden="true" focusable="false"><defs><pattern id="hatched" width="7" height="7" patternUnits="userSpaceOnUse" ' +
        'patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="7" stroke="var(--hatch)" stroke-width="2"/></pattern></defs></svg>\n',
);

/** Colours of the page's style, by number. */
export const OTHERS = 3;
const GROUP_COLOURS = [1, 2, 4, 5, 6];
const colour = (number: number): string => `var(--s${number})`;

/** What a colour of a chart means; `missing` is hatched. */
interface LegendEntry {
    colour: number | 'missing';
    means: string;
}

/** The chart as a figure. `describes` says in words what it shows, for those who do not see it. */
function draw(options: PlotOptions, { describes, legend = [] }: { describes: string; legend?: readonly LegendEntry[] }): Markup {
    const { document } = parseHTML('<!doctype html><html><body></body></html>');
    const svg = plot({
        marginLeft: MARGIN_LEFT,
        color: { type: 'identity' },
        opacity: { type: 'identity' },
        ...options,
        document,
        width: WIDTH,
    });
    // Its rules stand in the page's own sheet: the page's policy allows no other.
    svg.querySelector('style')?.remove();
    for (const attribute of ['class', 'style', 'width', 'height']) {
        svg.removeAttribute(attribute);
    }
    // An image has one description, its own.
    for (const part of svg.querySelectorAll('[aria-label], [aria-hidden]')) {
        part.removeAttribute('aria-label');
        part.removeAttribute('aria-hidden');
    }
    svg.setAttribute('font-size', '13');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', describes);
    const entries = legend.map(
        (entry) =>
            markup`<li><span class="swatch ${entry.colour === 'missing' ? 'missing' : `f${entry.colour}`}"></span>${entry.means}</li>`,
    );
    return markup`<figure>${entries.length > 0 && markup`<ul class="legend">${entries}</ul>`}${trusted(svg.outerHTML)}</figure>
`;
}

/** An amount of a site on a day. */
export interface DayAmount {
    day: string;
    site: string;
    amount: number;
}

interface DayChartOptions {
    /** Days of both ranges; those before the range are pale. */
    amounts: readonly DayAmount[];
    range: DayRange;
    before: DayRange;
    /** What is counted: `Flows`. */
    what: string;
}

/** What each day came to, its sites on top of each other. A day of which there is nothing at all is hatched. */
export function drawDays({ amounts, range, before, what }: DayChartOptions): Markup {
    const sums = new Map<string, number>();
    for (const { site, amount } of amounts) {
        sums.set(site, (sums.get(site) ?? 0) + amount);
    }
    const largest = [...sums].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)).map(([site]) => site);
    // Where one colour is left for one site, it is that site's own.
    const shown = largest.length === GROUP_COLOURS.length + 1 ? largest : largest.slice(0, GROUP_COLOURS.length);
    const colourOf = (site: string): number => GROUP_COLOURS[shown.indexOf(site)] ?? OTHERS;
    const days = daysOf({ from: before.from, to: range.to });
    const there = new Set(amounts.map(({ day }) => day));
    const missing = days.filter((day) => !there.has(day));
    const top = Math.max(1, ...days.map((day) => amounts.reduce((sum, one) => (one.day === day ? sum + one.amount : sum), 0)));
    const ordered = amounts.toSorted((a, b) => largest.indexOf(a.site) - largest.indexOf(b.site));
    const others = largest.length - shown.length;
    return draw(
        {
            height: 250,
            marginBottom: 42,
            x: { type: 'utc', domain: [timeOf(before.from), timeOf(addDays(range.to, 1))], label: null },
            y: { label: null, domain: [0, top] },
            marks: [
                gridY({ strokeOpacity: 0.15 }),
                rect(missing, { x1: timeOf, x2: (day) => timeOf(addDays(day, 1)), y1: 0, y2: top, fill: HATCHED, inset: 1 }),
                rectY(ordered, {
                    x: ({ day }) => timeOf(day),
                    y: 'amount',
                    interval: utcInterval('day'),
                    fill: ({ site }) => colour(colourOf(site)),
                    fillOpacity: ({ day }) => (day < range.from ? 0.4 : 1),
                    insetLeft: 1.5,
                    insetRight: 1.5,
                }),
                ruleY([0]),
                ...dayAxis(days),
                siAxis(),
            ],
        },
        {
            describes: `${what} of each day from ${before.from} to ${range.to}, by site`,
            legend: [
                ...shown.map((site) => ({ colour: colourOf(site), means: site })),
                ...(others > 0 && largest.length !== shown.length ? [{ colour: OTHERS, means: `${others} other sites` }] : []),
                ...(missing.length > 0 ? [{ colour: 'missing' as const, means: 'nothing of any site: not zero, but not known' }] : []),
            ],
        },
    );
}

/** A span of time of one row of a chart. */
export interface Span {
    row: string;
    fromMs: number;
    untilMs: number;
    colour: number;
}

/** Spans of time as bars, a row for each device. */
export function drawSpans(
    spans: readonly Span[],
    { range, legend, describes }: { range: DayRange; legend: readonly LegendEntry[]; describes: string },
): Markup {
    const rows = [...new Set(spans.map(({ row }) => row))];
    const [from, until] = [timeOf(range.from), timeOf(addDays(range.to, 1))];
    const shortest = (until.getTime() - from.getTime()) / 300;
    return draw(
        {
            height: rows.length * 24 + 46,
            marginLeft: Math.min(320, Math.max(...rows.map((row) => row.length)) * 8 + 14),
            marginBottom: 42,
            x: { type: 'utc', domain: [from, until], label: null },
            y: { type: 'band', domain: rows, label: null, padding: 0.25 },
            marks: [
                gridX(daysOf(range).map(timeOf), { strokeOpacity: 0.2 }),
                barX(spans, {
                    x1: ({ fromMs }) => new Date(Math.max(fromMs, from.getTime())),
                    x2: ({ fromMs, untilMs }) =>
                        new Date(Math.min(Math.max(untilMs, Math.max(fromMs, from.getTime()) + shortest), until.getTime())),
                    y: 'row',
                    fill: (span) => colour(span.colour),
                    fillOpacity: 0.85,
                }),
                ...dayAxis(daysOf(range)),
            ],
        },
        { describes, legend },
    );
}

/** One day of a pair: what it came to, and the running mean and deviation so far. */
export interface PairDayPoint {
    day: string;
    total: number;
    mean: number;
    deviation: number;
}

/** Daily totals as points over the running mean and the band of one deviation around it. Days without traffic are gaps of the points, not zeros. */
export function drawPairDays(points: readonly PairDayPoint[], { what }: { what: string }): Markup {
    const at = ({ day }: PairDayPoint): Date => timeOf(day);
    const most = Math.max(1, ...points.map(({ total, mean, deviation }) => Math.max(total, mean + deviation)));
    return draw(
        {
            height: 260,
            marginBottom: 34,
            x: { type: 'utc', label: null },
            y: { label: null, domain: [0, most], nice: true },
            marks: [
                gridY({ strokeOpacity: 0.15 }),
                areaY(points, {
                    x: at,
                    y1: ({ mean, deviation }) => Math.max(0, mean - deviation),
                    y2: ({ mean, deviation }) => mean + deviation,
                    fill: colour(4),
                    fillOpacity: 0.3,
                }),
                lineY(points, { x: at, y: 'mean', stroke: colour(2), strokeWidth: 2 }),
                dot(points, { x: at, y: 'total', fill: colour(1), r: points.length > 200 ? 1.8 : 3.2 }),
                ruleY([0]),
                siAxis(),
            ],
        },
        {
            describes: `${what} of each day, with the running mean`,
            legend: [
                { colour: 1, means: 'day' },
                { colour: 2, means: 'running mean' },
                { colour: 4, means: 'one standard deviation around it' },
            ],
        },
    );
}

/** What the readings of one step of time come to. */
export interface StepPoint {
    fromMs: number;
    mean: number;
    min: number;
    max: number;
}

/** A metric over time: its mean as a line over the band between the smallest and the largest value. Where steps are missing the line is broken. */
export function drawSteps(points: readonly StepPoint[], { stepMs, describes }: { stepMs: number; describes: string }): Markup {
    const broken = points.flatMap((point, index) => {
        const next = points[index + 1];
        const gap = { fromMs: point.fromMs + stepMs, mean: Number.NaN, min: Number.NaN, max: Number.NaN };
        return next === undefined || next.fromMs - point.fromMs <= stepMs ? [point] : [point, gap];
    });
    const alone = broken.filter((_, index) =>
        [broken[index - 1], broken[index + 1]].every((beside) => !beside || Number.isNaN(beside.mean)),
    );
    const at = ({ fromMs }: StepPoint): Date => new Date(fromMs);
    return draw(
        {
            height: 240,
            marginBottom: 34,
            x: { type: 'utc', label: null },
            y: { label: null, nice: true },
            marks: [
                gridY({ strokeOpacity: 0.15 }),
                axisX({ tickFormat: (time: Date) => sayTime(time) }),
                axisY({ tickSize: 0 }),
                areaY(broken, { x: at, y1: 'min', y2: 'max', fill: colour(4), fillOpacity: 0.35 }),
                lineY(broken, { x: at, y: 'mean', stroke: colour(1), strokeWidth: 1.8 }),
                dot(alone, { x: at, y: 'mean', fill: colour(1), r: 2 }),
            ],
        },
        {
            describes,
            legend: [
                { colour: 1, means: 'mean' },
                { colour: 4, means: 'smallest to largest' },
            ],
        },
    );
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Days below their middle, each where there is room; else the marks that the scale finds. */
function dayAxis(days: readonly string[]): Markish[] {
    if (days.length > 21) {
        return [axisX({})];
    }
    const noons = days.map((day) => new Date(timeOf(day).getTime() + DAY_MS / 2));
    return [
        axisX(noons, {
            tickSize: 0,
            tickFormat: (time: Date) => `${WEEKDAYS[time.getUTCDay()]}\n${time.toISOString().slice('yyyy-'.length, 'yyyy-mm-dd'.length)}`,
        }),
    ];
}

/** The axis of an amount: `1.2M`. */
function siAxis(): Markish {
    return axisY({ tickFormat: 's', tickSize: 0 });
}

/** The day where it begins, else the time: `01-05`, `13:30`. */
function sayTime(time: Date): string {
    const text = time.toISOString();
    return text.includes('T00:00')
        ? text.slice('yyyy-'.length, 'yyyy-mm-dd'.length)
        : text.slice('yyyy-mm-ddT'.length, 'yyyy-mm-ddThh:mm'.length);
}

function timeOf(day: string): Date {
    return new Date(`${day}T00:00:00Z`);
}

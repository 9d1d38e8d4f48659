/**
 * Draws a plot in a terminal: what each day came to, the running mean and the band of one running deviation around it. The mean is drawn in
 * braille, eight dots to a character, so it is smooth; days and band take whole characters, so they are told apart without colour.
 */
import { sayTick } from './quantity.ts';
import { wrapLegend, wrapWords } from './text-width.ts';

/** One day; days come in order, and days without a point leave a gap. */
export interface PlotPoint {
    /** Day as `YYYY-MM-DD`. */
    day: string;
    total: number;
    mean: number;
    deviation: number;
}

export interface PlotOptions {
    title: string;
    /** Width of the terminal. */
    columns: number;
    /** Lines between title and axis. */
    rows?: number;
}

const DAY = '●';
const BAND = '░';
const LEGEND = [`${DAY} day`, '⠤⠤ running mean', `${BAND} one standard deviation around it`];
const MS_PER_DAY = 86_400_000;
const LABEL_WIDTH = 'YYYY-MM-DD'.length;

/** The plot's lines, each ended; only the title where there are no points. */
export function renderPlot(points: readonly PlotPoint[], { title, columns, rows = 14 }: PlotOptions): string {
    const [first] = points;
    const last = points.at(-1);
    if (first === undefined || last === undefined) {
        return `${title}: no days\n`;
    }
    const highest = Math.max(1, ...points.map(({ total, mean, deviation }) => Math.max(total, mean + deviation)));
    const step = niceStep(highest / 4);
    const top = Math.ceil(highest / step) * step;
    const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
    const tickWidth = Math.max(...ticks.map((tick) => sayTick(tick, step).length));
    const width = Math.max(LABEL_WIDTH, columns - tickWidth - 3);
    const days = Math.max(1, daysBetween(first.day, last.day));
    const scale: Scale = {
        width,
        rows,
        columnOf: (day) => (daysBetween(first.day, day) / days) * (width - 1),
        dotOf: (value) => Math.round((1 - Math.max(0, value) / top) * (rows * 4 - 1)),
    };
    const grid = drawGrid(points, scale);
    const labels = new Map(ticks.map((tick) => [Math.floor(scale.dotOf(tick) / 4), sayTick(tick, step)]));
    const body = grid.map((cells, row) => {
        const label = labels.get(row);
        return `${(label ?? '').padStart(tickWidth)} ${label === undefined ? '│' : '┤'}${cells.join('')}`.trimEnd();
    });
    const axis = drawDayAxis(first.day, last.day, scale);
    const margin = ' '.repeat(tickWidth + 1);
    const legend = wrapLegend(LEGEND, columns - margin.length - 1).map((line) => `${margin} ${line}`);
    return `${[...wrapWords(title, columns), ...body, `${margin}└${axis.line}`, `${margin} ${axis.labels}`, ...legend].join('\n')}\n`;
}

interface Scale {
    width: number;
    rows: number;
    /** Place of a day from the left, with a fraction. */
    columnOf(day: string): number;
    /** Place of a value from the top in braille dots, four to a character. */
    dotOf(value: number): number;
}

function drawGrid(points: readonly PlotPoint[], { width, rows, columnOf, dotOf }: Scale): string[][] {
    const grid = Array.from({ length: rows }, () => Array.from({ length: width }, () => ' '));
    const put = (column: number, row: number, character: string) => {
        const line = grid[row];
        if (line !== undefined) {
            line[column] = character;
        }
    };
    const at = sampleAlong(points, columnOf);
    const end = Math.round(columnOf(points.at(-1)?.day ?? ''));
    for (let column = 0; column <= end; column++) {
        const left = at(column - 0.25);
        const right = at(column + 0.25);
        const { mean, deviation } = at(column);
        for (let row = Math.floor(dotOf(mean + deviation) / 4); row <= Math.floor(dotOf(mean - deviation) / 4); row++) {
            put(column, row, BAND);
        }
        const dots = new Map<number, number>();
        [left, right].forEach(({ mean: height }, side) => {
            const dot = dotOf(height);
            const row = Math.floor(dot / 4);
            dots.set(row, (dots.get(row) ?? 0) | brailleBit(side, dot % 4));
        });
        for (const [row, bits] of dots) {
            put(column, row, String.fromCodePoint(0x2800 + bits));
        }
    }
    for (const { day, total } of points) {
        put(Math.round(columnOf(day)), Math.floor(dotOf(total) / 4), DAY);
    }
    return grid;
}

/** Mean and deviation at any place between the first and the last point, straight from one point to the next. */
function sampleAlong(
    points: readonly PlotPoint[],
    columnOf: (day: string) => number,
): (column: number) => { mean: number; deviation: number } {
    const places = points.map((point) => ({ ...point, column: columnOf(point.day) }));
    return (column) => {
        const index = places.findIndex((place) => place.column >= column);
        const after = places[index < 0 ? places.length - 1 : index];
        const before = places[index < 0 ? places.length - 1 : Math.max(0, index - 1)];
        if (before === undefined || after === undefined) {
            return { mean: 0, deviation: 0 };
        }
        const share = after.column > before.column ? Math.max(0, (column - before.column) / (after.column - before.column)) : 0;
        return {
            mean: before.mean + share * (after.mean - before.mean),
            deviation: before.deviation + share * (after.deviation - before.deviation),
        };
    };
}

/** Unicode counts the dots of a braille character 1, 2, 3, 7 down its left side and 4, 5, 6, 8 down its right. */
export function brailleBit(side: number, dot: number): number {
    return (
        ([
            [0x01, 0x02, 0x04, 0x40],
            [0x08, 0x10, 0x20, 0x80],
        ][side] ?? [])[dot] ?? 0
    );
}

/**
 * The axis of days. First and last day always have a label, and between them as many as stand apart, each the same number of days after the
 * other; a label begins at its tick.
 */
function drawDayAxis(firstDay: string, lastDay: string, { width, columnOf }: Scale): { line: string; labels: string } {
    const days = daysBetween(firstDay, lastDay);
    const stride = Math.max(1, Math.ceil((days * (LABEL_WIDTH + 3)) / width));
    const line = Array.from({ length: width }, () => '─');
    const startOf = (day: string) => Math.min(width - LABEL_WIDTH, Math.round(columnOf(day)));
    let labels = '';
    for (let offset = 0; offset <= days; offset += offset + stride < days ? stride : Math.max(1, days - offset)) {
        const day = addDays(firstDay, offset);
        const isClearOfBefore = labels.length < startOf(day);
        const isClearOfLast = day === lastDay || startOf(day) + LABEL_WIDTH < startOf(lastDay);
        if (labels === '' || (isClearOfBefore && isClearOfLast)) {
            labels = labels.padEnd(startOf(day)) + day;
            line[Math.round(columnOf(day))] = '┬';
        }
    }
    return { line: line.join(''), labels };
}

/** The step of an axis: 1, 2 or 5 with zeros behind or in front, the smallest that is at least `wanted`, and never below `least`. */
export function niceStep(wanted: number, { least = 1 }: { least?: number } = {}): number {
    const power = 10 ** Math.floor(Math.log10(wanted));
    const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= wanted * (1 - 1e-9)) ?? 10;
    return Math.max(least, factor * power);
}

function daysBetween(from: string, to: string): number {
    return Math.round((Date.parse(to) - Date.parse(from)) / MS_PER_DAY);
}

function addDays(day: string, count: number): string {
    return new Date(Date.parse(day) + count * MS_PER_DAY).toISOString().slice(0, 10);
}

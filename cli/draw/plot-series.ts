/**
 * Draws a metric over time in a terminal: the mean of each step as a line in braille, eight dots to a character, over the band between the smallest and
 * the largest value. A gap stays empty, so that what is missing is seen.
 */
import { brailleBit, niceStep } from './plot.ts';
import { sayTick } from './quantity.ts';
import { wrapLegend, wrapWords } from './text-width.ts';

/** What the readings of one step of time come to. */
export interface SeriesPoint {
    /** Beginning of the step, UTC epoch milliseconds; points come in order. */
    fromMs: number;
    mean: number;
    min: number;
    max: number;
}

export interface SeriesOptions {
    title: string;
    /** Length of a step: points that are further apart have a gap between them. */
    stepMs: number;
    /** Width of the terminal. */
    columns: number;
    /** Lines between title and axis. */
    rows?: number;
}

const BAND = '░';
const LEGEND = ['⠤⠤ mean', `${BAND} smallest to largest`, 'times in UTC'];
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The plot's lines, each ended; only the title where there are no points. */
export function renderSeries(points: readonly SeriesPoint[], { title, stepMs, columns, rows = 12 }: SeriesOptions): string {
    const [first] = points;
    const last = points.at(-1);
    if (first === undefined || last === undefined) {
        return `${title}: no readings of numbers\n`;
    }
    const least = Math.min(...points.map(({ min }) => min));
    const most = Math.max(...points.map(({ max }) => max));
    const tick = niceStep((most - least) / 4 || Math.abs(most) / 100 || 1, { least: 0 });
    const bottom = Math.floor(least / tick + 1e-9) * tick;
    const count = Math.max(1, Math.ceil((most - bottom) / tick - 1e-9));
    const ticks = Array.from({ length: count + 1 }, (_, index) => bottom + index * tick);
    const tickWidth = Math.max(...ticks.map((value) => sayTick(value, tick).length));
    const width = Math.max(TIME_WIDTH, columns - tickWidth - 3);
    const spanMs = Math.max(stepMs, last.fromMs - first.fromMs);
    const frame: Frame = {
        width,
        rows,
        dotColumnOf: (ms) => Math.round(((ms - first.fromMs) / spanMs) * (width * 2 - 1)),
        dotRowOf: (value) => Math.round((1 - (value - bottom) / (count * tick)) * (rows * 4 - 1)),
    };
    const grid = drawGrid(points, frame, stepMs);
    const labels = new Map(ticks.map((value) => [Math.floor(frame.dotRowOf(value) / 4), sayTick(value, tick)]));
    const body = grid.map((cells, row) => {
        const label = labels.get(row);
        return `${(label ?? '').padStart(tickWidth)} ${label === undefined ? '│' : '┤'}${cells.join('')}`.trimEnd();
    });
    const margin = ' '.repeat(tickWidth + 1);
    const axis = drawTimeAxis(first.fromMs, spanMs, width);
    const legend = wrapLegend(LEGEND, columns - margin.length - 1).map((line) => `${margin} ${line}`);
    return `${[...wrapWords(title, columns), ...body, `${margin}└${axis.line}`, `${margin} ${axis.labels}`, ...legend].join('\n')}\n`;
}

/** Places in braille dots: two to a character from the left, four from the top. */
interface Frame {
    width: number;
    rows: number;
    dotColumnOf(ms: number): number;
    dotRowOf(value: number): number;
}

function drawGrid(points: readonly SeriesPoint[], { width, rows, dotColumnOf, dotRowOf }: Frame, stepMs: number): string[][] {
    const grid = Array.from({ length: rows }, () => Array.from({ length: width }, () => ' '));
    const dots = new Map<string, number>();
    const dot = (column: number, row: number): void => {
        const place = `${Math.floor(row / 4)} ${column >> 1}`;
        dots.set(place, (dots.get(place) ?? 0) | brailleBit(column & 1, row % 4));
    };
    points.forEach((point, index) => {
        const previous = points[index - 1];
        const before = previous && point.fromMs - previous.fromMs <= stepMs ? previous : point;
        const [fromColumn, toColumn] = [dotColumnOf(before.fromMs), dotColumnOf(point.fromMs)];
        const steps = Math.max(1, toColumn - fromColumn, Math.abs(dotRowOf(point.mean) - dotRowOf(before.mean)));
        for (let step = 0; step <= steps; step += 1) {
            const between = (name: 'mean' | 'min' | 'max'): number =>
                dotRowOf(before[name] + (step / steps) * (point[name] - before[name]));
            const column = Math.round(fromColumn + (step / steps) * (toColumn - fromColumn));
            for (let row = Math.floor(between('max') / 4); row <= Math.floor(between('min') / 4); row += 1) {
                const cells = grid[row];
                if (cells) {
                    cells[column >> 1] = BAND;
                }
            }
            dot(column, between('mean'));
        }
    });
    for (const [place, bits] of dots) {
        const [row, column] = place.split(' ').map(Number) as [number, number];
        const cells = grid[row];
        if (cells) {
            cells[column] = String.fromCodePoint(0x2800 + bits);
        }
    }
    return grid;
}

const TIME_WIDTH = 'YYYY-MM-DD HH:MM'.length;

/** The axis of time: as many labels as stand apart, the first at the left edge; a label begins at its tick. Days alone over more than two weeks. */
function drawTimeAxis(firstMs: number, spanMs: number, width: number): { line: string; labels: string } {
    const isDays = spanMs > 14 * DAY_MS;
    const labelWidth = isDays ? 'YYYY-MM-DD'.length : TIME_WIDTH;
    const count = Math.max(1, Math.floor(width / (labelWidth + 4)));
    const line = Array.from({ length: width }, () => '─');
    let labels = '';
    for (let index = 0; index < count; index += 1) {
        const column = Math.round((index / count) * width);
        const ms = firstMs + Math.round((column / width) * (spanMs / MINUTE_MS)) * MINUTE_MS;
        line[column] = '┬';
        labels = labels.padEnd(column) + new Date(ms).toISOString().replace('T', ' ').slice(0, labelWidth);
    }
    return { line: line.join(''), labels };
}

/** How an answer is plotted: over its day or time, one line for each of what else its rows are told apart by. */
import type { Series } from '../../parts/time-chart.tsx';
import { type AnswerColumn, type AskAnswer, type Cell, isNumeric } from './answer.ts';

export interface Plot {
    times: readonly number[];
    isDays: boolean;
    series: readonly Series[];
    /** Lines there are in all; more than the series where there are too many to be told apart. */
    lineCount: number;
    /** Rows that have the time and line of another one, and are not drawn. */
    hiddenRows: number;
}

/** Columns that an answer can be plotted by: times, the one with most of them first, and figures. */
export interface PlotColumns {
    times: readonly AnswerColumn[];
    figures: readonly AnswerColumn[];
}

/** The first of more lines that are drawn, those with the largest values: as many as there are colours. */
const MAX_LINES = 6;

/** Steps of time that are filled with gaps at most. */
const MAX_STEPS = 10_000;

const DAY_MS = 86_400_000;

/** Milliseconds between 1980 and 2200: what a column of instants holds. */
const LEAST_MS = 315_532_800_000;
const MOST_MS = 7_258_118_400_000;

/** The columns that the answer can be plotted by; undefined where it has no time, or no figure. */
export function plotColumns({ columns, rows }: AskAnswer): PlotColumns | undefined {
    const times = columns.filter((column, at) => {
        const some = rows.map((row) => row[at]).filter((cell) => cell !== null && cell !== undefined);
        return some.length > 1 && mayBeTime(column) && some.every((cell) => timeOf(cell, column) !== undefined);
    });
    const figures = columns.filter((column) => isNumeric(column) && !times.includes(column) && !/_ms$/.test(column.name));
    const distinct = (column: AnswerColumn): number => new Set(rows.map((row) => row[columns.indexOf(column)])).size;
    times.sort((a, b) => distinct(b) - distinct(a));
    return times.length > 0 && figures.length > 0 ? { times, figures } : undefined;
}

/** The plot of a figure over a time. Rows without either are left out; of those with one time and line the first one is drawn. */
export function plotOf(answer: AskAnswer, { time, figure }: { time: AnswerColumn; figure: AnswerColumn }): Plot {
    const { columns, rows } = answer;
    const allTimes = plotColumns(answer)?.times ?? [];
    const [timeAt, figureAt] = [columns.indexOf(time), columns.indexOf(figure)];
    const others = columns.map((column, at) => ({ column, at })).filter(({ column }) => !isNumeric(column) && !allTimes.includes(column));
    const lines = new Map<string, Map<number, Cell>>();
    let hiddenRows = 0;
    for (const row of rows) {
        const ms = timeOf(row[timeAt], time);
        const name = others.map(({ at }) => String(row[at] ?? 'none')).join(' · ') || figure.name;
        if (ms !== undefined) {
            const line = lines.get(name) ?? new Map<number, Cell>();
            hiddenRows += line.has(ms) ? 1 : 0;
            line.set(ms, line.get(ms) ?? row[figureAt] ?? null);
            lines.set(name, line);
        }
    }
    const times = filled([...new Set([...lines.values()].flatMap((line) => [...line.keys()]))].sort((a, b) => a - b));
    const drawn = [...lines].sort(([, a], [, b]) => largest(b) - largest(a)).slice(0, MAX_LINES);
    const series = drawn.map(([title, line]): Series => {
        const cells = times.map((ms) => line.get(ms) ?? null);
        return { title, look: 'line', values: cells.map(numberOf), texts: cells.map((cell) => (cell === null ? null : String(cell))) };
    });
    return { times, isDays: times.every((ms) => ms % DAY_MS === 0), series, lineCount: lines.size, hiddenRows };
}

function mayBeTime({ name, type }: AnswerColumn): boolean {
    return type === 'varchar' || type === 'date' || type.startsWith('timestamp') || (type === 'bigint' && /(^|_)ms$/.test(name));
}

/** The time of a cell as UTC epoch milliseconds; undefined where it is none. */
function timeOf(cell: Cell | undefined, { type }: AnswerColumn): number | undefined {
    if (type === 'bigint') {
        const ms = Number(cell);
        return typeof cell === 'string' && ms >= LEAST_MS && ms <= MOST_MS ? ms : undefined;
    }
    const [, day, clock] =
        /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?)?)?(?: UTC|Z|\+00(?::00)?)?$/.exec(String(cell ?? '')) ?? [];
    const ms = day === undefined ? Number.NaN : Date.parse(`${day}T${clock?.slice(0, 12) ?? '00:00:00'}Z`);
    return Number.isNaN(ms) ? undefined : ms;
}

/** The times with those between them that have no row, where they come at equal steps: a gap is shown, never bridged. */
function filled(times: readonly number[]): readonly number[] {
    const [first = 0, last = 0] = [times[0], times.at(-1)];
    const steps = times.slice(1).map((ms, at) => ms - (times[at] ?? 0));
    const step = steps.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
    const count = (last - first) / step + 1;
    if (times.length < 2 || count > MAX_STEPS || steps.some((one) => one % step !== 0)) {
        return times;
    }
    return Array.from({ length: count }, (_, at) => first + at * step);
}

function numberOf(cell: Cell): number | null {
    const number = cell === null || typeof cell === 'boolean' ? Number.NaN : Number(cell);
    return Number.isFinite(number) ? number : null;
}

function largest(line: ReadonlyMap<number, Cell>): number {
    return [...line.values()].reduce<number>((most, cell) => Math.max(most, Math.abs(numberOf(cell) ?? 0)), 0);
}

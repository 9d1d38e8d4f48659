/** Keeps a report to one screen: of many files it shows those that need a look, and one line for all others of each result. */
import { sayCount } from '#cli/draw/quantity';
import type { Value } from '#lake/query/query-engine';
import type { UploadResult } from '#lake/upload/result';
import type { ReportColumn } from './report-columns.ts';

/** Files that a table shows one by one. */
const MOST_ROWS = 12;

/** Files that need a look and are shown where there are more files than that. */
const MOST_PROBLEMS = 5;

/** True if something must be done about the file. */
export function isProblem({ result }: UploadResult): boolean {
    return result === 'refused' || result === 'failed' || result === 'nothing kept';
}

/** The rows of a table on the screen. @returns also how many files have no row of their own */
export function rowsForScreen(results: readonly UploadResult[], columns: readonly ReportColumn[]): { rows: Value[][]; gathered: number } {
    const rowOf = (result: UploadResult): Value[] => columns.map(({ cellOf }) => cellOf(result));
    if (results.length <= MOST_ROWS) {
        return { rows: results.map(rowOf), gathered: 0 };
    }
    const shown = results.filter(isProblem).slice(0, MOST_PROBLEMS);
    const others = results.filter((result) => !shown.includes(result));
    const words = [...new Set(others.map(({ result }) => result))];
    const together = words.map((word) => {
        const alike = others.filter(({ result }) => result === word);
        const name = `${shown.some(({ result }) => result === word) ? 'other ' : ''}${alike.length === 1 ? 'file' : 'files'}`;
        return columns.map((column) =>
            column.name === 'file' ? `${alike.length} ${name}` : column.ofAll(alike.map((result) => column.cellOf(result))),
        );
    });
    return { rows: [...shown.map(rowOf), ...together], gathered: others.length };
}

/** The first lines, and one that says how many more there are. */
export function firstLines(lines: readonly string[], { most, what }: { most: number; what: string }): string[] {
    const more = lines.length - most;
    return more > 1 ? [...lines.slice(0, most), `${sayCount(more, `more ${what}`)}: --output csv has them all`] : [...lines];
}

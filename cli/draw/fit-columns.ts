/** Finds which columns of a table stand side by side on a terminal, and how wide each is. */
import { widthOf } from './text-width.ts';

/** Blanks between two columns. */
export const GAP = '  ';
/** Blanks in front of a row's second line. */
export const INDENT = '    ';
/** Texts are not cut below this: an address of a private network mostly stays readable. */
export const MIN_TEXT_WIDTH = 12;
/** A header without underscores (an expression, say) is cut here. */
const MAX_HEADER_PART = 16;

export interface Column {
    header: string;
    isNumber: boolean;
    /** Width of its widest cell, the header left out. */
    cellWidth: number;
}

/** Columns that stand side by side. */
export interface Line {
    columns: readonly Column[];
    widths: readonly number[];
}

/** All columns on one line; undefined where they cannot be made to fit. */
export function fitOneLine(columns: readonly Column[], maxWidth: number): Line[] | undefined {
    const widths = fitWidths(columns, maxWidth) ?? fitWidths(columns, maxWidth, { mayCut: true });
    return widths && [{ columns, widths }];
}

/** The first columns on one line, the others on a second, indented, both about as long; with nothing cut if that can be. */
export function fitTwoLines(columns: readonly Column[], maxWidth: number): Line[] | undefined {
    for (const mayCut of [false, true]) {
        const splits = columns.slice(1).flatMap((_, index) => {
            const [above, below] = [columns.slice(0, index + 1), columns.slice(index + 1)];
            const widthsAbove = fitWidths(above, maxWidth, { mayCut });
            const widthsBelow = fitWidths(below, maxWidth - INDENT.length, { mayCut });
            return widthsAbove && widthsBelow
                ? [
                      [
                          { columns: above, widths: widthsAbove },
                          { columns: below, widths: widthsBelow },
                      ],
                  ]
                : [];
        });
        const [best] = splits.sort((a, b) => longest(a) - longest(b));
        if (best !== undefined) {
            return best;
        }
    }
    return undefined;
}

function longest(lines: readonly Line[]): number {
    return Math.max(...lines.map(({ columns }) => columns.reduce((sum, column) => sum + naturalWidth(column) + GAP.length, 0)));
}

/** Widths of the columns; undefined where they do not fit side by side. */
function fitWidths(columns: readonly Column[], maxWidth: number, { mayCut = false }: { mayCut?: boolean } = {}): number[] | undefined {
    const floors = columns.map(({ header, isNumber, cellWidth }) => {
        const headerFloor = Math.min(MAX_HEADER_PART, Math.max(...breakHeader(header).map(widthOf)));
        const uncut = Math.max(cellWidth, headerFloor);
        return isNumber || !mayCut ? uncut : Math.min(uncut, Math.max(MIN_TEXT_WIDTH, headerFloor));
    });
    // Capped first, so that a cell of a thousand characters does not make this slow.
    const widths = columns.map((column, index) => Math.min(naturalWidth(column), Math.max(maxWidth, floors[index] ?? 0)));
    return shrink(widths, floors, maxWidth - GAP.length * (columns.length - 1));
}

/** Takes width from the widest column that may give until all fit. @returns the new widths, or undefined where they cannot fit */
function shrink(from: readonly number[], floors: readonly number[], room: number): number[] | undefined {
    const widths = [...from];
    for (let excess = widths.reduce((sum, width) => sum + width, 0) - room; excess > 0; excess--) {
        let widest = -1;
        widths.forEach((width, index) => {
            if (width > (floors[index] ?? 0) && width > (widths[widest] ?? 0)) {
                widest = index;
            }
        });
        if (widest < 0) {
            return undefined;
        }
        widths[widest] = (widths[widest] ?? 0) - 1;
    }
    return widths;
}

export function naturalWidth({ header, cellWidth }: Column): number {
    return Math.max(widthOf(header), cellWidth);
}

/** The parts of a header: `fwd_`, `pkts_`, `sum` of `fwd_pkts_sum`. */
export function breakHeader(header: string): string[] {
    return header.split(/(?<=_)(?=[^_])/);
}

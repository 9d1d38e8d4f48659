/**
 * A table for people. The first 500 rows are held back to size the columns; the rows after them stream through that layout.
 * Off a terminal nothing is cut. On one the table is made to fit in steps: headers break at their underscores, then texts are cut
 * with an ellipsis, then each row takes two lines, and where that is not enough a block of lines, one for each column, or two: its
 * name, and below it what it is. A number is never cut: half a number is a wrong one.
 */

import type { Output } from '#cli/output';
import type { QueryResult, ResultColumn, Value } from '#lake/query/query-engine';
import type { Column, Line } from './fit-columns.ts';
import { breakHeader, fitOneLine, fitTwoLines, GAP, INDENT, MIN_TEXT_WIDTH, naturalWidth } from './fit-columns.ts';
import { cutToWidth, padToWidth, printable, widthOf } from './text-width.ts';

const SIZING_ROWS = 500;

/** A piece of what is printed and how many rows end in it. */
export interface Chunk {
    text: string;
    rows: number;
}

interface Layout {
    head: string;
    renderRows(rows: readonly string[][]): string;
}

/** Renders the table for this output, header first. */
export async function* renderTable(result: QueryResult, output: Pick<Output, 'isTerminal' | 'columns'>): AsyncGenerator<Chunk> {
    const batches = renderBatches(result);
    try {
        const held: string[][] = [];
        for (let next = await batches.next(); !next.done; next = await batches.next()) {
            held.push(...next.value);
            if (held.length >= SIZING_ROWS) {
                break;
            }
        }
        const columns = result.columns.map((column, index) => ({
            header: printable(column.name),
            isNumber: isNumeric(column),
            cellWidth: held.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? '')), 0),
        }));
        const { head, renderRows } = layOut(columns, output);
        yield { text: head + renderRows(held), rows: held.length };
        for await (const rows of batches) {
            yield { text: renderRows(rows), rows: rows.length };
        }
    } finally {
        await batches.return(undefined);
    }
}

async function* renderBatches({ columns, batches }: QueryResult): AsyncGenerator<string[][]> {
    for await (const batch of batches) {
        yield batch.map((row) => columns.map((_, index) => renderCell(row[index] ?? null)));
    }
}

/** A cell's text. Null is blank. Fractions have three places here; JSON and CSV have all of them. */
function renderCell(value: Value): string {
    if (typeof value === 'number') {
        return renderDouble(value);
    }
    return value === null ? '' : printable(String(value));
}

function renderDouble(value: number): string {
    const size = Math.abs(value);
    if (!Number.isFinite(value) || size >= 1e15) {
        return String(value);
    }
    return size === 0 || size >= 0.0005 ? value.toFixed(3) : value.toExponential(3);
}

function isNumeric({ type }: ResultColumn): boolean {
    return /^(u?(tiny|small|big|huge)?int(eger)?|decimal|numeric|double|float|real)\b/.test(type);
}

function layOut(columns: readonly Column[], { isTerminal, columns: maxWidth }: Pick<Output, 'isTerminal' | 'columns'>): Layout {
    if (!isTerminal) {
        return layOutGrid([{ columns, widths: columns.map(naturalWidth) }], { isCutting: false });
    }
    const lines = fitOneLine(columns, maxWidth) ?? fitTwoLines(columns, maxWidth);
    return lines === undefined ? layOutBlocks(columns, maxWidth) : layOutGrid(lines, { isCutting: true });
}

function layOutGrid(lines: readonly Line[], { isCutting }: { isCutting: boolean }): Layout {
    const renderRow = (row: readonly string[]) => {
        let start = 0;
        const rendered = lines.map((line) => {
            start += line.columns.length;
            return renderCells(line, row.slice(start - line.columns.length, start), { isCutting });
        });
        return rendered.join(INDENT);
    };
    const head = lines.flatMap((line, index) => renderHeaders(line).map((text) => (index === 0 ? text : INDENT + text))).join('');
    const rules = lines.map(({ widths }) => widths.map((width) => '─'.repeat(width)).join(GAP));
    // Under headers of two lines one rule tells the columns of neither: it only ends the head.
    const rule =
        rules.length === 1 ? rules.join('') : '─'.repeat(Math.max(...rules.map((part, index) => part.length + index * INDENT.length)));
    return { head: `${head}${rule}\n`, renderRows: (rows) => rows.map(renderRow).join('') };
}

/** The cells on a line of their own, padded; with `isCutting` texts that are too wide are cut. */
function renderCells({ columns, widths }: Line, cells: readonly string[], { isCutting }: { isCutting: boolean }): string {
    const padded = columns.map(({ isNumber }, index) => {
        const width = widths[index] ?? 0;
        const cell = cells[index] ?? '';
        return padToWidth(isCutting && !isNumber ? cutToWidth(cell, width) : cell, width, isNumber ? 'right' : 'left');
    });
    return `${padded.join(GAP).trimEnd()}\n`;
}

/** The lines of the headers, which end on the same line, however many lines each takes. */
function renderHeaders(line: Line): string[] {
    const headers = line.columns.map(({ header }, index) => wrapHeader(header, line.widths[index] ?? 0));
    const height = Math.max(...headers.map((lines) => lines.length));
    return Array.from({ length: height }, (_, row) =>
        renderCells(
            line,
            headers.map((lines) => lines[row - height + lines.length] ?? ''),
            { isCutting: false },
        ),
    );
}

function wrapHeader(header: string, width: number): string[] {
    const lines: string[] = [];
    for (const part of breakHeader(header)) {
        const last = lines.at(-1);
        if (last !== undefined && widthOf(last + part) <= width) {
            lines[lines.length - 1] = last + part;
        } else {
            lines.push(cutToWidth(part, width));
        }
    }
    return lines;
}

function layOutBlocks(columns: readonly Column[], maxWidth: number): Layout {
    const nameWidth = Math.max(...columns.map(({ header }) => widthOf(header)));
    const numberWidth = Math.max(0, ...columns.map(({ isNumber, cellWidth }) => (isNumber ? cellWidth : 0)));
    const besideWidth = maxWidth - nameWidth - GAP.length;
    const isBeside = besideWidth >= Math.max(MIN_TEXT_WIDTH, numberWidth);
    const textWidth = isBeside ? besideWidth : Math.max(MIN_TEXT_WIDTH, maxWidth - INDENT.length);
    let number = 0;
    const renderRow = (row: readonly string[]) => {
        const title = `── row ${++number} `;
        const lines = columns.map(({ header, isNumber }, index) => {
            const cell = row[index] ?? '';
            const shown = isNumber ? cell : cutToWidth(cell, textWidth);
            return isBeside
                ? `${padToWidth(header, nameWidth, 'left')}${GAP}${shown}`
                : `${cutToWidth(header, maxWidth)}\n${INDENT}${shown}`;
        });
        return `${title}${'─'.repeat(Math.max(0, maxWidth - title.length))}\n${lines.join('\n').replaceAll(/ +$/gm, '')}\n`;
    };
    return { head: '', renderRows: (rows) => rows.map(renderRow).join('') };
}

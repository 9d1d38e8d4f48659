/** A table of a page. */
import type { Row } from '#lake/reports/named-rows';
import { figure, instant, name, rounded } from './figures.ts';
import { type Markup, markup } from './markup.ts';

export interface TableColumn {
    head: string;
    /** Numbers stand at the right. */
    isNumber?: boolean;
    /** Texts that may be broken anywhere, where there is no room: keys of files, sentences. */
    isLong?: boolean;
    cell(row: Row): Markup;
}

/** A table of so many rows at most stays on one sheet of paper. */
const SHORT_ROWS = 15;

export function table(caption: string, columns: readonly TableColumn[], rows: readonly Row[]): Markup {
    const classOf = ({ isNumber, isLong }: TableColumn): string => (isNumber ? 'number' : isLong ? 'long' : 'text');
    return markup`<div class="${rows.length <= SHORT_ROWS ? 'wide short' : 'wide'}"><table><caption>${caption}</caption>
<thead><tr>${columns.map((column) => markup`<th scope="col" class="${classOf(column)}">${column.head}</th>`)}</tr></thead>
<tbody>${rows.map(
        (row) => markup`<tr>${columns.map((column) => markup`<td class="${classOf(column)}">${column.cell(row)}</td>`)}</tr>
`,
    )}</tbody></table></div>
`;
}

export function text(column: string, head = column.replaceAll('_', ' ')): TableColumn {
    return { head, cell: (row) => name(row[column]) };
}

export function dayColumn(column: string, head = column.replaceAll('_', ' ')): TableColumn {
    return { head, cell: (row) => markup`<span class="time">${name(row[column])}</span>` };
}

export function long(column: string, head?: string): TableColumn {
    return { ...text(column, head), isLong: true };
}

const HEADS: Readonly<Record<string, string>> = { flow_duration_us_sum: 'duration, µs', fwd_pkts_sum: 'forward packets' };

export function number(column: string, head = HEADS[column] ?? column.replaceAll('_', ' ')): TableColumn {
    return { head, isNumber: true, cell: (row) => figure(row[column]) };
}

export function at(column: string, head: string): TableColumn {
    return { head, cell: (row) => instant(row[column]) };
}

/** A double with three places. */
export function mean(column: string, head: string): TableColumn {
    return { head, isNumber: true, cell: (row) => rounded(row[column]) };
}

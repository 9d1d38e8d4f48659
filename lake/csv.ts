/** CSV as the lake writes it: quotes as RFC 4180 has them; lines end in LF, as other programs of a pipe expect. */
import type { Value } from '#lake/query/query-engine';

/** The line of a row, with its line end. Null is an empty field and the empty text is `""`. */
export function csvLine(row: readonly Value[]): string {
    return `${row.map(csvField).join(',')}\n`;
}

function csvField(value: Value): string {
    if (value === null) {
        return '';
    }
    const text = String(value);
    return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** CSV as the lake writes it: quotes as RFC 4180 has them; lines end in LF, as other programs of a pipe expect. */
import type { Value } from '#lake/query/query-engine';

/** The line of a row, with its line end. Null is an empty field and the empty text is `""`. */
export function csvLine(row: readonly Value[]): string {
    return `${row.map(csvField).join(',')}\n`;
}

/** The line of a row for a file that will be opened in a spreadsheet: no text of it is a formula there. */
export function csvLineForSpreadsheets(row: readonly Value[]): string {
    return csvLine(row.map((value) => (typeof value === 'string' ? harmlessInSpreadsheet(value) : value)));
}

/**
 * The text with an apostrophe in front where a spreadsheet would take it for a formula, and where it has one before such a beginning already: so who takes one
 * off again has the text as it was. Numbers are left as they are: a minus is none's formula.
 */
function harmlessInSpreadsheet(text: string): string {
    return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}

/** Beginnings of formulas by https://owasp.org/www-community/attacks/CSV_Injection, the wide forms of East Asia too, behind any apostrophes. */
const FORMULA = /^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function csvField(value: Value): string {
    if (value === null) {
        return '';
    }
    const text = String(value);
    return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

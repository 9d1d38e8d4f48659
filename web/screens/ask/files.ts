/** An answer as a file: the digits are those of `flowlake query`. */
import { csvLineForSpreadsheets } from '../../../lake/csv.ts';
import { jsonRowWriter } from '../../../lake/json-rows.ts';
import { type AskAnswer, valuesOf } from './answer.ts';

/** CSV with a line of names. It can be opened in a spreadsheet: no text in it is a formula there. */
export function csvOf({ columns, rows }: AskAnswer): string {
    const names = csvLineForSpreadsheets(columns.map(({ name }) => name));
    return names + rows.map((row) => csvLineForSpreadsheets(valuesOf(row, columns))).join('');
}

/** A JSON array with one object per row and line. */
export function jsonOf({ columns, rows }: AskAnswer): string {
    const write = jsonRowWriter(columns);
    const lines = rows.map((row) => write(valuesOf(row, columns)));
    return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}

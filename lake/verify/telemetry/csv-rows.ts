/** Rows of a text with separators as messages: the flat JSON object of the cells under the header's names. */
import { NotFollowedError } from '#lake/verify/second-reading';

const JSON_WORD = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

/** A message, or a row, as it stands in a file; `reason` says why it never comes to a profile. */
export interface Found {
    /** The bytes that the message is known by. */
    shown: Buffer;
    /** What a profile reads, where that is not what is shown. */
    payload?: Buffer;
    reason?: string;
}

/** @param text the file, a character for each byte @returns undefined where it has no usable header */
export function rowsOf(text: string): Found[] | undefined {
    const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
    const header = lines.findIndex((line) => line.trim() !== '');
    const headerLine = lines[header] ?? '';
    const separator = [',', ';', '\t', '|'].find((one) => headerLine.includes(one));
    if (separator === undefined) {
        return undefined;
    }
    const names = cellsOf(headerLine, separator);
    if (names.includes('') || new Set(names).size < names.length) {
        return undefined;
    }
    return lines
        .slice(header + 1)
        .filter((line) => line.trim() !== '')
        .map((line) => {
            const cells = cellsOf(line, separator);
            const shown = Buffer.from(line, 'latin1');
            if (cells.slice(names.length).some((cell) => cell !== '')) {
                return { shown, reason: 'extra_cells' };
            }
            const members = cells.slice(0, names.length).flatMap((cell, at) => {
                const value = JSON_WORD.test(cell) ? cell : JSON.stringify(utf8(cell));
                return cell === '' ? [] : [`${JSON.stringify(utf8(names[at] ?? ''))}:${value}`];
            });
            return { shown, payload: Buffer.from(`{${members.join(',')}}`) };
        });
}

/** @throws NotFollowedError for a quoted cell that goes over its line, or has something behind it */
function cellsOf(line: string, separator: string): string[] {
    const cells: string[] = [];
    let rest = line;
    for (;;) {
        const quoted = /^[ \t]*"((?:[^"]|"")*)"[ \t]*/.exec(rest);
        if (quoted) {
            const [taken, text = ''] = quoted;
            cells.push(text.replaceAll('""', '"'));
            rest = rest.slice(taken.length);
            if (rest !== '' && !rest.startsWith(separator)) {
                throw new NotFollowedError('a row of it has something behind a quoted cell');
            }
        } else {
            const at = rest.indexOf(separator);
            const text = (at < 0 ? rest : rest.slice(0, at)).trim();
            if (text.startsWith('"')) {
                throw new NotFollowedError('a row of it has a quoted cell that does not end on its line');
            }
            cells.push(text);
            rest = at < 0 ? '' : rest.slice(at);
        }
        if (rest === '') {
            return cells;
        }
        rest = rest.slice(separator.length);
    }
}

function utf8(latin1: string): string {
    return Buffer.from(latin1, 'latin1').toString();
}

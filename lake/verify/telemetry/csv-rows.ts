/** Rows of a text with separators as messages: the flat JSON object of the cells under the header's names. */
import { NotFollowedError } from '#lake/verify/second-reading';
import type { Found } from './message-files.ts';

const JSON_WORD = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

/** @param text the file, a character for each byte @returns undefined where it has no usable header */
export function rowsOf(text: string): Found[] | undefined {
    const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
    const header = lines.findIndex((line) => line.trim() !== '');
    const headerLine = lines[header] ?? '';
    const separator = [',', ';', '\t', '|'].find((one) => headerLine.includes(one));
    if (separator === undefined) {
        return undefined;
    }
    const names = cellsOf(headerLine, separator).map(({ text: name }) => name);
    if (names.includes('') || new Set(names).size < names.length) {
        return undefined;
    }
    return lines
        .slice(header + 1)
        .filter((line) => line.trim() !== '')
        .map((line) => {
            const cells = cellsOf(line, separator);
            const shown = Buffer.from(line, 'latin1');
            if (cells.length > names.length) {
                return { shown, reason: 'extra_cells' };
            }
            const members = cells.flatMap((cell, at) => {
                const value = !cell.isQuoted && JSON_WORD.test(cell.text) ? cell.text : JSON.stringify(utf8(cell.text));
                return cell.text === '' ? [] : [`${JSON.stringify(utf8(names[at] ?? ''))}:${value}`];
            });
            return { shown, payload: Buffer.from(`{${members.join(',')}}`) };
        });
}

interface Cell {
    text: string;
    isQuoted: boolean;
}

/** @throws NotFollowedError for a quoted cell that goes over its line, or has something behind it */
function cellsOf(line: string, separator: string): Cell[] {
    const cells: Cell[] = [];
    let rest = line;
    for (;;) {
        const quoted = /^[ \t]*"((?:[^"]|"")*)"[ \t]*/.exec(rest);
        if (quoted) {
            const [taken, text = ''] = quoted;
            cells.push({ text: text.replaceAll('""', '"'), isQuoted: true });
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
            cells.push({ text, isQuoted: false });
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

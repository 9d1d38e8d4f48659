/** Finds which column holds what in a file's header, by the page docs/reading.md and not by lake/flows. */
import { blanks, hex, trimBlanks } from './raw-text.ts';

/** The five needed columns, in the order in which a row's fields are checked. */
export const FIELDS = ['src', 'dst', 'began', 'duration', 'packets'] as const;
export type Field = (typeof FIELDS)[number];

const SPELLINGS: Record<Field, readonly string[]> = {
    src: ['src ip', 'source ip', 'src_ip', 'id.orig_h'],
    dst: ['dst ip', 'destination ip', 'dst_ip', 'id.resp_h'],
    began: ['timestamp', 'date', 'ts'],
    duration: ['flow duration', 'flow_duration', 'duration'],
    packets: ['tot fwd pkts', 'total fwd packet', 'total fwd packets', 'tot_fwd_pkts', 'orig_pkts'],
};

export interface Layout {
    dialect: 'cicflowmeter' | 'python-cicflowmeter' | 'zeek';
    /** True for a Zeek log: its lines that begin with `#` are no rows. */
    isZeekLog: boolean;
    separator: string;
    /** The needed columns from left to right: where each stands (from 0) and what it is called, lower case. */
    columns: readonly { field: Field; at: number; name: string }[];
    /** All names, lower case. */
    names: readonly string[];
}

/** Most characters that a header has; docs/reading.md: it ends within the first MiB of a file. */
const MAX_HEADER_CHARACTERS = 1 << 20;

/**
 * Finds the header at the start of a file's text.
 * @returns the layout and the text behind the header, or undefined where the file has no usable header.
 */
export function takeHeader(text: string): { layout: Layout; rows: string; otherLogRows: number } | undefined {
    if (isTar(text)) {
        return undefined;
    }
    let separator = '\t';
    let isZeekLog = false;
    let isOtherLog = false;
    let otherLogRows = 0;
    for (let at = 0; at < text.length; ) {
        const lineEnd = text.indexOf('\n', at);
        if (lineEnd >= MAX_HEADER_CHARACTERS) {
            return undefined;
        }
        const line = text.slice(at, lineEnd).replace(/\r$/, '');
        isZeekLog ||= /^#(separator|fields)\b/.test(line);
        if (!isZeekLog && /[^ \t]/.test(line)) {
            const header = csvHeader(text.slice(at, MAX_HEADER_CHARACTERS));
            return header && { layout: header.layout, rows: text.slice(at + header.end), otherLogRows };
        }
        at = lineEnd + 1;
        if (isZeekLog && line.startsWith(ZEEK_SEPARATOR)) {
            const named = zeekSeparator(line.slice(ZEEK_SEPARATOR.length));
            if (named === undefined) {
                return undefined;
            }
            separator = named;
        }
        isOtherLog = isZeekLog ? isOtherLogBehind(line, { separator, isOtherLog }) : false;
        if (isOtherLog) {
            otherLogRows += countRows(line);
            continue;
        }
        if (isZeekFields(line, separator)) {
            const layout = zeekLayout(line, separator);
            return layout && { layout, rows: text.slice(at), otherLogRows };
        }
    }
    return undefined;
}

/** True for a tar archive, whose first file's name would be taken for the header's first: the number at 148 is the sum of all other bytes of the block, and 8 blanks. */
function isTar(text: string): boolean {
    const rest = text.slice(0, 148) + ' '.repeat(8) + text.slice(156, 512);
    const sum = [...rest].reduce((total, character) => total + character.charCodeAt(0), 0);
    return rest.length === 512 && /^ *([0-7]+)(?![0-9])/.exec(text.slice(148, 156))?.[1]?.replace(/^0+/, '') === sum.toString(8);
}

/** True if a line of a Zeek log names the columns of the rows behind it. */
export function isZeekFields(line: string, separator: string): boolean {
    return line.startsWith(`#fields${separator}`);
}

/** True if the rows behind a line of a Zeek log are of another log than conn, as they were in front of it (`isOtherLog`) unless it is a line `#path`. */
export function isOtherLogBehind(line: string, { separator, isOtherLog }: { separator: string; isOtherLog: boolean }): boolean {
    return line.startsWith(`#path${separator}`) ? line.slice('#path'.length + 1).trim() !== 'conn' : isOtherLog;
}

/** Count of the rows of another Zeek log: its lines that are neither empty nor begin with `#`. */
export function countRows(lines: string): number {
    return lines.split('\n').filter((line) => !/^(#|\r?$)/.test(line)).length;
}

/** The layout that a `#fields` line (without its line end) names, or undefined where it names too little. */
export function zeekLayout(line: string, separator: string): Layout | undefined {
    const row = takeNames(`${line}\r\n`, { at: '#fields'.length + 1, separator });
    return row && layoutOf(row.names, { separator, isZeekLog: true });
}

/** The needed columns under the separator that shows the most of them, and where the header ends. */
function csvHeader(text: string): { layout: Layout; end: number } | undefined {
    const candidates = [',', ';', '\t'].flatMap((separator) => {
        const row = takeNames(text, { at: 0, separator });
        return row ? [{ ...row, separator, found: columnsOf(row.names).length }] : [];
    });
    const most = Math.max(...candidates.map(({ found }) => found));
    const best = candidates.find(({ found }) => found === most);
    const layout = best && layoutOf(best.names, { separator: best.separator, isZeekLog: false });
    return layout && { layout, end: best.end };
}

/** The layout of a table with these columns, lower case; undefined where it lacks one that is needed. */
export function tableLayout(names: readonly string[]): Layout | undefined {
    return layoutOf(names, { separator: ',', isZeekLog: false });
}

function layoutOf(names: readonly string[], { separator, isZeekLog }: { separator: string; isZeekLog: boolean }): Layout | undefined {
    const columns = columnsOf(names);
    if (columns.length < FIELDS.length) {
        return undefined;
    }
    const source = columns.find(({ field }) => field === 'src')?.name;
    const dialect = source === 'id.orig_h' ? 'zeek' : source === 'src_ip' ? 'python-cicflowmeter' : 'cicflowmeter';
    return { dialect, isZeekLog, separator, columns, names };
}

function columnsOf(names: readonly string[]): Layout['columns'] {
    return FIELDS.flatMap((field) => {
        const at = names.findIndex((name) => SPELLINGS[field].includes(name));
        return at < 0 ? [] : [{ field, at, name: names[at] ?? '' }];
    }).sort((a, b) => a.at - b.at);
}

/** The names of the row that begins at `at`, lower case, and where it ends; undefined where a quoted name does not end. */
function takeNames(text: string, { at, separator }: { at: number; separator: string }): { names: string[]; end: number } | undefined {
    const mark = `\\x${hex(separator)}`;
    const field = new RegExp(`(?:"([^"]*(?:""[^"]*)*)"${blanks(separator)}|([^"\\n${mark}][^\\n${mark}]*)|)(${mark}|\\r?\\n)`, 'y');
    const names: string[] = [];
    field.lastIndex = at;
    for (let match = field.exec(text); match; match = field.exec(text)) {
        const [, quoted, plain = '', behind = ''] = match;
        const isLast = behind.endsWith('\n');
        const written = quoted?.replaceAll('""', '"') ?? (isLast ? plain.replace(/\r$/, '') : plain);
        names.push(trimBlanks(written, separator).toLowerCase());
        if (isLast) {
            return { names, end: field.lastIndex };
        }
    }
    return undefined;
}

const ZEEK_SEPARATOR = '#separator ';

/** One character, or its code as `\x09`; undefined for anything else, and for a quote or a line end. */
function zeekSeparator(named: string): string | undefined {
    const code = /^\\x([0-9a-f]{2})$/i.exec(named)?.[1];
    const separator = code === undefined ? named : String.fromCharCode(Number.parseInt(code, 16));
    return separator.length === 1 && !'"\r\n'.includes(separator) ? separator : undefined;
}

/** What a file's header tells, read from the page docs/reading.md and not from lake/flows: which column holds what. */
import { blanks, hex } from './raw-text.ts';

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
    /** In a Zeek log lines that begin with `#` are no rows. */
    isZeekLog: boolean;
    separator: string;
    /** The needed columns from left to right: where each stands (from 0) and what it is called, lower case. */
    columns: readonly { field: Field; at: number; name: string }[];
    /** All names, lower case. */
    names: readonly string[];
}

/** Names with line ends in them may need some lines; more than this is a quote that was never closed. */
const MAX_HEADER_CHARACTERS = 1 << 20;

/**
 * Finds the header at the start of a file's text.
 * @returns the layout and the text behind the header, or undefined where the file has no usable header.
 */
export function takeHeader(text: string): { layout: Layout; rows: string } | undefined {
    let separator = '\t';
    let isZeekLog = false;
    for (let at = 0; at < text.length; ) {
        const lineEnd = text.indexOf('\n', at);
        const line = text.slice(at, lineEnd).replace(/\r$/, '');
        isZeekLog ||= /^#(separator|fields)\b/.test(line);
        if (!isZeekLog && /[^ \t]/.test(line)) {
            const header = csvHeader(text.slice(at, at + MAX_HEADER_CHARACTERS));
            return header && { layout: header.layout, rows: text.slice(at + header.end) };
        }
        at = lineEnd + 1;
        separator = zeekSeparator(line) ?? separator;
        if (isZeekFields(line, separator)) {
            const layout = zeekLayout(line, separator);
            return layout && { layout, rows: text.slice(at) };
        }
    }
    return undefined;
}

/** Whether a line of a Zeek log names the columns of the rows behind it. */
export function isZeekFields(line: string, separator: string): boolean {
    return line.startsWith(`#fields${separator}`);
}

/** The layout that a `#fields` line names, or undefined where it names too little. */
export function zeekLayout(line: string, separator: string): Layout | undefined {
    const row = takeNames(`${line}\n`, { at: '#fields'.length + 1, separator });
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
        names.push((quoted?.replaceAll('""', '"') ?? plain).trim().toLowerCase());
        if (behind.endsWith('\n')) {
            return { names, end: field.lastIndex };
        }
    }
    return undefined;
}

/** `#separator \x09` names the separator by its code. */
function zeekSeparator(line: string): string | undefined {
    const match = /^#separator (?:\\x([0-9a-f]{2})|(.))$/i.exec(line);
    return match?.[1] === undefined ? match?.[2] : String.fromCharCode(Number.parseInt(match[1], 16));
}

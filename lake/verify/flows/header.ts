/** Finds which column holds what in a file's header, by the page docs/reading.md and not by lake/flows. */
import { blanks, hex, trimBlanks } from './raw-text.ts';
import { COMMON_NAMES, FIELDS, type Field, TOOLS, type Tool, type Unit, type Witness, witnessOf } from './tools.ts';

export interface Layout {
    /** What the ledger calls it. */
    dialect: string;
    tool: Tool;
    /** True for a Zeek log: its lines that begin with `#` are no rows. */
    isZeekLog: boolean;
    separator: string;
    /** The needed columns from left to right: where each stands (from 0) and what it is called, lower case. */
    columns: readonly { field: Field; at: number; name: string }[];
    /** All names, lower case. */
    names: readonly string[];
    /** What tells the unit of durations, if anything does. */
    witness: Witness | undefined;
}

/** Most characters that a header has; docs/reading.md: it ends within the first MiB of a file. */
const MAX_HEADER_CHARACTERS = 1 << 20;

export interface FileStart {
    layout: Layout;
    /** The text behind the header, and the number of its first line. */
    rows: string;
    firstLine: number;
    /** Rows of other Zeek logs in front of the header. */
    otherLogRows: number;
}

/**
 * Finds the header at the start of a file's text.
 * @returns undefined where the file has no usable header.
 */
export function takeHeader(text: string): FileStart | undefined {
    if (isTar(text)) {
        return undefined;
    }
    let isOtherLog = false;
    let otherLogRows = 0;
    let separator = '\t';
    let isZeekLog = false;
    const found = (layout: Layout | undefined, end: number) =>
        layout && { layout, rows: text.slice(end), firstLine: text.slice(0, end).split('\n').length, otherLogRows };
    for (let at = 0; at < text.length; ) {
        const lineEnd = text.indexOf('\n', at);
        if (lineEnd >= MAX_HEADER_CHARACTERS) {
            return undefined;
        }
        const line = text.slice(at, lineEnd).replace(/\r$/, '');
        isZeekLog ||= /^[ \t]*#(separator|fields)\b/.test(line);
        // A header may begin as a comment does.
        const isMarked = !isZeekLog && line.startsWith('#');
        const isComment = isMarked && csvHeader(text.slice(at + 1, lineEnd + 1), { isHeadless: false }) === undefined;
        if (isComment || (at === 0 && /^sep=.$/i.test(line))) {
            at = lineEnd + 1;
            continue;
        }
        if (!isZeekLog && /[^ \t]/.test(line)) {
            const from = isMarked ? at + 1 : at;
            const header = csvHeader(text.slice(from, MAX_HEADER_CHARACTERS), { isHeadless: !isMarked });
            return header && found(header.layout, from + header.end);
        }
        at = lineEnd + 1;
        if (isZeekLog && line.trimStart().startsWith(ZEEK_SEPARATOR)) {
            const named = zeekSeparator(line.trimStart().slice(ZEEK_SEPARATOR.length));
            if (named === undefined) {
                return undefined;
            }
            separator = named;
        }
        isOtherLog = isZeekLog ? isOtherLogBehind(line, { separator, isOtherLog }) : false;
        if (isOtherLog) {
            otherLogRows += countRows(`${line}\n`);
            continue;
        }
        if (isZeekFields(line, separator)) {
            return found(zeekLayout(line, separator), at);
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

/** Count of the rows of another Zeek log: its lines (ended in LF) that are neither empty nor begin with `#`. */
export function countRows(lines: string): number {
    return lines.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
}

/** The layout that a `#fields` line (without its line end) names, or undefined where it names too little. */
export function zeekLayout(line: string, separator: string): Layout | undefined {
    // A line end as it may have been: what is left of two carriage returns belongs to the last name.
    const row = takeCells(`${line}\r\n`, { at: '#fields'.length + 1, separator });
    return row && layoutOf(COMMON_NAMES, lowerCase(row.cells), { separator, isZeekLog: true });
}

/** The layout of a header's names, of the first tool that has all its columns among them. */
export function layoutUnder(names: readonly string[], about: { separator: string; isZeekLog: boolean }): Layout | undefined {
    for (const tool of TOOLS) {
        const layout = layoutOf(tool, names, about);
        if (layout) {
            return layout;
        }
    }
    return undefined;
}

/** The layout of a table with these columns, lower case; undefined where it lacks one that is needed. */
export function tableLayout(names: readonly string[]): Layout | undefined {
    return layoutUnder(names, { separator: ',', isZeekLog: false });
}

/** The unit that durations are in where neither the rows nor the uploader tell it, and what tells it then. */
export function unitByName({ dialect, names, tool }: Layout): { unit: Unit; by: 'named' | 'assumed' } {
    if (dialect === 'python-cicflowmeter') {
        const isOld = names.includes('cwe_flag_count') || names.includes('src_mac');
        return isOld ? { unit: 'us', by: 'named' } : { unit: 's', by: 'assumed' };
    }
    return { unit: dialect === 'zeek' ? 's' : tool.unit, by: 'named' };
}

/** The layout of the first row of a CSV, be it a header or (then it ends at 0) a row that needs none. */
function csvHeader(text: string, { isHeadless }: { isHeadless: boolean }): { layout: Layout; end: number } | undefined {
    const rows = new Map<string, { cells: string[]; end: number } | undefined>();
    const under = (separator: string): { cells: string[]; end: number } | undefined => {
        if (!rows.has(separator)) {
            rows.set(separator, takeCells(text, { at: rowStart(text, separator), separator }));
        }
        return rows.get(separator);
    };
    for (const tool of TOOLS) {
        for (const separator of tool.separators) {
            const row = under(separator);
            const layout = row && layoutOf(tool, lowerCase(row.cells), { separator, isZeekLog: false });
            if (layout) {
                return { layout, end: row.end };
            }
        }
    }
    for (const tool of TOOLS) {
        for (const separator of isHeadless && tool.headless ? tool.separators : []) {
            const row = under(separator);
            const cells = row && (separator === ' ' ? withoutLastBlanks(row.cells) : row.cells);
            const found = cells && tool.headless?.find(({ isRow }) => isRow(cells));
            const layout = found && layoutOf(tool, found.names, { separator, isZeekLog: false });
            if (layout) {
                return { layout, end: 0 };
            }
        }
    }
    return undefined;
}

/** The beginning of a row: where blanks separate, those at a line's beginning separate nothing. */
export function rowStart(text: string, separator: string): number {
    return separator === ' ' ? text.search(/[^ ]|$/) : 0;
}

/** Cells without the last blank ones: where blanks separate, those at a line's end separate nothing. */
function withoutLastBlanks(cells: readonly string[]): readonly string[] {
    return cells.slice(0, cells.findLastIndex((cell) => cell !== '') + 1);
}

function layoutOf(
    tool: Tool,
    names: readonly string[],
    { separator, isZeekLog }: { separator: string; isZeekLog: boolean },
): Layout | undefined {
    const columns = FIELDS.flatMap((field) => {
        const at = names.findIndex((name) => tool.spellings[field].includes(name));
        return at < 0 ? [] : [{ field, at, name: names[at] ?? '' }];
    });
    if (columns.length < FIELDS.length || (tool.mark !== undefined && !names.includes(tool.mark))) {
        return undefined;
    }
    const placeOf = (wanted: Field): number => columns.find(({ field }) => field === wanted)?.at ?? 0;
    const isCommon = tool === COMMON_NAMES;
    return {
        dialect: isCommon ? commonDialect(names, placeOf('src')) : tool.dialect,
        tool,
        isZeekLog,
        separator,
        columns: columns.sort((a, b) => a.at - b.at),
        names,
        witness: tool.isSpan === true ? undefined : witnessOf(names, placeOf('packets')),
    };
}

/** Which of the three with common names it is, by what the source address is called. */
function commonDialect(names: readonly string[], src: number): string {
    if (names[src] === 'id.orig_h' || names[src] === 'id_orig_h') {
        return 'zeek';
    }
    return names[src] === 'src_ip' && !names.includes('flow_id') ? 'python-cicflowmeter' : 'cicflowmeter';
}

/** The cells of the row that begins at `at`, trimmed, and where it ends; undefined where a quoted one does not end. */
export function takeCells(
    text: string,
    { at, separator }: { at: number; separator: string },
): { cells: string[]; end: number } | undefined {
    const mark = `\\x${hex(separator)}`;
    const field = new RegExp(`(?:"([^"]*(?:""[^"]*)*)"${blanks(separator)}|([^"\\n${mark}][^\\n${mark}]*)|)(${mark}|\\r?\\n)`, 'y');
    const cells: string[] = [];
    field.lastIndex = at;
    for (let match = field.exec(text); match; match = field.exec(text)) {
        const [, quoted, plain = '', behind = ''] = match;
        const isLast = behind.endsWith('\n');
        const written = quoted?.replaceAll('""', '"') ?? (isLast ? plain.replace(/\r$/, '') : plain);
        cells.push(trimBlanks(written, separator));
        if (isLast) {
            return { cells, end: field.lastIndex };
        }
    }
    return undefined;
}

export function lowerCase(cells: readonly string[]): string[] {
    return cells.map((cell) => cell.toLowerCase());
}

const ZEEK_SEPARATOR = '#separator ';

/** One character, or its code as `\x09`; undefined for anything else, and for a quote or a line end. */
function zeekSeparator(named: string): string | undefined {
    const code = /^\\x([0-9a-f]{2})$/i.exec(named)?.[1];
    const separator = code === undefined ? named : String.fromCharCode(Number.parseInt(code, 16));
    return separator.length === 1 && !'"\r\n'.includes(separator) ? separator : undefined;
}

/** The records of a file by the header that rules them: later headers and what stands behind a trailer are taken out, witnesses are heard. */
import { isAddress } from './addresses.ts';
import {
    countRows,
    type FileStart,
    isOtherLogBehind,
    isZeekFields,
    type Layout,
    layoutUnder,
    lowerCase,
    rowStart,
    takeCells,
    zeekLayout,
} from './header.ts';
import { STYLES, type Style, styleOf, ungroup } from './number-styles.ts';
import { blanksOf, hex, INNER_LINE_END } from './raw-text.ts';
import { NOT_IP, SOURCE_NAMES, UNIT_PLACES, UNITS, type Unit } from './tools.ts';

/** The lines behind a header that are asked for the unit of durations, and how far apart the later ones are. */
export const ASKED_BEHIND_HEADER = 64;
export const ASKED_APART = 1024;

/** How far an asked row may be off the unit that it speaks for. */
const MAX_QUOTIENT = 1.25;

/** What was found on the way through a file. */
export interface Found {
    /** The layout that rules at the moment. */
    layout: Layout;
    /** The layout that the file begins with. */
    first: Layout;
    repeatedHeaders: number;
    /** Line number of the next record. */
    line: number;
    /** Number of the first line behind the last header. */
    firstLine: number;
    isBehindTrailer: boolean;
    /** True behind a line `#path` of a Zeek log that is none of conn, and how many rows stood behind such lines. */
    isOtherLog: boolean;
    otherLogRows: number;
    /** True if a later header is of another tool, or none where it must be one: the file cannot be used. */
    isUnusable: boolean;
    /** Styles that the rates of asked rows speak for. */
    styles: Set<Style>;
    /** Units that asked rows speak for, under each style in which their numbers may have to be read. */
    units: Record<Style, Set<Unit>>;
}

export function beginning({ layout, firstLine, otherLogRows }: FileStart): Found {
    return {
        layout,
        first: layout,
        isOtherLog: false,
        otherLogRows,
        repeatedHeaders: 0,
        line: firstLine,
        firstLine,
        isBehindTrailer: false,
        isUnusable: false,
        styles: new Set(),
        units: { plain: new Set(), points: new Set(), commas: new Set() },
    };
}

/**
 * The records (one a line) with the layout that rules them, those of one layout together. Updates `found`; stops where the file turns out to be
 * unusable.
 */
export function segmentsOf(records: string, found: Found): { layout: Layout; records: string }[] {
    const segments = new Map<string, { layout: Layout; texts: string[] }>();
    const candidate = candidateIn(found.layout);
    const pass = (from: number, until: number): void => {
        const text = records.slice(from, until);
        if (found.isOtherLog) {
            found.otherLogRows += countRows(text);
        } else if (text !== '' && !found.isBehindTrailer) {
            hearAll(text, found);
            const name = JSON.stringify(found.layout.names);
            const segment = segments.get(name) ?? { layout: found.layout, texts: [] };
            segment.texts.push(text);
            segments.set(name, segment);
        }
        found.line += countLines(text);
    };
    let from = 0;
    for (let match = candidate.exec(records); match && !found.isUnusable; match = candidate.exec(records)) {
        const place = records[match.index] === '\n' ? match.index + 1 : match.index;
        const start = records.lastIndexOf('\n', place - 1) + 1;
        const end = records.indexOf('\n', place) + 1;
        candidate.lastIndex = end - 1;
        const line = records.slice(start, end);
        const turn = turnAt(line, found);
        if (turn) {
            pass(from, start);
            found.line += countLines(line);
            take(turn, found);
            from = end;
        }
    }
    pass(from, records.length);
    return [...segments.values()].map(({ layout, texts }) => ({ layout, records: texts.join('') }));
}

/** Finds lines that may be a header or a trailer. */
function candidateIn({ separator, isZeekLog, tool }: Layout): RegExp {
    const mark = `\\x${hex(separator)}`;
    const padding = `["${blanksOf(separator).replace('\t', '\\t')}]*`;
    const names = [...SOURCE_NAMES, ...(tool.trailers ?? [])].map((name) => name.replaceAll('.', '\\.')).join('|');
    const fields = isZeekLog ? `|(?:^|\\n)#(?:fields|path)${mark}` : '';
    return new RegExp(`(?:^|[\\n${mark}])${padding}(?:${names})${padding}(?=[\\n${mark}])${fields}`, 'gi');
}

/** What a line that is no row means for the ones behind it. */
type Turn = 'trailer' | 'other log' | 'conn' | 'no header of the file' | { layout: Layout; isRepeated: boolean };

/** The turn that a line is; undefined for one that is a row, or nothing. */
function turnAt(line: string, { layout, isOtherLog }: Found): Turn | undefined {
    const { separator, isZeekLog, columns, tool, names, dialect } = layout;
    if (isZeekLog && isOtherLogBehind(line, { separator, isOtherLog }) !== isOtherLog) {
        return isOtherLog ? 'conn' : 'other log';
    }
    if (isOtherLog) {
        return undefined;
    }
    if (isZeekLog && line.startsWith('#')) {
        if (!isZeekFields(line, separator)) {
            return undefined;
        }
        const next = zeekLayout(line.slice(0, -1), separator);
        // What kind of file it is, the first header tells.
        return next
            ? { layout: { ...next, dialect }, isRepeated: JSON.stringify(next.names) === JSON.stringify(names) }
            : 'no header of the file';
    }
    const cells = takeCells(ended(line), { at: isZeekLog ? 0 : rowStart(line, separator), separator })?.cells;
    if (!cells) {
        return undefined;
    }
    if (cells.length === 1 && tool.trailers?.includes(cells[0] ?? '') === true) {
        return 'trailer';
    }
    const lower = lowerCase(cells);
    if (!hasExtra(cells, layout) && columns.every(({ at, name }) => lower[at] === name)) {
        return { layout, isRepeated: true };
    }
    const next = cells.some(isAddress) ? undefined : layoutUnder(lower, { separator, isZeekLog });
    if (next && next.dialect !== dialect) {
        return 'no header of the file';
    }
    return next && { layout: next, isRepeated: true };
}

function take(turn: Turn, found: Found): void {
    if (typeof turn === 'string') {
        found.isOtherLog = turn === 'other log';
        found.isBehindTrailer ||= turn === 'trailer';
        found.isUnusable ||= turn === 'no header of the file';
        return;
    }
    found.isBehindTrailer = false;
    found.repeatedHeaders += turn.isRepeated ? 1 : 0;
    found.firstLine = found.line;
    found.layout = turn.layout;
}

/** Asks those rows for their unit that are asked, among records that begin at the line at hand. */
function hearAll(text: string, found: Found): void {
    const { layout, line, firstLine } = found;
    if (!layout.witness) {
        return;
    }
    const areAllAsked = layout.dialect === 'python-cicflowmeter';
    // Counted, not asked for by `includes`: V8 (Node 20 to 24) moves such a look at the whole text into the loop, once for each line.
    const hasInner = countOf(text, INNER_LINE_END) > 0;
    let number = line;
    for (let start = 0; start < text.length; ) {
        const end = text.indexOf('\n', start) + 1;
        const isAsked = areAllAsked || number < firstLine + ASKED_BEHIND_HEADER || number % ASKED_APART === 0;
        const cells = isAsked ? rowCells(text.slice(start, end), layout) : undefined;
        if (cells) {
            hear(cells, found);
        }
        number += hasInner ? countLines(text.slice(start, end)) : 1;
        start = end;
    }
}

/** Takes what the cells of an asked row say. */
export function hear(cells: readonly string[], { layout, styles, units }: Pick<Found, 'layout' | 'styles' | 'units'>): void {
    const style = styleOf(cells[layout.witness?.rate ?? -1] ?? '');
    if (style) {
        styles.add(style);
    }
    for (const one of STYLES) {
        const unit = unitOf(cells, { layout, style: one });
        if (unit) {
            units[one].add(unit);
        }
    }
}

/** The cells of a record that has all that is needed. */
function rowCells(record: string, { separator, isZeekLog, columns, names, tool }: Layout): string[] | undefined {
    const at = isZeekLog ? 0 : rowStart(record, separator);
    const cells = isZeekLog && record.startsWith('#') ? undefined : takeCells(ended(record), { at, separator })?.cells;
    if (tool.dialect === 'argus' && cells && isNotIp(cells, { columns, names })) {
        return undefined;
    }
    const needed = (columns.at(-1)?.at ?? 0) + 1;
    const isWhole = cells && !hasExtra(cells, { names }) && (cells.length > needed || (cells.length === needed && needed === names.length));
    return isWhole ? cells : undefined;
}

/** True if a row has more cells than the header, and they are not empty. */
function hasExtra(cells: readonly string[], { names }: Pick<Layout, 'names'>): boolean {
    return cells.slice(names.length).some((cell) => cell !== '');
}

/** The record with the line end that it may have had: a carriage return in front of that is the last cell's. */
function ended(record: string): string {
    return `${record.slice(0, -1)}\r\n`;
}

/** True for a record of Argus that is no flow of IP, which is not asked. */
function isNotIp(cells: readonly string[], { columns, names }: Pick<Layout, 'columns' | 'names'>): boolean {
    const addresses = columns.filter(({ field }) => field === 'src' || field === 'dst').map(({ at }) => cells[at] ?? '');
    const protocol = cells[names.indexOf('proto')] ?? '';
    return NOT_IP.includes(protocol.toLowerCase()) || addresses.some((address) => /^(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(address));
}

/** The unit in which the duration times the rate is the packets. */
function unitOf(cells: readonly string[], { layout, style }: { layout: Layout; style: Style }): Unit | undefined {
    const { columns, witness } = layout;
    const amount = (at: number | undefined): number => {
        const text = ungroup(cells[at ?? -1] ?? '', style);
        return /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i.test(text) ? Number.parseFloat(text) : Number.NaN;
    };
    const duration = amount(columns.find(({ field }) => field === 'duration')?.at);
    const rate = amount(witness?.rate);
    const packets = (witness?.packets ?? []).map(amount);
    const total = packets.reduce((sum, count) => sum + count, 0);
    if (!(duration > 0 && rate > 0 && total > 0 && packets.every((count) => count >= 0))) {
        return undefined;
    }
    return UNITS.find((unit) => {
        const quotient = (duration * rate) / total / 10 ** UNIT_PLACES[unit];
        return quotient < MAX_QUOTIENT && quotient > 1 / MAX_QUOTIENT;
    });
}

/** Lines of the file that records of one line each came from. */
function countLines(text: string): number {
    return countOf(text, '\n') + (text.includes(INNER_LINE_END) ? countOf(text, INNER_LINE_END) : 0);
}

function countOf(text: string, character: string): number {
    let count = 0;
    for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) {
        count += 1;
    }
    return count;
}

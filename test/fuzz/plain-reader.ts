/**
 * An independent reader of files of flows, written from docs/reading.md alone: all in memory, one rule after the other, nothing clever and
 * nothing shared with lake/. Where it and the lake differ, one of the two does not do what the page says.
 */
import {
    type DateContext,
    dayOfInstant,
    inRange,
    isAddress,
    type Order,
    type PlainDate,
    readDate,
    readMeasure,
    readNumber,
    readSpan,
    type Style,
    saysNoDuration,
    shortAddress,
    spanBetween,
    styleOf,
    trimmed,
    UNIT_POWERS,
    type Unit,
} from './plain-fields.ts';
import { isJson, readJson } from './plain-json.ts';
import { isParquet, openParquet, type PlainColumn } from './plain-parquet.ts';
import { CUT_DATES, type GoodRow, type PlainReject, settleDates, shownLine, type Totals, Unusable } from './plain-rows.ts';
import {
    dialectOf,
    FIELDS,
    type Field,
    findColumns,
    findWitness,
    HEADLESS,
    type Header,
    isTrailer,
    kindOfRow,
    kindPlaces,
    numberAt,
    TOOLS,
    type Tool,
    unitNamed,
    witnessedUnits,
    ZEEK_TOOL,
} from './plain-tools.ts';

export interface PlainOptions {
    dateOrder?: Order;
    durationUnit?: Unit;
}

export interface PlainReading extends Totals {
    ok: true;
    dialect: string;
    /** Both null where rows are kept of which none has a duration. */
    durationUnit: Unit | null;
    durationUnitBy: string | null;
    rowsRead: number;
    repeatedHeaders: number;
    rejects: PlainReject[];
    /** Rows that are no flows by right, by reason. */
    skipped: Map<string, number>;
}

const CR_LOOKED_AT = 1 << 16;
const MAX_HEADER = 1 << 20;
const MAX_QUOTED = 1 << 20;
const MAX_ROW = 1 << 24;

/** Reads the plain bytes of a file; `ok: false` where it is no usable file of flows. */
export async function readPlainly(bytes: Buffer, options: PlainOptions): Promise<PlainReading | { ok: false; why: string }> {
    try {
        const rejects: PlainReject[] = [];
        return isParquet(bytes) ? readRows(await takeParquet(bytes, rejects), rejects, options) : read(bytes, options);
    } catch (error) {
        if (error instanceof Unusable) {
            return { ok: false, why: error.message };
        }
        throw error;
    }
}

/** A row of data, not looked at yet. */
interface DataRow {
    reject: (reason: string) => void;
    header: Header;
    cells: string[];
    isWitness: boolean;
    /** Where the time is stored as one (Parquet); the end where the tool has one. */
    times?: { began: bigint | undefined; end: bigint | undefined };
}

function read(bytes: Buffer, options: PlainOptions): PlainReading {
    if (['fffe', 'feff'].includes(bytes.toString('hex', 0, 2))) {
        throw new Unusable('UTF-16');
    }
    if (isTar(bytes.subarray(0, 512))) {
        throw new Unusable('tar');
    }
    const rejects: PlainReject[] = [];
    const { text, markLength } = textOf(bytes);
    if (isJson(text)) {
        const { rows: jsonRows, ...found } = readJson(text, rejects, options);
        const settled = settleDates(jsonRows, rejects, { ...options, ...found });
        return { ok: true, ...found, ...(areUntimed(settled) && NO_UNIT), repeatedHeaders: 0, rejects, ...settled };
    }
    return readRows(takeRows(text, markLength, rejects), rejects, options);
}

/** What the rows come to, once they are told from everything else. */
function readRows(file: File, rejects: PlainReject[], options: PlainOptions): PlainReading {
    const { dialect, rows } = file;
    const style = settleStyle(rows);
    const unit = settleUnit(file, { style, given: file.tool.isEnd === true ? undefined : options.durationUnit });
    const goodDates = rows.flatMap((row) => readRow(row, { style, unit: unit.durationUnit, dialect, options }) ?? []);
    const settled = settleDates(goodDates, rejects, { ...options, dialect });
    return {
        ok: true,
        dialect,
        ...(areUntimed(settled) ? NO_UNIT : unit),
        rowsRead: rows.length + file.unclosed,
        repeatedHeaders: file.repeatedHeaders,
        skipped: file.skipped,
        rejects,
        ...settled,
    };
}

const NO_UNIT = { durationUnit: null, durationUnitBy: null };

/** True if rows were kept and none of them has a duration. */
function areUntimed({ totals }: Totals): boolean {
    return totals.size > 0 && [...totals.values()].every(([, timed]) => timed === 0n);
}

interface File {
    tool: Tool;
    dialect: string;
    /** Names of the first header. */
    names: string[];
    rows: DataRow[];
    /** Rows that are rejected because a quoted field does not end. */
    unclosed: number;
    repeatedHeaders: number;
    skipped: Map<string, number>;
}

/** Rows of a Parquet file: each has a number, and cells for the columns that are read. */
async function takeParquet(bytes: Buffer, rejects: PlainReject[]): Promise<File> {
    const { names, rowCount, columnAt } = openParquet(bytes);
    const found = TOOLS.flatMap((tool) => headerOf(tool, names, '') ?? [])[0];
    if (!found) {
        throw new Unusable('Parquet without the columns of flows');
    }
    const { tool, at, witness } = found;
    const numbers = [at.packets, ...(witness ? [witness.rate, witness.backward ?? witness.rate] : [])];
    const columns = new Map<number, PlainColumn>();
    for (const place of new Set([...Object.values(at), ...numbers, ...kindPlaces(tool, names)])) {
        columns.set(place, await columnAt(place));
    }
    const isOf = (place: number): string | undefined => columns.get(place)?.is;
    const isEnd = tool.isEnd === true;
    const areNumbers = [...numbers, ...(isEnd ? [] : [at.duration])].every((place) => isOf(place) !== 'instant');
    const areTexts = isOf(at.source) === 'text' && isOf(at.destination) === 'text';
    const isTimed = isOf(at.began) === 'instant';
    if (!areNumbers || !areTexts || (isEnd && isTimed !== (isOf(at.duration) === 'instant'))) {
        throw new Unusable('a needed column of another type');
    }
    const header: Header = { ...found, stored: new Set([...columns.keys()].filter((place) => isOf(place) === 'number')) };
    const file: File = { tool, dialect: dialectOf(header), names, rows: [], unclosed: 0, repeatedHeaders: 0, skipped: new Map() };
    for (let row = 0; row < rowCount; row += 1) {
        const cells = names.map((_, place) => columns.get(place)?.texts[row] ?? '');
        const kind = kindOfRow(header, cells);
        if (kind === 'refused') {
            throw new Unusable('rows that tell of no flows');
        }
        if (kind !== undefined) {
            skip(file, kind);
        } else if (FIELDS.every((field) => cells[at[field]]?.toLowerCase() === names[at[field]])) {
            file.repeatedHeaders += 1;
        } else {
            file.rows.push({
                reject: (reason) => void rejects.push({ at: row, lineNumber: row + 1, reason, line: '' }),
                header,
                cells,
                isWitness: file.dialect === 'python-cicflowmeter' || row < 64 || (row + 1) % 1024 === 0,
                ...(isTimed && {
                    times: { began: columns.get(at.began)?.instants[row], end: columns.get(at.duration)?.instants[row] },
                }),
            });
        }
    }
    return file;
}

/** The text of a file behind its byte order mark: every byte is one character, lines end in LF, and the last one has its end. */
function textOf(bytes: Buffer): { text: string; markLength: number } {
    const markLength = bytes.toString('hex', 0, 3) === 'efbbbf' ? 3 : 0;
    const latin1 = bytes.toString('latin1', markLength);
    const beginning = bytes.toString('latin1', 0, CR_LOOKED_AT);
    const text = beginning.includes('\r') && !beginning.includes('\n') ? latin1.replaceAll('\r', '\n') : latin1;
    return { text: text === '' || text.endsWith('\n') ? text : `${text}\n`, markLength };
}

/** Tells rows of data from everything else that stands in the file. */
function takeRows(text: string, markLength: number, rejects: PlainReject[]): File {
    const start = findHeader(text, markLength);
    let { header } = start;
    const { isZeekLog } = start;
    const { tool } = header;
    const file: File = {
        tool,
        dialect: dialectOf(header),
        names: header.names,
        rows: [],
        unclosed: 0,
        repeatedHeaders: 0,
        skipped: new Map(start.rowsSkipped > 0 ? [['other_log', start.rowsSkipped]] : []),
    };
    let lineNumber = countLineEnds(text, 0, start.end) + 1;
    let witnessesFrom = lineNumber;
    let isBehindTrailer = false;
    let isOtherLog = false;
    for (let at = start.end; at < text.length; ) {
        const lineEnd = text.indexOf('\n', at);
        if (lineEnd + 1 - at > MAX_ROW) {
            throw new Unusable('a line is too long');
        }
        const line = text.slice(at, lineEnd);
        const rowLine = lineNumber;
        if (isZeekLog) {
            isOtherLog = isOtherLogBehind(line, { separator: header.separator, isOtherLog });
        }
        if (isOtherLog) {
            if (!/^(#|\r?$)/.test(line)) {
                skip(file, 'other_log');
            }
            at = lineEnd + 1;
            lineNumber += 1;
            continue;
        }
        if (isZeekLog && line.startsWith('#')) {
            at = lineEnd + 1;
            lineNumber += 1;
            if (line.startsWith(`#fields${header.separator}`)) {
                const later = zeekHeader(line, header.separator);
                file.repeatedHeaders += later.names.join('\n') === header.names.join('\n') ? 1 : 0;
                header = later;
                witnessesFrom = lineNumber;
            }
            continue;
        }
        const { separator, blanks } = header;
        if (trimmed(line.replace(/\r$/, ''), blanks) === '') {
            at = lineEnd + 1;
            lineNumber += 1;
            continue;
        }
        const rowStart = separator === ' ' && !isZeekLog ? behindBlanks(text, at) : at;
        if (trimmed(text.slice(rowStart, lineEnd).replace(/\r$/, ''), blanks) === '') {
            at = lineEnd + 1;
            lineNumber += 1;
            continue;
        }
        const row = takeRow(text, rowStart, header);
        const next = row ? row.end : lineEnd + 1;
        const written = text.slice(at, next).replace(/\r?\n$/, '');
        const rowAt = at;
        const reject = (reason: string): void => {
            rejects.push({ at: rowAt, lineNumber: rowLine, reason, line: shownLine(written) });
        };
        lineNumber += countLineEnds(text, at, next);
        at = next;
        if (!row) {
            if (!isBehindTrailer) {
                file.unclosed += 1;
                reject('unclosed_quote');
            }
            continue;
        }
        const cells = row.cells.map((cell) => trimmed(cell, blanks));
        const later = laterHeader(cells, header);
        if (later) {
            if (later !== header && dialectOf(later) !== file.dialect) {
                throw new Unusable('the header of another tool');
            }
            header = later;
            file.repeatedHeaders += 1;
            witnessesFrom = lineNumber;
            isBehindTrailer = false;
            continue;
        }
        isBehindTrailer ||= isTrailer(tool, cells);
        if (isBehindTrailer) {
            continue;
        }
        const isBlank = cells.every((cell) => cell === '');
        const kind = isBlank ? 'blank_row' : hasExtraCells({ cells, header }) ? undefined : kindOfRow(header, cells);
        if (kind === 'refused') {
            throw new Unusable('rows that tell of no flows');
        }
        if (kind !== undefined) {
            skip(file, kind);
            continue;
        }
        file.rows.push({
            reject,
            header,
            cells,
            isWitness: file.dialect === 'python-cicflowmeter' || rowLine < witnessesFrom + 64 || rowLine % 1024 === 0,
        });
    }
    return file;
}

function skip({ skipped }: File, reason: string): void {
    skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
}

/** A header that is the one that rules once more, or another one under the same separator; undefined for a row of data. */
function laterHeader(cells: string[], header: Header): Header | undefined {
    const named = cells.map((cell) => cell.toLowerCase());
    if (!hasExtraCells({ cells, header }) && FIELDS.every((field) => named[header.at[field]] === header.names[header.at[field]])) {
        return header;
    }
    if (cells.some(isAddress)) {
        return undefined;
    }
    for (const tool of TOOLS) {
        const later = headerOf(tool, named, header.separator);
        if (later) {
            return later;
        }
    }
    return undefined;
}

/** True if something stands in the row behind all columns of the header. */
function hasExtraCells({ cells, header }: Pick<DataRow, 'cells' | 'header'>): boolean {
    return cells.some((cell, at) => at >= header.names.length && cell !== '');
}

/** True if the row cannot be taken apart: cells are missing, or there are too many. */
function isUseless(row: DataRow): boolean {
    return isRagged(row) || hasExtraCells(row);
}

/** True if the row ends before the last needed cell, or in it though the header goes on behind it. */
function isRagged({ cells, header }: DataRow): boolean {
    const lastNeeded = Math.max(...Object.values(header.at));
    const isLastOfHeader = lastNeeded === header.names.length - 1;
    return cells.length <= lastNeeded || (cells.length === lastNeeded + 1 && !isLastOfHeader);
}

/** One style for the whole file: the one that all its numbers can be read in. */
function settleStyle(rows: DataRow[]): Style {
    const styles = new Set<Style | undefined>();
    for (const row of rows) {
        const { header, cells, isWitness } = row;
        if (!isUseless(row)) {
            const isEnd = header.tool.isEnd === true;
            const places = [header.at.packets, ...(isEnd ? [] : [header.at.duration]), ...(isWitness ? ratesOf(header) : [])];
            for (const at of places.filter((place) => header.stored?.has(place) !== true)) {
                styles.add(styleOf(cells[at] ?? ''));
            }
        }
    }
    if (styles.has('points')) {
        return styles.has('commas') || styles.has('plain') ? 'plain' : 'points';
    }
    return styles.has('commas') ? 'commas' : 'plain';
}

function ratesOf({ witness }: Header): number[] {
    return witness ? [witness.rate] : [];
}

function settleUnit(
    { rows, tool, dialect, names }: File,
    { style, given }: { style: Style; given: Unit | undefined },
): { durationUnit: Unit; durationUnitBy: string } {
    const witnessed = new Set<Unit>();
    for (const row of rows) {
        if (row.isWitness && row.header.witness && !isUseless(row)) {
            for (const unit of witnessedUnits(row.cells, { header: row.header, style })) {
                witnessed.add(unit);
            }
        }
    }
    const [unit] = witnessed;
    if (witnessed.size > 1 || (given !== undefined && unit !== undefined && unit !== given)) {
        throw new Unusable('the rows speak against the unit, or against each other');
    }
    if (given !== undefined) {
        return { durationUnit: given, durationUnitBy: 'given' };
    }
    if (unit !== undefined) {
        return { durationUnit: unit, durationUnitBy: 'witnessed' };
    }
    // CICFlowMeter writes whole microseconds.
    const hasFractions = rows.some(
        (row) => !isUseless(row) && isFraction(numberAt(row.cells, row.header.at.duration, { header: row.header, style })),
    );
    const named = unitNamed({ tool, dialect, names });
    return dialect === 'cicflowmeter' && hasFractions ? { ...named, durationUnitBy: 'assumed' } : named;
}

/** True for a number that is no whole one. */
function isFraction(text: string): boolean {
    const number = readNumber(text.replace(/^-/, ''));
    return !('reason' in number) && number.hasFraction;
}

/** Makes all checks of a row in their order; undefined where one failed. */
function readRow(
    row: DataRow,
    { style, unit, dialect, options }: { style: Style; unit: Unit; dialect: string; options: PlainOptions },
): GoodRow | undefined {
    const { header, cells, reject } = row;
    if (hasExtraCells(row)) {
        reject('extra_cells');
        return undefined;
    }
    if (isRagged(row)) {
        reject('ragged_row');
        return undefined;
    }
    const cell = (field: Field): string => cells[header.at[field]] ?? '';
    if (FIELDS.some((field) => field !== 'duration' && saysNothing(cell(field)))) {
        reject('missing_field');
        return undefined;
    }
    if (!isAddress(cell('source')) || !isAddress(cell('destination'))) {
        reject('not_an_ip_address');
        return undefined;
    }
    const context: DateContext = {
        given: options.dateOrder,
        firstEpochSecond: dialect === 'zeek' ? 0n : 100_000_000n,
        isWithoutJanuary1970: CUT_DATES.includes(dialect),
        blanks: header.blanks,
    };
    const date = row.times ? dateOfInstant(row.times.began ?? 0n) : readDate(cell('began'), context);
    if ('reason' in date) {
        reject(date.reason);
        return undefined;
    }
    const duration = saysNoDuration(cell('duration')) ? null : readDuration(row, { style, unit });
    const packets = readMeasure(numberAt(cells, header.at.packets, { header, style }), { scale: 0, isWhole: true });
    const reason = typeof duration === 'string' ? duration : typeof packets === 'string' ? packets : undefined;
    const values = typeof duration !== 'string' && typeof packets === 'bigint' ? [duration, packets] : [];
    return { reject, date, reason, source: shortAddress(cell('source')), destination: shortAddress(cell('destination')), values };
}

function saysNothing(cell: string): boolean {
    return cell === '' || cell === '-';
}

function dateOfInstant(instant: bigint): PlainDate {
    const day = dayOfInstant(instant);
    return day === undefined ? { reason: 'date_unreadable' } : { kind: 'instant', day };
}

/** Microseconds, or the reason why not. */
function readDuration({ header, cells, times }: DataRow, { style, unit }: { style: Style; unit: Unit }): bigint | string {
    if (header.tool.isEnd === true) {
        const { began, end } = times ?? {};
        const isTimed = began !== undefined && end !== undefined;
        return inRange(isTimed ? spanBetween(began, end) : readSpan(cells[header.at.began] ?? '', cells[header.at.duration] ?? ''));
    }
    return readMeasure(numberAt(cells, header.at.duration, { header, style }), { scale: 6 - UNIT_POWERS[unit], isWhole: false });
}

/** The header, and where it ends; it must end within the first MiB of the file. */
function findHeader(text: string, bytesBefore: number): { header: Header; end: number; isZeekLog: boolean; rowsSkipped: number } {
    const limit = Math.min(text.length, MAX_HEADER - bytesBefore);
    let isZeekLog = false;
    let separator = '\t';
    let isOtherLog = false;
    let rowsSkipped = 0;
    for (let at = 0; at < limit; ) {
        const lineEnd = text.indexOf('\n', at);
        if (lineEnd >= limit) {
            break;
        }
        const line = text.slice(at, lineEnd).replace(/\r$/, '');
        isZeekLog ||= /^[ \t]*#(separator|fields)\b/.test(line);
        const isMarked = !isZeekLog && line.startsWith('#');
        const isComment = isMarked && !namedHeader(text.slice(0, lineEnd + 1), at + 1);
        if (isComment || (at === 0 && /^sep=.$/i.test(line))) {
            at = lineEnd + 1;
            continue;
        }
        if (!isZeekLog && trimmed(line, ' \t') !== '') {
            return { ...csvHeader(text.slice(0, limit), isMarked ? at + 1 : at), isZeekLog, rowsSkipped };
        }
        if (line.trimStart().startsWith('#separator ')) {
            separator = zeekSeparator(line.trimStart().slice('#separator '.length));
        }
        isOtherLog = isZeekLog && isOtherLogBehind(line, { separator, isOtherLog });
        rowsSkipped += isOtherLog && !/^(#|$)/.test(line) ? 1 : 0;
        if (isZeekLog && !isOtherLog && line.startsWith(`#fields${separator}`)) {
            return { header: zeekHeader(text.slice(at, lineEnd), separator), end: lineEnd + 1, isZeekLog, rowsSkipped };
        }
        at = lineEnd + 1;
    }
    throw new Unusable('no header');
}

/** True if the rows behind a line are of another Zeek log than conn: the last line `#path` says so. */
function isOtherLogBehind(line: string, { separator, isOtherLog }: { separator: string; isOtherLog: boolean }): boolean {
    return line.startsWith(`#path${separator}`) ? line.slice(6).trim() !== 'conn' : isOtherLog;
}

/** The octal number at 148 is the sum of the first block's bytes, the number's own place counted as eight blanks. */
function isTar(block: Buffer): boolean {
    const written = /^ *([0-7]+)(?![0-9])/.exec(block.toString('latin1', 148, 156))?.[1];
    const others = [...block.subarray(0, 148), ...block.subarray(156)];
    return (
        block.length === 512 && written !== undefined && Number.parseInt(written, 8) === others.reduce((sum, byte) => sum + byte, 8 * 32)
    );
}

/** The header of the first tool that has all its columns under one of its separators. */
function namedHeader(text: string, at: number): { header: Header; end: number } | undefined {
    for (const tool of TOOLS) {
        for (const separator of tool.separators) {
            const { cells, end } = cellsUnder(text, at, separator);
            const names = cells.map((cell) => cell.toLowerCase());
            const header = headerOf(tool, names, separator);
            if (header) {
                return { header, end };
            }
        }
    }
    return undefined;
}

/** A header with names, or one of a tool whose rows are known without. */
function csvHeader(text: string, at: number): { header: Header; end: number } {
    const named = namedHeader(text, at);
    if (named) {
        return named;
    }
    for (const { tool, names, isRow } of HEADLESS) {
        for (const separator of tool.separators) {
            const { cells } = cellsUnder(text, at, separator);
            // Where blanks separate, those at a line's end separate nothing.
            const last = separator === ' ' ? cells.findLastIndex((cell) => cell !== '') : cells.length;
            const header = isRow(cells.slice(0, last + 1)) && headerOf(tool, names, separator);
            if (header) {
                return { header, end: at };
            }
        }
    }
    throw new Unusable('no usable header');
}

function cellsUnder(text: string, at: number, separator: string): { cells: string[]; end: number } {
    const blanks = blanksOf(separator);
    const row = takeRow(text, separator === ' ' ? behindBlanks(text, at) : at, { separator, blanks });
    return { cells: row?.cells.map((cell) => trimmed(cell, blanks)) ?? [], end: row?.end ?? 0 };
}

function zeekHeader(line: string, separator: string): Header {
    const blanks = blanksOf(separator);
    const row = takeRow(`${line.slice('#fields'.length + 1)}\n`, 0, { separator, blanks });
    const names = row?.cells.map((name) => trimmed(name, blanks).toLowerCase()) ?? [];
    const header = headerOf(ZEEK_TOOL, names, separator);
    if (!header) {
        throw new Unusable('no usable #fields line');
    }
    return header;
}

function headerOf(tool: Tool, names: string[], separator: string): Header | undefined {
    const at = findColumns(tool, names);
    return at && { tool, separator, blanks: blanksOf(separator), names, at, witness: findWitness(tool, names) };
}

/** One character, or its code as `\xHH`; a quote or a line end separates nothing. */
function zeekSeparator(written: string): string {
    const code = /^\\x([0-9a-fA-F]{2})$/.exec(written)?.[1];
    const separator = code === undefined ? written : String.fromCharCode(Number.parseInt(code, 16));
    if (separator.length !== 1 || '"\r\n'.includes(separator)) {
        throw new Unusable('no usable separator');
    }
    return separator;
}

function blanksOf(separator: string): string {
    return [' ', '\t'].filter((blank) => blank !== separator).join('');
}

/** Where blanks separate, those at a line's beginning separate nothing. */
function behindBlanks(text: string, start: number): number {
    let at = start;
    while (text[at] === ' ') {
        at += 1;
    }
    return at;
}

/**
 * The cells of the row that begins at `start` and where the next one begins; undefined where a quoted field does not end.
 * @throws Unusable where the row has not ended after 16 MiB
 */
function takeRow(
    text: string,
    start: number,
    { separator, blanks }: { separator: string; blanks: string },
): { cells: string[]; end: number } | undefined {
    const cells: string[] = [];
    for (let at = start; ; ) {
        if (at - start >= MAX_ROW) {
            throw new Unusable('a row is too long');
        }
        if (text[at] === '"') {
            const content = quotedContent(text, at + 1);
            if (content === undefined) {
                return undefined;
            }
            at += content.length + 2;
            while (at < text.length && blanks.includes(text[at]!)) {
                at += 1;
            }
            cells.push(content.replaceAll('""', '"'));
        } else {
            const from = at;
            while (text[at] !== separator && text[at] !== '\n') {
                if (at >= text.length) {
                    return undefined;
                }
                at += 1;
            }
            cells.push(text.slice(from, at));
            // The carriage return of a line end belongs to no field.
            if (text[at] === '\n' && at > from && text[at - 1] === '\r') {
                cells.push(cells.pop()!.slice(0, -1));
            }
        }
        if (text.startsWith('\r\n', at)) {
            at += 1;
        }
        if (text[at] !== separator && text[at] !== '\n') {
            return undefined;
        }
        at += 1;
        if (text[at - 1] === '\n') {
            return { cells, end: at };
        }
    }
}

/** What stands between the quotes, doubled ones as they are; undefined where it does not end within a MiB. */
function quotedContent(text: string, start: number): string | undefined {
    for (let at = start; at < text.length && at - start <= MAX_QUOTED; at += 1) {
        if (text[at] === '"') {
            if (text[at + 1] !== '"') {
                return text.slice(start, at);
            }
            at += 1;
        }
    }
    return undefined;
}

function countLineEnds(text: string, from: number, until: number): number {
    let count = 0;
    for (let at = text.indexOf('\n', from); at >= 0 && at < until; at = text.indexOf('\n', at + 1)) {
        count += 1;
    }
    return count;
}

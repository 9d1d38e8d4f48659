/**
 * Text with separators, one flow a row behind a header: CSV of CICFlowMeter and its relatives, and logs of Zeek. docs/reading.md has the rules.
 */

import type { ReadFlowsOptions } from '../flow-sink.ts';
import { FlowSink } from '../flow-sink.ts';
import { UNIT_DIGITS } from '../options.ts';
import { givenUnit } from './dialects/dialect.ts';
import { HEADLESS_REFUSALS } from './dialects/refusals.ts';
import type { FormatRead, Unusable } from './format.ts';
import { findHeader, findHeadless, type Header, isHeaderOpen, ZEEK_DIALECTS } from './header.ts';
import { withLineFeeds } from './line-ends.ts';
import { otherFileOf, TELLING_BYTES } from './other-files.ts';
import { readBeginning } from './read-beginning.ts';
import { RowScanner, zeekNamesStart } from './row-scanner.ts';
import { UnitJudge, unitByOf } from './unit-witness.ts';
import { isFlowLog, otherZeekLog, zeekPathOf } from './zeek-path.ts';

/** Decimal places of a second in what the figures are kept in. */
const SUM_DIGITS = UNIT_DIGITS.us;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const TAB = 0x09;

/** The header and what stands in front of it; a file whose header has not ended after this many bytes has none. */
const MAX_HEADER_BYTES = 1 << 20;

/** Reads to the end of the stream, or to where it has turned out to be of no use. */
export async function readCsv(source: AsyncGenerator<Uint8Array>, options: ReadFlowsOptions): Promise<FormatRead> {
    const chunks = withLineFeeds(source);
    const start = await readHeader(chunks);
    if (!start.ok) {
        await chunks.return(undefined);
        return start;
    }
    const { header } = start;
    const named = header.dialect.unit(header.names);
    const { durationUnit: witnessed, numbers, dates } = options.settled ?? {};
    const given = givenUnit(header.dialect, options);
    const unit = given ?? witnessed?.unit ?? named.unit;
    const judge = new UnitJudge({ unit, isGiven: given !== undefined, first: witnessed });
    const { minEpochSeconds, isWithoutJanuary1970 } = header.dialect;
    const sink = new FlowSink({
        dateRules: {
            givenOrder: options.dateOrder,
            slashOrder: dates?.slashOrder,
            epochUnit: dates?.epochUnit,
            days: dates?.days,
            minEpochSeconds,
            isWithoutJanuary1970,
        },
        separator: header.separator,
        durationScale: SUM_DIGITS - UNIT_DIGITS[unit],
        numberStyle: numbers?.style,
        watch: options.watch,
        isForBeginning: options.isForBeginning,
    });
    const { isZeekLog, linesBefore } = start;
    for (let row = 0; row < start.otherLogRows; row += 1) {
        sink.skip('other_log');
    }
    const scanner = new RowScanner(sink, { header, isZeekLog, linesBefore, judge, mayChangeStyle: numbers?.isFinal !== true });
    let rowsRejected = 0;
    const handOver = async (): Promise<void> => {
        const { rejects } = sink;
        if (rejects.length > 0) {
            rowsRejected += rejects.length;
            sink.rejects = [];
            await options.onRejects?.(rejects);
        }
    };
    const scan: Scan = async (bytes, { start: from, end, isLast }) => {
        let at = from;
        do {
            at = scanner.scan(bytes, { start: at, end, isLast });
            await handOver();
        } while (scanner.isPaused);
        return at;
    };
    let left = await scanAll(scan, Buffer.alloc(0), start.rest);
    const waiting: Buffer[] = [];
    let waitingBytes = 0;
    for await (const chunk of chunks) {
        options.signal?.throwIfAborted();
        waitingBytes += chunk.length;
        // A row that goes on over many chunks is looked at again when there is twice as much of it, not with each of them.
        if (waitingBytes < left.length) {
            waiting.push(Buffer.from(chunk));
            continue;
        }
        left = await scanAll(scan, left, waiting.length === 0 ? asBuffer(chunk) : Buffer.concat([...waiting, chunk]));
        waiting.length = 0;
        waitingBytes = 0;
        if (scanner.isOver) {
            await chunks.return(undefined);
            break;
        }
    }
    if (left.length > 0 && !scanner.isOver) {
        const last = Buffer.concat([left, ...waiting]);
        const ended = last[last.length - 1] === LF ? last : Buffer.concat([last, Buffer.from([LF])]);
        await scan(ended, { start: 0, end: ended.length, isLast: true });
    }
    if (scanner.failure !== undefined) {
        return { ok: false, error: scanner.failure };
    }
    if (scanner.otherStyle !== undefined) {
        // Two styles in one file: the numbers are read plainly, and those that are not plain are rejects.
        const isMixed = numbers !== undefined;
        return {
            ok: false,
            readAgainWith: {
                numbers: isMixed ? { style: 'plain', isFinal: true } : { style: scanner.otherStyle, isFinal: false },
                // What rows said of the unit was read in a style that is none of the file's.
                durationUnit: undefined,
            },
        };
    }
    if (judge.conflict !== undefined) {
        return { ok: false, error: judge.conflict };
    }
    if (judge.other) {
        return { ok: false, readAgainWith: { durationUnit: judge.other } };
    }
    return {
        ok: true,
        sink,
        dialect: header.dialect.name,
        durationUnit: unit,
        durationUnitBy: unitByOf({
            isGiven: given !== undefined,
            judge,
            named: named.by,
            hasFractions: scanner.hasFractions,
        }),
        rowsRejected,
        repeatedHeaders: scanner.repeatedHeaders,
    };
}

/** Why a file is no usable file of this format, from its header alone; undefined where it is one. */
export async function whyNoCsv(chunks: AsyncGenerator<Uint8Array>): Promise<Unusable | undefined> {
    const start = await readHeader(withLineFeeds(chunks));
    return start.ok ? undefined : start;
}

type Scan = (bytes: Buffer, options: { start: number; end: number; isLast: boolean }) => Promise<number>;

/** Scans what was left over and a chunk behind it; returns (a copy of) what is not a whole row yet. */
async function scanAll(scan: Scan, left: Buffer, chunk: Buffer): Promise<Buffer> {
    let start = 0;
    if (left.length > 0) {
        const firstEnd = chunk.indexOf(LF) + 1;
        if (firstEnd === 0) {
            // Only looked at for how long it has become.
            const line = Buffer.concat([left, chunk]);
            return line.subarray(await scan(line, { start: 0, end: line.length, isLast: false }));
        }
        const row = Buffer.concat([left, chunk.subarray(0, firstEnd)]);
        const rowEnd = left.length + firstEnd;
        const taken = await scan(row, { start: 0, end: rowEnd, isLast: false });
        if (taken < rowEnd) {
            // A quoted field goes on over this line end: only then is the whole chunk moved behind what is left.
            return scanAll(scan, Buffer.alloc(0), Buffer.concat([row.subarray(taken, rowEnd), chunk.subarray(firstEnd)]));
        }
        start = firstEnd;
    }
    const next = await scan(chunk, { start, end: chunk.length, isLast: false });
    return Buffer.from(chunk.subarray(next));
}

type FileStart =
    | {
          ok: true;
          header: Header;
          isZeekLog: boolean;
          rest: Buffer;
          linesBefore: number;
          /** Rows of other Zeek logs in front of the header, in a file that was put together of several. */
          otherLogRows: number;
      }
    | Unusable;

/** Reads up to and with the header line. */
function readHeader(chunks: AsyncIterator<Uint8Array>): Promise<FileStart> {
    const nextLook = (length: number): number => Math.min(length * 2, Math.max(length + 1, MAX_HEADER_BYTES));
    return readBeginning(chunks, { firstLook: TELLING_BYTES, nextLook, take: takeHeader });
}

/** What the file begins with; undefined where more bytes are needed, which is never so where all are there that a header may have. */
function takeHeader(whole: Buffer, isWhole: boolean): FileStart | undefined {
    const bytes = whole.subarray(0, MAX_HEADER_BYTES);
    const isLast = isWhole && bytes.length === whole.length;
    const isFull = !isLast && bytes.length === MAX_HEADER_BYTES;
    const otherFile = otherFileOf(bytes);
    if (otherFile) {
        return otherFile;
    }
    let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    // A header row that the file ends in needs a line end to be taken apart.
    const text = isLast && bytes[bytes.length - 1] !== LF ? Buffer.concat([bytes, Buffer.from([LF])]) : bytes;
    const restFrom = (from: number): Buffer => Buffer.from((isLast ? text : whole).subarray(from));
    let separator = TAB;
    let isZeekLog = false;
    let zeekPath: string | undefined;
    let otherLogRows = 0;
    for (let linesBefore = 0; at < text.length; linesBefore += 1) {
        const lineEnd = text.indexOf(LF, at);
        if (lineEnd < 0) {
            if (isFull && !isFlowLog(zeekPath)) {
                break;
            }
            return isFull ? { ok: false, error: otherKindOf(text.toString('latin1', at)) ?? LINE_TOO_LONG } : undefined;
        }
        const line = text.toString('latin1', at, lineEnd).replace(/\r$/, '');
        isZeekLog ||= /^[ \t]*#(separator|fields)\b/.test(line);
        if (isZeekLog && line.trimStart().startsWith(ZEEK_SEPARATOR)) {
            const named = zeekSeparator(line.trimStart());
            if (named === undefined) {
                return { ok: false, error: `${NO_SEPARATOR}; found ${JSON.stringify(line.slice(0, 40))}` };
            }
            separator = named;
        }
        // A comment, unless it is a header that begins so.
        const isMarked = !isZeekLog && line.startsWith('#');
        const isComment = isMarked && !findHeader(text, { start: at + 1, end: lineEnd + 1 }).ok;
        if (isComment || (linesBefore === 0 && EXCEL_SEPARATOR.test(line))) {
            at = lineEnd + 1;
            continue;
        }
        zeekPath = isZeekLog ? (zeekPathOf(text, { start: at, end: lineEnd, separator }) ?? zeekPath) : undefined;
        if (!isFlowLog(zeekPath)) {
            otherLogRows += line.startsWith('#') || line === '' ? 0 : 1;
            at = lineEnd + 1;
            continue;
        }
        const namesStart = isZeekLog ? zeekNamesStart(text, { start: at, separator }) : isMarked ? at + 1 : at;
        if (namesStart !== undefined && /[^ \t]/.test(line)) {
            if (!isZeekLog && !isLast && !isFull && isHeaderOpen(text, { start: at, end: text.length })) {
                return undefined;
            }
            const found = isZeekLog
                ? findHeader(text, { start: namesStart, end: lineEnd + 1, separators: [separator], dialects: ZEEK_DIALECTS })
                : findHeader(text, { start: namesStart, end: text.length });
            if (!found.ok) {
                const header = isZeekLog ? undefined : findHeadless(text, { start: at, end: text.length });
                if (header) {
                    return { ok: true, header, isZeekLog, rest: restFrom(at), linesBefore, otherLogRows };
                }
                const isUnlike = found.isUnlike === true && !ADDRESS.test(text.toString('latin1', 0, LOOKED_AT_FOR_ADDRESSES));
                return { ok: false, error: otherKindOf(line) ?? found.error, isUnlike };
            }
            const headerLines = text.subarray(at, found.next).filter((byte) => byte === LF).length;
            return {
                ok: true,
                header: found.header,
                isZeekLog,
                rest: restFrom(found.next),
                linesBefore: linesBefore + headerLines,
                otherLogRows,
            };
        }
        at = lineEnd + 1;
    }
    if (!isLast && !isFull) {
        return undefined;
    }
    if (!isFlowLog(zeekPath)) {
        return otherZeekLog(zeekPath);
    }
    return { ok: false, error: isZeekLog ? 'no usable header: a Zeek log without a #fields line' : emptyError(bytes, isLast) };
}

const LOOKED_FOR = 'no usable header: looked for a CSV header with source and destination address';

/** What a line that should be a header is instead; undefined where that cannot be told. */
function otherKindOf(line: string): string | undefined {
    const cells = line.split(',').map((cell) => cell.trim());
    const refusal = HEADLESS_REFUSALS.find(({ isRow }) => isRow(cells));
    return refusal?.error ?? (line.includes('\0') ? `${LOOKED_FOR}; found binary data` : undefined);
}

function emptyError(bytes: Buffer, isLast: boolean): string {
    if (/^[ \t]*#/m.test(bytes.toString('latin1'))) {
        return 'no usable header: nothing but lines that begin with #';
    }
    if (!isLast) {
        return `no usable header: nothing but blanks and line ends in ${FIRST_BYTES}`;
    }
    return `no usable header: the file is empty${bytes.length > 0 ? ' but for blanks and line ends' : ''}`;
}

const FIRST_BYTES = `the first ${MAX_HEADER_BYTES >> 20} MiB`;

const LINE_TOO_LONG = `${LOOKED_FOR}; found a line that does not end in ${FIRST_BYTES}`;

/** Something like an IPv4 or IPv6 address, in so many of the first bytes: a file with one may be of flows, though its header is not known. */
const ADDRESS = /\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3}/i;
const LOOKED_AT_FOR_ADDRESSES = 1 << 14;

/** The line by which Excel is told what separates; the header tells it too. */
const EXCEL_SEPARATOR = /^sep=.$/i;

const ZEEK_SEPARATOR = '#separator ';
const NO_SEPARATOR = 'no usable header: looked for a separator as Zeek names it, one character or its code as \\x09, and no quote';

/** The separator that a line names: `#separator \x09` names it by its code. A quote or a line end cannot separate. */
function zeekSeparator(line: string): number | undefined {
    const [, code, character] = /^#separator (?:\\x([0-9a-fA-F]{2})|([\s\S]))$/.exec(line) ?? [];
    const separator = code === undefined ? character?.charCodeAt(0) : Number.parseInt(code, 16);
    return separator !== undefined && [QUOTE, LF, CR].includes(separator) ? undefined : separator;
}

function asBuffer(chunk: Uint8Array): Buffer {
    return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

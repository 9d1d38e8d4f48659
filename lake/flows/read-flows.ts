/** Reads a file of flows, a stream of bytes, into exact totals per day and pair. */

import type { ByRange, Inspection } from '#lake/kind';
import { decompress } from './decompress.ts';
import { BeginningKnown } from './first-flows.ts';
import type { FlowSink, ReadFlowsOptions, Settled, SkipReason } from './flow-sink.ts';
import { readCsv, whyNoCsv } from './formats/csv.ts';
import type { FormatRead, UnitBy, Unusable } from './formats/format.ts';
import { isJsonStart, readJson, whyNoJson } from './formats/json.ts';
import { isParquet, readParquet, whyNoParquet } from './formats/parquet.ts';
import type { DateOrder, DurationUnit } from './options.ts';
import type { PairTable } from './pair-table.ts';
import { dateOrderOf, settleDates } from './settle-dates.ts';
import { DamagedFileError } from './zstd-frames.ts';

export interface FlowsRead {
    ok: true;
    dialect: string;
    dateOrder: ReturnType<typeof dateOrderOf>;
    /** Both null where flows were kept and none of them has a duration. */
    durationUnit: DurationUnit | null;
    durationUnitBy: UnitBy | null;
    rowsRead: number;
    rowsRejected: number;
    repeatedHeaders: number;
    /** Records that are no flows by right, by reason. */
    skipped: ReadonlyMap<SkipReason, number>;
    /** What the file says of how many flows it holds, where that is not so: `20 of 51`. */
    announced: string | null;
    /** Hashes of the first kept flows. */
    beginning: readonly string[];
    /** Distinct pairs of kept rows, whatever the day. */
    pairs: number;
    table: PairTable;
    /** The days of kept rows, ascending, with the rows of `table` that belong to each, ascending. */
    days: Map<string, Int32Array>;
}

export type FlowsResult = FlowsRead | Unusable;

/** Readings that one file may take: what the last one settles is what the next one is told. */
const MAX_READINGS = 7;

/**
 * Reads to the end of the stream, which `open` hands out from its beginning; once more where something that rules all rows was settled too late.
 * Rejects of a reading that is followed by another do not count. Memory grows with the pairs and days, not with the rows. Errors of the stream
 * itself pass through.
 */
export async function readFlows(open: () => AsyncIterable<Uint8Array>, options: ReadFlowsOptions = {}): Promise<FlowsResult> {
    let settled: Settled = options.settled ?? {};
    for (let reading = 1; reading <= MAX_READINGS; reading += 1) {
        const result = await readOnce(open(), { ...options, settled });
        if (!('readAgainWith' in result)) {
            return result;
        }
        settled = { ...settled, ...result.readAgainWith };
    }
    return { ok: false, error: 'what its rows say of dates and units changes with each reading' };
}

/** Reads once. @returns with `readAgainWith` what was settled too late */
export async function readOnce(
    source: AsyncIterable<Uint8Array>,
    options: ReadFlowsOptions = {},
): Promise<FlowsResult | (FormatRead & { readAgainWith: Settled })> {
    try {
        const read = await readFormat(source, options);
        return read.ok ? settle(read, options) : read;
    } catch (error) {
        if (error instanceof DamagedFileError) {
            return { ok: false, error: error.message };
        }
        throw error;
    }
}

/** Reads in the format that the first bytes tell. */
async function readFormat(source: AsyncIterable<Uint8Array>, options: ReadFlowsOptions): Promise<FormatRead> {
    const packed = await peek(source);
    if (isParquet(packed.start)) {
        await packed.close();
        return options.ranges ? readParquet(options.ranges, options) : { ok: false, error: PARQUET_IN_A_STREAM };
    }
    const plain = await peek(decompress(packed.bytes));
    if (isParquet(plain.start)) {
        await plain.close();
        return { ok: false, error: PACKED_PARQUET };
    }
    const { isJson, chunks } = await beginningOf(plain.bytes);
    const other = isJson ? otherZeekJson(options.ranges?.name) : undefined;
    if (other) {
        await chunks.return(undefined);
        return other;
    }
    return isJson ? readJson(chunks, options) : readCsv(chunks, options);
}

/**
 * Zeek's JSON does not say which log it is, and these two repeat the connections of conn.log in its own words while they are open: only the file's
 * name tells.
 */
function otherZeekJson(name: string | undefined): Unusable | undefined {
    const [, log] = /^(conn_long|open_conn)(?![a-z])/i.exec(name ?? '') ?? [];
    return log === undefined ? undefined : { ok: false, error: `Zeek ${log} log`, isOther: true };
}

const PARQUET_IN_A_STREAM = 'a Parquet file, which can be read only where its end can be looked at first';
const PACKED_PARQUET = 'a Parquet file that was packed once more (Parquet is packed inside): unpack it, and upload that';

/** Bytes that tell a format. */
const MAGIC_BYTES = 4;

interface Peeked {
    start: Uint8Array;
    /** All of the stream; it ends with whoever reads it. */
    bytes: AsyncGenerator<Uint8Array>;
    /** Lets go of a stream that nobody has begun to read. */
    close(): Promise<void>;
}

/** The first bytes of a stream, and all of it. */
async function peek(source: AsyncIterable<Uint8Array>): Promise<Peeked> {
    const chunks = source[Symbol.asyncIterator]();
    let first: Uint8Array = new Uint8Array(0);
    for (let isOver = false; first.length < MAGIC_BYTES && !isOver; ) {
        const next = await chunks.next();
        isOver = next.done === true;
        if (!next.done) {
            first = first.length === 0 && next.value.length >= MAGIC_BYTES ? next.value : Buffer.concat([first, next.value]);
        }
    }
    async function* all(): AsyncGenerator<Uint8Array> {
        try {
            yield first;
            yield* { [Symbol.asyncIterator]: () => chunks };
        } finally {
            await chunks.return?.();
        }
    }
    const close = async (): Promise<void> => void (await chunks.return?.());
    return { start: first.slice(0, MAGIC_BYTES), bytes: all(), close };
}

/** A file with more blanks in front of its first byte is of no format. */
const MAX_BLANK_BYTES = 1 << 20;

/** Tells JSON by the first byte that is no blank. @returns with all chunks, also those that were looked at */
async function beginningOf(plain: AsyncGenerator<Uint8Array>): Promise<{ isJson: boolean; chunks: AsyncGenerator<Uint8Array> }> {
    const { done, value } = await plain.next();
    let isJson = done ? undefined : isJsonStart(value);
    if (!done && isJson !== undefined) {
        // Nearly always: the piece need not be copied.
        return { isJson, chunks: withFirst(value, plain) };
    }
    let first = Buffer.from(value ?? []);
    const held = [first];
    let length = first.length;
    for (let isOver = done === true; isJson === undefined && first.length < MAX_BLANK_BYTES && !isOver; ) {
        const next = await plain.next();
        isOver = next.done === true;
        if (!next.done) {
            // The next piece may overwrite this one.
            held.push(Buffer.from(next.value));
            length += next.value.length;
        }
        // Not at each piece: of small ones all would be copied again and again.
        if (isOver || length >= first.length * 2) {
            first = Buffer.concat(held);
            isJson = isJsonStart(first);
        }
    }
    return { isJson: isJson === true, chunks: withFirst(first, plain) };
}

async function* withFirst(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
        yield first;
        yield* rest;
    } finally {
        await rest.return(undefined);
    }
}

/** The days of the kept rows, now that all witnesses of how the file writes its dates are there. */
function settle(
    { sink, ...read }: FormatRead & { ok: true },
    options: ReadFlowsOptions,
): FlowsRead | { ok: false; readAgainWith: Settled } {
    const { table } = sink;
    const { dates = settleDates(sink) } = options.settled ?? {};
    if ('isSplit' in dates && dates.isSplit) {
        const { isSplit, ...settled } = dates;
        return { ok: false, readAgainWith: { dates: settled } };
    }
    return {
        ...read,
        ...(table.areAllUntimed() && { durationUnit: null, durationUnitBy: null }),
        dateOrder: dateOrderOf(sink, { ...dates, given: options.dateOrder }),
        rowsRead: sink.rowsRead,
        skipped: sink.skipped,
        announced: sink.announced ?? null,
        beginning: sink.first.hashes,
        pairs: table.countPairs(),
        table,
        days: groupByDay(sink, options.dateOrder ?? dates.slashOrder),
    };
}

function groupByDay({ table, dates }: FlowSink, order: DateOrder): Map<string, Int32Array> {
    const dayOfSlot = dates.all.map(({ mdy, dmy }) => (order === 'mdy' ? mdy : dmy) ?? '');
    const days = [...new Set(dayOfSlot)].sort();
    const placeOfDay = new Map(days.map((day, place) => [day, place]));
    const placeOfSlot = Int32Array.from(dayOfSlot, (day) => placeOfDay.get(day) ?? 0);
    const counts = new Int32Array(days.length);
    for (let row = 0; row < table.rowCount; row += 1) {
        const place = placeOfSlot[table.groupOf(row) >> 2] as number;
        counts[place] = (counts[place] as number) + 1;
    }
    const rowsOfDay = days.map((_, place) => new Int32Array(counts[place] as number));
    counts.fill(0);
    for (let row = 0; row < table.rowCount; row += 1) {
        const place = placeOfSlot[table.groupOf(row) >> 2] as number;
        const at = counts[place] as number;
        (rowsOfDay[place] as Int32Array)[at] = row;
        counts[place] = at + 1;
    }
    return new Map(days.flatMap((day, place) => (counts[place] === 0 ? [] : [[day, rowsOfDay[place] as Int32Array]])));
}

/** What the beginning of a file tells, and of Parquet its end: whether it is a file of flows at all. */
export async function inspectFlows(source: AsyncIterable<Uint8Array>, parts?: ByRange): Promise<Inspection> {
    try {
        const unusable = await whyUnusable(source, parts);
        return unusable ? inspectionOf(unusable) : { is: 'usable' };
    } catch (error) {
        if (error instanceof DamagedFileError) {
            return { is: 'unusable', why: error.message, what: 'damaged' };
        }
        throw error;
    }
}

async function whyUnusable(source: AsyncIterable<Uint8Array>, parts: ByRange | undefined): Promise<Unusable | undefined> {
    const packed = await peek(source);
    if (isParquet(packed.start)) {
        await packed.close();
        const unusable = parts && (await whyNoParquet(parts));
        return unusable && { what: 'a Parquet file without flows', ...unusable };
    }
    const plain = await peek(decompress(packed.bytes));
    if (isParquet(plain.start)) {
        await plain.close();
        return { ok: false, error: PACKED_PARQUET, what: 'a Parquet file inside of a compressed one' };
    }
    try {
        const { isJson, chunks } = await beginningOf(plain.bytes);
        return isJson ? (otherZeekJson(parts?.name) ?? (await whyNoJson(chunks))) : await whyNoCsv(chunks);
    } finally {
        await plain.bytes.return(undefined);
    }
}

function inspectionOf({ error, what, isOther, isUnlike = false }: Unusable): Inspection {
    return isOther === true ? { is: 'other', what: error } : { is: 'unusable', why: error, what, ...(isUnlike && { isUnlike }) };
}

/** Hashes of the first kept flows, as `FlowsRead.beginning` has them; no more of the file is read than that takes. Empty where it has none. */
export async function readBeginning(open: () => AsyncIterable<Uint8Array>, options: ReadFlowsOptions = {}): Promise<readonly string[]> {
    const streams: AsyncGenerator<Uint8Array>[] = [];
    const openOne = (): AsyncGenerator<Uint8Array> => {
        const stream = passOn(open());
        streams.push(stream);
        return stream;
    };
    try {
        const result = await readFlows(openOne, { ...options, isForBeginning: true });
        return result.ok ? result.beginning : [];
    } catch (error) {
        if (error instanceof BeginningKnown) {
            return error.hashes;
        }
        throw error;
    } finally {
        // A reading that was broken off in its midst has not closed what it read.
        await Promise.all(streams.map((stream) => stream.return(undefined)));
    }
}

async function* passOn(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* source;
}

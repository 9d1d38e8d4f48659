/** JSON, one object a flow: Zeek's conn.log, Suricata's eve.json, goflow2, nfdump. docs/reading.md has the rules. */

import { type FlowPlace, FlowSink, type ReadFlowsOptions } from '../flow-sink.ts';
import { UNIT_DIGITS } from '../options.ts';
import { JSON_REFUSALS } from './dialects/refusals.ts';
import type { FormatRead, Unusable } from './format.ts';
import { type JsonDialect, KNOWN_TOOLS, toolOf } from './json-dialects.ts';
import { JsonFlows } from './json-flows.ts';
import { type JsonValue, textOf } from './json-object.ts';
import { type JsonLayout, JsonRecords, layoutOf, type RecordTaker } from './json-records.ts';
import { withLineFeeds } from './line-ends.ts';
import { TELLING_BYTES } from './other-files.ts';
import { NOT_PLAIN } from './plain-row.ts';
import { readBeginning } from './read-beginning.ts';

const LF = 0x0a;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;

/** A file whose first records do not tell its tool within so many bytes is none that is known. */
const MAX_START_BYTES = 1 << 20;

/** Who only asks what a file is gets the answer by so many bytes: its flows may stand behind many other events. */
const MAX_INSPECTED_BYTES = 1 << 24;

/** True if a file that begins with these plain bytes is JSON; undefined where more are needed. */
export function isJsonStart(bytes: Uint8Array): boolean | undefined {
    const first = bytes.subarray(markEnd(bytes)).find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== LF);
    return first === undefined ? undefined : first === OPEN_OBJECT || first === OPEN_ARRAY;
}

/** Length of a UTF-8 byte order mark. */
function markEnd(bytes: Uint8Array): number {
    return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** Reads to the end of the stream, or to where it has turned out to be of no use. */
export async function readJson(source: AsyncGenerator<Uint8Array>, options: ReadFlowsOptions): Promise<FormatRead> {
    const chunks = withLineFeeds(source);
    const start = await readStart(chunks);
    if (!start.ok) {
        await chunks.return(undefined);
        return start;
    }
    return new JsonReading(start, options).readAll(chunks, Number.POSITIVE_INFINITY);
}

/** Why a file is no usable file of this format, from its beginning; undefined where it is one, or may be. */
export async function whyNoJson(source: AsyncGenerator<Uint8Array>): Promise<Unusable | undefined> {
    const chunks = withLineFeeds(source);
    const start = await readStart(chunks);
    if (!start.ok) {
        return start;
    }
    const read = await new JsonReading(start, {}).readAll(chunks, MAX_INSPECTED_BYTES);
    return read.ok || 'readAgainWith' in read ? undefined : read;
}

type FileStart = { ok: true; dialect: JsonDialect; layout: JsonLayout; bytes: Buffer; start: number } | Unusable;

/** Reads until a record tells the tool that wrote the file. */
function readStart(chunks: AsyncIterator<Uint8Array>): Promise<FileStart> {
    return readBeginning(chunks, { firstLook: 1, nextLook: (length) => length * 2, take: takeStart });
}

function takeStart(bytes: Buffer, isLast: boolean): FileStart | undefined {
    const start = markEnd(bytes);
    const lookedAt = bytes.subarray(0, MAX_START_BYTES);
    const isAll = isLast && bytes.length === lookedAt.length;
    const isEnough = isAll || lookedAt.length === MAX_START_BYTES;
    const layout = layoutOf(lookedAt, { start, isLast: isEnough });
    if (!layout) {
        return undefined;
    }
    const finder = new ToolFinder();
    const records = new JsonRecords(finder, { layout });
    records.scan(lookedAt, { start, end: lookedAt.length, isLast: isAll });
    if (finder.tool === undefined) {
        return isEnough ? { ok: false, ...(knownRefusal(lookedAt) ?? whatItIs(finder, isAll)) } : undefined;
    }
    return 'todo' in finder.tool
        ? { ok: false, error: `${finder.tool.what}: ${finder.tool.todo}`, what: finder.tool.what }
        : { ok: true, dialect: finder.tool, layout, bytes, start };
}

/** What the file is where others than the lake know it, and what to do with it. */
function knownRefusal(bytes: Buffer): Pick<Unusable, 'error' | 'what'> | undefined {
    const text = bytes.toString('latin1', 0, TELLING_BYTES);
    const refusal = JSON_REFUSALS.find(({ has }) => has.every((pattern) => pattern.test(text)));
    return refusal && { error: `${refusal.what}: ${refusal.todo}`, what: refusal.what };
}

function whatItIs({ firstKeys }: ToolFinder, isAll: boolean): Pick<Unusable, 'error' | 'what'> {
    const within = isAll ? '' : ` in its first ${MAX_START_BYTES >> 20} MiB`;
    if (!firstKeys) {
        return { error: `the file begins as JSON does, and no JSON object was found${within}; known JSON is ${KNOWN_TOOLS}` };
    }
    const shown = firstKeys.slice(0, 8).map((key) => JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key));
    const more = firstKeys.length > shown.length ? ` and ${firstKeys.length - shown.length} more` : '';
    const error = `JSON with the keys ${shown.join(', ') || '(none)'}${more}: no flows of a tool that is known; known are ${KNOWN_TOOLS}; messages of devices: --kind telemetry --profile NAME`;
    return { error, what: 'JSON of no tool that is known' };
}

/** Looks for the first record that tells the tool. */
class ToolFinder implements RecordTaker {
    readonly linesTaken = 0;
    tool: ReturnType<typeof toolOf>;
    /** Keys of the first object. */
    firstKeys: string[] | undefined;

    begin(): void {
        // Its records are all taken apart with care.
    }

    takePlain(): number {
        return NOT_PLAIN;
    }

    takeObject(values: readonly JsonValue[], { bytes }: FlowPlace): void {
        const textAtPath = (path: string): string => {
            const value = values.find((one) => one.path === path);
            return value ? textOf(bytes, value.start, value.end) : '';
        };
        const paths = new Set(values.map(({ path }) => path));
        this.firstKeys ??= [...paths].filter((path) => path.lastIndexOf('/') === 0).map(keyOf);
        this.tool ??= toolOf(paths, textAtPath);
    }

    takeBroken(): void {
        // The reading will reject it.
    }

    isFull(): boolean {
        return this.tool !== undefined;
    }
}

function keyOf(path: string): string {
    return path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
}

/** One reading of a file whose tool is known. */
class JsonReading {
    readonly #start: FileStart & { ok: true };
    readonly #options: ReadFlowsOptions;
    readonly #sink: FlowSink;
    readonly #flows: JsonFlows;
    readonly #records: JsonRecords;
    #rowsRejected = 0;
    #joined = Buffer.alloc(0);

    constructor(start: FileStart & { ok: true }, options: ReadFlowsOptions) {
        this.#start = start;
        this.#options = options;
        const { dates } = options.settled ?? {};
        const unit = this.#durationUnit().durationUnit;
        this.#sink = new FlowSink({
            dateRules: { minEpochSeconds: 0, epochUnit: dates?.epochUnit, days: dates?.days },
            separator: 0,
            durationScale: UNIT_DIGITS.us - UNIT_DIGITS[unit],
            watch: options.watch,
            isForBeginning: options.isForBeginning,
        });
        this.#flows = new JsonFlows(this.#sink, start.dialect, start.layout);
        this.#records = new JsonRecords(this.#flows, { layout: start.layout });
    }

    /** Reads on to the end, or to where `maxBytes` and more were read or it is sure that the file has flows. */
    async readAll(chunks: AsyncGenerator<Uint8Array>, maxBytes: number): Promise<FormatRead> {
        let left = await this.#scan(this.#start.bytes, this.#start.start);
        let waiting: Uint8Array[] = [];
        let waitingBytes = 0;
        let length = left.length;
        const isInspection = maxBytes < Number.POSITIVE_INFINITY;
        for await (const chunk of chunks) {
            this.#options.signal?.throwIfAborted();
            length += chunk.length;
            waitingBytes += chunk.length;
            // A record that goes on over many chunks is looked at again when there is twice as much of it, not with each of them.
            if (waitingBytes < left.length) {
                waiting.push(Buffer.from(chunk));
                continue;
            }
            left = await this.#scanBehind(left, waiting.length === 0 ? asBuffer(chunk) : Buffer.concat([...waiting, chunk]));
            waiting = [];
            waitingBytes = 0;
            if (this.#failure !== undefined || (isInspection && (this.#hasFlows() || length > maxBytes))) {
                await chunks.return(undefined);
                return this.#result({ isWhole: false });
            }
        }
        const rest = Buffer.concat([left, ...waiting]);
        await this.#scan(rest, 0, true);
        return this.#result({ isWhole: true });
    }

    /** Scans what was left over and a chunk behind it. @returns a copy of what is not a whole record yet */
    async #scanBehind(left: Buffer, chunk: Buffer): Promise<Buffer> {
        const lineEnd = left.length > 0 ? chunk.indexOf(LF) : 0;
        if (left.length === 0 || lineEnd < 0) {
            return this.#scan(left.length === 0 ? chunk : this.#join(left, chunk), 0);
        }
        const line = Buffer.concat([left, chunk.subarray(0, lineEnd + 1)]);
        const open = await this.#scan(line, 0);
        // A record that goes on behind this line end is of a file that is spread over lines: only then is the whole chunk moved.
        return open.length > 0 ? this.#scan(this.#join(open, chunk.subarray(lineEnd + 1)), 0) : this.#scan(chunk, lineEnd + 1);
    }

    /** Both one behind the other, until the next call: room for them is made once, as an array on one line is joined piece by piece. */
    #join(left: Buffer, chunk: Buffer): Buffer {
        const length = left.length + chunk.length;
        if (this.#joined.length < length) {
            this.#joined = Buffer.allocUnsafeSlow(length + (length >> 3));
        }
        left.copy(this.#joined);
        chunk.copy(this.#joined, left.length);
        return this.#joined.subarray(0, length);
    }

    async #scan(bytes: Buffer, start: number, isLast = false): Promise<Buffer> {
        let at = start;
        do {
            at = this.#records.scan(bytes, { start: at, end: bytes.length, isLast });
            await this.#handOver();
        } while (this.#records.isPaused);
        this.#sink.flush();
        return Buffer.from(bytes.subarray(at));
    }

    async #handOver(): Promise<void> {
        const { rejects } = this.#sink;
        if (rejects.length > 0) {
            this.#rowsRejected += rejects.length;
            this.#sink.rejects = [];
            await this.#options.onRejects?.(rejects);
        }
    }

    get #failure(): string | undefined {
        return this.#records.failure ?? this.#flows.failure;
    }

    /** True once no later record can make the file one without flows. */
    #hasFlows(): boolean {
        return this.#sink.rowsRead > 0 && this.#flows.hasTimes && this.#flows.hasAddresses;
    }

    #durationUnit(): { durationUnit: JsonDialect['durationUnit']; durationUnitBy: 'named' | 'given' } {
        const { durationUnit, times } = this.#start.dialect;
        const given = times === 'start and duration' ? this.#options.durationUnit : undefined;
        return given === undefined ? { durationUnit, durationUnitBy: 'named' } : { durationUnit: given, durationUnitBy: 'given' };
    }

    #result({ isWhole }: { isWhole: boolean }): FormatRead {
        const unusable = this.#whyUnusable(isWhole);
        if (unusable) {
            return { ok: false, ...unusable };
        }
        const { name: dialect } = this.#start.dialect;
        return { ok: true, sink: this.#sink, dialect, ...this.#durationUnit(), rowsRejected: this.#rowsRejected, repeatedHeaders: 0 };
    }

    #whyUnusable(isWhole: boolean): Omit<Unusable, 'ok'> | undefined {
        const { dialect } = this.#start;
        const { rowsRead, skipped } = this.#sink;
        const { otherKind, hasAddresses, hasTimes } = this.#flows;
        if (this.#failure !== undefined) {
            return { error: this.#failure };
        }
        if (isWhole && this.#records.isArrayOpen) {
            return { error: CUT_ARRAY, what: 'a JSON array that does not end' };
        }
        if (rowsRead === 0 && skipped.size > 0) {
            const what = otherEvents(dialect, otherKind ?? '');
            return { error: what, what, isOther: true };
        }
        if (dialect.name === 'nfdump-json' && rowsRead > 0 && !hasAddresses) {
            return { error: `${NO_ADDRESSES.what}: ${NO_ADDRESSES.todo}`, what: NO_ADDRESSES.what };
        }
        if (dialect.times === 'nanoseconds' && isWhole && rowsRead > this.#rowsRejected && !hasTimes) {
            return { error: `${NO_TIMES.what}: ${NO_TIMES.todo}`, what: NO_TIMES.what };
        }
        return undefined;
    }
}

function otherEvents({ name, title }: JsonDialect, kind: string): string {
    const shown = kind.length > 40 ? `${kind.slice(0, 40)}…` : kind;
    switch (name) {
        case 'zeek-json':
            return kind === '' ? 'a JSON log of Zeek other than conn' : `Zeek ${shown} log`;
        case 'goflow2':
            return `${title}'s JSON of sFlow: sampled packets, no flows`;
        case 'suricata':
            return `${title} events, none of them a flow (the first is ${shown === '' ? 'without a type' : shown})`;
        case 'nfdump-json':
            return `${title}'s JSON, none of its records a flow (the first is of the type ${shown})`;
    }
}

const CUT_ARRAY =
    'a JSON array that does not end: the file was cut, or is damaged where no other record can be found behind; have it written once more';

const NO_ADDRESSES = {
    what: "nfdump's JSON without addresses",
    todo: '-A and -s sum flows up and -o json leaves out what is left of them; run nfdump without -A and -s, as `nfdump -r FILE -o json`',
};

const NO_TIMES = {
    what: "goflow2's JSON without times of flows",
    todo: 'in each record start and end are one whole second, which is when the record was exported, so every day and duration would be wrong; have the exporter send times (softflowd: -A milli)',
};

function asBuffer(chunk: Uint8Array): Buffer {
    return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

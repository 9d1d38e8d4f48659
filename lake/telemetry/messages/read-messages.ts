/** Reads the messages of a source in the form that its first bytes tell, and hands each to its profile. */

import { decompress } from '#lake/flows/decompress';
import { otherFileOf, TELLING_BYTES } from '#lake/flows/formats/other-files';
import { DamagedFileError } from '#lake/flows/zstd-frames';
import type { ReadingOptions, SourceBytes } from '#lake/kind';
import { isChainLine } from '../chain-line.ts';
import { ChainTaker } from './chain-messages.ts';
import { type CsvHeader, CsvMessages, findHeader } from './csv-messages.ts';
import { HistoryTaker } from './history-messages.ts';
import { skipBlanks } from './json-elements.ts';
import { type JsonLayout, layoutOf, MAX_MESSAGE_BYTES, MessageScanner } from './message-scanner.ts';
import type { MessagesTaken, OpenProfile } from './messages-taken.ts';
import { OpenProfiles } from './open-profiles.ts';

const LF = 0x0a;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;

/** How messages stand in a source. */
export type MessageForm = 'chain' | 'json-lines' | 'json-array' | 'json-objects' | 'csv';

export interface Unusable {
    ok: false;
    error: string;
    /** In a few words what it is, if that is known. */
    what?: string | undefined;
    /** True if nothing in it is like a file of messages. */
    isUnlike?: boolean;
}

export type MessagesRead = { ok: true; form: MessageForm; profiles: string[] } | Unusable;

export interface ReadMessagesOptions {
    options: ReadingOptions;
    taken: MessagesTaken;
    /** True once no more messages are wanted. */
    isEnough?: () => boolean;
}

type Source = Pick<SourceBytes, 'open' | 'site' | 'input' | 'reject' | 'signal'>;

/** Reads to the end, or to where it is enough. Errors of the stream pass through. */
export async function readMessages(source: Source, { options, taken, isEnough = () => false }: ReadMessagesOptions): Promise<MessagesRead> {
    const chunks = decompress(source.open());
    try {
        const start = await readStart(chunks);
        if (!start.ok) {
            return start;
        }
        const profiles = new OpenProfiles(source);
        const reading = await openReading(start, { source, options, taken, profiles });
        if ('error' in reading) {
            return reading;
        }
        await scanAll(start, chunks, { reading, source, taken, profiles, isEnough });
        const failure = reading.failure() ?? (isEnough() ? undefined : reading.faultOfEnd());
        return failure === undefined ? { ok: true, form: start.form, profiles: profiles.said() } : { ok: false, error: failure };
    } catch (error) {
        if (error instanceof DamagedFileError) {
            return { ok: false, error: error.message };
        }
        throw error;
    } finally {
        await chunks.return(undefined);
    }
}

/** What a file is by its beginning. */
export async function inspectMessages(bytes: AsyncIterable<Uint8Array>): Promise<{ ok: true; form: MessageForm } | Unusable> {
    const chunks = decompress(bytes);
    try {
        const start = await readStart(chunks);
        return start.ok ? { ok: true, form: start.form } : start;
    } catch (error) {
        if (error instanceof DamagedFileError) {
            return { ok: false, error: error.message };
        }
        throw error;
    } finally {
        await chunks.return(undefined);
    }
}

type FileStart =
    | { ok: true; form: Exclude<MessageForm, 'csv'>; layout: JsonLayout; bytes: Buffer; start: number }
    | { ok: true; form: 'csv'; header: CsvHeader; bytes: Buffer; start: number }
    | Unusable;

/** Reads until the bytes tell the form. */
async function readStart(chunks: AsyncIterator<Uint8Array>): Promise<FileStart> {
    let bytes: Buffer = Buffer.alloc(0);
    let waiting: Buffer[] = [];
    let waitingBytes = 0;
    for (;;) {
        const { done, value } = await chunks.next();
        if (!done) {
            waiting.push(Buffer.from(value));
            waitingBytes += value.length;
        }
        // Looked at again when there is twice as much, however small the chunks are.
        if (done === true || waitingBytes >= bytes.length) {
            bytes = Buffer.concat([bytes, ...waiting]);
            waiting = [];
            waitingBytes = 0;
            const found = takeStart(bytes, done === true);
            if (found) {
                return found;
            }
        }
    }
}

function takeStart(bytes: Buffer, isLast: boolean): FileStart | undefined {
    if (bytes.length < MAGIC_BYTES && !isLast) {
        return undefined;
    }
    const start = skipBlanks(bytes, markEnd(bytes), bytes.length);
    if (start === bytes.length) {
        return isLast ? { ok: false, error: EMPTY, isUnlike: true } : bytes.length > MAX_MESSAGE_BYTES ? unusable(ONLY_BLANKS) : undefined;
    }
    if (bytes[start] !== OPEN_OBJECT && bytes[start] !== OPEN_ARRAY) {
        return takeCsvStart(bytes, isLast);
    }
    const isEnough = isLast || bytes.length > MAX_MESSAGE_BYTES;
    const layout = layoutOf(bytes, { start, isLast: isEnough });
    if (!layout) {
        return undefined;
    }
    const lineEnd = bytes.indexOf(LF, start);
    const isChain = layout.form === 'json-lines' && isChainLine(bytes.toString('utf8', start, lineEnd < 0 ? bytes.length : lineEnd));
    return { ok: true, form: isChain ? 'chain' : layout.form, layout, bytes, start: markEnd(bytes) };
}

/** Bytes that tell Parquet and the length of a byte order mark. */
const MAGIC_BYTES = 4;
const EMPTY = 'the file is empty';
const ONLY_BLANKS = 'the file begins with nothing but blanks';

function takeCsvStart(bytes: Buffer, isLast: boolean): FileStart | undefined {
    if (bytes.length < TELLING_BYTES && !isLast) {
        return undefined;
    }
    if (bytes.toString('latin1', 0, MAGIC_BYTES) === 'PAR1') {
        return { ok: false, error: PARQUET, what: 'a Parquet file' };
    }
    const other = otherFileOf(bytes);
    if (other) {
        return { ok: false, error: other.error, what: other.what, isUnlike: true };
    }
    const header = findHeader(bytes, { start: markEnd(bytes), isLast });
    if (!header) {
        return undefined;
    }
    return 'why' in header
        ? unusable(`${header.why}: messages are JSON, or rows behind a header`)
        : { ok: true, form: 'csv', header, bytes, start: header.next };
}

const PARQUET = 'a Parquet file: messages are read from JSON and CSV; export its rows as JSON lines and upload these';

function unusable(error: string): Unusable {
    return { ok: false, error, isUnlike: true };
}

/** Length of a UTF-8 byte order mark. */
function markEnd(bytes: Uint8Array): number {
    return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** What goes through the bytes of a source, piece by piece. */
interface Reading {
    /** @returns where the first message begins that was not taken */
    scan(bytes: Buffer, at: { start: number; isLast: boolean }): number;
    isPaused(): boolean;
    /** Why the source cannot be used after all: it need not be read on. */
    failure(): string | undefined;
    /** Why it cannot be used where it ends here. */
    faultOfEnd(): string | undefined;
}

interface OpenReadingOptions {
    source: Source;
    options: ReadingOptions;
    taken: MessagesTaken;
    profiles: OpenProfiles;
}

async function openReading(
    start: FileStart & { ok: true },
    { source, options, taken, profiles }: OpenReadingOptions,
): Promise<Reading | Unusable> {
    if (start.form === 'chain') {
        const taker = new ChainTaker({ taken, profiles, site: source.site });
        const scanner = new MessageScanner(taker, { layout: start.layout });
        return {
            scan: (bytes, at) => scanner.scan(bytes, at),
            isPaused: () => scanner.isPaused,
            failure: () => scanner.failure ?? taker.failure,
            faultOfEnd: () => taker.faultOfEnd(),
        };
    }
    const name = options.profile;
    if (name === undefined) {
        return { ok: false, error: NO_PROFILE_SAID };
    }
    const profile = await profiles.open(name);
    if (!profile) {
        return { ok: false, error: `there is no profile ${name} in the lake: flowlake profile list shows those that there are` };
    }
    const isOfMessages = start.form === 'json-array' && !isPack(start, profile);
    const taker = new HistoryTaker({ taken, profile, site: source.site, isInList: isOfMessages && profile.lists === 'messages' });
    if (start.form === 'csv') {
        const messages = new CsvMessages(start.header, (row) => taker.takeRow(row));
        return {
            scan: (bytes, at) => messages.scan(bytes, at),
            isPaused: () => messages.isPaused,
            failure: () => undefined,
            faultOfEnd: () => undefined,
        };
    }
    const layout: JsonLayout = isPack(start, profile) ? { form: 'json-objects', isOnOneLine: false, begin: '\n[' } : start.layout;
    const scanner = new MessageScanner(taker, { layout });
    return {
        scan: (bytes, at) => scanner.scan(bytes, at),
        isPaused: () => scanner.isPaused,
        failure: () => scanner.failure,
        faultOfEnd: () => (scanner.isArrayOpen ? CUT_ARRAY : undefined),
    };
}

/** True if an array of the file is one message: a pack of records, and no list of packs. */
function isPack(start: FileStart & { ok: true }, { lists }: OpenProfile): boolean {
    if (start.form !== 'json-array' || lists !== 'pack') {
        return false;
    }
    const { bytes } = start;
    const array = skipBlanks(bytes, start.start, bytes.length);
    return bytes[skipBlanks(bytes, array + 1, bytes.length)] !== OPEN_ARRAY;
}

const NO_PROFILE_SAID =
    'nothing tells how its messages are to be read: a file of history needs a profile (upload --kind telemetry --profile NAME; flowlake profile list shows those that there are)';

const CUT_ARRAY =
    'a JSON array that does not end: the file was cut, or is damaged where no other message can be found behind; have it written once more';

interface ScanOptions {
    reading: Reading;
    source: Source;
    taken: MessagesTaken;
    profiles: OpenProfiles;
    isEnough: () => boolean;
}

/** Goes through the bytes that were read to find the form, and all that follow. */
async function scanAll(
    start: FileStart & { ok: true },
    chunks: AsyncGenerator<Uint8Array>,
    { reading, source, taken, profiles, isEnough }: ScanOptions,
): Promise<void> {
    /** @returns a copy of what is no whole message yet */
    const scan = async (bytes: Buffer, from: number, isLast: boolean): Promise<Buffer> => {
        let at = from;
        do {
            at = reading.scan(bytes, { start: at, isLast });
            await handOver(source, taken);
            await profiles.openWanted();
        } while (reading.isPaused());
        return Buffer.from(bytes.subarray(at));
    };
    const joined = new JoinedBytes();
    let left = await scan(start.bytes, start.start, false);
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    for await (const chunk of chunks) {
        source.signal?.throwIfAborted();
        waitingBytes += chunk.length;
        // A message that goes on over many chunks is looked at again when there is twice as much of it, not with each of them.
        if (waitingBytes < left.length) {
            waiting.push(Buffer.from(chunk));
            continue;
        }
        left = await scan(joined.join([left, ...waiting, chunk]), 0, false);
        waiting = [];
        waitingBytes = 0;
        if (isEnough() || reading.failure() !== undefined) {
            return;
        }
    }
    const rest = Buffer.concat([left, ...waiting]);
    // The last line of a text with separators may lack its line end.
    const isOpen = start.form === 'csv' && rest.length > 0 && rest[rest.length - 1] !== LF;
    await scan(isOpen ? Buffer.concat([rest, Buffer.from([LF])]) : rest, 0, true);
}

async function handOver(source: Source, taken: MessagesTaken): Promise<void> {
    const { rejects } = taken;
    if (rejects.length > 0) {
        taken.rejects = [];
        await source.reject(rejects);
    }
}

/** Pieces one behind the other, until the next call: room for them is made once. */
class JoinedBytes {
    #bytes = Buffer.alloc(0);

    join(parts: readonly Uint8Array[]): Buffer {
        const length = parts.reduce((sum, part) => sum + part.length, 0);
        if (this.#bytes.length < length) {
            this.#bytes = Buffer.allocUnsafeSlow(length + (length >> 3));
        }
        let at = 0;
        for (const part of parts) {
            this.#bytes.set(part, at);
            at += part.length;
        }
        return this.#bytes.subarray(0, length);
    }
}

/**
 * Cuts the body of a request into messages. Each is a part of the bytes as they came: no number is read and written anew on the way. What stands in a message is
 * not judged here: it has the same fate by every way in.
 */
import { elementEnd, skipBlanks } from '#lake/telemetry/messages/json-elements';

/** How a body of that type is cut. */
export type Cut =
    /** The bytes as they are. */
    | 'one'
    /** An array is its elements; several lines with a value each are its lines; everything else is one message. */
    | 'json'
    | 'lines';

/** Types of bodies and how each is cut; docs/api.md has this table. */
export const BODY_TYPES: Readonly<Record<string, Cut>> = {
    'application/json': 'json',
    'application/x-ndjson': 'lines',
    'application/ndjson': 'lines',
    'application/jsonl': 'lines',
    'application/senml+json': 'one',
    'application/senml+cbor': 'one',
    'application/cbor': 'one',
    'application/x-protobuf': 'one',
    'application/octet-stream': 'one',
    'text/plain': 'one',
};

/** The messages, or why the body holds none that could be told from one another. */
export type CutBody = { messages: Buffer[] } | { why: string };

/** More than `maxMessages` are not looked for: one more tells. */
export function cutMessages(body: Buffer, { cut, maxMessages }: { cut: Cut; maxMessages: number }): CutBody {
    if (cut === 'one') {
        return { messages: [body] };
    }
    const bytes = body.subarray(0, BOM.length).equals(BOM) ? body.subarray(BOM.length) : body;
    const start = skipBlanks(bytes, 0, bytes.length);
    if (start === bytes.length) {
        return { why: 'the body is empty' };
    }
    if (cut === 'lines' || isLines(bytes, start)) {
        return { messages: linesOf(bytes, maxMessages) };
    }
    return bytes[start] === OPEN_ARRAY ? elementsOf(bytes, start, maxMessages) : { messages: [trimEnd(bytes.subarray(start))] };
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const LF = 0x0a;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** Bytes that no element begins with. */
const NO_BEGINNINGS: readonly (number | undefined)[] = [COMMA, CLOSE_ARRAY, 0x3a, 0x7d];

/** True if a value stands on the first line, and more behind it: newline-delimited JSON by another name. */
function isLines(bytes: Buffer, start: number): boolean {
    const end = elementEnd(bytes, start, bytes.length, true);
    const next = end < 0 ? bytes.length : skipBlanks(bytes, end, bytes.length);
    return next < bytes.length && bytes.subarray(end, next).includes(LF);
}

function linesOf(bytes: Buffer, maxMessages: number): Buffer[] {
    const messages: Buffer[] = [];
    for (let at = 0; at < bytes.length && messages.length <= maxMessages; ) {
        const lf = bytes.indexOf(LF, at);
        const end = lf < 0 ? bytes.length : lf;
        const line = trimEnd(bytes.subarray(skipBlanks(bytes, at, end), end));
        if (line.length > 0) {
            messages.push(line);
        }
        at = end + 1;
    }
    return messages;
}

function elementsOf(bytes: Buffer, start: number, maxMessages: number): CutBody {
    const messages: Buffer[] = [];
    let at = skipBlanks(bytes, start + 1, bytes.length);
    if (bytes[at] === CLOSE_ARRAY) {
        return endOf(bytes, at, messages);
    }
    while (messages.length <= maxMessages) {
        const end = NO_BEGINNINGS.includes(bytes[at]) ? -1 : elementEnd(bytes, at, bytes.length, false);
        if (end < 0) {
            return { why: `element ${messages.length} of the array is not there, or does not end` };
        }
        messages.push(trimEnd(bytes.subarray(at, end)));
        const next = skipBlanks(bytes, end, bytes.length);
        if (bytes[next] === CLOSE_ARRAY) {
            return endOf(bytes, next, messages);
        }
        if (bytes[next] !== COMMA) {
            return { why: `the array does not go on behind element ${messages.length - 1}` };
        }
        at = skipBlanks(bytes, next + 1, bytes.length);
    }
    return { messages };
}

function endOf(bytes: Buffer, at: number, messages: Buffer[]): CutBody {
    return skipBlanks(bytes, at + 1, bytes.length) === bytes.length ? { messages } : { why: 'something stands behind the array' };
}

/** The bytes without the blanks at their end. */
function trimEnd(bytes: Buffer): Buffer {
    let end = bytes.length;
    while (end > 0 && skipBlanks(bytes, end - 1, end) === end) {
        end -= 1;
    }
    return bytes.subarray(0, end);
}

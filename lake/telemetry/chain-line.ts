/**
 * The lines of a chain object: one for each message, in the order of the inbox, and a last one that says where the object ends. Writer and reader share this
 * page; docs/reading-telemetry.md shows it.
 *
 *     {"sequence":"4953","arrived_ms":1767607200000,"way":"mqtt","device":"th-1","topic":"t/th-1","session":"1","profile":"thermostat","site":"main","payload":"{...}"}
 *     {"end":"4953"}
 */
import { isUtf8 } from 'node:buffer';
import type { Message } from './message.ts';

/** Ways in by which a message can come. */
export const WAYS = ['mqtt', 'http', 'kinesis'] as const;

export type Way = (typeof WAYS)[number];

/** A message as the inbox took it in. What is not known is left out. */
export interface ChainMessage {
    /** Sequence number of the inbox, decimal digits. Several messages of an aggregated record can have one. */
    sequence: string;
    arrivedMs: number;
    way: Way;
    /** Device as it was authenticated. */
    device?: string | undefined;
    topic?: string | undefined;
    /** Name of the session that the broker knew the device by. */
    session?: string | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    /** Partition key of Kinesis. */
    key?: string | undefined;
    isRetained?: boolean | undefined;
    /** Name of the profile that the device had when the message arrived. */
    profile?: string | undefined;
    site?: string | undefined;
    /** Why the message does not count, though it was acknowledged: foreign topic, too large. It becomes a reject; its payload may be cut. */
    refused?: string | undefined;
    /** Name of the report that the message was given up on its way, where it came by that. */
    report?: string | undefined;
    /** Its place in another lake, where a gateway has handed it on: `<gateway>/<stream there>/<sequence number there>`. No two messages have the same. */
    origin?: string | undefined;
    payload: Buffer;
}

export type ChainLine =
    | { is: 'message'; message: ChainMessage }
    /** The object's own end: the sequence number of its last message, by which the next object is named. */
    | { is: 'end'; sequence: string }
    | { is: 'broken'; why: string };

/** The line of a message, without its line end. */
export function encodeMessage({
    sequence,
    arrivedMs,
    isRetained,
    payload,
    way,
    device,
    topic,
    session,
    headers,
    key,
    profile,
    site,
    refused,
    report,
    origin,
}: ChainMessage): string {
    const text = isUtf8(payload) ? payload.toString() : undefined;
    return JSON.stringify({
        sequence,
        arrived_ms: arrivedMs,
        way,
        device,
        topic,
        session,
        headers,
        key,
        retained: isRetained === true ? true : undefined,
        profile,
        site,
        refused,
        report,
        origin,
        ...(text === undefined ? { payload_base64: payload.toString('base64') } : { payload: text }),
    });
}

/** The last line of an object, without its line end. */
export function encodeEnd(sequence: string): string {
    return JSON.stringify({ end: sequence });
}

/** True if a file that begins with this line is a chain object. */
export function isChainLine(line: string): boolean {
    return decodeLine(line).is !== 'broken';
}

/** What a line of a chain object says. */
export function decodeLine(line: string): ChainLine {
    const fields = parse(line);
    if (!fields) {
        return broken('it is no JSON object');
    }
    const { end, sequence, arrived_ms: arrivedMs, way, retained, headers, payload, payload_base64: base64 } = fields;
    if (end !== undefined) {
        return isSequence(end) ? { is: 'end', sequence: end } : broken(`its end ${JSON.stringify(end)} is no sequence number`);
    }
    if (!isSequence(sequence)) {
        return broken(sequence === undefined ? 'it has no sequence' : `its sequence ${JSON.stringify(sequence)} is no number in digits`);
    }
    if (typeof arrivedMs !== 'number' || !Number.isSafeInteger(arrivedMs)) {
        return broken('its arrived_ms is no whole number');
    }
    const knownWay = WAYS.find((one) => one === way);
    if (!knownWay) {
        return broken(`its way is none of ${WAYS.join(', ')}`);
    }
    const bytes = payloadOf(payload, base64);
    if (!bytes) {
        return broken('it has neither a payload of text nor a payload_base64');
    }
    const known = headersOf(headers);
    if (!known) {
        return broken('its headers are no object of texts');
    }
    const texts: Record<string, string | undefined> = {};
    for (const name of ['device', 'topic', 'session', 'key', 'profile', 'site', 'refused', 'report', 'origin'] as const) {
        const value = fields[name];
        if (value !== undefined && typeof value !== 'string') {
            return broken(`its ${name} is no text`);
        }
        texts[name] = value;
    }
    const message: ChainMessage = {
        sequence,
        arrivedMs,
        way: knownWay,
        ...texts,
        ...(headers !== undefined && { headers: known }),
        ...(retained === true && { isRetained: true }),
        payload: bytes,
    };
    return { is: 'message', message };
}

/** The message as a profile reads it. */
export function toMessage({ payload, arrivedMs, topic, device, headers, key, isRetained }: ChainMessage): Message {
    return { payload, arrivedMs, topic, device, headers, key, isRetained };
}

/** Below 0, 0 or above 0: sequence numbers compare as numbers, however many zeros stand in front. */
export function compareSequences(a: string, b: string): number {
    const [one, other] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
    return one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);
}

function broken(why: string): ChainLine {
    return { is: 'broken', why };
}

function parse(line: string): Record<string, unknown> | undefined {
    try {
        const value: unknown = JSON.parse(line);
        return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
    } catch {
        return undefined;
    }
}

/** Kinesis: up to 128 digits. */
function isSequence(value: unknown): value is string {
    return typeof value === 'string' && /^\d{1,129}$/.test(value);
}

function payloadOf(text: unknown, base64: unknown): Buffer | undefined {
    if (typeof text === 'string' && base64 === undefined) {
        return Buffer.from(text);
    }
    if (typeof base64 !== 'string' || text !== undefined) {
        return undefined;
    }
    const bytes = Buffer.from(base64, 'base64');
    return bytes.toString('base64') === base64 ? bytes : undefined;
}

function headersOf(value: unknown): Record<string, string> | undefined {
    if (value === undefined) {
        return {};
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return undefined;
    }
    const entries = Object.entries(value);
    return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string') ? Object.fromEntries(entries) : undefined;
}

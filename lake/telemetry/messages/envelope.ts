/**
 * Messages as programs log them that listen to a broker: the payload in an object with its topic and time of arrival. A file whose first element is such an
 * object is a log of them.
 */

import type { Message } from '../message.ts';
import { decodeBase64 } from '../profile/json-scanner.ts';
import { membersOf, type Span, textOf } from './json-elements.ts';
import type { MessagePlace } from './message-scanner.ts';

/** Names that an envelope may have: those of mosquitto_sub (`-F %j` and `%J`) and of usual logs. An object with any other is no envelope. */
const NAMES = new Set([
    ...['topic', 'payload', 'payload_base64', 'payloadlen', 'qos', 'retain', 'mid', 'properties'],
    ...['tst', 'timestamp', 'time', 'arrival', 'arrived_at', 'arrived_ms', 'received_at', 'headers'],
]);

/** Times of arrival, the first one that is there. */
const TIMES = ['arrived_ms', 'arrival', 'arrived_at', 'received_at', 'tst', 'timestamp', 'time'] as const;

/** True for an object with a topic, a payload, and nothing that no envelope has. */
export function isEnvelope({ bytes, start, end }: MessagePlace): boolean {
    const members = membersOf(bytes, { start, end });
    if (!members?.has('topic') || !(members.has('payload') || members.has('payload_base64'))) {
        return false;
    }
    return [...members.keys()].every((name) => NAMES.has(name));
}

/** The message in an envelope; why it is none. */
export function openEnvelope({ bytes, start, end }: MessagePlace): Message | { why: string } {
    const members = membersOf(bytes, { start, end });
    if (!members) {
        return { why: 'it is no JSON object with topic and payload, as the others of the file are' };
    }
    const topicAt = members.get('topic');
    const topic = topicAt && textOf(bytes, topicAt);
    const payload = payloadOf(bytes, members);
    if (topic === undefined || !payload) {
        const isBase64 = topic !== undefined && members.has('payload_base64');
        return {
            why: isBase64
                ? 'its payload_base64 is no base64'
                : `it has no ${topic === undefined ? 'topic' : 'payload'}, as the others of the file have`,
        };
    }
    const name = TIMES.find((one) => members.has(one));
    const time = name && members.get(name);
    const arrivedMs = time ? arrivalOf(bytes, time) : undefined;
    if (time && arrivedMs === undefined) {
        return { why: `its ${name} ${bytes.toString('utf8', time.start, Math.min(time.end, time.start + 60))} is no time of arrival` };
    }
    const retain = members.get('retain');
    const isRetained = retain !== undefined && /^(1|true)$/.test(bytes.toString('latin1', retain.start, retain.end));
    return { payload, arrivedMs, topic, headers: headersOf(bytes, members.get('headers')), isRetained };
}

/** A payload that is a text is what the text says; any other is JSON as it stands. */
function payloadOf(bytes: Buffer, members: ReadonlyMap<string, Span>): Uint8Array | undefined {
    const base64 = members.get('payload_base64');
    if (base64) {
        const text = textOf(bytes, base64);
        return text === undefined ? undefined : decodeBase64(text);
    }
    const span = members.get('payload');
    if (!span) {
        return undefined;
    }
    const text = textOf(bytes, span);
    return text === undefined ? Buffer.from(bytes.subarray(span.start, span.end)) : Buffer.from(text);
}

/** Epoch seconds up to 2286 have ten digits, milliseconds thirteen. */
const SECONDS_DIGITS = 10;

/** A time of arrival in UTC epoch milliseconds: a number of seconds or milliseconds, or ISO 8601 with an offset (mosquitto writes `Z+0000`). */
function arrivalOf(bytes: Buffer, span: Span): number | undefined {
    const text = textOf(bytes, span);
    if (text === undefined) {
        const [, digits, fraction = ''] = /^(\d{1,15})(?:\.(\d*))?$/.exec(bytes.toString('latin1', span.start, span.end)) ?? [];
        if (digits === undefined) {
            return undefined;
        }
        return digits.length <= SECONDS_DIGITS ? Number(digits) * 1000 + Number(`${fraction}000`.slice(0, 3)) : Number(digits);
    }
    const [, local, offset = ''] = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)Z?(|Z|[+-]\d\d:?\d\d)$/.exec(text) ?? [];
    if (local === undefined) {
        return undefined;
    }
    const hasZone = offset !== '' || text.endsWith('Z');
    const zone = offset === '' ? 'Z' : offset.length === 5 ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset;
    const instant = hasZone ? Date.parse(`${local.replace(' ', 'T')}${zone}`) : Number.NaN;
    return Number.isNaN(instant) ? undefined : instant;
}

function headersOf(bytes: Buffer, span: Span | undefined): Record<string, string> | undefined {
    const members = span && membersOf(bytes, span);
    return (
        members &&
        Object.fromEntries(
            [...members].map(([name, value]) => [
                name.toLowerCase(),
                textOf(bytes, value) ?? bytes.toString('utf8', value.start, value.end),
            ]),
        )
    );
}

/**
 * Judges what a device may say as its own: the same for a message at its way in on one machine, and for a record of a stream on AWS. What is not the
 * device's to say is put aside: it is taken in too, marked, and becomes a reject.
 */
import type { Way } from '#lake/telemetry/chain-line';
import { MAX_PAYLOAD_BYTES, type NewMessage } from './inbox.ts';
import type { KnownDevice } from './known-devices.ts';
import { isOwnTopic } from './own-topics.ts';

/** A message that is put aside keeps this much: more is never shown of a reject. */
const MAX_ASIDE_CHARACTERS = 4_096;
const MAX_CHARACTER_BYTES = 4;

/** Longer topics are cut where they are told of; no pattern of a profile fits such. */
const MAX_TOPIC_CHARACTERS = 1_024;

/** Messages of a device that are put aside and kept in an hour; of the others their number is. */
export const MAX_ASIDE_IN_HOUR = 1_000;

const HOUR_MS = 3_600_000;

/** A message as a way in has it. */
export interface Arrival {
    way: Way;
    /** Id of the device as it was authenticated. */
    device: string;
    topic?: string | undefined;
    session?: string | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    /** Partition key of Kinesis. */
    key?: string | undefined;
    payload: Buffer;
    /** Why the way in itself puts it aside; the payload may be cut already. */
    refused?: string | undefined;
}

/** What the lake knows of the device, and when its message arrived. */
export interface ArrivedAt {
    /** What the registry says of the device; undefined where it is not registered. */
    known: KnownDevice | undefined;
    arrivedMs: number;
}

/** The message as it goes into the inbox or the chain: with the device's profile and site, and marked where it is put aside. */
export function judgeArrival(arrival: Arrival, { known, arrivedMs }: ArrivedAt): NewMessage {
    const { way, device, topic, session, headers, key, payload } = arrival;
    const refused = whyRefused(arrival, known);
    return {
        arrivedMs,
        way,
        device,
        topic: topic?.slice(0, MAX_TOPIC_CHARACTERS),
        session,
        headers,
        ...(key !== undefined && { key }),
        profile: known?.profile,
        site: known?.site,
        refused,
        payload: refused === undefined ? payload : cutAside(payload),
    };
}

/** Why the message is put aside; undefined where it counts as the device's own. */
function whyRefused({ refused, payload, topic, device }: Arrival, known: KnownDevice | undefined): string | undefined {
    if (refused !== undefined) {
        return refused;
    }
    if (payload.length > MAX_PAYLOAD_BYTES) {
        return sayTooLarge(payload.length);
    }
    if (topic === undefined || isOwnTopic(topic, { device, patterns: known?.patterns ?? [] })) {
        return undefined;
    }
    return `topic ${showTopic(topic)} is none of device ${device}: it may write to t/${device} and below it, and to topics of its profile with its id in them`;
}

/** The hour of an instant, as a number. */
export function hourOf(ms: number): number {
    return Math.floor(ms / HOUR_MS);
}

/** What is said in the place of messages that were put aside and not kept. */
export function sayDropped({ dropped, hour }: { dropped: number; hour: number }): string {
    const began = new Date(hour * HOUR_MS).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length);
    return `${dropped} more messages of the hour from ${began}Z on were put aside, and not kept`;
}

/** Why a payload of that size is put aside. */
export function sayTooLarge(sizeBytes: number): string {
    return `its payload has ${sizeBytes} bytes, of ${MAX_PAYLOAD_BYTES} at most`;
}

/** A topic as it is shown to people: short, and without what a terminal would obey. */
export function showTopic(topic: string): string {
    return topic.length <= 200 ? JSON.stringify(topic) : `${JSON.stringify(topic.slice(0, 200))}...`;
}

/** The part of a payload that is kept of a message that is put aside. */
export function cutAside(payload: Buffer): Buffer {
    if (payload.length <= MAX_ASIDE_CHARACTERS) {
        return payload;
    }
    const text = payload.subarray(0, MAX_ASIDE_CHARACTERS * MAX_CHARACTER_BYTES).toString();
    // What is no text stays as bytes, so that nothing of it is changed.
    return text.slice(0, MAX_ASIDE_CHARACTERS).includes('\ufffd')
        ? payload.subarray(0, MAX_ASIDE_CHARACTERS)
        : Buffer.from(text.slice(0, MAX_ASIDE_CHARACTERS));
}

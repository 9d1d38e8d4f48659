/**
 * Looks at MQTT packets before the broker does, by their heads alone (OASIS MQTT 3.1.1, chapter 2), and keeps away what the broker would answer by closing the
 * connection or would first gather in memory: a PUBLISH that is too large, or to a topic that none may be published to, goes on as a short one to a name that
 * the gate gives, so that it can be put aside and acknowledged like any other.
 */
import { MAX_PAYLOAD_BYTES } from '#lake/live/inbox';
import { sayTooLarge } from '#lake/live/judge-arrival';

/** What stands behind a name of the gate. */
export interface Aside {
    topic: string;
    refused: string;
}

/** Topics that the gate gives begin so. A device that publishes to such a one is put aside too. */
export const ASIDE_PREFIX = '$aside/';

const CONNECT = 1;
const PUBLISH = 3;

/** A CONNECT with a will of the largest size, and every other packet but a PUBLISH: subscriptions, acknowledgements. */
const MAX_CONNECT_BYTES = 160 * 1_024;
const MAX_OTHER_BYTES = 16 * 1_024;

const MAX_TOPIC_BYTES = 1_024;
/** The broker can look up no more levels than this. */
const MAX_TOPIC_LEVELS = 100;

/** Bytes that are kept of a payload that is too large: 4,096 characters, however long each is. */
const KEPT_BYTES = 16_384;

const NONE = Buffer.alloc(0);
const [NUL, HASH, PLUS, SLASH] = [0x00, 0x23, 0x2b, 0x2f];

/** Head of a packet whose rest is not passed on. */
interface Dropping {
    firstByte: number;
    topic: string;
    id: Buffer;
    refused: string;
    left: number;
    kept: Buffer[];
    keptBytes: number;
}

type Head =
    | { is: 'more' }
    | { is: 'fault'; why: string }
    | { is: 'pass'; bytes: number }
    | { is: 'drop'; bytes: number; dropping: Dropping };

export class PacketGate {
    /** What was put aside and did not come back for its reason yet, by the name it was passed on under. */
    readonly aside = new Map<string, Aside>();
    /** PUBLISH packets that have begun. */
    publishes = 0;
    /** Why the connection must be closed. */
    fault: string | undefined;
    /** Protocol level of the CONNECT packet: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5. */
    level: number | undefined;
    #pending: Buffer = NONE;
    #passing = 0;
    #dropping: Dropping | undefined;
    #names = 0;
    readonly #maxPayloadBytes: number;

    /** A gateway's packets may be larger than a device's. */
    constructor({ maxPayloadBytes = MAX_PAYLOAD_BYTES }: { maxPayloadBytes?: number } = {}) {
        this.#maxPayloadBytes = maxPayloadBytes;
    }

    /** @returns what is to be passed on, in order. Nothing more is, once there is a fault */
    take(chunk: Buffer): Buffer[] {
        const data = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
        this.#pending = NONE;
        const out: Buffer[] = [];
        let at = 0;
        let from = 0;
        while (at < data.length && this.fault === undefined) {
            if (this.#passing > 0) {
                const bytes = Math.min(this.#passing, data.length - at);
                this.#passing -= bytes;
                at += bytes;
            } else if (this.#dropping) {
                at += this.#drop(this.#dropping, data.subarray(at), out);
                from = at;
            } else {
                const head = this.#readHead(data, at);
                if (head.is === 'pass') {
                    this.#passing = head.bytes;
                } else {
                    out.push(data.subarray(from, at));
                    from = data.length;
                    if (head.is === 'drop') {
                        at += head.bytes;
                        from = at;
                        this.#dropping = head.dropping;
                        this.#drop(head.dropping, NONE, out);
                    } else {
                        this.#pending = head.is === 'more' ? data.subarray(at) : NONE;
                        this.fault = head.is === 'fault' ? head.why : undefined;
                        at = data.length;
                    }
                }
            }
        }
        out.push(data.subarray(from, at));
        return out.filter(({ length }) => length > 0);
    }

    /** @returns how many bytes of the data belong to the packet */
    #drop(dropping: Dropping, data: Buffer, out: Buffer[]): number {
        const bytes = Math.min(dropping.left, data.length);
        const kept = data.subarray(0, Math.min(bytes, KEPT_BYTES - dropping.keptBytes));
        dropping.kept.push(kept);
        dropping.keptBytes += kept.length;
        dropping.left -= bytes;
        if (dropping.left === 0) {
            this.#dropping = undefined;
            out.push(this.#shortened(dropping));
        }
        return bytes;
    }

    #shortened({ firstByte, topic, id, refused, kept }: Dropping): Buffer {
        this.#names += 1;
        const name = `${ASIDE_PREFIX}${this.#names}`;
        this.aside.set(name, { topic, refused });
        const rest = [Buffer.from([name.length >> 8, name.length & 0xff]), Buffer.from(name), id, ...kept];
        return Buffer.concat([Buffer.from([firstByte, ...lengthBytes(rest.reduce((sum, { length }) => sum + length, 0))]), ...rest]);
    }

    #readHead(data: Buffer, at: number): Head {
        const firstByte = data[at] ?? 0;
        const type = firstByte >> 4;
        let length = 0;
        let start = at + 1;
        for (let shift = 0; ; shift += 7) {
            const byte = data[start];
            if (byte === undefined) {
                return { is: 'more' };
            }
            start += 1;
            length |= (byte & 0x7f) << shift;
            if (byte < 0x80) {
                break;
            }
            if (shift === 21) {
                return { is: 'fault', why: 'the length of a packet does not end' };
            }
        }
        if (this.level === undefined) {
            return this.#readConnect(data, { type, at, start, length });
        }
        if (type === PUBLISH) {
            return this.#readPublish(data, { firstByte, at, start, length });
        }
        return length > MAX_OTHER_BYTES
            ? { is: 'fault', why: `a packet of type ${type} has ${length} bytes, of ${MAX_OTHER_BYTES} at most` }
            : { is: 'pass', bytes: start - at + length };
    }

    #readConnect(data: Buffer, { type, at, start, length }: { type: number; at: number; start: number; length: number }): Head {
        if (type !== CONNECT) {
            return { is: 'fault', why: `the first packet is of type ${type}, no CONNECT` };
        }
        if (length > MAX_CONNECT_BYTES) {
            return { is: 'fault', why: `its CONNECT has ${length} bytes, of ${MAX_CONNECT_BYTES} at most` };
        }
        if (data.length < start + 2) {
            return { is: 'more' };
        }
        const name = data.readUInt16BE(start);
        if (name > 6 || length < name + 3) {
            return { is: 'fault', why: 'its CONNECT names no protocol of MQTT' };
        }
        const level = data[start + 2 + name];
        if (level === undefined) {
            return { is: 'more' };
        }
        // The first bit marks a bridge, which is a client like any other here.
        this.level = level & 0x7f;
        return { is: 'pass', bytes: start - at + length };
    }

    #readPublish(data: Buffer, { firstByte, at, start, length }: { firstByte: number; at: number; start: number; length: number }): Head {
        if (length < 2) {
            return { is: 'fault', why: 'a PUBLISH has no topic' };
        }
        if (data.length < start + 2) {
            return { is: 'more' };
        }
        const topicBytes = data.readUInt16BE(start);
        const idBytes = (firstByte & 0x06) === 0 ? 0 : 2;
        const payloadBytes = length - 2 - topicBytes - idBytes;
        if (payloadBytes < 0) {
            return { is: 'fault', why: 'a PUBLISH is shorter than its topic' };
        }
        const headEnd = start + 2 + topicBytes + idBytes;
        if (data.length < headEnd) {
            return { is: 'more' };
        }
        this.publishes += 1;
        const topic = data.subarray(start + 2, start + 2 + topicBytes);
        const refused = payloadBytes > this.#maxPayloadBytes ? sayTooLarge(payloadBytes) : whyNoTopic(topic);
        if (refused === undefined) {
            return { is: 'pass', bytes: start - at + length };
        }
        return {
            is: 'drop',
            bytes: headEnd - at,
            dropping: {
                ...{ firstByte, refused, kept: [], keptBytes: 0, left: payloadBytes },
                topic: topic.subarray(0, MAX_TOPIC_BYTES).toString(),
                id: data.subarray(headEnd - idBytes, headEnd),
            },
        };
    }
}

/** Why nothing can be published to the topic; undefined where it can. */
function whyNoTopic(topic: Buffer): string | undefined {
    if (topic.length === 0) {
        return 'its topic is empty';
    }
    if (topic.length > MAX_TOPIC_BYTES) {
        return `its topic has ${topic.length} bytes, of ${MAX_TOPIC_BYTES} at most`;
    }
    let levels = 1;
    for (const byte of topic) {
        if (byte === NUL || byte === HASH || byte === PLUS) {
            return 'its topic holds #, + or NUL, which no topic may';
        }
        levels += byte === SLASH ? 1 : 0;
    }
    if (levels > MAX_TOPIC_LEVELS) {
        return `its topic has ${levels} levels, of ${MAX_TOPIC_LEVELS} at most`;
    }
    return topic[0] === 0x24 && topic.toString().startsWith(ASIDE_PREFIX) ? 'its topic is one of the broker itself' : undefined;
}

/** The length of a packet's rest, seven bits a byte. */
function lengthBytes(length: number): number[] {
    return length < 0x80 ? [length] : [(length & 0x7f) | 0x80, ...lengthBytes(length >> 7)];
}

/**
 * A part of a chain as it goes to another lake by MQTT: its lines, packed, under a topic that says which chain it is and behind which number it begins. The
 * other lake tells on a topic of its own how far it has the chain. Both ends share this page; docs/live.md, "Edge sites", shows it.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { type ChainMessage, compareSequences, decodeLine, encodeEnd, encodeMessage } from '#lake/telemetry/chain-line';

/** What the other lake answers: how far it has the chain, or why it takes nothing of it. */
export type ForwardPlace = { end: string } | { why: string };

/** Messages of a part, and the characters of its lines: with it the other lake can answer within a moment, and its memory stays small. */
const MAX_MESSAGES = 500;
const MAX_CHARACTERS = 1 << 18;

/** Bytes of a part as it is sent, and of its lines. One message of 128 KiB alone, each byte of it escaped with six, has less. */
export const MAX_PART_BYTES = 1 << 20;
const MAX_TEXT_BYTES = 1 << 21;

const SEQUENCE = /^\d{1,129}$/;

/** The topic to which a gateway sends the part of a chain that begins behind `after`. */
export function partTopic({ gateway, stream, after }: { gateway: string; stream: string; after: string }): string {
    return `t/${gateway}/forward/${stream}/${after}`;
}

/** The topic on which the other lake tells how far it has the chain. */
export function placeTopic({ gateway, stream }: { gateway: string; stream: string }): string {
    return `cmd/${gateway}/forward/${stream}`;
}

/** The chain and number of a topic that parts are sent to; undefined for any other topic. */
export function readPartTopic(topic: string, gateway: string): { stream: string; after: string } | undefined {
    const [stream, after, ...more] = restBehind(topic, `t/${gateway}/forward/`) ?? [];
    return stream !== undefined && stream !== '' && after !== undefined && SEQUENCE.test(after) && more.length === 0
        ? { stream, after }
        : undefined;
}

/** The chain whose place is told on the topic; undefined for any other topic. */
export function readPlaceTopic(topic: string, gateway: string): string | undefined {
    const [stream, ...more] = restBehind(topic, `cmd/${gateway}/forward/`) ?? [];
    return stream === '' || more.length > 0 ? undefined : stream;
}

function restBehind(topic: string, beginning: string): string[] | undefined {
    return topic.startsWith(beginning) ? topic.slice(beginning.length).split('/') : undefined;
}

/** The messages in parts that can be sent, in their order. */
export function* partsOf(messages: Iterable<ChainMessage>): Generator<{ end: string; payload: Buffer }> {
    let lines: string[] = [];
    let [characters, end] = [0, ''];
    const part = (): { end: string; payload: Buffer } => ({ end, payload: gzipSync(`${[...lines, encodeEnd(end)].join('\n')}\n`) });
    for (const message of messages) {
        const line = encodeMessage(message);
        if (lines.length > 0 && (lines.length >= MAX_MESSAGES || characters + line.length > MAX_CHARACTERS)) {
            yield part();
            [lines, characters] = [[], 0];
        }
        lines.push(line);
        characters += line.length;
        end = message.sequence;
    }
    if (lines.length > 0) {
        yield part();
    }
}

/** The messages of a part, in rising order. @throws Error that says why it is none */
export function readPart(payload: Uint8Array): ChainMessage[] {
    const lines = gunzipSync(payload, { maxOutputLength: MAX_TEXT_BYTES }).toString().trimEnd().split('\n');
    const messages: ChainMessage[] = [];
    let end: string | undefined;
    for (const text of lines) {
        const line = decodeLine(text);
        if (line.is === 'broken' || end !== undefined) {
            throw new Error(line.is === 'broken' ? `a line cannot be read: ${line.why}` : 'lines follow its end');
        }
        if (line.is === 'end') {
            end = line.sequence;
        } else {
            if (compareSequences(line.message.sequence, messages.at(-1)?.sequence ?? '0') <= 0) {
                throw new Error(`message ${line.message.sequence} is out of order`);
            }
            messages.push(line.message);
        }
    }
    if (end === undefined || messages.at(-1)?.sequence !== end) {
        throw new Error('it does not end with its last message');
    }
    return messages;
}

/** The answer in its bytes. */
export function encodePlace(place: ForwardPlace): string {
    return JSON.stringify(place);
}

/** What the other lake has answered. @throws Error for what is no answer */
export function readPlace(payload: Uint8Array): ForwardPlace {
    const fields = new Map<string, unknown>(Object.entries(JSON.parse(Buffer.from(payload).toString()) ?? {}));
    const [end, why] = [fields.get('end'), fields.get('why')];
    if (typeof end === 'string' && SEQUENCE.test(end)) {
        return { end };
    }
    if (typeof why === 'string') {
        return { why };
    }
    throw new Error('it says neither an end nor why there is none');
}

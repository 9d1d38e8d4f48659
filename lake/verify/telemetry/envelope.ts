/** Messages as programs log them that listen to a broker: docs/reading-telemetry.md, "Logs of a broker". */
import { floor, fractionOf, timesTen } from './fractions.ts';
import { isoTime } from './instants.ts';
import type { Tree } from './json-tree.ts';
import { objectIn, objectOf } from './message-files.ts';
import { isBase64, type Message } from './places.ts';

const TIMES = ['arrived_ms', 'arrival', 'arrived_at', 'received_at', 'tst', 'timestamp', 'time'];
const NAMES = ['topic', 'payload', 'payload_base64', 'payloadlen', 'qos', 'retain', 'mid', 'properties', 'headers', ...TIMES];

/** True if the first message of a file makes it a log. */
export function isEnvelope(bytes: Buffer): boolean {
    const members = objectOf(bytes)?.members;
    const hasPayload = members?.has('payload') || members?.has('payload_base64');
    return members?.has('topic') === true && hasPayload === true && [...members.keys()].every((name) => NAMES.includes(name));
}

/** The message in an envelope; undefined where there is none. */
export function openEnvelope(bytes: Buffer): Message | undefined {
    const members = objectIn(bytes);
    const topic = members?.get('topic');
    const payload = members && payloadOf(members);
    if (topic?.type !== 'text' || !payload) {
        return undefined;
    }
    const time = TIMES.map((name) => members.get(name)).find((value) => value !== undefined);
    const arrivedMs = time && arrivalOf(time);
    if (time && arrivedMs === undefined) {
        return undefined;
    }
    const retain = members.get('retain');
    const headers = members.get('headers');
    return {
        payload,
        arrivedMs,
        topic: topic.text,
        headers:
            headers?.type === 'object'
                ? Object.fromEntries([...headers.members].map(([name, value]) => [name.toLowerCase(), asSent(value)]))
                : undefined,
        isRetained: ['1', 'true'].includes(retain === undefined || retain.type === 'text' ? '' : asSent(retain)),
    };
}

function payloadOf(members: ReadonlyMap<string, Tree>): Buffer | undefined {
    const base64 = members.get('payload_base64');
    if (base64) {
        return base64.type === 'text' && isBase64(base64.text) ? Buffer.from(base64.text, 'base64') : undefined;
    }
    const payload = members.get('payload');
    return payload && Buffer.from(asSent(payload));
}

/** The characters of a text; of any other value the JSON that stands there. */
function asSent(value: Tree): string {
    return value.type === 'text' ? value.text : value.at.source.slice(value.at.start, value.at.end);
}

/** Epoch seconds have up to ten digits, milliseconds more. */
function arrivalOf(time: Tree): number | undefined {
    if (time.type === 'number') {
        const digits = /^\d{1,15}(?=$|\.)/.exec(time.text)?.[0];
        const number = digits === undefined ? undefined : fractionOf(time.text);
        return number && Number(floor(digits !== undefined && digits.length <= 10 ? timesTen(number, 3) : number));
    }
    const isWhole = time.type === 'text' && /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^z]*$/.test(time.text);
    // mosquitto writes Z+0000.
    const written = isWhole ? isoTime(time.text.replace(/Z(?=[+-])/, '')) : undefined;
    return written?.offsetMs === undefined ? undefined : Number(floor(written.localMs)) - written.offsetMs;
}

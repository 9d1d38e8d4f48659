/** What is said by WebSocket: a client says what it wants to follow, and is sent lists of events, each as GET /v1/live has it at home. */
import { eventBody } from '#lake/live/api/bodies';
import { isFollowed } from '#lake/live/api/event-streams';
import { Problem } from '#lake/live/api/problem';
import { kindsOf } from '#lake/live/api/routes/live';
import { LiveQuery } from '#lake/live/api/schemas';
import type { NumberedEvent } from '#lake/live/api/services';
import type { Wanted } from './sockets.ts';

/** What a client asks for; without `after` it begins now. */
export interface FollowQuestion extends Wanted {
    after: string | undefined;
}

/** Parameters that a message may have: those of GET /v1/live but for the ticket, which has opened the connection. */
const Question = LiveQuery.omit({ ticket: true });

/** Reads a client's message: `{"after": "4711", "kind": "raised,cleared", "device": "th-7"}`, each of them or none. @throws Problem for anything else */
export function readQuestion(text: string): FollowQuestion {
    const asked = parseJson(text);
    if (asked === undefined) {
        throw new Problem('bad_request', 'A message is a JSON object that says what to follow: {} follows everything from now on');
    }
    const read = Question.safeParse(asked);
    if (!read.success) {
        const faults = read.error.issues.map(({ path, message }) => ({
            in: 'body' as const,
            name: String(path[0] ?? 'message'),
            detail: message,
        }));
        throw new Problem('bad_parameter', faults.map(({ name, detail }) => `${name}: ${detail}`).join(' '), { parameters: faults });
    }
    const { after, device, kind } = read.data;
    return { after, device, kinds: kindsOf(kind) };
}

/** A message holds 128 KB at most: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html */
const MAX_MESSAGE_BYTES = 120 * 1024;

/** The messages that tell of those events that are wanted, in their order: each a JSON array. An event that no message can hold is told as a reset: the state has it. */
export function sayEvents(events: readonly NumberedEvent[], wanted: Wanted): string[] {
    const messages: string[][] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const { id, event } of events) {
        if (!isFollowed(event, wanted)) {
            continue;
        }
        const whole = say(id, event.kind, eventBody(event));
        const text = Buffer.byteLength(whole) <= MAX_MESSAGE_BYTES - 2 ? whole : say(id, 'reset', { kind: 'reset' });
        bytes += Buffer.byteLength(text) + 1;
        if (bytes > MAX_MESSAGE_BYTES) {
            messages.push([]);
            bytes = Buffer.byteLength(text) + 2;
        }
        messages.at(-1)?.push(text);
    }
    return messages.map((texts) => `[${texts.join(',')}]`);
}

/** What is said of the stream itself: where it begins, or that events behind the client's id are no longer kept. */
export function sayOfStream(kind: 'ready' | 'reset', id: string): string {
    return `[${say(id, kind, { kind })}]`;
}

function say(id: string, event: string, data: object): string {
    return JSON.stringify({ id, event, data });
}

/** The value that the text is JSON of; undefined where it is none. */
function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

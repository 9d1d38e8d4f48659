/** Decoders: payloads that are no JSON are made JSON first, without loss, so that one language reads all of them. */
import { isUtf8 } from 'node:buffer';
import type { Message } from '../message.ts';
import type { Problem } from '../reading.ts';
import type { ProfileDocument } from './document.ts';
import { decodeText, UnreadableError } from './json-scanner.ts';

/** A payload as JSON; `isOwn` where these are the bytes as they were sent. `problems`: parts that are no readings. */
export type Decoded = { bytes: Uint8Array; isOwn: boolean; problems?: readonly Problem[] } | { problem: Problem };

export interface Decoder {
    /** True if a payload becomes a list, each element of which is a message of its own. */
    givesList: boolean;
    decode(message: Message, topic: Readonly<Record<string, string>>): Decoded;
}

export function openDecoder({ decoder = 'json' }: ProfileDocument): Decoder {
    if (decoder === 'text') {
        return {
            givesList: false,
            decode: ({ payload }) => {
                if (!isUtf8(payload)) {
                    throw new UnreadableError('it is no UTF-8 text');
                }
                return { bytes: new TextEncoder().encode(JSON.stringify(decodeText(payload, 0, payload.length, false))), isOwn: false };
            },
        };
    }
    return { givesList: false, decode: ({ payload }) => ({ bytes: payload, isOwn: true }) };
}

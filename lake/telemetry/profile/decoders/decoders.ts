/** Decoders: payloads that are no JSON are made JSON first, without loss, so that one language reads all of them. */
import { isUtf8 } from 'node:buffer';
import type { Message } from '../../message.ts';
import type { Problem } from '../../reading.ts';
import type { ProfileDocument } from '../document.ts';
import { UnreadableError } from '../json-scanner.ts';
import { decodeText } from '../texts.ts';
import { cborToJson } from './cbor.ts';
import { openSenml } from './senml.ts';
import { openSparkplug } from './sparkplug-b.ts';

/** A payload as JSON; `isOwn` where these are the bytes as they were sent. `problems`: parts that are no readings. */
export type Decoded = { bytes: Uint8Array; isOwn: boolean; problems?: readonly Problem[] } | { problem: Problem };

export interface Decoder {
    /** True if a payload becomes a list of records, each of which is read by itself and says its `name`. */
    givesRecords: boolean;
    /** @throws UnreadableError */
    decode(message: Message): Decoded;
}

export function openDecoder({ decoder = 'json' }: ProfileDocument): Decoder {
    switch (decoder) {
        case 'json':
            return { givesRecords: false, decode: ({ payload }) => ({ bytes: payload, isOwn: true }) };
        case 'text':
            return { givesRecords: false, decode: ({ payload }) => made(JSON.stringify(textOf(payload))) };
        case 'cbor':
            return { givesRecords: false, decode: ({ payload }) => made(cborToJson(payload)) };
        case 'sparkplug-b': {
            const read = openSparkplug();
            return { givesRecords: true, decode: ({ payload, topic }) => madeOf(read(payload, topic)) };
        }
        default: {
            const isCbor = decoder === 'senml-cbor';
            const read = openSenml(isCbor ? 'cbor' : 'json');
            return {
                givesRecords: true,
                decode: ({ payload, arrivedMs }) => madeOf(read(isCbor ? encode(cborToJson(payload)) : checked(payload), arrivedMs)),
            };
        }
    }
}

function textOf(payload: Uint8Array): string {
    return decodeText(checked(payload), 0, payload.length, false);
}

function checked(payload: Uint8Array): Uint8Array {
    if (!isUtf8(payload)) {
        throw new UnreadableError('it is no UTF-8 text');
    }
    return payload;
}

function encode(text: string): Uint8Array {
    return new TextEncoder().encode(text);
}

function made(json: string, problems: readonly Problem[] = []): Decoded {
    return { bytes: encode(json), isOwn: false, problems };
}

function madeOf(read: { json: string; problems: readonly Problem[] } | { problem: Problem }): Decoded {
    return 'problem' in read ? read : made(read.json, read.problems);
}

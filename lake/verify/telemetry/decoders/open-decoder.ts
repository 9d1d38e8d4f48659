/** Payloads that are no JSON as JSON: docs/profiles.md, "Decoders". A second way, by the formats' own documents. */
import { isUtf8 } from 'node:buffer';
import { NoJsonError, parseJson } from '../json-tree.ts';
import type { Message } from '../places.ts';
import { jsonOfCbor } from './cbor.ts';
import type { Decoded } from './decoded.ts';
import { recordsOfPack } from './senml.ts';
import { SparkplugReader } from './sparkplug.ts';

/** Decodes the payloads of one source, in their order. @throws NoJsonError for what is not of the decoder's form */
export type Decode = (message: Message) => Decoded | { reason: string };

/** The decoder of this name; undefined where payloads are JSON, or one text. */
export function openDecoder(decoder: string | undefined): Decode | undefined {
    switch (decoder) {
        case 'cbor':
            return ({ payload }) => ({ json: jsonOfCbor(payload), problems: [] });
        case 'senml':
            return ({ payload, arrivedMs }) => recordsOfPack(parseJson(textOf(payload)), { isCbor: false, arrivedMs });
        case 'senml-cbor':
            return ({ payload, arrivedMs }) => recordsOfPack(parseJson(jsonOfCbor(payload)), { isCbor: true, arrivedMs });
        case 'sparkplug-b': {
            const reader = new SparkplugReader();
            return ({ payload, topic }) => reader.read(payload, topic);
        }
        default:
            return undefined;
    }
}

function textOf(payload: Uint8Array): string {
    if (!isUtf8(payload)) {
        throw new NoJsonError('no UTF-8');
    }
    return Buffer.from(payload).toString();
}

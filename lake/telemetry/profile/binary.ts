/** Numbers in binary data that stands as hexadecimal or base64 text in a payload. */

import { shortestFloat32 } from './decoders/floats.ts';
import type { BytesWords } from './document.ts';
import { decodeBase64 } from './json-scanner.ts';

/** The number's decimal text, undefined where the data ends before it. */
export function readNumberBytes(text: string, { encoding, at, length, as, little = false, bits }: BytesWords): string | undefined {
    const data = encoding === 'base64' ? decodeBase64(text) : decodeHex(text);
    const from = data === undefined || at >= 0 ? at : data.length + at;
    if (data === undefined || from < 0 || from + length > data.length) {
        return undefined;
    }
    const bytes = data.slice(from, from + length);
    if (little) {
        bytes.reverse();
    }
    if (as === 'float') {
        const view = new DataView(bytes.buffer, bytes.byteOffset, length);
        return length === 4 ? shortestFloat32(view.getFloat32(0)) : String(view.getFloat64(0));
    }
    let value = 0n;
    for (const byte of bytes) {
        value = value * 256n + BigInt(byte);
    }
    const [low = 0, count = 8 * length] = bits ?? [];
    value = BigInt.asUintN(count, value >> BigInt(low));
    return String(as === 'signed' ? BigInt.asIntN(count, value) : value);
}

function decodeHex(text: string): Uint8Array | undefined {
    const digits = text.startsWith('0x') ? text.slice(2) : text;
    return /^(?:[0-9A-Fa-f]{2})*$/.test(digits) ? Uint8Array.from(Buffer.from(digits, 'hex')) : undefined;
}

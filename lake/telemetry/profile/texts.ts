/** Texts of bytes. Devices send the same ids and states again and again: texts that were made lately are found again by their bytes. */

/** Longer texts are not looked for. */
const MAX_KNOWN_BYTES = 64;
/** A power of two: the place of a text is the low bits of its hash. */
const KNOWN_TEXTS = 65_536;

const known: string[] = new Array(KNOWN_TEXTS).fill('');

/** The characters between two places, which hold valid UTF-8; `isEscaped` where they hold escapes of JSON. */
export function decodeText(bytes: Uint8Array, start: number, end: number, isEscaped: boolean): string {
    if (isEscaped) {
        return JSON.parse(`"${decode(bytes, start, end)}"`);
    }
    const length = end - start;
    if (length > MAX_KNOWN_BYTES) {
        return decode(bytes, start, end);
    }
    let hash = length;
    for (let pos = start; pos < end; pos++) {
        hash = (Math.imul(hash, 31) + (bytes[pos] as number)) | 0;
    }
    const place = (hash ^ (hash >>> 15)) & (KNOWN_TEXTS - 1);
    const text = known[place] as string;
    if (isTextOf(text, bytes, start, length)) {
        return text;
    }
    const decoded = decode(bytes, start, end);
    known[place] = decoded;
    return decoded;
}

/** True if the bytes are the text's characters, all of them ASCII. */
function isTextOf(text: string, bytes: Uint8Array, start: number, length: number): boolean {
    if (text.length !== length) {
        return false;
    }
    for (let i = 0; i < length; i++) {
        const char = bytes[start + i] as number;
        if (char >= 0x80 || text.charCodeAt(i) !== char) {
            return false;
        }
    }
    return true;
}

function decode(bytes: Uint8Array, start: number, end: number): string {
    if (Buffer.isBuffer(bytes)) {
        return bytes.toString('utf8', start, end);
    }
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}

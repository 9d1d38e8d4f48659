/** CBOR as JSON text: RFC 8949, read item by item. Texts and whole numbers may be keys; bytes become base64url. */
import { isUtf8 } from 'node:buffer';
import { NoJsonError } from '../json-tree.ts';
import { floatText } from './shortest.ts';

const MAX_DEPTH = 64;
/** A number of more characters than JSON's may have; what is larger need not be written out. */
const MAX_BITS = 1_000n;

/** @throws NoJsonError where the bytes are not one item */
export function jsonOfCbor(bytes: Uint8Array): string {
    const reader = new Reader(bytes);
    const text = reader.item(0);
    if (!reader.isAtEnd) {
        throw new NoJsonError('something behind the item');
    }
    return text;
}

/** Major types of RFC 8949, 3.1. */
const [UNSIGNED, NEGATIVE, BYTES, TEXT, LIST, MAP, TAG] = [0, 1, 2, 3, 4, 5, 6];

interface Head {
    major: number;
    /** The lower five bits. */
    info: number;
    /** The argument; undefined where the item's end is marked. */
    argument: bigint | undefined;
    /** The bytes of the argument, which of a float are the float. */
    raw: Buffer;
}

class Reader {
    readonly #bytes: Buffer;
    #at = 0;

    constructor(bytes: Uint8Array) {
        this.#bytes = Buffer.from(bytes);
    }

    get isAtEnd(): boolean {
        return this.#at === this.#bytes.length;
    }

    item(depth: number): string {
        if (depth > MAX_DEPTH) {
            throw new NoJsonError('more than 64 levels');
        }
        const head = this.#head();
        switch (head.major) {
            case UNSIGNED:
            case NEGATIVE:
                return String(this.#whole(head));
            case BYTES:
                return JSON.stringify(this.#string(head).toString('base64url'));
            case TEXT:
                return JSON.stringify(this.#text(head));
            case LIST: {
                return `[${this.#members(head, () => this.item(depth + 1)).join(',')}]`;
            }
            case MAP:
                return `{${this.#members(head, () => `${JSON.stringify(this.#key())}:${this.item(depth + 1)}`).join(',')}}`;
            case TAG:
                return this.#tagged(head, depth + 1);
            default:
                return simple(head);
        }
    }

    /** Initial byte and argument: RFC 8949, 3. */
    #head(): Head {
        const [initial = 0] = this.#take(1);
        const [major, info] = [initial >> 5, initial & 31];
        if (info < 24) {
            return { major, info, argument: BigInt(info), raw: Buffer.alloc(0) };
        }
        if (info < 28) {
            const raw = this.#take(2 ** (info - 24));
            return { major, info, argument: BigInt(`0x${raw.toString('hex')}`), raw };
        }
        if (info === 31 && [BYTES, TEXT, LIST, MAP].includes(major)) {
            return { major, info, argument: undefined, raw: Buffer.alloc(0) };
        }
        throw new NoJsonError('no head of an item');
    }

    #take(count: number): Buffer {
        const taken = this.#bytes.subarray(this.#at, this.#at + count);
        if (taken.length < count) {
            throw new NoJsonError('it ends too early');
        }
        this.#at += count;
        return taken;
    }

    /** Steps over the mark that ends an item of unknown length, if it stands here. */
    #isBreak(): boolean {
        const isBreak = this.#bytes[this.#at] === 0xff;
        this.#at += isBreak ? 1 : 0;
        return isBreak;
    }

    #members(head: Head, read: () => string): string[] {
        const members: string[] = [];
        while (head.argument === undefined ? !this.#isBreak() : BigInt(members.length) < head.argument) {
            members.push(read());
        }
        return members;
    }

    #whole({ major, argument = 0n }: Head): bigint {
        return major === NEGATIVE ? -1n - argument : argument;
    }

    /** Bytes of a string, which may come in pieces of its own kind. */
    #string({ major, argument }: Head): Buffer {
        if (argument !== undefined) {
            return this.#take(Number(argument));
        }
        const pieces: Buffer[] = [];
        while (!this.#isBreak()) {
            const piece = this.#head();
            if (piece.major !== major || piece.argument === undefined) {
                throw new NoJsonError('a piece of a string that is none');
            }
            pieces.push(this.#textual(major, this.#take(Number(piece.argument))));
        }
        return Buffer.concat(pieces);
    }

    #text(head: Head): string {
        return this.#textual(TEXT, this.#string(head)).toString();
    }

    /** The bytes, which of a text, and of each piece of one, must be UTF-8. */
    #textual(major: number | undefined, bytes: Buffer): Buffer {
        if (major === TEXT && !isUtf8(bytes)) {
            throw new NoJsonError('no UTF-8');
        }
        return bytes;
    }

    #key(): string {
        const head = this.#head();
        if (head.major === TEXT) {
            return this.#text(head);
        }
        if (head.major !== UNSIGNED && head.major !== NEGATIVE) {
            throw new NoJsonError('a key that is no text and no whole number');
        }
        return String(this.#whole(head));
    }

    /** Numbers of RFC 8949, 3.4.3 and 3.4.4; what other tags say of an item is passed over. */
    #tagged({ argument }: Head, depth: number): string {
        switch (argument) {
            case 2n:
            case 3n:
                return String(this.#bignum(argument));
            case 4n:
            case 5n: {
                const list = this.#head();
                const isOpen = list.major === LIST && list.argument === undefined;
                if (!isOpen && (list.major !== LIST || list.argument !== 2n)) {
                    throw new NoJsonError('a fraction of something else than two numbers');
                }
                const [power, mantissa] = [this.#integer(), this.#integer()];
                if (isOpen && !this.#isBreak()) {
                    throw new NoJsonError('a fraction of more than two numbers');
                }
                return argument === 4n ? `${mantissa}e${power}` : binary(mantissa, power);
            }
            default:
                return this.item(depth);
        }
    }

    #integer(): bigint {
        const head = this.#head();
        if (head.major === TAG && (head.argument === 2n || head.argument === 3n)) {
            return this.#bignum(head.argument);
        }
        if (head.major !== UNSIGNED && head.major !== NEGATIVE) {
            throw new NoJsonError('no whole number');
        }
        return this.#whole(head);
    }

    #bignum(tag: bigint): bigint {
        const head = this.#head();
        if (head.major !== BYTES) {
            throw new NoJsonError('a large number of something else than bytes');
        }
        const size = BigInt(`0x0${this.#string(head).toString('hex')}`);
        if (size >> MAX_BITS > 0n) {
            throw new NoJsonError('a number of more than 100 characters');
        }
        return tag === 2n ? size : -1n - size;
    }
}

/** mantissa * 2^power as a decimal. */
function binary(mantissa: bigint, power: bigint): string {
    if (power > MAX_BITS || power < -MAX_BITS) {
        throw new NoJsonError('a number of more than 100 characters');
    }
    return power < 0n ? `${mantissa * 5n ** -power}e${power}` : String(mantissa << power);
}

function simple({ info, raw }: Head): string {
    const known: Readonly<Record<number, string>> = { 20: 'false', 21: 'true', 22: 'null', 23: 'null' };
    const text = info > 24 ? floatText(raw) : known[info];
    if (text === undefined) {
        throw new NoJsonError('a simple value that is none');
    }
    return text;
}

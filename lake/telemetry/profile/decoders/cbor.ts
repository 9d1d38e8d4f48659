/** CBOR (RFC 8949) as JSON text, without loss: floats as the shortest text that means them, whole numbers and decimals of any size. */
import { isUtf8 } from 'node:buffer';
import { Tokenizer, Token as TokenOf, Type } from 'cborg';
import { MAX_DEPTH, UnreadableError } from '../json-scanner.ts';
import { shortestFloat16, shortestFloat32 } from './floats.ts';

/** JSON of a CBOR item. Keys may be texts or whole numbers; a byte string becomes base64url text. @throws UnreadableError */
export function cborToJson(data: Uint8Array): string {
    const tokens = new Tokens(data);
    const out: string[] = [];
    try {
        writeItem(tokens, out, 0);
        if (!tokens.isDone) {
            throw new UnreadableError(`something stands behind the end of the CBOR item (byte ${tokens.place + 1})`);
        }
    } catch (error) {
        throw error instanceof UnreadableError
            ? error
            : new UnreadableError(`it is no CBOR: ${error instanceof Error ? error.message.replace(/^CBOR decode error: /, '') : error}`, {
                  cause: error,
              });
    }
    return out.join('');
}

type Token = ReturnType<Tokenizer['next']>;

/** Initial bytes of byte strings and of texts of unknown length, which come in pieces. */
const IN_PIECES: readonly (number | undefined)[] = [0x5f, 0x7f];

/** The tokens of CBOR. Strings that come in pieces are one token each, and texts are UTF-8: the tokenizer knows neither. */
class Tokens {
    readonly #data: Uint8Array;
    #tokenizer: Tokenizer;
    /** Place in the data at which the tokenizer began. */
    #start = 0;

    constructor(data: Uint8Array) {
        this.#data = data;
        this.#tokenizer = this.#openAt(0);
    }

    get place(): number {
        return this.#start + this.#tokenizer.pos();
    }

    get isDone(): boolean {
        return this.#tokenizer.done();
    }

    next(): Token {
        return IN_PIECES.includes(this.#data[this.place]) ? this.#nextInPieces() : this.#nextWhole();
    }

    #nextWhole(): Token {
        if (this.isDone) {
            throw new UnreadableError('the CBOR ends too early');
        }
        const token = this.#tokenizer.next();
        if (token.type.name === 'string' && !isUtf8(token.byteValue ?? new Uint8Array())) {
            throw new UnreadableError('a text of the CBOR is no UTF-8');
        }
        return token;
    }

    #nextInPieces(): Token {
        const isBytes = this.#data[this.place] === IN_PIECES[0];
        this.#start = this.place + 1;
        this.#tokenizer = this.#openAt(this.#start);
        const pieces: Uint8Array[] = [];
        for (;;) {
            const piece = IN_PIECES.includes(this.#data[this.place]) ? undefined : this.#nextWhole();
            if (piece?.type.name === 'break') {
                const whole = Buffer.concat(pieces);
                const type = isBytes ? Type.bytes : Type.string;
                return Object.assign(new TokenOf(type, isBytes ? whole : whole.toString()), { byteValue: whole });
            }
            if (piece?.type.name !== (isBytes ? 'bytes' : 'string')) {
                throw new UnreadableError('a string of the CBOR comes in pieces that are none of it');
            }
            pieces.push(isBytes ? piece.value : (piece.byteValue ?? new Uint8Array()));
        }
    }

    #openAt(start: number): Tokenizer {
        return new Tokenizer(this.#data.subarray(start), OPTIONS);
    }
}

const OPTIONS = { allowBigInt: true, allowIndefinite: true, allowUndefined: true, retainStringBytes: true };

/** Writes the next item; false at the end of an item of indefinite length. */
function writeItem(tokens: Tokens, out: string[], depth: number): boolean {
    if (depth > MAX_DEPTH) {
        throw new UnreadableError(`it is nested more than ${MAX_DEPTH} levels deep`);
    }
    const token = tokens.next();
    switch (token.type.name) {
        case 'break':
            return false;
        case 'array':
            writeMembers(tokens, out, token.value, { depth, isMap: false });
            return true;
        case 'map':
            writeMembers(tokens, out, token.value, { depth, isMap: true });
            return true;
        case 'tag':
            writeTagged(tokens, out, token.value, depth + 1);
            return true;
        default:
            out.push(writeScalar(token));
            return true;
    }
}

function writeMembers(tokens: Tokens, out: string[], count: number, { depth, isMap }: { depth: number; isMap: boolean }): void {
    out.push(isMap ? '{' : '[');
    for (let i = 0; i < count; i++) {
        const comma = out.length;
        out.push(i === 0 ? '' : ',');
        if (isMap) {
            const key = tokens.next();
            if (isEnd(key, count)) {
                out[comma] = '';
                break;
            }
            if (key.type.name !== 'string' && key.type.name !== 'uint' && key.type.name !== 'negint') {
                throw new UnreadableError(`a key is a ${key.type.name}, and only texts and whole numbers are read`);
            }
            out.push(JSON.stringify(String(key.value)), ':');
        }
        if (!writeItem(tokens, out, depth + 1)) {
            if (isMap || count !== Number.POSITIVE_INFINITY) {
                throw new UnreadableError('an item of known length has an end mark');
            }
            out[comma] = '';
            break;
        }
    }
    out.push(isMap ? '}' : ']');
}

function isEnd(token: Token, count: number): boolean {
    if (token.type.name === 'break' && count !== Number.POSITIVE_INFINITY) {
        throw new UnreadableError('an item of known length has an end mark');
    }
    return token.type.name === 'break';
}

function writeScalar(token: Token): string {
    const { value } = token;
    switch (token.type.name) {
        case 'float':
            return numberText(
                token.encodedLength === 3 ? shortestFloat16(value) : token.encodedLength === 5 ? shortestFloat32(value) : doubleText(value),
            );
        case 'string':
            return JSON.stringify(value);
        case 'bytes':
            return JSON.stringify(Buffer.from(value).toString('base64url'));
        case 'undefined':
            return 'null';
        default:
            return String(value);
    }
}

/** What is no number in JSON stands as a text: `"NaN"`. */
export function numberText(text: string): string {
    return /^-?\d/.test(text) ? text : JSON.stringify(text);
}

export function doubleText(value: number): string {
    return Object.is(value, -0) ? '-0' : String(value);
}

const BIGNUM = 2;
const NEGATIVE_BIGNUM = 3;
const DECIMAL_FRACTION = 4;
const BIGFLOAT = 5;
/** Bits of a whole number, and powers of two: JSON of more has more characters than a number may have. */
const MAX_BITS = 1000;

/** Numbers that CBOR has by tags; the content of any other tag stands for itself. */
function writeTagged(tokens: Tokens, out: string[], tag: number, depth: number): void {
    if (tag === BIGNUM || tag === NEGATIVE_BIGNUM) {
        out.push(String(readBignum(tokens.next(), tag)));
    } else if (tag === DECIMAL_FRACTION || tag === BIGFLOAT) {
        const list = tokens.next();
        const isOpen = list.type.name === 'array' && list.value === Number.POSITIVE_INFINITY;
        if (list.type.name !== 'array' || (list.value !== 2 && !isOpen)) {
            throw new UnreadableError(`tag ${tag} stands before something else than an exponent and a mantissa`);
        }
        const exponent = readInteger(tokens.next(), tokens);
        const mantissa = readInteger(tokens.next(), tokens);
        if (isOpen && tokens.next().type.name !== 'break') {
            throw new UnreadableError(`tag ${tag} stands before more than an exponent and a mantissa`);
        }
        out.push(tag === DECIMAL_FRACTION ? `${mantissa}e${exponent}` : binaryFraction(mantissa, exponent));
    } else if (!writeItem(tokens, out, depth)) {
        throw new UnreadableError(`tag ${tag} stands before nothing`);
    }
}

function readInteger(token: Token, tokens: Tokens): bigint {
    if (token.type.name === 'tag' && (token.value === BIGNUM || token.value === NEGATIVE_BIGNUM)) {
        return readBignum(tokens.next(), token.value);
    }
    if (token.type.name !== 'uint' && token.type.name !== 'negint') {
        throw new UnreadableError(`a ${token.type.name} stands where a whole number should`);
    }
    return BigInt(token.value);
}

function readBignum(token: Token, tag: number): bigint {
    if (token.type.name !== 'bytes') {
        throw new UnreadableError(`a large whole number is made of a ${token.type.name}, and not of bytes`);
    }
    const size = BigInt(`0x0${Buffer.from(token.value).toString('hex')}`);
    if (size >> BigInt(MAX_BITS) > 0n) {
        throw new UnreadableError(`a whole number of more than ${MAX_BITS} bits`);
    }
    return tag === BIGNUM ? size : -1n - size;
}

/** mantissa * 2^exponent as a decimal: it always ends. */
function binaryFraction(mantissa: bigint, exponent: bigint): string {
    if (exponent > MAX_BITS || exponent < -MAX_BITS) {
        throw new UnreadableError(`a number has the power of two ${exponent}, and no more than ${MAX_BITS} are read`);
    }
    return exponent >= 0n ? String(mantissa * 2n ** exponent) : `${mantissa * 5n ** -exponent}e${exponent}`;
}

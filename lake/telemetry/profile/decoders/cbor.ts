/** CBOR (RFC 8949) as JSON text, without loss: floats as the shortest text that means them, whole numbers and decimals of any size. */
import { Tokenizer } from 'cborg';
import { MAX_DEPTH, UnreadableError } from '../json-scanner.ts';
import { shortestFloat16, shortestFloat32 } from './floats.ts';

/** JSON of a CBOR item. Keys may be texts or whole numbers; a byte string becomes base64url text. @throws UnreadableError */
export function cborToJson(data: Uint8Array): string {
    const tokens = new Tokenizer(data, { allowBigInt: true, allowIndefinite: true, allowUndefined: true });
    const out: string[] = [];
    try {
        writeItem(tokens, out, 0);
        if (!tokens.done()) {
            throw new UnreadableError(`something stands behind the end of the CBOR item (byte ${tokens.pos() + 1})`);
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

type Tokens = InstanceType<typeof Tokenizer>;
type Token = ReturnType<Tokens['next']>;

function next(tokens: Tokens): Token {
    if (tokens.done()) {
        throw new UnreadableError('the CBOR ends too early');
    }
    return tokens.next();
}

/** Writes the next item; false at the end of an item of indefinite length. */
function writeItem(tokens: Tokens, out: string[], depth: number): boolean {
    if (depth > MAX_DEPTH) {
        throw new UnreadableError(`it is nested more than ${MAX_DEPTH} levels deep`);
    }
    const token = next(tokens);
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
            const key = next(tokens);
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
/** Bytes of a whole number, and powers of two: far beyond any measurement. */
const MAX_BIGNUM_BYTES = 32;
const MAX_POWER = 200;

/** Numbers that CBOR has by tags; the content of any other tag stands for itself. */
function writeTagged(tokens: Tokens, out: string[], tag: number, depth: number): void {
    if (tag === BIGNUM || tag === NEGATIVE_BIGNUM) {
        out.push(String(readBignum(next(tokens), tag)));
    } else if (tag === DECIMAL_FRACTION || tag === BIGFLOAT) {
        const list = next(tokens);
        if (list.type.name !== 'array' || list.value !== 2) {
            throw new UnreadableError(`tag ${tag} stands before something else than an exponent and a mantissa`);
        }
        const exponent = readInteger(next(tokens), tokens);
        const mantissa = readInteger(next(tokens), tokens);
        out.push(tag === DECIMAL_FRACTION ? `${mantissa}e${exponent}` : binaryFraction(mantissa, exponent));
    } else if (!writeItem(tokens, out, depth)) {
        throw new UnreadableError(`tag ${tag} stands before nothing`);
    }
}

function readInteger(token: Token, tokens: Tokens): bigint {
    if (token.type.name === 'tag' && (token.value === BIGNUM || token.value === NEGATIVE_BIGNUM)) {
        return readBignum(next(tokens), token.value);
    }
    if (token.type.name !== 'uint' && token.type.name !== 'negint') {
        throw new UnreadableError(`a ${token.type.name} stands where a whole number should`);
    }
    return BigInt(token.value);
}

function readBignum(token: Token, tag: number): bigint {
    if (token.type.name !== 'bytes' || token.value.length > MAX_BIGNUM_BYTES) {
        throw new UnreadableError(`a whole number of more than ${MAX_BIGNUM_BYTES} bytes, or of something else than bytes`);
    }
    const size = token.value.length === 0 ? 0n : BigInt(`0x${Buffer.from(token.value).toString('hex')}`);
    return tag === BIGNUM ? size : -1n - size;
}

/** mantissa * 2^exponent as a decimal: it always ends. */
function binaryFraction(mantissa: bigint, exponent: bigint): string {
    if (exponent > MAX_POWER || exponent < -MAX_POWER) {
        throw new UnreadableError(`a number has the power of two ${exponent}, and no more than ${MAX_POWER} are read`);
    }
    return exponent >= 0n ? String(mantissa * 2n ** exponent) : `${mantissa * 5n ** -exponent}e${exponent}`;
}

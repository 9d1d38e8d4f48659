/**
 * A strict JSON scanner over bytes: it notes where the values of the named fields stand and skips all else, checked but not built. Numbers
 * stay the text that was sent. Memory and depth are bounded whatever the payload is.
 */
import { isUtf8 } from 'node:buffer';
import { MAX_NUMBER_CHARACTERS } from './decimal.ts';
import { ARRAY, ESCAPED_TEXT, FALSE, type Field, type FieldTree, NULL, NUMBER, OBJECT, TEXT, TRUE } from './fields.ts';
import { decodeText } from './texts.ts';

export const MAX_DEPTH = 64;
/** Keys of one object. Telemetry has tens; a million are an attack or another kind of file. */
const MAX_KEYS = 10_000;
/** Bytes of a key. Keys that were met are remembered, so none may be long. */
const MAX_KEY_BYTES = 1024;

/** The payload is no JSON that may be read. The message says what is wrong and where. */
export class UnreadableError extends Error {
    override name = 'UnreadableError';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;

export class JsonScanner {
    readonly tree: FieldTree;
    /** Number of the last scan: a field with this number was seen in it. */
    scan = 0;
    /** Metric instances of patterns whose fields were seen, in the payload's order. */
    readonly instances: number[] = [];
    /** Paths that nobody named, in the payload's order. */
    readonly unknown: string[] = [];
    /** How many values were seen whose inner fields are read elsewhere. */
    #elsewhere = 0;
    #bytes: Uint8Array = new Uint8Array(0);
    #pos = 0;
    #end = 0;

    constructor(tree: FieldTree) {
        this.tree = tree;
    }

    /** Scans one value, which must be all there is between `start` and `end`. The bytes must be valid UTF-8. @throws UnreadableError */
    read(bytes: Uint8Array, start: number, end: number): void {
        do {
            this.tree.hasLearned = false;
            this.begin();
            this.#bytes = bytes;
            this.#pos = start;
            this.#end = end;
            this.#skipSpace();
            this.#value(this.tree.root, 0);
            this.#skipSpace();
            if (this.#pos < end) {
                throw this.#fault('something stands behind the end of the value');
            }
            // A pattern's first sight may ask for a field that stood before it: look once more, now that it is known.
        } while (this.tree.hasLearned);
    }

    /** Forgets the message before, so that no field is seen. */
    begin(): void {
        this.scan++;
        // Setting the length of an array takes longer than all else here.
        if (this.instances.length > 0) {
            this.instances.length = 0;
        }
        if (this.unknown.length > 0) {
            this.unknown.length = 0;
        }
        this.#elsewhere = 0;
    }

    #value(field: Field, depth: number): void {
        const bytes = this.#bytes;
        const start = this.#pos;
        field.scan = this.scan;
        field.bytes = bytes;
        field.start = start;
        if (field.isElsewhere) {
            field.order = this.#elsewhere++;
        }
        const char = start < this.#end ? (bytes[start] as number) : 0;
        if (char === MINUS || (char >= 0x30 && char <= 0x39)) {
            this.#number();
            field.type = NUMBER;
            this.#tellIfUnread(field);
        } else if (char === QUOTE) {
            field.type = this.#string() ? ESCAPED_TEXT : TEXT;
            this.#tellIfUnread(field);
            field.start = start + 1;
            field.end = this.#pos - 1;
            if (field.instances.length > 0) {
                this.instances.push(...field.instances);
            }
            if (field.unpack !== undefined) {
                this.#unpack(field, depth);
            }
            return;
        } else if (char === 0x7b) {
            field.type = OBJECT;
            this.instances.push(...field.instances);
            if (field.isNamed && (!field.isElsewhere || field.isWay)) {
                this.#object(field, depth + 1);
            } else {
                this.#skipObject(depth + 1, !field.isElsewhere);
            }
        } else if (char === 0x5b) {
            field.type = ARRAY;
            this.instances.push(...field.instances);
            if (field.isNamed && (field.isWay || !field.isRead)) {
                this.#array(field, depth + 1);
            } else {
                this.#skipArray(depth + 1, !field.isElsewhere);
            }
        } else {
            field.type = this.#word();
            if (field.type !== NULL) {
                this.#tellIfUnread(field);
            }
        }
        field.end = this.#pos;
        if (field.instances.length > 0 && field.type !== OBJECT && field.type !== ARRAY) {
            this.instances.push(...field.instances);
        }
    }

    /** Tells of a value that stands where the profile names inner fields alone. */
    #tellIfUnread(field: Field): void {
        if (!field.isRead && !field.isIgnored && !field.isQuiet && field.keys.length > 0) {
            this.unknown.push(field.path);
        }
    }

    #object(parent: Field, depth: number): void {
        this.#checkDepth(depth);
        this.#pos++;
        this.#skipSpace();
        if (this.#peek() === 0x7d) {
            this.#pos++;
            return;
        }
        let guess = parent.first;
        let before: Field | undefined;
        for (let count = 1; ; count++) {
            this.#checkCount(count);
            const field = this.#key(parent, guess);
            if (field.scan === this.scan) {
                throw this.#fault(`key "${shorten(field.path)}" stands twice`);
            }
            if (before === undefined) {
                parent.first = field;
            } else {
                before.next = field;
            }
            before = field;
            guess = field.next;
            this.#colon();
            if (field.isNamed) {
                this.#value(field, depth);
            } else {
                field.scan = this.scan;
                if (!field.isIgnored && !field.isQuiet) {
                    this.unknown.push(field.path);
                }
                this.#skip(depth, true);
            }
            if (this.#isLast(0x7d)) {
                return;
            }
            if (this.#peek() !== QUOTE) {
                throw this.#fault('a key in double quotes must stand here');
            }
        }
    }

    /** The field of the key at hand. Mostly it is the one that followed in the message before: then its bytes are compared and nothing is built. */
    #key(parent: Field, guess: Field | undefined): Field {
        const key = guess?.plainKey;
        if (guess !== undefined && key !== undefined) {
            const bytes = this.#bytes;
            const from = this.#pos + 1;
            const length = key.length;
            let same = 0;
            while (same < length && bytes[from + same] === key[same]) {
                same++;
            }
            if (same === length && bytes[from + length] === QUOTE && bytes[this.#pos] === QUOTE) {
                this.#pos = from + length + 1;
                return guess;
            }
        }
        const text = this.#keyText();
        return parent.children.get(text) ?? this.tree.learn(parent, text);
    }

    #keyText(): string {
        if (this.#peek() !== QUOTE) {
            throw this.#fault('a key in double quotes must stand here');
        }
        const start = this.#pos + 1;
        const isEscaped = this.#string();
        if (this.#pos - 1 - start > MAX_KEY_BYTES) {
            throw this.#fault(`a key has ${this.#pos - 1 - start} bytes, and no more than ${MAX_KEY_BYTES} are read`);
        }
        return decodeText(this.#bytes, start, this.#pos - 1, isEscaped);
    }

    #array(parent: Field, depth: number): void {
        this.#checkDepth(depth);
        this.#pos++;
        this.#skipSpace();
        if (this.#peek() === 0x5d) {
            this.#pos++;
            return;
        }
        for (let index = 0; ; index++) {
            this.#checkCount(index + 1);
            const key = String(index);
            const field = parent.children.get(key) ?? this.tree.learn(parent, key);
            if (field.isNamed) {
                this.#value(field, depth);
            } else {
                if (!field.isIgnored && !field.isQuiet) {
                    this.unknown.push(field.path);
                }
                this.#skip(depth, true);
            }
            if (this.#isLast(0x5d)) {
                return;
            }
        }
    }

    #skip(depth: number, isStrict: boolean): void {
        const char = this.#peek();
        if (char === QUOTE) {
            this.#string();
        } else if (char === 0x7b) {
            this.#skipObject(depth + 1, isStrict);
        } else if (char === 0x5b) {
            this.#skipArray(depth + 1, isStrict);
        } else if (char === MINUS || (char >= 0x30 && char <= 0x39)) {
            this.#number();
        } else {
            this.#word();
        }
    }

    #skipObject(depth: number, isStrict: boolean): void {
        this.#checkDepth(depth);
        this.#pos++;
        this.#skipSpace();
        if (this.#peek() === 0x7d) {
            this.#pos++;
            return;
        }
        const keys = isStrict ? new Set<string>() : undefined;
        for (let count = 1; ; count++) {
            this.#checkCount(count);
            const key = this.#keyText();
            if (keys?.has(key)) {
                throw this.#fault(`key "${shorten(key)}" stands twice`);
            }
            keys?.add(key);
            this.#colon();
            this.#skip(depth, isStrict);
            if (this.#isLast(0x7d)) {
                return;
            }
        }
    }

    #skipArray(depth: number, isStrict: boolean): void {
        this.#checkDepth(depth);
        this.#pos++;
        this.#skipSpace();
        if (this.#peek() === 0x5d) {
            this.#pos++;
            return;
        }
        for (;;) {
            this.#skip(depth, isStrict);
            if (this.#isLast(0x5d)) {
                return;
            }
        }
    }

    /** A payload within a text: its fields are those of the text's field. */
    #unpack(field: Field, depth: number): void {
        const outer = { bytes: this.#bytes, pos: this.#pos, end: this.#end };
        const text = decodeText(outer.bytes, field.start, field.end, field.type === ESCAPED_TEXT);
        const unpack = field.unpack;
        const inner = unpack === 'base64' ? decodeBase64(text) : unpack === 'form' ? formToJson(text) : new TextEncoder().encode(text);
        const place = field.keys.length === 0 ? 'the payload' : `"${field.path}"`;
        if (inner === undefined || !isUtf8(inner)) {
            const what = inner !== undefined ? 'UTF-8 text in its base64' : unpack === 'form' ? 'fields of a form' : 'base64';
            throw new UnreadableError(`${place} holds no ${what}`);
        }
        this.#bytes = inner;
        this.#pos = 0;
        this.#end = inner.length;
        this.#skipSpace();
        this.#checkDepth(depth + 1);
        // Only once: a text within the text stays a text.
        field.unpack = undefined;
        try {
            this.#value(field, depth + 1);
            this.#skipSpace();
            if (this.#pos < this.#end) {
                throw this.#fault('something stands behind the end of the value');
            }
        } catch (error) {
            throw error instanceof UnreadableError
                ? new UnreadableError(
                      unpack === 'form'
                          ? `${place} holds a form in which ${error.message}`
                          : `the text at ${place} is no JSON: ${error.message}`,
                      { cause: error },
                  )
                : error;
        } finally {
            field.unpack = unpack;
            this.#bytes = outer.bytes;
            this.#pos = outer.pos;
            this.#end = outer.end;
        }
    }

    /** Moves behind a string; true if it has escapes. */
    #string(): boolean {
        const bytes = this.#bytes;
        const end = this.#end;
        let pos = this.#pos + 1;
        let isEscaped = false;
        for (;;) {
            const char = pos < end ? (bytes[pos] as number) : 0;
            if (char === QUOTE) {
                this.#pos = pos + 1;
                return isEscaped;
            }
            if (char < 0x20) {
                this.#pos = pos;
                throw this.#fault(pos >= end ? 'a text has no end' : 'a text holds a control character, which must be escaped');
            }
            if (char === BACKSLASH) {
                isEscaped = true;
                this.#pos = pos;
                pos = this.#escape(pos);
            } else {
                pos++;
            }
        }
    }

    #escape(pos: number): number {
        const char = pos + 1 < this.#end ? (this.#bytes[pos + 1] as number) : 0;
        if (char !== 0x75) {
            if (!'"\\/bfnrt'.includes(String.fromCharCode(char)) || char === 0) {
                throw this.#fault('a text holds a backslash that escapes nothing');
            }
            return pos + 2;
        }
        const unit = this.#hex(pos + 2);
        if (unit >= 0xdc00 && unit <= 0xdfff) {
            throw this.#fault('a text holds half a character (a lone surrogate)');
        }
        if (unit < 0xd800 || unit > 0xdbff) {
            return pos + 6;
        }
        const isPair = this.#bytes[pos + 6] === BACKSLASH && this.#bytes[pos + 7] === 0x75;
        const low = isPair ? this.#hex(pos + 8) : 0;
        if (low < 0xdc00 || low > 0xdfff) {
            throw this.#fault('a text holds half a character (a lone surrogate)');
        }
        return pos + 12;
    }

    #hex(from: number): number {
        let value = 0;
        for (let i = from; i < from + 4; i++) {
            const char = i < this.#end ? (this.#bytes[i] as number) : 0;
            const lower = char | 0x20;
            const digit = char >= 0x30 && char <= 0x39 ? char - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
            if (digit < 0) {
                throw this.#fault('\\u needs four hexadecimal digits');
            }
            value = value * 16 + digit;
        }
        return value;
    }

    #number(): void {
        const bytes = this.#bytes;
        const end = this.#end;
        const start = this.#pos;
        let pos = start;
        if (bytes[pos] === MINUS) {
            pos++;
        }
        const first = pos;
        pos = this.#digits(pos);
        if (bytes[first] === 0x30 && pos > first + 1) {
            throw this.#fault('a number begins with a zero too many');
        }
        if (pos < end && bytes[pos] === 0x2e) {
            pos = this.#digits(pos + 1);
        }
        if (pos < end && ((bytes[pos] as number) | 0x20) === 0x65) {
            pos++;
            if (pos < end && (bytes[pos] === 0x2b || bytes[pos] === MINUS)) {
                pos++;
            }
            pos = this.#digits(pos);
        }
        if (pos - start > MAX_NUMBER_CHARACTERS) {
            throw this.#fault(`a number has ${pos - start} characters, and no more than ${MAX_NUMBER_CHARACTERS} are read`);
        }
        this.#pos = pos;
    }

    #digits(from: number): number {
        const bytes = this.#bytes;
        const end = this.#end;
        let pos = from;
        while (pos < end) {
            const char = bytes[pos] as number;
            if (char < 0x30 || char > 0x39) {
                break;
            }
            pos++;
        }
        if (pos === from) {
            throw this.#fault('a number lacks digits');
        }
        return pos;
    }

    #word(): number {
        const word = WORDS.find(({ text }) => {
            for (let i = 0; i < text.length; i++) {
                if (this.#bytes[this.#pos + i] !== text.charCodeAt(i) || this.#pos + i >= this.#end) {
                    return false;
                }
            }
            return true;
        });
        if (word === undefined) {
            throw this.#fault(this.#pos >= this.#end ? 'it ends too early' : 'no JSON value begins here');
        }
        this.#pos += word.text.length;
        return word.type;
    }

    #colon(): void {
        this.#skipSpace();
        if (this.#peek() !== COLON) {
            throw this.#fault('a colon must stand behind a key');
        }
        this.#pos++;
        this.#skipSpace();
    }

    /** True behind the last member; else moves to the next one. */
    #isLast(closing: number): boolean {
        this.#skipSpace();
        const char = this.#peek();
        if (char === closing) {
            this.#pos++;
            return true;
        }
        if (char !== COMMA) {
            throw this.#fault(`a comma or "${String.fromCharCode(closing)}" must stand here`);
        }
        this.#pos++;
        this.#skipSpace();
        return false;
    }

    #peek(): number {
        return this.#pos < this.#end ? (this.#bytes[this.#pos] as number) : 0;
    }

    #skipSpace(): void {
        const bytes = this.#bytes;
        const end = this.#end;
        let pos = this.#pos;
        while (pos < end) {
            const char = bytes[pos] as number;
            if (char > 0x20 || (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09)) {
                break;
            }
            pos++;
        }
        this.#pos = pos;
    }

    #checkDepth(depth: number): void {
        if (depth > MAX_DEPTH) {
            throw this.#fault(`it is nested more than ${MAX_DEPTH} levels deep`);
        }
    }

    #checkCount(count: number): void {
        if (count > MAX_KEYS) {
            throw this.#fault(`an object or a list holds more than ${MAX_KEYS} values`);
        }
    }

    #fault(what: string): UnreadableError {
        return new UnreadableError(`${what} (byte ${this.#pos + 1})`);
    }
}

const WORDS = [
    { text: 'null', type: NULL },
    { text: 'true', type: TRUE },
    { text: 'false', type: FALSE },
];

/** Groups of four characters, of either alphabet; what fills the last one may be left out. */
const BASE64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}(?:==)?|[A-Za-z0-9+/_-]{3}=?)?$/;

/** The bytes of a base64 text, undefined where it is none: a character is missing, or one too many. */
export function decodeBase64(text: string): Uint8Array | undefined {
    return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** The fields of a form (application/x-www-form-urlencoded) as a JSON object of texts; undefined where an escape in them means no character. */
function formToJson(text: string): Uint8Array | undefined {
    try {
        const members = text
            .split('&')
            .filter((pair) => pair !== '')
            .map((pair) => {
                const [name = '', ...value] = pair.replaceAll('+', ' ').split('=');
                return `${JSON.stringify(decodeURIComponent(name))}:${JSON.stringify(decodeURIComponent(value.join('=')))}`;
            });
        return new TextEncoder().encode(`{${members.join()}}`);
    } catch (error) {
        if (error instanceof URIError) {
            return undefined;
        }
        throw error;
    }
}

/** A text short enough for a message to people. */
export function shorten(text: string): string {
    return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

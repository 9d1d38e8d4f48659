/** JSON as a tree that keeps the text of each number and where each value stands. A plain parser, character by character: RFC 8259 and the limits of docs/profiles.md. */

export type Tree = { at: Span } & (
    | { type: 'number'; text: string }
    | { type: 'text'; text: string }
    | { type: 'yes/no'; value: boolean }
    | { type: 'null' }
    | { type: 'list'; items: readonly Tree[] }
    /** `fault` says why the object itself cannot be used, though it ends where it should. */
    | { type: 'object'; members: ReadonlyMap<string, Tree>; fault?: string }
);

/** Place of a value: `source.slice(start, end)`. */
export interface Span {
    source: string;
    start: number;
    end: number;
}

export type JsonObject = Extract<Tree, { type: 'object' }>;

/** The text is no JSON that a profile reads. */
export class NoJsonError extends Error {
    override name = 'NoJsonError';
}

const MAX_DEPTH = 64;
const MAX_KEYS = 10_000;
const MAX_KEY_BYTES = 1024;
const MAX_NUMBER_LENGTH = 100;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const BLANKS = /[ \t\n\r]*/y;
const HALF_CHARACTER = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

const ESCAPES: Readonly<Record<string, string>> = {
    '"': '"',
    '\\': '\\',
    '/': '/',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
};

/** A text that does not stand in the payload, as what is made of one. */
export function textTree(text: string): Tree {
    return { type: 'text', text, at: { source: text, start: 0, end: text.length } };
}

/** The value that JSON of a profile has. */
export function treeOf(value: unknown): Tree {
    return parseJson(JSON.stringify(value));
}

/** @throws NoJsonError */
export function parseJson(source: string): Tree {
    const parser = new Parser(source);
    const tree = parser.value(0);
    parser.end();
    return tree;
}

class Parser {
    readonly #source: string;
    #at = 0;

    constructor(source: string) {
        this.#source = source;
    }

    value(depth: number): Tree {
        this.#skip(BLANKS);
        const source = this.#source;
        const start = this.#at;
        const span = (): Span => ({ source, start, end: this.#at });
        const next = source[start];
        if (next === '{' || next === '[') {
            if (depth === MAX_DEPTH) {
                throw new NoJsonError('more than 64 levels');
            }
            this.#at += 1;
            return next === '{' ? { ...this.#members(depth + 1), at: span() } : { type: 'list', items: this.#items(depth + 1), at: span() };
        }
        if (next === '"') {
            return { type: 'text', text: this.#text(), at: span() };
        }
        for (const [word, value] of [['true', true] as const, ['false', false] as const]) {
            if (source.startsWith(word, start)) {
                this.#at += word.length;
                return { type: 'yes/no', value, at: span() };
            }
        }
        if (source.startsWith('null', start)) {
            this.#at += 'null'.length;
            return { type: 'null', at: span() };
        }
        const text = this.#skip(NUMBER);
        if (text === '' || text.length > MAX_NUMBER_LENGTH) {
            throw new NoJsonError(`no value at ${start}`);
        }
        return { type: 'number', text, at: span() };
    }

    /** Lets nothing but blanks stand behind the value. */
    end(): void {
        this.#skip(BLANKS);
        if (this.#at < this.#source.length) {
            throw new NoJsonError(`something behind the end, at ${this.#at}`);
        }
    }

    #members(depth: number): Omit<JsonObject, 'at'> {
        const members = new Map<string, Tree>();
        let fault: string | undefined;
        while (this.#hasMore('}', members.size === 0)) {
            if (this.#source[this.#at] !== '"') {
                throw new NoJsonError(`no key at ${this.#at}`);
            }
            const key = this.#text();
            this.#skip(BLANKS);
            this.#take(':');
            const value = this.value(depth);
            if (members.has(key)) {
                fault ??= 'a key twice';
            }
            if (members.size === MAX_KEYS || Buffer.byteLength(key) > MAX_KEY_BYTES) {
                throw new NoJsonError('too many keys, or too long a key');
            }
            members.set(key, value);
        }
        return fault === undefined ? { type: 'object', members } : { type: 'object', members, fault };
    }

    #items(depth: number): Tree[] {
        const items: Tree[] = [];
        while (this.#hasMore(']', items.length === 0)) {
            items.push(this.value(depth));
        }
        return items;
    }

    /** True if one more value follows, and steps to it; false at the end, and steps behind it. */
    #hasMore(end: string, isFirst: boolean): boolean {
        this.#skip(BLANKS);
        if (this.#source[this.#at] === end) {
            this.#at += 1;
            return false;
        }
        if (!isFirst) {
            this.#take(',');
            this.#skip(BLANKS);
            if (this.#source[this.#at] === end) {
                throw new NoJsonError(`a comma before the end, at ${this.#at}`);
            }
        }
        return true;
    }

    #text(): string {
        let text = '';
        this.#at += 1;
        for (;;) {
            const character = this.#source[this.#at];
            if (character === undefined || character < ' ') {
                throw new NoJsonError(`a text that does not end, or holds a control character, at ${this.#at}`);
            }
            this.#at += 1;
            if (character === '"') {
                break;
            }
            text += character === '\\' ? this.#escaped() : character;
        }
        if (HALF_CHARACTER.test(text)) {
            throw new NoJsonError('half a character');
        }
        return text;
    }

    #escaped(): string {
        const letter = this.#source[this.#at] ?? '';
        this.#at += 1;
        if (letter === 'u') {
            const hex = this.#source.slice(this.#at, this.#at + 4);
            if (!/^[\da-fA-F]{4}$/.test(hex)) {
                throw new NoJsonError(`no \\u escape at ${this.#at}`);
            }
            this.#at += hex.length;
            return String.fromCharCode(Number.parseInt(hex, 16));
        }
        const meant = ESCAPES[letter];
        if (meant === undefined) {
            throw new NoJsonError(`no escape at ${this.#at}`);
        }
        return meant;
    }

    #take(character: string): void {
        if (this.#source[this.#at] !== character) {
            throw new NoJsonError(`no ${character} at ${this.#at}`);
        }
        this.#at += 1;
    }

    #skip(pattern: RegExp): string {
        pattern.lastIndex = this.#at;
        const [found = ''] = pattern.exec(this.#source) ?? [];
        this.#at += found.length;
        return found;
    }
}

/** The first fault of the value, or of what is in it, where `isLeftOut` does not leave that out. */
export function faultIn(tree: Tree, isLeftOut: (part: Tree) => boolean = () => false): string | undefined {
    if (tree.type === 'list') {
        return firstFault(tree.items, isLeftOut);
    }
    return tree.type === 'object' ? (tree.fault ?? firstFault([...tree.members.values()], isLeftOut)) : undefined;
}

function firstFault(parts: readonly Tree[], isLeftOut: (part: Tree) => boolean): string | undefined {
    for (const part of parts) {
        const fault = isLeftOut(part) ? undefined : faultIn(part, isLeftOut);
        if (fault !== undefined) {
            return fault;
        }
    }
    return undefined;
}

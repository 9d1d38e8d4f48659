/** Finds a value in a message, and what conditions say of it: docs/profiles.md, "Sources" and "Conditions". */
import { type Condition, listed, type Path, type Reason, type Some, type Source } from './document.ts';
import { compared, fractionOf, whole, wholeIn } from './fractions.ts';
import { type Tree, textTree, treeOf } from './json-tree.ts';
import { filled, keysOf, type Names, topicCaptures } from './patterns.ts';

type Bytes = NonNullable<Source['bytes']>;

/** A message as it came. */
export interface Message {
    payload: Uint8Array;
    /** Arrival, UTC epoch milliseconds; undefined where the file does not say. */
    arrivedMs: number | undefined;
    topic?: string | undefined;
    /** Device as it was authenticated. */
    device?: string | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    key?: string | undefined;
    isRetained?: boolean | undefined;
}

/** What sources look at. Without trees they see what needs nothing of the payload. */
export interface View {
    message: Message;
    /** The payload, and the message in it: the same where `each` cuts nothing. */
    root: Tree | undefined;
    element: Tree | undefined;
    names: Names;
}

/** The value at the keys; undefined where there is none. */
export function valueAt(tree: Tree | undefined, keys: readonly string[]): Tree | undefined {
    let found = tree;
    for (const key of keys) {
        if (found?.type === 'object') {
            found = found.members.get(key);
        } else if (found?.type === 'list' && /^(0|[1-9]\d*)$/.test(key)) {
            found = found.items[Number(key)];
        } else {
            return undefined;
        }
    }
    return found;
}

/** A value as a text: a number, or yes and no, as it was sent. Objects and lists have none. */
export function textOf(value: Tree | undefined): string | undefined {
    if (value === undefined || value.type === 'null' || value.type === 'object' || value.type === 'list') {
        return undefined;
    }
    const { source, start, end } = value.at;
    return value.type === 'text' ? value.text : source.slice(start, end);
}

/** The first of the sources that is there and not null; null where nothing but that is there, undefined where nothing is. */
export function choose(sources: Some<Source>, view: View): { value: Tree; source: Source } | undefined {
    let nothing: { value: Tree; source: Source } | undefined;
    for (const source of listed(sources)) {
        const value = take(source, view);
        if (value && value.type !== 'null') {
            return { value, source };
        }
        nothing ??= value && { value, source };
    }
    return nothing;
}

/** The value of one source. */
export function take(source: Source, view: View): Tree | undefined {
    if (source.only !== undefined && !holdAll(source.only, view)) {
        return undefined;
    }
    const value = changed(source, base(source, view));
    return value === undefined && source.absent !== undefined ? treeOf(source.absent) : value;
}

function base({ path, header, from, text, outer }: Source, view: View): Tree | undefined {
    const { message, names } = view;
    const said = (value: string | undefined): Tree | undefined => (value === undefined ? undefined : textTree(value));
    if (path !== undefined) {
        const keys = filledKeys(path, names);
        return keys && valueAt(outer ? view.root : view.element, keys);
    }
    if (header !== undefined) {
        const name = header.toLowerCase();
        return said(message.headers && Object.hasOwn(message.headers, name) ? message.headers[name] : undefined);
    }
    switch (from) {
        case 'topic':
            return said(message.topic);
        case 'certificate':
            return said(message.device);
        case 'key':
            return said(message.key);
        case 'payload':
            return view.root && said(Buffer.from(message.payload).toString());
        default:
            return said(text === undefined ? undefined : filled(text, names));
    }
}

/** The keys of a path with what its names stand for; undefined where one is absent. */
function filledKeys(path: Path, names: Names): readonly string[] | undefined {
    const keys = keysOf(path).map((key) => (key.includes('{') ? filled(key, names) : key));
    return keys.every((key) => key !== undefined) ? keys : undefined;
}

function changed(source: Source, value: Tree | undefined): Tree | undefined {
    const { split, part = 1, extract, beforeLast, upToLast, afterLast, bytes, map } = source;
    let found = value;
    const change = (turn: (text: string) => string | undefined): void => {
        const text = textOf(found);
        const turned = text === undefined ? undefined : turn(text);
        found = turned === undefined ? undefined : textTree(turned);
    };
    if (found?.type === 'null') {
        return found;
    }
    if (split !== undefined) {
        change((text) => text.split(split)[part - 1]?.trim());
    }
    if (extract !== undefined) {
        change((text) => extracted(text, extract));
    }
    const cut = (mark: string | undefined, turn: (text: string, at: number, mark: string) => string): void => {
        if (mark !== undefined) {
            change((text) => (text.includes(mark) ? turn(text, text.lastIndexOf(mark), mark) : undefined));
        }
    };
    cut(beforeLast, (text, at) => text.slice(0, at));
    cut(upToLast, (text, at, mark) => text.slice(0, at + mark.length));
    cut(afterLast, (text, at, mark) => text.slice(at + mark.length));
    if (bytes && found) {
        found = numberInBytes(found, bytes);
    }
    if (found?.type === 'object' || found?.type === 'list') {
        // Neither of them has a text: no map knows it, and no case changes it.
        return source.case === undefined || found === NO_DATA ? found : undefined;
    }
    if (source.case !== undefined) {
        change((text) => (source.case === 'lower' ? text.toLowerCase() : text.toUpperCase()));
    }
    const key = map && textOf(found);
    return map && key !== undefined && Object.hasOwn(map, key) ? treeOf(map[key]) : found;
}

/** What stands at `{}` of the pattern, where `*` is anything; the first of both takes as much as fits. Goes from the end to the beginning. */
function extracted(text: string, pattern: string): string | undefined {
    const pieces = pattern.split(/(\*|\{\})/);
    let taken: string | undefined;
    /** Begin of what was found so far, and how far before that a literal must end. */
    let begin = text.length;
    let least = 0;
    let wild: string | undefined;
    for (;;) {
        const literal = pieces.pop() ?? '';
        const limit = begin - least;
        const start = pieces.length === 0 ? 0 : wild === undefined ? limit - literal.length : lastPlace(text, literal, limit);
        if (start < 0 || start + literal.length > limit || !text.startsWith(literal, start)) {
            return undefined;
        }
        if (wild === '{}') {
            taken = text.slice(start + literal.length, begin);
        }
        wild = pieces.pop();
        if (wild === undefined) {
            return taken;
        }
        begin = start;
        least = wild === '{}' ? 1 : 0;
    }
}

/** The last place of the part that ends at `end` or before; below zero where there is none. */
function lastPlace(text: string, part: string, end: number): number {
    return end < part.length ? -1 : text.lastIndexOf(part, end - part.length);
}

/** In the place of data that is no such data. */
const NO_DATA: Tree = { type: 'object', members: new Map(), at: { source: '', start: 0, end: 0 } };

/** The number in the data; undefined where that ends before it, `NO_DATA` where it is none. */
function numberInBytes(value: Tree, { at = 0, length, as, little = false, swap = false, bits, encoding }: Bytes): Tree | undefined {
    const all = dataOf(value, { encoding, length });
    if (all === undefined) {
        return NO_DATA;
    }
    const start = at < 0 ? all.length + at : at;
    if (start < 0 || start + length > all.length) {
        return undefined;
    }
    let ordered = Buffer.from(all.subarray(start, start + length));
    if (swap) {
        const words = Array.from({ length: length / 2 }, (_, word) => ordered.subarray(2 * word, 2 * word + 2));
        ordered = Buffer.concat(words.reverse());
    }
    if (little) {
        ordered.reverse();
    }
    if (as === 'float') {
        const isSingle = length === 4;
        return floatTree(isSingle ? ordered.readFloatBE() : ordered.readDoubleBE(), isSingle);
    }
    let number = BigInt(`0x${ordered.toString('hex')}`);
    let width = length * 8;
    if (bits) {
        const [first, count] = bits;
        width = count;
        number = (number >> BigInt(first)) & ((1n << BigInt(count)) - 1n);
    }
    return numberTree(String(as === 'signed' ? BigInt.asIntN(width, number) : number));
}

function dataOf(value: Tree, { encoding, length }: Pick<Bytes, 'encoding' | 'length'>): Buffer | undefined {
    if (encoding === 'registers' && value.type === 'list') {
        return joined(value.items.map((item) => bytesOfNumber(item, 2)));
    }
    const text = textOf(value)?.trim();
    if (text === undefined) {
        return undefined;
    }
    switch (encoding) {
        case 'hex': {
            const digits = text.replace(/^0[xX]/, '');
            return /^([\da-fA-F]{2} *)*$/.test(digits) ? Buffer.from(digits.replaceAll(' ', ''), 'hex') : undefined;
        }
        case 'base64':
            return isBase64(text) ? Buffer.from(text, 'base64') : undefined;
        case 'number':
            return bytesOfNumber(value, length);
        case 'registers':
            return joined((text === '' ? [] : text.split(/[\s,]+/)).map((number) => bytesOfNumber(textTree(number), 2)));
    }
}

function joined(parts: readonly (Buffer | undefined)[]): Buffer | undefined {
    return parts.every((part) => part !== undefined) ? Buffer.concat(parts) : undefined;
}

/** The bytes of a whole number, below zero as its two's complement; undefined where these are too few for it. */
function bytesOfNumber(value: Tree, length: number): Buffer | undefined {
    const number = value.type === 'number' || value.type === 'text' ? fractionOf(value.text.trim()) : undefined;
    const all = number && wholeIn(number);
    const size = 1n << BigInt(8 * length);
    if (all === undefined || all >= size || all < -size / 2n) {
        return undefined;
    }
    const digits = (all < 0n ? all + size : all).toString(16);
    return Buffer.from(digits.padStart(2 * length, '0'), 'hex');
}

/** The shortest text that means the float. */
function floatTree(value: number, isSingle: boolean): Tree {
    if (!Number.isFinite(value)) {
        return textTree(String(value));
    }
    for (let digits = 1; isSingle && digits < 17; digits += 1) {
        const text = value.toPrecision(digits);
        if (Math.fround(Number(text)) === value) {
            return numberTree(text);
        }
    }
    return numberTree(String(value));
}

function numberTree(text: string): Tree {
    return { type: 'number', text, at: { source: text, start: 0, end: text.length } };
}

/** Groups of four characters of the alphabet or of that of URLs; the last one may be shorter, with or without its filling. */
export function isBase64(text: string): boolean {
    const bare = text.replace(/={1,2}$/, '');
    return /^[\w+/-]*$/.test(bare) && bare.length % 4 !== 1 && (bare.length === text.length || text.length % 4 === 0);
}

/** True if all of the conditions hold. */
export function holdAll(conditions: Some<Condition>, view: View): boolean {
    return listed(conditions).every((condition) => holds(condition, view));
}

/** True if the reason's conditions hold. */
export function isReason(reason: Reason, view: View): boolean {
    return reason.when ? holdAll(reason.when, view) : holds(reason, view);
}

function holds(condition: Condition, view: View): boolean {
    const { topic, retained, is, isNot, present, type, above, below, like } = condition;
    const { message, names } = view;
    // A name that is known stands for its text, any other for whatever is there.
    const fits = (pattern: string, text: string | undefined): boolean => {
        const captures = text === undefined ? undefined : topicCaptures(pattern, text);
        return captures !== undefined && [...captures].every(([name, found]) => (names(name) ?? found) === found);
    };
    if (topic !== undefined && !fits(topic, message.topic)) {
        return false;
    }
    if (retained !== undefined && retained !== (message.isRetained === true)) {
        return false;
    }
    if (!hasSource(condition)) {
        return true;
    }
    const value = take(condition, view);
    const isThere = value !== undefined && value.type !== 'null';
    const isOneOf = (some: Condition['is']): boolean => value !== undefined && listed(some).some((one) => isEqual(value, one));
    const isBeyond = (bound: number | string | undefined, side: number): boolean => {
        const number = value?.type === 'number' || value?.type === 'text' ? fractionOf(value.text) : undefined;
        return (
            bound === undefined || (number !== undefined && Math.sign(compared(number, fractionOf(String(bound)) ?? whole(0n))) === side)
        );
    };
    return (
        (is === undefined || isOneOf(is)) &&
        (isNot === undefined || !isOneOf(isNot)) &&
        (present === undefined || present === isThere) &&
        (type === undefined || value?.type === type) &&
        isBeyond(above, 1) &&
        isBeyond(below, -1) &&
        (like === undefined || fits(like, textOf(value)))
    );
}

function hasSource({ path, header, from, text }: Source): boolean {
    return path !== undefined || header !== undefined || from !== undefined || text !== undefined;
}

function isEqual(value: Tree, one: string | number | boolean | null): boolean {
    if (one === null) {
        return value.type === 'null';
    }
    switch (value.type) {
        case 'number':
            return typeof one === 'number' && isSameNumber(value.text, String(one));
        case 'text':
            return typeof one === 'number' ? isSameNumber(value.text, String(one)) : value.text === one;
        case 'yes/no':
            return value.value === one;
        default:
            return false;
    }
}

/** True if both texts are numbers and mean the same. */
export function isSameNumber(one: string, other: string): boolean {
    const [first, second] = [fractionOf(one), fractionOf(other)];
    return first !== undefined && second !== undefined && compared(first, second) === 0;
}

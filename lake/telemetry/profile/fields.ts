/**
 * The fields of a payload that a profile names, as a tree of keys. Patterns of keys (`temperature:{n}`) become plain keys as soon as a
 * message shows such a key: so a device's second message is looked up in a tree that has all of its keys already.
 */
import { type Segment, showPath } from './paths.ts';

/** What stands at a field, as the JSON scanner found it. */
const ABSENT = 0;
export const NULL = 1;
export const FALSE = 2;
export const TRUE = 3;
export const NUMBER = 4;
export const TEXT = 5;
/** A text with escapes: its bytes are not its characters. */
export const ESCAPED_TEXT = 6;
export const OBJECT = 7;
export const ARRAY = 8;

/** What happens when a payload turns out to have a field: told once, with what the patterns on its way captured. */
type OnFound = (field: Field, captured: ReadonlyMap<string, string>) => void;

interface Wanted {
    segments: readonly Segment[];
    /** Which segment is next. */
    index: number;
    captured: ReadonlyMap<string, string>;
    /** What is to be done with a field; undefined where it is one to leave alone. */
    onFound: OnFound | undefined;
}

/** A place in a payload: where its value stood in the message that was scanned last, if it stood there. */
export class Field {
    /** Keys from the payload's root on. */
    readonly keys: readonly string[];
    /** Path for people. */
    readonly path: string;
    /** The key as it stands in the payload when nothing in it is escaped; undefined where it always is. */
    readonly plainKey: Uint8Array | undefined;
    readonly children = new Map<string, Field>();
    /** The child that came first in the message before, and which one followed this one: devices send their keys in one order. */
    first: Field | undefined;
    next: Field | undefined;
    /** The scan in which the field was seen last; `type`, `bytes`, `start` and `end` are of that scan. */
    scan = 0;
    type = ABSENT;
    bytes: Uint8Array = NO_BYTES;
    start = 0;
    end = 0;
    /** True if somebody reads the value, or an inner field of it. */
    isNamed = false;
    /** True if somebody reads the value itself. */
    isRead = false;
    /** True if the profile names inner fields of the value. */
    isWay = false;
    /** True if the profile names the field itself, not by a pattern: no pattern takes its value. */
    isExact = false;
    /** True for fields that the profile knows and does not want. */
    isIgnored = false;
    /** True within what is read elsewhere: who reads it there tells what is unknown. */
    isQuiet = false;
    /** True where the value's inner fields are read by somebody else, element by element; `order` is its place among such values of the scan. */
    isElsewhere = false;
    order = 0;
    /** The text of this field holds a payload of its own. */
    unpack: 'json' | 'base64' | 'form' | undefined;
    /** Metrics whose pattern fits this field: their numbers are told by each scan that sees it. */
    readonly instances: number[] = [];
    /** The scan in which a metric took the value: a value is read by one pattern only. */
    taken = 0;
    readonly wanted: Wanted[] = [];

    constructor(keys: readonly string[]) {
        this.keys = keys;
        this.path = showPath(keys);
        const key = keys.at(-1) ?? '';
        // biome-ignore lint/suspicious/noControlCharactersInRegex: those characters stand in JSON as escapes only.
        this.plainKey = /["\\\u0000-\u001f]/.test(key) ? undefined : new TextEncoder().encode(key);
    }
}

const NO_BYTES = new Uint8Array(0);

/** How many different keys a tree learns before it is built anew: a bound on memory, not on messages. */
export const MAX_FIELDS = 10_000;

/** A tree of fields. */
export class FieldTree {
    readonly root = new Field([]);
    /** Paths of the fields that were asked for by their keys. */
    readonly paths = new Set<string>();
    /** How many fields there are. */
    size = 1;
    /** True once a new field was asked for while a message was scanned: it may stand before the place where it was asked for. */
    hasLearned = false;
    /** True while the profile is made into functions: what is named now, it names itself. */
    isCompiling = true;

    constructor() {
        // What nobody names in it is told, also where nobody names anything.
        this.root.isNamed = true;
    }

    /** The field at literal keys. */
    at(keys: readonly string[]): Field {
        let field = this.root;
        for (const key of keys) {
            field.isNamed = true;
            field.isWay = true;
            field = this.#child(field, key);
        }
        field.isNamed = true;
        field.isRead = true;
        field.isExact ||= this.isCompiling;
        this.paths.add(field.path);
        return field;
    }

    /** Tells each field that fits a path, now and whenever a message shows another one. */
    want(segments: readonly Segment[], onFound: OnFound): void {
        this.#want(this.root, { segments, index: 0, captured: new Map(), onFound });
    }

    /** Leaves the fields that fit a path alone, without a word. */
    ignore(segments: readonly Segment[]): void {
        this.#want(this.root, { segments, index: 0, captured: new Map(), onFound: undefined });
    }

    /** The field of a key that was not met before, with all that patterns want of it. */
    learn(parent: Field, key: string): Field {
        return this.#child(parent, key);
    }

    #child(parent: Field, key: string): Field {
        const known = parent.children.get(key);
        if (known !== undefined) {
            return known;
        }
        const child = new Field([...parent.keys, key]);
        child.isIgnored = parent.isIgnored;
        child.isQuiet = parent.isQuiet || parent.isElsewhere;
        parent.children.set(key, child);
        this.size++;
        for (const wanted of parent.wanted) {
            this.#try(child, key, wanted);
        }
        return child;
    }

    #want(field: Field, wanted: Wanted): void {
        const segment = wanted.segments[wanted.index];
        if (segment === undefined) {
            if (wanted.onFound === undefined) {
                ignoreAll(field);
                return;
            }
            field.isNamed = true;
            field.isRead = true;
            this.hasLearned = true;
            wanted.onFound(field, wanted.captured);
            return;
        }
        field.isNamed = true;
        field.isWay = true;
        if (segment.literal !== undefined) {
            this.#want(this.#child(field, segment.literal), { ...wanted, index: wanted.index + 1 });
            return;
        }
        field.wanted.push(wanted);
        for (const [key, child] of field.children) {
            this.#try(child, key, wanted);
        }
    }

    #try(child: Field, key: string, wanted: Wanted): void {
        const segment = wanted.segments[wanted.index];
        const match = segment?.expression?.exec(key);
        if (segment === undefined || match === null || match === undefined) {
            return;
        }
        const captured = new Map(wanted.captured);
        for (const [name, text] of Object.entries(match.groups ?? {})) {
            if ((captured.get(name) ?? text) !== text) {
                return;
            }
            captured.set(name, text);
        }
        this.#want(child, { ...wanted, index: wanted.index + 1, captured });
    }
}

/** Says that the inner fields of a value are read elsewhere, and told there. */
export function readElsewhere(field: Field): void {
    field.isElsewhere = true;
    field.children.forEach(quietAll);
}

function quietAll(field: Field): void {
    field.isQuiet = true;
    field.children.forEach(quietAll);
}

function ignoreAll(field: Field): void {
    field.isIgnored = true;
    for (const child of field.children.values()) {
        ignoreAll(child);
    }
}

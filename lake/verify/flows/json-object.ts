/** Takes a JSON object out of a text, to the letter of RFC 8259: with its members as they are written. */

export interface Member {
    /** The member's name, escapes read, with `~0` for `~` and `~1` for `/`; that of a member of the members `flow` and `id` is behind `flow/` or `id/`. */
    path: string;
    /** The value as it is written. */
    raw: string;
}

/** The object that begins at a place; `open` where it has not ended yet, `broken` where it is none. */
export type Walked = { members: Member[]; end: number } | 'open' | 'broken';

/** The members whose own members count too. */
const INNER: readonly string[] = ['flow', 'id'];

// Each character fits one place only: a string that does not end is given up at once.
const PLAIN = '[^"\\\\\\x00-\\x1f]*';
const STRING = `"${PLAIN}(?:\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})${PLAIN})*"`;
const TOKEN = `([{}[\\],:])|(${STRING})|(-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)`;
const ON_ONE_LINE = new RegExp(`[ \\t\\r]*(?:${TOKEN})`, 'y');
const ON_MANY_LINES = new RegExp(`[ \\t\\r\\n]*(?:${TOKEN})`, 'y');

interface Container {
    isObject: boolean;
    /** What its members' paths begin with; undefined where they do not count. */
    prefix: string | undefined;
    /** Path and beginning of the member at hand. */
    path: string | undefined;
    start: number;
}

type Wanted = 'name' | 'name or end' | 'colon' | 'value' | 'value or end' | 'comma or end';

/** @param isSpread true if a line end within the object is a blank. The text must end with a line end. */
export function walkObject(text: string, start: number, { isSpread }: { isSpread: boolean }): Walked {
    const token = isSpread ? ON_MANY_LINES : ON_ONE_LINE;
    const members: Member[] = [];
    const containers: Container[] = [{ isObject: true, prefix: '', path: undefined, start }];
    let wanted: Wanted = 'name or end';
    token.lastIndex = start + 1;
    for (;;) {
        const from = token.lastIndex;
        const match = token.exec(text);
        const inner = containers.at(-1);
        if (!match || !inner) {
            return isSpread && /^[ \t\r\n]*$/.test(text.slice(from)) ? 'open' : 'broken';
        }
        const [, mark, string, scalar] = match;
        const end = token.lastIndex;
        const written = mark ?? string ?? scalar ?? '';
        const isEnd: boolean = mark === (inner.isObject ? '}' : ']') && wanted.endsWith('or end');
        if (isEnd) {
            containers.pop();
            const outer = containers.at(-1);
            if (!outer) {
                return { members, end };
            }
            addMember(members, outer, text.slice(outer.start, end));
            wanted = 'comma or end';
        } else if (wanted.startsWith('name') && string !== undefined) {
            inner.path = inner.prefix === undefined ? undefined : inner.prefix + nameOf(string).replaceAll('~', '~0').replaceAll('/', '~1');
            wanted = 'colon';
        } else if (wanted === 'colon' && mark === ':') {
            wanted = 'value';
        } else if (wanted === 'comma or end' && mark === ',') {
            wanted = inner.isObject ? 'name' : 'value';
        } else if (wanted.startsWith('value') && (mark === '{' || mark === '[')) {
            inner.start = end - 1;
            const isInner = mark === '{' && containers.length === 1 && INNER.includes(inner.path ?? '');
            containers.push({ isObject: mark === '{', prefix: isInner ? `${inner.path}/` : undefined, path: undefined, start: end });
            wanted = mark === '{' ? 'name or end' : 'value or end';
        } else if (wanted.startsWith('value') && mark === undefined) {
            addMember(members, inner, written);
            wanted = 'comma or end';
        } else {
            return 'broken';
        }
    }
}

function addMember(members: Member[], { path }: Container, raw: string): void {
    if (path !== undefined) {
        members.push({ path, raw });
    }
}

function nameOf(string: string): string {
    return string.includes('\\') ? String(JSON.parse(string)) : string.slice(1, -1);
}

/** The text of a value, in quotes or not; undefined for null. */
export function textOfValue(raw: string): string | undefined {
    return raw.startsWith('"') ? nameOf(raw) : raw === 'null' ? undefined : raw;
}

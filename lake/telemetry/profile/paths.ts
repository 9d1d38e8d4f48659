/** Patterns of keys and of topics: `params.temperature:{n}.tC`, `owntracks/{user}/{phone}`, `N/+/+/+/{metric#}`. */

/** One key of a path, or a pattern of keys. */
export interface Segment {
    /** The key itself; undefined where any key that fits `expression` is meant. */
    literal: string | undefined;
    /** What a key must be, with what is captured as named groups; undefined for a literal. */
    expression: RegExp | undefined;
    /** Names of what is captured. */
    captures: readonly string[];
    /** True for `[]`: each element of an array. */
    isEveryElement: boolean;
}

const NAME = '[A-Za-z][A-Za-z0-9_]*';
const NAME_IN_TEXT = new RegExp(`\\{(${NAME})(?::[a-z]+)?\\}`, 'g');
const PLACEHOLDER = new RegExp(`\\{(${NAME})\\}|\\*`, 'g');

/** The keys of a path. A text is cut at its dots; where keys hold dots themselves, a list says one key each. */
export function parsePath(path: string | readonly string[]): Segment[] {
    if (typeof path !== 'string') {
        return path.map(parseSegment);
    }
    if (path === '') {
        return [];
    }
    return path.split('.').flatMap((text) => {
        const isEvery = text.endsWith('[]');
        const key = isEvery ? text.slice(0, -2) : text;
        return [...(key === '' && isEvery ? [] : [parseSegment(key)]), ...(isEvery ? [EVERY_ELEMENT] : [])];
    });
}

const EVERY_ELEMENT: Segment = { literal: undefined, expression: undefined, captures: [], isEveryElement: true };

function parseSegment(text: string): Segment {
    const captures: string[] = [];
    let source = '';
    let from = 0;
    let isLiteral = true;
    for (const match of text.matchAll(PLACEHOLDER)) {
        isLiteral = false;
        source += escapeExpression(text.slice(from, match.index));
        from = match.index + match[0].length;
        const name = match[1];
        source += name === undefined ? '.*' : captures.includes(name) ? `\\k<${name}>` : `(?<${name}>.*)`;
        if (name !== undefined && !captures.includes(name)) {
            captures.push(name);
        }
    }
    if (isLiteral) {
        return { literal: text, expression: undefined, captures, isEveryElement: false };
    }
    return {
        literal: undefined,
        expression: new RegExp(`^${source}${escapeExpression(text.slice(from))}$`, 's'),
        captures,
        isEveryElement: false,
    };
}

/** The names that a path captures. */
export function capturesOf(path: readonly Segment[]): string[] {
    return path.flatMap((segment) => segment.captures);
}

/** A path in which what is already known stands in its place, so that `devicepower:{n}` becomes `devicepower:0`. */
export function fillPath(path: string | readonly string[], known: ReadonlyMap<string, string>): string[] {
    const keys = typeof path === 'string' ? (path === '' ? [] : path.split('.')) : path;
    return keys.map((key) =>
        key.replace(PLACEHOLDER, (all, name: string | undefined) => (name === undefined ? all : (known.get(name) ?? all))),
    );
}

/** The names between braces in a text. */
export function namesIn(text: string): string[] {
    return text.includes('{') ? [...text.matchAll(NAME_IN_TEXT)].map((match) => match[1] ?? '') : [];
}

/** How a path is written for people: dots between keys, a key with dots in quotes. */
export function showPath(keys: readonly string[]): string {
    return keys.map((key) => (key.includes('.') || key === '' ? JSON.stringify(key) : key)).join('.');
}

/** Longer topics fit no pattern: brokers of the field allow 256 bytes, and an expression may take long over an endless text. */
const MAX_TOPIC_CHARACTERS = 1024;

/** A pattern of topics or routes: what it captures from one, undefined where the topic does not fit. */
export interface TopicPattern {
    text: string;
    captures: readonly string[];
    match(topic: string): Readonly<Record<string, string>> | undefined;
}

/** The pattern that a text says: `+` is any level, `#` all levels from here on, `{name}` and `{name#}` the same with a name. */
export function parseTopicPattern(text: string): TopicPattern {
    const captures: string[] = [];
    const source = text
        .split('/')
        .map((level) => {
            if (level === '+') {
                return '[^/]*';
            }
            if (level === '#') {
                return '.+';
            }
            return level.replace(
                /\{([A-Za-z][A-Za-z0-9_]*)(#?)\}|[^{]+|\{/g,
                (part, name: string | undefined, rest: string | undefined) => {
                    if (name === undefined) {
                        return escapeExpression(part);
                    }
                    if (captures.includes(name)) {
                        return `\\k<${name}>`;
                    }
                    captures.push(name);
                    return `(?<${name}>${rest === '#' ? '.+' : '[^/]+'})`;
                },
            );
        })
        .join('/')
        // As MQTT has it: a/# is a and all below it.
        .replace(/^(.+)\/\.\+$/, '$1(?:/.+)?');
    const expression = new RegExp(`^${source}$`, 's');
    return {
        text,
        captures,
        match: (topic) => {
            const match = topic.length <= MAX_TOPIC_CHARACTERS ? expression.exec(topic) : null;
            return match === null ? undefined : (match.groups ?? {});
        },
    };
}

/**
 * Takes from a text what stands at `{}` of a pattern, one character or more: `sensor.{}_temperature`. `*` is any text, also none. As in paths each takes
 * as much as fits, the first one first: so what stands between them is looked for from the end.
 */
export function compileExtract(pattern: string): (text: string) => string | undefined {
    const wilds = pattern.match(/\*|\{\}/g) ?? [];
    const [first = '', ...others] = pattern.split(/\*|\{\}/);
    return (text) => {
        let end = text.length;
        let found: string | undefined;
        let least = 0;
        for (let at = others.length - 1; at >= 0; at--) {
            const literal = others[at] ?? '';
            const isLast = at === others.length - 1;
            const start = isLast
                ? end - literal.length
                : end - least < literal.length
                  ? -1
                  : text.lastIndexOf(literal, end - least - literal.length);
            if (start < 0 || !text.startsWith(literal, start)) {
                return undefined;
            }
            if (!isLast && wilds[at + 1] === '{}') {
                found = text.slice(start + literal.length, end);
            }
            end = start;
            least = wilds[at] === '{}' ? 1 : 0;
        }
        if (!text.startsWith(first) || first.length > end - least) {
            return undefined;
        }
        return wilds[0] === '{}' ? text.slice(first.length, end) : found;
    };
}

function escapeExpression(text: string): string {
    return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

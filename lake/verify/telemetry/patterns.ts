/** Paths, patterns of topics and keys, and texts with names in braces, as profiles write them. */

/** Names in braces and the texts that they stand for. */
export type Names = (name: string) => string | undefined;

/** Keys of a path; `""` is the value itself. */
export function keysOf(path: string | readonly string[]): readonly string[] {
    return typeof path === 'string' ? (path === '' ? [] : path.split('.')) : path;
}

const BRACES = /\{([^{}]*)\}/g;

/** True if the key is a pattern: it captures a name, or has a star. */
export function isPattern(key: string): boolean {
    return key.includes('{') || key.includes('*');
}

/** The text with its names filled in; undefined where one is absent. */
export function filled(text: string, names: Names): string | undefined {
    let isWhole = true;
    const done = text.replace(BRACES, (_, named: string) => {
        const [name = '', ...changes] = named.split(':');
        const value = names(name);
        isWhole &&= value !== undefined;
        return changes.reduce(changed, value ?? '');
    });
    return isWhole ? done : undefined;
}

function changed(text: string, change: string): string {
    switch (change) {
        case 'lower':
            return text.toLowerCase();
        case 'upper':
            return text.toUpperCase();
        case 'dots':
            return text.toLowerCase().replaceAll('/', '.');
        default:
            return text
                .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
                .replace(/[^A-Za-z0-9]+/g, '_')
                .replace(/^_|_$/g, '')
                .toLowerCase();
    }
}

/** What a text captures by a pattern; undefined where it does not fit. */
export type Captures = ReadonlyMap<string, string>;

/** Captures of a topic: `{name}` and `+` are a level or a part of one, `{name#}` and `#` all from there on. */
export function topicCaptures(pattern: string, topic: string): Captures | undefined {
    const names: string[] = [];
    const levels = pattern.split('/').map((level, at) => {
        if (level === '#') {
            return at === 0 ? '.+' : '(?:/.+)?';
        }
        const inLevel = piecesOf(level, { names, one: '[^/]+', all: '.+', star: '+' });
        return at === 0 ? inLevel : `/${inLevel}`;
    });
    return capturesOf(new RegExp(`^${levels.join('')}$`, 's'), { names, text: topic });
}

/** Captures of one key by a pattern: `{name}` and `*` are any part of it. */
function keyCaptures(pattern: string, key: string): Captures | undefined {
    const names: string[] = [];
    const source = piecesOf(pattern, { names, one: '.*', all: '.*', star: '*' });
    return capturesOf(new RegExp(`^${source}$`, 's'), { names, text: key });
}

/** What a place captures by a path's keys, as far as the shorter of them goes. */
export function placeCaptures(path: readonly string[], place: readonly string[]): Captures | undefined {
    const all = path.slice(0, place.length).map((key, at) => {
        const found = place[at] ?? '';
        return isPattern(key) ? keyCaptures(key, found) : key === found ? new Map<string, string>() : undefined;
    });
    return all.every((one) => one !== undefined) ? merged(all) : undefined;
}

/** A pattern as a regular expression. */
function piecesOf(pattern: string, { names, one, all, star }: { names: string[]; one: string; all: string; star: string }): string {
    return pattern
        .split(/(\{[^{}]*\}|[+*])/)
        .map((piece) => {
            if (piece.startsWith('{')) {
                const name = piece.slice(1, -1);
                const isAll = name.endsWith('#');
                names.push(isAll ? name.slice(0, -1) : name);
                return `(${isAll ? all : one})`;
            }
            return piece === star ? one.replace('+', '*') : piece.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
        })
        .join('');
}

function capturesOf(pattern: RegExp, { names, text }: { names: readonly string[]; text: string }): Captures | undefined {
    const found = pattern.exec(text);
    if (!found) {
        return undefined;
    }
    return merged(names.map((name, at) => new Map([[name, found[at + 1] ?? '']])));
}

/** All captures together; undefined where one name has two texts. */
export function merged(all: readonly Captures[]): Captures | undefined {
    const together = new Map<string, string>();
    for (const [name, text] of all.flatMap((captures) => [...captures])) {
        if (together.has(name) && together.get(name) !== text) {
            return undefined;
        }
        together.set(name, text);
    }
    return together;
}

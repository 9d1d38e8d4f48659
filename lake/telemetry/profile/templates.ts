/** Texts with names between braces: `{group}/{edge}/{device}`, `temperature.{n}`. */
import { UsageError } from '#lake/errors';
import { namesIn } from './paths.ts';
import type { Context, Scope, TextOf } from './tokens.ts';

/** A text with names between braces, filled in; `{name:lower}` and `{name:snake}` change what is filled in. Undefined where a name has none. */
export function compileTemplate(template: string, scope: Scope): TextOf {
    for (const name of namesIn(template)) {
        if (!scope.names.has(name)) {
            throw new UsageError(unknownName(template, name, [...scope.names.keys()]));
        }
    }
    const parts = template
        .split(PART)
        .filter((part) => part !== '')
        .map((part) => partOf(part, { template, names: scope.names }));
    const isFixed = namesIn(template).every((name) => scope.captured.has(name));
    const fill = parts.length === 1 && parts[0] !== undefined ? parts[0] : joined(parts);
    return isFixed ? constant(fill(NO_CONTEXT)) : fill;
}

const PART = /(\{[A-Za-z][A-Za-z0-9_]*(?::[a-z]+)?\})/;
const NAME_AND_FILTER = /^\{([A-Za-z][A-Za-z0-9_]*)(?::([a-z]+))?\}$/;

// Functions are made here for each name that a pattern finds. They hold what they need alone: made within another function, they would hold all that is known there.

function constant(text: string | undefined): TextOf {
    return () => text;
}

function joined(parts: readonly TextOf[]): TextOf {
    return (context) => {
        let filled = '';
        for (const part of parts) {
            const text = part(context);
            if (text === undefined) {
                return undefined;
            }
            filled += text;
        }
        return filled;
    };
}

function changed(text: TextOf, filter: (text: string) => string): TextOf {
    return (context) => {
        const found = text(context);
        return found === undefined ? undefined : filter(found);
    };
}

/** What a part of a template is: a name between braces, or a text. */
function partOf(part: string, { template, names }: { template: string; names: Scope['names'] }): TextOf {
    const match = NAME_AND_FILTER.exec(part);
    if (match === null) {
        return constant(part);
    }
    const text = names.get(match[1] ?? '') ?? constant(undefined);
    if (match[2] === undefined) {
        return text;
    }
    const filter = FILTERS[match[2]];
    if (filter === undefined) {
        throw new UsageError(
            `"${template}" changes a text by ":${match[2]}", which is not known; known are ${Object.keys(FILTERS).join(', ')}`,
        );
    }
    return changed(text, filter);
}

/** No message: for texts that are the same in all of them. */
export const NO_CONTEXT: Context = {
    message: { payload: new Uint8Array(0), arrivedMs: undefined },
    topic: {},
    each: new Map(),
    hasPayload: false,
};

function unknownName(template: string, name: string, known: readonly string[]): string {
    const list = known.length === 0 ? 'no names are known here' : `known here are ${known.join(', ')}`;
    return `"${template}" uses {${name}}, which nothing names: ${list}; name it in "let", or capture it in a pattern of "topics" or of the path`;
}

/** What `{name:filter}` may do to a text. */
export const FILTERS: Readonly<Record<string, (text: string) => string>> = {
    lower: (text) => text.toLowerCase(),
    upper: (text) => text.toUpperCase(),
    /** `DewPoint` becomes `dew_point`, `Dc/0/Voltage` becomes `dc_0_voltage`. */
    snake: (text) =>
        text
            .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
            .replace(/[^A-Za-z0-9]+/g, '_')
            .replace(/^_+|_+$/g, '')
            .toLowerCase(),
    dots: (text) => text.replaceAll('/', '.').toLowerCase(),
};

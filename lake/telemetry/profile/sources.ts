/** Sources and conditions: where a profile says that a value stands, and what it must be, made into functions of a message. */
import { ownOf } from '../own-properties.ts';
import { readNumberBytes } from './binary.ts';
import { compileTest } from './condition-tests.ts';
import type { ConditionList, ConditionWords, PathWord, SourceWords } from './document.ts';
import { type Field, NULL } from './fields.ts';
import { compileExtract, fillPath, namesIn, parseTopicPattern, showPath } from './paths.ts';
import { compileTemplate } from './templates.ts';
import { decodeText } from './texts.ts';
import {
    asList,
    type Context,
    type Scope,
    type Source,
    showToken,
    type Token,
    textOf,
    textToken,
    tokenOf,
    tokenOfLiteral,
} from './tokens.ts';

/** A scope in which more names are known. */
export function withCaptured(scope: Scope, captured: ReadonlyMap<string, string>): Scope {
    const names = new Map(scope.names);
    for (const [name, text] of captured) {
        names.set(name, () => text);
    }
    return { ...scope, names, captured: scope.captured.size === 0 ? captured : new Map([...scope.captured, ...captured]) };
}

/** A scope with the names that `let` gives. They may use one another in the order in which they stand. */
export function withLet(scope: Scope, words: Readonly<Record<string, SourceWords | readonly SourceWords[]>> | undefined): Scope {
    let inner = scope;
    for (const [name, sources] of Object.entries(words ?? {})) {
        const source = compileSources(sources, inner);
        inner = {
            ...inner,
            names: new Map([...inner.names, [name, (context) => textOf(source(context))]]),
            lets: new Set([...inner.lets, name]),
        };
    }
    return inner;
}

export function fieldAt(path: PathWord, isOuter: boolean, scope: Scope): Field {
    return (isOuter ? scope.outer : scope.inner).tree.at(fillPath(path, scope.captured));
}

/** The first source of a list that has a value; null is one only where no other has any. */
export function compileSources(words: SourceWords | readonly SourceWords[], scope: Scope): Source {
    const sources = asList(words).map((source) => compileSource(source, scope));
    const [only] = sources;
    if (sources.length === 1 && only !== undefined) {
        return only;
    }
    return (context) => {
        let nothing: Token | undefined;
        for (const source of sources) {
            const token = source(context);
            if (token !== undefined && token.type !== NULL) {
                return token;
            }
            nothing ??= token;
        }
        return nothing;
    };
}

export function compileSource(words: SourceWords & { unit?: string }, scope: Scope): Source {
    const find = compilePlace(words, scope);
    const change = changesOf(words);
    const only: Condition | undefined = words.only === undefined ? undefined : compileConditions(words.only, scope);
    const absent = words.absent === undefined ? undefined : tokenOfLiteral(words.absent);
    const { unit } = words;
    if (change === undefined && only === undefined && absent === undefined && unit === undefined) {
        return find;
    }
    return (context) => {
        if (only !== undefined && !only.holds(context)) {
            return undefined;
        }
        const found = find(context);
        const token = found === undefined || change === undefined ? found : change(found);
        const answer = token ?? absent;
        return answer === undefined || unit === undefined ? answer : { ...answer, unit };
    };
}

function compilePlace(words: SourceWords, scope: Scope): Source {
    if (words.path !== undefined) {
        const field = fieldAt(words.path, words.outer === true, scope);
        const { scanner } = words.outer === true ? scope.outer : scope.inner;
        return (context) => (context.hasPayload && field.scan === scanner.scan ? tokenOf(field) : undefined);
    }
    if (words.header !== undefined) {
        const name = words.header.toLowerCase();
        return ({ message }) => textToken(message.headers && ownOf(message.headers, name));
    }
    if (words.text !== undefined) {
        const text = compileTemplate(words.text, scope);
        return (context) => textToken(text(context));
    }
    return FACTS[words.from ?? 'topic'];
}

const FACTS = {
    topic: ({ message }: Context) => textToken(message.topic),
    certificate: ({ message }: Context) => textToken(message.device),
    key: ({ message }: Context) => textToken(message.key),
    payload: ({ message: { payload } }: Context) => textToken(decodeText(payload, 0, payload.length, false)),
};

type Change = (token: Token) => Token | undefined;

/** The changes of sources that were compiled before: a pattern compiles its source anew for each key, and what is done to the value is the same for all of them. */
const knownChanges = new WeakMap<SourceWords, Change>();

function changesOf(words: SourceWords): Change | undefined {
    const change = knownChanges.get(words) ?? compileChanges(words);
    if (change !== undefined) {
        knownChanges.set(words, change);
    }
    return change;
}

/** What a source does to the value that it found, in the order of docs/profiles.md; undefined where it does nothing. Null stays null. */
function compileChanges(words: SourceWords): Change | undefined {
    const steps: Change[] = [];
    const change = (turn: (text: string) => string | undefined): void => {
        steps.push((token) => {
            const text = textOf(token);
            return text === undefined ? undefined : textToken(turn(text));
        });
    };
    const { split, part = 1, extract, upToLast, beforeLast, afterLast, bytes, map } = words;
    if (split !== undefined) {
        change((text) => text.split(split)[part - 1]?.trim());
    }
    if (extract !== undefined) {
        change(compileExtract(extract));
    }
    if (beforeLast !== undefined) {
        change((text) => (text.includes(beforeLast) ? text.slice(0, text.lastIndexOf(beforeLast)) : undefined));
    }
    if (upToLast !== undefined) {
        change((text) => (text.includes(upToLast) ? text.slice(0, text.lastIndexOf(upToLast) + upToLast.length) : undefined));
    }
    if (afterLast !== undefined) {
        change((text) => (text.includes(afterLast) ? text.slice(text.lastIndexOf(afterLast) + afterLast.length) : undefined));
    }
    if (bytes !== undefined) {
        steps.push((token) => readNumberBytes(token, bytes));
    }
    if (words.case !== undefined) {
        change(words.case === 'lower' ? (text) => text.toLowerCase() : (text) => text.toUpperCase());
    }
    if (map !== undefined) {
        steps.push((token) => {
            const text = textOf(token);
            const mapped = text !== undefined && Object.hasOwn(map, text) ? map[text] : undefined;
            return mapped === undefined ? token : tokenOfLiteral(mapped);
        });
    }
    if (steps.length === 0) {
        return undefined;
    }
    return (found) => {
        let token: Token | undefined = found;
        for (const step of steps) {
            if (token === undefined || token.type === NULL || token.why !== undefined) {
                return token;
            }
            token = step(token);
        }
        return token;
    };
}

export interface Condition {
    holds(context: Context): boolean;
    /** What was found, for people: `position.valid is false`. */
    found(context: Context): string;
    /** True if nothing of the payload is looked at. */
    needsNoPayload: boolean;
}

/** All conditions of a list together. */
export function compileConditions(words: ConditionList, scope: Scope): Condition {
    return allOf(asList(words).map((condition) => compileCondition(condition, scope)));
}

function allOf(conditions: readonly Condition[]): Condition {
    const [only] = conditions;
    if (conditions.length === 1 && only !== undefined) {
        return only;
    }
    return {
        holds: (context) => conditions.every((condition) => condition.holds(context)),
        found: (context) => conditions.map((condition) => condition.found(context)).join(', '),
        needsNoPayload: conditions.every((condition) => condition.needsNoPayload),
    };
}

function compileCondition(words: ConditionWords, scope: Scope): Condition {
    if (words.topic !== undefined) {
        const pattern = parseTopicPattern(words.topic);
        return {
            holds: ({ message: { topic } }) => topic !== undefined && pattern.match(topic) !== undefined,
            found: ({ message: { topic } }) => `topic ${topic}`,
            needsNoPayload: true,
        };
    }
    if (words.retained !== undefined) {
        return {
            holds: ({ message }) => (message.isRetained === true) === words.retained,
            found: ({ message }) => (message.isRetained === true ? 'retained' : 'not retained'),
            needsNoPayload: true,
        };
    }
    const source = compileSource(words, scope);
    const test = compileTest(words);
    const label = labelOf(words, scope);
    return {
        holds: (context) => test(source(context)),
        found: (context) => `${label} is ${showToken(source(context))}`,
        needsNoPayload: words.path === undefined && words.from !== 'payload' && !usesLet(words.text ?? '', scope),
    };
}

function usesLet(text: string, { lets }: Scope): boolean {
    return namesIn(text).some((name) => lets.has(name));
}

/** How a source is named to people. */
function labelOf(words: ConditionWords, scope: Scope): string {
    if (words.path !== undefined) {
        return showPath(fillPath(words.path, scope.captured)) || 'the payload';
    }
    return words.header ?? words.text ?? words.from ?? '';
}

/** Values as they were sent, and what is known of a message while it is read. */
import { UsageError } from '#lake/errors';
import type { Message } from '../message.ts';
import { parseDecimal, type Ratio } from './decimal.ts';
import type { Num } from './document.ts';
import { ARRAY, ESCAPED_TEXT, FALSE, type Field, type FieldTree, NULL, NUMBER, OBJECT, TEXT, TRUE } from './fields.ts';
import { type JsonScanner, shorten } from './json-scanner.ts';
import { decodeText } from './texts.ts';

/** A value as it was sent: what kind of JSON value it is, and its text (a number's digits, a text's characters). */
export interface Token {
    type: number;
    text: string;
    /** The unit that the source says it is in, where it says one. */
    unit?: string | undefined;
    /** Why it is no value: it is not the data that the profile takes it for. It is neither text nor number then. */
    why?: string | undefined;
}

/** One message, or one element of a payload that holds several, while it is read. */
export interface Context {
    message: Message;
    /** What the topic's pattern captured. */
    topic: Readonly<Record<string, string>>;
    /** What the pattern of `each` captured. */
    each: ReadonlyMap<string, string>;
    /** False while nothing of the payload is known: no path has a value. */
    hasPayload: boolean;
}

export type Source = (context: Context) => Token | undefined;
export type TextOf = (context: Context) => string | undefined;

/** What names and paths mean where a source stands. */
export interface Scope {
    /** Fields of the payload, and of the element at hand; the same where there is no `each`. */
    outer: { tree: FieldTree; scanner: JsonScanner };
    inner: { tree: FieldTree; scanner: JsonScanner };
    /** Names between braces. */
    names: ReadonlyMap<string, TextOf>;
    /** Names that `let` gives, whose texts may come from the payload. */
    lets: ReadonlySet<string>;
    /** Names whose text is known already, because a pattern of keys captured it. */
    captured: ReadonlyMap<string, string>;
}

/** The value at a field in the message that was scanned last. */
export function tokenOf(field: Field): Token {
    return {
        type: field.type === ESCAPED_TEXT ? TEXT : field.type,
        text: decodeText(field.bytes, field.start, field.end, field.type === ESCAPED_TEXT),
    };
}

/** The text of a value; null, objects and lists have none. */
export function textOf(token: Token | undefined): string | undefined {
    return token === undefined || token.type === NULL || token.type === OBJECT || token.type === ARRAY ? undefined : token.text;
}

export function textToken(text: string | undefined): Token | undefined {
    return text === undefined ? undefined : { type: TEXT, text };
}

/** The number that a text is; infinity and what is no number stay texts. */
export function numberToken(text: string): Token {
    return { type: parseDecimal(text) === undefined ? TEXT : NUMBER, text };
}

/** The value that a profile says. */
export function tokenOfLiteral(value: string | number | boolean): Token {
    const type = typeof value === 'boolean' ? (value ? TRUE : FALSE) : typeof value === 'number' ? NUMBER : TEXT;
    return { type, text: String(value) };
}

export function showToken(token: Token | undefined): string {
    return token === undefined ? 'absent' : token.type === TEXT ? JSON.stringify(shorten(token.text)) : shorten(token.text);
}

export function asList<T>(words: T | readonly T[]): readonly T[] {
    return Array.isArray(words) ? words : [words as T];
}

/** The exact number that a profile says. @throws UsageError */
export function numberOf(number: Num): Ratio {
    const value = parseDecimal(String(number));
    if (value === undefined) {
        throw new UsageError(`${JSON.stringify(number)} is no decimal number: write one like 0.1, or "0.000001"`);
    }
    return value;
}

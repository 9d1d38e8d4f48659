/** The messages of a raw file: docs/reading-telemetry.md, "Where messages stand in a file of history" and "A chain object". */
import { isUtf8 } from 'node:buffer';
import type { ByteStream } from '#lake/store/object-store';
import { plainBytes } from '#lake/verify/plain-bytes';
import { NotFollowedError } from '#lake/verify/second-reading';
import { type Found, rowsOf } from './csv-rows.ts';
import { type JsonObject, NoJsonError, parseJson, type Tree } from './json-tree.ts';

export interface MessageFile {
    form: 'json-lines' | 'json-array' | 'json-objects' | 'csv' | 'chain';
    messages: Found[];
    /** The whole array that the file is, where it is one of no arrays: the one message of a profile whose payloads are packs. */
    pack?: Found;
}

/** What is not followed beyond this. */
const MAX_FILE_BYTES = 512 << 20;
const MAX_MESSAGE_BYTES = 16 << 20;

/** @returns undefined for a file that cannot be used @throws NotFollowedError, DamagedFileError */
export async function messagesOf(bytes: ByteStream): Promise<MessageFile | undefined> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of plainBytes(bytes)) {
        chunks.push(Buffer.from(chunk));
        length += chunk.length;
        if (length > MAX_FILE_BYTES) {
            throw new NotFollowedError('it unpacks to more than 512 MiB');
        }
    }
    const whole = Buffer.concat(chunks);
    const file = withoutMark(whole);
    // One character for each byte: every place in the text is one in the bytes.
    const text = file.toString('latin1');
    const start = /[^ \t\r\n]/.exec(text)?.index;
    if (start === undefined) {
        return undefined;
    }
    const first = text[start];
    const found = first === '{' || first === '[' ? jsonFile(text, start) : csvFile(file, text, start);
    return found?.messages.some(isTooLong) ? undefined : found;
}

/** True for what makes its file unusable: it is no message. */
export function isTooLong({ shown }: Found): boolean {
    return shown.length > MAX_MESSAGE_BYTES;
}

function withoutMark(bytes: Buffer): Buffer {
    return bytes.subarray(0, 3).equals(Buffer.from('\ufeff')) ? bytes.subarray(3) : bytes;
}

function jsonFile(text: string, start: number): MessageFile | undefined {
    const lineEnd = endOfLine(text, start);
    const end = endOfValue(text, start);
    const isOnLine = end !== undefined && end <= lineEnd;
    if (text[start] === '{') {
        if (isOnLine) {
            const messages = jsonLines(text);
            return { form: isChainLine(text.slice(start, lineEnd)) ? 'chain' : 'json-lines', messages };
        }
        return { form: 'json-objects', messages: valuesIn(text, start, { isEnd: (at) => at === text.length, hasCommas: false }) };
    }
    const next = /[^ \t\r\n]/.exec(text.slice(lineEnd))?.[0];
    if (isOnLine && next === '[') {
        return { form: 'json-lines', messages: jsonLines(text) };
    }
    if (end === undefined && text.includes('\n', start)) {
        throw new NotFollowedError('the array that it is does not end, or an element of it does not end on its line');
    }
    if (end === undefined) {
        // It was cut.
        return undefined;
    }
    if (text.slice(end).trim() !== '') {
        throw new NotFollowedError('something stands behind the array that it is');
    }
    const isOfArrays = text[skipBlanks(text, start + 1)] === '[';
    return {
        form: 'json-array',
        messages: valuesIn(text, start + 1, { isEnd: (at) => at === end - 1, hasCommas: true }),
        ...(!isOfArrays && { pack: { shown: bytesOf(text.slice(start, end)) } }),
    };
}

/** Each line that is not empty; of several objects on a line each one. */
function jsonLines(text: string): Found[] {
    return text
        .split('\n')
        .map((line) => line.replace(/^[ \t\r]+|[ \t\r]+$/g, ''))
        .filter((line) => line !== '')
        .flatMap((line) => {
            if (!/\}[ \t]*\{/.test(line) || isJson(line)) {
                return [{ shown: bytesOf(line) }];
            }
            return valuesIn(line, 0, { isEnd: (at) => at === line.length, hasCommas: false });
        });
}

function isJson(line: string): boolean {
    try {
        parseJson(line);
        return true;
    } catch (error) {
        if (error instanceof NoJsonError) {
            return false;
        }
        throw error;
    }
}

/** One value after the other, with blanks, and commas where the form has them, between. @throws NotFollowedError where that is not what stands there */
function valuesIn(text: string, start: number, { isEnd, hasCommas }: { isEnd: (at: number) => boolean; hasCommas: boolean }): Found[] {
    const found: Found[] = [];
    for (let at = skipBlanks(text, start); !isEnd(at); at = skipBlanks(text, at)) {
        const isFirst = found.length === 0;
        if (hasCommas && !isFirst) {
            if (text[at] !== ',') {
                throw new NotFollowedError(`what stands at byte ${at} of it is no JSON`);
            }
            at = skipBlanks(text, at + 1);
        }
        const end = endOfValue(text, at);
        if (end === undefined || (!hasCommas && !/[{[]/.test(text[at] ?? ''))) {
            throw new NotFollowedError(`what stands at byte ${at} of it is no JSON`);
        }
        found.push({ shown: bytesOf(text.slice(at, end)) });
        at = end;
    }
    return found;
}

function skipBlanks(text: string, from: number): number {
    let at = from;
    while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) {
        at += 1;
    }
    return at;
}

/** End of the value that begins at a place, by its brackets and quotes; undefined where it does not, or is none. */
function endOfValue(text: string, start: number): number | undefined {
    const closers: string[] = [];
    for (let at = start; at < text.length; at += 1) {
        const character = text[at] ?? '';
        if (character === '"') {
            const end = /"(?:[^"\\]|\\[\s\S])*"/y;
            end.lastIndex = at;
            const quoted = end.exec(text)?.[0];
            if (quoted === undefined) {
                return undefined;
            }
            at += quoted.length - 1;
        } else if (character === '{' || character === '[') {
            closers.push(character === '{' ? '}' : ']');
        } else if (character === '}' || character === ']') {
            if (closers.pop() !== character) {
                return undefined;
            }
        } else if (closers.length === 0) {
            const bare = /[^\s,[\]{}"]+/y;
            bare.lastIndex = at;
            const found = bare.exec(text)?.[0];
            return found === undefined ? undefined : at + found.length;
        }
        if (closers.length === 0) {
            return at + 1;
        }
    }
    return undefined;
}

function csvFile(file: Buffer, text: string, start: number): MessageFile | undefined {
    if (!isUtf8(file) || text.includes('\0') || /\r(?!\n)/.test(text) || !/[A-Za-z0-9_"'\u0080-\u00ff]/.test(text[start] ?? '')) {
        throw new NotFollowedError('it is no JSON, and no UTF-8 text of rows with LF or CRLF behind a header');
    }
    const messages = rowsOf(text);
    return messages && { form: 'csv', messages };
}

function endOfLine(text: string, from: number): number {
    const end = text.indexOf('\n', from);
    return end < 0 ? text.length : end;
}

function bytesOf(latin1: string): Buffer {
    return Buffer.from(latin1, 'latin1');
}

/** Ways by which the messages of a chain object came. */
export const WAYS = ['mqtt', 'http', 'kinesis'];

/** True if a line is one of a chain object. */
function isChainLine(line: string): boolean {
    const members = objectOf(bytesOf(line))?.members;
    const isText = (name: string): boolean => members?.get(name)?.type === 'text';
    const way = members?.get('way');
    const isWay = way?.type === 'text' && WAYS.includes(way.text);
    return isText('end') || (isText('sequence') && isWay && members?.get('arrived_ms')?.type === 'number');
}

/** The object that the bytes are; undefined where they are none. */
export function objectOf(bytes: Buffer): JsonObject | undefined {
    if (!isUtf8(bytes)) {
        return undefined;
    }
    try {
        const tree = parseJson(bytes.toString());
        return tree.type === 'object' ? tree : undefined;
    } catch (error) {
        if (error instanceof NoJsonError) {
            return undefined;
        }
        throw error;
    }
}

/** Members of the object around a message; undefined where there is none. @throws NotFollowedError where it has a key twice */
export function objectIn(bytes: Buffer): ReadonlyMap<string, Tree> | undefined {
    const found = objectOf(bytes);
    if (found?.fault !== undefined) {
        throw new NotFollowedError('what stands around a message has a key twice');
    }
    return found?.members;
}

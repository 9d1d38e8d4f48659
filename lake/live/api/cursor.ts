/** Cursors: where the next page of a list begins, as text that clients hand back and do not read. */
import { Problem } from './problem.ts';

type Part = string | number;

/** The text of a place in the list of that name. */
export function encodeCursor(list: string, place: readonly Part[]): string {
    return Buffer.from(JSON.stringify([list, ...place])).toString('base64url');
}

/** The place, as it was encoded; its parts are of the types of `shape`. @throws Problem for a cursor that was not given for this list */
export function decodeCursor<const S extends readonly ('string' | 'number')[]>(list: string, shape: S, cursor: string): PlaceOf<S> {
    const place = partsOf(cursor);
    const [name, ...parts] = place ?? [];
    const isSound =
        name === list &&
        parts.length === shape.length &&
        shape.every((type, at) => typeof parts[at] === type && (type === 'string' || isTime(parts[at]))) &&
        encodeCursor(list, parts) === cursor;
    if (!isSound) {
        const detail = `It is no cursor of ${list}: follow the link \`next\` of a page, or leave it out to begin at the first page.`;
        throw new Problem('bad_parameter', `after: ${detail}`, { parameters: [{ in: 'query', name: 'after', detail }] });
    }
    return parts as PlaceOf<S>;
}

/** Numbers are UTC epoch milliseconds: within what ECMAScript can name a day of. */
function isTime(part: Part | undefined): boolean {
    return typeof part === 'number' && Number.isInteger(part) && Math.abs(part) <= 8.64e15;
}

type PlaceOf<S extends readonly ('string' | 'number')[]> = { -readonly [K in keyof S]: S[K] extends 'string' ? string : number };

function partsOf(cursor: string): Part[] | undefined {
    try {
        const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
        return Array.isArray(value) && value.every((part) => typeof part === 'string' || typeof part === 'number') ? value : undefined;
    } catch {
        return undefined;
    }
}

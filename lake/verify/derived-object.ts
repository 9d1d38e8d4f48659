/** What a derived object says that it was made of, and the state behind it: docs/design.md, "Derived tables". */
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import type { Json } from '#lake/kind';
import { messageOf } from './lake-files.ts';
import { readPlace } from './parquet-entries.ts';

/** A merged object that a derived one was made of, and the inputs that it was read with. */
interface Part {
    period: string;
    etag: string;
    inputs: Readonly<Record<string, number>>;
}

export interface Named {
    format: number | undefined;
    parts: readonly Part[];
    /** Hashes of the states before and behind the day; null where the table is not chained. */
    opening: string | null;
    closing: string | null;
    endInputs: Readonly<Record<string, number>>;
}

const MADE_OF = 'flowlake.made_of';
const MADE_OF_AT = 'flowlake.made_of_at';
const STATE_AT = 'flowlake.state_at';
const FORMAT = 'flowlake.format';

/** What the object names; undefined where it names nothing that can be read. */
export async function readNamed(path: string, entries: ReadonlyMap<string, string> = new Map()): Promise<Named | undefined> {
    const text = (await readPlace(path, entries, MADE_OF_AT))?.toString() ?? entries.get(MADE_OF);
    const format = Number(entries.get(FORMAT) ?? Number.NaN);
    try {
        const named: unknown = text === undefined ? undefined : JSON.parse(text);
        return isNamed(named) ? { ...named, format: Number.isInteger(format) ? format : undefined } : undefined;
    } catch {
        return undefined;
    }
}

function isNamed(value: unknown): value is Omit<Named, 'format'> {
    const { parts, opening, closing, endInputs } = (value ?? {}) as Partial<Record<keyof Named, unknown>>;
    const isHash = (hash: unknown): boolean => hash === null || typeof hash === 'string';
    const isObject = (given: unknown): boolean => typeof given === 'object' && given !== null;
    const isPart = (part: Partial<Part>): boolean =>
        typeof part?.period === 'string' && typeof part.etag === 'string' && isObject(part.inputs);
    return Array.isArray(parts) && parts.every(isPart) && isHash(opening) && isHash(closing) && isObject(endInputs);
}

/** The state that an object holds, and the hash by which objects name it; `fault` says why it cannot be read. */
export type StateRead = { state: Json; hash: string } | { fault: string };

export async function readStateOf(path: string, entries: ReadonlyMap<string, string> = new Map()): Promise<StateRead> {
    try {
        const packed = await readPlace(path, entries, STATE_AT);
        if (!packed) {
            return { fault: 'it holds no state' };
        }
        const text = inflateSync(packed).toString();
        return { state: JSON.parse(text), hash: hashOf(text) };
    } catch (error) {
        return { fault: `its state cannot be read: ${messageOf(error)}` };
    }
}

/** What objects name the state before anything was by. */
export const HASH_OF_NOTHING = hashOf('null');

function hashOf(text: string): string {
    return createHash('sha256').update(text).digest('hex');
}

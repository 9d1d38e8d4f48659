/** A day of a derived table as one look at the store shows it: what its object says that it was made of, and what it would be made of now. */
import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import pMap from 'p-map';
import { StorageError } from '#lake/errors';
import { readInput } from '#lake/inputs';
import type { Input, Json } from '#lake/kind';
import type { Derivation } from '#lake/kinds';
import { dayOf, dayPrefix, mergedKey, periodOf } from '#lake/layout';
import { readFactsAtEnd, readMadeOfAtEnd, readState } from '#lake/parquet';
import { ABSENT, CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import type { DayTable } from '#lake/tables';
import { END_BYTES } from './period-state.ts';

/** A derived table and one of its days. */
export interface DerivedDay extends Derivation {
    day: string;
}

/** All that a derived object was made of, as it was read. */
export interface MadeOf {
    format: number;
    /** The merged objects of the day, ascending. */
    parts: readonly MadePart[];
    /** Hash of the state that the day opened with, and of the one behind it; null where the table is not chained. */
    opening: string | null;
    closing: string | null;
    /** Versions of the inputs that the rows of the closing state asked for. */
    endInputs: InputVersions;
}

/** Versions of inputs by their names; 0 where there was none. */
type InputVersions = Readonly<Record<string, number>>;

/** A merged object, and what came of it. */
export interface MadePart {
    period: string;
    etag: string;
    /** Versions of the inputs that it asked for. */
    inputs: InputVersions;
    /** How many rows came of it. */
    rows: number;
}

/** What an object says that is damaged, or none of ours: no look comes to that, so it is derived anew. */
const NOTHING_SAID: MadeOf = { format: 0, parts: [], opening: '', closing: '', endInputs: {} };

/** The day's own object. */
export interface OwnObject {
    etag: string;
    bytes?: Uint8Array<ArrayBuffer> | undefined;
    /** What the object says that it was made of; undefined where there is no object. */
    madeOf?: MadeOf | undefined;
}

/** What the day would be made of now. */
export interface DayLook {
    /** The merged objects of the day, ascending. */
    parts: readonly Pick<MadePart, 'period' | 'etag'>[];
    /** The nearest earlier day that has an object, of a chained table. */
    before: string | undefined;
    /** Hash of the state that the day opens with, as in `MadeOf`. */
    opening: string | null;
    /** Versions of the inputs that the own object names, as they are now. */
    versions: ReadonlyMap<string, number>;
}

/** Reads an input, the same however often it is asked for. */
export type ReadInput = (name: string) => Promise<Input | undefined>;

/** Inputs of the kind as they are from now on: each is read from the store once. */
export function openInputs({ kind }: Derivation, store: ObjectStore): ReadInput {
    const read = new Map<string, Promise<Input | undefined>>();
    return (name) => {
        if (!kind.inputs) {
            throw new TypeError(`kind ${kind.name} has no inputs, and ${name} was asked for`);
        }
        const known = read.get(name) ?? readInput(store, kind.inputs.prefix, name);
        read.set(name, known);
        return known;
    };
}

/** The object as one that says nothing of what it was made of, where there is one. */
export function withoutTrust({ etag, madeOf }: OwnObject): OwnObject {
    return { etag, madeOf: madeOf && NOTHING_SAID };
}

/** The key of the day's object. */
export function derivedKey({ derived, day }: DerivedDay): string {
    return mergedKey(derived.table, day);
}

/** The day's object and its etag. `written` is the object as the caller wrote it last. */
export async function readOwn(
    of: DerivedDay,
    { store, written }: { store: ObjectStore; written?: OwnObject | undefined },
): Promise<OwnObject> {
    const key = derivedKey(of);
    if (written && (await store.head(key))?.etag === written.etag) {
        return written;
    }
    const object = await store.get(key);
    if (!object) {
        return { etag: ABSENT };
    }
    const { bytes, info } = object;
    return { etag: info.etag, bytes, madeOf: madeOfAtEnd(of, bytes, bytes.length) };
}

/** What the day's object says that it was made of; undefined where there is none. Reads no more of it than its end. */
export async function readMadeOf(of: DerivedDay, { store }: { store: ObjectStore }): Promise<MadeOf | undefined> {
    const end = await store.readEnd(derivedKey(of), { lastBytes: END_BYTES });
    return end && (madeOfAtEnd(of, end.bytes, end.sizeBytes) ?? (await readOwn(of, { store })).madeOf);
}

/**
 * What an object says of what it was made of, from its last bytes; undefined where they do not reach back far enough.
 * @throws StorageError where a newer version of the program has derived it: else its older rules would take the place of the newer ones.
 */
function madeOfAtEnd(of: DerivedDay, end: Uint8Array<ArrayBuffer>, sizeBytes: number): MadeOf | undefined {
    const { format, table } = of.derived;
    const said = parseMadeOf(end, { sizeBytes, table });
    if (said && said.format > format) {
        throw new StorageError(
            `${derivedKey(of)} was derived by a newer version of flowlake (format ${said.format} of ${table.name}, this one has ${format}): install that one`,
        );
    }
    return said;
}

function parseMadeOf(end: Uint8Array<ArrayBuffer>, place: { sizeBytes: number; table: DayTable }): MadeOf | undefined {
    try {
        const text = readMadeOfAtEnd(end, place);
        const format = readFactsAtEnd(end, place)?.saidFormat;
        return text === undefined ? undefined : { ...NOTHING_SAID, ...JSON.parse(text), ...(format !== undefined && { format }) };
    } catch {
        return NOTHING_SAID;
    }
}

/** What an object says of what it was made of, as text. */
export function sayMadeOf({ parts, opening, closing, endInputs }: MadeOf): string {
    return JSON.stringify({ parts, opening, closing, endInputs });
}

/** A state as it is kept, hashed and compared. */
export function textOfState(state: Json): string {
    return JSON.stringify(state);
}

/** The state before anything was. */
export const NO_STATE = textOfState(null);

export function hashOfState(text: string): string {
    return createHash('sha256').update(text).digest('hex');
}

/** The state as it stands in an object. */
export function packState(text: string): Uint8Array {
    return deflateSync(text);
}

/** The text of the state behind an object. @throws StorageError where it is damaged */
export function unpackState(key: string, bytes: Uint8Array<ArrayBuffer>): string {
    try {
        return inflateSync(readState(bytes) ?? new Uint8Array()).toString();
    } catch (error) {
        throw new StorageError(
            `${key} has no state that can be read: flowlake rebuild --from ${dayOf(key)} --to ${dayOf(key)} --anew derives it anew`,
            {
                cause: error,
            },
        );
    }
}

/**
 * A look at all that the day would be made of; `own` is its object as it was read before, `input` reads what is to hold for this look.
 * `days` are the table's days, ascending, where the caller has listed them.
 */
export async function lookAtDay(
    of: DerivedDay,
    {
        store,
        own,
        input,
        days,
    }: { store: ObjectStore; own: Pick<OwnObject, 'madeOf'>; input: ReadInput; days?: readonly string[] | undefined },
): Promise<DayLook> {
    const { derived, day } = of;
    const versions = new Map<string, number>();
    for (const name of namesIn(own.madeOf)) {
        versions.set(name, versionOf(await input(name)));
    }
    const parts = await listParts(of, store);
    const before = derived.isChained ? await (days ? days.findLast((other) => other < day) : findDayBefore(of, store)) : undefined;
    const closing = before === undefined ? hashOfState(NO_STATE) : (await readMadeOf({ ...of, day: before }, { store }))?.closing;
    return { versions, parts, before, opening: derived.isChained ? (closing ?? '') : null };
}

/** Names of all inputs that an object was made of. */
function namesIn(madeOf: MadeOf | undefined): Set<string> {
    return new Set(
        [...(madeOf?.parts ?? []).map(({ inputs }) => inputs), madeOf?.endInputs ?? {}].flatMap((inputs) => Object.keys(inputs)),
    );
}

/** Version of an input as objects name it. */
export function versionOf(input: Input | undefined): number {
    return input?.version ?? 0;
}

/** The merged objects of the day with their etags, ascending: from one listing, where the store's listings have etags. */
async function listParts({ kind: { merged }, day }: DerivedDay, store: ObjectStore): Promise<DayLook['parts']> {
    const listed: { period: string; etag: string | undefined }[] = [];
    for await (const { key, etag } of store.list(dayPrefix(merged.prefix, day))) {
        const period = periodOf(merged, key);
        if (period !== undefined && key === mergedKey(merged, period)) {
            listed.push({ period, etag });
        }
    }
    const parts = await pMap(
        listed,
        async ({ period, etag: known }) => {
            const etag = known ?? (await store.head(mergedKey(merged, period)))?.etag;
            return etag === undefined ? [] : [{ period, etag }];
        },
        { concurrency: CALLS_AT_ONCE },
    );
    return parts.flat();
}

/** The nearest day before this one that has an object. Its month is listed first, and everything only where that has none. */
async function findDayBefore(of: DerivedDay, store: ObjectStore): Promise<string | undefined> {
    const isBefore = (other: string): boolean => other < of.day;
    return (await listDays(of, store, of.day.slice(0, MONTH_LENGTH))).findLast(isBefore) ?? (await listDays(of, store)).findLast(isBefore);
}

const MONTH_LENGTH = 'yyyy-mm'.length;

/** The days of the derived table that have an object, ascending: all of them, or those that begin so. */
export async function listDays({ derived: { table } }: Derivation, store: ObjectStore, beginning?: string): Promise<string[]> {
    const days: string[] = [];
    const prefix = beginning === undefined ? table.prefix : dayPrefix(table.prefix, beginning).slice(0, -1);
    for await (const { key } of store.list(prefix)) {
        const day = dayOf(key);
        if (day !== undefined && key === mergedKey(table, day)) {
            days.push(day);
        }
    }
    return days.sort();
}

/** True if the object names just what is there now. A day without any merged object needs none. */
export function isMadeOf({ derived }: Derivation, madeOf: MadeOf | undefined, { parts, opening, versions }: DayLook): boolean {
    if (!madeOf) {
        return parts.length === 0;
    }
    return (
        madeOf.format === derived.format &&
        madeOf.opening === opening &&
        madeOf.parts.length === parts.length &&
        madeOf.parts.every(
            (part, at) => part.period === parts[at]?.period && part.etag === parts[at]?.etag && hasVersions(part.inputs, versions),
        ) &&
        hasVersions(madeOf.endInputs, versions)
    );
}

/** True if the inputs have these versions now. */
export function hasVersions(inputs: InputVersions, versions: ReadonlyMap<string, number>): boolean {
    return Object.entries(inputs).every(([name, version]) => versions.get(name) === version);
}

/** A period of a merged table as one look at the store shows it: what its object contains, and what should be in it. */
import pMap from 'p-map';
import { StorageError } from '#lake/errors';
import { kindOfTable } from '#lake/kinds';
import { contributionOf, contributionsPrefix, dayOfPeriod, ledgerKey, mergedKey, type TablePeriod } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import { readContains, readContainsAtEnd } from '#lake/parquet';
import { ABSENT, CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';

/** An object of the lake that is there and cannot be read: it is no Parquet file, or a damaged one. */
export class DamagedError extends StorageError {
    readonly key: string;

    constructor(message: string, { key, cause }: { key: string; cause: unknown }) {
        super(message, { cause });
        this.key = key;
    }
}

/** Contributions are `<source>.<version>`, ascending. */
export interface PeriodState {
    etag: string;
    /** Bytes of the period's object, where this look read them. */
    bytes?: Uint8Array<ArrayBuffer> | undefined;
    /** Contributions that the object contains. */
    contained: string[];
    /** Contributions that the object should contain. */
    counting: string[];
}

/** A merged object as a worker wrote it: so the look that follows a write need not read it again. */
export type Written = Omit<PeriodState, 'counting'>;

/** These 64 KiB hold the footer of an object of 50 thousand rows, and the list of a thousand sources. */
export const END_BYTES = 1 << 16;

/** What the period's object contains now, as `<source>.<version>`, ascending. Reads no more of the object than its end. */
export async function containedOf(of: TablePeriod, { store }: { store: ObjectStore }): Promise<string[]> {
    const key = keyOf(of);
    const end = await store.readEnd(key, { lastBytes: END_BYTES });
    const contained = end ? await readable(key, async () => readContainsAtEnd(end.bytes, end), of) : [];
    return contained ?? (await readObject(of, { store })).contained;
}

/** A look that trusts nothing of what is in the object, so that it may be anything. */
export async function lookAnew(of: TablePeriod, { store }: { store: ObjectStore }): Promise<PeriodState> {
    const { etag = ABSENT } = (await store.head(keyOf(of))) ?? {};
    return { etag, contained: [], counting: await countingOf(of, { store, contained: [] }) };
}

/** A look at object and contributions. `written` is the object as the caller wrote it last. @throws StorageError where the object is damaged */
export async function lookAt(
    of: TablePeriod,
    { store, written }: { store: ObjectStore; written?: Written | undefined },
): Promise<PeriodState> {
    const object = await readObject(of, { store, written });
    return { ...object, counting: await countingOf(of, { store, contained: object.contained }) };
}

/** What the object contains and what should be in it; reads no more of the object than its end. */
export async function lookAtEnd(of: TablePeriod, { store }: { store: ObjectStore }): Promise<Pick<PeriodState, 'contained' | 'counting'>> {
    const contained = await containedOf(of, { store });
    return { contained, counting: await countingOf(of, { store, contained }) };
}

/** What should be in the object: the live contributions to the period. `contained` is what it contains. */
async function countingOf(
    { table, period }: TablePeriod,
    { store, contained }: { store: ObjectStore; contained: readonly string[] },
): Promise<string[]> {
    const isContained = new Set(contained);
    const listed = new Map<string, string[]>();
    for await (const { key } of store.list(contributionsPrefix(kindOfTable(table).contributions, period))) {
        const { source, version } = contributionOf(key) ?? {};
        if (source !== undefined && version !== undefined) {
            listed.set(source, [...(listed.get(source) ?? []), version]);
        }
    }
    const counting = await pMap(
        listed,
        async ([source, versions]) => {
            const names = versions.map((version) => `${source}.${version}`);
            // A worker that died before its commit, or lost the race, leaves contributions that nobody may count; and one that has yet to
            // delete what it superseded leaves two versions, of which a reader must never see both.
            const isKnown = names.length === 1 && names.every((name) => isContained.has(name));
            const live = isKnown ? undefined : (await readLedger(store, source)).record?.version;
            return names.filter((name) => isKnown || name === `${source}.${live}`);
        },
        { concurrency: CALLS_AT_ONCE },
    );
    return counting.flat().sort();
}

async function readObject(of: TablePeriod, { store, written }: { store: ObjectStore; written?: Written | undefined }): Promise<Written> {
    const key = keyOf(of);
    if (written && (await store.head(key))?.etag === written.etag) {
        return written;
    }
    const object = await store.get(key);
    return object
        ? {
              etag: object.info.etag,
              bytes: object.bytes,
              contained: await readable(key, async () => readContains(object.bytes), of),
          }
        : { etag: ABSENT, contained: [] };
}

/**
 * What `read` makes of the bytes of the period's object or of one of its contributions.
 * @throws DamagedError where it cannot; StorageError where they are of another format
 */
export async function readable<T>(key: string, read: () => Promise<T>, of: TablePeriod): Promise<T> {
    try {
        return await read();
    } catch (error) {
        if (error instanceof StorageError) {
            // It is whole, of another format, and the error says what to do about that.
            throw new StorageError(`${key}: ${error.message}`, { cause: error });
        }
        const day = dayOfPeriod(of.period);
        const { source = '' } = contributionOf(key) ?? {};
        const nextStep =
            key === keyOf(of)
                ? `flowlake rebuild --from ${day} --to ${day} --anew writes it from the summaries of its day`
                : `flowlake verify --repair reads the file that it is of (${ledgerKey(source)}) once more`;
        throw new DamagedError(`${key} cannot be read as Parquet (${error instanceof Error ? error.message : error}): ${nextStep}`, {
            key,
            cause: error,
        });
    }
}

/** True if the object contains just what counts. */
export function isCurrent({ contained, counting }: Pick<PeriodState, 'contained' | 'counting'>): boolean {
    return contained.length === counting.length && contained.every((name, at) => name === counting[at]);
}

/** True if all that is contained counts still. An object without a list is none of ours: what it adds up to is not known. */
export function isPartOfCounting({ contained, counting }: Pick<PeriodState, 'contained' | 'counting'>): boolean {
    const counts = new Set(counting);
    return contained.length > 0 && contained.every((name) => counts.has(name));
}

/** True if there is neither an object nor a contribution that counts: such a period gets no object. */
export function isWithoutAnything({ etag, counting }: PeriodState): boolean {
    return etag === ABSENT && counting.length === 0;
}

/** The key of the period's object. */
export function keyOf({ table, period }: TablePeriod): string {
    return mergedKey(kindOfTable(table).merged, period);
}

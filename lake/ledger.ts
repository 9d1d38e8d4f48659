/** The ledger: one JSON record per source. It alone decides which version of a source counts. */
import { randomBytes } from 'node:crypto';
import { pMapIterable } from 'p-map';
import { StorageError } from '#lake/errors';
import type { InputVersions } from '#lake/inputs';
import type { Found, Kind, ReadingOption, ReadingOptions } from '#lake/kind';
import { findKindOfRecord, kindOfSource } from '#lake/kinds';
import { chainPlaceOf, isInputName, LEDGER_PREFIX, ledgerKey } from '#lake/layout';
import { countEdits } from '#lake/nearest';
import { shortHash } from '#lake/source-id';
import { ABSENT, CALLS_AT_ONCE, type ListedObject, type ObjectInfo, type ObjectStore, tryPut } from '#lake/store/object-store';

/** The counts of a reading, and its first and last day: columns of table `sources` that every kind of data has. */
export interface Reading {
    rows_read: number;
    rows_kept: number;
    rows_rejected: number;
    first_day: string | null;
    last_day: string | null;
    /** Why the source could not be used at all, or what it is that was skipped; null where it could be used. */
    error: string | null;
    /**
     * Equal for equal figures of whatever files; see lake/commit/fingerprint.ts. Null where nothing counts; records of older versions of the
     * program have none.
     */
    fingerprint?: string | null;
    /** See `Kind.beginning`; null where nothing counts. */
    beginning?: readonly string[] | null;
}

/** A reading of which nothing counts, so that none of its rows are read, kept or rejected. */
export const NOTHING_READ: Reading = {
    rows_read: 0,
    rows_kept: 0,
    rows_rejected: 0,
    first_day: null,
    last_day: null,
    error: null,
    fingerprint: null,
    beginning: null,
};

export interface LedgerRecord extends Reading {
    /** The raw key. */
    source: string;
    site: string;
    /**
     * `empty`: it could be read, and not one row of it counts. `skipped`: surely none of the kind's files, but one that lies beside them by
     * right.
     */
    state: 'done' | 'empty' | 'failed' | 'skipped' | 'retracted';
    /** The live version, `<n>-<attempt>`; null where none counts. A failed, empty or skipped source has a live version without periods. */
    version: string | null;
    /** How the uploader said that the file must be read. */
    options: ReadingOptions;
    /** The inputs that the reader asked for, in the versions that it got, 0 where there was none; of kinds that have inputs. */
    inputs?: InputVersions;
    /** Size of the raw object that was read. */
    size_bytes: number;
    etag: string;
    summarized_at: string;
    /** Commits of this record so far; the next version's `<n>` is one more. */
    commits: number;
    /** Every version that was ever live, with the periods that it contributes to. */
    versions: Record<string, string[]>;
    /** The kind's format number in the program that read the raw object last; records of older versions of the program have none. */
    summary_format?: number;
    /** What each commit said, oldest first; records of older versions of the program have none. */
    history?: CommitEntry[];
    /** The raw object's generation that was there when the source was retracted; null otherwise. */
    retracted_generation: string | null;
    /** What the kind's reader found out: `Kind.found`, and what else it has to say (of flows `repeated_headers`). */
    [found: string]: unknown;
}

/** What one commit said, kept when later ones say something else: for people, nothing is decided by it. */
export interface CommitEntry extends Pick<Reading, 'rows_read' | 'rows_kept' | 'rows_rejected' | 'error'> {
    /** UTC, ISO 8601. */
    committed_at: string;
    state: LedgerRecord['state'];
    version: string | null;
    options: ReadingOptions;
    inputs?: InputVersions;
    size_bytes: number;
    etag: string;
    /** The numbers that the reader found, by their columns' names. */
    [found: string]: unknown;
}

/** The record with its own commit as the last of its history. `before` is the record that it follows. */
export function withHistory(record: LedgerRecord, { before, at }: { before: LedgerRecord | undefined; at: Date }): LedgerRecord {
    return { ...record, history: [...commitsOf(before), entryOf(record, at.toISOString())] };
}

/** What is known of a record's commits, oldest first. One that was written before there was a history knows the version that is live. */
export function commitsOf(record: LedgerRecord | undefined): readonly CommitEntry[] {
    const known = record?.history ?? [];
    if (!record || record.version === null || known.some(({ version }) => version === record.version)) {
        return known;
    }
    return [...known, entryOf(record, record.summarized_at)];
}

function entryOf(record: LedgerRecord, committedAt: string): CommitEntry {
    const { state, version, options, inputs, size_bytes, etag, rows_read, rows_kept, rows_rejected, error } = record;
    const numbers = Object.fromEntries(
        (findKindOfRecord(record)?.found ?? []).filter(({ type }) => type === 'bigint').map(({ name }) => [name, record[name]]),
    );
    return {
        committed_at: committedAt,
        state,
        version,
        options,
        ...(inputs && { inputs }),
        size_bytes,
        etag,
        rows_read,
        rows_kept,
        rows_rejected,
        ...numbers,
        error,
    };
}

/** What the record says in texts and numbers: what was found, and what doubts are told by. */
export function factsOf(record: LedgerRecord): Found {
    const isFact = (entry: [string, unknown]): entry is [string, string | number | null] =>
        entry[1] === null || typeof entry[1] === 'string' || typeof entry[1] === 'number';
    return Object.fromEntries(Object.entries(record).filter(isFact));
}

/** The record as it was read, with the etag that the next commit must find. */
export interface HeldRecord {
    etag: string;
    record: LedgerRecord | undefined;
}

/** The record of a source and its etag; the etag ABSENT and no record where the source was never committed. */
export async function readLedger(store: ObjectStore, source: string): Promise<HeldRecord> {
    const object = await store.get(ledgerKey(source));
    if (!object) {
        return { etag: ABSENT, record: undefined };
    }
    const { etag, key } = object.info;
    const last = lastParsed.get(store);
    if (last?.etag === etag && last.key === key) {
        return { etag, record: last.record };
    }
    const record = parseRecord(object.bytes, key);
    lastParsed.set(store, { etag, key, record });
    return { etag, record };
}

/** The record of each store that was parsed last. One that names thousands of periods is asked for by each of them, and parsing it took a seventh of an upload of such. */
const lastParsed = new WeakMap<ObjectStore, { etag: string; key: string; record: LedgerRecord }>();

/** Commits the record under its source. @returns false where another commit came first */
export async function commitLedger(
    store: ObjectStore,
    { source, record, etag }: { source: string; record: LedgerRecord; etag: string },
): Promise<boolean> {
    return (await tryPut(store, ledgerKey(source), Buffer.from(`${JSON.stringify(record)}\n`), { ifMatch: etag })) !== undefined;
}

/**
 * Uses one commit number up and changes nothing else, so that whoever rests on an older record loses: see `summarize`.
 * @returns the record as it is then, or undefined where another commit came first
 */
export async function fenceLedger(
    store: ObjectStore,
    { source, record, etag }: { source: string; record: LedgerRecord; etag: string },
): Promise<LedgerRecord | undefined> {
    const fenced = { ...record, commits: record.commits + 1 };
    return (await commitLedger(store, { source, record: fenced, etag })) ? fenced : undefined;
}

/** All records, in the order of their keys. */
export async function* listLedger(store: ObjectStore): AsyncGenerator<LedgerRecord> {
    const read = async ({ key }: ListedObject) => (key.endsWith('.json') ? store.get(key) : undefined);
    for await (const object of pMapIterable(store.list(LEDGER_PREFIX), read, { concurrency: CALLS_AT_ONCE })) {
        if (object) {
            yield parseRecord(object.bytes, object.info.key);
        }
    }
}

/** A look at so many records takes seconds, and a cent or so of S3's requests. */
const FEW_RECORDS = 5_000;

/** All records; undefined where there are more than a look that nobody asked for may read. */
export async function readFewRecords(store: ObjectStore): Promise<LedgerRecord[] | undefined> {
    let count = 0;
    for await (const _ of store.list(LEDGER_PREFIX)) {
        count += 1;
        if (count > FEW_RECORDS) {
            return undefined;
        }
    }
    const records: LedgerRecord[] = [];
    for await (const record of listLedger(store)) {
        records.push(record);
    }
    return records;
}

/** Names what a version was read from and how: equal for equal bytes, options, inputs and format of the kind. */
export function contentOf(kind: Kind, content: Pick<CommitEntry, 'etag' | 'options' | 'inputs'>): string {
    const inputs = Object.entries(content.inputs ?? {}).map(([name, version]) => `${name}@${version}`);
    return shortHash([sayContent(kind, content), ...inputs].join(' '));
}

function sayContent(kind: Kind, { etag, options }: Pick<CommitEntry, 'etag' | 'options'>): string {
    return [etag, ...kind.options.map(({ name }) => options[name] ?? ''), kind.format].join(' ');
}

/** True if what is live was read from these bytes, with these options, in the format of this program; of its inputs `isOfInputs` tells. */
export function isOfContent(record: LedgerRecord, raw: Pick<CommitEntry, 'etag' | 'options'>): boolean {
    if (record.version === null) {
        return false;
    }
    const kind = kindOfSource(record.source, record);
    return isOfThisFormat(record) && sayContent(kind, record) === sayContent(kind, raw);
}

/**
 * True if the raw object is one of a chain, and not the one that was read. A name of a chain is taken once, so this is no correction: it is never
 * read. Only where the one before could not be used is it. In a lake that moved to another home, whose etags are hashes of another kind, nothing tells the two
 * apart; there it is read.
 */
export function isStrangeInChain(
    { key, etag }: Pick<ObjectInfo, 'key' | 'etag'>,
    record: Pick<LedgerRecord, 'etag' | 'state'> | undefined,
): boolean {
    const isHashOfADirectory = (one: string): boolean => /^[0-9a-f]{64}$/.test(one);
    return (
        record !== undefined &&
        record.state !== 'failed' &&
        chainPlaceOf(key) !== undefined &&
        etag !== record.etag &&
        isHashOfADirectory(etag) === isHashOfADirectory(record.etag)
    );
}

/** True if what is live was read in the format of this program. */
export function isOfThisFormat(record: LedgerRecord): boolean {
    const kind = kindOfSource(record.source, record);
    // Programs that did not write the format named a version by what it was read from.
    return record.summary_format === undefined
        ? record.version?.endsWith(`-${contentOf(kind, record)}`) === true
        : record.summary_format === kind.format;
}

/**
 * A version for the record's next commit, `<n>-<attempt>`. No other attempt has it, not even one at the same bytes for the same commit: so what was
 * deleted of a version never comes back, whoever is slow.
 */
export function newVersion(
    record: LedgerRecord | undefined,
    { attempt = randomBytes(8).toString('hex') }: { attempt?: string | undefined } = {},
): string {
    return `${(record?.commits ?? 0) + 1}-${attempt}`;
}

/** The commit number of a version `<n>-<attempt>`. */
export function numberOfVersion(version: string): number {
    return Number.parseInt(version, 10);
}

/** Reading options as a raw object's metadata. */
export function toMetadata(kind: Kind, options: ReadingOptions): Record<string, string> {
    return Object.fromEntries(
        kind.options.flatMap(({ name, flag }) => {
            const value = options[name];
            return value === undefined ? [] : [[flag, value]];
        }),
    );
}

/**
 * What a raw object's metadata say of how to read it, as it stands there: also values that the kind does not know, and keys that look like an option's. A source
 * that was read with such is another one than one that was read without.
 */
export function toOptions(kind: Kind, { metadata }: Pick<ObjectInfo, 'metadata'>): ReadingOptions {
    const said = kind.options.flatMap(({ name, flag }) => (metadata[flag] === undefined ? [] : [[name, metadata[flag]]]));
    const flags = kind.options.map(({ flag }) => flag);
    const meant = Object.entries(metadata).filter(([key]) => !flags.includes(key) && meantBy(key, kind));
    return Object.fromEntries([...said, ...meant]);
}

/** Why no source can be read by these options, in one sentence that names what is allowed; undefined where one can. */
export function faultOfOptions(kind: Kind, options: ReadingOptions): string | undefined {
    for (const [key, value] of Object.entries(options)) {
        const option = kind.options.find(({ name }) => name === key);
        if (!option) {
            const meant = meantBy(key, kind)?.flag;
            return `its metadata have ${JSON.stringify(key)}, which looks like ${meant} and is not: ${HOW_TO_CORRECT}`;
        }
        const { flag, choices } = option;
        if (!(choices ? choices.includes(value) : isInputName(value))) {
            const allowed = choices ? choices.join(', ') : 'lower case letters, digits, dots, dashes and underscores';
            return `its metadata say ${flag}=${JSON.stringify(value)}, and allowed are ${allowed}: ${HOW_TO_CORRECT}`;
        }
    }
    return undefined;
}

const HOW_TO_CORRECT = 'put the object again with metadata that are right, or upload the file with flowlake upload';

/** The option that a key of metadata means, though it is one or two letters away from it, or has other signs between the same letters. */
function meantBy(key: string, { options }: Kind): ReadingOption | undefined {
    const letters = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '');
    return options.find(({ flag }) => countEdits(letters(key), letters(flag)) <= MAX_EDITS);
}

const MAX_EDITS = 2;

function parseRecord(bytes: Uint8Array, key: string): LedgerRecord {
    const value = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
    // A record of a kind that is not known is left as it is, and holds up nobody who asks for others.
    const kind = isRecord(value) ? findKindOfRecord(value) : undefined;
    if (!isRecord(value) || (kind && !hasCounts(value))) {
        throw new StorageError(`${key} is no ledger record: restore it from a backup, or delete it and run flowlake reconcile`);
    }
    if (kind && (value.summary_format ?? 0) > kind.format) {
        throw new StorageError(
            `${key} was written by a newer flowlake (summary format ${value.summary_format}, this one knows ${kind.format}): install that version`,
        );
    }
    return value;
}

/** True if the record has the whole numbers that every kind's records have: without them no sum is right. */
function hasCounts({ commits, rows_read, rows_kept, rows_rejected, size_bytes }: LedgerRecord): boolean {
    return [commits, rows_read, rows_kept, rows_rejected, size_bytes].every(Number.isSafeInteger);
}

/** The value of a JSON text; undefined where it is none. */
function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function isRecord(value: unknown): value is LedgerRecord {
    return (
        typeof value === 'object' &&
        value !== null &&
        'source' in value &&
        typeof value.source === 'string' &&
        'commits' in value &&
        'versions' in value &&
        'state' in value
    );
}

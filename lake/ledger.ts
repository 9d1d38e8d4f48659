/** The ledger: one JSON record per source. It alone decides which version of a source counts. */
import { randomBytes } from 'node:crypto';
import { pMapIterable } from 'p-map';
import { StorageError } from '#lake/errors';
import { LEDGER_PREFIX, ledgerKey, shortHash } from '#lake/layout';
import { ABSENT, CALLS_AT_ONCE, type ListedObject, type ObjectInfo, type ObjectStore } from '#lake/store/object-store';

/**
 * Part of what a version was read from: raise it when the same bytes would be read otherwise, and `reconcile` reads every source again. A program that
 * meets a record of a higher one stops, else it would put its older figures in the place of the newer ones.
 */
export const SUMMARY_FORMAT = 2;

export const DATE_ORDERS = ['dmy', 'mdy', 'ymd'] as const;
export const DURATION_UNITS = ['us', 's'] as const;
export type DateOrder = (typeof DATE_ORDERS)[number];
export type DurationUnit = (typeof DURATION_UNITS)[number];

/** How the uploader said a file must be read; what is not said is found out. Kept as metadata of the raw object. */
export interface ReadingOptions {
    dateOrder?: DateOrder;
    durationUnit?: DurationUnit;
}

/** What reading a source found out: the columns of table `sources` that come from the file. */
export interface Reading {
    dialect: string | null;
    date_order: DateOrder | 'epoch' | 'assumed' | null;
    duration_unit: DurationUnit | null;
    rows_read: number;
    rows_kept: number;
    rows_rejected: number;
    /** Header rows met again below the first one; they are not in `rows_read`. */
    repeated_headers: number;
    first_day: string | null;
    last_day: string | null;
    /** Distinct pairs. */
    pairs: number;
    /** Why the file could not be used at all; null where it could. */
    error: string | null;
}

export interface LedgerRecord extends Reading {
    /** The raw key. */
    source: string;
    site: string;
    state: 'done' | 'failed' | 'retracted';
    /** The live version, `<n>-<attempt>`; null where none counts. A failed source has a live version without days. */
    version: string | null;
    /** How the uploader said that the file must be read. */
    options: ReadingOptions;
    /** Of the raw object that was read. */
    size_bytes: number;
    etag: string;
    summarized_at: string;
    /** Commits of this record so far; the next version's `<n>` is one more. */
    commits: number;
    /** Every version that was ever live, with the days it has summaries for. */
    versions: Record<string, string[]>;
    /** `SUMMARY_FORMAT` of the program that read the raw object last; records of older versions of the program have none. */
    summary_format?: number;
    /** What each commit said, oldest first; records of older versions of the program have none. */
    history?: CommitEntry[];
    /** The raw object's generation that was there when the source was retracted; null otherwise. */
    retracted_generation: string | null;
}

/** What one commit said, kept when later ones say something else: for people, nothing is decided by it. */
export interface CommitEntry extends Pick<LedgerRecord, 'state' | 'version' | 'options' | 'size_bytes' | 'etag'>, CommitCounts {
    /** UTC, ISO 8601. */
    committed_at: string;
}

type CommitCounts = Pick<Reading, 'rows_read' | 'rows_kept' | 'rows_rejected' | 'pairs' | 'error'>;

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
    const { state, version, options, size_bytes, etag, rows_read, rows_kept, rows_rejected, pairs, error } = record;
    return { committed_at: committedAt, state, version, options, size_bytes, etag, rows_read, rows_kept, rows_rejected, pairs, error };
}

/** The record as it was read, with the etag that the next commit must find. */
export interface HeldRecord {
    etag: string;
    record: LedgerRecord | undefined;
}

/** @returns the record, or the etag ABSENT and no record where the source was never committed. */
export async function readLedger(store: ObjectStore, source: string): Promise<HeldRecord> {
    const object = await store.get(ledgerKey(source));
    return object ? { etag: object.info.etag, record: parseRecord(object.bytes, object.info.key) } : { etag: ABSENT, record: undefined };
}

/** @throws ConflictError where another commit came first. */
export async function commitLedger(
    store: ObjectStore,
    { source, record, etag }: { source: string; record: LedgerRecord; etag: string },
): Promise<void> {
    await store.put(ledgerKey(source), Buffer.from(`${JSON.stringify(record)}\n`), { ifMatch: etag });
}

/**
 * Uses one commit number up and changes nothing else, so that whoever rests on an older record loses: see `summarize`.
 * @returns the record as it is then @throws ConflictError where another commit came first.
 */
export async function fenceLedger(
    store: ObjectStore,
    { source, record, etag }: { source: string; record: LedgerRecord; etag: string },
): Promise<LedgerRecord> {
    const fenced = { ...record, commits: record.commits + 1 };
    await commitLedger(store, { source, record: fenced, etag });
    return fenced;
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

/** Names what a version was read from and how: equal for equal bytes, options and format. */
export function contentOf({ etag, options }: Pick<CommitEntry, 'etag' | 'options'>): string {
    return shortHash([etag, options.dateOrder ?? '', options.durationUnit ?? '', SUMMARY_FORMAT].join(' '));
}

/** Whether what is live was read from these bytes, with these options, in the format of this program. */
export function isOfContent(record: LedgerRecord, raw: Pick<CommitEntry, 'etag' | 'options'>): boolean {
    if (record.version === null) {
        return false;
    }
    // Programs that did not write the format named a version by what it was read from.
    const isOfFormat =
        record.summary_format === undefined ? record.version.endsWith(`-${contentOf(record)}`) : record.summary_format === SUMMARY_FORMAT;
    return isOfFormat && contentOf(record) === contentOf(raw);
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

/** Reading options as a raw object's metadata, and back. */
export function toMetadata({ dateOrder, durationUnit }: ReadingOptions): Record<string, string> {
    return { ...(dateOrder && { 'date-order': dateOrder }), ...(durationUnit && { 'duration-unit': durationUnit }) };
}

export function toOptions(metadata: ObjectInfo['metadata']): ReadingOptions {
    const dateOrder = DATE_ORDERS.find((order) => order === metadata['date-order']);
    const durationUnit = DURATION_UNITS.find((unit) => unit === metadata['duration-unit']);
    return { ...(dateOrder && { dateOrder }), ...(durationUnit && { durationUnit }) };
}

function parseRecord(bytes: Uint8Array, key: string): LedgerRecord {
    const value = parseJson(Buffer.from(bytes).toString());
    if (!isRecord(value)) {
        throw new StorageError(`${key} is no ledger record: restore it from a backup, or delete it and run flowlake reconcile`);
    }
    if ((value.summary_format ?? 0) > SUMMARY_FORMAT) {
        throw new StorageError(
            `${key} was written by a newer flowlake (summary format ${value.summary_format}, this one knows ${SUMMARY_FORMAT}): install that version`,
        );
    }
    return value;
}

/** Undefined where the text is no JSON. */
function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function isRecord(value: unknown): value is LedgerRecord {
    return (
        typeof value === 'object' && value !== null && 'source' in value && 'commits' in value && 'versions' in value && 'state' in value
    );
}

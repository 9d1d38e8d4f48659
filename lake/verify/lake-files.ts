/** What stands in a directory lake, as far as it is verified. A file that is not there and one that cannot be read are told apart. */
import { type Dirent, promises as fs } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { StorageError } from '#lake/errors';
import {
    contributionOf,
    dayOf,
    dayPrefix,
    LEDGER_PREFIX,
    ledgerKey,
    PAIR_DAYS_PREFIX,
    pairDaysKey,
    RAW_PREFIX,
    SUMMARIES_PREFIX,
    sourceId,
} from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';

/** What of a ledger record is verified, and what is needed for it. */
export type SourceRecord = Pick<
    LedgerRecord,
    | 'source'
    | 'site'
    | 'state'
    | 'version'
    | 'options'
    | 'etag'
    | 'size_bytes'
    | 'versions'
    | 'dialect'
    | 'date_order'
    | 'duration_unit'
    | 'rows_read'
    | 'rows_kept'
    | 'rows_rejected'
    | 'repeated_headers'
    | 'first_day'
    | 'last_day'
    | 'pairs'
>;

/** Something that stood in the way, with the key of what it is about. */
export interface Unreadable {
    key: string;
    why: string;
}

/** The records of the ledger by their keys, in the order of their sources; and what could not be read as one. */
export async function readRecords(directory: string): Promise<{ records: SourceRecord[]; unreadable: Unreadable[]; state: string }> {
    const records: SourceRecord[] = [];
    const unreadable: Unreadable[] = [];
    const state: string[] = [];
    for (const { name } of await list(directory, LEDGER_PREFIX)) {
        if (!name.endsWith('.json')) {
            continue;
        }
        const key = LEDGER_PREFIX + name;
        try {
            const text = await fs.readFile(join(directory, key), 'utf8');
            const record = parseRecord(text);
            state.push(key, text);
            if (record === undefined || ledgerKey(sourceId(record.source)) !== key) {
                unreadable.push({ key, why: record ? `it is the record of ${record.source}` : 'it is no ledger record' });
            } else {
                records.push(record);
            }
        } catch (error) {
            if (!isMissing(error)) {
                unreadable.push({ key, why: messageOf(error) });
            }
        }
    }
    return { records: records.sort((a, b) => (a.source < b.source ? -1 : 1)), unreadable, state: state.join('\n') };
}

/** Size of each raw file by its key. */
export async function listRaw(directory: string): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for (const entry of await list(directory, RAW_PREFIX, { isDeep: true })) {
        const path = join(entry.parentPath, entry.name);
        const stats = entry.isDirectory() ? undefined : await fs.stat(path).catch(undefinedIfMissing);
        if (stats?.isFile()) {
            sizes.set(relative(directory, path).split(sep).join('/'), stats.size);
        }
    }
    return sizes;
}

/** The days for which each `<source>.<version>` has a summary. */
export async function listSummaries(directory: string): Promise<Map<string, string[]>> {
    const days = new Map<string, string[]>();
    for (const { name: folder } of await list(directory, SUMMARIES_PREFIX)) {
        const day = dayOf(`${SUMMARIES_PREFIX}${folder}/`);
        if (day === undefined) {
            continue;
        }
        for (const { name } of await list(directory, dayPrefix(SUMMARIES_PREFIX, day))) {
            const contribution = contributionOf(dayPrefix(SUMMARIES_PREFIX, day) + name);
            if (contribution && name.endsWith('.parquet')) {
                const id = `${contribution.source}.${contribution.version}`;
                days.set(id, [...(days.get(id) ?? []), day]);
            }
        }
    }
    return days;
}

/** The days that have pair days, and the Parquet objects beside them that a reader would take for some. */
export async function listPairDays(directory: string): Promise<{ days: string[]; strays: string[] }> {
    const days: string[] = [];
    const strays: string[] = [];
    for (const { name: folder } of await list(directory, PAIR_DAYS_PREFIX)) {
        for (const { name } of await list(directory, `${PAIR_DAYS_PREFIX}${folder}/`)) {
            const key = `${PAIR_DAYS_PREFIX}${folder}/${name}`;
            const day = dayOf(key);
            if (day !== undefined && key === pairDaysKey(day)) {
                days.push(day);
            } else if (name.endsWith('.parquet') && !/^[._]/.test(name)) {
                strays.push(key);
            }
        }
    }
    return { days: days.sort(), strays };
}

export function isMissing(error: unknown): boolean {
    return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

function undefinedIfMissing(error: unknown): undefined {
    if (!isMissing(error)) {
        throw error;
    }
}

/** What stands under a prefix; nothing where the folder is missing. @throws StorageError where it cannot be told. */
async function list(directory: string, prefix: string, { isDeep = false }: { isDeep?: boolean } = {}): Promise<Dirent[]> {
    try {
        return await fs.readdir(join(directory, prefix), { withFileTypes: true, recursive: isDeep });
    } catch (error) {
        if (isMissing(error)) {
            return [];
        }
        throw new StorageError(`cannot list ${prefix} in ${directory}: ${messageOf(error)}`, { cause: error });
    }
}

function parseRecord(text: string): SourceRecord | undefined {
    const value: unknown = JSON.parse(text);
    return isSourceRecord(value) ? value : undefined;
}

const TYPES: Record<keyof SourceRecord, readonly string[]> = {
    source: ['string'],
    site: ['string'],
    state: ['string'],
    version: ['string', 'null'],
    options: ['object', 'undefined'],
    etag: ['string', 'null'],
    size_bytes: ['number'],
    versions: ['object'],
    dialect: ['string', 'null'],
    date_order: ['string', 'null'],
    duration_unit: ['string', 'null'],
    rows_read: ['number'],
    rows_kept: ['number'],
    rows_rejected: ['number'],
    repeated_headers: ['number'],
    first_day: ['string', 'null'],
    last_day: ['string', 'null'],
    pairs: ['number'],
};

function isSourceRecord(value: unknown): value is SourceRecord {
    if (typeof value !== 'object' || value === null) {
        return false;
    }
    const found = new Map<string, unknown>(Object.entries(value));
    const isTyped = Object.entries(TYPES).every(([name, types]) =>
        types.includes(found.get(name) === null ? 'null' : typeof found.get(name)),
    );
    const source = found.get('source');
    return isTyped && typeof source === 'string' && source.startsWith(RAW_PREFIX) && !source.split('/').includes('..');
}

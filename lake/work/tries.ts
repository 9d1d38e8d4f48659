/**
 * What became of the tries at a source or a period that has failed: a small object for each below `tries/`, so that the command line knows why something
 * waits. A note is put by the worker that failed, put again by each further try, and taken away by the one that succeeds. No figure rests on it, and a note
 * that a slow or dead worker left is not believed: whoever reads it holds it against what the lake itself says of its subject.
 */
import pMap from 'p-map';
import { VISIBILITY_PER_TIMEOUT } from '#lake/deployment';
import { StorageError } from '#lake/errors';
import { findDerivation, kindOfTable } from '#lake/kinds';
import { ledgerKey, mergedKey, nameOfPeriod, type TablePeriod, TRIES_PREFIX, triesKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { subjectsOf } from './messages.ts';
import type { WorkQueue } from './work-queues.ts';

/** What is known of the tries at one subject. Times are UTC, ISO 8601. */
export interface Tries {
    /** A raw key or an input's pointer, or a period as `nameOfPeriod` names it. */
    subject: string;
    /** The queue that its messages come from, by the name that people know. */
    queue: WorkQueue['queue'];
    /** How often the message that was tried most was handed out so far. */
    tries: number;
    /** How often it is tried before it is a dead letter; null where the worker does not know. */
    max_tries: number | null;
    /** Time at which the last try was begun, or had failed. */
    at: string;
    /** True while the last try has given no answer yet. */
    is_under_way: boolean;
    /** Time from which on its worker is surely dead, for a try that is under way. */
    dead_at: string | null;
    /** Why the last try that gave an answer has failed; null where none did: such workers ran out of memory, or were killed. */
    error: string | null;
    /** Time of the next try; null where there is none any more. */
    next_try_at: string | null;
    /** Receipts of its messages: they name this handing-out to the queue. */
    receipts: string[];
}

/** A message's try, as its worker knows it. */
export interface ThisTry {
    tries: number;
    receipts: string[];
}

/** What a worker notes. A call that throws changes nothing of the work. */
export interface TryNotes {
    /** Notes that a try is begun; for those behind the first one. `wholeMs` is how long its function may run. */
    began(subject: string, thisTry: ThisTry & { wholeMs: number }): Promise<void>;
    /** Notes that a try has failed, and that the message comes back after some seconds. */
    failed(subject: string, thisTry: ThisTry & { error: string; afterSeconds: number }): Promise<void>;
    /** Takes the note of a subject away, where there is one. */
    succeeded(subject: string): Promise<void>;
}

/** Notes of one queue's messages. */
export function openTryNotes(
    store: ObjectStore,
    { queue, maxTries, now }: { queue: WorkQueue['queue']; maxTries: number | undefined; now: () => Date },
): TryNotes {
    const after = (ms: number): string => new Date(now().getTime() + ms).toISOString();
    const put = async (note: Omit<Tries, 'queue' | 'max_tries' | 'at'>): Promise<void> => {
        const isGivenUp = maxTries !== undefined && note.tries >= maxTries && !note.is_under_way;
        const whole: Tries = {
            ...note,
            queue,
            max_tries: maxTries ?? null,
            at: now().toISOString(),
            next_try_at: isGivenUp ? null : note.next_try_at,
        };
        await store.put(keyOf(note.subject), Buffer.from(`${JSON.stringify(whole)}\n`));
    };
    return {
        async began(subject, { tries, receipts, wholeMs }) {
            const error = (await readTries(store, subject))?.error ?? null;
            const next = after(VISIBILITY_PER_TIMEOUT * wholeMs);
            await put({ subject, tries, receipts, error, is_under_way: true, dead_at: after(wholeMs), next_try_at: next });
        },
        async failed(subject, { tries, receipts, error, afterSeconds }) {
            const next = after(afterSeconds * 1000);
            await put({ subject, tries, receipts, error, is_under_way: false, dead_at: null, next_try_at: next });
        },
        succeeded: (subject) => deleteNote(store, subject),
    };
}

/** What is noted of a subject; undefined where nothing is. @throws StorageError */
export async function readTries(store: ObjectStore, subject: string): Promise<Tries | undefined> {
    const object = await store.get(keyOf(subject));
    return object && parseTries(object.bytes);
}

/** Every note, whether or not it is still true. @throws StorageError */
export function listTries(store: ObjectStore): Promise<Tries[]> {
    return readNotes(store, () => true);
}

async function readNotes(store: ObjectStore, isWanted: (key: string) => boolean): Promise<Tries[]> {
    const keys: string[] = [];
    for await (const { key } of store.list(TRIES_PREFIX)) {
        if (isWanted(key)) {
            keys.push(key);
        }
    }
    const notes = await pMap(keys, async (key) => (await store.get(key))?.bytes, { concurrency: CALLS_AT_ONCE });
    return notes.flatMap((bytes) => (bytes ? (parseTries(bytes) ?? []) : []));
}

/**
 * Takes away what is noted of the tries at what these messages are of: whoever brings them back begins anew. What is noted of a message that nobody understands, or may
 * not be taken away, stays until its next try.
 */
export async function forgetTries(
    store: ObjectStore,
    { queue, bodies }: { queue: WorkQueue['queue']; bodies: readonly string[] },
): Promise<void> {
    for (const subject of bodies.flatMap((body) => subjectsOrNone(queue, body))) {
        try {
            await deleteNote(store, subject);
        } catch (error) {
            if (!(error instanceof StorageError)) {
                throw error;
            }
        }
    }
}

function subjectsOrNone(queue: WorkQueue['queue'], body: string): string[] {
    try {
        return queue === 'given-up' ? [] : subjectsOf(queue, body);
    } catch {
        return [];
    }
}

/** What is undone: the keys of sources, and periods. */
export interface Undone {
    sources: readonly string[];
    periods: readonly TablePeriod[];
}

/**
 * The notes that tell of what is undone now: those of what is done since are left out, and so are those that are older than what is there. Ascending by their
 * subjects. @throws StorageError
 */
async function findTries(store: ObjectStore, { sources, periods }: Undone): Promise<Tries[]> {
    if (sources.length + periods.length === 0) {
        return [];
    }
    const witnesses = new Map<string, string[]>([
        ...sources.map((key): [string, string[]] => [key, [key, ledgerKey(sourceId(key))]]),
        ...periods.map((of): [string, string[]] => [nameOfPeriod(of), [objectOf(of)]]),
    ]);
    const isNewest = async (note: Tries): Promise<boolean> => {
        const times = await pMap(witnesses.get(note.subject) ?? [], (key) => modifiedAt(store, key));
        return times.every((time) => time === undefined || time.getTime() <= Date.parse(note.at));
    };
    const wanted = new Set([...witnesses.keys()].map(keyOf));
    const known = await readNotes(store, (key) => wanted.has(key));
    const kept = await pMap(known, async (note) => ((await isNewest(note)) ? [note] : []), { concurrency: CALLS_AT_ONCE });
    return kept.flat().sort((a, b) => (a.subject < b.subject ? -1 : 1));
}

/** What `findTries` finds, or why it cannot be read: whoever waits for something is told all else. */
export async function lookAtTries(store: ObjectStore, undone: Undone): Promise<Tries[] | StorageError> {
    try {
        return await findTries(store, undone);
    } catch (error) {
        if (error instanceof StorageError) {
            return error;
        }
        throw error;
    }
}

/** Key of the period's object: whoever wrote it after a try had failed has succeeded. */
function objectOf({ table, period }: TablePeriod): string {
    return mergedKey(findDerivation(table)?.derived.table ?? kindOfTable(table).merged, period);
}

async function modifiedAt(store: ObjectStore, wanted: string): Promise<Date | undefined> {
    for await (const { key, modifiedAt: at } of store.list(wanted)) {
        return key === wanted ? at : undefined;
    }
    return undefined;
}

async function deleteNote(store: ObjectStore, subject: string): Promise<void> {
    // Asked for first: to delete what is not there leaves a delete marker in a bucket that keeps versions.
    if (await store.head(keyOf(subject))) {
        await store.delete(keyOf(subject));
    }
}

function keyOf(subject: string): string {
    return triesKey(sourceId(subject));
}

/** The note; undefined for what is none. */
function parseTries(bytes: Uint8Array): Tries | undefined {
    try {
        const note: Partial<Tries> = JSON.parse(Buffer.from(bytes).toString());
        const { subject, queue, tries, at, receipts = [] } = note;
        if (typeof subject !== 'string' || typeof queue !== 'string' || typeof tries !== 'number' || typeof at !== 'string') {
            return undefined;
        }
        const { max_tries = null, is_under_way = false, dead_at = null, error = null, next_try_at = null } = note;
        return { subject, queue, tries, at, receipts, max_tries, is_under_way, dead_at, error, next_try_at };
    } catch {
        return undefined;
    }
}

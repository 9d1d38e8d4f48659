/**
 * The index of chain objects: what each holds, and what became of it. A training job or an auditor starts from it. No figure rests on it, and all of it can be
 * made again from the objects, but for one thing: the first and last sequence of an object that was pruned. docs/datasets.md.
 */
import { chainPlaceOf } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import { type ChainMessage, compareSequences } from '#lake/telemetry/chain-line';
import type { DatasetState } from './dataset-states.ts';

/** What a chain object holds. It never changes: a name of a chain is taken once. */
export interface ChainFacts {
    /** Sequence numbers of the first and the last message, without leading zeros. Every message of the shard between them stands in the object. */
    first: string;
    last: string;
    /** Earliest and latest arrival, UTC epoch milliseconds. */
    firstArrivedMs: number;
    lastArrivedMs: number;
    messages: number;
    /** Messages among them that were put aside on the way in, with a reason; they become rejects. */
    refused: number;
    /** Distinct devices of the messages that are known to be of one. */
    deviceCount: number;
    /** All of them, ascending; undefined where they are more than MOST_DEVICES_NAMED. */
    devices: readonly string[] | undefined;
    /** Profiles that the devices had on arrival, and how many messages of each; messages of devices without one are in none. */
    profiles: Readonly<Record<string, number>>;
}

/** What the lake has made of a chain object, by its ledger record. */
export interface ReadFacts {
    /** Number of commits of the record; of two notes the one with more is the later. */
    commits: number;
    state: LedgerRecord['state'];
    /** Version of the source that counts; null where none does. */
    version: string | null;
    readings: number;
    messagesKept: number;
    messagesRejected: number;
    /** Profiles that it was read with, and their versions: `thermostat@3, till@1`; null where none was. */
    profiles: string | null;
    /** Days that its readings lie in, ascending; undefined where they are more than MOST_DAYS_NAMED. */
    days: readonly string[] | undefined;
    dayCount: number;
    firstDay: string | null;
    lastDay: string | null;
    sizeBytes: number;
    /** UTC, ISO 8601. */
    readAt: string;
}

/** An item of the index. */
export interface Dataset {
    /** The raw key. */
    key: string;
    stream: string;
    shard: string;
    /** What it holds. Undefined where its writer died before the note, until somebody looks; in a directory lake, where the object is pruned. */
    chain: ChainFacts | undefined;
    /** What came of it; undefined until it was read. */
    read: ReadFacts | undefined;
    /** True where its bytes were freed; its figures stay. */
    isPruned: boolean;
}

/** What is asked of the index; each that is given narrows the answer. */
export interface DatasetQuestion {
    device?: string | undefined;
    /** Name of a profile, as stamped on arrival. */
    profile?: string | undefined;
    /** Arrivals from this millisecond on, and before that one. */
    fromMs?: number | undefined;
    untilMs?: number | undefined;
    state?: DatasetState | undefined;
}

/** A span of sequence numbers, both ends in it. */
export interface SequenceSpan {
    first: string;
    last: string;
}

/** What a chain object covers: every message of the shard from `first` to `last` stands in it. */
export interface ChainSpan extends SequenceSpan {
    /** The end of the object before it. */
    after: string;
}

/** The index. Every note is safe to repeat, in whatever order notes come. */
export interface DatasetIndex {
    /** Notes what an object holds: by its writer, once the object is there. */
    noteChain(key: string, facts: ChainFacts): Promise<void>;
    /** Notes what the lake has made of the object, unless a later commit is noted. @returns false where it is not noted what the object holds */
    noteRead(key: string, facts: ReadFacts): Promise<boolean>;
    /** Notes that its bytes were freed. */
    notePruned(key: string, at: string): Promise<void>;
    /** The span of each object of the chain that meets the given one, pruned ones too, as far as it is noted; the last one first. */
    spans(chain: { stream: string; shard: string }, within: SequenceSpan): AsyncIterable<ChainSpan>;
    /** Items, in no order: all that may be asked for, and others as it comes. */
    list(question: Pick<DatasetQuestion, 'fromMs' | 'untilMs'>): AsyncIterable<Dataset>;
    get(key: string): Promise<Dataset | undefined>;
}

/** More devices than this are counted and not named: an item of DynamoDB is paid by its size. */
export const MOST_DEVICES_NAMED = 1_000;

/** More days than this are counted and not named. */
const MOST_DAYS_NAMED = 100;

/** What an object of these messages holds. @throws RangeError of none: there is no such object */
export function chainFactsOf(messages: Iterable<ChainMessage>): ChainFacts {
    const facts = new ChainFactsTaken();
    for (const message of messages) {
        facts.take(message);
    }
    return facts.facts();
}

/** Counts what an object holds, a message after the other. */
export class ChainFactsTaken {
    #first: string | undefined;
    #last = '0';
    #firstArrivedMs = Number.POSITIVE_INFINITY;
    #lastArrivedMs = Number.NEGATIVE_INFINITY;
    #messages = 0;
    #refused = 0;
    readonly #devices = new Set<string>();
    readonly #profiles = new Map<string, number>();

    take({ sequence, arrivedMs, device, profile, refused }: Omit<ChainMessage, 'payload' | 'way'>): void {
        this.#first ??= sequence;
        this.#last = sequence;
        this.#firstArrivedMs = Math.min(this.#firstArrivedMs, arrivedMs);
        this.#lastArrivedMs = Math.max(this.#lastArrivedMs, arrivedMs);
        this.#messages += 1;
        this.#refused += refused === undefined ? 0 : 1;
        if (device !== undefined) {
            this.#devices.add(device);
        }
        if (profile !== undefined) {
            this.#profiles.set(profile, (this.#profiles.get(profile) ?? 0) + 1);
        }
    }

    get messages(): number {
        return this.#messages;
    }

    /** @throws RangeError where nothing was taken */
    facts(): ChainFacts {
        if (this.#first === undefined) {
            throw new RangeError('a chain object has one message at least');
        }
        const { size } = this.#devices;
        return {
            first: withoutZeros(this.#first),
            last: withoutZeros(this.#last),
            firstArrivedMs: this.#firstArrivedMs,
            lastArrivedMs: this.#lastArrivedMs,
            messages: this.#messages,
            refused: this.#refused,
            deviceCount: size,
            devices: size > MOST_DEVICES_NAMED ? undefined : [...this.#devices].sort(),
            profiles: Object.fromEntries([...this.#profiles].sort(([one], [other]) => (one < other ? -1 : 1))),
        };
    }
}

/** What the lake has made of the object, as its ledger record says it. */
export function readFactsOf(record: LedgerRecord): ReadFacts {
    const periods = record.version === null ? [] : (record.versions[record.version] ?? []);
    const days = [...new Set(periods.map((period) => period.slice(0, 'yyyy-mm-dd'.length)))].sort();
    return {
        commits: record.commits,
        state: record.state,
        version: record.version,
        readings: typeof record.readings === 'number' ? record.readings : 0,
        messagesKept: record.rows_kept,
        messagesRejected: record.rows_rejected,
        profiles: typeof record.profiles === 'string' ? record.profiles : null,
        days: days.length > MOST_DAYS_NAMED ? undefined : days,
        dayCount: days.length,
        firstDay: days[0] ?? null,
        lastDay: days.at(-1) ?? null,
        sizeBytes: record.size_bytes,
        readAt: record.summarized_at,
    };
}

/** The chain that a key of a chain object names; undefined for any other key. */
export function chainOfKey(key: string): { stream: string; shard: string; predecessorEnd: string } | undefined {
    const place = chainPlaceOf(key);
    const [, stream, shard] = /\/stream=([^/]+)\/shard=([^/]+)\/$/.exec(place?.prefix ?? '') ?? [];
    return place && stream !== undefined && shard !== undefined ? { stream, shard, predecessorEnd: place.predecessorEnd } : undefined;
}

export function stateOf({ read, isPruned }: Dataset): DatasetState {
    if (isPruned) {
        return 'pruned';
    }
    if (read === undefined) {
        return 'in chain';
    }
    return read.state === 'failed' || read.state === 'retracted' ? read.state : 'read';
}

/**
 * True if the item is one of those that are asked for; undefined where that cannot be told by the item alone: it holds more devices than it names, or it is
 * not noted what it holds.
 */
export function isAskedFor(dataset: Dataset, { device, profile, fromMs, untilMs, state }: DatasetQuestion): boolean | undefined {
    if (state !== undefined && stateOf(dataset) !== state) {
        return false;
    }
    const { chain } = dataset;
    if (!chain) {
        return device === undefined && profile === undefined && fromMs === undefined && untilMs === undefined ? true : undefined;
    }
    if (fromMs !== undefined && chain.lastArrivedMs < fromMs) {
        return false;
    }
    if (untilMs !== undefined && chain.firstArrivedMs >= untilMs) {
        return false;
    }
    if (profile !== undefined && !Object.hasOwn(chain.profiles, profile)) {
        return false;
    }
    return device === undefined ? true : chain.devices?.includes(device);
}

/** True if the two spans have a sequence number in common. */
export function doMeet(one: SequenceSpan, other: SequenceSpan): boolean {
    return compareSequences(one.first, other.last) <= 0 && compareSequences(other.first, one.last) <= 0;
}

function withoutZeros(sequence: string): string {
    return sequence.replace(/^0+(?=\d)/, '');
}

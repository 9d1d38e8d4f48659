/**
 * Writes the chain: the raw objects of one shard of an inbox, each named after where its predecessor ended. A name can be taken once, so the objects form one
 * list without overlap or branch, whatever batches come again, in other pieces, or late. docs/design.md, "The chain", has the rules.
 */
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip, gzipSync } from 'node:zlib';
import { StorageError, UsageError } from '#lake/errors';
import { CHAIN_END_BELIEVED_MS, type ChainOf, chainKey, chainPlaceOf, chainPrefix, ledgerKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { ABSENT, type ObjectStore, tryPut } from '#lake/store/object-store';
import { type ChainMessage, compareSequences, decodeLine, encodeEnd, encodeMessage } from '#lake/telemetry/chain-line';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** A shard of a stream of messages of devices. */
export type ChainShard = Omit<ChainOf, 'kind'>;

/** Name of an object's end among its metadata: what its last line says, for whoever does not want to read it all. */
export const END = 'end';

export interface ChainWriterOptions extends ChainShard {
    now: () => Date;
    /** How long the end in memory is believed; no longer than this unless there surely never is another writer. */
    believeMs?: number | undefined;
    /** A number up to which messages surely stood in the chain once: should its objects have been taken away, their names are not given again. */
    atLeast?: string | undefined;
    /** Asked before the chain is listed: an end that an object surely has or had, the greatest that is known; undefined for none. */
    findEnd?: (() => Promise<string | undefined>) | undefined;
}

/** What came of a batch. */
export interface Appended {
    /** The end of the chain, now that all of the batch stands in it: at the batch's last message, or behind it. */
    end: string;
    /** How many messages were appended; the others stood in the chain before. */
    appended: number;
    /** The object that holds what was appended; undefined where nothing was. */
    key: string | undefined;
}

/** Appends to one chain. Several writers of one chain are safe; only one of them may get the messages of the shard, in their order, at a time. */
export class ChainWriter {
    readonly #store: Pick<ObjectStore, 'list' | 'head' | 'get' | 'put'>;
    readonly #chain: ChainOf;
    readonly #now: () => Date;
    readonly #believeMs: number;
    readonly #atLeast: string;
    readonly #findEnd: ChainWriterOptions['findEnd'];
    /** The chain's end as it was last seen, and since when it was surely the end. */
    #seen: { end: string; atMs: number } | undefined;
    #isBusy = false;

    constructor(
        store: Pick<ObjectStore, 'list' | 'head' | 'get' | 'put'>,
        { now, believeMs = CHAIN_END_BELIEVED_MS, atLeast = '0', findEnd, ...shard }: ChainWriterOptions,
    ) {
        this.#store = store;
        this.#chain = { kind: 'telemetry', ...shard };
        this.#now = now;
        this.#believeMs = believeMs;
        this.#atLeast = atLeast;
        this.#findEnd = findEnd;
    }

    /**
     * Appends what is behind the chain's end, as one object. Messages come in the order of their sequence numbers, and several of one number
     * all in one batch. Safe to call again with the same messages, in whatever batches. @throws StorageError where it cannot be told whether they are in
     */
    async append(messages: readonly ChainMessage[]): Promise<Appended> {
        checkOrder(messages);
        return this.#alone(() => this.#append(messages));
    }

    /**
     * Appends messages that have no numbers, as one object: they get those behind the chain's end. A chain is appended to by numbers or without, never by both.
     * Called again with the same messages, it appends them again. @throws StorageError where it cannot be told whether they are in
     */
    async appendUnnumbered(messages: readonly Omit<ChainMessage, 'sequence'>[]): Promise<Appended> {
        return this.#alone(async () => {
            let end = await this.end();
            if (messages.length === 0) {
                return { end, appended: 0, key: undefined };
            }
            for (;;) {
                const numbered = messages.map((message, at) => ({ ...message, sequence: String(BigInt(end) + BigInt(at + 1)) }));
                const last = numbered.at(-1)?.sequence ?? end;
                const key = chainKey(this.#chain, end);
                const atMs = this.#now().getTime();
                const bytes = await encodeObject(numbered, last);
                const isPut = await tryPut(this.#store, key, bytes, { ifMatch: ABSENT, metadata: { [END]: last } });
                // Where the answer was lost, the name is taken by these very messages.
                if (isPut || Buffer.compare((await this.#store.get(key))?.bytes ?? Buffer.of(), bytes) === 0) {
                    this.#seen = { end: last, atMs };
                    return { end: last, appended: numbered.length, key };
                }
                end = await this.#lookBehind(end, key);
            }
        });
    }

    async #alone<T>(work: () => Promise<T>): Promise<T> {
        if (this.#isBusy) {
            throw new Error('a chain is appended to by one batch after the other');
        }
        this.#isBusy = true;
        try {
            return await work();
        } finally {
            this.#isBusy = false;
        }
    }

    async #append(messages: readonly ChainMessage[]): Promise<Appended> {
        let end = await this.end();
        for (;;) {
            const behind = messages.filter(({ sequence }) => compareSequences(sequence, end) > 0);
            const last = behind.at(-1)?.sequence;
            if (last === undefined) {
                return { end, appended: 0, key: undefined };
            }
            const key = chainKey(this.#chain, end);
            const atMs = this.#now().getTime();
            if (await tryPut(this.#store, key, await encodeObject(behind, last), { ifMatch: ABSENT, metadata: { [END]: last } })) {
                this.#seen = { end: last, atMs };
                return { end: last, appended: behind.length, key };
            }
            end = await this.#lookBehind(end, key);
        }
    }

    /** The end of the chain, now that this name is taken. */
    async #lookBehind(before: string, key: string): Promise<string> {
        const end = await this.#look();
        if (compareSequences(end, before) <= 0) {
            throw new StorageError(`${key} is taken, and yet the chain ends with ${end}: nothing but flowlake may write there`);
        }
        return end;
    }

    /** The end of the chain, from memory where that can be believed. */
    async end(): Promise<string> {
        const age = this.#seen && this.#now().getTime() - this.#seen.atMs;
        return this.#seen && age !== undefined && age >= 0 && age <= this.#believeMs
            ? this.#seen.end
            : ((await this.#ask()) ?? this.#look());
    }

    /**
     * The end that is known without a listing. What is behind it is found by the name being taken. A name that was freed is none: the ledger knows what was read
     * under it. Undefined where that is so, or where no end is known.
     */
    async #ask(): Promise<string | undefined> {
        const atMs = this.#now().getTime();
        const end = await this.#findEnd?.();
        if (end === undefined || compareSequences(end, this.#atLeast) < 0) {
            return undefined;
        }
        if (await this.#store.head(ledgerKey(sourceId(chainKey(this.#chain, end))))) {
            return undefined;
        }
        this.#seen = { end, atMs };
        return end;
    }

    async #look(): Promise<string> {
        const atMs = this.#now().getTime();
        const listed = await readChainEnd(this.#store, this.#chain);
        const end = compareSequences(listed, this.#atLeast) < 0 ? this.#atLeast : listed;
        this.#seen = { end, atMs };
        return end;
    }
}

/** The sequence number that the chain ends with: the end of its object with the greatest name. `0` where it has none. */
export async function readChainEnd(store: Pick<ObjectStore, 'list' | 'head' | 'get'>, shard: ChainShard): Promise<string> {
    for (let gone: string | undefined; ; ) {
        let last: { key: string; predecessorEnd: string } | undefined;
        for await (const { key } of store.list(chainPrefix({ kind: 'telemetry', ...shard }))) {
            const place = chainPlaceOf(key);
            last = place ? { key, ...place } : last;
        }
        if (!last) {
            return '0';
        }
        const end = await readEnd(store, last.key);
        if (end !== undefined && compareSequences(end, last.predecessorEnd) > 0) {
            return end;
        }
        // It was the last when it was listed. By now it may have a successor, and have been pruned.
        if (end === undefined && last.key !== gone) {
            gone = last.key;
            continue;
        }
        throw new StorageError(
            `${last.key} is no chain object: ${end === undefined ? 'it cannot be read' : `its end ${end} is not behind its name`}`,
        );
    }
}

/** Keys of the chain's objects that hold messages behind this end, in their order. */
export async function listChain(
    store: Pick<ObjectStore, 'list'>,
    { behind, ...shard }: ChainShard & { behind: string },
): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of store.list(chainPrefix({ kind: 'telemetry', ...shard }))) {
        const place = chainPlaceOf(key);
        if (place && compareSequences(place.predecessorEnd, behind) >= 0) {
            keys.push(key);
        }
    }
    return keys;
}

/** The end that the object tells in its metadata or, where it was copied without them, in its last line; undefined where it is gone. */
async function readEnd(store: Pick<ObjectStore, 'head' | 'get'>, key: string): Promise<string | undefined> {
    const info = await store.head(key);
    const told = info?.metadata[END];
    if (told !== undefined && decodeLine(encodeEnd(told)).is === 'end') {
        return told;
    }
    const object = info && (await store.get(key));
    if (!object) {
        return undefined;
    }
    const text = await unpack(object.bytes).then(
        (bytes) => bytes.toString(),
        () => '',
    );
    const line = decodeLine(text.trimEnd().split('\n').at(-1) ?? '');
    if (line.is !== 'end') {
        throw new StorageError(
            `${key} is no chain object, or a damaged one: its last line does not tell its end. Put back the object as it was written`,
        );
    }
    return line.sequence;
}

/** Other work of the thread has its turn after so many messages: it is the one that answers devices. */
const MESSAGES_AT_ONCE = 500;

/** Packing less than this takes no longer than handing it over to another thread. */
const SMALL_TEXT = 1 << 16;

/** The bytes of a chain object: the same for the same messages. */
export async function encodeObject(messages: readonly ChainMessage[], end: string): Promise<Uint8Array> {
    const lines: string[] = [];
    for (const message of messages) {
        lines.push(encodeMessage(message));
        if (lines.length % MESSAGES_AT_ONCE === 0) {
            await setImmediate();
        }
    }
    const text = `${[...lines, encodeEnd(end)].join('\n')}\n`;
    return text.length < SMALL_TEXT ? gzipSync(text) : pack(text);
}

/** @throws UsageError for messages that are out of order, or have no number that can stand behind the end of an empty chain */
function checkOrder(messages: readonly ChainMessage[]): void {
    let before = '0';
    for (const { sequence } of messages) {
        if (!/^\d*[1-9]\d*$/.test(sequence) || compareSequences(sequence, before) < 0) {
            throw new UsageError(`Message ${JSON.stringify(sequence)} cannot follow ${before} in a chain`);
        }
        before = sequence;
    }
}

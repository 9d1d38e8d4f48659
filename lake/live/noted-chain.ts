/**
 * Writes a chain, and notes in the index of chain objects what each object holds. Whoever gets an answer knows both: a message of a batch that was appended is
 * in an object, and the object is in the index, which outlives it. So what comes again when objects are long pruned is still known.
 */
import { chainKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, compareSequences } from '#lake/telemetry/chain-line';
import { type Appended, type ChainShard, ChainWriter, listChain } from './chain.ts';
import { readChainFacts } from './chain-object.ts';
import { chainFactsOf, type DatasetIndex, type SequenceSpan } from './datasets.ts';

export interface NotedChainOptions extends ChainShard {
    store: Pick<ObjectStore, 'list' | 'head' | 'get' | 'put' | 'open'>;
    index: Pick<DatasetIndex, 'noteChain' | 'spans'>;
    now: () => Date;
}

export class NotedChain {
    readonly #options: NotedChainOptions;
    readonly #writer: ChainWriter;

    constructor(options: NotedChainOptions) {
        const { store, stream, shard, now } = options;
        this.#options = options;
        this.#writer = new ChainWriter(store, { stream, shard, now });
    }

    /**
     * Appends what is behind the chain's end, as `ChainWriter.append` does, and notes it. Where some of the messages stood in the chain before, their objects are
     * noted too, if they are not yet: whoever wrote them has died in between.
     * @throws StorageError where it cannot be told whether all are in, and noted
     */
    async append(messages: readonly ChainMessage[]): Promise<Appended> {
        const appended = await this.#writer.append(messages);
        const before = messages.slice(0, messages.length - appended.appended);
        const behind = messages.slice(before.length);
        if (appended.key !== undefined) {
            await this.#options.index.noteChain(appended.key, chainFactsOf(behind));
        }
        await this.#noteBefore(before);
        return appended;
    }

    /**
     * The messages that stand in no object of the chain, pruned ones counted too. To be asked only after an append of the same messages: what is behind the end
     * could still come into the chain. @throws StorageError
     */
    async missing(messages: readonly ChainMessage[]): Promise<ChainMessage[]> {
        return notWithin(messages, await this.#noteBefore(messages));
    }

    /** Notes the objects that hold these messages, where that is missing. @returns the spans of all objects that may hold some of them */
    async #noteBefore(messages: readonly ChainMessage[]): Promise<SequenceSpan[]> {
        const { store, index, stream, shard } = this.#options;
        const [first, last] = [messages[0]?.sequence, messages.at(-1)?.sequence];
        if (first === undefined || last === undefined) {
            return [];
        }
        const spans: SequenceSpan[] = [];
        for await (const span of index.spans({ stream, shard }, { first, last })) {
            spans.push(span);
        }
        const unknown = notWithin(messages, spans);
        if (unknown.length === 0) {
            return spans;
        }
        const keys = await listChain(store, { stream, shard, behind: '0' });
        for (const key of keysOf(unknown, { keys, nameOf: (end) => chainKey({ kind: 'telemetry', stream, shard }, end) })) {
            const facts = await readChainFacts(store, key);
            if (facts) {
                await index.noteChain(key, facts);
                spans.push(facts);
            }
        }
        return spans;
    }
}

/** The keys of the objects that can hold the messages: of each the last object that is named after an end before it. */
function keysOf(
    messages: readonly ChainMessage[],
    { keys, nameOf }: { keys: readonly string[]; nameOf: (end: string) => string },
): Set<string> {
    const found = new Set<string>();
    let at = 0;
    for (const { sequence } of messages) {
        // Names have one width: they sort as the numbers do.
        while (at < keys.length && (keys[at] ?? '') < nameOf(sequence)) {
            at += 1;
        }
        const key = keys[at - 1];
        if (key !== undefined) {
            found.add(key);
        }
    }
    return found;
}

function notWithin(messages: readonly ChainMessage[], spans: readonly SequenceSpan[]): ChainMessage[] {
    return messages.filter(
        ({ sequence }) => !spans.some(({ first, last }) => compareSequences(sequence, first) >= 0 && compareSequences(sequence, last) <= 0),
    );
}

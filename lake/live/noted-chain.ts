/**
 * Writes a chain, and notes in the index of chain objects what each object holds. An object whose writer dies in between is noted by who reads it into the
 * tables, and at the latest by who prunes it. So the index knows of every message that ever was in the chain, where the objects do not.
 */
import type { ObjectStore } from '#lake/store/object-store';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { type Appended, type ChainShard, ChainWriter } from './chain.ts';
import { isWithinAny, spansWithin } from './chain-spans.ts';
import { chainFactsOf, type DatasetIndex } from './datasets.ts';

export interface NotedChainOptions extends ChainShard {
    store: Pick<ObjectStore, 'list' | 'head' | 'get' | 'put' | 'open'>;
    index: Pick<DatasetIndex, 'noteChain' | 'spans'>;
    now: () => Date;
}

/** Every sequence number. */
const ALL = { first: '1', last: '9'.repeat(129) };

export class NotedChain {
    readonly #options: NotedChainOptions;
    readonly #writer: ChainWriter;

    constructor(options: NotedChainOptions) {
        const { store, stream, shard, now } = options;
        this.#options = options;
        // A shard has half a million objects after a year: the index tells the last one by one question.
        this.#writer = new ChainWriter(store, { stream, shard, now, findEnd: () => this.#findEnd() });
    }

    async #findEnd(): Promise<string | undefined> {
        const { index, stream, shard } = this.#options;
        for await (const { last } of index.spans({ stream, shard }, ALL)) {
            return last;
        }
        return undefined;
    }

    /** Appends what is behind the chain's end, as `ChainWriter.append` does, and notes it. @throws StorageError where it cannot be told whether all are in, and noted */
    async append(messages: readonly ChainMessage[]): Promise<Appended> {
        const appended = await this.#writer.append(messages);
        if (appended.key !== undefined) {
            await this.#options.index.noteChain(appended.key, chainFactsOf(messages.slice(messages.length - appended.appended)));
        }
        return appended;
    }

    /**
     * The messages that stand in no object of the chain, pruned ones counted too. To be asked only after an append of the same messages: what is behind the end
     * could still come into the chain. @throws StorageError
     */
    async missing(messages: readonly ChainMessage[]): Promise<ChainMessage[]> {
        const [first, last] = [messages[0]?.sequence, messages.at(-1)?.sequence];
        if (first === undefined || last === undefined) {
            return [];
        }
        const spans = await spansWithin({ first, last }, this.#options);
        return messages.filter(({ sequence }) => !isWithinAny(sequence, spans));
    }
}

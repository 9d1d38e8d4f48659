/**
 * Writes the side chain of a shard: what its event source gave up, and what can no longer come into the shard's own chain, because that has gone on behind it.
 * Its objects are numbered from 0 on and not named after ends: what was given up comes in any order, and more than once. Each append reads all before it; there
 * are few, and prune leaves them.
 */
import { chainKey, chainPlaceOf, chainPrefix, sideShardOf } from '#lake/layout';
import { ABSENT, type ObjectStore, tryPut } from '#lake/store/object-store';
import { type ChainMessage, compareSequences } from '#lake/telemetry/chain-line';
import { type ChainShard, END, encodeObject } from './chain.ts';
import { messagesOf } from './chain-object.ts';
import { chainFactsOf, type DatasetIndex } from './datasets.ts';

export interface SideChainOptions extends ChainShard {
    store: Pick<ObjectStore, 'list' | 'head' | 'open' | 'put'>;
    index: Pick<DatasetIndex, 'noteChain'>;
}

export class SideChain {
    readonly #options: SideChainOptions;
    readonly #chain: ChainShard & { kind: 'telemetry' };

    constructor(options: SideChainOptions) {
        this.#options = options;
        this.#chain = { kind: 'telemetry', stream: options.stream, shard: sideShardOf(options.shard) };
    }

    /** All messages of the side chain, in the order of its objects. @throws StorageError */
    async read(): Promise<ChainMessage[]> {
        return (await this.#objects()).flatMap(({ messages }) => messages);
    }

    /**
     * Appends what is in none of its objects, as one object, and notes what that holds. Safe to call again.
     * @returns the messages that were appended @throws StorageError where it cannot be told whether all are in, and noted
     */
    async append(messages: readonly ChainMessage[]): Promise<ChainMessage[]> {
        const { store, index } = this.#options;
        for (;;) {
            const objects = await this.#objects();
            const taken = new Map(objects.flatMap((object) => object.messages.map((message) => [nameOf(message), object] as const)));
            const missing = messages
                .filter((message) => !taken.has(nameOf(message)))
                .sort((a, b) => compareSequences(a.sequence, b.sequence));
            // Whoever has put an object may have died before it was noted.
            for (const object of new Set(messages.flatMap((message) => taken.get(nameOf(message)) ?? []))) {
                await index.noteChain(object.key, chainFactsOf(object.messages));
            }
            const end = missing.at(-1)?.sequence;
            if (end === undefined) {
                return [];
            }
            const before = chainPlaceOf(objects.at(-1)?.key ?? '')?.predecessorEnd;
            const key = chainKey(this.#chain, before === undefined ? '0' : String(BigInt(before) + 1n));
            if (await tryPut(store, key, await encodeObject(missing, end), { ifMatch: ABSENT, metadata: { [END]: end } })) {
                await index.noteChain(key, chainFactsOf(missing));
                return missing;
            }
            // Another was faster, or the answer was lost: look again.
        }
    }

    async #objects(): Promise<{ key: string; messages: ChainMessage[] }[]> {
        const objects: { key: string; messages: ChainMessage[] }[] = [];
        for await (const { key } of this.#options.store.list(chainPrefix(this.#chain))) {
            const messages: ChainMessage[] = [];
            for await (const message of messagesOf(this.#options.store, key)) {
                messages.push(message);
            }
            objects.push({ key, messages });
        }
        return objects;
    }
}

/** What a message is known by: those of one record have one number, and what is said of a range beside its records has a report. */
function nameOf({ sequence, report }: ChainMessage): string {
    return report ?? sequence;
}

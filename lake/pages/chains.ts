/** The chains of live messages: how far each reaches, and how far it has come into the tables. */
import { z } from '@hono/zod-openapi';
import { StorageError } from '#lake/errors';
import { readChainFacts } from '#lake/live/chain-object';
import { CHAINS } from '#lake/live/chain-origins';
import { chainOfKey } from '#lake/live/datasets';
import type { ObjectStore } from '#lake/store/object-store';
import { type KnownSource, readKnownSources } from './known-sources.ts';
import { definePage, type Json } from './page.ts';

export const chainsPage = definePage({
    name: 'chains',
    parameters: z.strictObject({}),
    reads: () => [],
    async answer(_, { lake, now }) {
        const store = await lake.store();
        const { sources } = await readKnownSources(store, { now: now() });
        const there = new Set<string>();
        for await (const { key } of store.list(CHAINS)) {
            there.add(key);
        }
        const chains = new Map<string, Chain>();
        for (const source of sources) {
            const of = chainOfKey(source.source);
            if (of) {
                const name = JSON.stringify([of.stream, of.shard]);
                const chain = chains.get(name) ?? { stream: of.stream, shard: of.shard, objects: [] };
                chain.objects.push(source);
                chains.set(name, chain);
            }
        }
        const told = await Promise.all([...chains.values()].map((chain) => tell(chain, { there, store })));
        return { chains: told };
    },
});

interface Chain {
    stream: string;
    shard: string;
    /** Objects by key, which is the order of the chain but for those that wait. */
    objects: KnownSource[];
}

async function tell(
    { stream, shard, objects }: Chain,
    { there, store }: { there: ReadonlySet<string>; store: ObjectStore },
): Promise<Json> {
    const inState = (...states: string[]): KnownSource[] => objects.filter(({ state }) => states.includes(state));
    const sum = (fact: string): string => String(objects.reduce((total, { facts }) => total + BigInt(Number(facts[fact] ?? 0)), 0n));
    const keys = objects.map(({ source }) => source).sort();
    const lastKey = keys.findLast((key) => there.has(key));
    const waiting = inState('waiting')
        .map(({ source }) => source)
        .sort();
    return {
        stream,
        shard,
        objects: objects.length,
        read: inState('done', 'empty').length,
        waiting: waiting.length,
        firstWaiting: waiting[0] ?? null,
        failed: inState('failed').length,
        retracted: inState('retracted').length,
        pruned: keys.filter((key) => !there.has(key)).length,
        messagesKept: sum('rows_kept'),
        messagesRejected: sum('rows_rejected'),
        readings: sum('readings'),
        end: lastKey === undefined ? null : await endOf(lastKey, store),
    };
}

/** How far the last object of a chain reaches; where it cannot be read, why. */
async function endOf(key: string, store: ObjectStore): Promise<Json> {
    try {
        const facts = await readChainFacts(store, key);
        return facts ? { sequence: facts.last, arrivedMs: facts.lastArrivedMs } : null;
    } catch (error) {
        if (error instanceof StorageError) {
            return { why: error.message };
        }
        throw error;
    }
}

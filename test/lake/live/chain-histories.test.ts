/**
 * Random histories of one chain: batches that come again in other pieces, answers that are lost, writers that are slow, die, or remember an old end, and
 * prune beside them. Every call is a step of its own. Once all is quiet each message stands in the ledger once; without one of the rules it does not.
 */
import { setImmediate } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { prune } from '#lake/commit/prune';
import { chainPlaceOf, chainPrefix } from '#lake/layout';
import { commitLedger, isStrangeInChain, type LedgerRecord, NOTHING_READ, readLedger } from '#lake/ledger';
import { ChainWriter } from '#lake/live/chain';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, decodeLine } from '#lake/telemetry/chain-line';
import { chainMessage } from '#test/support/chain-messages';
import { memoryStore } from '#test/support/memory-store';
import { stepwiseStore } from '#test/support/stepwise-store';

const SHARD = { stream: 's', shard: '0' };
const PREFIX = chainPrefix({ kind: 'telemetry', ...SHARD });
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A rule that is taken out: R20 to R23. */
type Rule =
    /** Prune takes the last object too. */
    | 'the last object stays'
    /** The end is that of the object which following the chain from its first name reaches. */
    | 'the greatest name listed'
    /** Prune takes an object however young it is, and what a slow writer puts in its place is read. (It is all in the chain: read or not, nothing is lost.) */
    | 'prune waits'
    /** A writer believes the end that it remembers for ever. */
    | 'memory expires';

/** Who makes calls: a batch that is appended, an object that is read, prune. */
interface Worker {
    what: string;
    calls: (() => Promise<void>)[];
    isOver: boolean;
    beganAt: number;
    /** Of a batch: the writer that appends it, and how many messages it has. */
    writer?: Writer;
    count?: number;
    /** Of an object that is read. */
    key?: string;
}

/** A writer with its memory, and the worker that it works for now. */
interface Writer {
    chain: ChainWriter;
    owner: Worker | undefined;
}

/** @returns what was not as promised */
async function playHistory(seed: number, without?: Rule): Promise<string | undefined> {
    const random = randomOf(seed);
    const oneOf = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    const clock = { ms: Date.UTC(2026, 0, 5) };
    const store = memoryStore({ now: () => new Date(clock.ms) });
    /** How slow a writer is that nobody waits for, how often prune begins, and how often no answer comes in time. */
    const [slowness, pruning, impatience] = [oneOf([0.8, 0.97]) ?? 0, oneOf([0.06, 0.3]) ?? 0, oneOf([0.05, 0.2]) ?? 0];
    const total = 6 + Math.floor(random() * 16);
    const produced: ChainMessage[] = [];
    /** How many messages the event source has got an answer for, and the batch that it waits for. */
    let done = 0;
    let asked: Worker | undefined;
    /** Keys of objects that were put, as the news of them come. */
    const news: string[] = [];
    const workers: Worker[] = [];
    const writers: Writer[] = [];
    const faults: string[] = [];

    const watched: ObjectStore = {
        ...store,
        async put(key, ...rest) {
            const info = await store.put(key, ...rest);
            news.push(...(key.startsWith(PREFIX) ? [key] : []), ...(key.startsWith(PREFIX) && random() < 0.2 ? [key] : []));
            return info;
        },
    };

    function stepwise(ownerOf: () => Worker | undefined): ObjectStore {
        return stepwiseStore(
            watched,
            (_, effect) => new Promise((resolve, reject) => ownerOf()?.calls.push(() => effect().then(resolve, reject))),
        );
    }

    function newWriter(): Writer {
        const bornAt = clock.ms;
        const own = stepwise(() => writer.owner);
        const chain = new ChainWriter(without === 'the greatest name listed' ? following(own) : own, {
            ...SHARD,
            now: () => new Date(without === 'memory expires' ? bornAt : clock.ms),
        });
        const writer: Writer = { chain, owner: undefined };
        writers.push(writer);
        return writer;
    }

    async function start(worker: Worker, work: (own: ObjectStore) => Promise<unknown>): Promise<void> {
        workers.push(worker);
        work(stepwise(() => worker)).then(
            () => end(worker),
            (error: unknown) => {
                faults.push(`${worker.what}: ${error}`);
                end(worker);
            },
        );
        await paused(worker);
    }

    /** Waits until the worker is about to make a call, or has ended: so a history is the same for the same seed. */
    async function paused(worker: Worker): Promise<void> {
        while (!worker.isOver && worker.calls.length === 0) {
            await setImmediate();
        }
    }

    function end(worker: Worker): void {
        if (worker.isOver) {
            return;
        }
        worker.isOver = true;
        workers.splice(workers.indexOf(worker), 1);
        if (worker.writer) {
            worker.writer.owner = undefined;
        }
        if (worker === asked) {
            done += worker.count ?? 0;
            asked = undefined;
        }
    }

    /** The worker makes no call any more: a batch and an object come again, its writer does not. */
    function kill(worker: Worker): void {
        worker.isOver = true;
        workers.splice(workers.indexOf(worker), 1);
        if (worker.writer && writers.includes(worker.writer)) {
            writers.splice(writers.indexOf(worker.writer), 1);
        }
        news.push(...(worker.key === undefined ? [] : [worker.key]));
        asked = worker === asked ? undefined : asked;
    }

    function produce(): void {
        for (let record = 1 + Math.floor(random() * 3); record > 0; record -= 1) {
            // Several messages of an aggregated record have one number, and come at once.
            const sequence = String(produced.length * 3 + 3);
            for (let count = random() < 0.3 ? 3 : 1; count > 0; count -= 1) {
                produced.push(chainMessage(produced.length + 1, { sequence }));
            }
        }
    }

    async function append(): Promise<void> {
        let last = Math.min(produced.length, done + 1 + Math.floor(random() * 6));
        while (last < produced.length && produced[last]?.sequence === produced[last - 1]?.sequence) {
            last += 1;
        }
        const batch = produced.slice(done, last);
        const writer = (random() < 0.8 ? oneOf(writers.filter(({ owner }) => !owner)) : undefined) ?? newWriter();
        const worker: Worker = { what: 'append', calls: [], isOver: false, beganAt: clock.ms, writer, count: batch.length };
        writer.owner = worker;
        asked = worker;
        await start(worker, () => writer.chain.append(batch));
    }

    for (let step = 0; ; step += 1) {
        if (step > 10_000) {
            return `never quiet: ${workers.map(({ what }) => what).join(', ')}`;
        }
        clock.ms += random() < 0.03 ? (oneOf([11, 5 * 60, 25 * 60]) ?? 0) * MINUTE_MS : random() * MINUTE_MS;
        const isOver = produced.length >= total && done >= produced.length;
        if (isOver && news.length + workers.length === 0) {
            return faults[0] ?? findWrong(store, produced);
        }
        if (produced.length < total && random() < 0.1) {
            produce();
        }
        if (random() < 0.02) {
            // A cold start.
            const free = oneOf(writers.filter(({ owner }) => !owner));
            writers.splice(free ? writers.indexOf(free) : 0, free ? 1 : 0);
        }
        if (news.length > 0 && random() < 0.3) {
            const [key = ''] = news.splice(Math.floor(random() * news.length), 1);
            await start({ what: 'read', calls: [], isOver: false, beganAt: clock.ms, key }, (own) =>
                readObject(own, key, { isStrangeRead: without === 'prune waits' }),
            );
        }
        if (random() < (isOver ? 0.01 : pruning) && !workers.some(({ what }) => what === 'prune')) {
            await start({ what: 'prune', calls: [], isOver: false, beganAt: clock.ms }, (own) =>
                pruneAll(
                    without === 'the last object stays' ? withLaterName(own) : without === 'prune waits' ? asIfOld(own) : own,
                    clock.ms,
                ),
            );
        }
        if (!asked && done < produced.length && random() < 0.4) {
            await append();
        }
        if (asked && random() < impatience) {
            // No answer in time: the messages come again, in other pieces, while the one that was asked goes on slowly, or is dead.
            const slow = asked;
            asked = undefined;
            if (random() < 0.4) {
                kill(slow);
            }
        }
        for (const worker of workers.filter(({ beganAt }) => clock.ms - beganAt > DAY_MS)) {
            kill(worker);
        }
        const worker = oneOf(workers);
        const isSlow = worker?.writer && worker !== asked && !isOver && random() < slowness;
        const call = isSlow ? undefined : worker?.calls.shift();
        if (worker && call) {
            await call();
            if (random() < 0.02) {
                kill(worker);
            }
            await paused(worker);
        }
    }
}

/** What summarize does of an object, as far as a chain is concerned: the ledger has its messages once it was read. */
async function readObject(store: ObjectStore, key: string, { isStrangeRead }: { isStrangeRead: boolean }): Promise<void> {
    for (;;) {
        const { record, etag } = await readLedger(store, sourceId(key));
        const object = await store.get(key);
        if (!object || record?.etag === object.info.etag || (isStrangeInChain(object.info, record) && !isStrangeRead)) {
            return;
        }
        const lines = gunzipSync(object.bytes).toString().trimEnd().split('\n').map(decodeLine);
        const messages = lines.flatMap((line) => (line.is === 'message' ? [line.message.payload.toString()] : []));
        const next: LedgerRecord = {
            ...NOTHING_READ,
            source: key,
            site: 'main',
            state: 'done',
            version: '1-0123456789abcdef',
            last_day: '2026-01-05',
            options: {},
            size_bytes: 0,
            etag: object.info.etag,
            summarized_at: '',
            commits: (record?.commits ?? 0) + 1,
            versions: { '1-0123456789abcdef': [] },
            summary_format: 1,
            retracted_generation: null,
            messages,
        };
        if (await commitLedger(store, { source: sourceId(key), record: next, etag })) {
            return;
        }
    }
}

async function pruneAll(store: ObjectStore, nowMs: number): Promise<void> {
    for await (const _ of prune(store, { before: '9999-12-31', now: new Date(nowMs) })) {
        // Each goes when its turn comes.
    }
}

/** A store whose listing of a chain ends where the next object is not named after the end of the one before. */
function following(store: ObjectStore): ObjectStore {
    return {
        ...store,
        async *list(prefix) {
            let end: string | undefined;
            for await (const object of store.list(prefix)) {
                const name = chainPlaceOf(object.key)?.predecessorEnd;
                if (end !== undefined && name !== end) {
                    return;
                }
                yield object;
                end = (await store.head(object.key))?.metadata.end;
            }
        },
    };
}

/** A store whose last object is never the last that is listed. */
function withLaterName(store: ObjectStore): ObjectStore {
    return {
        ...store,
        async *list(prefix) {
            yield* store.list(prefix);
            yield { key: `${PREFIX}${'9'.repeat(129)}.jsonl.gz`, sizeBytes: 0, modifiedAt: new Date(0) };
        },
    };
}

/** A store whose objects are as old as can be. */
function asIfOld(store: ObjectStore): ObjectStore {
    return {
        ...store,
        async *list(prefix) {
            for await (const { key, sizeBytes } of store.list(prefix)) {
                yield { key, sizeBytes, modifiedAt: new Date(0) };
            }
        },
    };
}

async function findWrong(store: ObjectStore, produced: readonly ChainMessage[]): Promise<string | undefined> {
    const found: string[] = [];
    for await (const { key } of store.list('ledger/')) {
        const { messages } = JSON.parse(Buffer.from((await store.get(key))?.bytes ?? []).toString());
        found.push(...messages);
    }
    const numbersOf = (payloads: readonly string[]): string =>
        payloads
            .map((payload): number => JSON.parse(payload).n)
            .sort((a, b) => a - b)
            .join(' ');
    const [inLedger, sent] = [numbersOf(found), numbersOf(produced.map(({ payload }) => payload.toString()))];
    return inLedger === sent ? undefined : `sent ${sent}, in the ledger ${inLedger}`;
}

/** Mulberry32: numbers from 0 to below 1, the same for the same seed. */
function randomOf(seed: number): () => number {
    let state = seed | 0;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

/** `FLOWLAKE_TEST_RUNS=20` plays twenty times as many. */
const HISTORIES = 500 * Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);

test('every history ends with each message in the ledger once', async () => {
    for (let seed = 1; seed <= HISTORIES; seed += 1) {
        expect({ seed, wrong: await playHistory(seed) }).toEqual({ seed, wrong: undefined });
    }
}, 600_000);

/** Rules, each with the seed of a history that goes wrong without it; where it does not any more, others may. */
const RULES: readonly (readonly [Rule, number])[] = [
    ['the last object stays', 10],
    ['the greatest name listed', 1112],
    ['prune waits', 398],
    ['memory expires', 9280],
];
const OTHERS = 3000;

describe('without the rule', () => {
    test.each(RULES)(
        '%s some history ends wrong',
        async (rule, first) => {
            for (let at = 0; at < OTHERS; at += 1) {
                if ((await playHistory(first + at, rule)) !== undefined) {
                    return;
                }
            }
            throw new Error(`${OTHERS} histories without the rule "${rule}" ended as if it were there`);
        },
        600_000,
    );
});

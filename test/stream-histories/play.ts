/**
 * Plays random histories of a stream and its chains through the real functions `chain` and `given-up`: shards that split, batches that come again in other
 * pieces, answers that are lost, workers that are slow, die, or remember an old end, ranges that are given up and told of late and more than once, prune beside
 * them, and a stream whose records end. Every call is a step of its own. Once all is quiet each message stands in the ledger once, or is told as lost.
 */
import { setImmediate } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { DeviceLookup } from '#lake/cloud/device-lookup';
import { readRecord } from '#lake/cloud/kinesis-record';
import type { RangeRead, ShardRange, StreamRecord } from '#lake/cloud/kinesis-stream';
import { prune } from '#lake/commit/prune';
import { ConflictError } from '#lake/errors';
import { chainKey, sideShardOf } from '#lake/layout';
import { commitLedger, isStrangeInChain, type LedgerRecord, NOTHING_READ, readLedger } from '#lake/ledger';
import { encodeObject } from '#lake/live/chain';
import { isWithin } from '#lake/live/chain-spans';
import type { DatasetIndex } from '#lake/live/datasets';
import { keepIn } from '#lake/live/list-datasets';
import { lossOf } from '#lake/live/lost-records';
import { NotedChain } from '#lake/live/noted-chain';
import { SideChain } from '#lake/live/side-chain';
import { sourceId } from '#lake/source-id';
import { ABSENT, type ObjectStore, tryPut } from '#lake/store/object-store';
import { type ChainMessage, compareSequences, decodeLine } from '#lake/telemetry/chain-line';
import { type ChainAppender, openChainAppender } from '#lambdas/chain/append-batch';
import { bringBackBatch } from '#lambdas/given-up/bring-back-batch';
import { kinesisRecord, sqsRecord, testLog, testMetrics, testTime } from '#test/lambdas/surroundings';
import { aggregatedRecord } from '#test/support/aggregated-record';
import { memoryDatasets } from '#test/support/memory-datasets';
import { memoryStore } from '#test/support/memory-store';
import { stepwiseStore } from '#test/support/stepwise-store';

/** A rule that is taken out. */
export const RULES = [
    /** The event source has several batches of a shard under way. */
    'one batch of a shard at a time',
    /** What was given up is only compared with the chain, and not appended first. */
    'given up passes the end first',
    /** The side chain takes all that was given up. */
    'what is in the chain is dropped',
    /** Whether a record is in the chain is looked up in the objects that are there. */
    'spans outlive their objects',
    /** Prune does not look whether it is noted what an object holds. */
    'what is pruned is noted',
    /** The side chain drops what is at or before its own end. */
    'the side chain has no order',
    /** The side chain takes what stands in it already. */
    'the side chain is read before each append',
    /** What another function gave up is brought into the chain too. */
    'only what was for the chain',
] as const;

export type Rule = (typeof RULES)[number];

/** What came about in a history. */
export type Note = (what: string) => void;

const STREAM = 'programs';
const STREAM_ID = 'programs-1767000000';
const CHAIN_FUNCTION = 'flowlake-test-chain';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A worker lives no longer, and a stream keeps its records for seven times as long. */
const LIFE_MS = DAY_MS;
const RETENTION_MS = 7 * DAY_MS;

/** Who makes calls. */
interface Worker {
    what: string;
    calls: (() => Promise<void>)[];
    isOver: boolean;
    beganAt: number;
    /** What it does when it has ended, and when it dies. */
    onEnd?: () => void;
    onDeath?: () => void;
    /** Of a batch: the function that works on it, and the shard whose event source asked. */
    instance?: Instance;
    shard?: Shard;
}

/** A function with its memory, and the worker that it works for now. */
interface Instance {
    appender: ChainAppender;
    owner: Worker | undefined;
}

interface Shard {
    id: string;
    /** Lambda hands over a shard only when the one that it came from is read to its end. */
    parent: Shard | undefined;
    records: StreamRecord[];
    /** How many records the event source has done with. */
    done: number;
    asked: Worker[];
    tries: number;
}

/** What the event source of a shard gave up. */
interface GivenUp {
    shard: Shard;
    from: number;
    to: number;
    functionName: string;
    deliveries: number;
}

/** Any device is registered, and any program may write as it. */
const DEVICES: DeviceLookup = {
    find: async () => ({ ok: true, device: { profile: 'thermostat', site: 'main', patterns: [] } }),
    whyNoProgram: async () => undefined,
    whyNotItsCertificate: async () => undefined,
};

/** @returns what was not as promised */
export async function playHistory(
    seed: number,
    { without, note = () => undefined }: { without?: Rule | undefined; note?: Note } = {},
): Promise<string | undefined> {
    const random = randomOf(seed);
    const oneOf = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    const clock = { ms: Date.UTC(2026, 0, 5) };
    const now = (): Date => new Date(clock.ms);
    const store = memoryStore({ now });
    const index = memoryDatasets();
    /** How slow a worker is that nobody waits for, how often prune begins, and how often no answer comes in time. */
    const [slowness, pruning, impatience] = [oneOf([0.8, 0.97]) ?? 0, oneOf([0.03, 0.2]) ?? 0, oneOf([0.05, 0.2]) ?? 0];
    const total = 6 + Math.floor(random() * 14);
    let produced = 0;
    let hasPruned = false;
    let sequence = 100;
    const shards: Shard[] = [newShard(undefined)];
    /** Keys of objects that were put, as the news of them come. */
    const news: string[] = [];
    const failures: GivenUp[] = [];
    const workers: Worker[] = [];
    const instances: Instance[] = [];
    const faults: string[] = [];

    const watched: ObjectStore = {
        ...store,
        async put(key, ...rest) {
            const info = await store.put(key, ...rest);
            if (key.startsWith('raw/')) {
                note(key.includes('.side/') ? 'side object' : 'chain object');
                news.push(key, ...(random() < 0.2 ? [key] : []));
            }
            return info;
        },
        async delete(key, ...rest) {
            hasPruned ||= key.startsWith('raw/');
            return store.delete(key, ...rest);
        },
    };

    function newShard(parent: Shard | undefined): Shard {
        return { id: `shardId-${String(parent ? shards.length : 0).padStart(12, '0')}`, parent, records: [], done: 0, asked: [], tries: 0 };
    }

    /** Hands the effect to whoever decides when it takes place. */
    function step<T>(ownerOf: () => Worker | undefined, effect: () => Promise<T>): Promise<T> {
        return new Promise((resolve, reject) => ownerOf()?.calls.push(() => effect().then(resolve, reject)));
    }

    function storeOf(ownerOf: () => Worker | undefined): ObjectStore {
        return stepwiseStore(watched, (_, effect) => step(ownerOf, effect));
    }

    function indexOf(ownerOf: () => Worker | undefined): DatasetIndex {
        return {
            ...index,
            noteChain: (key, facts) => step(ownerOf, () => index.noteChain(key, facts)),
            get: (key) => step(ownerOf, () => index.get(key)),
            notePruned: (key, at) => step(ownerOf, () => index.notePruned(key, at)),
            async *spans(chain, within) {
                const spans = await step(ownerOf, () => listOf(index.spans(chain, within)));
                for (const span of spans) {
                    const key = chainKey({ kind: 'telemetry', ...chain }, span.after);
                    if (without !== 'spans outlive their objects' || (await store.head(key))) {
                        yield span;
                    }
                }
            },
        };
    }

    function newInstance(): Instance {
        const owner = (): Worker | undefined => instance.owner;
        const appender = openChainAppender({
            store: storeOf(owner),
            index: indexOf(owner),
            devices: DEVICES,
            sourceOf: () => 'programs',
            streamIdOf: async () => STREAM_ID,
            assertOneBatchAtATime: async () => undefined,
            now,
        });
        const instance: Instance = { appender, owner: undefined };
        instances.push(instance);
        return instance;
    }

    async function start(worker: Worker, work: (own: () => Worker) => Promise<unknown>): Promise<void> {
        workers.push(worker);
        work(() => worker).then(
            () => end(worker),
            (error: unknown) => {
                if (error instanceof ConflictError && !worker.isOver) {
                    // What it read is gone: its message comes again.
                    kill(worker);
                    return;
                }
                faults.push(`${worker.what}: ${error instanceof Error ? error.stack : error}`);
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
        if (!worker.isOver) {
            leave(worker);
            worker.onEnd?.();
        }
    }

    /** The worker makes no call any more; its function remembers nothing. */
    function kill(worker: Worker): void {
        note('death');
        leave(worker);
        worker.onDeath?.();
        if (worker.instance && instances.includes(worker.instance)) {
            instances.splice(instances.indexOf(worker.instance), 1);
        }
    }

    function leave(worker: Worker): void {
        worker.isOver = true;
        workers.splice(workers.indexOf(worker), 1);
        if (worker.instance) {
            worker.instance.owner = undefined;
        }
    }

    function produce(): void {
        const open = shards.filter((shard) => !shards.some(({ parent }) => parent === shard));
        for (let records = 1 + Math.floor(random() * 3); records > 0; records -= 1) {
            const messages = Array.from({ length: random() < 0.3 ? 3 : 1 }, (_, at) => ({
                key: 'th-1',
                data: `{"n":${produced + 1 + at}}`,
            }));
            produced += messages.length;
            sequence += 1 + Math.floor(random() * 3);
            const data = messages.length === 1 ? Buffer.from(messages[0]?.data ?? '') : aggregatedRecord(messages);
            oneOf(open)?.records.push({ sequence: `${sequence}`, key: 'th-1', data, arrivedMs: Math.floor(clock.ms) });
        }
    }

    function split(): void {
        const [parent] = shards;
        if (parent && shards.length === 1) {
            note('reshard');
            shards.push(newShard(parent));
            shards.push(newShard(parent));
        }
    }

    /** The event source asks a function to append the next records of the shard, or those that it has no answer for. */
    async function ask(shard: Shard, from = shard.done): Promise<void> {
        const to = Math.min(shard.records.length, from + 1 + Math.floor(random() * 5));
        const event = shard.records
            .slice(from, to)
            .map(({ sequence: number, data, key, arrivedMs }) =>
                kinesisRecord({ stream: STREAM, shard: shard.id, sequence: number, key, data, arrivedMs }),
            );
        const instance = (random() < 0.8 ? oneOf(instances.filter(({ owner }) => !owner)) : undefined) ?? newInstance();
        const worker: Worker = {
            ...{ what: 'append', calls: [], isOver: false, beganAt: clock.ms, instance, shard },
            onEnd() {
                if (shard.asked.includes(worker)) {
                    shard.asked.splice(shard.asked.indexOf(worker), 1);
                    shard.done = Math.max(shard.done, to);
                    shard.tries = 0;
                }
            },
            onDeath: () => noAnswer(worker),
        };
        instance.owner = worker;
        shard.asked.push(worker);
        await start(worker, () => instance.appender.append(event, { time: testTime(), log: testLog(), metrics: testMetrics() }));
    }

    /** The event source waits no longer for the worker's answer. */
    function noAnswer(worker: Worker): void {
        const { shard } = worker;
        if (shard?.asked.includes(worker)) {
            shard.asked.splice(shard.asked.indexOf(worker), 1);
            shard.tries += 1;
        }
    }

    function giveUp(shard: Shard): void {
        const to = Math.min(shard.records.length, shard.done + 1 + Math.floor(random() * 4));
        note('given up');
        failures.push({ shard, from: shard.done, to, functionName: CHAIN_FUNCTION, deliveries: 1 + Math.floor(random() * 3) });
        [shard.done, shard.tries] = [to, 0];
    }

    /** Another consumer, which is ahead of the chain, gives something up. */
    function giveUpElsewhere(shard: Shard): void {
        const from = Math.floor(random() * shard.records.length);
        note('given up by another');
        failures.push({ shard, from, to: from + 1, functionName: 'flowlake-test-latest', deliveries: 1 });
    }

    async function bringBack(failure: GivenUp): Promise<void> {
        failure.deliveries -= 1;
        if (failure.deliveries <= 0) {
            failures.splice(failures.indexOf(failure), 1);
        }
        const again = (): void => {
            failure.deliveries += 1;
            failures.push(...(failures.includes(failure) ? [] : [failure]));
        };
        const worker: Worker = { what: 'bring back', calls: [], isOver: false, beganAt: clock.ms, onDeath: again };
        await start(worker, async (owner) => {
            const { shard, from, to, functionName } = failure;
            const range = shard.records.slice(from, to);
            const own = { store: storeOf(owner), index: indexOf(owner), now };
            const readRange = (asked: ShardRange): Promise<RangeRead> => step(owner, async () => rangeOf(shard, asked));
            if (BROUGHT_BACK_OTHERWISE.has(without) && functionName === CHAIN_FUNCTION) {
                await bringBackWithout(without, range, { ...own, shard: shard.id, readRange });
                return;
            }
            const isAllowed = without === 'only what was for the chain';
            const { batchItemFailures } = await bringBackBatch([sqsRecord({ body: bodyOf(failure, range) })], {
                ...{ ...own, bucket: 'lake', readRange, devices: DEVICES },
                queue: { changeVisibility: async () => undefined },
                chainFunction: isAllowed ? functionName : CHAIN_FUNCTION,
                telemetryStream: 'telemetry',
                intoLatest: async () => undefined,
                sourceOf: () => 'programs',
                streamIdOf: async () => STREAM_ID,
                ...{ time: testTime(), log: testLog(), metrics: testMetrics() },
            });
            if (batchItemFailures.length > 0) {
                again();
            }
        });
    }

    /** What Kinesis holds of the range. */
    function rangeOf(shard: Shard, { first, last }: ShardRange): RangeRead {
        const held = shard.records.filter(({ arrivedMs }) => clock.ms - arrivedMs <= RETENTION_MS);
        const records = held.filter(({ sequence: at }) => compareSequences(at, first) >= 0 && compareSequences(at, last) <= 0);
        return { records, gone: records[0]?.sequence === first ? undefined : 'it is too old' };
    }

    async function pruneAll(own: ObjectStore, ownIndex: DatasetIndex): Promise<void> {
        const keeper = without === 'what is pruned is noted' ? undefined : keepIn(ownIndex, { store: own, now });
        for await (const { canGo } of prune(own, { before: '9999-12-31', now: now(), keeper })) {
            if (canGo) {
                note('pruned');
            }
        }
    }

    for (let at = 0; ; at += 1) {
        if (at > 20_000) {
            return `never quiet: ${workers.map(({ what }) => what).join(', ')}`;
        }
        const isRead = shards.every(({ done, records, asked }) => done >= records.length && asked.length === 0);
        const isOver = produced >= total && isRead;
        clock.ms += random() < 0.03 ? (oneOf([11, 5 * 60, 25 * 60]) ?? 0) * MINUTE_MS : random() * MINUTE_MS;
        // What still waits in the stream would end there unnoticed: an event source that is a week behind is another matter.
        clock.ms += isRead && random() < 0.003 ? 4 * DAY_MS : 0;
        if (isOver && news.length + workers.length + failures.length === 0) {
            return faults[0] ?? findWrong(store, { shards, note, hasPruned });
        }
        if (produced < total && random() < 0.1) {
            produce();
        }
        if (produced > total / 2 && random() < 0.02) {
            split();
        }
        if (random() < 0.02) {
            // A cold start.
            const free = oneOf(instances.filter(({ owner }) => !owner));
            instances.splice(free ? instances.indexOf(free) : 0, free ? 1 : 0);
        }
        if (news.length > 0 && random() < 0.3) {
            const [key = ''] = news.splice(Math.floor(random() * news.length), 1);
            const worker: Worker = { what: 'read', calls: [], isOver: false, beganAt: clock.ms, onDeath: () => news.push(key) };
            await start(worker, (owner) => readObject(storeOf(owner), key));
        }
        if (random() < (isOver ? 0.01 : pruning) && !workers.some(({ what }) => what === 'prune')) {
            await start({ what: 'prune', calls: [], isOver: false, beganAt: clock.ms }, (owner) =>
                pruneAll(storeOf(owner), indexOf(owner)),
            );
        }
        for (const shard of shards) {
            const { parent } = shard;
            const isHeldUp = parent && (parent.done < parent.records.length || parent.asked.length > 0);
            const ahead = shard.done + shard.asked.length;
            if (isHeldUp) {
                continue;
            }
            if (shard.asked.length === 0 && shard.done < shard.records.length && random() < 0.4) {
                await (shard.tries > 0 && random() < 0.3 ? giveUp(shard) : ask(shard));
            } else if (
                without === 'one batch of a shard at a time' &&
                shard.asked.length === 1 &&
                ahead < shard.records.length &&
                random() < 0.2
            ) {
                await ask(shard, ahead);
            }
            const asked = oneOf(shard.asked);
            if (asked && random() < impatience) {
                // No answer in time: the records come again, in other pieces, while the one that was asked goes on slowly, or is dead.
                note('no answer');
                noAnswer(asked);
                if (random() < 0.4) {
                    kill(asked);
                }
            }
            if (shard.records.length > 0 && random() < 0.003) {
                giveUpElsewhere(shard);
            }
        }
        const failure = oneOf(failures);
        const isBusy = workers.filter(({ what }) => what === 'bring back').length >= 3;
        if (failure && !isBusy && random() < (isOver ? 0.2 : 0.03)) {
            await bringBack(failure);
        }
        for (const worker of workers.filter(({ beganAt }) => clock.ms - beganAt > LIFE_MS)) {
            kill(worker);
        }
        const worker = oneOf(workers);
        const isSlow = worker?.what === 'append' && !worker.shard?.asked.includes(worker) && !isOver && random() < slowness;
        const call = isSlow ? undefined : worker?.calls.shift();
        if (worker && call) {
            await call();
            if (random() < 0.02) {
                kill(worker);
            } else {
                await paused(worker);
            }
        }
    }
}

interface Without {
    store: ObjectStore;
    index: DatasetIndex;
    now: () => Date;
    shard: string;
    readRange: (range: ShardRange) => Promise<RangeRead>;
}

/** Rules of how what was given up is brought back. */
const BROUGHT_BACK_OTHERWISE: ReadonlySet<Rule | undefined> = new Set<Rule>([
    'given up passes the end first',
    'what is in the chain is dropped',
    'the side chain has no order',
    'the side chain is read before each append',
]);

/** Brings back a range as the function does, but for one rule. */
async function bringBackWithout(
    without: Rule | undefined,
    range: readonly StreamRecord[],
    { store, index, now, shard, readRange }: Without,
): Promise<void> {
    const [first = '', last = ''] = [range[0]?.sequence, range.at(-1)?.sequence];
    const { records, gone } = await readRange({ stream: STREAM, shard, first, last });
    const messages = (await Promise.all(records.map((record) => readRecord(record, { from: 'programs', devices: DEVICES })))).flat();
    const place = { store, index, stream: STREAM_ID, shard };
    const chain = new NotedChain({ ...place, now });
    if (without !== 'given up passes the end first') {
        await chain.append(messages);
    }
    const missing = without === 'what is in the chain is dropped' ? messages : await chain.missing(messages);
    const found = records.map(({ sequence }) => sequence);
    const told = {
        stream: STREAM,
        shard,
        first,
        last,
        recordCount: range.length,
        condition: 'RetryAttemptsExhausted',
        lastArrivedMs: 0,
        found,
        gone,
    };
    const loss = await lossOf(told, place);
    const all = [...missing, ...(loss ? [loss.message] : [])];
    if (without === 'the side chain has no order' || without === 'the side chain is read before each append') {
        await appendAside(all, { ...place, isOrdered: without === 'the side chain has no order' });
    } else {
        await new SideChain(place).append(all);
    }
}

/** Appends to the side chain either what is behind its end, or all. */
async function appendAside(
    messages: readonly ChainMessage[],
    { store, index, stream, shard, isOrdered }: Omit<Without, 'now' | 'readRange'> & { stream: string; isOrdered: boolean },
): Promise<void> {
    for (let number = 0; ; number += 1) {
        const taken = await new SideChain({ store, index, stream, shard }).read();
        const end = taken.reduce((most, { sequence }) => (compareSequences(sequence, most) > 0 ? sequence : most), '0');
        const missing = isOrdered ? messages.filter(({ sequence }) => compareSequences(sequence, end) > 0) : messages;
        const last = missing.at(-1)?.sequence;
        const key = chainKey({ kind: 'telemetry', stream, shard: sideShardOf(shard) }, String(number));
        if (last === undefined || (await tryPut(store, key, await encodeObject(missing, last), { ifMatch: ABSENT }))) {
            return;
        }
    }
}

/** What Lambda tells of a range that it gave up. */
function bodyOf({ shard, functionName }: GivenUp, range: readonly StreamRecord[]): string {
    return JSON.stringify({
        requestContext: { functionArn: `arn:aws:lambda:eu-central-1:0:function:${functionName}`, condition: 'RetryAttemptsExhausted' },
        KinesisBatchInfo: {
            shardId: shard.id,
            startSequenceNumber: range[0]?.sequence,
            endSequenceNumber: range.at(-1)?.sequence,
            batchSize: range.length,
            streamArn: `arn:aws:kinesis:eu-central-1:0:stream/${STREAM}`,
        },
    });
}

/** What summarize does of an object, as far as a chain is concerned: the ledger has its messages once it was read. */
async function readObject(store: ObjectStore, key: string): Promise<void> {
    for (;;) {
        const { record, etag } = await readLedger(store, sourceId(key));
        const object = await store.get(key);
        if (!object || record?.etag === object.info.etag || isStrangeInChain(object.info, record)) {
            return;
        }
        const lines = gunzipSync(object.bytes).toString().trimEnd().split('\n').map(decodeLine);
        const messages = lines.flatMap((line) => (line.is === 'message' ? [line.message.refused ?? line.message.payload.toString()] : []));
        const next: LedgerRecord = {
            ...NOTHING_READ,
            ...{
                source: key,
                site: 'main',
                state: 'done',
                version: '1-0123456789abcdef',
                last_day: '2026-01-05',
                options: {},
                size_bytes: 0,
            },
            ...{ etag: object.info.etag, summarized_at: '', commits: (record?.commits ?? 0) + 1, versions: { '1-0123456789abcdef': [] } },
            ...{ summary_format: 1, retracted_generation: null, messages },
        };
        if (await commitLedger(store, { source: sourceId(key), record: next, etag })) {
            return;
        }
    }
}

/** What the ledger lacks and is not told as lost, or has twice, or tells as lost though it has it. */
async function findWrong(
    store: ObjectStore,
    { shards, note, hasPruned }: { shards: readonly Shard[]; note: Note; hasPruned: boolean },
): Promise<string | undefined> {
    const found: { source: string; text: string }[] = [];
    for await (const { key } of store.list('ledger/')) {
        const { source, messages } = JSON.parse(Buffer.from((await store.get(key))?.bytes ?? []).toString());
        found.push(...messages.map((text: string) => ({ source, text })));
    }
    const inLedger = new Map<string, number>();
    const lost: { source: string; count: number; first: string; last: string }[] = [];
    for (const { source, text } of found) {
        const [, count, first = '', last = ''] = /^up to (\d+) records from (\d+) to (\d+) /.exec(text) ?? [];
        if (count === undefined) {
            inLedger.set(text, (inLedger.get(text) ?? 0) + 1);
        } else {
            note('lost');
            lost.push({ source, count: Number(count), first, last });
        }
    }
    const wrong: string[] = [];
    for (const { id, records } of shards) {
        for (const { sequence, data } of records) {
            const messages =
                data[0] === 0xf3 ? [...data.toString('latin1').matchAll(/\{"n":\d+\}/g)].map(([text]) => text) : [data.toString()];
            const counts = messages.map((text) => inLedger.get(text) ?? 0);
            const told = lost.find(({ source, ...span }) => source.includes(`shard=${id}.side/`) && isWithin(sequence, span));
            const isMissing = counts.every((count) => count === 0);
            if (isMissing && told) {
                told.count -= 1;
            } else if (counts.some((count) => count !== 1)) {
                wrong.push(`record ${sequence} of ${id} stands in the ledger ${counts.join(', ')} times`);
            }
        }
    }
    // Of pruned objects it is not known how many records stood in them.
    wrong.push(
        ...lost
            .filter(({ count }) => (hasPruned ? count < 0 : count !== 0))
            .map((one) => `told as lost is another number of records: ${JSON.stringify(one)}`),
    );
    return wrong.length > 0 ? wrong.join('\n') : undefined;
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
    const list: T[] = [];
    for await (const item of items) {
        list.push(item);
    }
    return list;
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

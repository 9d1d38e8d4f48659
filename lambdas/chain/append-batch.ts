/** Appends what Lambda hands over of one shard to the shard's chain. Data never stops it: what cannot be understood is put aside. A broken world does. */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { KinesisStreamBatchResponse } from 'aws-lambda';
import pMap from 'p-map';
import type { DeviceLookup } from '#lake/cloud/device-lookup';
import { batchOf, type KinesisEventRecord } from '#lake/cloud/kinesis-event';
import { type RecordSource, readRecord } from '#lake/cloud/kinesis-record';
import type { StreamRecord } from '#lake/cloud/kinesis-stream';
import { UsageError } from '#lake/errors';
import { AsideLimit } from '#lake/live/aside-limit';
import type { DatasetIndex } from '#lake/live/datasets';
import { NotedChain } from '#lake/live/noted-chain';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import type { Log } from '#lambdas/batch';
import type { MetricSink } from '#lambdas/figures';
import type { TimeLeft } from '#lambdas/time-left';
import { watchStore } from '#lambdas/watched-store';

export interface ChainAppenderOptions {
    store: ObjectStore;
    index: Pick<DatasetIndex, 'noteChain' | 'spans'>;
    devices: DeviceLookup;
    /** What is read from a stream of this name. @throws UsageError for another one */
    sourceOf: (stream: string) => RecordSource;
    /** Name that the chains of the stream have. */
    streamIdOf: (stream: string) => Promise<string>;
    /** Lets pass a function that gets one batch of a shard at a time. @throws UsageError for one that gets more */
    assertOneBatchAtATime: () => Promise<void>;
    now: () => Date;
}

export interface AppendTools {
    time: TimeLeft;
    log: Log;
    metrics: MetricSink;
}

/** Appends batches; what it knows of chains and devices outlives an invocation. */
export interface ChainAppender {
    /**
     * The answer that Lambda expects: the first record that is to come again, where the time did not reach for all.
     * @throws StorageError where the lake cannot be read or written, and nothing was appended that a repeat would not find again
     */
    append(records: readonly KinesisEventRecord[], tools: AppendTools): Promise<KinesisStreamBatchResponse>;
}

/** Shards that a worker remembers the ends of: it seldom sees more than one. */
const MAX_SHARDS = 100;

/** Records that are read before the time is looked at again. */
const RECORDS_AT_ONCE = 500;

interface Shard {
    chain: NotedChain;
    limit: AsideLimit;
}

export function openChainAppender(options: ChainAppenderOptions): ChainAppender {
    const { index, devices, sourceOf, streamIdOf, now } = options;
    const { store, seen } = watchStore(options.store);
    const shards = new Map<string, Shard>();
    /** The question whether it is alone; undefined until it was asked for the first time, and again where it could not be told. */
    let isAlone: Promise<void> | undefined;

    function shardOf(stream: string, shard: string): Shard {
        const name = `${stream} ${shard}`;
        const known = shards.get(name) ?? { chain: new NotedChain({ store, index, stream, shard, now }), limit: new AsideLimit() };
        shards.delete(name);
        shards.set(name, known);
        for (const oldest of shards.keys()) {
            if (shards.size <= MAX_SHARDS) {
                break;
            }
            shards.delete(oldest);
        }
        return known;
    }

    /** @throws UsageError where other batches of the shard are worked on beside this one */
    async function assertAlone(log: Log): Promise<void> {
        isAlone ??= options.assertOneBatchAtATime();
        try {
            await isAlone;
        } catch (error) {
            isAlone = undefined;
            if (error instanceof UsageError) {
                throw error;
            }
            // The template says the same, and a test of it: what cannot be asked now is no reason to hold up the shard.
            log.warn('could not ask how many batches of a shard are handed out at once; the next invocation asks again', { error });
        }
    }

    return {
        async append(records, { time, log, metrics }) {
            const batch = batchOf(records);
            const from = sourceOf(batch.stream);
            const [streamId] = await Promise.all([streamIdOf(batch.stream), assertAlone(log)]);
            const read = await readBatch(batch.records, {
                time,
                log,
                readOne: (record) => readRecord(record, { from, devices, onDamaged: (why) => log.error('a device is damaged', { why }) }),
            });
            const { chain, limit } = shardOf(streamId, batch.shard);
            const kept = limit.apply(read.messages);
            const conflictsBefore = seen.conflicts;
            const appended = await chain.append(kept.messages);
            const behind = kept.messages.slice(kept.messages.length - appended.appended);
            limit.note(behind);
            const count = (name: string, value: number): unknown => metrics.addMetric(name, MetricUnit.Count, value);
            count('MessagesAppended', behind.length);
            count('MessagesAside', behind.filter(({ refused }) => refused !== undefined).length);
            count('MessagesDropped', behind.length > 0 ? kept.dropped : 0);
            count('ObjectsAppended', appended.key === undefined ? 0 : 1);
            count('Conflicts', seen.conflicts - conflictsBefore);
            count('RecordsReturned', records.length - read.recordCount);
            const lagMs = now().getTime() - Math.min(...batch.records.map(({ arrivedMs }) => arrivedMs));
            metrics.addMetric('ChainLagMs', MetricUnit.Milliseconds, lagMs);
            log.info(appended.key === undefined ? 'nothing new' : 'appended', {
                ...{ stream: streamId, shard: batch.shard, key: appended.key, records: records.length, messages: behind.length, lagMs },
            });
            const next = batch.records[read.recordCount];
            return { batchItemFailures: next ? [{ itemIdentifier: next.sequence }] : [] };
        },
    };
}

interface ReadBatchOptions extends Pick<AppendTools, 'time' | 'log'> {
    readOne: (record: StreamRecord) => Promise<ChainMessage[]>;
}

/** Messages of the records from the first one on: of all, or of as many as could be read in the time. @throws StorageError where not even the first could be */
async function readBatch(
    records: readonly StreamRecord[],
    { time, log, readOne }: ReadBatchOptions,
): Promise<{ messages: ChainMessage[]; recordCount: number }> {
    const messages: ChainMessage[] = [];
    for (let at = 0; at < records.length; at += RECORDS_AT_ONCE) {
        if (at > 0 && time.signal.aborted) {
            log.warn('the time did not reach for all records; the others come again', { read: at, records: records.length });
            return { messages, recordCount: at };
        }
        try {
            const read = await pMap(records.slice(at, at + RECORDS_AT_ONCE), readOne, { concurrency: CALLS_AT_ONCE });
            messages.push(...read.flat());
        } catch (error) {
            if (at === 0) {
                throw error;
            }
            log.error('some records could not be read; they come again, and all behind them', { read: at, records: records.length, error });
            return { messages, recordCount: at };
        }
    }
    return { messages, recordCount: records.length };
}

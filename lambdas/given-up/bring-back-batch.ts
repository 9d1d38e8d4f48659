/**
 * Brings into the lake what was given up on its way: ranges of a stream that Lambda could not hand to `chain`, which are read again, and messages that the IoT
 * rule could not hand to the stream. What Kinesis holds no more, and the lake neither, is lost: that is counted, and said in the lake.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import pMap from 'p-map';
import type { DeviceLookup } from '#lake/cloud/device-lookup';
import { type GivenUpRange, parseGivenUp, type RuleError } from '#lake/cloud/given-up-news';
import { type RecordSource, readRecord } from '#lake/cloud/kinesis-record';
import type { RangeRead, ShardRange } from '#lake/cloud/kinesis-stream';
import { chainPrefix, isDeviceId, UNSTREAMED_SHARD } from '#lake/layout';
import { bringBack } from '#lake/live/bring-back';
import { ChainWriter } from '#lake/live/chain';
import { messagesOf } from '#lake/live/chain-object';
import { chainFactsOf, type DatasetIndex } from '#lake/live/datasets';
import type { NewMessage } from '#lake/live/inbox';
import { cutAside, judgeArrival } from '#lake/live/judge-arrival';
import type { MessageQueue } from '#lake/queue/message-queue';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { type Log, workThrough } from '#lambdas/batch';
import type { MetricSink } from '#lambdas/figures';
import type { TimeLeft } from '#lambdas/time-left';

export interface BringBackBatchOptions {
    /** Name of the lake's bucket. */
    bucket: string;
    store: ObjectStore;
    index: DatasetIndex;
    devices: DeviceLookup;
    /** Queue that the messages came from. */
    queue: Pick<MessageQueue, 'changeVisibility'>;
    /** Name of the function that writes the chains: only what that one was to get may be brought into them. */
    chainFunction: string;
    /** Name of the stream that the IoT rule writes. */
    telemetryStream: string;
    /** Brings messages into latest state that never were in a stream. @throws StorageError where not all of them are there */
    intoLatest: (messages: readonly ChainMessage[]) => Promise<void>;
    sourceOf: (stream: string) => RecordSource;
    streamIdOf: (stream: string) => Promise<string>;
    /** Reads a range again. @throws StorageError where it cannot be told what Kinesis holds */
    readRange: (range: ShardRange) => Promise<RangeRead>;
    time: TimeLeft;
    now: () => Date;
    log: Log;
    metrics: MetricSink;
}

/** Objects may be this much older than what they hold, by the clock of another machine. */
const CLOCK_SLACK_MS = 60_000;

/** The answer to a batch of the queue. A message is done once what it tells of is in the lake. */
export async function bringBackBatch(records: readonly SQSRecord[], options: BringBackBatchOptions): Promise<SQSBatchResponse> {
    const { bucket, store, index, devices, intoLatest, queue, telemetryStream, sourceOf, streamIdOf, now, time, log, metrics } = options;
    const counts = { RangesGivenUp: 0, RuleErrors: 0, BroughtIntoChain: 0, BroughtIntoSideChain: 0, RecordsLost: 0 };

    async function bringRange(range: GivenUpRange): Promise<void> {
        const { stream, shard, first, last, recordCount, condition, functionName } = range;
        const told = { stream, shard, first, last, records: recordCount, condition };
        if (functionName !== options.chainFunction) {
            // Its own messages are in the chain or come to it. What lies before them may not be yet: appended now, it would be thrown away then.
            log.error('another function gave up a range: what it keeps lacks these messages, the lake does not', { ...told, functionName });
            return;
        }
        const from = sourceOf(stream);
        const place = { store, index, stream: await streamIdOf(stream), shard };
        const { records: found, gone } = await options.readRange({ stream, shard, first, last });
        const read = await pMap(
            found,
            (record) => readRecord(record, { from, devices, onDamaged: (why) => log.error('a device is damaged', { why }) }),
            { concurrency: CALLS_AT_ONCE },
        );
        time.signal.throwIfAborted();
        const readAgain = { ...range, gone, found: found.map(({ sequence }) => sequence) };
        const { lost, ...brought } = await bringBack(read.flat(), { ...place, range: readAgain, now });
        counts.RangesGivenUp += 1;
        counts.BroughtIntoChain += brought.inChain;
        counts.BroughtIntoSideChain += brought.inSideChain;
        counts.RecordsLost += lost;
        if (lost > 0) {
            log.error('records are lost: Kinesis holds them no more; flowlake rejects tells of them', { ...told, lost, gone });
        }
        log.info('brought back what was given up', { ...told, found: found.length, ...brought });
    }

    async function bringRuleErrors(errors: readonly RuleError[]): Promise<void> {
        const chain = { stream: telemetryStream, shard: UNSTREAMED_SHARD };
        const { known, there } = await reportsIn(chain, errors);
        const messages = await pMap(
            errors.filter(({ report }) => !known.has(report)),
            (error) => messageOf(error, devices),
            { concurrency: CALLS_AT_ONCE },
        );
        time.signal.throwIfAborted();
        const { appended, key, end } = await new ChainWriter(store, { ...chain, now }).appendUnnumbered(messages);
        const first = BigInt(end) - BigInt(appended) + 1n;
        const numbered = messages.map((message, at) => ({ ...message, sequence: String(first + BigInt(at)) }));
        if (key !== undefined) {
            await index.noteChain(key, chainFactsOf(numbered));
        }
        // Who brought the others into the chain may have died before they were in latest state.
        await intoLatest([...there, ...numbered]);
        counts.RuleErrors += appended;
        const why = [...new Set(errors.map((error) => `${error.rule}: ${error.why}`))].slice(0, 3);
        log.error('the IoT rule could not hand messages on; they are in the lake now', { messages: appended, key, why });
    }

    /** Messages that were handed out before, and are in the lake: whoever brought them died before they left the queue. And the reports of all that lie beside them. */
    async function reportsIn(
        chain: { stream: string; shard: string },
        errors: readonly RuleError[],
    ): Promise<{ known: Set<string | undefined>; there: ChainMessage[] }> {
        const known = new Set<string | undefined>();
        const there: ChainMessage[] = [];
        const asked = new Set(errors.map(({ report }) => report));
        const repeated = errors.filter(({ isRepeated }) => isRepeated);
        const sinceMs = Math.min(...repeated.map(({ sentMs }) => sentMs)) - CLOCK_SLACK_MS;
        if (repeated.length === 0) {
            return { known, there };
        }
        for await (const { key, modifiedAt } of store.list(chainPrefix({ kind: 'telemetry', ...chain }))) {
            if (modifiedAt.getTime() >= sinceMs) {
                for await (const message of messagesOf(store, key)) {
                    known.add(message.report);
                    there.push(...(message.report !== undefined && asked.has(message.report) ? [message] : []));
                }
            }
        }
        return { known, there };
    }

    try {
        return await workThrough(records, {
            parse: (body, sent) => parseGivenUp(body, sent),
            subjectOf: (news) => (news.is === 'range' ? `${news.stream} ${news.shard}` : 'rule errors'),
            work: async (_, news) => {
                for (const one of news) {
                    if (one.is === 'range') {
                        time.signal.throwIfAborted();
                        await bringRange(one);
                    }
                }
                const errors = news.filter((one) => one.is === 'rule error');
                if (errors.length > 0) {
                    await bringRuleErrors(errors);
                }
            },
            time,
            queue,
            howTooLargeGetsThrough: () =>
                `give the function more memory and time (cdk/config.ts), then run \`flowlake --lake s3://${bucket} redrive\``,
            log,
            metrics,
        });
    } finally {
        for (const [name, count] of Object.entries(counts)) {
            metrics.addMetric(name, MetricUnit.Count, count);
        }
    }
}

/** The message that the rule could not hand on, as its record would have been read: its device is its client. */
async function messageOf({ client, topic, payload, report, sentMs }: RuleError, devices: DeviceLookup): Promise<NewMessage> {
    if (!isDeviceId(client)) {
        const refused = 'the client of IoT Core that sent it has no id of a device';
        return { arrivedMs: sentMs, way: 'mqtt', topic, refused, report, payload: cutAside(payload) };
    }
    const found = await devices.find(client, { atMs: sentMs, readSinceMs: sentMs });
    const known = found.ok ? found.device : undefined;
    return { ...judgeArrival({ way: 'mqtt', device: client, topic, payload }, { known, arrivedMs: sentMs }), report };
}

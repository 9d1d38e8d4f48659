/** What a Lambda has around it, for tests: the batches of a queue, its time, and the lines and metrics that it leaves. */
import type { KinesisStreamRecord, SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { MessageQueue, ReceivedMessage } from '#lake/queue/message-queue';
import type { Log } from '#lambdas/batch';
import type { MetricSink } from '#lambdas/figures';
import type { TimeLeft } from '#lambdas/time-left';

/** A message as Lambda hands it to a function: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export function sqsRecord({
    id = 'm1',
    receipt = `receipt of ${id}`,
    body = '',
    receiveCount = 1,
    sentAt = new Date(0),
}: Partial<ReceivedMessage> = {}): SQSRecord {
    return {
        messageId: id,
        receiptHandle: receipt,
        body,
        attributes: {
            ApproximateReceiveCount: String(receiveCount),
            SentTimestamp: String(sentAt.getTime()),
            SenderId: 'test',
            ApproximateFirstReceiveTimestamp: '0',
        },
        messageAttributes: {},
        md5OfBody: '',
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:test',
        awsRegion: 'us-east-1',
    };
}

/** What Lambda does with a batch: deletes what the function does not report, leaves the rest. Returns the bodies of what failed. */
export async function deliver(queue: MessageQueue, work: (records: SQSRecord[]) => Promise<SQSBatchResponse>): Promise<string[]> {
    const messages = await queue.receive();
    const { batchItemFailures } = await work(messages.map(sqsRecord));
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    await Promise.all(messages.filter(({ id }) => !failed.has(id)).map(({ receipt }) => queue.delete(receipt)));
    return messages.filter(({ id }) => failed.has(id)).map(({ body }) => body);
}

/** S3's news of objects: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export function s3Event(keysAsWritten: readonly string[], { bucket = 'lake', at = '2026-03-01T10:00:00.000Z' } = {}): string {
    return JSON.stringify({
        Records: keysAsWritten.map((key) => ({
            eventVersion: '2.1',
            eventSource: 'aws:s3',
            awsRegion: 'us-east-1',
            eventTime: at,
            eventName: 'ObjectCreated:Put',
            s3: {
                s3SchemaVersion: '1.0',
                configurationId: 'raw',
                bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
                object: { key, size: 1, eTag: 'e', sequencer: '0' },
            },
        })),
    });
}

/** Time that is over when the test says so. */
export interface TestTime extends TimeLeft {
    pass(ms: number): void;
    /** What the last seconds do. */
    runOut(): void;
}

export function testTime({ wholeMs = 300_000 } = {}): TestTime {
    const over = new AbortController();
    let remainingMs = wholeMs;
    return {
        signal: over.signal,
        remainingMs: () => remainingMs,
        pass(ms) {
            remainingMs -= ms;
        },
        runOut() {
            remainingMs = 10_000;
            over.abort(new Error('the time is over'));
        },
    };
}

/** Keeps what was logged: level, message and fields. */
export function testLog(): Log & { lines: { level: string; message: string; fields: Record<string, unknown> }[] } {
    const lines: { level: string; message: string; fields: Record<string, unknown> }[] = [];
    const at = (level: string) => (message: string, fields: Record<string, unknown>) => void lines.push({ level, message, fields });
    return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

/** Keeps the values of each metric, in order. */
export function testMetrics(): MetricSink & { values: Record<string, number[]> } {
    const values: Record<string, number[]> = {};
    return {
        values,
        addMetric: (name, _, value) => {
            values[name] = [...(values[name] ?? []), value];
        },
    };
}

/** A record of a stream as Lambda hands it to a function: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html */
export function kinesisRecord({
    stream = 'telemetry',
    shard = 'shardId-000000000000',
    sequence = '1',
    key = 'th-1',
    data = '{}',
    arrivedMs = 0,
}: {
    stream?: string;
    shard?: string;
    sequence?: string;
    key?: string;
    data?: string | Buffer;
    arrivedMs?: number;
} = {}): KinesisStreamRecord {
    return {
        awsRegion: 'eu-central-1',
        eventID: `${shard}:${sequence}`,
        eventName: 'aws:kinesis:record',
        eventSource: 'aws:kinesis',
        eventSourceARN: `arn:aws:kinesis:eu-central-1:000000000000:stream/${stream}`,
        eventVersion: '1.0',
        invokeIdentityArn: 'arn:aws:iam::000000000000:role/test',
        kinesis: {
            approximateArrivalTimestamp: arrivedMs / 1000,
            data: Buffer.from(data).toString('base64'),
            kinesisSchemaVersion: '1.0',
            partitionKey: key,
            sequenceNumber: sequence,
        },
    };
}

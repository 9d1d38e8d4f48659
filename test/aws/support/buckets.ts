/** Buckets and queues for one test each. */
import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, PutBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueWanted } from '#test/support/message-queue-contract';

/** The name of a new, empty, versioned bucket. */
export async function makeBucket(client: S3Client): Promise<string> {
    const Bucket = `test-${randomUUID()}`;
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    return Bucket;
}

/** The name of a new queue. Messages that are received stay away for `visibilitySeconds`. */
export async function makeQueue(
    client: SQSClient,
    { isFifo = false, visibilitySeconds = 30, delaySeconds = 0 }: QueueWanted = {},
): Promise<string> {
    const QueueName = `test-${randomUUID()}${isFifo ? '.fifo' : ''}`;
    const Attributes = {
        VisibilityTimeout: String(visibilitySeconds),
        DelaySeconds: String(delaySeconds),
        ...(isFifo && { FifoQueue: 'true' }),
    };
    await client.send(new CreateQueueCommand({ QueueName, Attributes }));
    return QueueName;
}

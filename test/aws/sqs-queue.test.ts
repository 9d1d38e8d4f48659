/** The message queue on SQS keeps the promises of the port. */
import { createSqsClient, openSqsQueue } from '#lake/queue/sqs';
import { describeMessageQueue } from '#test/support/message-queue-contract';
import { makeQueue } from './support/buckets.ts';

const client = createSqsClient({ environment: process.env });

describeMessageQueue('SQS queue', { openQueue: async (wanted) => openSqsQueue({ name: await makeQueue(client, wanted), client }) });

test('a queue that is missing is said to be, and what to do', async () => {
    await expect(openSqsQueue({ name: 'no-such-queue', client }).depth()).rejects.toThrow(
        /cannot look at queue no-such-queue: there is no such queue; run flowlake doctor/,
    );
});

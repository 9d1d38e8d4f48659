/** The message queue on SQS keeps the promises of the port against a server of SQS's protocol; test/aws has the same on a local AWS. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StorageError } from '#lake/errors';
import { createSqsClient, openSqsQueue } from '#lake/queue/sqs';
import { describeMessageQueue } from '#test/support/message-queue-contract';
import { type SqsServer, startSqsServer } from '#test/support/sqs-server';

let server: SqsServer;

beforeAll(async () => {
    server = await startSqsServer();
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
});

afterAll(() => server.stop());

function open(name: string) {
    return openSqsQueue({ name, client: createSqsClient({ environment: { AWS_ENDPOINT_URL: server.endpoint } }) });
}

describeMessageQueue('SQS queue', { openQueue: async (wanted) => open(server.makeQueue(wanted)) });

test('a queue that is missing is said to be, and what to do', async () => {
    const queue = open('no-such-queue');
    await expect(queue.depth()).rejects.toThrow(/cannot look at queue no-such-queue: there is no such queue; run flowlake doctor/);
});

test('a batch of which one message is not taken is an error: nobody takes it for sent', async () => {
    const queue = open(server.makeQueue());
    server.refuseOne();
    await expect(queue.send(['a', 'b', 'c'].map((body) => ({ body })))).rejects.toThrow(
        /did not take 1 of 3 messages: as the test wants it/,
    );
});

test('a message that is not out any more is given back and deleted all the same', async () => {
    const queue = open(server.makeQueue());
    await queue.send([{ body: 'a' }]);
    const [message] = await queue.receive({ waitSeconds: 5 });
    await queue.changeVisibility(message?.receipt ?? '', 0);
    await queue.changeVisibility(message?.receipt ?? '', 0);
    await queue.delete(message?.receipt ?? '');
});

test('a message cannot be kept away for longer than SQS does', async () => {
    const queue = open(server.makeQueue());
    await queue.send([{ body: 'a' }]);
    const [message] = await queue.receive({ waitSeconds: 5 });
    await expect(queue.changeVisibility(message?.receipt ?? '', 43_201)).rejects.toThrow(StorageError);
});

test('the queue is looked for again where it was not there', async () => {
    const name = server.makeQueue();
    server.hide(name);
    const queue = open(name);
    await expect(queue.depth()).rejects.toThrow('there is no such queue');
    server.show(name);
    expect(await queue.depth()).toEqual({ waiting: 0, inFlight: 0 });
});

/** The message queue on SQS, standard or FIFO (by the name: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fifo-queues.html). */

import { randomUUID } from 'node:crypto';
import {
    ChangeMessageVisibilityCommand,
    DeleteMessageCommand,
    GetQueueAttributesCommand,
    GetQueueUrlCommand,
    ReceiveMessageCommand,
    SendMessageBatchCommand,
    SQSClient,
    type Message as SqsMessage,
} from '@aws-sdk/client-sqs';
import { awsCodeOf, translated } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';
import { StorageError } from '#lake/errors';
import type { Message, MessageQueue, ReceivedMessage } from './message-queue.ts';

/** Messages that SQS takes at once: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const MAX_BATCH_MESSAGES = 10;

/** A client of SQS; credentials come from where the SDK looks for them. */
export function createSqsClient(options: ClientOptions): SQSClient {
    return new SQSClient(clientConfig(options, 'SQS'));
}

/** The queue of this name in the client's account and region; it is looked up with the first call. */
export function openSqsQueue({ name, client }: { name: string; client: SQSClient }): MessageQueue {
    let url: Promise<string> | undefined;

    async function findUrl(): Promise<string> {
        const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: name }));
        if (QueueUrl === undefined) {
            throw new StorageError(`SQS gives no address for queue ${name}; run flowlake doctor`);
        }
        return QueueUrl;
    }

    function withUrl<T>(doing: string, use: (url: string) => Promise<T>): Promise<T> {
        return translated(
            async () => {
                url ??= findUrl();
                // A queue that was not there may be by the next call.
                url.catch(() => {
                    url = undefined;
                });
                return use(await url);
            },
            { doing: `${doing} queue ${name}` },
        );
    }

    return {
        name,

        send: (messages) =>
            withUrl('send to', async (QueueUrl) => {
                for (let at = 0; at < messages.length; at += MAX_BATCH_MESSAGES) {
                    const batch = messages.slice(at, at + MAX_BATCH_MESSAGES);
                    const { Failed } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: batch.map(entryOf) }));
                    if (Failed?.[0]) {
                        const { Code, Message: why } = Failed[0];
                        throw new StorageError(`queue ${name} did not take ${Failed.length} of ${batch.length} messages: ${why ?? Code}`);
                    }
                }
            }),

        receive: ({ max = 10, waitSeconds = 0, visibilitySeconds } = {}) =>
            withUrl('receive from', async (QueueUrl) => {
                const { Messages } = await client.send(
                    new ReceiveMessageCommand({
                        QueueUrl,
                        MaxNumberOfMessages: max,
                        WaitTimeSeconds: waitSeconds,
                        ...(visibilitySeconds !== undefined && { VisibilityTimeout: visibilitySeconds }),
                        MessageSystemAttributeNames: ['ApproximateReceiveCount', 'MessageGroupId', 'SentTimestamp'],
                    }),
                );
                return (Messages ?? []).map(receivedOf);
            }),

        delete: (receipt) =>
            withUrl('delete from', async (QueueUrl) => {
                try {
                    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: receipt }));
                } catch (error) {
                    // It is gone, or its time is over: then it comes once more, which every reader has to bear.
                    if (awsCodeOf(error) !== 'ReceiptHandleIsInvalid') {
                        throw error;
                    }
                }
            }),

        changeVisibility: (receipt, visibilitySeconds) =>
            withUrl('say when a message comes back to', async (QueueUrl) => {
                try {
                    const change = { QueueUrl, ReceiptHandle: receipt, VisibilityTimeout: visibilitySeconds };
                    await client.send(new ChangeMessageVisibilityCommand(change));
                } catch (error) {
                    // Its time is over, so that it has come back by itself; or it is done, and deleted.
                    if (!isGone(error)) {
                        throw error;
                    }
                }
            }),

        depth: () =>
            withUrl('look at', async (QueueUrl) => {
                const { Attributes } = await client.send(
                    new GetQueueAttributesCommand({
                        QueueUrl,
                        AttributeNames: [
                            'ApproximateNumberOfMessages',
                            'ApproximateNumberOfMessagesDelayed',
                            'ApproximateNumberOfMessagesNotVisible',
                        ],
                    }),
                );
                const {
                    ApproximateNumberOfMessages: waiting = 0,
                    ApproximateNumberOfMessagesDelayed: delayed = 0,
                    ApproximateNumberOfMessagesNotVisible: inFlight = 0,
                } = Attributes ?? {};
                return { waiting: Number(waiting) + Number(delayed), inFlight: Number(inFlight) };
            }),
    };
}

/**
 * True where a message is not away any more: it came back, or was deleted. Of FIFO queues SQS says the latter by the one code that it has for all that is wrong with
 * a parameter: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
function isGone(error: unknown): boolean {
    const code = awsCodeOf(error);
    const isSaidInWords = error instanceof Error && /message does not exist|receipt handle has expired/i.test(error.message);
    return code === 'MessageNotInflight' || code === 'ReceiptHandleIsInvalid' || (code === 'InvalidParameterValue' && isSaidInWords);
}

/**
 * A message as SQS takes it. A send that names no deduplication id has one of its own: by content, a second message for a period would vanish
 * while the first is being worked on, and what it announces would never be merged.
 */
function entryOf({ body, group, deduplicationId = randomUUID() }: Message, at: number) {
    return {
        Id: String(at),
        MessageBody: body,
        ...(group !== undefined && { MessageGroupId: group, MessageDeduplicationId: deduplicationId }),
    };
}

function receivedOf({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }: SqsMessage): ReceivedMessage {
    return {
        id: MessageId,
        receipt: ReceiptHandle,
        body: Body,
        group: Attributes.MessageGroupId,
        receiveCount: Number(Attributes.ApproximateReceiveCount ?? 1),
        sentAt: new Date(Number(Attributes.SentTimestamp ?? 0)),
    };
}

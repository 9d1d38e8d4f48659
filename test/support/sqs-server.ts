/**
 * A server with as much of SQS (JSON 1.0, as the SDK speaks it) as the lake's queues ask for, over real HTTP; the messages are in queues in
 * memory.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { MessageQueue, ReceivedMessage } from '#lake/queue/message-queue';
import { memoryQueue } from '#test/support/memory-queue';
import type { QueueWanted } from '#test/support/message-queue-contract';

export interface SqsServer {
    /** Address of the server, for AWS_ENDPOINT_URL. */
    endpoint: string;
    /** Makes an empty queue and returns its name. */
    makeQueue(wanted?: QueueWanted): string;
    /** Has no queue of this name, until it is shown again. */
    hide(name: string): void;
    show(name: string): void;
    /** The next batch that is sent is taken but for its last message. */
    refuseOne(): void;
    stop(): Promise<void>;
}

interface Stored {
    queue: MessageQueue;
    isFifo: boolean;
    /** Receipts of messages that are being worked on. */
    receipts: Set<string>;
}

type Input = Record<string, any>;

class Refusal extends Error {
    readonly type: string;

    constructor(type: string) {
        super(type);
        this.type = type;
    }
}

/** Messages that SQS takes at once: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const MAX_BATCH_MESSAGES = 10;

/**
 * Longest time that SQS hides a message:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
const MAX_VISIBILITY_SECONDS = 43_200;

export async function startSqsServer(): Promise<SqsServer> {
    const queues = new Map<string, Stored>();
    const hidden = new Set<string>();
    let isOneRefused = false;

    function find(name: string | undefined): Stored {
        const stored = queues.get(name ?? '');
        if (!stored || hidden.has(name ?? '')) {
            throw new Refusal('QueueDoesNotExist');
        }
        return stored;
    }

    async function sendBatch({ queue, isFifo }: Stored, entries: readonly Input[]): Promise<Input> {
        if (entries.length === 0 || entries.length > MAX_BATCH_MESSAGES || new Set(entries.map(({ Id }) => Id)).size < entries.length) {
            throw new Refusal(entries.length === 0 ? 'EmptyBatchRequest' : 'TooManyEntriesInBatchRequest');
        }
        if (entries.some(({ MessageGroupId, MessageDeduplicationId }) => isFifo && !(MessageGroupId && MessageDeduplicationId))) {
            throw new Refusal('MissingParameter');
        }
        const Failed: Input[] = [];
        const Successful: Input[] = [];
        for (const [at, { Id, MessageBody: body, MessageGroupId: group, MessageDeduplicationId: once }] of entries.entries()) {
            if (isOneRefused && at === entries.length - 1) {
                isOneRefused = false;
                Failed.push({ Id, SenderFault: false, Code: 'InternalError', Message: 'as the test wants it' });
                continue;
            }
            await queue.send([{ body, group, deduplicationId: once }]);
            Successful.push({ Id, MessageId: randomUUID(), MD5OfMessageBody: md5(body) });
        }
        return { Failed, Successful };
    }

    async function receive({ queue, receipts }: Stored, input: Input): Promise<Input> {
        const messages = await queue.receive({
            max: input.MaxNumberOfMessages ?? 1,
            waitSeconds: input.WaitTimeSeconds ?? 0,
            visibilitySeconds: input.VisibilityTimeout,
        });
        for (const { receipt } of messages) {
            receipts.add(receipt);
        }
        return { Messages: messages.map((message) => messageOf(message, input.MessageSystemAttributeNames ?? [])) };
    }

    async function changeVisibility({ queue, receipts }: Stored, { ReceiptHandle, VisibilityTimeout }: Input): Promise<Input> {
        if (!(VisibilityTimeout >= 0 && VisibilityTimeout <= MAX_VISIBILITY_SECONDS)) {
            throw new Refusal('InvalidParameterValue');
        }
        if (!receipts.has(ReceiptHandle)) {
            throw new Refusal('MessageNotInflight');
        }
        await queue.changeVisibility(ReceiptHandle, VisibilityTimeout);
        if (VisibilityTimeout === 0) {
            receipts.delete(ReceiptHandle);
        }
        return {};
    }

    async function answer(action: string, input: Input): Promise<Input> {
        if (action === 'GetQueueUrl') {
            find(input.QueueName);
            return { QueueUrl: `${endpoint}/000000000000/${input.QueueName}` };
        }
        const stored = find(input.QueueUrl?.split('/').at(-1));
        switch (action) {
            case 'SendMessageBatch':
                return sendBatch(stored, input.Entries);
            case 'ReceiveMessage':
                return receive(stored, input);
            case 'DeleteMessage':
                if (!stored.receipts.delete(input.ReceiptHandle)) {
                    throw new Refusal('ReceiptHandleIsInvalid');
                }
                await stored.queue.delete(input.ReceiptHandle);
                return {};
            case 'ChangeMessageVisibility':
                return changeVisibility(stored, input);
            case 'GetQueueAttributes':
                return { Attributes: attributesOf(await stored.queue.depth(), input.AttributeNames ?? []) };
            default:
                throw new Refusal('InvalidAction');
        }
    }

    const server = createServer(async (request, response) => {
        const send = (status: number, body: Input): void => {
            response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
        };
        try {
            send(200, await answer(actionOf(request), (await json(request)) as Input));
        } catch (error) {
            const type = error instanceof Refusal ? error.type : 'InternalError';
            send(error instanceof Refusal ? 400 : 500, { __type: `com.amazonaws.sqs#${type}`, message: String(error) });
        }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
        endpoint,
        makeQueue({ isFifo = false, ...wanted } = {}) {
            const name = `test-${randomUUID()}${isFifo ? '.fifo' : ''}`;
            queues.set(name, { queue: memoryQueue({ name, isFifo, ...wanted }), isFifo, receipts: new Set() });
            return name;
        },
        hide: (name) => void hidden.add(name),
        show: (name) => void hidden.delete(name),
        refuseOne() {
            isOneRefused = true;
        },
        async stop() {
            server.closeAllConnections();
            await new Promise<void>((resolve) => server.close(() => resolve()));
        },
    };
}

function actionOf({ headers }: IncomingMessage): string {
    return String(headers['x-amz-target']).split('.')[1] ?? '';
}

/** The message with no more than was asked for, as SQS does. */
function messageOf({ id, receipt, body, group, receiveCount, sentAt }: ReceivedMessage, asked: readonly string[]): Input {
    const all = {
        ApproximateReceiveCount: String(receiveCount),
        SentTimestamp: String(sentAt.getTime()),
        ...(group !== undefined && { MessageGroupId: group }),
    };
    const Attributes = Object.fromEntries(Object.entries(all).filter(([name]) => asked.includes(name)));
    return { MessageId: id, ReceiptHandle: receipt, Body: body, MD5OfBody: md5(body), Attributes };
}

/** The attributes. One of the waiting messages counts as delayed, so that whoever leaves these out is found out. */
function attributesOf({ waiting, inFlight }: { waiting: number; inFlight: number }, asked: readonly string[]): Record<string, string> {
    const delayed = Math.min(waiting, 1);
    const all = {
        ApproximateNumberOfMessages: String(waiting - delayed),
        ApproximateNumberOfMessagesDelayed: String(delayed),
        ApproximateNumberOfMessagesNotVisible: String(inFlight),
    };
    return Object.fromEntries(Object.entries(all).filter(([name]) => asked.includes(name)));
}

function md5(text: string): string {
    return createHash('md5').update(text).digest('hex');
}

/** A local AWS for the tests of what it was taught: its own process, clients without the lake's adapters, and Lambdas that write down what they get. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GlueClient } from '@aws-sdk/client-glue';
import { IoTClient } from '@aws-sdk/client-iot';
import { CreateStreamCommand, DescribeStreamSummaryCommand, KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startMinistack } from './ministack.ts';

export const ROLE = 'arn:aws:iam::000000000000:role/any';

export type LocalCloud = Awaited<ReturnType<typeof openLocalCloud>>;

/** What a Lambda of these tests was called with, a line an invocation. */
export interface Invocation {
    atMs: number;
    /** Partition key, shard and text of each record; of DynamoDB the whole record. */
    records: { key: string; shard: string; data: string; sequence: string }[];
    event: unknown;
}

/** Started below `folder`. */
export async function openLocalCloud({ folder }: { folder: string }) {
    const cloud = await startMinistack({ folder });
    const { endpoint } = cloud;
    const config = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 };
    const clients = {
        // Its HTTP/2 breaks off against this server.
        kinesis: new KinesisClient({ ...config, requestHandler: new NodeHttpHandler() }),
        dynamodb: new DynamoDBClient(config),
        iot: new IoTClient(config),
        sqs: new SQSClient(config),
        glue: new GlueClient(config),
        cloudwatch: new CloudWatchClient(config),
        s3: new S3Client({ ...config, forcePathStyle: true }),
    };

    async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
        const answer = await fetch(`${endpoint}${path}`, { method: 'POST', body: JSON.stringify(body), headers });
        const text = await answer.text();
        if (!answer.ok) {
            throw new Error(`${path}: ${answer.status} ${text}`);
        }
        return text === '' ? undefined : JSON.parse(text);
    }

    /** Calls an API that speaks JSON by its target, without a client of its own. */
    const call = (target: string, body: unknown) =>
        post('/', body, { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' });

    return {
        ...cloud,
        ...clients,
        post,
        call,
        levers: (values: Record<string, number | boolean>) => post('/_ministack/levers', values),
        act: (name: string, body: unknown) => post(`/_ministack/actions/${name}`, body),

        /** A stream with so many shards; its ARN. */
        async makeStream({ shards = 1, isOnDemand = false }: { shards?: number; isOnDemand?: boolean } = {}) {
            const StreamName = `stream-${randomUUID()}`;
            const mode = isOnDemand ? { StreamModeDetails: { StreamMode: 'ON_DEMAND' as const } } : { ShardCount: shards };
            await clients.kinesis.send(new CreateStreamCommand({ StreamName, ...mode }));
            const { StreamDescriptionSummary } = await clients.kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
            return { name: StreamName, arn: String(StreamDescriptionSummary?.StreamARN) };
        },

        put: (StreamName: string, records: readonly { key: string; data: string }[]) =>
            clients.kinesis.send(
                new PutRecordsCommand({
                    StreamName,
                    Records: records.map(({ key, data }) => ({ PartitionKey: key, Data: Buffer.from(data) })),
                }),
            ),

        /** A table with a stream; the stream's ARN. */
        async makeTable() {
            const TableName = `table-${randomUUID()}`;
            await clients.dynamodb.send(
                new CreateTableCommand({
                    TableName,
                    BillingMode: 'PAY_PER_REQUEST',
                    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
                    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
                    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
                }),
            );
            const { Table } = await clients.dynamodb.send(new DescribeTableCommand({ TableName }));
            return { name: TableName, stream: String(Table?.LatestStreamArn) };
        },

        async makeQueue(attributes: Record<string, string> = {}) {
            const QueueName = `queue-${randomUUID()}${attributes.FifoQueue ? '.fifo' : ''}`;
            const { QueueUrl } = await clients.sqs.send(new CreateQueueCommand({ QueueName, Attributes: attributes }));
            const { Attributes } = await clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
            return { url: String(QueueUrl), arn: String(Attributes?.QueueArn) };
        },

        /** Bodies of messages that came within `waitSeconds`; they are deleted. */
        async receive(QueueUrl: string, waitSeconds = 5): Promise<string[]> {
            const { Messages = [] } = await clients.sqs.send(
                new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: waitSeconds }),
            );
            for (const { ReceiptHandle } of Messages) {
                await clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
            }
            return Messages.map(({ Body }) => Body ?? '');
        },

        /** A Lambda that writes down each invocation, then does `body` with `texts`, the records' texts, and `records`. */
        async makeFunction(body = '') {
            const name = `function-${randomUUID()}`;
            const notes = join(folder, `${name}.jsonl`);
            writeFileSync(notes, '');
            const path = join(folder, `${name}.mjs`);
            writeFileSync(path, handlerText(notes, body));
            const zip = join(folder, `${name}.zip`);
            await promisify(execFile)('python3', ['-c', ZIP, zip, path]);
            await post('/2015-03-31/functions', {
                FunctionName: name,
                Runtime: 'nodejs22.x',
                Role: ROLE,
                Handler: 'index.handler',
                Timeout: 30,
                Code: { ZipFile: readFileSync(zip).toString('base64') },
            });
            const invocations = (): Invocation[] =>
                readFileSync(notes, 'utf8')
                    .split('\n')
                    .filter((line) => line !== '')
                    .map((line) => JSON.parse(line));
            return { name, invocations, taken: () => invocations().flatMap(({ records }) => records.map(({ data }) => data)) };
        },

        /** An event source mapping; its id. */
        async map(functionName: string, source: string, settings: Record<string, unknown> = {}): Promise<string> {
            const made = await post('/2015-03-31/event-source-mappings', {
                FunctionName: functionName,
                EventSourceArn: source,
                StartingPosition: 'TRIM_HORIZON',
                ...settings,
            });
            return (made as { UUID: string }).UUID;
        },
    };
}

const ZIP = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as archive:
    archive.write(sys.argv[2], 'index.mjs')
`;

function handlerText(notes: string, body: string): string {
    return `
import { appendFileSync } from 'node:fs';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export async function handler(event) {
    const records = (event.Records ?? []).map((record) => ({
        key: record.kinesis?.partitionKey ?? record.dynamodb?.Keys?.id?.S,
        shard: String(record.eventID).split(':')[0],
        data: record.kinesis ? Buffer.from(record.kinesis.data, 'base64').toString() : (record.body ?? record.dynamodb?.Keys?.id?.S),
        sequence: record.kinesis?.sequenceNumber ?? record.dynamodb?.SequenceNumber ?? '',
    }));
    appendFileSync(${JSON.stringify(notes)}, JSON.stringify({ atMs: Date.now(), records, event }) + '\\n');
    const texts = records.map(({ data }) => data);
    console.log('ran');
    ${body}
}
`;
}

/** Waits until `isDone`. @throws where that takes too long */
export async function waitUntil(isDone: () => boolean | Promise<boolean>, what: string, withinMs = 30_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!(await isDone())) {
        if (Date.now() > deadline) {
            throw new Error(`waited in vain: ${what}`);
        }
        await sleep(50);
    }
}

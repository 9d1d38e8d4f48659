/** What the local AWS was taught of queues, metrics, schedules, Glue and CloudFormation. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import {
    CreateCrawlerCommand,
    CreateDatabaseCommand,
    CreateJobCommand,
    CreateTriggerCommand,
    GetCrawlerCommand,
    GetJobRunCommand,
    GetJobRunsCommand,
    GetPartitionsCommand,
    GetTableCommand,
    StartCrawlerCommand,
    StartJobRunCommand,
} from '@aws-sdk/client-glue';
import { ListStreamConsumersCommand } from '@aws-sdk/client-kinesis';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BasicType, parquetWriteBuffer } from 'hyparquet-writer';
import { makeFolder } from '#test/support/temporary';
import { sparkMissing } from './support/glue.ts';
import { type LocalCloud, openLocalCloud, ROLE, waitUntil } from './support/local-cloud.ts';

let cloud: LocalCloud;

beforeAll(async () => {
    cloud = await openLocalCloud({ folder: await makeFolder() });
});

afterAll(async () => {
    await cloud.stop();
});

async function makeBucket(): Promise<string> {
    const Bucket = `bucket-${randomUUID()}`;
    await cloud.s3.send(new CreateBucketCommand({ Bucket }));
    return Bucket;
}

const put = (Bucket: string, Key: string, Body: string | Uint8Array) => cloud.s3.send(new PutObjectCommand({ Bucket, Key, Body }));

describe('a FIFO queue', () => {
    const send = (QueueUrl: string, id: string) =>
        cloud.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: id, MessageGroupId: 'group', MessageDeduplicationId: id }));

    test('delays what is sent, and drops repeats for 5 minutes, both by the lever’s part', async () => {
        const queue = await cloud.makeQueue({ FifoQueue: 'true', DelaySeconds: '360' });
        await cloud.levers({ 'sqs.fifo_time': 0.01 });
        try {
            await send(queue.url, 'a');
            // Dropped: 3 s are not over.
            await sleep(1500);
            await send(queue.url, 'a');
            expect(await cloud.receive(queue.url, 1)).toEqual([]);
            expect(await cloud.receive(queue.url, 5)).toEqual(['a']);
            // 3 s after it was sent the first time it is no repeat any more.
            await send(queue.url, 'a');
            expect(await cloud.receive(queue.url, 6)).toEqual(['a']);
        } finally {
            await cloud.levers({ 'sqs.fifo_time': 1 });
        }
    });

    test('gives a new delay to what is in it already', async () => {
        const queue = await cloud.makeQueue({ FifoQueue: 'true', DelaySeconds: '360' });
        await send(queue.url, 'a');
        expect(await cloud.receive(queue.url, 1)).toEqual([]);
        await cloud.sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { DelaySeconds: '1' } }));
        expect(await cloud.receive(queue.url, 5)).toEqual(['a']);
    });
});

test('a line in the embedded metric format becomes a metric', async () => {
    const namespace = `test-${randomUUID()}`;
    const { name } = await cloud.makeFunction(`
        console.log(JSON.stringify({
            _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: '${namespace}', Dimensions: [['part']], Metrics: [{ Name: 'seen', Unit: 'Count' }] }] },
            part: 'chain',
            seen: 7,
        }));
    `);
    await cloud.post(`/2015-03-31/functions/${name}/invocations`, {});
    await cloud.post(`/2015-03-31/functions/${name}/invocations`, {});
    const sum = async () => {
        const { Datapoints = [] } = await cloud.cloudwatch.send(
            new GetMetricStatisticsCommand({
                Namespace: namespace,
                MetricName: 'seen',
                Dimensions: [{ Name: 'part', Value: 'chain' }],
                StartTime: new Date(Date.now() - 600_000),
                EndTime: new Date(Date.now() + 60_000),
                Period: 60,
                Statistics: ['Sum'],
            }),
        );
        return Datapoints.reduce((all, { Sum = 0 }) => all + Sum, 0);
    };
    await waitUntil(async () => (await sum()) === 14, 'both lines are counted');
});

test('a schedule runs when an action says so', async () => {
    const { name, invocations } = await cloud.makeFunction();
    const Rule = `rule-${randomUUID()}`;
    await cloud.call('AWSEvents.PutRule', { Name: Rule, ScheduleExpression: 'rate(1 hour)' });
    const Arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
    await cloud.call('AWSEvents.PutTargets', { Rule, Targets: [{ Id: 'one', Arn, Input: '{"looked":"now"}' }] });
    expect(await cloud.act('run-schedule', { name: Rule })).toEqual({ targets: 1 });
    await waitUntil(() => invocations().length === 1, 'the schedule ran');
    expect(invocations()[0]?.event).toEqual({ looked: 'now' });
    await expect(cloud.act('run-schedule', { name: 'none' })).rejects.toThrow('no schedule');
});

describe('Glue', () => {
    const SCRIPT = `
import os, sys
from pyspark.sql import SparkSession
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if arguments['--end'] == 'badly':
    raise ValueError('a word that nobody knows')
SparkSession.builder.getOrCreate().range(int(arguments['--rows'])).write.parquet(arguments['--to'])
`;

    async function makeJob(ScriptLocation: string): Promise<string> {
        const Name = `job-${randomUUID()}`;
        const Command = { Name: 'glueetl', ScriptLocation };
        await cloud.glue.send(new CreateJobCommand({ Name, Role: ROLE, Command, DefaultArguments: { '--rows': '7', '--end': 'well' } }));
        return Name;
    }

    async function run(JobName: string, Arguments: Record<string, string> = {}) {
        const { JobRunId } = await cloud.glue.send(new StartJobRunCommand({ JobName, Arguments }));
        const state = async () => (await cloud.glue.send(new GetJobRunCommand({ JobName, RunId: String(JobRunId) }))).JobRun;
        await waitUntil(async () => !['STARTING', 'RUNNING'].includes((await state())?.JobRunState ?? ''), 'the run ends', 120_000);
        return state();
    }

    const spark = sparkMissing();
    (spark === undefined ? test : test.skip)(`runs a Spark job’s script${spark === undefined ? '' : `: ${spark}`}`, async () => {
        const bucket = await makeBucket();
        await put(bucket, 'script.py', SCRIPT);
        const job = await makeJob(`s3://${bucket}/script.py`);
        expect(await run(job, { '--to': `s3://${bucket}/made` })).toMatchObject({ JobRunState: 'SUCCEEDED' });
        expect((await cloud.s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'made/_SUCCESS' }))).$metadata.httpStatusCode).toBe(200);
        expect(await run(job, { '--end': 'badly' })).toMatchObject({
            JobRunState: 'FAILED',
            ErrorMessage: 'ValueError: a word that nobody knows',
        });
    });

    test('fails a run whose script is not there, and refuses what would never run', async () => {
        const job = await makeJob('s3://nowhere/script.py');
        expect(await run(job)).toMatchObject({ JobRunState: 'FAILED' });
        await expect(cloud.glue.send(new CreateTriggerCommand({ Name: 'trigger', Type: 'CONDITIONAL', Actions: [] }))).rejects.toThrow(
            'not taught',
        );
    });

    test('starts the jobs of a trigger when an action says so', async () => {
        const JobName = await makeJob('s3://nowhere/script.py');
        const Name = `trigger-${randomUUID()}`;
        await cloud.glue.send(new CreateTriggerCommand({ Name, Type: 'SCHEDULED', Schedule: 'cron(0 3 * * ? *)', Actions: [{ JobName }] }));
        expect((await cloud.glue.send(new GetJobRunsCommand({ JobName }))).JobRuns).toEqual([]);
        expect(await cloud.act('run-schedule', { name: Name })).toEqual({ targets: 1 });
        expect((await cloud.glue.send(new GetJobRunsCommand({ JobName }))).JobRuns).toHaveLength(1);
    });

    test('crawls Parquet files: a new field is a new column, one of another type fails the crawl', async () => {
        const bucket = await makeBucket();
        const database = `database_${randomUUID().replaceAll('-', '_')}`;
        await cloud.glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } }));
        const write = (key: string, columns: readonly { name: string; type: BasicType; data: unknown[] }[]) =>
            put(bucket, key, new Uint8Array(parquetWriteBuffer({ columnData: columns.map((column) => ({ ...column })) })));
        const Name = `crawler-${randomUUID()}`;
        await cloud.glue.send(
            new CreateCrawlerCommand({
                Name,
                Role: ROLE,
                DatabaseName: database,
                TablePrefix: 'wide_',
                Targets: { S3Targets: [{ Path: `s3://${bucket}/wide/till/` }] },
                Configuration: JSON.stringify({ Version: 1, CrawlerOutput: { Tables: { AddOrUpdateBehavior: 'MergeNewColumns' } } }),
            }),
        );
        const crawl = async () => {
            await cloud.glue.send(new StartCrawlerCommand({ Name }));
            const look = async () => (await cloud.glue.send(new GetCrawlerCommand({ Name }))).Crawler;
            await waitUntil(async () => (await look())?.State === 'READY', 'the crawl ends');
            return (await look())?.LastCrawl;
        };
        const columns = async () => {
            const { Table } = await cloud.glue.send(new GetTableCommand({ DatabaseName: database, Name: 'wide_till' }));
            return Object.fromEntries((Table?.StorageDescriptor?.Columns ?? []).map((column) => [column.Name, column.Type]));
        };
        expect(await crawl()).toMatchObject({ Status: 'FAILED', ErrorMessage: expect.stringContaining('nothing below') });
        await write('wide/till/day=2026-11-29/a.parquet', [{ name: 'Sale', type: 'STRING', data: ['x'] }]);
        expect(await crawl()).toMatchObject({ Status: 'SUCCEEDED' });
        expect(await columns()).toEqual({ sale: 'string' });
        await write('wide/till/day=2026-11-30/a.parquet', [
            { name: 'Sale', type: 'STRING', data: ['x'] },
            { name: 'cents', type: 'INT64', data: [199n] },
        ]);
        expect(await crawl()).toMatchObject({ Status: 'SUCCEEDED' });
        expect(await columns()).toEqual({ sale: 'string', cents: 'bigint' });
        const { Partitions = [] } = await cloud.glue.send(new GetPartitionsCommand({ DatabaseName: database, TableName: 'wide_till' }));
        expect(Partitions.map(({ Values }) => Values)).toEqual([['2026-11-29'], ['2026-11-30']]);
        await write('wide/till/day=2026-12-01/a.parquet', [{ name: 'cents', type: 'STRING', data: ['199'] }]);
        expect(await crawl()).toMatchObject({ Status: 'FAILED', ErrorMessage: expect.stringContaining('cents of wide_till is bigint') });
        expect(await columns()).toEqual({ sale: 'string', cents: 'bigint' });
    });
});

test('CloudFormation makes a consumer of a stream, and an event source on it', async () => {
    const { name: functionName, taken } = await cloud.makeFunction();
    const template = {
        Resources: {
            Stream: { Type: 'AWS::Kinesis::Stream', Properties: { StreamModeDetails: { StreamMode: 'ON_DEMAND' } } },
            Consumer: {
                Type: 'AWS::Kinesis::StreamConsumer',
                Properties: { StreamARN: { 'Fn::GetAtt': ['Stream', 'Arn'] }, ConsumerName: 'latest' },
            },
            Mapping: {
                Type: 'AWS::Lambda::EventSourceMapping',
                Properties: { FunctionName: functionName, EventSourceArn: { Ref: 'Consumer' }, StartingPosition: 'LATEST', BatchSize: 100 },
            },
        },
        Outputs: { Name: { Value: { Ref: 'Stream' } }, Arn: { Value: { 'Fn::GetAtt': ['Stream', 'Arn'] } } },
    };
    const ask = async (values: Record<string, string>) => {
        const answer = await fetch(cloud.endpoint, { method: 'POST', body: new URLSearchParams({ Version: '2010-05-15', ...values }) });
        return answer.text();
    };
    const StackName = `stack-${randomUUID()}`;
    await ask({ Action: 'CreateStack', StackName, TemplateBody: JSON.stringify(template) });
    const describeStack = () => ask({ Action: 'DescribeStacks', StackName });
    await waitUntil(async () => (await describeStack()).includes('CREATE_COMPLETE'), 'the stack is there');
    const outputs = [...(await describeStack()).matchAll(/<OutputValue>(.*?)<\/OutputValue>/g)].map(([, value]) => String(value));
    const [arn = '', stream = ''] = outputs.sort((a, b) => Number(b.startsWith('arn')) - Number(a.startsWith('arn')));
    const { Consumers = [] } = await cloud.kinesis.send(new ListStreamConsumersCommand({ StreamARN: arn }));
    expect(Consumers.map(({ ConsumerName }) => ConsumerName)).toEqual(['latest']);
    await cloud.put(stream, [{ key: 'a', data: 'one' }]);
    await waitUntil(() => taken().includes('one'), 'the record');
});

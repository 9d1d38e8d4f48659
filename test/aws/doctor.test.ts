/** `flowlake doctor` on the lake as it is deployed: nothing is wrong with it, and whatever somebody breaks is found and then well again. */
import { AthenaClient, UpdateWorkGroupCommand } from '@aws-sdk/client-athena';
import {
    DeleteAlarmsCommand,
    DescribeAlarmsCommand,
    PutMetricAlarmCommand,
    type PutMetricAlarmCommandInput,
    SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { GetTableCommand, GlueClient, type TableInput, UpdateTableCommand } from '@aws-sdk/client-glue';
import {
    DeleteFunctionConcurrencyCommand,
    LambdaClient,
    ListEventSourceMappingsCommand,
    PutFunctionConcurrencyCommand,
    UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import {
    DeleteBucketPolicyCommand,
    DeletePublicAccessBlockCommand,
    GetBucketNotificationConfigurationCommand,
    GetBucketPolicyCommand,
    GetBucketTaggingCommand,
    GetPublicAccessBlockCommand,
    PutBucketNotificationConfigurationCommand,
    PutBucketPolicyCommand,
    PutBucketTaggingCommand,
    PutBucketVersioningCommand,
    PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, GetQueueUrlCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { doctor } from '#cli/commands/doctor/command';
import type { Finding } from '#lake/doctor/finding';
import { createCloudWatchClient } from '#lake/queue/oldest-message';
import { createSqsClient, openSqsQueue } from '#lake/queue/sqs';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { pairDaysKey } from '#test/support/flow-tables';

const environment = process.env;
const Bucket = environment.TEST_BUCKET ?? '';
const s3 = createS3Client({ environment });
const sqs = createSqsClient({ environment });
const store = openS3Store({ bucket: Bucket, client: s3 });
const endpoint = environment.AWS_ENDPOINT_URL ?? '';
const glue = new GlueClient({ endpoint });
const athena = new AthenaClient({ endpoint });
const lambda = new LambdaClient({ endpoint });
const cloudwatch = createCloudWatchClient({ environment });

const STAGE = 'flowlake-dev';
const DatabaseName = 'flowlake_dev';

async function examine(): Promise<{ exitCode: number; rows: Finding[] }> {
    const world = fakeWorld({ environment, now: () => new Date() });
    const { exitCode, stdout } = await runLine(['--lake', `s3://${Bucket}`, '--output', 'json', 'doctor'], { world, commands: [doctor] });
    return { exitCode, rows: JSON.parse(stdout) };
}

/** What is wrong now; dead letters and twins that other tests of this deployment left are their affair. */
async function wrong(): Promise<string[]> {
    const { rows } = await examine();
    return rows
        .filter(({ result, check }) => result !== 'ok' && !/dead letters|^sources$/.test(check))
        .map(({ check, result }) => `${result}: ${check}`);
}

test('a lake as deployed is well in everything', async () => {
    const { rows } = await examine();
    expect(await wrong()).toEqual([]);
    const checks = rows.map(({ check }) => check);
    expect(checks).toEqual(
        expect.arrayContaining([
            'credentials',
            'bucket tags',
            'upload events',
            'functions',
            'event sources',
            'alarms',
            'consolidate-days job',
            'export-features job',
            'workgroup',
            'view pair_running',
            'days of pair_days',
            'figures',
        ]),
    );
    expect(checks).toHaveLength(55);
});

/** Breaks it; returns what mends it. */
type Break = () => Promise<() => Promise<unknown>>;

async function queueUrl(QueueName: string): Promise<string | undefined> {
    return (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
}

async function changeTable(name: string, change: (table: TableInput) => Partial<TableInput>): Promise<() => Promise<unknown>> {
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName, Name: name }));
    const { Name, Description, TableType, Parameters, PartitionKeys, StorageDescriptor, ViewOriginalText, ViewExpandedText } = Table!;
    const before = { Name, Description, TableType, Parameters, PartitionKeys, StorageDescriptor, ViewOriginalText, ViewExpandedText };
    const input = JSON.parse(JSON.stringify(before)) as TableInput;
    const update = (TableInput: TableInput) => glue.send(new UpdateTableCommand({ DatabaseName, TableInput }));
    await update({ ...input, ...change(input) });
    return () => update(input);
}

async function putObject(key: string): Promise<() => Promise<unknown>> {
    await store.put(key, new Uint8Array(4));
    return () => store.delete(key);
}

const BREAKS: [name: string, breaks: Break, found: string[]][] = [
    [
        'an event source that was disabled',
        async () => {
            const { EventSourceMappings } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: `${STAGE}-consolidate` }));
            const set = (Enabled: boolean) =>
                lambda.send(new UpdateEventSourceMappingCommand({ UUID: EventSourceMappings?.[0]?.UUID, Enabled }));
            await set(false);
            return () => set(true);
        },
        ['problem: event sources'],
    ],
    [
        'a function that may not run',
        async () => {
            const FunctionName = `${STAGE}-summarize`;
            await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
            return () => lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
        },
        ['problem: functions'],
    ],
    [
        'an alarm that was deleted',
        async () => {
            const AlarmNames = [`${STAGE}-summarize-errors`];
            const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames }));
            await cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames }));
            return async () => {
                await cloudwatch.send(new PutMetricAlarmCommand(MetricAlarms?.[0] as PutMetricAlarmCommandInput));
                // Workers that other tests of this deployment have killed would make it ring.
                await cloudwatch.send(new SetAlarmStateCommand({ AlarmName: AlarmNames[0], StateValue: 'OK', StateReason: 'mended' }));
            };
        },
        ['problem: alarms'],
    ],
    [
        'versioning that was suspended',
        async () => {
            const set = (Status: 'Enabled' | 'Suspended') =>
                s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
            await set('Suspended');
            return () => set('Enabled');
        },
        ['problem: bucket versioning'],
    ],
    [
        'a policy that was taken away',
        async () => {
            const { Policy } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
            await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
            return () => s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
        },
        ['problem: bucket TLS'],
    ],
    [
        'public access that was opened',
        async () => {
            const { PublicAccessBlockConfiguration } = await s3.send(new GetPublicAccessBlockCommand({ Bucket }));
            await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
            return () => s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
        },
        ['problem: bucket public access'],
    ],
    [
        'events of small files only',
        async () => {
            const { QueueConfigurations } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
            const set = (configurations: typeof QueueConfigurations) =>
                s3.send(
                    new PutBucketNotificationConfigurationCommand({
                        Bucket,
                        NotificationConfiguration: { QueueConfigurations: configurations },
                    }),
                );
            await set(QueueConfigurations?.map((configuration) => ({ ...configuration, Events: ['s3:ObjectCreated:Put'] })));
            return () => set(QueueConfigurations);
        },
        ['problem: upload events'],
    ],
    [
        'tags that went, and one that names another queue',
        async () => {
            const { TagSet = [] } = await s3.send(new GetBucketTaggingCommand({ Bucket }));
            const others = TagSet.filter(({ Key }) => Key !== 'flowlake:workgroup').map((tag) =>
                tag.Key === 'flowlake:consolidate-queue' ? { ...tag, Value: 'none.fifo' } : tag,
            );
            await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: others } }));
            return () => s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
        },
        ['problem: bucket tags', 'problem: consolidate queue', 'could not check: workgroup'],
    ],
    [
        'a queue that forgot where dead letters go, and who may send',
        async () => {
            const QueueUrl = await queueUrl(`${STAGE}-summarize`);
            const { Attributes = {} } = await sqs.send(
                new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['Policy', 'RedrivePolicy'] }),
            );
            await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: '', RedrivePolicy: '' } }));
            return () => sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
        },
        ['problem: summarize queue', 'problem: summarize queue'],
    ],
    [
        'a workgroup that was disabled',
        async () => {
            const set = (State: 'ENABLED' | 'DISABLED') => athena.send(new UpdateWorkGroupCommand({ WorkGroup: STAGE, State }));
            await set('DISABLED');
            return () => set('ENABLED');
        },
        ['problem: workgroup'],
    ],
    [
        'a column of another type',
        () =>
            changeTable('sources', ({ StorageDescriptor }) => ({
                StorageDescriptor: {
                    ...StorageDescriptor,
                    Columns: StorageDescriptor?.Columns?.map((column) => ({
                        ...column,
                        Type: column.Name === 'pairs' ? 'int' : (column.Type ?? ''),
                    })),
                },
            })),
        ['problem: table sources'],
    ],
    [
        'a projection that begins too late',
        async () => {
            const remove = await putObject(pairDaysKey('2025-01-01'));
            const mend = await changeTable('pair_days', ({ Parameters }) => ({
                Parameters: { ...Parameters, 'projection.day.range': '2025-01-02,NOW+1DAYS' },
            }));
            return () => Promise.all([remove(), mend()]);
        },
        ['problem: days of pair_days'],
    ],
    [
        'a view of another version',
        () =>
            changeTable('day_totals', ({ ViewOriginalText = '' }) => {
                const [, packed = ''] = /View: (\S+)/.exec(ViewOriginalText) ?? [];
                const definition = JSON.parse(Buffer.from(packed, 'base64').toString());
                const other = JSON.stringify({ ...definition, originalSql: definition.originalSql.replace('sum(flows)', 'max(flows)') });
                return { ViewOriginalText: `/* Presto View: ${Buffer.from(other).toString('base64')} */` };
            }),
        ['problem: view day_totals'],
    ],
    ['a file among the pair days', () => putObject('pair_days/day=2026-01-05/copy.parquet'), ['problem: stray files']],
];

test.each(BREAKS)('%s: found, and well again when it is mended', async (_, breaks, found) => {
    const mend = await breaks();
    try {
        expect(await wrong()).toEqual(found);
    } finally {
        await mend();
    }
    expect(await wrong()).toEqual([]);
});

test('a dead letter needs a person', async () => {
    const queue = openSqsQueue({ name: `${STAGE}-summarize-dead-letters`, client: sqs });
    await queue.send([{ body: '{"a message":"of this test"}' }]);
    try {
        const { exitCode, rows } = await examine();
        expect(exitCode).toBe(1);
        expect(rows).toContainEqual(expect.objectContaining({ check: 'summarize dead letters', result: 'problem' }));
    } finally {
        for (const { body, receipt } of await queue.receive({ max: 10, visibilitySeconds: 1 })) {
            if (body.includes('of this test')) {
                await queue.delete(receipt);
            }
        }
    }
});

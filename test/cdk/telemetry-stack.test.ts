/** A stage whose row has `telemetry`: what is made for it, what stays when it is turned off, and that the stack of flows alone is as it was. */
import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { namesOf, telemetryNamesOf } from '#cdk/config';
import { DEPLOYMENT_TAGS, HOURS_DELAY_SECONDS, TELEMETRY_TAGS, telemetryOf } from '#lake/deployment';
import { tables } from '#lake/kinds';
import { QUERY_NAMES, VIEW_NAMES } from '#lake/query/sql-files';
import {
    createStack,
    GUARDED,
    listOf,
    ofType,
    type Resource,
    type Resources,
    synthesize,
    synthesizeTelemetry,
    TELEMETRY,
    textOf,
} from './synthesized.ts';

/** What CloudFormation takes in one template: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const MAX_RESOURCES = 500;

const flows = synthesize();
const resources = synthesizeTelemetry();
const off = synthesizeTelemetry({ telemetry: { ...TELEMETRY, isOn: false } });

/** Whatever holds what devices sent, or what was made of it and cannot be made again from the bucket alone. */
const HOLDS_DATA = /^AWS::(Kinesis::Stream|DynamoDB::Table|SQS::Queue|Cognito::UserPool|Cognito::UserPoolClient)$/;

/** Tables but for that of WebSocket connections, which holds nothing that anybody misses. */
function tablesOf(all: Resources): [string, Resource][] {
    return ofType(all, 'AWS::DynamoDB::Table').filter(([, { Properties }]) => !Properties.TableName.endsWith('-sockets'));
}

function queueOf(all: Resources, name: string): [string, Resource] {
    return ofType(all, 'AWS::SQS::Queue').find(([, { Properties }]) => Properties.QueueName === name)!;
}

describe('the stack of flows alone', () => {
    test('is made of what it was made of before there was telemetry, and costs nothing more', () => {
        expect(countByType(flows)).toEqual({
            'AWS::Athena::NamedQuery': QUERY_NAMES.length,
            'AWS::Athena::WorkGroup': 1,
            'AWS::CloudWatch::Alarm': 12,
            'AWS::CloudWatch::Dashboard': 1,
            'AWS::Glue::Database': 1,
            'AWS::Glue::Job': 2,
            'AWS::Glue::Table': tables.length + VIEW_NAMES.length,
            'AWS::IAM::Policy': 4,
            'AWS::IAM::Role': 4,
            'AWS::Lambda::EventSourceMapping': 2,
            'AWS::Lambda::Function': 2,
            'AWS::Logs::LogGroup': 6,
            'AWS::S3::Bucket': 2,
            'AWS::S3::BucketPolicy': 2,
            'AWS::SQS::Queue': 4,
            'AWS::SQS::QueuePolicy': 4,
        });
    });

    test('knows no name and no right of telemetry', () => {
        const text = JSON.stringify(flows);
        for (const word of ['HOURS_QUEUE', 'kinesis', 'dynamodb', 'iot:', ...Object.values(telemetryNamesOf({ stage: 'dev' }))]) {
            expect([word, text.includes(word)]).toEqual([word, false]);
        }
        for (const tag of Object.values(TELEMETRY_TAGS)) {
            expect(text).not.toContain(`"${tag}"`);
        }
    });

    test('is whole in the stack with telemetry: nothing of it is made anew, and only what serves both is changed', () => {
        const changed = Object.entries(flows).flatMap(([id, resource]) => {
            expect([id, resources[id]?.Type]).toEqual([id, resource.Type]);
            return JSON.stringify(resources[id]) === JSON.stringify(resource) ? [] : [`${resource.Type} ${id.replace(/[0-9A-F]{8}$/, '')}`];
        });
        expect(changed.sort()).toEqual([
            // Text of the alarm on retries, which are of hours too.
            'AWS::CloudWatch::Alarm alarmsconsolidatefailedtries',
            'AWS::CloudWatch::Dashboard dashboard',
            'AWS::IAM::Policy consolidateroleDefaultPolicy',
            // The job that writes features reads hours of metrics too.
            'AWS::IAM::Policy exportfeaturesroleDefaultPolicy',
            'AWS::IAM::Policy summarizeroleDefaultPolicy',
            'AWS::Lambda::Function consolidatefunction',
            'AWS::Lambda::Function summarizefunction',
            'AWS::S3::Bucket lakebucket',
        ]);
    });
});

describe('turned off', () => {
    test('telemetry keeps all that holds data, under the same ids, and what brings it into the lake', () => {
        const gone = Object.entries(resources).flatMap(([id, resource]) => {
            const isSame = JSON.stringify(off[id]) === JSON.stringify(resource);
            return HOLDS_DATA.test(resource.Type) && !isSame
                ? [textOf(resource.Properties.TableName ?? resource.Properties.QueueName)]
                : [];
        });
        // Who listens by WebSocket; and notes of what latest state and alerts lack, which history has.
        expect(gone.sort()).toEqual(['flowlake-dev-alerts-given-up', 'flowlake-dev-latest-given-up', expect.stringContaining('socket')]);
        expect(ofType(off, 'AWS::Kinesis::Stream')).toHaveLength(2);
        expect(ofType(off, 'AWS::DynamoDB::Table')).toHaveLength(2);
    });

    test('it keeps the names in the bucket’s tags, so that what waits is still seen', () => {
        expect(telemetryOf(tagsOf(off)).missing).toEqual([]);
    });

    test.each([['AWS::ApiGatewayV2::Api'], ['AWS::Kinesis::StreamConsumer'], ['AWS::IoT::TopicRule']])(
        'it has no %s, by which devices or people come in, or that costs by the hour',
        (type) => {
            expect(ofType(off, type)).toEqual([]);
        },
    );
});

test.each([
    ['dev', undefined, 'Retain'],
    ['prod', undefined, 'Retain'],
    ['dev', 'dev', 'Delete'],
])('of %s with -c destroy-data=%s streams, tables and queues of telemetry are under policy %s', (stage, destroyData, policy) => {
    const all = synthesizeTelemetry({ stage, ...(destroyData && { destroyData }) });
    const { hoursQueue, hoursDeadLetters, givenUpQueue, givenUpDeadLetters } = telemetryNamesOf({ stage });
    const kept = [
        ...ofType(all, 'AWS::Kinesis::Stream'),
        ...tablesOf(all),
        ...ofType(all, 'AWS::Cognito::UserPool'),
        ...[hoursQueue, hoursDeadLetters, givenUpQueue, givenUpDeadLetters].map((name) => queueOf(all, name)),
    ];
    expect(kept).toHaveLength(9);
    for (const [id, resource] of kept) {
        expect([id, resource.DeletionPolicy, resource.UpdateReplacePolicy]).toEqual([id, policy, policy]);
    }
});

describe('the streams', () => {
    const streams = ofType(resources, 'AWS::Kinesis::Stream').map(([, { Properties }]) => Properties);

    test('are on demand and keep messages for seven days', () => {
        expect(streams.map(({ Name }) => Name)).toEqual(['flowlake-dev-telemetry', 'flowlake-dev-programs']);
        for (const stream of streams) {
            expect(stream).toMatchObject({ RetentionPeriodHours: 7 * 24, StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
        }
    });

    test('of programs is there only where the row has it', () => {
        const without = synthesizeTelemetry({ telemetry: { ...TELEMETRY, hasProgramStream: false } });
        expect(ofType(without, 'AWS::Kinesis::Stream').map(([, { Properties }]) => Properties.Name)).toEqual(['flowlake-dev-telemetry']);
        expect(ofType(without, 'AWS::IAM::ManagedPolicy')).toEqual([]);
        expect(tagsOf(without).has(TELEMETRY_TAGS.programStream)).toBe(false);
    });

    test('a program may put records into its stream, and nothing else', () => {
        const [[policyId, { Properties }]] = ofType(resources, 'AWS::IAM::ManagedPolicy') as [[string, Resource]];
        const [programs] = ofType(resources, 'AWS::Kinesis::Stream').find(
            ([, stream]) => stream.Properties.Name === 'flowlake-dev-programs',
        )!;
        expect(Properties.PolicyDocument.Statement).toEqual([
            { Effect: 'Allow', Action: ['kinesis:PutRecord', 'kinesis:PutRecords'], Resource: { 'Fn::GetAtt': [programs, 'Arn'] } },
        ]);
        const [, role] = ofType(resources, 'AWS::IAM::Role').find(([, one]) => one.Properties.RoleName === 'flowlake-dev-program')!;
        expect(role.Properties.ManagedPolicyArns).toEqual([{ Ref: policyId }]);
        expect(role.Properties.Policies).toBeUndefined();
    });

    test('are written by nobody but those whose way in it is', () => {
        const writers = ofType(resources, 'AWS::IAM::Policy').flatMap(([id, { Properties }]) =>
            Properties.PolicyDocument.Statement.some(({ Action }: any) =>
                listOf<string>(Action).some((action) => action.startsWith('kinesis:Put')),
            )
                ? [id.replace(/[0-9A-F]{8}$/, '')]
                : [],
        );
        expect(writers.filter((role) => !/^telemetry(devicesrulerole|apiintakerole)DefaultPolicy$/.test(role))).toEqual([]);
    });
});

describe('the hours queue', () => {
    const { hoursQueue, hoursDeadLetters } = telemetryNamesOf({ stage: 'dev' });
    const [queueId, queue] = queueOf(resources, hoursQueue);

    test('holds messages back for longer than SQS drops repeats, and its dead letters for no time', () => {
        expect(HOURS_DELAY_SECONDS).toBeGreaterThanOrEqual(360);
        expect(queue.Properties).toMatchObject({ FifoQueue: true, DelaySeconds: HOURS_DELAY_SECONDS, ContentBasedDeduplication: false });
        expect(queueOf(resources, hoursDeadLetters)[1].Properties.DelaySeconds).toBeUndefined();
    });

    test('is told by both functions, and taken from by the one that merges', () => {
        for (const job of ['summarize', 'consolidate']) {
            const [, { Properties }] = ofType(resources, 'AWS::Lambda::Function').find(
                ([, one]) => one.Properties.FunctionName === `flowlake-dev-${job}`,
            )!;
            expect(Properties.Environment.Variables.HOURS_QUEUE).toBe(hoursQueue);
            const statements = ofType(resources, 'AWS::IAM::Policy').find(([id]) => id.startsWith(`${job}role`))![1].Properties
                .PolicyDocument.Statement;
            expect(
                statements.some(
                    ({ Action, Resource: on }: any) =>
                        listOf(Action).includes('sqs:SendMessage') && listOf(on).map(textOf).includes(`<${queueId}.Arn>`),
                ),
            ).toBe(true);
        }
        const [, consolidate] = ofType(resources, 'AWS::Lambda::EventSourceMapping').find(
            ([, { Properties }]) => textOf(Properties.EventSourceArn) === `<${queueId}.Arn>`,
        )!;
        expect(textOf(consolidate.Properties.FunctionName)).toMatch(/^<consolidatefunction/);
    });
});

test('the bucket’s tags name every part of telemetry, by the names that they have', () => {
    const tags = tagsOf(resources);
    const names = telemetryNamesOf({ stage: 'dev', telemetry: TELEMETRY });
    const [[api] = ['']] = ofType(resources, 'AWS::ApiGatewayV2::Api').filter(([, { Properties }]) => Properties.Name === names.api);
    expect(telemetryOf(tags)).toEqual({ names: { ...names, apiUrl: `<${api}.ApiEndpoint>` }, missing: [] });
    const { stage } = namesOf({ stage: 'dev' });
    expect(tags.get(DEPLOYMENT_TAGS.stage)).toBe(stage);
    for (const [type, property, names_] of [
        ['AWS::Kinesis::Stream', 'Name', [names.stream, names.programStream]],
        ['AWS::DynamoDB::Table', 'TableName', [names.stateTable, names.datasetsTable]],
        ['AWS::SQS::Queue', 'QueueName', [names.hoursQueue, names.hoursDeadLetters, names.givenUpQueue, names.givenUpDeadLetters]],
    ] as const) {
        expect(ofType(resources, type).map(([, { Properties }]) => Properties[property])).toEqual(expect.arrayContaining([...names_]));
    }
});

test('tables are paid by request, restorable and encrypted', () => {
    for (const [, { Properties }] of ofType(resources, 'AWS::DynamoDB::Table')) {
        expect(Properties).toMatchObject({
            BillingMode: 'PAY_PER_REQUEST',
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
            SSESpecification: { SSEEnabled: true },
        });
    }
});

test.each([
    ['dev', {}],
    ['prod', GUARDED],
] as const)('the stack of %s with telemetry and %j has room for what is still to come', (stage, changes) => {
    const all = synthesizeTelemetry({ stage, changes });
    expect(Object.keys(all).length).toBeLessThan(MAX_RESOURCES * 0.8);
});

describe('cdk-nag', () => {
    test.each([
        ['dev', {}],
        ['dev', { alarmEmail: 'lake@example.com' }],
        ['prod', GUARDED],
    ])('finds nothing in %s with telemetry and %j', (stage, changes) => {
        const made = createStack({ stage, changes: { telemetry: TELEMETRY, ...changes } });
        expect(new AwsSolutionsChecks(made.app).validateScope(made.stack).violations).toEqual([]);
    });

    test('was asked to pass over nothing without a reason', () => {
        const { app, stack } = createStack({ stage: 'prod', changes: { telemetry: TELEMETRY, ...GUARDED } });
        Template.fromStack(stack);
        const reasons = app.node
            .findAll()
            .flatMap(({ node }) => node.metadata.filter(({ type }) => type === 'aws:cdk:acknowledged-rules'))
            .flatMap(({ data }) => Object.values(data));
        for (const reason of reasons) {
            expect(String(reason)).toMatch(/.{40,}\.$/);
        }
    });
});

function countByType(all: Resources): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { Type } of Object.values(all)) {
        counts[Type] = (counts[Type] ?? 0) + 1;
    }
    return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function tagsOf(all: Resources): Map<string, string> {
    const [, lake] = ofType(all, 'AWS::S3::Bucket').find(([, { Properties }]) => Properties.BucketName !== undefined)!;
    return new Map(lake.Properties.Tags.map(({ Key, Value }: any) => [Key, textOf(Value)]));
}

import { describe, expect, test } from '@jest/globals';
import { HOUSE_RULES } from './house-rules.ts';
import { GUARDED, ofType, type Resource, type Resources, synthesize, synthesizeTelemetry } from './synthesized.ts';

const dev = synthesize();

const live = synthesizeTelemetry();

const lakes: Record<string, Resources> = {
    dev,
    prod: synthesize({ stage: 'prod' }),
    'prod with every option': synthesize({ stage: 'prod', changes: GUARDED }),
    'dev with telemetry': live,
    'dev with telemetry turned off': synthesizeTelemetry({ telemetry: { isOn: false, hasProgramStream: true } }),
    'prod with telemetry and every option': synthesizeTelemetry({ stage: 'prod', changes: GUARDED }),
    'prod with QuickSight': synthesizeTelemetry({
        stage: 'prod',
        changes: { ...GUARDED, quickSight: { people: ['arn:aws:quicksight:eu-central-1:111122223333:user/default/ana'], days: 90 } },
    }),
};

/** Violations of each rule, done to a template that is in order. */
const PLANTS: Record<keyof typeof HOUSE_RULES, ((resources: Resources) => void)[]> = {
    'everything that holds data is encrypted': [
        (all) => delete first(all, 'AWS::S3::Bucket').Properties.BucketEncryption,
        (all) => delete first(all, 'AWS::SQS::Queue').Properties.SqsManagedSseEnabled,
        (all) => delete first(all, 'AWS::Athena::WorkGroup').Properties.WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration,
        (all) => delete first(all, 'AWS::Athena::WorkGroup').Properties.WorkGroupConfiguration.EnforceWorkGroupConfiguration,
        (all) => delete first(all, 'AWS::Kinesis::Stream').Properties.StreamEncryption,
        (all) => delete first(all, 'AWS::DynamoDB::Table').Properties.SSESpecification,
    ],
    'everything is spoken to by TLS only': [
        (all) => first(all, 'AWS::S3::BucketPolicy').Properties.PolicyDocument.Statement.shift(),
        (all) => delete all[ofType(all, 'AWS::SQS::QueuePolicy')[0]![0]],
        (all) => (all.topic = { Type: 'AWS::SNS::Topic', Properties: {} }),
        (all) => delete all[ofType(all, 'AWS::Kinesis::ResourcePolicy')[0]![0]],
    ],
    'no bucket is open to the public': [
        (all) => delete first(all, 'AWS::S3::Bucket').Properties.PublicAccessBlockConfiguration,
        (all) => (first(all, 'AWS::S3::Bucket').Properties.PublicAccessBlockConfiguration.BlockPublicAcls = false),
        (all) => delete first(all, 'AWS::S3::Bucket').Properties.OwnershipControls,
    ],
    'no role may do more than is named': [
        (all) => (first(all, 'AWS::IAM::Role').Properties.ManagedPolicyArns = ['arn:aws:iam::aws:policy/AdministratorAccess']),
        (all) => firstStatements(all).push({ Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::one' }),
        (all) =>
            first(all, 'AWS::IAM::ManagedPolicy').Properties.PolicyDocument.Statement.push({
                Effect: 'Allow',
                Action: 'kinesis:*',
                Resource: 'arn:aws:kinesis:::one',
            }),
        (all) => firstStatements(all).push({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }),
        (all) => firstStatements(all).push({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::*/raw' }),
        (all) => firstStatements(all).push({ Effect: 'Allow', Action: 'cloudwatch:PutMetricData', Resource: '*' }),
    ],
    'every log has an end': [
        (all) => delete first(all, 'AWS::Logs::LogGroup').Properties.RetentionInDays,
        (all) => delete first(all, 'AWS::Lambda::Function').Properties.LoggingConfig,
    ],
    'every message that keeps failing waits for a person, for 14 days': [
        (all) => delete queueOf(all, 'flowlake-dev-summarize').Properties.RedrivePolicy,
        (all) => (queueOf(all, 'flowlake-dev-summarize').Properties.RedrivePolicy.maxReceiveCount = 1),
        (all) => (queueOf(all, 'flowlake-dev-consolidate-dead-letters.fifo').Properties.FifoQueue = undefined),
        (all) => (queueOf(all, 'flowlake-dev-summarize-dead-letters').Properties.MessageRetentionPeriod = 345_600),
        (all) => delete queueOf(all, 'flowlake-dev-hours.fifo').Properties.RedrivePolicy,
        (all) => delete queueOf(all, 'flowlake-dev-given-up').Properties.RedrivePolicy,
    ],
    'every event source is a queue, a stream or a table of the stack': [
        (all) => (first(all, 'AWS::Lambda::EventSourceMapping').Properties.EventSourceArn = 'arn:aws:sqs:eu-central-1:1:of-somebody'),
    ],
    'of a shard one batch is worked on at a time, and what is given up goes where it is brought back from': [
        (all) => (readStream(all).ParallelizationFactor = 2),
        (all) => delete readStream(all).ParallelizationFactor,
        (all) => delete readStream(all).FunctionResponseTypes,
        (all) => delete readStream(all).DestinationConfig,
        (all) => (readStream(all).MaximumRecordAgeInSeconds = -1),
        (all) => (readStream(all).MaximumRecordAgeInSeconds = 7 * 24 * 3600),
    ],
    'latest state reads by a consumer of its own': [
        (all) => {
            const { FunctionName } = readStream(all);
            all[FunctionName.Ref]!.Properties.FunctionName = 'flowlake-dev-latest';
        },
    ],
    'a rule of IoT Core is on, hands on every byte, and puts what it cannot hand on into a queue': [
        (all) => delete first(all, 'AWS::IoT::TopicRule').Properties.TopicRulePayload.ErrorAction,
        (all) => (first(all, 'AWS::IoT::TopicRule').Properties.TopicRulePayload.RuleDisabled = true),
        (all) => (first(all, 'AWS::IoT::TopicRule').Properties.TopicRulePayload.Sql = "SELECT *, topic(2) AS device FROM '#'"),
        (all) => (first(all, 'AWS::IoT::TopicRule').Properties.TopicRulePayload.Actions = []),
    ],
    'periods that are held back are held back for longer than SQS drops repeats': [
        (all) => (queueOf(all, 'flowlake-dev-hours.fifo').Properties.DelaySeconds = 300),
        (all) => (queueOf(all, 'flowlake-dev-hours.fifo').Properties.FifoQueue = undefined),
    ],
    'no FIFO queue drops a message for its content': [
        (all) => (queueOf(all, 'flowlake-dev-consolidate.fifo').Properties.ContentBasedDeduplication = true),
    ],
    'a message stays hidden for six times the function’s time, and only failed ones come back': [
        (all) => (first(all, 'AWS::Lambda::Function').Properties.Timeout = 900),
        (all) => delete queueOf(all, 'flowlake-dev-summarize').Properties.VisibilityTimeout,
        (all) => delete first(all, 'AWS::Lambda::EventSourceMapping').Properties.FunctionResponseTypes,
        (all) => delete first(all, 'AWS::Lambda::EventSourceMapping').Properties.ScalingConfig,
    ],
    'every alarm says what to type, in no more words than CloudWatch keeps': [
        (all) => delete first(all, 'AWS::CloudWatch::Alarm').Properties.AlarmDescription,
        (all) => (first(all, 'AWS::CloudWatch::Alarm').Properties.AlarmDescription = 'Errors > 0'),
        (all) => first(all, 'AWS::CloudWatch::Alarm').Properties.AlarmDescription['Fn::Join'][1].push('x'.repeat(1000)),
    ],
    'every queue and function has its alarm': [
        (all) => {
            for (const [id] of ofType(all, 'AWS::CloudWatch::Alarm').filter(
                ([, { Properties }]) => Properties.Namespace === 'AWS/Lambda',
            )) {
                delete all[id];
            }
        },
        (all) => (all.queue = { Type: 'AWS::SQS::Queue', Properties: {} }),
        (all) => (all.lambda = { Type: 'AWS::Lambda::Function', Properties: {} }),
    ],
    'everything says which stage it belongs to': [(all) => delete first(all, 'AWS::SQS::Queue').Properties.Tags],
    'nothing is deployed behind one’s back': [
        (all) => (all.emptier = { Type: 'Custom::S3AutoDeleteObjects', Properties: {} }),
        (all) => (all.emptier = { Type: 'AWS::Lambda::Function', Properties: { Handler: 'index.onEvent' } }),
    ],
};

describe.each(Object.entries(HOUSE_RULES))('%s', (name, rule) => {
    test.each(Object.entries(lakes))('in %s', (_, resources) => {
        expect(rule(resources)).toEqual([]);
    });

    test('and the sweep sees what breaks it', () => {
        expect(PLANTS[name]).not.toHaveLength(0);
        for (const plant of PLANTS[name]!) {
            const planted = structuredClone(live);
            plant(planted);
            expect([String(plant), rule(planted).length > 0]).toEqual([String(plant), true]);
        }
    });
});

test('an event source of a stream that is made as it should be breaks no rule', () => {
    const planted = structuredClone(live);
    readStream(planted);
    expect(Object.values(HOUSE_RULES).flatMap((rule) => rule(planted))).toEqual([]);
});

test('with the customer’s key nothing of telemetry is left to keys that AWS holds either', () => {
    const guarded = lakes['prod with telemetry and every option']!;
    const [[keyId]] = ofType(guarded, 'AWS::KMS::Key') as [[string, Resource]];
    const key = { 'Fn::GetAtt': [keyId, 'Arn'] };
    const keysOf = (type: string, keyOf: (properties: any) => unknown) =>
        ofType(guarded, type).map(([, { Properties }]) => keyOf(Properties));
    const all = [
        keysOf('AWS::Kinesis::Stream', ({ StreamEncryption }) => StreamEncryption.KeyId),
        keysOf('AWS::DynamoDB::Table', ({ SSESpecification }) => SSESpecification.KMSMasterKeyId),
        keysOf('AWS::SQS::Queue', ({ KmsMasterKeyId }) => KmsMasterKeyId),
        keysOf('AWS::Logs::LogGroup', ({ KmsKeyId }) => KmsKeyId),
        keysOf('AWS::SNS::Topic', ({ KmsMasterKeyId }) => KmsMasterKeyId),
    ];
    expect(all.map((keys) => keys.length > 0)).toEqual(all.map(() => true));
    expect([...new Set(all.flat().map((one) => JSON.stringify(one)))]).toEqual([JSON.stringify(key)]);
});

test('with the customer’s key nothing is left to keys that AWS holds', () => {
    const guarded = lakes['prod with every option']!;
    const [[keyId]] = ofType(guarded, 'AWS::KMS::Key') as [[string, Resource]];
    const key = { 'Fn::GetAtt': [keyId, 'Arn'] };
    for (const [, { Properties }] of ofType(guarded, 'AWS::SQS::Queue')) {
        expect(Properties.KmsMasterKeyId).toEqual(key);
    }
    for (const [, { Properties }] of ofType(guarded, 'AWS::Logs::LogGroup')) {
        expect(Properties.KmsKeyId).toEqual(key);
    }
    const lake = ofType(guarded, 'AWS::S3::Bucket').find(([, { Properties }]) => Properties.BucketName === 'our-own-lake')![1];
    expect(lake.Properties.BucketEncryption.ServerSideEncryptionConfiguration[0]).toEqual({
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key },
    });
    expect(first(guarded, 'AWS::Athena::WorkGroup').Properties.WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration).toEqual({
        EncryptionOption: 'SSE_KMS',
        KmsKey: key,
    });
    expect(first(guarded, 'AWS::KMS::Key').Properties.EnableKeyRotation).toBe(true);
    for (const [, { Properties }] of ofType(guarded, 'AWS::IAM::Policy')) {
        const rights = Properties.PolicyDocument.Statement.find(({ Action }: any) => String(Action).includes('kms:'));
        expect(rights).toMatchObject({ Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: key });
    }
});

function first(resources: Resources, type: string): Resource {
    return ofType(resources, type)[0]![1];
}

/** Adds an event source of the stream as it should be. @returns its properties */
function readStream(all: Resources): any {
    const Properties = {
        EventSourceArn: { 'Fn::GetAtt': [ofType(all, 'AWS::Kinesis::Stream')[0]![0], 'Arn'] },
        FunctionName: { Ref: ofType(all, 'AWS::Lambda::Function')[0]![0] },
        ParallelizationFactor: 1,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        MaximumRecordAgeInSeconds: 24 * 3600,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [idOfQueue(all, 'flowlake-dev-given-up'), 'Arn'] } } },
    };
    all.planted = { Type: 'AWS::Lambda::EventSourceMapping', Properties };
    return Properties;
}

function firstStatements(resources: Resources): unknown[] {
    return first(resources, 'AWS::IAM::Policy').Properties.PolicyDocument.Statement;
}

function queueOf(resources: Resources, name: string): Resource {
    return resources[idOfQueue(resources, name)]!;
}

function idOfQueue(resources: Resources, name: string): string {
    return ofType(resources, 'AWS::SQS::Queue').find(([, { Properties }]) => Properties.QueueName === name)![0];
}

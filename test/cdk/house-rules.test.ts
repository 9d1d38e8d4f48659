import { describe, expect, test } from '@jest/globals';
import { HOUSE_RULES } from './house-rules.ts';
import { GUARDED, ofType, type Resource, type Resources, synthesize } from './synthesized.ts';

const dev = synthesize();

const lakes: Record<string, Resources> = {
    dev,
    prod: synthesize({ stage: 'prod' }),
    'prod with every option': synthesize({ stage: 'prod', changes: GUARDED }),
};

/** Violations of each rule, done to a template that is in order. */
const PLANTS: Record<keyof typeof HOUSE_RULES, ((resources: Resources) => void)[]> = {
    'everything that holds data is encrypted': [
        (all) => delete first(all, 'AWS::S3::Bucket').Properties.BucketEncryption,
        (all) => delete first(all, 'AWS::SQS::Queue').Properties.SqsManagedSseEnabled,
        (all) => delete first(all, 'AWS::Athena::WorkGroup').Properties.WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration,
        (all) => delete first(all, 'AWS::Athena::WorkGroup').Properties.WorkGroupConfiguration.EnforceWorkGroupConfiguration,
    ],
    'everything is spoken to by TLS only': [
        (all) => first(all, 'AWS::S3::BucketPolicy').Properties.PolicyDocument.Statement.shift(),
        (all) => delete all[ofType(all, 'AWS::SQS::QueuePolicy')[0]![0]],
        (all) => (all.topic = { Type: 'AWS::SNS::Topic', Properties: {} }),
    ],
    'no bucket is open to the public': [
        (all) => delete first(all, 'AWS::S3::Bucket').Properties.PublicAccessBlockConfiguration,
        (all) => (first(all, 'AWS::S3::Bucket').Properties.PublicAccessBlockConfiguration.BlockPublicAcls = false),
        (all) => delete first(all, 'AWS::S3::Bucket').Properties.OwnershipControls,
    ],
    'no role may do more than is named': [
        (all) => (first(all, 'AWS::IAM::Role').Properties.ManagedPolicyArns = ['arn:aws:iam::aws:policy/AdministratorAccess']),
        (all) => firstStatements(all).push({ Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::one' }),
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
            const planted = structuredClone(dev);
            plant(planted);
            expect([String(plant), rule(planted).length > 0]).toEqual([String(plant), true]);
        }
    });
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

function firstStatements(resources: Resources): unknown[] {
    return first(resources, 'AWS::IAM::Policy').Properties.PolicyDocument.Statement;
}

function queueOf(resources: Resources, name: string): Resource {
    return ofType(resources, 'AWS::SQS::Queue').find(([, { Properties }]) => Properties.QueueName === name)![1];
}

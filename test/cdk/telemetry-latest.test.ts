/** How latest state is fed and watched: each fault that would make it slow, lose messages, or leave people untold is found in a template. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { GUARDED, listOf, ofType, type Resources, synthesizeTelemetry, textOf } from './synthesized.ts';

/** What is wrong with how the streams are handed to `latest`; none where it is in order. */
function faultsOfLatest(resources: Resources): string[] {
    const latest = functionOf(resources, 'latest');
    const streams = ofType(resources, 'AWS::Kinesis::Stream').map(([id]) => id);
    const consumers = new Map(
        ofType(resources, 'AWS::Kinesis::StreamConsumer').map(([id, { Properties }]) => [id, textOf(Properties.StreamARN)]),
    );
    const mappings = mappingsOf(resources, latest);
    const faults = streams
        .filter((stream) => {
            const ofStream = mappings.filter(({ EventSourceArn }) => consumers.get(nameIn(EventSourceArn)) === `<${stream}.Arn>`);
            return ofStream.length !== 1;
        })
        .map((stream) => `${stream} is not handed over by enhanced fan-out once: a plain event source polls once a second`);
    for (const mapping of mappings) {
        const of = textOf(mapping.EventSourceArn);
        const rules: [boolean, string][] = [
            [
                of.endsWith('.ConsumerARN>') && consumers.has(nameIn(mapping.EventSourceArn)),
                'is a plain event source: it polls once a second',
            ],
            [mapping.ParallelizationFactor === 1, 'is handed over in several batches of a shard at once: older messages are thrown away'],
            [mapping.MaximumBatchingWindowInSeconds === undefined, 'waits for more messages'],
            [mapping.BatchSize >= 100, 'makes a write of few messages'],
            [mapping.FilterCriteria === undefined, 'leaves messages out'],
            [mapping.StartingPosition === 'TRIM_HORIZON', 'begins with what comes after it was deployed'],
            ...commonRules(resources, latest, mapping),
        ];
        faults.push(...rules.filter(([holds]) => !holds).map(([, fault]) => `${of} ${fault}`));
    }
    return [...faults, ...faultsOfAlarms(resources, ['latest-iterator-age', 'latest-given-up', 'pipeline-late', 'latest-errors'])];
}

/** What is wrong with how people are told of alerts. */
function faultsOfNotify(resources: Resources): string[] {
    const notify = functionOf(resources, 'notify');
    const mappings = mappingsOf(resources, notify);
    const faults = mappings.length === 1 ? [] : ['the state table is not followed once'];
    for (const mapping of mappings) {
        const [filter] = listOf<any>(mapping.FilterCriteria?.Filters ?? []);
        const rules: [boolean, string][] = [
            [textOf(mapping.EventSourceArn).endsWith('.StreamArn>'), 'does not follow the table'],
            [
                filter?.Pattern === '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"audience":{"S":["alarms"]}}}}',
                'is called for every new value, or for a note of what was told',
            ],
            ...commonRules(resources, notify, mapping),
        ];
        faults.push(...rules.filter(([holds]) => !holds).map(([, fault]) => `notify ${fault}`));
    }
    const topics = ofType(resources, 'AWS::SNS::Topic').filter(([, { Properties }]) => Properties.TopicName?.endsWith('-alerts'));
    const isTlsOnly = ofType(resources, 'AWS::SNS::TopicPolicy').some(
        ([, { Properties }]) =>
            listOf<any>(Properties.Topics).some(({ Ref }) => Ref === topics[0]?.[0]) &&
            Properties.PolicyDocument.Statement.some(
                ({ Effect, Condition }: any) => Effect === 'Deny' && Condition?.Bool?.['aws:SecureTransport'] === 'false',
            ),
    );
    const isEncrypted = topics.length === 1 && topics[0]?.[1].Properties.KmsMasterKeyId !== undefined;
    return [
        ...faults,
        ...(isTlsOnly ? [] : ['the topic takes plain HTTP']),
        ...(isEncrypted ? [] : ['the topic is not encrypted']),
        ...faultsOfAlarms(resources, ['alerts-given-up', 'alerts-refused', 'notify-errors']),
    ];
}

function commonRules(resources: Resources, lambda: string, mapping: any): [boolean, string][] {
    const queue = nameIn(mapping.DestinationConfig?.OnFailure?.Destination ?? '');
    const isToldBack = [...statementsOf(resources, lambda)].some(
        ({ Action, Resource }) => listOf(Action).includes('sqs:SendMessage') && listOf(Resource).map(textOf).includes(`<${queue}.Arn>`),
    );
    return [
        [listOf(mapping.FunctionResponseTypes).includes('ReportBatchItemFailures'), 'does not ask which record failed'],
        [mapping.BisectBatchOnFunctionError === true, 'has a whole batch given up for one record'],
        [queue in resources, 'tells nobody what was given up'],
        [isToldBack, 'may not tell what was given up'],
        [mapping.MaximumRecordAgeInSeconds >= 3600, 'is given up in an outage of an hour'],
    ];
}

function faultsOfAlarms(resources: Resources, names: readonly string[]): string[] {
    const alarms = ofType(resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties.AlarmName);
    return names.filter((name) => !alarms.includes(`flowlake-dev-${name}`)).map((name) => `nothing rings as ${name}`);
}

function mappingsOf(resources: Resources, lambda: string): any[] {
    return ofType(resources, 'AWS::Lambda::EventSourceMapping')
        .map(([, { Properties }]) => Properties)
        .filter(({ FunctionName }) => FunctionName.Ref === lambda);
}

function functionOf(resources: Resources, job: string): string {
    return (
        ofType(resources, 'AWS::Lambda::Function').find(([, { Properties }]) => Properties.FunctionName === `flowlake-dev-${job}`)?.[0] ??
        ''
    );
}

function* statementsOf(resources: Resources, lambda: string): Generator<any> {
    const role = nameIn(resources[lambda]?.Properties.Role ?? '');
    for (const [, { Properties }] of ofType(resources, 'AWS::IAM::Policy')) {
        if (listOf<any>(Properties.Roles).some(({ Ref }) => Ref === role)) {
            yield* Properties.PolicyDocument.Statement;
        }
    }
}

/** The logical id in a reference to an attribute. */
function nameIn(reference: unknown): string {
    return textOf(reference).replace(/^<([^.]+)\..*$/, '$1');
}

let resources: Resources;

beforeAll(() => {
    resources = synthesizeTelemetry();
});

test('every message comes into latest state at once, and people are told of alerts', () => {
    expect([...faultsOfLatest(resources), ...faultsOfNotify(resources)]).toEqual([]);
    const withoutPrograms = synthesizeTelemetry({ telemetry: { isOn: true, hasProgramStream: false } });
    expect(ofType(withoutPrograms, 'AWS::Kinesis::StreamConsumer')).toHaveLength(1);
    expect(faultsOfLatest(withoutPrograms)).toEqual([]);
    const guarded = synthesizeTelemetry({ changes: GUARDED });
    expect([...faultsOfLatest(guarded), ...faultsOfNotify(guarded)]).toEqual([]);
});

test('the topic and its subscriptions stay while no device is let in', () => {
    const off = synthesizeTelemetry({ telemetry: { isOn: false, hasProgramStream: true } });
    expect(ofType(off, 'AWS::SNS::Topic').map(([, { Properties }]) => Properties.TopicName)).toContain('flowlake-dev-alerts');
    expect(ofType(off, 'AWS::Kinesis::StreamConsumer')).toEqual([]);
});

test('the watch looks every minute, and a look ends before the next one begins', () => {
    const watch = functionOf(resources, 'watch');
    const rule = ofType(resources, 'AWS::Events::Rule').find(
        ([, { Properties }]) => textOf(Properties.Targets[0].Arn) === `<${watch}.Arn>`,
    );
    expect(rule?.[1].Properties.ScheduleExpression).toBe('rate(1 minute)');
    expect(resources[watch]?.Properties.Timeout).toBeLessThan(60);
});

test('each function may do what it does, and nothing else', () => {
    const rightsOf = (job: string) =>
        [...new Set([...statementsOf(resources, functionOf(resources, job))].flatMap(({ Action }) => listOf<string>(Action)))]
            .filter((action) => !action.startsWith('logs:'))
            .sort();
    const read = [
        'kinesis:DescribeStream',
        'kinesis:DescribeStreamSummary',
        'kinesis:GetRecords',
        'kinesis:GetShardIterator',
        'kinesis:ListShards',
    ];
    // What Lambda needs to say what it gave up.
    const giveUp = ['sqs:SendMessage'];
    const lake = ['s3:GetObject', 's3:ListBucket'];
    const state = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'];
    expect(rightsOf('latest')).toEqual(
        [...state, 'kinesis:DescribeStreamConsumer', ...read, 'kinesis:SubscribeToShard', ...lake, ...giveUp].sort(),
    );
    expect(rightsOf('watch')).toEqual([...state, 'dynamodb:Query', ...read, ...lake].sort());
    expect(rightsOf('notify')).toEqual(
        ['DescribeStream', 'GetItem', 'GetRecords', 'GetShardIterator', 'UpdateItem']
            .map((action) => `dynamodb:${action}`)
            .concat('sns:Publish', ...giveUp),
    );
});

describe('the checks object', () => {
    const breaking = (change: (broken: Resources, find: (job: string) => any) => void) => {
        const broken = structuredClone(resources);
        change(broken, (job) => mappingsOf(broken, functionOf(broken, job))[0]);
        return [...faultsOfLatest(broken), ...faultsOfNotify(broken)].join('; ');
    };

    test.each<[string, string, (mapping: any, broken: Resources) => void]>([
        [
            'to a plain event source',
            'plain event source',
            (mapping, broken) => {
                const [stream] = ofType(broken, 'AWS::Kinesis::Stream')[0] ?? [];
                mapping.EventSourceArn = { 'Fn::GetAtt': [stream, 'Arn'] };
            },
        ],
        ['to two batches of a shard at once', 'several batches', (mapping) => Object.assign(mapping, { ParallelizationFactor: 2 })],
        ['to no parallelization factor at all', 'several batches', (mapping) => delete mapping.ParallelizationFactor],
        ['to a window', 'waits for more', (mapping) => Object.assign(mapping, { MaximumBatchingWindowInSeconds: 1 })],
        ['to nobody who is told what was given up', 'tells nobody', (mapping) => delete mapping.DestinationConfig],
        ['to whole batches', 'does not ask', (mapping) => delete mapping.FunctionResponseTypes],
    ])('%s', (_, fault, change) => {
        expect(breaking((broken, find) => change(find('latest'), broken))).toContain(fault);
    });

    test('to alerts that are called for by every value, and to a topic without TLS', () => {
        expect(breaking((_, find) => delete find('notify').FilterCriteria)).toContain('every new value');
        const withoutPolicies = breaking((broken) => {
            for (const [id] of ofType(broken, 'AWS::SNS::TopicPolicy')) {
                delete broken[id];
            }
        });
        expect(withoutPolicies).toContain('plain HTTP');
    });
});

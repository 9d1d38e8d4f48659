import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { namesOf, readStage } from '#cdk/config';
import { DEPLOYMENT_TAGS } from '#lake/deployment';
import { derivations, kinds, tables } from '#lake/kinds';
import { retryAfterSeconds } from '#lambdas/batch';
import { createStack, GUARDED, listOf, ofType, type Resource, synthesize, synthesizeTelemetry, textOf } from './synthesized.ts';

const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const { app, stack } = createStack();
const template = Template.fromStack(stack);
const resources = template.toJSON().Resources;
const [lakeId, lake] = ofType(resources, 'AWS::S3::Bucket').find(([, { Properties }]) => Properties.BucketName !== undefined)!;

describe('the bucket', () => {
    test('is named after stage, account and region, or as the row says', () => {
        expect(textOf(lake.Properties.BucketName)).toBe('flowlake-dev-<AWS::AccountId>-<AWS::Region>');
        const named = ofType(synthesize({ changes: { bucketName: 'our-lake' } }), 'AWS::S3::Bucket');
        expect(named.map(([, { Properties }]) => Properties.BucketName)).toContain('our-lake');
    });

    test('tells the queue of each new raw object, large ones too, and of each new version of an input, and is made after the queue lets it', () => {
        const [queueId] = queueOf('flowlake-dev-summarize');
        expect(lake.Properties.NotificationConfiguration.QueueConfigurations).toEqual(
            ['raw/', 'profiles/'].map((Value) => ({
                Event: 's3:ObjectCreated:*',
                Queue: { 'Fn::GetAtt': [queueId, 'Arn'] },
                Filter: { S3Key: { Rules: [{ Name: 'prefix', Value }] } },
            })),
        );
        const [policyId, policy] = ofType(resources, 'AWS::SQS::QueuePolicy').find(
            ([, { Properties }]) => Properties.Queues[0].Ref === queueId,
        )!;
        expect(lake.DependsOn).toContain(policyId);
        const allow = policy.Properties.PolicyDocument.Statement.find(({ Effect }: any) => Effect === 'Allow');
        expect(textOf(allow.Condition.ArnEquals['aws:SourceArn'])).toBe(
            'arn:<AWS::Partition>:s3:::flowlake-dev-<AWS::AccountId>-<AWS::Region>',
        );
    });

    test('says in its tags where the rest of the deployment is, all of which exists by that name', () => {
        const tags = Object.fromEntries(lake.Properties.Tags.map(({ Key, Value }: any) => [Key, Value]));
        const names = new Map(Object.entries(namesOf({ stage: 'dev' })));
        for (const [part, tag] of Object.entries(DEPLOYMENT_TAGS)) {
            expect([tag, tags[tag]]).toEqual([tag, names.get(part)]);
        }
        template.hasResourceProperties('AWS::Glue::Database', { DatabaseInput: { Name: tags[DEPLOYMENT_TAGS.database] } });
        template.hasResourceProperties('AWS::Athena::WorkGroup', { Name: tags[DEPLOYMENT_TAGS.workgroup] });
        for (const job of ['consolidateDaysJob', 'exportFeaturesJob'] as const) {
            template.hasResourceProperties('AWS::Glue::Job', { Name: tags[DEPLOYMENT_TAGS[job]] });
        }
        for (const queue of ['summarizeQueue', 'summarizeDeadLetters', 'consolidateQueue', 'consolidateDeadLetters'] as const) {
            template.hasResourceProperties('AWS::SQS::Queue', { QueueName: tags[DEPLOYMENT_TAGS[queue]] });
        }
    });

    test('keeps every figure, and raw files longer than all else that was replaced', () => {
        const rules: any[] = lake.Properties.LifecycleConfiguration.Rules;
        expect(rules.filter(({ ExpirationInDays }) => ExpirationInDays).map(({ Prefix }) => Prefix)).toEqual([
            'exports/',
            'athena-results/',
            '_flowlake/',
            'tries/',
        ]);
        // A dead letter is gone before what is known of it.
        expect(rules.find(({ Prefix }) => Prefix === 'tries/').ExpirationInDays).toBeGreaterThan(14);
        expect(rules.find(({ Transitions }) => Transitions)).toMatchObject({
            Prefix: 'raw/',
            Transitions: [{ StorageClass: 'GLACIER_IR', TransitionInDays: 60 }],
        });
        const whole = rules.find(({ Prefix }) => Prefix === undefined);
        expect(whole).toMatchObject({
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            ExpiredObjectDeleteMarker: true,
            NoncurrentVersionExpiration: { NoncurrentDays: 90 },
        });
        for (const { prefix } of tables) {
            expect(rules.find(({ Prefix }) => Prefix === prefix)).toMatchObject({ NoncurrentVersionExpiration: { NoncurrentDays: 7 } });
        }
        expect(lake.Properties.VersioningConfiguration.Status).toBe('Enabled');
    });

    test.each([
        ['dev', undefined, 'Retain'],
        ['prod', undefined, 'Retain'],
        ['dev', 'dev', 'Delete'],
    ])('of %s with -c destroy-data=%s is under policy %s when the stack goes, and so is the key', (stage, destroyData, policy) => {
        const all = synthesize({ stage, changes: { hasCustomerKey: true }, ...(destroyData && { destroyData }) });
        for (const [, resource] of [...ofType(all, 'AWS::S3::Bucket'), ...ofType(all, 'AWS::KMS::Key')]) {
            expect([resource.DeletionPolicy, resource.UpdateReplacePolicy]).toEqual([policy, policy]);
        }
    });
});

/** The prefixes of the lake, or queues, on which a role may do something. */
function may(role: string, action: string): string[] {
    return ofType(resources, 'AWS::IAM::Policy')
        .filter(([id]) => id.startsWith(role))
        .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
        .filter(({ Action }) => listOf(Action).includes(action))
        .flatMap(({ Resource: resource }) => listOf<any>(resource).map((one) => textOf(one).replace(`<${lakeId}.Arn>/`, '')));
}

/** What a version of a source owns, and what versions are merged into, whatever kinds there are. */
const OWNED = kinds.flatMap(({ contributions, rejects }) => [contributions.prefix, rejects.prefix]);
const MERGED = kinds.map(({ merged }) => merged.prefix);
const DERIVED = derivations().map(({ derived }) => derived.table.prefix);

function objectsOf(...prefixes: string[]): string[] {
    return prefixes.map((prefix) => `${prefix}*`).sort();
}

describe('the functions', () => {
    test.each([
        ['summarize', 5],
        ['consolidate', 10],
    ])('%s runs on Node 24 and arm64, is told what it needs and takes up to %i messages', (job, batchSize) => {
        const [id, { Properties }] = ofType(resources, 'AWS::Lambda::Function').find(
            ([, fn]) => fn.Properties.FunctionName === `flowlake-dev-${job}`,
        )!;
        expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
        expect(Properties.Environment.Variables).toEqual({
            LAKE_BUCKET: { Ref: lakeId },
            CONSOLIDATE_QUEUE: 'flowlake-dev-consolidate.fifo',
            MAX_TRIES: '12',
            ...(job === 'summarize' && { SUMMARIZE_QUEUE: 'flowlake-dev-summarize' }),
            STAGE: 'dev',
            POWERTOOLS_SERVICE_NAME: job,
            POWERTOOLS_METRICS_NAMESPACE: 'flowlake',
            POWERTOOLS_LOG_LEVEL: 'INFO',
        });
        template.hasResourceProperties('AWS::Lambda::EventSourceMapping', { FunctionName: { Ref: id }, BatchSize: batchSize });
    });

    test('may not delete or change what was uploaded, and only the job for it writes each part', () => {
        expect([OWNED, MERGED]).toEqual([expect.arrayContaining(['rejects/', 'summaries/']), expect.arrayContaining(['pair_days/'])]);
        expect(may('summarizerole', 's3:PutObject')).toEqual(objectsOf('ledger/', 'tries/', ...OWNED));
        expect(may('summarizerole', 's3:DeleteObject')).toEqual(objectsOf('tries/', ...OWNED));
        expect(may('consolidaterole', 's3:PutObject')).toEqual(objectsOf('tries/', ...MERGED, ...DERIVED));
        expect(may('summarizerole', 's3:GetObject').sort()).toEqual(objectsOf('raw/', 'ledger/', 'profiles/', 'tries/', ...OWNED));
        expect(may('consolidaterole', 's3:DeleteObject')).toEqual(objectsOf('tries/'));
        const [ofSources, ofPeriods] = ['flowlake-dev-summarize', 'flowlake-dev-consolidate.fifo'].map(
            (name) => `<${queueOf(name)[0]}.Arn>`,
        );
        expect(may('summarizerole', 'sqs:SendMessage').sort()).toEqual([ofSources, ofPeriods].sort());
        expect(may('consolidaterole', 'sqs:SendMessage')).toEqual([ofPeriods]);
    });

    test.each([
        ['summarizerole', 'flowlake-dev-summarize'],
        ['consolidaterole', 'flowlake-dev-consolidate.fifo'],
    ])('%s may say when a message of %s comes back, and of no other queue', (role, queue) => {
        expect(may(role, 'sqs:ChangeMessageVisibility')).toEqual([`<${queueOf(queue)[0]}.Arn>`]);
    });
});

describe('questions', () => {
    test('cannot read more than the row allows', () => {
        template.hasResourceProperties('AWS::Athena::WorkGroup', {
            WorkGroupConfiguration: Match.objectLike({
                BytesScannedCutoffPerQuery: readStage('dev').maxScanBytes,
                EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
                PublishCloudWatchMetricsEnabled: true,
            }),
        });
    });

    test('are saved with what they answer', () => {
        const queries = ofType(resources, 'AWS::Athena::NamedQuery').map(([, { Properties }]) => Properties);
        expect(queries.map(({ Name }) => Name)).toContain('top_pairs');
        for (const { Description, QueryString, Database, WorkGroup } of queries) {
            expect(Description).toMatch(/^One row per .*Parameters: /);
            expect(Description.length).toBeLessThanOrEqual(1024);
            expect(QueryString).toContain('select');
            expect([Database, WorkGroup]).toEqual(['flowlake_dev', 'flowlake-dev']);
        }
    });
});

describe('the Spark jobs', () => {
    const jobs = ofType(resources, 'AWS::Glue::Job').map(([, { Properties }]) => Properties);

    test('are those that the bucket names', () => {
        expect(jobs.map(({ Name }) => Name).sort()).toEqual(['flowlake-dev-consolidate-days', 'flowlake-dev-export-features']);
    });

    test.each(jobs.map((job) => [job.Name, job]))(
        '%s runs its script with the modules, in the bucket and no longer than the row allows',
        (name, job) => {
            expect(job).toMatchObject({
                GlueVersion: '5.0',
                WorkerType: 'G.1X',
                NumberOfWorkers: 4,
                Timeout: 120,
                MaxRetries: 1,
                ExecutionProperty: { MaxConcurrentRuns: 1 },
            });
            expect(job.DefaultArguments).toMatchObject({
                '--bucket': { Ref: lakeId },
                '--stage': 'dev',
                '--job-bookmark-option': 'job-bookmark-disable',
                '--enable-metrics': '',
                '--custom-logGroup-prefix': name.replace('flowlake-dev-', '/flowlake/dev/'),
            });
            expect(textOf(job.Command.ScriptLocation)).toMatch(/\.py$/);
            expect(textOf(job.DefaultArguments['--extra-py-files'])).toMatch(/\.zip$/);
            for (const stream of ['output', 'error']) {
                template.hasResourceProperties('AWS::Logs::LogGroup', {
                    LogGroupName: `${job.DefaultArguments['--custom-logGroup-prefix']}/${stream}`,
                });
            }
        },
    );

    test('share their modules, and each has a script of its own', () => {
        expect(new Set(jobs.map((job) => textOf(job.DefaultArguments['--extra-py-files']))).size).toBe(1);
        expect(new Set(jobs.map((job) => textOf(job.Command.ScriptLocation))).size).toBe(2);
    });

    test('that consolidates tells the workers of the days that it does not derive, and nobody else does', () => {
        const [consolidateDays, exportFeatures] = jobs.map(({ DefaultArguments }) => DefaultArguments['--consolidate_queue']);
        expect([consolidateDays, exportFeatures]).toEqual(['flowlake-dev-consolidate.fifo', undefined]);
        expect(may('consolidatedaysrole', 'sqs:SendMessage')).toEqual([`<${queueOf('flowlake-dev-consolidate.fifo')[0]}.Arn>`]);
        expect(may('consolidatedaysrole', 'sqs:GetQueueUrl')).toEqual(may('consolidatedaysrole', 'sqs:SendMessage'));
        expect(may('exportfeaturesrole', 'sqs:SendMessage')).toEqual([]);
    });

    test('write nothing but what each is for, and delete no figure', () => {
        expect(may('consolidatedaysrole', 's3:PutObject').sort()).toEqual(objectsOf('_flowlake', ...MERGED, ...DERIVED).sort());
        expect(may('consolidatedaysrole', 's3:DeleteObject')).toEqual(['_flowlake*']);
        expect(may('exportfeaturesrole', 's3:GetObject').filter((one) => !one.startsWith('arn:'))).toEqual(['_flowlake*', 'pair_days/*']);
        expect(may('exportfeaturesrole', 's3:PutObject')).toEqual(['_flowlake*', 'exports/features/*']);
        expect(may('exportfeaturesrole', 's3:DeleteObject')).toEqual(['_flowlake*', 'exports/features/*']);
    });
});

test('alarms go by mail where the row has an address, and CloudWatch may send it', () => {
    template.resourceCountIs('AWS::SNS::Topic', 0);
    const mailing = synthesize({ changes: { alarmEmail: 'lake@example.com' } });
    const [[topicId]] = ofType(mailing, 'AWS::SNS::Topic') as [[string, Resource]];
    for (const [, { Properties }] of ofType(mailing, 'AWS::CloudWatch::Alarm')) {
        expect([Properties.AlarmActions, Properties.OKActions]).toEqual([[{ Ref: topicId }], [{ Ref: topicId }]]);
    }
    expect(JSON.stringify(ofType(mailing, 'AWS::SNS::TopicPolicy'))).toContain('{"Service":"cloudwatch.amazonaws.com"}');
});

test.each([
    ['prod', 'Retain'],
    ['dev', 'Delete'],
])('logs of %s are under policy %s when the stack goes', (stage, policy) => {
    const groups = ofType(synthesizeTelemetry({ stage }), 'AWS::Logs::LogGroup');
    expect(groups.length).toBeGreaterThan(10);
    expect(groups.filter(([, one]) => one.DeletionPolicy !== policy || one.UpdateReplacePolicy !== policy).map(([id]) => id)).toEqual([]);
});

describe('a budget', () => {
    test('is made where the row has one, of what has the tag of the stage, and tells who gets the alarms', () => {
        template.resourceCountIs('AWS::Budgets::Budget', 0);
        const topic = 'arn:aws:sns:eu-central-1:111122223333:on-call';
        const [[, { Properties }]] = ofType(
            synthesize({ changes: { monthlyBudgetUsd: 50, alarmEmail: 'lake@example.com', alarmTopicArns: [topic] } }),
            'AWS::Budgets::Budget',
        ) as [[string, Resource]];
        expect(Properties.Budget).toMatchObject({
            BudgetType: 'COST',
            TimeUnit: 'MONTHLY',
            BudgetLimit: { Amount: 50, Unit: 'USD' },
            CostFilters: { TagKeyValue: ['user:flowlake:stage$dev'] },
        });
        expect(
            Properties.NotificationsWithSubscribers.map(({ Notification: { NotificationType, Threshold }, Subscribers }: any) => [
                NotificationType,
                Threshold,
                Subscribers.map(({ Address }: any) => Address),
            ]),
        ).toEqual([
            ['ACTUAL', 80, ['lake@example.com', topic]],
            ['FORECASTED', 100, ['lake@example.com', topic]],
        ]);
    });

    test('that would tell nobody is refused', () => {
        expect(() => synthesize({ changes: { monthlyBudgetUsd: 50 } })).toThrow('monthlyBudgetUsd and nobody to tell');
    });
});

describe('alarms', () => {
    const alarm = (name: string): any =>
        ofType(resources, 'AWS::CloudWatch::Alarm').find(([, { Properties }]) => Properties.AlarmName === `flowlake-dev-${name}`)![1]
            .Properties;

    /** True if an alarm rings at the end of these minutes, where something happened at each of `atMinutes`. */
    function rings(
        { EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods, Period, Threshold }: any,
        atMinutes: number[],
        endMinute: number,
    ) {
        expect(Threshold).toBe(0);
        const from = endMinute - (EvaluationPeriods * Period) / 60;
        const periods = new Set(
            atMinutes.filter((minute) => minute > from && minute <= endMinute).map((minute) => Math.floor((minute * 60) / Period)),
        );
        return periods.size >= DatapointsToAlarm;
    }

    test.each(['summarize', 'consolidate'])(
        'of errors of %s ring for one that comes with every visibility time-out, and not for one alone',
        (job) => {
            const { VisibilityTimeout } = queueOf(job === 'summarize' ? 'flowlake-dev-summarize' : 'flowlake-dev-consolidate.fifo')[1]
                .Properties;
            const every = VisibilityTimeout / 60;
            expect(rings(alarm(`${job}-errors`), [3], 60)).toBe(false);
            expect(rings(alarm(`${job}-errors`), [3, 3 + every], 3 + every)).toBe(true);
            // It does not end between two of them.
            for (let minute = 3 + every; minute < 300; minute += 1) {
                const errors = Array.from({ length: 20 }, (_, at) => 3 + at * every).filter((at) => at <= minute);
                expect(rings(alarm(`${job}-errors`), errors, minute)).toBe(true);
            }
            expect(alarm(`${job}-errors`)).toMatchObject({ MetricName: 'Errors', Statistic: 'Sum', TreatMissingData: 'notBreaching' });
        },
    );

    test('of a file that cannot be used ring for a day, as docs/operations.md says', () => {
        expect(rings(alarm('sources-failed'), [3], 23 * 60)).toBe(true);
        expect(rings(alarm('sources-failed'), [3], 25 * 60)).toBe(false);
        // CloudWatch looks back no longer: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
        expect(alarm('sources-failed').EvaluationPeriods * alarm('sources-failed').Period).toBeLessThanOrEqual(86_400);
        expect(operations).toMatch(/^\| `sources-failed` .*\| 24 hours after the last such file/m);
    });

    test('go to topics that are there already, beside the mail or without it', () => {
        const alarmTopicArns = ['arn:aws:sns:eu-central-1:111122223333:on-call', 'arn:aws:sns:eu-central-1:444455556666:chat'];
        const told = synthesize({ changes: { alarmTopicArns } });
        expect(ofType(told, 'AWS::SNS::Topic')).toEqual([]);
        for (const [, { Properties }] of ofType(told, 'AWS::CloudWatch::Alarm')) {
            expect([Properties.AlarmActions, Properties.OKActions]).toEqual([alarmTopicArns, alarmTopicArns]);
        }
        const both = synthesize({ changes: { alarmTopicArns, alarmEmail: 'lake@example.com' } });
        expect(ofType(both, 'AWS::CloudWatch::Alarm').every(([, { Properties }]) => Properties.AlarmActions.length === 3)).toBe(true);
    });

    test.each([
        ['prod', {}, true],
        ['prod', { alarmEmail: 'lake@example.com' }, false],
        ['prod', { alarmTopicArns: ['arn:aws:sns:eu-central-1:111122223333:on-call'] }, false],
        ['dev', {}, false],
    ])('of %s with %j: that nobody is told is warned of at synthesis: %s', (stage, changes, isWarned) => {
        const warnings = Annotations.fromStack(createStack({ stage, changes }).stack).findWarning(
            '*',
            Match.stringLikeRegexp('tell nobody'),
        );
        expect(warnings).toHaveLength(isWarned ? 1 : 0);
    });
});

test.each(['summarize', 'consolidate'])(
    'a message of %s that fails for the fifth time rings, and goes on ringing until its next try',
    (job) => {
        const [, { Properties }] = ofType(resources, 'AWS::CloudWatch::Alarm').find(
            ([, alarm]) => alarm.Properties.AlarmName === `flowlake-dev-${job}-failed-tries`,
        )!;
        expect(Properties).toMatchObject({ MetricName: 'FailedTries', Statistic: 'Maximum', Threshold: 4, DatapointsToAlarm: 1 });
        expect(Properties.Dimensions).toContainEqual({ Name: 'service', Value: job });
        expect(Properties.EvaluationPeriods * Properties.Period).toBeGreaterThan(retryAfterSeconds(5));
        // Some 20 minutes after the first.
        const waits = [1, 2, 3, 4].map(retryAfterSeconds);
        expect(Math.round(waits.reduce((total, seconds) => total + seconds, 0) / 60)).toBe(21);
    },
);

test('the dashboard shows every figure that the handlers report, under their own dimensions', () => {
    const [[, { Properties }]] = ofType(resources, 'AWS::CloudWatch::Dashboard') as [[string, Resource]];
    const body = textOf(Properties.DashboardBody);
    for (const [service, names] of [
        ['summarize', ['RowsKept', 'RowsRejected', 'BytesRead', 'SourcesSummarized', 'SourcesFailed', 'SummarizeLagMs', 'FailedTries']],
        ['consolidate', ['FiguresLagMs', 'PeriodsConsolidated', 'Passes', 'Conflicts', 'FailedTries']],
    ] as const) {
        for (const name of names) {
            expect(body).toContain(`["flowlake","${name}","service","${service}","stage","dev"`);
        }
    }
});

describe('cdk-nag', () => {
    test.each([
        ['dev', {}],
        ['prod', {}],
        ['dev', { alarmEmail: 'lake@example.com' }],
        ['prod', GUARDED],
    ])('finds nothing in %s with %j', (stage, changes) => {
        const made = createStack({ stage, changes });
        expect(new AwsSolutionsChecks(made.app).validateScope(made.stack).violations).toEqual([]);
    });

    test('would find a bucket that takes plain HTTP and keeps no log', () => {
        const made = createStack();
        new Bucket(made.stack, 'planted');
        const { violations } = new AwsSolutionsChecks(made.app).validateScope(made.stack);
        expect(violations.map(({ ruleName }) => ruleName)).toEqual(['AwsSolutions-S1', 'AwsSolutions-S10']);
    });

    test('was asked to pass over nothing without a reason', () => {
        const acknowledged = app.node
            .findAll()
            .flatMap(({ node }) => node.metadata.filter(({ type }) => type === 'aws:cdk:acknowledged-rules'));
        const reasons = acknowledged.flatMap(({ data }) => Object.values(data));
        expect(reasons.length).toBeGreaterThan(0);
        for (const reason of reasons) {
            expect(String(reason)).toMatch(/.{40,}\.$/);
        }
    });
});

function queueOf(name: string): [string, Resource] {
    return ofType(resources, 'AWS::SQS::Queue').find(([, { Properties }]) => Properties.QueueName === name)!;
}

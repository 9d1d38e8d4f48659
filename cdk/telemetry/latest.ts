/**
 * Latest state: the function that brings each message into it as soon as it is in the stream, the one that looks once a minute for what does not come, and the one
 * that tells people and programs of alerts.
 */
import { Duration, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { type Stream, StreamConsumer } from 'aws-cdk-lib/aws-kinesis';
import { Alias } from 'aws-cdk-lib/aws-kms';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ALARMS, STATE_TABLE } from '#lake/cloud/state-table';
import { CREDENTIALS_PREFIX, DEVICES_PREFIX } from '#lake/layout';
import { type AlarmRule, ownMetric, PERIOD } from '../alarms.ts';
import type { Graph } from '../dashboard.ts';
import { LakeFunction } from '../functions.ts';
import { grantKey } from '../lake-key.ts';
import type { Part, PartProps } from './part.ts';
import { grantRead } from './stream.ts';

const PROFILES_PREFIX = 'profiles/';
const EPISODES_PREFIX = 'episodes/';

/** One core: a batch of 1,000 messages is some 200 ms of work. */
const LATEST = { memoryMb: 1769, timeoutSeconds: 60 };
const BATCH_RECORDS = 1_000;

/** A look ends before the next one begins. */
const WATCH = { memoryMb: 1769, timeoutSeconds: 55 };
const LOOK_EVERY = Duration.minutes(1);

const NOTIFY = { memoryMb: 512, timeoutSeconds: 60 };

/**
 * A batch that fails is tried again, its halves too, for as long as the table's stream holds it, and half a day for latest state: while the table cannot be reached nothing is lost. What is
 * then given up is in history all the same; latest state is made anew from there (docs/cloud.md).
 */
const RETRIES = 10_000;
const LATEST_MAX_AGE = Duration.hours(12);
const EVENTS_MAX_AGE = Duration.hours(23);

/** Longest time that SQS keeps messages. */
const GIVEN_UP_KEPT = Duration.days(14);

const LATE_MS = 60_000;

export class Latest extends Construct implements Part {
    /** Topic that people and programs subscribe to. It stays while telemetry is off: so do its subscriptions. */
    readonly topic: Topic;
    readonly watched: Part['watched'];
    readonly rules: readonly AlarmRule[];
    readonly graphs: readonly Graph[];

    constructor(scope: Construct, id: string, props: PartProps) {
        super(scope, id);
        const { config, telemetry, key } = props;
        this.topic = new Topic(this, 'alerts', {
            topicName: `flowlake-${config.stage}-alerts`,
            enforceSSL: true,
            masterKey: key ?? Alias.fromAliasName(this, 'sns-key', 'alias/aws/sns'),
        });
        if (!telemetry.isOn) {
            [this.watched, this.rules, this.graphs] = [[], [], []];
            return;
        }
        const latest = this.createLatest(props);
        const watch = this.createWatch(props);
        const notify = this.createNotify(props);
        this.watched = [latest, watch, notify].map(({ worker }) => ({ function: worker }));
        const iteratorAge = latest.worker.lambda.metric('IteratorAge', { period: PERIOD, statistic: Stats.MAXIMUM });
        const log = ({ logGroupName }: LakeFunction) => `status, and read the log for why: aws logs tail ${logGroupName} --since 1h`;
        this.rules = [
            {
                name: 'pipeline-late',
                metric: ownMetric(watch.worker, 'PipelineLate', Stats.MAXIMUM),
                above: 0,
                times: 1,
                breaks: 'Latest state stands still: values and states that people see are old, and no alert is raised. Devices are not at fault.',
                type: log(latest.worker),
            },
            {
                name: 'latest-iterator-age',
                metric: iteratorAge,
                above: LATE_MS,
                times: 1,
                breaks: 'Messages wait for more than a minute before latest state has them: values that people see are old.',
                type: log(latest.worker),
            },
            {
                name: 'latest-states-refused',
                metric: ownMetric(latest.worker, 'StatesRefused', Stats.SUM),
                above: 0,
                times: 1,
                breaks: 'Latest state of a device is too large for its record, and stays as it was: the log names it, and its profile should name fewer metrics. History has all.',
                type: log(latest.worker),
            },
            {
                name: 'latest-given-up',
                metric: visible(latest.givenUp),
                above: 0,
                times: 1,
                breaks: 'Messages could not be brought into latest state for half a day: it lacks them, and history has them. Mend what the log says, then make it anew as docs/cloud.md says.',
                type: log(latest.worker),
            },
            {
                name: 'alerts-given-up',
                metric: visible(notify.givenUp),
                above: 0,
                times: 1,
                breaks: 'Alerts could not be published for a day, and nobody was told of them: the list of alerts has them.',
                type: log(notify.worker),
            },
            {
                name: 'alerts-refused',
                metric: ownMetric(notify.worker, 'AlertsRefused', Stats.SUM),
                above: 0,
                times: 1,
                breaks: 'SNS refuses alerts, and nobody was told of them: the list of alerts has them, the log says why.',
                type: log(notify.worker),
            },
        ];
        this.graphs = [
            {
                title: 'From arrival to latest state, p99 and longest; oldest in the streams (ms)',
                metrics: [
                    ownMetric(latest.worker, 'LatestLagMs', 'p99'),
                    ownMetric(latest.worker, 'LatestLagMs', Stats.MAXIMUM),
                    iteratorAge,
                ],
            },
            {
                title: 'Messages into latest state; put aside',
                metrics: own(latest.worker, 'Messages', 'Rejected', 'PutAside', 'Unassigned', 'Conflicts'),
            },
            {
                title: 'Devices by state',
                metrics: ['DevicesOnline', 'DevicesLate', 'DevicesSilent', 'DevicesUnknown'].map((name) =>
                    ownMetric(watch.worker, name, Stats.MAXIMUM),
                ),
            },
            {
                title: 'Silences raised; alerts published, refused',
                metrics: [...own(watch.worker, 'SilencesRaised'), ...own(notify.worker, 'AlertsPublished', 'AlertsRefused')],
            },
        ];
    }

    private createLatest(props: PartProps): { worker: LakeFunction; givenUp: Queue } {
        const { config, lake, stream, programStream, stateTable, key, code } = props;
        const worker = new LakeFunction(this, 'latest', {
            ...{ job: 'latest', config, codeFolder: code.latest, ...LATEST, environment: environmentOf(props), key },
            ifFailing:
                'Messages of devices do not come into latest state: values that people see are old, and no alert is raised. History has them.',
        });
        const { role } = worker;
        lake.grantObjects(role, { get: [DEVICES_PREFIX, CREDENTIALS_PREFIX, PROFILES_PREFIX], put: [] });
        role.addToPolicy(
            new PolicyStatement({
                actions: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
                resources: [stateTable.tableArn],
            }),
        );
        grantKey(key, role);
        const givenUp = this.createGivenUp('latest-given-up', props);
        letTell(role, givenUp);
        for (const [name, one] of Object.entries({ telemetry: stream, programs: programStream })) {
            if (one) {
                this.follow(one, { name, worker, givenUp, props });
            }
        }
        return { worker, givenUp };
    }

    /** Has Lambda hand each shard over by enhanced fan-out, in tens of milliseconds: a plain event source polls once a second, and shares the shard's reads with the chain. */
    private follow(
        stream: Stream,
        { name, worker, givenUp, props }: { name: string; worker: LakeFunction; givenUp: Queue; props: PartProps },
    ): void {
        const { config, key } = props;
        const consumer = new StreamConsumer(this, `${name}-consumer`, { stream, streamConsumerName: `flowlake-${config.stage}-latest` });
        grantRead(stream, { role: worker.role, key });
        worker.role.addToPolicy(
            new PolicyStatement({
                actions: ['kinesis:SubscribeToShard', 'kinesis:DescribeStreamConsumer'],
                resources: [consumer.streamConsumerArn],
            }),
        );
        const mapping = new EventSourceMapping(this, name, {
            target: worker.lambda,
            eventSourceArn: consumer.streamConsumerArn,
            startingPosition: StartingPosition.TRIM_HORIZON,
            batchSize: BATCH_RECORDS,
            // With more, batches of one device's messages are taken beside each other, and an older one is thrown away as taken already.
            parallelizationFactor: 1,
            reportBatchItemFailures: true,
            bisectBatchOnError: true,
            retryAttempts: RETRIES,
            maxRecordAge: LATEST_MAX_AGE,
            onFailure: { bind: () => ({ destination: givenUp.queueArn }) },
        });
        afterRights(mapping, worker);
    }

    private createWatch(props: PartProps): { worker: LakeFunction } {
        const { config, lake, stream, programStream, stateTable, key, code } = props;
        const worker = new LakeFunction(this, 'watch', {
            ...{ job: 'watch', config, codeFolder: code.watch, ...WATCH, environment: environmentOf(props), key },
            ifFailing:
                'Nobody looks for what does not come: no silence is raised, nobody is told that latest state stands still, and history’s verdict on alerts waits.',
        });
        const { role } = worker;
        lake.grantObjects(role, { get: [PROFILES_PREFIX, EPISODES_PREFIX], put: [] });
        role.addToPolicy(
            new PolicyStatement({
                actions: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query'],
                resources: [stateTable.tableArn, ...Object.keys(STATE_TABLE.indexes).map((name) => `${stateTable.tableArn}/index/${name}`)],
            }),
        );
        grantKey(key, role);
        for (const one of [stream, ...(programStream ? [programStream] : [])]) {
            grantRead(one, { role, key });
        }
        new Rule(this, 'every-minute', {
            description: 'What does not come: silent devices, latest state that stands still',
            schedule: Schedule.rate(LOOK_EVERY),
            // The next look sees what this one has not.
            targets: [new LambdaTarget(worker.lambda, { retryAttempts: 0, maxEventAge: LOOK_EVERY })],
        });
        return { worker };
    }

    private createNotify(props: PartProps): { worker: LakeFunction; givenUp: Queue } {
        const { config, lake, stateTable, names, key, code } = props;
        const worker = new LakeFunction(this, 'notify', {
            ...{ job: 'notify', config, codeFolder: code.notify, ...NOTIFY, key },
            environment: { LAKE_BUCKET: lake.bucket.bucketName, STATE_TABLE: names.stateTable, ALERTS_TOPIC: this.topic.topicArn },
            ifFailing: 'Nobody is told of alerts: the list of alerts has them.',
        });
        const { role } = worker;
        const streamArn = stateTable.tableStreamArn ?? '';
        for (const [actions, resource] of [
            [['dynamodb:GetItem', 'dynamodb:UpdateItem'], stateTable.tableArn],
            [['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'], streamArn],
            [['sns:Publish'], this.topic.topicArn],
        ] as const) {
            role.addToPolicy(new PolicyStatement({ actions: [...actions], resources: [resource] }));
        }
        grantKey(key, role);
        const givenUp = this.createGivenUp('alerts-given-up', props);
        letTell(role, givenUp);
        const mapping = new EventSourceMapping(this, 'events', {
            target: worker.lambda,
            eventSourceArn: streamArn,
            startingPosition: StartingPosition.TRIM_HORIZON,
            batchSize: 100,
            // New values and states invoke nothing.
            filters: [
                FilterCriteria.filter({
                    eventName: FilterRule.isEqual('INSERT'),
                    dynamodb: { NewImage: { audience: { S: FilterRule.isEqual(ALARMS) } } },
                }),
            ],
            parallelizationFactor: 1,
            reportBatchItemFailures: true,
            bisectBatchOnError: true,
            retryAttempts: RETRIES,
            maxRecordAge: EVENTS_MAX_AGE,
            onFailure: { bind: () => ({ destination: givenUp.queueArn }) },
        });
        afterRights(mapping, worker);
        return { worker, givenUp };
    }

    /** A queue that says which records an event source gave up, until somebody has looked. */
    private createGivenUp(id: string, { config, key }: PartProps): Queue {
        const queue = new Queue(this, id, {
            queueName: `flowlake-${config.stage}-${id}`,
            ...(key ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key } : { encryption: QueueEncryption.SQS_MANAGED }),
            enforceSSL: true,
            retentionPeriod: GIVEN_UP_KEPT,
        });
        Validations.of(queue).acknowledge({
            id: 'AwsSolutions-SQS3',
            reason: 'It is a dead-letter queue itself, of an event source: nobody takes from it but a person.',
        });
        return queue;
    }
}

/**
 * Lets Lambda say with the function’s role what it gave up. The construct’s own destination would give the role patterns of actions on the key of the stage, too.
 */
function letTell(role: Role, givenUp: Queue): void {
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [givenUp.queueArn] }));
}

function environmentOf({ lake, names }: PartProps): Record<string, string> {
    return {
        LAKE_BUCKET: lake.bucket.bucketName,
        STREAM: names.stream,
        ...(names.programStream !== undefined && { PROGRAM_STREAM: names.programStream }),
        STATE_TABLE: names.stateTable,
    };
}

/** Lambda looks at the function's rights when a mapping is made. */
function afterRights(mapping: EventSourceMapping, { role }: LakeFunction): void {
    const policy = role.node.tryFindChild('DefaultPolicy');
    if (policy) {
        mapping.node.addDependency(policy);
    }
}

function visible(queue: Queue) {
    return queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: Stats.MAXIMUM });
}

function own(of: LakeFunction, ...metrics: string[]) {
    return metrics.map((name) => ownMetric(of, name, Stats.SUM));
}

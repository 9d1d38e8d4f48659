/**
 * From the streams into the lake: the function that appends each shard to its chain of raw objects, and the one that brings back what was given up on the
 * way. S3 tells the lake's own functions of every object, as of an upload.
 */
import { Duration, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Stream } from 'aws-cdk-lib/aws-kinesis';
import { EventSourceMapping, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { CREDENTIALS_PREFIX, DEVICES_PREFIX, LEDGER_PREFIX, RAW_PREFIX } from '#lake/layout';
import { type AlarmRule, ownMetric, PERIOD } from '../alarms.ts';
import { CHAIN, GIVEN_UP } from '../config.ts';
import type { Graph } from '../dashboard.ts';
import { addQueueSource, LakeFunction } from '../functions.ts';
import type { Part, PartProps } from './part.ts';
import { grantRead } from './stream.ts';

/** Every object of the chain is a source with a record in the ledger: one a minute and shard, unless the messages are more than 6 MB. */
const WINDOW = Duration.seconds(60);

/** More than 6 MB of messages do not come at once, however many records that is. */
const BATCH_RECORDS = 10_000;

/**
 * A batch that fails is tried again, its halves too, for a day at most. While the world is broken a shard waits and loses nothing: the stream
 * keeps it for seven days. What then still fails is given up, and brought back by the other function: six days are left for that.
 */
const RETRIES = 100;
const MAX_AGE = Duration.hours(24);

const CHAIN_PREFIX = `${RAW_PREFIX}kind=telemetry/`;
const PROFILES_PREFIX = 'profiles/';

/** The two functions, and how the streams are handed to the first one. */
export class Chain extends Construct implements Part {
    readonly watched: Part['watched'];
    readonly rules: readonly AlarmRule[];
    readonly graphs: readonly Graph[];

    constructor(scope: Construct, id: string, props: PartProps) {
        super(scope, id);
        const { config, names, lake, stream, programStream, datasetsTable, stateTable, givenUpQueue, key, code } = props;
        const streams = [stream, ...(programStream ? [programStream] : [])];
        const environment = {
            LAKE_BUCKET: lake.bucket.bucketName,
            STREAM: names.stream,
            ...(names.programStream !== undefined && { PROGRAM_STREAM: names.programStream }),
            DATASETS_TABLE: names.datasetsTable,
        };
        const chain = new LakeFunction(this, 'chain', {
            ...{ job: 'chain', config, codeFolder: code.chain, ...CHAIN, environment, key },
            ifFailing:
                'Messages of devices do not come into the lake, or much later than they should: reports lack them. The stream keeps them for seven days.',
        });
        const givenUp = new LakeFunction(this, 'given-up', {
            ...{ job: 'given-up', config, codeFolder: code['given-up'], ...GIVEN_UP, key },
            environment: {
                ...environment,
                STATE_TABLE: names.stateTable,
                GIVEN_UP_QUEUE: names.givenUpQueue,
                CHAIN_FUNCTION: chain.lambda.functionName,
            },
            ifFailing: 'Messages that were given up on their way are not brought into the lake: reports lack them.',
        });
        for (const { role } of [chain, givenUp]) {
            lake.grantObjects(role, {
                get: [CHAIN_PREFIX, DEVICES_PREFIX, CREDENTIALS_PREFIX, PROFILES_PREFIX, LEDGER_PREFIX],
                put: [CHAIN_PREFIX],
            });
            role.addToPolicy(
                new PolicyStatement({ actions: ['dynamodb:UpdateItem', 'dynamodb:Query'], resources: [datasetsTable.tableArn] }),
            );
            for (const one of streams) {
                grantRead(one, { role, key });
            }
        }
        // A batch that is given up is told by who reads the stream: Lambda, with this function's role.
        chain.role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [givenUpQueue.queue.queueArn] }));
        letAskHowItIsCalled(chain.role);
        for (const [at, one] of streams.entries()) {
            this.hand(one, { to: chain, id: at === 0 ? 'telemetry' : 'programs', givenUpQueue });
        }
        addQueueSource(givenUp.lambda, givenUpQueue, GIVEN_UP);
        // What never was in a stream, latest state has from nobody else.
        givenUp.role.addToPolicy(
            new PolicyStatement({
                actions: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
                resources: [stateTable.tableArn],
            }),
        );

        const { maxLagMinutes } = config;
        const iteratorAge = chain.lambda.metric('IteratorAge', { period: PERIOD, statistic: Stats.MAXIMUM });
        this.watched = [{ function: chain }, { function: givenUp, queue: givenUpQueue }];
        this.rules = [
            {
                name: 'chain-iterator-age',
                metric: iteratorAge,
                above: Duration.minutes(maxLagMinutes).toMilliseconds(),
                times: 1,
                breaks: `Messages of devices wait in a stream for more than ${maxLagMinutes} minutes before they come into the lake: reports lack them. The stream keeps them for seven days.`,
                type: `status, and read the log for why: aws logs tail ${chain.logGroupName} --since 1h`,
            },
            {
                name: 'chain-given-up',
                metric: ownMetric(givenUp, 'RangesGivenUp', Stats.SUM),
                above: 0,
                times: 1,
                breaks: 'Messages could not be appended to the chain for a day, and were brought into the lake beside it. Something about them, or about the lake, is broken: it will happen again.',
                type: `status, and read the log for why: aws logs tail ${chain.logGroupName} --since 2d`,
            },
            {
                name: 'chain-hole',
                metric: ownMetric(givenUp, 'RecordsLost', Stats.SUM),
                above: 0,
                times: 1,
                breaks: 'Messages that devices were told are safe are lost: they were given up, and the stream holds them no more. The lake says which.',
                type: 'rejects',
            },
            {
                name: 'rule-errors',
                metric: ownMetric(givenUp, 'RuleErrors', Stats.SUM),
                above: 0,
                times: 3,
                breaks: 'The rule of IoT Core has failed to put messages into the stream for a quarter of an hour. They come into the lake, but late, and latest state lacks them.',
                type: `status, and read the log for why: aws logs tail ${givenUp.logGroupName} --since 1h`,
            },
        ];
        this.graphs = [
            {
                title: 'From arrival to the chain, longest; oldest in the streams (ms)',
                metrics: [ownMetric(chain, 'ChainLagMs', Stats.MAXIMUM), iteratorAge],
            },
            { title: 'Messages into the chain; put aside', metrics: own(chain, 'MessagesAppended', 'MessagesAside', 'MessagesDropped') },
            { title: 'Objects of the chain; races lost', metrics: own(chain, 'ObjectsAppended', 'Conflicts', 'RecordsReturned') },
            {
                title: 'Given up: ranges, rule errors, lost; brought back',
                metrics: own(givenUp, 'RangesGivenUp', 'RuleErrors', 'RecordsLost', 'BroughtIntoChain', 'BroughtIntoSideChain'),
            },
        ];
    }

    /** Has Lambda hand each shard of the stream to the function, one batch at a time. */
    private hand(stream: Stream, { to, id, givenUpQueue }: { to: LakeFunction; id: string } & Pick<PartProps, 'givenUpQueue'>): void {
        const mapping = new EventSourceMapping(this, id, {
            target: to.lambda,
            eventSourceArn: stream.streamArn,
            startingPosition: StartingPosition.TRIM_HORIZON,
            batchSize: BATCH_RECORDS,
            maxBatchingWindow: WINDOW,
            // With more, batches of a shard are appended in any order, and what seems to be there already is thrown away.
            parallelizationFactor: 1,
            reportBatchItemFailures: true,
            bisectBatchOnError: true,
            retryAttempts: RETRIES,
            maxRecordAge: MAX_AGE,
            // Not the construct's own destination: with a key of the stage it would give the role patterns of actions on that.
            onFailure: { bind: () => ({ destination: givenUpQueue.queue.queueArn }) },
        });
        // Lambda looks at the function's rights when the mapping is made.
        const policy = to.role.node.tryFindChild('DefaultPolicy');
        if (policy) {
            mapping.node.addDependency(policy);
        }
    }
}

/** Lets the function ask how many batches of a shard it is given at once: the chain loses messages where that is more than one. */
function letAskHowItIsCalled(role: Role): void {
    const [action, resource] = ['lambda:ListEventSourceMappings', '*'];
    role.addToPolicy(new PolicyStatement({ actions: [action], resources: [resource] }));
    Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${resource}]`,
        reason: 'The action lists, and IAM lets no list of event source mappings be limited to some of them; it tells no data.',
    });
}

function own(of: LakeFunction, ...metrics: string[]) {
    return metrics.map((name) => ownMetric(of, name, Stats.SUM));
}

/** The streams that messages come into: one that the lake's own ways in write, and one for programs, if the row has it. */
import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { AccountRootPrincipal, AnyPrincipal, Effect, type IGrantable, ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { type AlarmRule, PERIOD } from '../alarms.ts';
import type { Graph } from '../dashboard.ts';
import { grantKey } from '../lake-key.ts';
import type { Part, PartProps } from './part.ts';

/**
 * How long a message stays where nobody has taken it: seven days, the longest that is paid by the month and not by what is read again. A
 * weekend of a broken consumer loses nothing, and what an event source gave up can still be read by its sequence numbers. docs/cloud.md has
 * the price.
 */
const STREAM_RETENTION = Duration.days(7);

/** The streams, and who may write the one for programs: whoever takes on the role, or has its policy. */
export class Streams extends Construct implements Part {
    readonly stream: Stream;
    readonly programStream: Stream | undefined;
    readonly watched: Part['watched'] = [];
    readonly rules: readonly AlarmRule[];
    readonly graphs: readonly Graph[];

    constructor(
        scope: Construct,
        id: string,
        { config, names, key, removalPolicy }: Pick<PartProps, 'config' | 'names' | 'key' | 'removalPolicy'>,
    ) {
        super(scope, id);
        this.stream = createStream(this, 'telemetry', { name: names.stream, key, removalPolicy });
        if (names.programStream !== undefined) {
            this.programStream = createStream(this, 'programs', { name: names.programStream, key, removalPolicy });
            letProgramsWrite(this, this.programStream, { stage: config.stage, key });
        }
        const streams = [
            { name: 'stream', stream: this.stream, ofWhom: 'devices' },
            ...(this.programStream ? [{ name: 'program-stream', stream: this.programStream, ofWhom: 'programs' }] : []),
        ];
        this.rules = streams.flatMap(({ name, stream, ofWhom }) => rulesOfStream(name, { stream, ofWhom }));
        this.graphs = streams.flatMap(({ stream, ofWhom }) => [
            {
                title: `Messages of ${ofWhom}, a minute`,
                metrics: [stream.metricIncomingRecords({ statistic: Stats.SUM, period: MINUTE })],
            },
            {
                title: `Bytes of ${ofWhom} a minute; puts and reads that were throttled`,
                metrics: [
                    stream.metricIncomingBytes({ statistic: Stats.SUM, period: MINUTE }),
                    stream.metricWriteProvisionedThroughputExceeded({ statistic: Stats.SUM, period: MINUTE }),
                    stream.metricReadProvisionedThroughputExceeded({ statistic: Stats.SUM, period: MINUTE }),
                ],
            },
        ]);
    }
}

const MINUTE = Duration.minutes(1);

/** What can go wrong with a stream by itself. Whoever reads it has alarms of its own. */
function rulesOfStream(name: string, { stream, ofWhom }: { stream: Stream; ofWhom: string }): AlarmRule[] {
    return [
        {
            name: `${name}-write-throttles`,
            metric: stream.metricWriteProvisionedThroughputExceeded({ statistic: Stats.SUM, period: PERIOD }),
            above: 0,
            // An on-demand stream grows within minutes; who was refused meanwhile tries again.
            times: 3,
            breaks: `The stream ${stream.streamName} takes less than ${ofWhom} send, for a quarter of an hour: their messages are late, and are lost where they give up. The account’s quota is reached, or one device sends more than a shard takes (1 MB or 1,000 messages a second).`,
            type: 'status, and raise the quota as docs/operations.md says',
        },
        {
            name: `${name}-read-throttles`,
            metric: stream.metricReadProvisionedThroughputExceeded({ statistic: Stats.SUM, period: PERIOD }),
            above: 0,
            times: 3,
            breaks: `Somebody beside the lake reads the stream ${stream.streamName}, and takes the readers’ share of it: messages of ${ofWhom} come late into the lake.`,
            type: 'status, and find who reads it as docs/operations.md says',
        },
    ];
}

/**
 * A policy that lets a program put records into the stream and do nothing else, and a role that has it, which principals of this account may take on
 * where their own policies let them.
 */
function letProgramsWrite(scope: Construct, stream: Stream, { stage, key }: { stage: string; key: Key | undefined }): void {
    const policy = new ManagedPolicy(scope, 'write', {
        managedPolicyName: `flowlake-${stage}-write-programs`,
        description: `Puts messages into the stream of programs of the lake flowlake-${stage}`,
    });
    grantPut(stream, { role: policy, key });
    new Role(scope, 'program', {
        roleName: `flowlake-${stage}-program`,
        description: `A program that sends messages to the lake flowlake-${stage}`,
        assumedBy: new AccountRootPrincipal(),
        managedPolicies: [policy],
    });
}

interface StreamProps {
    name: string;
    key: Key | undefined;
    removalPolicy: RemovalPolicy;
}

/**
 * An on-demand stream: shards come and go with the load, and nobody resizes it. It is encrypted with the stage's key, else with the one
 * that AWS holds for Kinesis, and spoken to by TLS only.
 */
function createStream(scope: Construct, id: string, { name, key, removalPolicy }: StreamProps): Stream {
    const stream = new Stream(scope, id, {
        streamName: name,
        streamMode: StreamMode.ON_DEMAND,
        retentionPeriod: STREAM_RETENTION,
        ...(key ? { encryption: StreamEncryption.KMS, encryptionKey: key } : { encryption: StreamEncryption.MANAGED }),
        removalPolicy,
    });
    if (key !== undefined) {
        Validations.of(stream).acknowledge({
            id: 'AwsSolutions-KDS3',
            reason: 'The stage wants a key of its own for all that holds data; without hasCustomerKey it is the one that AWS holds.',
        });
    }
    stream.addToResourcePolicy(
        new PolicyStatement({
            sid: 'TlsOnly',
            effect: Effect.DENY,
            principals: [new AnyPrincipal()],
            // The actions that a stream's policy may name: https://docs.aws.amazon.com/streams/latest/dev/resource-based-policy-examples.html
            actions: [
                'kinesis:DescribeStreamSummary',
                'kinesis:GetRecords',
                'kinesis:GetShardIterator',
                'kinesis:ListShards',
                'kinesis:PutRecord',
                'kinesis:PutRecords',
            ],
            resources: [stream.streamArn],
            conditions: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
    );
    return stream;
}

/** Lets a role put messages into the stream, and nothing else. */
export function grantPut(stream: Stream, { role, key }: { role: IGrantable; key: Key | undefined }): void {
    role.grantPrincipal.addToPrincipalPolicy(
        new PolicyStatement({ actions: ['kinesis:PutRecord', 'kinesis:PutRecords'], resources: [stream.streamArn] }),
    );
    grantKey(key, role);
}

/** Lets a role read the stream from any place and see what it is: as an event source does, and who reads again what it gave up. */
export function grantRead(stream: Stream, { role, key }: { role: IGrantable; key: Key | undefined }): void {
    role.grantPrincipal.addToPrincipalPolicy(
        new PolicyStatement({
            actions: [
                'kinesis:DescribeStream',
                'kinesis:DescribeStreamSummary',
                'kinesis:GetRecords',
                'kinesis:GetShardIterator',
                'kinesis:ListShards',
            ],
            resources: [stream.streamArn],
        }),
    );
    grantKey(key, role);
}

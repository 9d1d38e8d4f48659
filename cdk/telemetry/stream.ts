/** The streams that messages come into: one that the lake's own ways in write, and one for programs, if the row has it. */
import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { grantKey } from '../lake-key.ts';

/**
 * How long a message stays where nobody has taken it: seven days, the longest that is paid by the month and not by what is read again. A
 * weekend of a broken consumer loses nothing, and what an event source gave up can still be read by its sequence numbers. docs/cloud.md has
 * the price.
 */
export const STREAM_RETENTION = Duration.days(7);

interface StreamProps {
    name: string;
    key: Key | undefined;
    removalPolicy: RemovalPolicy;
}

/**
 * An on-demand stream: shards come and go with the load, and nobody resizes it. It is encrypted with the stage's key, else with the one
 * that AWS holds for Kinesis, and spoken to by TLS only.
 */
export function createStream(scope: Construct, id: string, { name, key, removalPolicy }: StreamProps): Stream {
    const stream = new Stream(scope, id, {
        streamName: name,
        streamMode: StreamMode.ON_DEMAND,
        retentionPeriod: STREAM_RETENTION,
        ...(key ? { encryption: StreamEncryption.KMS, encryptionKey: key } : { encryption: StreamEncryption.MANAGED }),
        removalPolicy,
    });
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

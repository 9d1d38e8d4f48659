/** The customer's own key, for stages that want one: who of AWS's services may use it, and for what. */
import { Aws, type RemovalPolicy } from 'aws-cdk-lib';
import { type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** A key that turns over every year. The policy of the account decides about its people; roles of this stack are granted it by `grantKey`. */
export function createLakeKey(scope: Construct, { stage, removalPolicy }: { stage: string; removalPolicy: RemovalPolicy }): Key {
    const key = new Key(scope, 'key', {
        alias: `flowlake-${stage}`,
        description: `Data, messages and logs of the lake flowlake-${stage}`,
        enableKeyRotation: true,
        removalPolicy,
    });
    const isThisAccount = { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } };
    // S3 sends its events into an encrypted queue: https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    // CloudWatch its alarms to an encrypted topic: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    for (const service of ['s3', 'cloudwatch']) {
        key.addToResourcePolicy(
            new PolicyStatement({
                principals: [new ServicePrincipal(`${service}.amazonaws.com`)],
                actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
                resources: ['*'],
                conditions: isThisAccount,
            }),
        );
    }
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    key.addToResourcePolicy(
        new PolicyStatement({
            principals: [new ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
            actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
            resources: ['*'],
            conditions: {
                ArnLike: {
                    'kms:EncryptionContext:aws:logs:arn': `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:/flowlake/${stage}/*`,
                },
            },
        }),
    );
    return key;
}

/** Lets a role read what the key encrypts, and write it. Two actions are named, where the construct's own grant has patterns. */
export function grantKey(key: Key | undefined, role: IGrantable): void {
    if (key !== undefined) {
        role.grantPrincipal.addToPrincipalPolicy(
            new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] }),
        );
    }
}

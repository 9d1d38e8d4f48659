/** The one bucket that is the lake: how it is protected, what expires, and what its events start. */
import { Aws, Duration, type RemovalPolicy, Stack, Tags, Validations } from 'aws-cdk-lib';
import { PolicyStatement, type Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import {
    BlockPublicAccess,
    Bucket,
    BucketEncryption,
    type BucketProps,
    CfnBucket,
    type IBucket,
    type LifecycleRule,
    ObjectOwnership,
    StorageClass,
} from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DEPLOYMENT_TAGS, type Deployment, MESSAGE_DAYS, TELEMETRY_TAGS, type TelemetryDeployment } from '#lake/deployment';
import { kindsWithInputs, tables } from '#lake/kinds';
import { EXPORTS_PREFIX, RAW_PREFIX, TRIES_PREFIX, WORK_PREFIX } from '#lake/layout';
import type { StageConfig } from './config.ts';
import { grantKey } from './lake-key.ts';

/** Prefix of the results that Athena writes. */
export const RESULTS_PREFIX = 'athena-results/';

/** Days that unfinished uploads are kept: what breaks off is tried again at once or never. */
const UNFINISHED_DAYS = 7;

/** Days that notes of failed tries are kept: a dead letter is gone before what is known of it. */
const TRIES_DAYS = MESSAGE_DAYS + 2;

interface LakeBucketProps {
    config: StageConfig;
    names: Deployment & Partial<TelemetryDeployment>;
    removalPolicy: RemovalPolicy;
    key?: Key | undefined;
    /** Queue that is told of every new object under raw/, and of every new version of an input. */
    summarizeQueue: Queue;
}

/** Prefixes whose objects a role may get, put and delete. */
export interface ObjectRights {
    get: readonly string[];
    put: readonly string[];
    delete?: readonly string[];
}

export class LakeBucket extends Construct {
    readonly bucket: IBucket;
    private readonly key: Key | undefined;

    constructor(scope: Construct, id: string, { config, names, removalPolicy, key, summarizeQueue }: LakeBucketProps) {
        super(scope, id);
        this.key = key;
        // Known as text before the bucket exists: the queue's policy names it, and the bucket needs that policy to be there first.
        const bucketName = config.bucketName ?? `flowlake-${config.stage}-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
        const guarded = {
            blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
            objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforceSSL: true,
            minimumTLSVersion: 1.2,
            removalPolicy,
        };
        const accessLogs = createBucket(this, 'access-logs', {
            ...guarded,
            // S3 cannot write its logs with a customer's key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
            encryption: BucketEncryption.S3_MANAGED,
            lifecycleRules: [{ expiration: Duration.days(config.accessLogDays) }],
        });
        this.bucket = createBucket(this, 'bucket', {
            ...guarded,
            bucketName,
            versioned: true,
            ...(key
                ? { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
                : { encryption: BucketEncryption.S3_MANAGED }),
            lifecycleRules: lifecycleRulesOf(config),
            serverAccessLogsBucket: accessLogs,
        });
        for (const [part, tag] of Object.entries({ ...DEPLOYMENT_TAGS, ...TELEMETRY_TAGS })) {
            const name = new Map(Object.entries(names)).get(part);
            if (name !== undefined) {
                Tags.of(this.bucket).add(tag, name);
            }
        }
        this.sendEvents({ bucketName, queue: summarizeQueue });
    }

    /** Lets a role use the objects under some prefixes, and see what is there and what is not. */
    grantObjects(role: Role, rights: ObjectRights): void {
        // The whole bucket, because without it S3 answers 403 for an object that is not there, instead of 404; a condition on the prefix
        // would not hold then: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        role.addToPolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] }));
        const actions = { get: ['s3:GetObject'], put: ['s3:PutObject', 's3:AbortMultipartUpload'], delete: ['s3:DeleteObject'] };
        for (const [action, prefixes] of [
            [actions.get, rights.get],
            [actions.put, rights.put],
            [actions.delete, rights.delete ?? []],
        ] as const) {
            if (prefixes.length > 0) {
                role.addToPolicy(
                    new PolicyStatement({
                        actions: [...action],
                        resources: prefixes.map((prefix) => this.bucket.arnForObjects(`${prefix}*`)),
                    }),
                );
            }
        }
        const arn = `<${Stack.of(this).getLogicalId(cfnBucketOf(this.bucket))}.Arn>`;
        for (const prefix of new Set([rights.get, rights.put, rights.delete ?? []].flat())) {
            Validations.of(role).acknowledge({
                id: `AwsSolutions-IAM5[Resource::${arn}/${prefix}*]`,
                reason: 'Nobody knows the keys of objects before they are uploaded; the right ends at the prefix.',
            });
        }
        grantKey(this.key, role);
    }

    /**
     * Sends events as a property of the bucket. The construct's own `addEventNotification` would deploy a Lambda that may change every
     * bucket's events.
     */
    private sendEvents({ bucketName, queue }: { bucketName: string; queue: Queue }): void {
        const { policyDependable } = queue.addToResourcePolicy(
            new PolicyStatement({
                principals: [new ServicePrincipal('s3.amazonaws.com')],
                actions: ['sqs:SendMessage'],
                resources: [queue.queueArn],
                conditions: {
                    ArnEquals: { 'aws:SourceArn': `arn:${Aws.PARTITION}:s3:::${bucketName}` },
                    StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
                },
            }),
        );
        const cfnBucket = cfnBucketOf(this.bucket);
        // `*`, because large files are completed and not put. Of inputs S3 tells versions too, which come to nothing: it cannot filter by slashes.
        cfnBucket.notificationConfiguration = {
            queueConfigurations: [RAW_PREFIX, ...kindsWithInputs().map(({ inputs }) => inputs.prefix)].map((value) => ({
                event: 's3:ObjectCreated:*',
                queue: queue.queueArn,
                filter: { s3Key: { rules: [{ name: 'prefix', value }] } },
            })),
        };
        // S3 refuses events to a queue that does not take them yet.
        if (policyDependable) {
            cfnBucket.node.addDependency(policyDependable);
        }
    }
}

/**
 * What expires when. The shorter time holds where rules overlap:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
 */
function lifecycleRulesOf(config: StageConfig): LifecycleRule[] {
    const noncurrentVersionExpiration = Duration.days(config.oldVersionDays);
    const expiring: [string, number][] = [
        [EXPORTS_PREFIX, config.exportDays],
        [RESULTS_PREFIX, config.queryResultDays],
        [WORK_PREFIX, UNFINISHED_DAYS],
        [TRIES_PREFIX, TRIES_DAYS],
    ];
    return [
        {
            id: 'raw-to-colder-storage',
            prefix: RAW_PREFIX,
            transitions: [
                { storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(config.rawColdAfterDays) },
            ],
        },
        ...expiring.map(([prefix, days]) => ({
            id: `expire-${prefix}`,
            prefix,
            expiration: Duration.days(days),
            noncurrentVersionExpiration,
        })),
        ...tables.map(({ prefix }) => ({ id: `old-versions-${prefix}`, prefix, noncurrentVersionExpiration })),
        {
            id: 'old-versions-and-unfinished-uploads',
            noncurrentVersionExpiration: Duration.days(config.oldRawVersionDays),
            expiredObjectDeleteMarker: true,
            abortIncompleteMultipartUploadAfter: Duration.days(UNFINISHED_DAYS),
        },
    ];
}

function createBucket(scope: Construct, id: string, props: BucketProps): IBucket {
    const bucket: unknown = new Bucket(scope, id, props);
    if (!isBucket(bucket)) {
        throw new TypeError('aws-cdk-lib made no bucket: see its release notes');
    }
    return bucket;
}

/** True for a bucket. A guard, because the types of aws-cdk-lib do not hold by themselves under exactOptionalPropertyTypes. */
function isBucket(construct: unknown): construct is IBucket {
    return construct instanceof Bucket;
}

function cfnBucketOf(bucket: IBucket): CfnBucket {
    const child = bucket.node.defaultChild;
    if (!(child instanceof CfnBucket)) {
        throw new TypeError('the bucket construct holds no AWS::S3::Bucket: aws-cdk-lib changed, see its release notes');
    }
    return child;
}

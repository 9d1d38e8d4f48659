/** How the lake's bucket is set up. */
import {
    GetBucketEncryptionCommand,
    GetBucketNotificationConfigurationCommand,
    GetBucketPolicyCommand,
    GetBucketTaggingCommand,
    GetBucketVersioningCommand,
    GetPublicAccessBlockCommand,
    HeadBucketCommand,
    type S3Client,
} from '@aws-sdk/client-s3';
import { awsStatusOf } from '#lake/aws/aws-errors';
import { type Answer, ask } from './finding.ts';
import { type PolicyStatement, parsePolicy } from './policy.ts';

export interface BucketFacts {
    /** State of versioning: `Enabled`, `Suspended`, or empty where it never was. */
    versioning: Answer<string>;
    /** Encryption of new objects: `AES256`, `aws:kms`. */
    encryption: Answer<string>;
    policy: Answer<PolicyStatement[]>;
    /** The four blocks by their names. */
    publicAccessBlock: Answer<Readonly<Record<string, boolean>>>;
    notifications: Answer<Notification[]>;
    tags: Answer<ReadonlyMap<string, string>>;
}

/** News of objects that a queue gets. */
export interface Notification {
    queueArn: string;
    events: readonly string[];
    prefix: string;
    suffix: string;
}

/** The region that the bucket is in; undefined where S3 does not say. An answer shows that the bucket may be listed. */
export function gatherPlace(client: S3Client, Bucket: string): Promise<Answer<string | undefined>> {
    return ask(async () => (await client.send(new HeadBucketCommand({ Bucket }))).BucketRegion, {
        doing: `look at bucket ${Bucket}`,
        isMissing: (error) => awsStatusOf(error) === 404,
    });
}

export async function gatherBucket(client: S3Client, Bucket: string): Promise<BucketFacts> {
    const about = <T>(what: string, question: () => Promise<T>, missing?: string): Promise<Answer<T>> =>
        ask(question, { doing: `read the ${what} of bucket ${Bucket}`, isMissing: ({ name }) => name === missing });
    const [versioning, encryption, policy, publicAccessBlock, notifications, tags] = await Promise.all([
        about('versioning', async () => (await client.send(new GetBucketVersioningCommand({ Bucket }))).Status ?? ''),
        about(
            'encryption',
            async () => {
                const { ServerSideEncryptionConfiguration } = await client.send(new GetBucketEncryptionCommand({ Bucket }));
                return ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm ?? '';
            },
            'ServerSideEncryptionConfigurationNotFoundError',
        ),
        about(
            'policy',
            async () => parsePolicy((await client.send(new GetBucketPolicyCommand({ Bucket }))).Policy ?? '{}'),
            'NoSuchBucketPolicy',
        ),
        about(
            'public access block',
            async () => {
                const { PublicAccessBlockConfiguration: found } = await client.send(new GetPublicAccessBlockCommand({ Bucket }));
                const {
                    BlockPublicAcls = false,
                    IgnorePublicAcls = false,
                    BlockPublicPolicy = false,
                    RestrictPublicBuckets = false,
                } = found ?? {};
                return { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets };
            },
            'NoSuchPublicAccessBlockConfiguration',
        ),
        about('notifications', () => readNotifications(client, Bucket)),
        about(
            'tags',
            async () => {
                const { TagSet = [] } = await client.send(new GetBucketTaggingCommand({ Bucket }));
                return new Map(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
            },
            'NoSuchTagSet',
        ),
    ]);
    return { versioning, encryption, policy, publicAccessBlock, notifications, tags };
}

async function readNotifications(client: S3Client, Bucket: string): Promise<Notification[]> {
    const { QueueConfigurations = [] } = await client.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    return QueueConfigurations.map(({ QueueArn = '', Events = [], Filter }) => {
        const rules = new Map(Filter?.Key?.FilterRules?.map(({ Name = '', Value = '' }) => [Name.toLowerCase(), Value]));
        return { queueArn: QueueArn, events: Events, prefix: rules.get('prefix') ?? '', suffix: rules.get('suffix') ?? '' };
    });
}

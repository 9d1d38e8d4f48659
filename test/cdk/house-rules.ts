/** What must hold for every resource of the lake, whoever adds it. Each rule names the resources that break it. */
import { listOf, ofType, type Resource, type Resources, textOf } from './synthesized.ts';

type Rule = (resources: Resources) => string[];

export const HOUSE_RULES: Readonly<Record<string, Rule>> = {
    'everything that holds data is encrypted': (resources) => [
        ...breaking(resources, 'AWS::S3::Bucket', ({ BucketEncryption }) => BucketEncryption !== undefined),
        ...breaking(
            resources,
            'AWS::SQS::Queue',
            ({ SqsManagedSseEnabled, KmsMasterKeyId }) => SqsManagedSseEnabled === true || KmsMasterKeyId !== undefined,
        ),
        ...breaking(
            resources,
            'AWS::Athena::WorkGroup',
            ({ WorkGroupConfiguration: { EnforceWorkGroupConfiguration, ResultConfiguration } }) =>
                EnforceWorkGroupConfiguration && ResultConfiguration.EncryptionConfiguration !== undefined,
        ),
    ],

    'everything is spoken to by TLS only': (resources) =>
        ['Bucket', 'Queues', 'Topics'].flatMap((target) => {
            const type = { Bucket: 'AWS::S3::Bucket', Queues: 'AWS::SQS::Queue', Topics: 'AWS::SNS::Topic' }[target] ?? '';
            const guarded = Object.values(resources)
                .filter(({ Properties }) => Properties.PolicyDocument?.Statement.some(refusesPlainHttp))
                .flatMap(({ Properties }) => listOf(Properties[target]).map(textOf));
            return ofType(resources, type)
                .map(([id]) => id)
                .filter((id) => !guarded.includes(`<${id}>`));
        }),

    'no bucket is open to the public': (resources) =>
        breaking(
            resources,
            'AWS::S3::Bucket',
            ({ PublicAccessBlockConfiguration: block = {}, OwnershipControls }) =>
                ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'].every(
                    (guard) => block[guard] === true,
                ) && OwnershipControls?.Rules[0].ObjectOwnership === 'BucketOwnerEnforced',
        ),

    'no role may do more than is named': (resources) => [
        ...breaking(
            resources,
            'AWS::IAM::Role',
            ({ ManagedPolicyArns, Policies }) => ManagedPolicyArns === undefined && Policies === undefined,
        ),
        ...breaking(resources, 'AWS::IAM::Policy', ({ PolicyDocument }) => PolicyDocument.Statement.every(isNarrow)),
    ],

    'every log has an end': (resources) => [
        ...breaking(resources, 'AWS::Logs::LogGroup', ({ RetentionInDays }) => RetentionInDays > 0),
        ...breaking(
            resources,
            'AWS::Lambda::Function',
            ({ LoggingConfig }) => textOf(LoggingConfig?.LogGroup ?? '').slice(1, -1) in resources,
        ),
    ],

    'every message that keeps failing waits for a person, for 14 days': (resources) => {
        const dead = new Map(ofType(resources, 'AWS::SQS::Queue').map(([, queue]) => [deadLettersOf(queue), queue]));
        return ofType(resources, 'AWS::SQS::Queue')
            .filter(([id, queue]) => {
                const deadLetters = resources[deadLettersOf(queue)];
                const isWhole =
                    deadLetters !== undefined &&
                    deadLetters.Properties.FifoQueue === queue.Properties.FifoQueue &&
                    queue.Properties.RedrivePolicy.maxReceiveCount >= 5;
                return queue.Properties.MessageRetentionPeriod !== 14 * 24 * 3600 || !(dead.has(id) || isWhole);
            })
            .map(([id]) => id);
    },

    'no FIFO queue drops a message for its content': (resources) =>
        breaking(
            resources,
            'AWS::SQS::Queue',
            ({ FifoQueue, ContentBasedDeduplication }) => !FifoQueue || ContentBasedDeduplication === false,
        ),

    'a message stays hidden for six times the function’s time, and only failed ones come back': (resources) =>
        ofType(resources, 'AWS::Lambda::EventSourceMapping')
            .filter(([, { Properties }]) => {
                const queue = resources[Properties.EventSourceArn['Fn::GetAtt'][0]];
                const lambda = resources[Properties.FunctionName.Ref];
                return (
                    queue?.Properties.VisibilityTimeout !== 6 * lambda?.Properties.Timeout ||
                    Properties.FunctionResponseTypes?.[0] !== 'ReportBatchItemFailures' ||
                    !(Properties.ScalingConfig?.MaximumConcurrency >= 2)
                );
            })
            .map(([id]) => id),

    'every alarm says what to type, in no more words than CloudWatch keeps': (resources) =>
        breaking(resources, 'AWS::CloudWatch::Alarm', ({ AlarmDescription }) => {
            const text = textOf(AlarmDescription ?? '');
            return /^[A-Z].{40,}\. To see more, type: flowlake --lake s3:\/\//.test(text) && text.length < 1000;
        }),

    'every queue and function has its alarm': (resources) => {
        const watched = ofType(resources, 'AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) =>
            listOf<any>(Properties.Dimensions).map(({ Value }) => textOf(Value)),
        );
        return [...ofType(resources, 'AWS::SQS::Queue'), ...ofType(resources, 'AWS::Lambda::Function')]
            .map(([id]) => id)
            .filter((id) => !watched.some((value) => value === `<${id}>` || value === `<${id}.QueueName>`));
    },

    'everything says which stage it belongs to': (resources) =>
        Object.entries(resources)
            .filter(([, { Type }]) => TAGGED.test(Type))
            .filter(([, { Properties }]) => !listOf<any>(Properties.Tags).some(({ Key }) => Key === 'flowlake:stage'))
            .map(([id]) => id),

    'nothing is deployed behind one’s back': (resources) =>
        Object.entries(resources)
            .filter(
                ([, { Type, Properties }]) =>
                    Type.startsWith('Custom::') || (Type === 'AWS::Lambda::Function' && Properties.Handler !== 'index.handler'),
            )
            .map(([id]) => id),
};

const TAGGED = /^AWS::(S3::Bucket|SQS::Queue|Lambda::Function|IAM::Role|Logs::LogGroup|Athena::WorkGroup|KMS::Key|SNS::Topic)$/;

function breaking(resources: Resources, type: string, isGood: (properties: any) => boolean): string[] {
    return ofType(resources, type)
        .filter(([, { Properties }]) => !isGood(Properties))
        .map(([id]) => id);
}

function refusesPlainHttp({ Effect, Condition, Principal }: any): boolean {
    return Effect === 'Deny' && Condition?.Bool?.['aws:SecureTransport'] === 'false' && (Principal === '*' || Principal.AWS === '*');
}

/** Whole actions by name, on resources by name or on what begins with a prefix of the bucket. */
function isNarrow({ Effect, Action, Resource: resource, Condition }: any): boolean {
    const isMetric = Action === 'cloudwatch:PutMetricData' && Condition?.StringEquals?.['cloudwatch:namespace'] !== undefined;
    return (
        Effect === 'Allow' &&
        listOf(Action).every((action) => !action.includes('*')) &&
        (isMetric || listOf(resource).every((one) => /^[^*]+$|^<lakebucket\w+\.Arn>\/\w+(\/\w+)*\/?\*$/.test(textOf(one))))
    );
}

function deadLettersOf({ Properties }: Resource): string {
    return Properties.RedrivePolicy?.deadLetterTargetArn['Fn::GetAtt'][0] ?? '';
}

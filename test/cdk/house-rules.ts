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
        ...breaking(resources, 'AWS::Kinesis::Stream', ({ StreamEncryption }) => StreamEncryption?.EncryptionType === 'KMS'),
        ...breaking(resources, 'AWS::DynamoDB::Table', ({ SSESpecification }) => SSESpecification?.SSEEnabled === true),
    ],

    'everything is spoken to by TLS only': (resources) =>
        Object.entries({
            Bucket: 'AWS::S3::Bucket',
            Queues: 'AWS::SQS::Queue',
            Topics: 'AWS::SNS::Topic',
            ResourceArn: 'AWS::Kinesis::Stream',
        }).flatMap(([target, type]) => {
            const guarded = Object.values(resources)
                .filter(({ Properties }) => (Properties.PolicyDocument ?? Properties.ResourcePolicy)?.Statement.some(refusesPlainHttp))
                .flatMap(({ Properties }) => listOf(Properties[target]).map(textOf));
            return ofType(resources, type)
                .map(([id]) => id)
                .filter((id) => !guarded.includes(`<${id}>`) && !guarded.includes(`<${id}.Arn>`));
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
            // A policy of the stack itself is one that this rule looks at.
            ({ ManagedPolicyArns = [], Policies }) =>
                Policies === undefined && ManagedPolicyArns.every((arn: any) => resources[arn.Ref]?.Type === 'AWS::IAM::ManagedPolicy'),
        ),
        ...['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
            breaking(resources, type, ({ PolicyDocument }) => PolicyDocument.Statement.every(isNarrow)),
        ),
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
        const taken = new Set(
            ofType(resources, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => sourceOf(resources, Properties)),
        );
        // The dead letters of queues, and those of streams: where what is given up waits, and no function takes it.
        const dead = new Set([
            ...ofType(resources, 'AWS::SQS::Queue').map(([, queue]) => deadLettersOf(queue)),
            ...ofType(resources, 'AWS::Lambda::EventSourceMapping')
                .map(([, { Properties }]) => givenUpTo(Properties))
                .filter((id) => !taken.has(resources[id])),
        ]);
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
            .filter(([, { Properties }]) => sourceOf(resources, Properties)?.Type === 'AWS::SQS::Queue')
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

    'every event source is a queue, a stream or a table of the stack': (resources) =>
        breaking(resources, 'AWS::Lambda::EventSourceMapping', (properties) =>
            /^AWS::(SQS::Queue|Kinesis::Stream|Kinesis::StreamConsumer|DynamoDB::Table)$/.test(sourceOf(resources, properties)?.Type ?? ''),
        ),

    'of a shard one batch is worked on at a time, and what is given up goes where it is brought back from': (resources) =>
        ofStreams(resources)
            .filter(([, { Properties }]) => {
                const { ParallelizationFactor, FunctionResponseTypes, MaximumRecordAgeInSeconds } = Properties;
                return (
                    ParallelizationFactor !== 1 ||
                    FunctionResponseTypes?.[0] !== 'ReportBatchItemFailures' ||
                    resources[givenUpTo(Properties)]?.Type !== 'AWS::SQS::Queue' ||
                    // Without an end a message that nobody can read holds up its shard until the stream drops it, and all behind it.
                    !(MaximumRecordAgeInSeconds > 0 && MaximumRecordAgeInSeconds < STREAM_KEEPS_SECONDS)
                );
            })
            .map(([id]) => id),

    'latest state reads by a consumer of its own': (resources) =>
        ofStreams(resources)
            .filter(
                ([, { Properties }]) =>
                    textOf(resources[Properties.FunctionName.Ref]?.Properties.FunctionName ?? '').endsWith('-latest') &&
                    sourceOf(resources, Properties)?.Type !== 'AWS::Kinesis::StreamConsumer',
            )
            .map(([id]) => id),

    'a rule of IoT Core is on, hands on every byte, and puts what it cannot hand on into a queue': (resources) =>
        breaking(resources, 'AWS::IoT::TopicRule', ({ TopicRulePayload: { Sql, RuleDisabled, ErrorAction, Actions } }) => {
            const queue = textOf(ErrorAction?.Sqs?.QueueUrl ?? '').slice(1, -1);
            return (
                RuleDisabled !== true &&
                /^SELECT encode\(\*, 'base64'\) AS data\b/.test(textOf(Sql)) &&
                Actions.length > 0 &&
                resources[queue]?.Type === 'AWS::SQS::Queue'
            );
        }),

    'periods that are held back are held back for longer than SQS drops repeats': (resources) =>
        breaking(
            resources,
            'AWS::SQS::Queue',
            ({ DelaySeconds, FifoQueue }) => DelaySeconds === undefined || (FifoQueue && DelaySeconds >= 360),
        ),

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

/** How long the streams keep a message. */
const STREAM_KEEPS_SECONDS = 7 * 24 * 3600;

const TAGGED =
    /^AWS::(S3::Bucket|SQS::Queue|Kinesis::Stream|DynamoDB::Table|Lambda::Function|IAM::Role|Logs::LogGroup|Athena::WorkGroup|KMS::Key|SNS::Topic)$/;

function breaking(resources: Resources, type: string, isGood: (properties: any) => boolean): string[] {
    return ofType(resources, type)
        .filter(([, { Properties }]) => !isGood(Properties))
        .map(([id]) => id);
}

function refusesPlainHttp({ Effect, Condition, Principal }: any): boolean {
    return Effect === 'Deny' && Condition?.Bool?.['aws:SecureTransport'] === 'false' && (Principal === '*' || Principal.AWS === '*');
}

/** Logical id of where an event source puts what it gives up; empty where it does not. */
function givenUpTo({ DestinationConfig }: any): string {
    return textOf(DestinationConfig?.OnFailure?.Destination ?? '').slice(1, -'.Arn>'.length);
}

/** What an event source reads from. */
function sourceOf(resources: Resources, { EventSourceArn }: any): Resource | undefined {
    return resources[EventSourceArn?.['Fn::GetAtt']?.[0] ?? EventSourceArn?.Ref ?? ''];
}

/** The event sources that read streams of messages. */
function ofStreams(resources: Resources): [string, Resource][] {
    return ofType(resources, 'AWS::Lambda::EventSourceMapping').filter(([, { Properties }]) =>
        sourceOf(resources, Properties)?.Type.startsWith('AWS::Kinesis::'),
    );
}

/** Actions that IAM holds to no resource, and that tell or change no data. */
const NAMELESS: ReadonlySet<string> = new Set(['lambda:ListEventSourceMappings']);

/** What a right may end at. */
const NARROW = [
    // One thing by its whole name.
    /^[^*]+$/,
    // Objects below a prefix of the lake.
    /^<lakebucket\w+\.Arn>\/[\w=-]+(\/[\w=-]+)*\/?\*$/,
    // The wide tables, and the logs of Glue's crawlers, which Glue names.
    /^arn:[^*]+:table\/flowlake_\w+\/wide_\*$|^arn:[^*]+:log-group:\/aws-glue\/crawlers\*$/,
    // Connections of one stage of a WebSocket API.
    /^arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<\w+>\/\w+\/(?:POST|DELETE)\/@connections\/\*$/,
];

/** Whole actions by name, on resources by name or on what begins so. */
function isNarrow({ Effect, Action, Resource: resource, Condition }: any): boolean {
    const isMetric = Action === 'cloudwatch:PutMetricData' && Condition?.StringEquals?.['cloudwatch:namespace'] !== undefined;
    const isNameless = listOf<string>(Action).every((action) => NAMELESS.has(action));
    return (
        Effect === 'Allow' &&
        listOf(Action).every((action) => !action.includes('*')) &&
        (isMetric || isNameless || listOf(resource).every((one) => NARROW.some((form) => form.test(textOf(one)))))
    );
}

function deadLettersOf({ Properties }: Resource): string {
    return Properties.RedrivePolicy?.deadLetterTargetArn['Fn::GetAtt'][0] ?? '';
}

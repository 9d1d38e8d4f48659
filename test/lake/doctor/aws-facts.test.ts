/** The real SDK against a server with AWS's own words: what is missing, and what may not be looked at, must never be one answer. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { DEPLOYMENT_TAGS } from '#lake/deployment';
import { gatherAwsFacts } from '#lake/doctor/aws-facts';
import { judgeDeployment } from '#lake/doctor/aws-findings';
import type { Finding } from '#lake/doctor/finding';
import { kinds } from '#lake/kinds';

/** Status and body; XML from S3 and STS, JSON from the others. */
type Reply = [status: number, body: string];

const IDENTITY: Reply = [
    200,
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/ada</Arn><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
];
const TAGS: Reply = [
    200,
    `<Tagging><TagSet>${Object.values(DEPLOYMENT_TAGS)
        .map((tag) => `<Tag><Key>${tag}</Key><Value>lake</Value></Tag>`)
        .join('')}</TagSet></Tagging>`,
];

function xmlError(status: number, code: string): Reply {
    return [status, `<Error><Code>${code}</Code><Message>as AWS says it</Message></Error>`];
}

function jsonError(type: string, message: string): Reply {
    return [400, JSON.stringify({ __type: type, message })];
}

/** An error of a service that takes forms. */
function queryError(status: number, code: string, message: string): Reply {
    return [status, `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`];
}

/** Answers of the services to someone who may read the tags and nothing else. */
const DENIED: Record<string, Reply> = {
    s3: xmlError(403, 'AccessDenied'),
    AmazonSQS: jsonError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist or you do not have access to it.'),
    AmazonAthena: jsonError('AccessDeniedException', 'User is not authorized to perform: athena:GetWorkGroup'),
    CloudFormation: queryError(403, 'AccessDenied', 'User is not authorized to perform: cloudformation:ListStackResources'),
    AWSGlue: jsonError('AccessDeniedException', 'User is not authorized to perform: glue:GetTables'),
};

/** Answers where there is nothing. */
const MISSING: Record<string, Reply> = {
    '?policy': xmlError(404, 'NoSuchBucketPolicy'),
    '?encryption': xmlError(404, 'ServerSideEncryptionConfigurationNotFoundError'),
    '?publicAccessBlock': xmlError(404, 'NoSuchPublicAccessBlockConfiguration'),
    '?versioning': [200, '<VersioningConfiguration/>'],
    '?notification': [200, '<NotificationConfiguration/>'],
    s3: [200, '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'],
    AmazonSQS: jsonError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.'),
    AmazonAthena: jsonError('InvalidRequestException', 'WorkGroup lake is not found.'),
    CloudFormation: queryError(400, 'ValidationError', 'Stack with id flowlake-lake does not exist'),
    AWSGlue: jsonError('EntityNotFoundException', 'Database lake not found.'),
};

let server: Server;
let replies: Record<string, Reply>;
/** Status of the bucket, asked in its region; elsewhere S3 says where it is. */
let headStatus: number;
/** Regions that the services were asked in. */
let regions: Set<string | undefined>;

beforeAll(async () => {
    server = createServer(async (request, answer) => {
        const body = await text(request);
        const region = /\/\d{8}\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
        regions.add(region);
        const form = body.includes('Action=ListStackResources') ? 'CloudFormation' : 'STS';
        const service = String(request.headers['x-amz-target'] ?? '').split(/[._]/)[0];
        const path = Object.keys(replies).find((name) => name.startsWith('/') && request.url?.includes(name));
        const query = Object.keys(replies).find((name) => name.startsWith('?') && request.url?.includes(name));
        const [status, reply] = request.url?.includes('?tagging')
            ? TAGS
            : (replies[path ?? query ?? (service || (request.method === 'POST' ? form : 's3'))] ?? IDENTITY);
        answer.writeHead(request.method === 'HEAD' ? (region === 'eu-west-1' ? headStatus : 301) : status, {
            'x-amz-bucket-region': 'eu-west-1',
        });
        answer.end(request.method === 'HEAD' ? '' : reply);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' });
});

afterAll(() => {
    server.closeAllConnections();
    server.close();
});

async function findings(answers: Record<string, Reply>, { head = 200 } = {}): Promise<Finding[]> {
    replies = answers;
    headStatus = head;
    regions = new Set();
    const { port } = server.address() as AddressInfo;
    const facts = await gatherAwsFacts({ bucket: 'lake', environment: { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` } });
    return judgeDeployment(facts, { now: new Date('2026-03-31T12:00:00Z') });
}

function checksOf(all: Finding[], result: Finding['result']): string[] {
    return all.filter((finding) => finding.result === result).map(({ check }) => check);
}

const SET_UP = ['bucket versioning', 'bucket encryption', 'bucket TLS', 'bucket public access', 'upload events'];
const PARTS = [
    'summarize queue',
    'summarize dead letters',
    'consolidate queue',
    'consolidate dead letters',
    'stack',
    'consolidate-days job',
    'export-features job',
    'workgroup',
    'database',
];

test('what may not be looked at is told as that, each with the right that is missing', async () => {
    const all = await findings(DENIED);
    expect(checksOf(all, 'problem')).toEqual([]);
    expect(checksOf(all, 'ok')).toEqual(['credentials', 'bucket', 'bucket tags']);
    expect(checksOf(all, 'could not check')).toEqual([
        ...SET_UP,
        ...PARTS,
        'sources',
        'figures',
        ...kinds.flatMap(({ merged, derived = [] }, at) => [
            at === 0 ? 'stray files' : `stray files of ${merged.name}`,
            ...derived.map(({ table }) => `stray files of ${table.name}`),
        ]),
        'clock',
    ]);
    for (const { todo } of all.filter(({ result }) => result === 'could not check')) {
        expect(todo).toMatch(/may not do that|no right/);
    }
});

test('what is missing is told as that', async () => {
    const all = await findings(MISSING);
    expect(checksOf(all, 'could not check')).toEqual([]);
    expect(checksOf(all, 'problem')).toEqual([...SET_UP.filter((check) => check !== 'bucket encryption'), ...PARTS]);
    expect(all.find(({ check }) => check === 'database')?.found).toBe('there is no Glue database lake');
});

test('everything of a lake is looked for in the region of its bucket', async () => {
    const all = await findings(MISSING);
    expect(all).toContainEqual(expect.objectContaining({ check: 'region', result: 'warning', todo: expect.stringContaining('eu-west-1') }));
    expect(regions).toEqual(new Set(['us-east-1', 'eu-west-1']));
});

test('a bucket that is not there is a problem, one of somebody else is not known', async () => {
    expect((await findings(MISSING, { head: 404 })).at(-1)).toMatchObject({ check: 'bucket', result: 'problem' });
    expect((await findings(MISSING, { head: 403 })).at(-1)).toMatchObject({ check: 'bucket', result: 'could not check' });
});

describe('what the stack has made', () => {
    const LISTED: [type: string, name: string][] = [
        ['AWS::Lambda::Function', 'flowlake-lake-summarize'],
        ['AWS::Lambda::Function', 'flowlake-lake-chain'],
        ['AWS::Lambda::EventSourceMapping', 'uuid-1'],
        ['AWS::Kinesis::Stream', 'flowlake-lake-telemetry'],
        ['AWS::DynamoDB::Table', 'flowlake-lake-state'],
        ['AWS::IoT::TopicRule', 'flowlake_lake'],
        ['AWS::SQS::Queue', 'https://sqs/flowlake-lake-summarize'],
    ];
    const stack = (listed = LISTED): Reply => [
        200,
        `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${listed
            .map(
                ([type, name]) =>
                    `<member><LogicalResourceId>x</LogicalResourceId><ResourceType>${type}</ResourceType><PhysicalResourceId>${name}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>`,
            )
            .join('')}</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`,
    ];
    const gone: Reply = [404, JSON.stringify({ __type: 'ResourceNotFoundException', message: 'Function not found' })];
    const WELL: Record<string, Reply> = {
        ...MISSING,
        CloudFormation: stack(),
        '/functions/flowlake-lake': [200, JSON.stringify({ Configuration: { State: 'Active', LastUpdateStatus: 'Successful' } })],
        '/event-source-mappings/uuid-1': [
            200,
            JSON.stringify({
                FunctionArn: 'arn:aws:lambda:eu-west-1:1:function:flowlake-lake-chain',
                EventSourceArn: 'arn:aws:kinesis:eu-west-1:1:stream/flowlake-lake-telemetry',
                State: 'Enabled',
                LastProcessingResult: 'OK',
                ParallelizationFactor: 1,
                FunctionResponseTypes: ['ReportBatchItemFailures'],
                DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:eu-west-1:1:flowlake-lake-given-up' } },
            }),
        ],
        Kinesis: [
            200,
            JSON.stringify({
                StreamDescriptionSummary: { StreamStatus: 'ACTIVE', RetentionPeriodHours: 168, EncryptionType: 'KMS', OpenShardCount: 4 },
            }),
        ],
        DynamoDB: [
            200,
            JSON.stringify({
                Table: { TableStatus: 'ACTIVE' },
                ContinuousBackupsDescription: {
                    ContinuousBackupsStatus: 'ENABLED',
                    PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' },
                },
            }),
        ],
        '/rules/flowlake_lake': [200, JSON.stringify({ rule: { ruleDisabled: false, errorAction: { sqs: {} } } })],
        '/rules': [200, JSON.stringify({ rules: [{ ruleName: 'flowlake_lake' }] })],
    };
    const SORTS = ['functions', 'event sources', 'streams', 'tables', 'rules'];
    const ofSorts = (all: Finding[]): [string, string, string][] =>
        all.filter(({ check }) => [...SORTS, 'stack'].includes(check)).map(({ check, result, found }) => [check, result, found]);

    test('is looked at one by one, and well', async () => {
        expect(ofSorts(await findings(WELL))).toEqual([
            ['functions', 'ok', '2, all at work'],
            ['event sources', 'ok', '1, all at work'],
            ['streams', 'ok', '1, all at work'],
            ['tables', 'ok', '1, all at work'],
            ['rules', 'ok', '1, all at work'],
        ]);
    });

    test('is missed where somebody has deleted it', async () => {
        const all = await findings({
            ...WELL,
            '/functions/flowlake-lake': gone,
            '/event-source-mappings/uuid-1': gone,
            Kinesis: jsonError('ResourceNotFoundException', 'Stream not found'),
            DynamoDB: jsonError('ResourceNotFoundException', 'Requested resource not found'),
            '/rules': [200, JSON.stringify({ rules: [] })],
        });
        expect(ofSorts(all).map(([check, result]) => [check, result])).toEqual([
            ['functions', 'problem'],
            ['functions', 'problem'],
            ...SORTS.slice(1).map((check) => [check, 'problem']),
        ]);
        expect(ofSorts(all)[0]?.[2]).toBe('flowlake-lake-summarize is gone: what it does is not done');
    });

    test('is not taken for missing where it may not be looked at', async () => {
        const denied: Reply = [403, JSON.stringify({ message: 'User is not authorized', __type: 'AccessDeniedException' })];
        const all = await findings({
            ...WELL,
            '/functions/flowlake-lake': denied,
            '/event-source-mappings/uuid-1': denied,
            Kinesis: jsonError('AccessDeniedException', 'no'),
            DynamoDB: jsonError('AccessDeniedException', 'no'),
            '/rules': denied,
        });
        expect(ofSorts(all).map(([, result]) => result)).toEqual(Array.from({ length: 6 }, () => 'could not check'));
    });

    test('is more than nothing', async () => {
        expect(ofSorts(await findings({ ...WELL, CloudFormation: stack([]) }))).toEqual([
            ['functions', 'problem', 'stack flowlake-lake has none: nothing is read'],
        ]);
    });
});

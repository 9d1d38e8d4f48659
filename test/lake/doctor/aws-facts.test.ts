/** The real SDK against a server with AWS's own words: what is missing, and what may not be looked at, must never be one answer. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** Answers of the services to someone who may read the tags and nothing else. */
const DENIED: Record<string, Reply> = {
    s3: xmlError(403, 'AccessDenied'),
    AmazonSQS: jsonError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist or you do not have access to it.'),
    AmazonAthena: jsonError('AccessDeniedException', 'User is not authorized to perform: athena:GetWorkGroup'),
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
    AWSGlue: jsonError('EntityNotFoundException', 'Database lake not found.'),
};

let server: Server;
let replies: Record<string, Reply>;
/** Status of the bucket, asked in its region; elsewhere S3 says where it is. */
let headStatus: number;
/** Regions that the services were asked in. */
let regions: Set<string | undefined>;

beforeAll(async () => {
    server = createServer((request, answer) => {
        const region = /\/\d{8}\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
        regions.add(region);
        const service = String(request.headers['x-amz-target'] ?? '').split(/[._]/)[0];
        const query = Object.keys(replies).find((name) => name.startsWith('?') && request.url?.includes(name));
        const [status, body] = request.url?.includes('?tagging')
            ? TAGS
            : (replies[query ?? (service || (request.method === 'POST' ? 'STS' : 's3'))] ?? IDENTITY);
        request.resume();
        answer.writeHead(request.method === 'HEAD' ? (region === 'eu-west-1' ? headStatus : 301) : status, {
            'x-amz-bucket-region': 'eu-west-1',
        });
        answer.end(request.method === 'HEAD' ? '' : body);
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

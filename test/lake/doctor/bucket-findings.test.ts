import type { BucketFacts } from '#lake/doctor/bucket-facts';
import { judgeBucket, judgeNotifications, judgePlace, judgeTags } from '#lake/doctor/bucket-findings';
import type { Answer } from '#lake/doctor/finding';
import { judgeIdentity, judgeRegion } from '#lake/doctor/identity-findings';
import { parsePolicy } from '#lake/doctor/policy';

const DENIED = { kind: 'unreadable', code: 'AccessDenied', why: 'cannot look: your AWS identity may not do that' } as const;
const MISSING = { kind: 'missing' } as const;

function found<T>(value: T): Answer<T> {
    return { kind: 'found', value };
}

const TLS_ONLY = JSON.stringify({
    Statement: [
        { Effect: 'Allow', Principal: { Service: 'logging.s3.amazonaws.com' }, Action: 's3:PutObject', Resource: 'arn:aws:s3:::lake/*' },
        {
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Action: 's3:*',
            Resource: ['arn:aws:s3:::lake', 'arn:aws:s3:::lake/*'],
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
    ],
});

const WELL: BucketFacts = {
    versioning: found('Enabled'),
    encryption: found('aws:kms'),
    policy: found(parsePolicy(TLS_ONLY)),
    publicAccessBlock: found({ BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true }),
    notifications: found([{ queueArn: 'arn:aws:sqs:us-east-1:1:summarize', events: ['s3:ObjectCreated:*'], prefix: 'raw/', suffix: '' }]),
    tags: found(new Map()),
};

function resultsOf(change: Partial<BucketFacts>): Record<string, string> {
    return Object.fromEntries(
        judgeBucket('lake', { ...WELL, ...change }, { redeploy: 'deploy' }).map(({ check, result }) => [check, result]),
    );
}

const ALL_OK = { 'bucket versioning': 'ok', 'bucket encryption': 'ok', 'bucket TLS': 'ok', 'bucket public access': 'ok' };

describe('the bucket', () => {
    test('is well as deployed', () => {
        expect(resultsOf({})).toEqual(ALL_OK);
    });

    test.each<[string, Partial<BucketFacts>, string, string]>([
        ['suspended versions', { versioning: found('Suspended') }, 'bucket versioning', 'problem'],
        ['versions that never were on', { versioning: found('') }, 'bucket versioning', 'problem'],
        ['no encryption set', { encryption: MISSING }, 'bucket encryption', 'warning'],
        ['no policy', { policy: MISSING }, 'bucket TLS', 'problem'],
        [
            'a policy that lets plain HTTP in',
            { policy: found(parsePolicy(TLS_ONLY.replace('"false"', '"true"'))) },
            'bucket TLS',
            'problem',
        ],
        [
            'a policy for another bucket',
            { policy: found(parsePolicy(TLS_ONLY.replaceAll(':::lake', ':::other'))) },
            'bucket TLS',
            'problem',
        ],
        ['a policy that allows', { policy: found(parsePolicy(TLS_ONLY.replace('Deny', 'Allow'))) }, 'bucket TLS', 'problem'],
        [
            'a policy about one principal',
            { policy: found(parsePolicy(TLS_ONLY.replace('"*"}', '"arn:aws:iam::1:root"}'))) },
            'bucket TLS',
            'problem',
        ],
        ['no block of public access', { publicAccessBlock: MISSING }, 'bucket public access', 'problem'],
    ])('%s: told', (_, change, check, result) => {
        expect(resultsOf(change)).toEqual({ ...ALL_OK, [check]: result });
    });

    test('a block that is half set names what is not', () => {
        const blocks = { BlockPublicAcls: true, IgnorePublicAcls: false, BlockPublicPolicy: true, RestrictPublicBuckets: false };
        expect(judgeBucket('lake', { ...WELL, publicAccessBlock: found(blocks) }, { redeploy: 'deploy' })).toContainEqual(
            expect.objectContaining({ result: 'problem', found: 'not set: IgnorePublicAcls, RestrictPublicBuckets' }),
        );
    });

    test('what may not be looked at is neither missing nor well', () => {
        const all = { versioning: DENIED, encryption: DENIED, policy: DENIED, publicAccessBlock: DENIED };
        for (const finding of judgeBucket('lake', { ...WELL, ...all }, { redeploy: 'deploy' })) {
            expect(finding).toMatchObject({ result: 'could not check', found: 'not known (AccessDenied)', todo: DENIED.why });
        }
        expect(judgePlace('lake', DENIED)).toMatchObject([{ result: 'could not check' }]);
        expect(judgePlace('lake', MISSING)).toMatchObject([{ result: 'problem', found: 'there is no bucket lake' }]);
    });
});

describe('events of uploads', () => {
    const own = { queueArn: 'arn:aws:sqs:us-east-1:1:summarize', events: ['s3:ObjectCreated:*'], prefix: 'raw/', suffix: '' };

    const ofProfiles = { ...own, prefix: 'profiles/' };

    test.each([
        ['every upload', [own, ofProfiles], 'ok'],
        ['everything in the bucket', [{ ...own, prefix: '' }], 'ok'],
        ['another queue', [{ ...own, queueArn: 'arn:aws:sqs:us-east-1:1:other' }], 'problem'],
        ['nobody', [], 'problem'],
        ['small files only', [{ ...own, events: ['s3:ObjectCreated:Put'] }, ofProfiles], 'problem'],
        ['one site only', [{ ...own, prefix: 'raw/site=berlin/' }], 'problem'],
        ['.csv only, of .csv.gz and others none', [{ ...own, suffix: '.csv' }], 'problem'],
    ])('to the queue of %s', (_, notifications, result) => {
        expect(judgeNotifications(found(notifications), { queue: 'summarize', redeploy: 'deploy' })).toMatchObject([
            { check: 'upload events', result },
        ]);
    });

    test('of profiles may be missing: what was read by an older one then waits for a person', () => {
        for (const notifications of [[own], [own, { ...ofProfiles, prefix: 'profiles/basic' }], [own, { ...ofProfiles, suffix: '.xml' }]]) {
            expect(judgeNotifications(found(notifications), { queue: 'summarize', redeploy: 'deploy' })).toMatchObject([
                { result: 'ok' },
                { result: 'warning', found: 'queue summarize is not told of profiles/*' },
            ]);
        }
    });

    test('cannot be judged where the tags do not name the queue', () => {
        expect(judgeNotifications(found([own]), { queue: undefined, redeploy: 'deploy' })).toMatchObject([{ result: 'could not check' }]);
    });
});

describe('tags', () => {
    test('that are missing are named', () => {
        expect(judgeTags('lake', found(new Map([['flowlake:stage', 'dev']])))[0]).toMatchObject({
            result: 'problem',
            found: expect.stringContaining('flowlake:database, flowlake:workgroup, flowlake:summarize-queue'),
        });
        expect(judgeTags('lake', MISSING)).toMatchObject([{ result: 'problem', found: expect.stringContaining('it is no lake') }]);
        expect(judgeTags('lake', DENIED)).toMatchObject([{ result: 'could not check' }]);
    });
});

describe('who asks, and where', () => {
    test('credentials that AWS does not take are a problem, a network that is down is none of theirs', () => {
        expect(judgeIdentity({ kind: 'unreadable', code: 'ExpiredToken', why: 'log in again' })).toMatchObject([
            { result: 'problem', todo: 'log in again' },
        ]);
        expect(judgeIdentity({ kind: 'unreadable', code: 'ECONNREFUSED', why: 'x' })).toMatchObject([{ result: 'could not check' }]);
        expect(judgeIdentity(found({ account: '1', arn: 'arn:aws:iam::1:user/ada' }))).toMatchObject([{ result: 'ok' }]);
    });

    test('a region that is not the bucket’s is a warning, none at all a problem', () => {
        expect(judgeRegion({ own: found('us-east-1'), bucket: found('us-east-1') })).toMatchObject([{ result: 'ok' }]);
        expect(judgeRegion({ own: found('us-east-1'), bucket: found('eu-west-1') })).toMatchObject([
            { result: 'warning', todo: expect.stringContaining('AWS_REGION=eu-west-1') },
        ]);
        expect(judgeRegion({ own: DENIED, bucket: MISSING })).toMatchObject([{ result: 'problem' }]);
        expect(judgeRegion({ own: found('us-east-1'), bucket: MISSING })).toMatchObject([{ result: 'could not check' }]);
    });
});

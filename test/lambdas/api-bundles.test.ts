/** The functions of the API as Lambda loads them: each bundle in a process of its own, with nothing installed beside it. */
import { spawnSync } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { bundleLambda } from '#cdk/bundle-lambda';
import { makeFolder } from '#test/support/temporary';

const ENVIRONMENT = {
    LAKE_BUCKET: 'lake',
    STREAM: 'stream',
    STATE_TABLE: 'state',
    SOCKET_TABLE: 'sockets',
    // Nothing listens there: whatever a test makes the handler call, it calls nobody.
    SOCKET_ENDPOINT: 'http://127.0.0.1:1',
    DATABASE: 'lake',
    WORKGROUP: 'lake',
    READERS_ISSUER: 'https://readers.example.com',
    READERS_AUDIENCE: 'lake',
    POWERTOOLS_SERVICE_NAME: 'flowlake-test',
    POWERTOOLS_METRICS_NAMESPACE: 'flowlake',
    STAGE: 'test',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
};

const INVOKE = `
const { handler } = await import('./index.mjs').catch(({ message }) => {
    console.log(message);
    process.exit(1);
});
const context = { getRemainingTimeInMillis: () => 300000, awsRequestId: 'r1', functionName: 'f' };
const answer = await handler(JSON.parse(process.argv[1]), context).catch(({ name, message }) => ({ thrown: name + ': ' + message }));
console.log(JSON.stringify(answer ?? null));
process.exit();
`;

const http = (method: string, rawPath: string, more: object = {}) => ({
    version: '2.0',
    rawPath,
    rawQueryString: '',
    headers: { authorization: 'Bearer nobodys' },
    isBase64Encoded: false,
    requestContext: { domainName: 'api.example.com', http: { method }, ...more },
});

describe.each([
    ['authorize', http('POST', '/v1/telemetry'), { isAuthorized: true, context: { is: 'nobody' } }],
    [
        'intake',
        http('POST', '/v1/telemetry', { authorizer: { lambda: { is: 'nobody' } } }),
        { statusCode: 401, body: expect.stringContaining('wrong_token') },
    ],
    ['intake', http('POST', '/v1/telemetry'), { thrown: expect.stringContaining('without the authorizer') }],
    ['api', http('GET', '/v1/fleet'), { thrown: expect.stringContaining('StorageError: cannot read from table sockets') }],
    ['push', { requestContext: { connectionId: 'c', eventType: 'MESSAGE' }, body: 'nonsense' }, { statusCode: 200 }],
] as const)('the bundle of %s', (job, event, answer) => {
    let folder: string;
    let bundle: ReturnType<typeof bundleLambda>;

    beforeAll(async () => {
        bundle = bundleLambda(job);
        folder = await makeFolder();
        await cp(bundle.folder, folder, { recursive: true });
    });

    const invoke = (environment: Partial<typeof ENVIRONMENT>) =>
        spawnSync(process.execPath, ['--input-type=module', '-e', INVOKE, JSON.stringify(event)], {
            cwd: folder,
            env: environment,
            encoding: 'utf8',
        });

    test('is under 1 MiB, and the same for the same sources', () => {
        expect(bundle.sizeBytes).toBeLessThan(1 << 20);
        expect(bundleLambda(job)).toEqual(bundle);
    });

    test('answers as far as it can by itself', () => {
        const { stdout } = invoke(ENVIRONMENT);
        expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject(answer);
    });

    test('says which setting is missing', () => {
        const { LAKE_BUCKET: _, ...without } = ENVIRONMENT;
        const { status, stdout } = invoke(without);
        expect({ status, stdout }).toEqual({
            status: 1,
            stdout: expect.stringContaining('the function has no environment variable LAKE_BUCKET'),
        });
    });
});

/** The functions that write the chain, as Lambda loads them: in a process of its own, with nothing installed beside the bundle. */
import { spawnSync } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { bundleLambda } from '#cdk/bundle-lambda';
import { makeFolder } from '#test/support/temporary';
import { kinesisRecord, sqsRecord } from './surroundings.ts';

const ENVIRONMENT = {
    LAKE_BUCKET: 'lake',
    STREAM: 'telemetry',
    DATASETS_TABLE: 'datasets',
    GIVEN_UP_QUEUE: 'given-up',
    CHAIN_FUNCTION: 'chain',
    POWERTOOLS_SERVICE_NAME: 'flowlake-test',
    POWERTOOLS_METRICS_NAMESPACE: 'flowlake',
    STAGE: 'test',
    AWS_LAMBDA_FUNCTION_NAME: 'chain',
    AWS_REGION: 'us-east-1',
    // Nothing listens there: whatever a test makes the handler call, it calls nobody.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
};

/** Loads the handler and gives it one event, as Lambda does; prints the answer, or the error's message, last. */
const INVOKE = `
const event = { Records: JSON.parse(process.argv[1]) };
const context = { getRemainingTimeInMillis: () => 300000, awsRequestId: 'r1', functionName: 'f' };
import('./index.mjs')
    .then(({ handler }) => handler(event, context))
    .then((answer) => console.log(JSON.stringify(answer)), ({ message }) => console.log(message));
`;

describe.each([
    { job: 'chain', event: [kinesisRecord()], answer: /cannot look at stream telemetry: nothing answers there/ },
    {
        job: 'given-up',
        event: [sqsRecord({ id: 'm1', body: 'no JSON' })],
        answer: /^\{"batchItemFailures":\[\{"itemIdentifier":"m1"\}\]\}$/,
    },
] as const)('the bundle of $job', ({ job, event, answer }) => {
    let folder: string;
    let bundle: ReturnType<typeof bundleLambda>;

    beforeAll(async () => {
        bundle = bundleLambda(job);
        folder = await makeFolder();
        await copyFile(join(bundle.folder, 'index.mjs'), join(folder, 'index.mjs'));
    });

    function invoke(environment: Partial<typeof ENVIRONMENT>): string {
        const options = { cwd: folder, env: environment, encoding: 'utf8' } as const;
        const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', INVOKE, JSON.stringify(event)], options);
        return stdout.trimEnd().split('\n').at(-1) ?? '';
    }

    test('is one file under 1 MiB', () => {
        expect(bundle.sizeBytes).toBeLessThan(1 << 20);
    });

    test('starts, and does what its event asks for', () => {
        expect(invoke(ENVIRONMENT)).toMatch(answer);
    }, 60_000);

    test.each(['LAKE_BUCKET', 'STREAM', 'DATASETS_TABLE'] as const)('does not start without %s', (variable) => {
        const { [variable]: _, ...environment } = ENVIRONMENT;
        expect(invoke(environment)).toBe(
            `the function has no environment variable ${variable}: deploy it with npx cdk deploy, which sets it`,
        );
    });
});

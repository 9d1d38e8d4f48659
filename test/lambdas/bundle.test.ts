/** What is deployed: each bundle as Lambda loads it, in a process of its own, with nothing installed beside it. */
import { spawnSync } from 'node:child_process';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { bundleLambda } from '#cdk/bundle-lambda';
import { makeFolder } from '#test/support/temporary';
import { sqsRecord } from './surroundings.ts';

const ENVIRONMENT = {
    LAKE_BUCKET: 'lake',
    SUMMARIZE_QUEUE: 'summarize',
    CONSOLIDATE_QUEUE: 'consolidate.fifo',
    POWERTOOLS_SERVICE_NAME: 'flowlake-test',
    POWERTOOLS_METRICS_NAMESPACE: 'flowlake',
    STAGE: 'test',
    AWS_REGION: 'us-east-1',
    // Nothing listens there: whatever a test makes the handler call, it calls nobody.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
};

/** Loads the handler and gives it one event, as Lambda does; prints the answer last. (Node would show the whole bundle beside an error.) */
const INVOKE = `
const { handler } = await import('./index.mjs').catch(({ message }) => {
    console.log(message);
    process.exit(1);
});
const event = { Records: JSON.parse(process.argv[1]) };
const answer = await handler(event, { getRemainingTimeInMillis: () => 300000, awsRequestId: 'r1', functionName: 'f' });
console.log(JSON.stringify(answer));
`;

/** 1 MiB; who summarizes has the client of the table with the index of chain objects beside all readers. */
const MOST_BYTES = { summarize: (1 << 20) + 40_000, consolidate: 1 << 20 };

describe.each(['summarize', 'consolidate'] as const)('the bundle of %s', (job) => {
    let folder: string;
    let bundle: ReturnType<typeof bundleLambda>;

    beforeAll(async () => {
        bundle = bundleLambda(job);
        folder = await makeFolder();
        await copyFile(join(bundle.folder, 'index.mjs'), join(folder, 'index.mjs'));
    });

    function invoke(environment: Partial<typeof ENVIRONMENT> = ENVIRONMENT, bodies: string[] = []) {
        const records = bodies.map((body, at) => sqsRecord({ id: `m${at}`, body }));
        return spawnSync(process.execPath, ['--input-type=module', '-e', INVOKE, JSON.stringify(records)], {
            cwd: folder,
            env: environment,
            encoding: 'utf8',
        });
    }

    test('is one file of some 1 MiB at most', async () => {
        expect(await readdir(bundle.folder)).toEqual(['index.mjs']);
        expect(bundle.sizeBytes).toBeLessThan(MOST_BYTES[job]);
    });

    test('is the same for the same sources', async () => {
        expect(bundleLambda(job)).toEqual(bundle);
    });

    test('answers a batch, and leaves its metrics with namespace, service and stage', () => {
        const { stdout, stderr } = invoke();
        const lines = stdout.trim().split('\n');
        expect([stderr, lines.at(-1)]).toEqual(['', '{"batchItemFailures":[]}']);
        const metrics = JSON.parse(lines[0]!);
        expect(metrics).toMatchObject({ service: 'flowlake-test', stage: 'test', Conflicts: 0 });
        expect(metrics._aws.CloudWatchMetrics).toMatchObject([{ Namespace: 'flowlake', Dimensions: [['service', 'stage']] }]);
    });

    test('fails the message that it cannot use, though SQS does not answer, and logs it as one line with the request', () => {
        const { stdout, stderr } = invoke(ENVIRONMENT, ['{"Event":']);
        expect(stdout.trim().split('\n').at(-1)).toBe('{"batchItemFailures":[{"itemIdentifier":"m0"}]}');
        const lines = stderr
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line));
        expect(lines.map(({ message }) => message)).toEqual([
            'cannot use the message',
            expect.stringContaining('could not say when the message comes back'),
        ]);
        expect(lines[0]).toMatchObject({ level: 'ERROR', messageId: 'm0', service: 'flowlake-test', function_request_id: 'r1' });
    });

    const needed = ['LAKE_BUCKET', 'CONSOLIDATE_QUEUE', 'POWERTOOLS_SERVICE_NAME', 'POWERTOOLS_METRICS_NAMESPACE', 'STAGE'];
    test.each(job === 'summarize' ? [...needed, 'SUMMARIZE_QUEUE'] : needed)('does not start without %s, and names it', (name) => {
        const { status, stdout } = invoke({ ...ENVIRONMENT, [name]: '' });
        expect([status, stdout]).toEqual([1, expect.stringContaining(`no environment variable ${name}:`)]);
    });
});

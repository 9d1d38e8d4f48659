/** The policies of docs/security.md are enough for the commands that it names, with every call held to them. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEPLOYMENT_TAGS } from '#lake/deployment';
import { type Policy, type RightsProxy, startRightsProxy } from '#test/support/rights-proxy';
import { type S3Server, startS3Server } from '#test/support/s3-server';
import { smallFile } from '#test/support/small-files';
import { type SqsServer, startSqsServer } from '#test/support/sqs-server';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

/** The bucket and the beginning of the queues' names that the policies name. */
const BUCKET = 'flowlake-prod-111122223333-eu-central-1';

const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');

/** The policy behind `**<people>**`; of any queue, for those here have names of their own. */
function policyOf(people: string): Policy {
    const [, json = ''] = /```json\n(.*?)```/s.exec(page.slice(page.indexOf(`**${people}**`))) ?? [];
    return JSON.parse(json.replaceAll(':flowlake-prod-*"', ':*"'));
}

let s3: S3Server;
let sqs: SqsServer;
const proxies: RightsProxy[] = [];

beforeAll(async () => {
    s3 = await startS3Server();
    sqs = await startSqsServer();
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    const queues = ['summarizeQueue', 'summarizeDeadLetters', 'consolidateQueue', 'consolidateDeadLetters'] as const;
    s3.makeBucket(BUCKET, {
        [DEPLOYMENT_TAGS.stage]: 'prod',
        ...Object.fromEntries(queues.map((queue) => [DEPLOYMENT_TAGS[queue], sqs.makeQueue({ isFifo: queue.startsWith('consolidate') })])),
    });
    const folder = await makeFolder();
    const flows = [{ src: '10.0.0.1', dst: '10.0.0.2', date: '01/02/2026', durationUs: 1, packets: 1 }];
    await writeFile(join(folder, 'a.csv'), smallFile(flows, { rejects: 1 }).text);
    const all = { AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_ENDPOINT_URL_SQS: sqs.endpoint, XDG_CACHE_HOME: folder, HOME: folder };
    expect((await run(all, 'upload', join(folder, 'a.csv'), '--no-wait')).exitCode).toBe(0);
    expect((await run(all, 'reconcile', '--here')).exitCode).toBe(0);
});

afterAll(async () => {
    for (const one of [...proxies, s3, sqs]) {
        await one.stop();
    }
});

function run(environment: Record<string, string>, ...words: string[]) {
    return runLine(['--lake', `s3://${BUCKET}`, ...words], { world: fakeWorld({ environment, now: () => new Date() }) });
}

async function as(policy: Policy) {
    const proxy = await startRightsProxy(policy, { s3: s3.endpoint, sqs: sqs.endpoint });
    proxies.push(proxy);
    const environment = { AWS_ENDPOINT_URL_S3: proxy.s3, AWS_ENDPOINT_URL_SQS: proxy.sqs };
    return { proxy, run: (...words: string[]) => run(environment, ...words) };
}

/** The policy without what begins a resource so. */
function without(policy: Policy, prefix: string): Policy {
    return {
        Statement: policy.Statement.map((one) => ({
            ...one,
            Resource: [one.Resource].flat().filter((arn) => !arn.endsWith(`/${prefix}*`)),
        })),
    };
}

describe('an analyst', () => {
    test.each([
        [['explain', '10.0.0.1', '10.0.0.2', '2026-02-01']],
        [['explain', '10.0.0.1', '10.0.0.2', '2026-02-01', '--lines']],
        [['history', 'a.csv']],
        [['history', 'raw/a.csv', '--days']],
    ])('may run %j', async (words) => {
        const analyst = await as(policyOf('Analysts'));
        const { exitCode, stdout, stderr } = await analyst.run(...words);
        expect({ exitCode, stderr, denied: analyst.proxy.denied }).toMatchObject({ exitCode: 0, denied: [] });
        expect(stdout).toContain('1');
        expect(analyst.proxy.calls.length).toBeGreaterThan(2);
    });

    test('may run status, and hears of queues and of what waits', async () => {
        const analyst = await as(policyOf('Analysts'));
        const { stdout, stderr } = await analyst.run('status');
        expect(analyst.proxy.denied).toEqual([]);
        expect(stdout).toMatch(/done +1 /);
        expect(stderr).toMatch(/^summarize queue: 0 waiting/m);
        // No CloudWatch is here; the right to ask it the policy has.
        expect(policyOf('Analysts').Statement).toContainEqual({ Effect: 'Allow', Action: 'cloudwatch:GetMetricData', Resource: '*' });
    });

    test('may run cost, but for what no CloudWatch tells', async () => {
        const analyst = await as(policyOf('Analysts'));
        await analyst.run('cost');
        expect(analyst.proxy.denied).toEqual([]);
    });

    test('without the right on raw files is told of it by status, and may ask for the history all the same', async () => {
        const analyst = await as(without(policyOf('Analysts'), 'raw/'));
        const status = await analyst.run('status');
        expect(status).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/raw\/a\.csv.*(not allowed|right|denied|authorized)/i) });
        expect(analyst.proxy.denied).toEqual([`s3:GetObject arn:aws:s3:::${BUCKET}/raw/a.csv`]);
        expect((await analyst.run('history', 'a.csv')).exitCode).toBe(0);
    });

    test('may change nothing', async () => {
        const analyst = await as(policyOf('Analysts'));
        expect((await analyst.run('retract', 'raw/a.csv')).exitCode).toBe(1);
        expect(analyst.proxy.denied).toEqual([expect.stringMatching(/^s3:PutObject .*\/ledger\//)]);
    });
});

test('an operator may free what waits, look at dead letters and drop one', async () => {
    const operator = await as(policyOf('Operators'));
    for (const words of [['redrive', '--now'], ['redrive'], ['dead-letters', 'list']]) {
        expect({ words, ...(await operator.run(...words)) }).toMatchObject({ exitCode: 0 });
    }
    expect(operator.proxy.denied).toEqual([]);
    expect(policyOf('Operators').Statement.flatMap(({ Action }) => Action)).toEqual(
        expect.arrayContaining(['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage']),
    );
});

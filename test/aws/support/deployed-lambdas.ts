/** The Lambdas of the deployed lake: what an operator may set of them, and the processes that they run in. */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { deploymentOf } from '#lake/deployment';
import { createCloudWatchClient } from '#lake/queue/oldest-message';
import { describeBucket } from '#lake/store/s3-bucket';
import { bucket, environment, s3 } from './deployed.ts';
import { attempt, lambdaWorkers, numbersIn } from './lambda-workers.ts';

export const JOBS = ['summarize', 'consolidate'] as const;
export type Job = (typeof JOBS)[number];

/** Why the processes cannot be found, or undefined. */
export function whyNoProcesses(): string | undefined {
    try {
        readFileSync('/proc/net/tcp');
        return undefined;
    } catch {
        return 'there is no /proc here, as Linux has it';
    }
}

async function nameOf(job: Job): Promise<string> {
    const { deployment } = deploymentOf((await describeBucket({ bucket, client: s3 })).tags);
    return `flowlake-${deployment.stage}-${job}`;
}

/** Lambda's API, https://docs.aws.amazon.com/lambda/latest/api/; without a signature, which the local cloud does not ask for. */
async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${environment.AWS_ENDPOINT_URL}${path}`, { method, ...sent });
    const text = await answer.text();
    if (!answer.ok) {
        throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    }
    return text === '' ? undefined : JSON.parse(text);
}

/** Sends both functions' calls to AWS by way of `endpoint`, until the returned function is called. */
export async function sendCallsThrough(endpoint: string): Promise<() => Promise<void>> {
    const undo: (() => Promise<unknown>)[] = [];
    for (const job of JOBS) {
        const path = `/2015-03-31/functions/${await nameOf(job)}/configuration`;
        const { Environment } = (await call('GET', path)) as { Environment: { Variables: Record<string, string> } };
        await call('PUT', path, { Environment: { Variables: { ...Environment.Variables, AWS_ENDPOINT_URL: endpoint } } });
        undo.push(() => call('PUT', path, { Environment }));
    }
    return async () => {
        await Promise.all(undo.map((one) => one()));
    };
}

/** How many of it may run at once; undefined: as deployed. 0 turns every invocation away. */
export async function reserveConcurrency(job: Job, atOnce: number | undefined): Promise<void> {
    const path = `/2017-10-31/functions/${await nameOf(job)}/concurrency`;
    await (atOnce === undefined ? call('DELETE', path) : call('PUT', path, { ReservedConcurrentExecutions: atOnce }));
}

/** How often an invocation was turned away so far: a metric of AWS's own. */
export async function throttles(job: Job): Promise<number> {
    const { Datapoints = [] } = await createCloudWatchClient({ environment }).send(
        new GetMetricStatisticsCommand({
            Namespace: 'AWS/Lambda',
            MetricName: 'Throttles',
            Dimensions: [{ Name: 'FunctionName', Value: await nameOf(job) }],
            StartTime: new Date(Date.now() - 3_600_000),
            EndTime: new Date(Date.now() + 60_000),
            Period: 60,
            Statistics: ['Sum'],
        }),
    );
    return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
}

/** One more invocation with messages of these bodies, beside whatever the queue does; the answer is how many of them failed. */
export async function invoke(job: Job, bodies: readonly string[]): Promise<number> {
    const Records = bodies.map((body) => ({
        messageId: randomUUID(),
        // Nobody handed it out: a message that comes from elsewhere has no time-out to be released from.
        receiptHandle: randomUUID(),
        body,
        attributes: { ApproximateReceiveCount: '1' },
        eventSource: 'aws:sqs',
    }));
    const answer = await call('POST', `/2015-03-31/functions/${await nameOf(job)}/invocations`, { Records });
    return (answer as { batchItemFailures: unknown[] }).batchItemFailures.length;
}

export interface LambdaProcess {
    job: Job;
    pid: number;
}

/** The processes of the Lambdas of this very cloud. */
export function lambdaProcesses(): LambdaProcess[] {
    return lambdaWorkers(process.env.TEST_CLOUD_FOLDER ?? '').flatMap(({ name, pid }) => {
        const job = JOBS.find((one) => name.endsWith(`-${one}`));
        return job === undefined ? [] : [{ job, pid }];
    });
}

/** Whose end of a connection this port is. */
export function processOfPort(port: number): LambdaProcess | undefined {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const line = readFileSync('/proc/net/tcp', 'utf8')
        .split('\n')
        .map((text) => text.trim().split(/\s+/))
        .find(([, local = '']) => local.endsWith(`:${hex}`));
    // proc_pid_net(5): the tenth column is the socket's inode.
    const socket = `socket:[${line?.[9]}]`;
    return lambdaProcesses().find(({ pid }) =>
        numbersIn(`/proc/${pid}/fd`).some((fd) => attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === socket),
    );
}

/** How many batches of messages died with their process so far, by what the cloud itself says. */
export function batchesThatDied(): number {
    const log = readFileSync(join(process.env.TEST_CLOUD_FOLDER ?? '', 'ministack.log'), 'utf8');
    return log.split('\n').filter((line) => line.includes('failed processing SQS batch') && line.includes('Worker process died')).length;
}

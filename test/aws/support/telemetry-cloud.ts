/** A local AWS of its own with a lake deployed into it whose row has live telemetry, and what tests do with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand, GetQueueUrlCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { findUndoneWork } from '#lake/commit/reconcile';
import { type Deployment, deploymentOf, type TelemetryDeployment, telemetryOf } from '#lake/deployment';
import { createSqsClient } from '#lake/queue/sqs';
import type { ObjectStore } from '#lake/store/object-store';
import { openS3Store } from '#lake/store/s3';
import { describeBucket } from '#lake/store/s3-bucket';
import { createS3Client } from '#lake/store/s3-client';
import { type Ran, runFlowlake } from '#test/support/flowlake';
import { deployLake } from './deploy-lake.ts';
import { type Ministack, startMinistack } from './ministack.ts';

export interface TelemetryCloud {
    cloud: Ministack;
    /** Folder of all that is written here. */
    folder: string;
    bucket: string;
    store: ObjectStore;
    names: Deployment & TelemetryDeployment;
    /** What programs need in their environment to find the deployed lake. */
    environment: Record<string, string>;
    /** Certificate of the authority that signed the local IoT Core's own certificate. */
    iotAuthority: string;
    /** Address of the HTTP API, as this machine reaches it. @throws where the deployment tells none */
    apiUrl(): URL;
    /** Runs a line of the built program on the deployed lake. */
    flowlake(line: string | readonly string[], more?: Record<string, string>): Promise<Ran>;
    /** Sets levers of the local AWS. */
    levers(values: Record<string, number | boolean>): Promise<void>;
    /** Does an action of the local AWS. */
    act(name: string, asked: unknown): Promise<void>;
    stop(): Promise<void>;
}

/** Started, deployed, and taken down again by `stop`. Until then this process talks to it, too. @throws what the deployment says where it fails */
export async function startTelemetryCloud(): Promise<TelemetryCloud> {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-telemetry-'));
    const cloud = await startMinistack({ folder });
    const before = { ...process.env };
    Object.assign(process.env, cloud.environment);
    const stop = async (): Promise<void> => {
        for (const name of Object.keys(cloud.environment)) {
            before[name] === undefined ? delete process.env[name] : Object.assign(process.env, { [name]: before[name] });
        }
        await cloud.stop();
        await rm(folder, { recursive: true, force: true });
    };
    try {
        const { bucket, lake } = await deployLake(cloud, { folder, hasTelemetry: true });
        const s3 = createS3Client({ environment: cloud.environment, region: 'us-east-1' });
        const { tags } = await describeBucket({ bucket, client: s3 });
        const names = { ...(deploymentOf(tags).deployment as Deployment), ...telemetryOf(tags).names };
        const environment = { ...cloud.environment, FLOWLAKE_LAKE: lake, HOME: folder };
        const post = async (path: string, body: unknown): Promise<void> => {
            const answer = await fetch(`${cloud.endpoint}/_ministack/${path}`, { method: 'POST', body: JSON.stringify(body) });
            if (!answer.ok) {
                throw new Error(`${path}: ${await answer.text()}`);
            }
        };
        return {
            ...{ cloud, folder, bucket, names, environment, stop },
            store: openS3Store({ bucket, client: s3 }),
            iotAuthority: await (await fetch(`${cloud.endpoint}/_ministack/iot/ca.pem`)).text(),
            apiUrl: () => new URL(`${cloud.endpoint}/_aws/execute-api/${apiIdOf(names.apiUrl)}/`),
            flowlake: (line, more = {}) => runFlowlake(line, { folder, environment: { ...environment, ...more } }),
            levers: (values) => post('levers', values),
            act: (name, asked) => post(`actions/${name}`, asked),
        };
    } catch (error) {
        await stop();
        throw error;
    }
}

/** `https://<id>.execute-api...`. */
function apiIdOf(url: string | undefined): string {
    const [, id] = /^https?:\/\/([^.]+)\.execute-api\./.exec(url ?? '') ?? [];
    if (id === undefined) {
        throw new Error(`the deployment tells no address of the API: ${url}`);
    }
    return id;
}

/** Queues whose messages are work to do. */
const WORK_QUEUES = ['summarizeQueue', 'consolidateQueue', 'hoursQueue', 'givenUpQueue'] as const;

/** A message whose worker was killed comes back after so many seconds instead of half an hour. */
export async function hideMessagesFor(seconds: number, { names, cloud }: TelemetryCloud): Promise<void> {
    const sqs = createSqsClient({ environment: cloud.environment });
    for (const queue of WORK_QUEUES) {
        const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: names[queue] }));
        await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: String(seconds) } }));
    }
}

/** How many messages there are in the queues of work, waiting, held back or handed out. */
async function messagesWaiting({ names, cloud }: TelemetryCloud): Promise<number> {
    const sqs = createSqsClient({ environment: cloud.environment });
    let sum = 0;
    for (const queue of WORK_QUEUES) {
        const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: names[queue] }));
        const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
        for (const which of ['', 'NotVisible', 'Delayed'] as const) {
            sum += Number(Attributes[`ApproximateNumberOfMessages${which}`] ?? 0);
        }
    }
    return sum;
}

/** Waits until `isDone`. @throws where that takes too long */
export async function waitFor(isDone: () => Promise<boolean>, { what, withinMs }: { what: string; withinMs: number }): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!(await isDone())) {
        if (Date.now() > deadline) {
            throw new Error(`waited in vain: ${what}`);
        }
        await sleep(500);
    }
}

/** True if no message waits and nothing is undone. */
export async function isSettled(telemetry: TelemetryCloud): Promise<boolean> {
    if ((await messagesWaiting(telemetry)) > 0) {
        return false;
    }
    const { sources, periods, derived } = await findUndoneWork(telemetry.store, { now: new Date() });
    return sources.length + periods.length + derived.length === 0;
}

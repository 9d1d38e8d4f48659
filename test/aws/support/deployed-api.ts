/**
 * The API of a deployed stage as its callers have it: its addresses, a reader whom Cognito signs in, and when what was sent is seen or sealed. Three settings of the deployment
 * are changed, which this machine cannot have as they are: where WebSocket connections are told, who answers Athena's questions, and how long the chain gathers.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKinesisClient, streamIdOf } from '#lake/cloud/kinesis-stream';
import { createDynamoClient } from '#lake/cloud/state-store';
import { openCloudWatch } from '#lake/cloud/state-watch';
import { type PlaceOf, shardsOf, watermarkOf } from '#lake/cloud/stream-progress';
import { readChainEnd } from '#lake/live/chain';
import { createS3Client } from '#lake/store/s3-client';
import { startAthenaServer } from '#test/support/athena-server';
import { openDuckDbBackend } from '#test/support/athena-server-duckdb';
import { copyObjects } from './same-in-directory.ts';
import { isSettled, type TelemetryCloud, waitFor } from './telemetry-cloud.ts';

export interface DeployedApi {
    /** Without a path. */
    baseUrl: string;
    /** Of the WebSocket. */
    liveUrl: string;
    /** A token that Cognito gave a reader. */
    readerToken: string;
    /** Resolves once all that the stream has now is in latest state, and in the tables. */
    untilSeen(): Promise<void>;
    untilSealed(): Promise<void>;
    stop(): Promise<void>;
}

interface Outputs {
    LiveUrl: string;
    ReaderPool: string;
    ReaderClient: string;
}

/** Hours of metrics are merged six minutes after their last part on AWS; here some seconds. */
const FIFO_TIME = 0.005;

const WITHIN_MS = 120_000;

export async function openDeployedApi(telemetry: TelemetryCloud): Promise<DeployedApi> {
    const { cloud, names, folder, bucket, store } = telemetry;
    const outputs: Record<string, Outputs> = JSON.parse(await readFile(join(folder, 'outputs.json'), 'utf8'));
    const [{ LiveUrl, ReaderPool, ReaderClient } = { LiveUrl: '', ReaderPool: '', ReaderClient: '' }] = Object.values(outputs);
    const socketPath = `/_aws/execute-api/${/^\w+:\/\/([^.]+)\./.exec(LiveUrl)?.[1]}/live`;
    const directory = join(folder, 'tables');
    const athena = await startAthenaServer({
        backend: await openCopyBackend(telemetry, directory),
        s3: createS3Client({ environment: cloud.environment, region: 'us-east-1' }),
        output: `s3://${bucket}/athena-results/`,
        workgroups: { [names.workgroup]: {} },
    });
    await setVariables(telemetry, 'push', { SOCKET_ENDPOINT: `${cloud.endpoint}${socketPath}` });
    await setVariables(telemetry, 'api', { AWS_ENDPOINT_URL_ATHENA: athena.url });
    await gatherFor(telemetry, 1);
    await telemetry.levers({ 'sqs.fifo_time': FIFO_TIME });
    const kinesis = createKinesisClient({ environment: cloud.environment });
    const streams = [{ name: names.stream, id: await streamIdOf(kinesis, names.stream) }];
    const watch = openCloudWatch({ client: createDynamoClient({ environment: cloud.environment }), table: names.stateTable });
    /** Waits until everything that had arrived by now is behind the places. */
    const level = async (places: () => Promise<PlaceOf>, what: string): Promise<void> => {
        const askedMs = Date.now();
        const isLevel = async () => (await watermarkOf(await places(), { client: kinesis, streams, now: Date.now })) >= askedMs;
        await waitFor(isLevel, { what, withinMs: WITHIN_MS });
    };
    const chainEnds = async (): Promise<PlaceOf> => {
        const ends = new Map<string, string>();
        for (const { name, id } of streams) {
            for (const shard of await shardsOf(kinesis, name)) {
                const end = await readChainEnd(store, { stream: id, shard });
                if (end !== '0') {
                    ends.set(`${id} ${shard}`, end);
                }
            }
        }
        return (stream, shard) => ends.get(`${stream} ${shard}`);
    };
    return {
        baseUrl: String(telemetry.apiUrl()).replace(/\/$/, ''),
        liveUrl: `${cloud.endpoint.replace(/^http/, 'ws')}${socketPath}`,
        readerToken: await signIn(telemetry, { pool: ReaderPool, client: ReaderClient }),
        untilSeen: () => level(() => watch.places(), 'latest state is level with the stream'),
        async untilSealed() {
            await level(chainEnds, 'the chain is level with the stream');
            // What is in the chain is told to the queue some moments later.
            await sleep(1_000);
            await waitFor(() => isSettled(telemetry), { what: 'the lake settles', withinMs: WITHIN_MS });
        },
        stop: () => athena.stop(),
    };
}

/** DuckDB over what the tables of the bucket hold when a question comes. */
async function openCopyBackend({ store }: TelemetryCloud, directory: string): Promise<Parameters<typeof startAthenaServer>[0]['backend']> {
    return {
        async run(statement, signal) {
            await copyObjects(store, ['readings/', 'metric_hours/', 'devices/', 'profiles/'], directory);
            const backend = await openDuckDbBackend({ directory });
            try {
                return await backend.run(statement, signal);
            } finally {
                backend.close();
            }
        },
    };
}

/** A reader of the stage's pool, and a token of hers, as docs/cloud.md says it. */
async function signIn({ cloud }: TelemetryCloud, { pool, client }: { pool: string; client: string }): Promise<string> {
    const call = async (action: string, body: object): Promise<{ AuthenticationResult?: { IdToken: string } }> => {
        const answer = await fetch(cloud.endpoint, {
            method: 'POST',
            headers: {
                'content-type': 'application/x-amz-json-1.1',
                'x-amz-target': `AWSCognitoIdentityProviderService.${action}`,
                authorization:
                    'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=0',
            },
            body: JSON.stringify(body),
        });
        if (!answer.ok) {
            throw new Error(`${action}: ${await answer.text()}`);
        }
        return (await answer.json()) as { AuthenticationResult?: { IdToken: string } };
    };
    const [Username, Password] = ['anna@example.com', 'Not-secret-1'];
    await call('AdminCreateUser', { UserPoolId: pool, Username, UserAttributes: [{ Name: 'email', Value: Username }] });
    await call('AdminSetUserPassword', { UserPoolId: pool, Username, Password, Permanent: true });
    const { AuthenticationResult } = await call('InitiateAuth', {
        ClientId: client,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: Username, PASSWORD: Password },
    });
    return AuthenticationResult?.IdToken ?? '';
}

/** Lambda's API, without a signature, which the local cloud does not ask for. */
async function lambda<T>({ cloud }: TelemetryCloud, method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`${cloud.endpoint}/2015-03-31${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
    if (!answer.ok) {
        throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    }
    return (await answer.json()) as T;
}

async function setVariables(telemetry: TelemetryCloud, job: string, variables: Record<string, string>): Promise<void> {
    const path = `/functions/flowlake-${telemetry.names.stage}-${job}/configuration`;
    const { Environment } = await lambda<{ Environment: { Variables: Record<string, string> } }>(telemetry, 'GET', path);
    await lambda(telemetry, 'PUT', path, { Environment: { Variables: { ...Environment.Variables, ...variables } } });
}

/** How long the chain waits for more messages, instead of a minute. */
async function gatherFor(telemetry: TelemetryCloud, seconds: number): Promise<void> {
    const name = `flowlake-${telemetry.names.stage}-chain`;
    const { EventSourceMappings } = await lambda<{ EventSourceMappings: { UUID: string }[] }>(
        telemetry,
        'GET',
        `/event-source-mappings?FunctionName=${name}`,
    );
    for (const { UUID } of EventSourceMappings) {
        await lambda(telemetry, 'PUT', `/event-source-mappings/${UUID}`, { MaximumBatchingWindowInSeconds: seconds });
    }
}

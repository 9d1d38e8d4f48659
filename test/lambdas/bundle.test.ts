/**
 * What is deployed: each function's bundle as Lambda loads it, in a process of its own, with nothing installed beside it and its own settings around it. It answers a small
 * event of its kind, over the protocols of what it asks, and leaves its metrics.
 */

import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bundleLambda, forTelemetryJobs, type LambdaJob } from '#cdk/bundle-lambda';
import { DATASETS_TABLE } from '#lake/cloud/datasets-table';
import { SOCKET_TABLE } from '#lake/cloud/socket-table';
import { devicePart, eventRecords } from '#lake/cloud/state-records';
import { STATE_TABLE } from '#lake/cloud/state-table';
import type { LiveEpisode } from '#lake/live/state-store';
import { startDynamoServer } from '#test/support/dynamo-server';
import { startKinesisServer } from '#test/support/kinesis-server';
import { MemoryDynamo, type TableShape } from '#test/support/memory-dynamo';
import { startS3Server } from '#test/support/s3-server';
import { type BundleAnswer, type BundleCase, invokeBundle } from './invoke-bundle.ts';
import { kinesisRecord, sqsRecord } from './surroundings.ts';

interface Row {
    /** Settings of the function alone. */
    settings: Readonly<Record<string, string>>;
    event: unknown;
    answer: unknown;
    /** Metrics that the event leaves. */
    metrics: Readonly<Record<string, number>>;
    /** Events that it answers where nobody answers it. */
    offline?: readonly { event: unknown; answer: Partial<BundleAnswer> }[];
    mostBytes?: number;
    files?: readonly string[];
}

const MOST_BYTES = 1 << 20;

/** What every function is given; Lambda itself sets the rest. */
const SHARED = { LAKE_BUCKET: 'lake', POWERTOOLS_SERVICE_NAME: 'flowlake-test', POWERTOOLS_METRICS_NAMESPACE: 'flowlake', STAGE: 'test' };
const OF_LAMBDA = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_LAMBDA_FUNCTION_NAME: 'f' };
/** Nothing listens there: whatever the handler calls, it calls nobody. */
const OFFLINE = { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };

const READERS = { READERS_ISSUER: 'https://readers.example.com', READERS_AUDIENCE: 'lake' };
const QUEUES = { SUMMARIZE_QUEUE: 'summarize', CONSOLIDATE_QUEUE: 'consolidate.fifo' };
const BATCH_DONE = { batchItemFailures: [] };
const NOT_ITS_MESSAGE = { event: { Records: [sqsRecord({ id: 'm0', body: '{"Event":' })] }, answer: failed('m0') };

function failed(id: string): Partial<BundleAnswer> {
    return { answer: { batchItemFailures: [{ itemIdentifier: id }] } };
}

const http = (method: string, rawPath: string, more: object = {}) => ({
    ...{ version: '2.0', rawPath, rawQueryString: '', headers: { authorization: 'Bearer nobodys' }, isBase64Encoded: false },
    requestContext: { domainName: 'api.example.com', http: { method }, ...more },
});

/** An alert that was raised, as the stream of the state table hands it over. */
function alertRecord(): object {
    const alert: LiveEpisode = {
        ...{ id: 'th-1~hot~1', site: 'main', device: 'th-1', profile: 'p', rule: 'hot', kind: 'alert', severity: 'critical' },
        ...{ began_ms: 1, ended_ms: null, worst: '31.5', readings: 1, raised_ms: 1, why: 'too warm' },
    };
    const [NewImage] = eventRecords([{ kind: 'raised', alert }], { part: devicePart('th-1'), name: '1', nowMs: 1 });
    const Keys = { part: NewImage?.part, place: NewImage?.place };
    return {
        eventID: 'e1',
        eventName: 'INSERT',
        eventSourceARN: 'arn:aws:dynamodb:us-east-1:1:table/state/stream/1',
        dynamodb: { Keys, NewImage, SequenceNumber: '1' },
    };
}

const ROWS: Record<LambdaJob, Row> = {
    summarize: {
        settings: QUEUES,
        ...{ event: { Records: [] }, answer: BATCH_DONE, metrics: { Conflicts: 0 } },
        offline: [NOT_ITS_MESSAGE],
        // It has the client of the table with the index of chain objects beside all readers.
        mostBytes: MOST_BYTES + 40_000,
    },
    consolidate: {
        settings: { CONSOLIDATE_QUEUE: QUEUES.CONSOLIDATE_QUEUE },
        ...{ event: { Records: [] }, answer: BATCH_DONE, metrics: { Conflicts: 0 } },
        offline: [NOT_ITS_MESSAGE],
    },
    chain: {
        settings: { STREAM: 'telemetry', DATASETS_TABLE: 'datasets' },
        ...{ event: { Records: [kinesisRecord()] }, answer: BATCH_DONE, metrics: { MessagesAppended: 1, MessagesAside: 1 } },
        offline: [
            {
                event: { Records: [kinesisRecord()] },
                answer: { thrown: expect.stringMatching(/cannot look at stream telemetry: nothing answers there/) as never },
            },
        ],
    },
    'given-up': {
        settings: {
            STREAM: 'telemetry',
            DATASETS_TABLE: 'datasets',
            STATE_TABLE: 'state',
            GIVEN_UP_QUEUE: 'given-up',
            CHAIN_FUNCTION: 'chain',
        },
        ...{ event: { Records: [] }, answer: BATCH_DONE, metrics: { RangesGivenUp: 0 } },
        offline: [{ event: { Records: [sqsRecord({ id: 'm1', body: 'no JSON' })] }, answer: failed('m1') }],
    },
    latest: {
        settings: { STREAM: 'telemetry', STATE_TABLE: 'state' },
        ...{ event: { Records: [kinesisRecord()] }, answer: BATCH_DONE, metrics: { Messages: 1, PutAside: 1 } },
    },
    watch: {
        settings: { STREAM: 'telemetry', STATE_TABLE: 'state' },
        ...{ event: {}, answer: null, metrics: { PipelineLate: 0, SilencesRaised: 0 } },
    },
    notify: {
        settings: { STATE_TABLE: 'state', ALERTS_TOPIC: 'arn:aws:sns:us-east-1:1:alerts' },
        ...{ event: { Records: [alertRecord()] }, answer: BATCH_DONE, metrics: { AlertsPublished: 1 } },
        offline: [{ event: { Records: [alertRecord()] }, answer: failed('1') }],
    },
    authorize: {
        settings: READERS,
        ...{
            event: http('POST', '/v1/telemetry'),
            answer: { isAuthorized: true, context: { is: 'nobody' } },
            metrics: { TokensRefused: 1 },
        },
        offline: [{ event: http('POST', '/v1/telemetry'), answer: { answer: { isAuthorized: true, context: { is: 'nobody' } } } }],
    },
    intake: {
        settings: { STREAM: 'telemetry' },
        event: http('POST', '/v1/telemetry', { authorizer: { lambda: { is: 'nobody' } } }),
        ...{
            answer: { statusCode: 401, body: expect.stringContaining('wrong_token') },
            metrics: { RequestsRefused: 1, PutsTriedAgain: 0 },
        },
        offline: [{ event: http('POST', '/v1/telemetry'), answer: { thrown: expect.stringContaining('without the authorizer') as never } }],
    },
    api: {
        settings: { STATE_TABLE: 'state', SOCKET_TABLE: 'sockets', DATABASE: 'lake', WORKGROUP: 'lake', ...READERS },
        ...{ event: http('GET', '/v1/health'), answer: { statusCode: 200 }, metrics: { RequestsBroken: 0 } },
        offline: [
            {
                event: http('GET', '/v1/fleet'),
                answer: { thrown: expect.stringContaining('StorageError: cannot read from table sockets') as never },
            },
        ],
        files: ['index.mjs', 'sql'],
    },
    push: {
        settings: { SOCKET_TABLE: 'sockets', SOCKET_ENDPOINT: 'http://127.0.0.1:1' },
        ...{ event: { Records: [alertRecord()] }, answer: null, metrics: { EventsUnreadable: 0 } },
        offline: [
            {
                event: { requestContext: { connectionId: 'c', eventType: 'MESSAGE' }, body: 'nonsense' },
                answer: { answer: { statusCode: 200 } },
            },
        ],
    },
    certificates: {
        settings: {},
        ...{ event: {}, answer: null, metrics: { CertificatesEnding: 0 } },
    },
};

let online: Record<string, string>;
let published = 0;
const opened: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
    const shapes: Record<string, TableShape> = { state: STATE_TABLE, sockets: SOCKET_TABLE, datasets: DATASETS_TABLE };
    const tables = Object.fromEntries(Object.entries(shapes).map(([table, shape]) => [table, new MemoryDynamo({ shape, table })]));
    const [s3, kinesis, dynamo, others] = [
        await startS3Server(),
        await startKinesisServer(),
        await startDynamoServer(together(tables)),
        await startOthers(),
    ];
    opened.push(s3, kinesis, dynamo, others);
    s3.makeBucket('lake', {});
    kinesis.makeStream('telemetry');
    online = {
        ...{ AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint, AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint },
        AWS_ENDPOINT_URL: others.endpoint,
    };
});

afterAll(() => Promise.all(opened.map((server) => server.stop())));

/** Tables by their names, each of which a call names somewhere. */
function together(tables: Readonly<Record<string, MemoryDynamo>>): Pick<MemoryDynamo, 'send'> {
    return {
        send: (async (command: { input: object }) => {
            const text = JSON.stringify(command.input);
            const [, name = ''] = /"TableName":"(\w+)"|"RequestItems":\{"(\w+)"/.exec(text)?.filter((one) => one !== undefined) ?? [];
            return tables[name]?.send(command as never);
        }) as MemoryDynamo['send'],
    };
}

/** SNS, and Lambda itself. */
async function startOthers(): Promise<{ endpoint: string; stop(): Promise<void> }> {
    const server = createServer((request, response) => {
        if (request.url?.includes('/event-source-mappings')) {
            response.writeHead(200, { 'content-type': 'application/json' }).end('{"EventSourceMappings":[]}');
            return;
        }
        published += 1;
        const id = '<PublishResult><MessageId>1</MessageId></PublishResult>';
        response.writeHead(200, { 'content-type': 'text/xml' }).end(`<PublishResponse>${id}</PublishResponse>`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        async stop() {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

test('the table has every function that is deployed', () => {
    expect(Object.keys(ROWS).sort()).toEqual(['summarize', 'consolidate', ...Object.keys(forTelemetryJobs((job) => job))].sort());
});

describe.each(Object.entries(ROWS).map(([job, row]) => ({ job: job as LambdaJob, ...row })))(
    'the bundle of $job',
    ({ job, settings, event, answer, metrics, offline = [], mostBytes = MOST_BYTES, files = ['index.mjs'] }) => {
        const needed = Object.keys({ ...SHARED, ...settings });
        let bundle: ReturnType<typeof bundleLambda>;
        let answers: BundleAnswer[];

        beforeAll(async () => {
            bundle = bundleLambda(job);
            const whole = { ...OF_LAMBDA, ...SHARED, ...settings };
            const { LAKE_BUCKET: _, ...missing } = { ...whole, ...OFFLINE };
            answers = await invokeBundle(bundle, [
                { environment: { ...whole, ...online }, event },
                ...offline.map((one): BundleCase => ({ environment: { ...whole, ...OFFLINE }, event: one.event })),
                { environment: missing, event },
                ...needed.map((name): BundleCase => ({ environment: { ...whole, ...OFFLINE, [name]: '' }, event })),
            ]);
        });

        test('is a file of 1 MiB at most, the same for the same sources', async () => {
            expect((await readdir(bundle.folder)).sort()).toEqual(files);
            expect(bundle.sizeBytes).toBeLessThan(mostBytes);
            expect(bundleLambda(job)).toEqual(bundle);
        });

        test('answers an event, and leaves its metrics with namespace, service and stage', () => {
            const [{ metrics: [left] = [], ...told } = { metrics: [], log: [] }] = answers;
            expect(told).toMatchObject({ answer, log: expect.not.arrayContaining([expect.objectContaining({ level: 'ERROR' })]) });
            expect(left).toMatchObject({ service: 'flowlake-test', stage: 'test', ...metrics });
            expect(left._aws.CloudWatchMetrics).toMatchObject([{ Namespace: 'flowlake', Dimensions: [['service', 'stage']] }]);
        });

        test('answers as far as it can where nobody answers it', () => {
            expect(answers.slice(1, 1 + offline.length)).toMatchObject(offline.map((one) => one.answer));
        });

        test('does not start without each of its settings, and names it', () => {
            const without = answers.slice(1 + offline.length).map(({ thrown }) => thrown);
            expect(without).toEqual(
                ['LAKE_BUCKET', ...needed].map(
                    (name) => `UsageError: the function has no environment variable ${name}: deploy it with npx cdk deploy, which sets it`,
                ),
            );
        });

        if (job === 'summarize' || job === 'consolidate') {
            test('fails the message that it cannot use, though SQS does not answer, and logs it as one line with the request', () => {
                const [, { log } = { log: [] }] = answers;
                expect(log.map(({ message }) => message)).toEqual([
                    'cannot use the message',
                    expect.stringContaining('could not say when the message comes back'),
                ]);
                expect(log[0]).toMatchObject({ level: 'ERROR', messageId: 'm0', service: 'flowlake-test', function_request_id: 'r1' });
            });
        }
    },
);

test('the alert was published', () => {
    expect(published).toBe(1);
});

/** `delivery` on a deployed lake: what the streams still hold is on its way and not lost. Over the protocols of S3, SQS, Kinesis and Athena. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { DEPLOYMENT_TAGS, TELEMETRY_TAGS } from '#lake/deployment';
import { createSqsClient, openSqsQueue } from '#lake/queue/sqs';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { openChainAppender } from '#lambdas/chain/append-batch';
import { kinesisRecord, testLog, testMetrics, testTime } from '#test/lambdas/surroundings';
import { type AthenaServer, startAthenaServer } from '#test/support/athena-server';
import { openDuckDbBackend } from '#test/support/athena-server-duckdb';
import { type KinesisServer, startKinesisServer } from '#test/support/kinesis-server';
import { memoryDatasets } from '#test/support/memory-datasets';
import { type S3Server, startS3Server } from '#test/support/s3-server';
import { type SqsServer, startSqsServer } from '#test/support/sqs-server';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

const BUCKET = 'lake';

let s3: S3Server;
let sqs: SqsServer;
let kinesis: KinesisServer;
let athena: AthenaServer | undefined;
let duckDb: { close(): void } | undefined;
let folder: string;
let environment: Record<string, string>;
let store: ObjectStore;
let givenUp: { live: string; dead: string };

beforeAll(async () => {
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    [s3, sqs, kinesis] = [await startS3Server(), await startSqsServer(), await startKinesisServer()];
});

afterAll(async () => {
    await Promise.all([s3, sqs, kinesis].map((server) => server.stop()));
});

beforeEach(async () => {
    folder = await makeFolder();
    environment = { AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_ENDPOINT_URL_SQS: sqs.endpoint, AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint };
    givenUp = { live: sqs.makeQueue(), dead: sqs.makeQueue() };
    const names = { stream: 'telemetry', programStream: 'programs', givenUpQueue: givenUp.live, givenUpDeadLetters: givenUp.dead };
    const tags = Object.entries({ ...DEPLOYMENT_TAGS, ...TELEMETRY_TAGS }).map(([part, tag]) => [tag, part]);
    const given = Object.entries(names).map(([part, name]) => [TELEMETRY_TAGS[part as keyof typeof names], name]);
    s3.makeBucket(BUCKET, Object.fromEntries([...tags, [DEPLOYMENT_TAGS.workgroup, 'lake'], ...given]));
    store = openS3Store({ bucket: BUCKET, client: createS3Client({ environment }) });
    kinesis.makeStream('telemetry', { shards: 2 });
    kinesis.makeStream('programs', { shards: 2 });
});

afterEach(async () => {
    await athena?.stop();
    duckDb?.close();
    [athena, duckDb] = [undefined, undefined];
});

const journal = () => join(folder, 'sent.jsonl');
const home = () => join(folder, 'home');

const runIn = (lake: string, ...words: string[]) =>
    runLine(['--lake', lake, '--output', 'json', ...words], { world: fakeWorld({ environment, now: () => new Date() }) });

const simulate = () =>
    runIn(
        ...([`s3://${BUCKET}`, 'simulate', '--to', 'kinesis:programs', '--devices', '3', '--rate', '60', '--for', '1s'] as const),
        ...['--faults', 'repeat=0.2,loss=0.1', '--journal', journal()],
    );

/** Appends the first records of each shard to the chains, as the function does. */
async function append(share: number): Promise<void> {
    const appender = openChainAppender({
        ...{ store, index: memoryDatasets(), devices: openDeviceLookup({ store, now: Date.now }) },
        sourceOf: () => 'programs',
        streamIdOf: async (stream) => `${stream}-${Date.UTC(2026, 0, 1) / 1000}`,
        assertOneBatchAtATime: async () => undefined,
        now: () => new Date(),
    });
    for (const shard of [0, 1]) {
        const all = kinesis.records('programs', shard);
        const some = all.slice(0, Math.floor(all.length * share));
        const records = some.map((record) => kinesisRecord({ stream: 'programs', shard: `shardId-00000000000${shard}`, ...record }));
        if (records.length > 0) {
            await appender.append(records, { time: testTime(), log: testLog(), metrics: testMetrics() });
        }
    }
}

/** Reads what the chains hold into the tables, and lets Athena ask these: a copy of the bucket in a directory does the work. */
async function work(): Promise<void> {
    const copy = openDirectoryStore(home());
    await copyAll(store, copy);
    expect(await runIn(home(), 'reconcile')).toMatchObject({ exitCode: 0 });
    await copyAll(copy, store);
}

async function copyAll(from: ObjectStore, to: ObjectStore): Promise<void> {
    for await (const { key } of from.list('')) {
        const object = await from.get(key);
        if (object) {
            await to.put(key, object.bytes, { metadata: { ...(await from.head(key))?.metadata } });
        }
    }
}

async function deliver(): Promise<{ exitCode: number; all: Record<string, number>; stderr: string }> {
    const backend = await openDuckDbBackend({ directory: home() });
    const client = createS3Client({ environment });
    athena = await startAthenaServer({ backend, s3: client, output: `s3://${BUCKET}/_results/`, workgroups: { lake: {} } });
    duckDb = backend;
    environment.AWS_ENDPOINT_URL_ATHENA = athena.url;
    const { exitCode, stdout, stderr } = await runIn(`s3://${BUCKET}`, 'delivery', '--journal', journal());
    return { exitCode, all: stdout === '' ? {} : JSON.parse(stdout).at(-1), stderr };
}

test.each([
    ['nothing', 0],
    ['half', 0.5],
    ['all', 1],
])('with %s of the stream in the chain every message is accounted for, and counted once', async (_, share) => {
    expect(await simulate()).toMatchObject({ exitCode: 0 });
    await append(share);
    await work();
    const { exitCode, all, stderr } = await deliver();
    expect({ exitCode, stderr, all }).toMatchObject({ exitCode: 0, all: { device: '(all)', lost: 0, unacknowledged: 0, rejected: 0 } });
    const { sent = 0, received = 0, waiting = 0, repeated = 0 } = all;
    expect(received + waiting).toBe(sent);
    expect([received > 0, waiting > 0]).toEqual([share > 0, share < 1]);
    const records = [0, 1].flatMap((shard) => kinesis.records('programs', shard));
    expect(repeated).toBe(records.length - sent);
});

test('what was read and waits for its hour to be merged is on its way, not lost', async () => {
    await simulate();
    await append(1);
    await work();
    for (const each of [store, openDirectoryStore(home())]) {
        for await (const { key } of each.list('readings/')) {
            await each.delete(key);
        }
    }
    const { exitCode, all } = await deliver();
    expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: { received: 0, lost: 0, waiting: all.sent } });
});

test('a message that was acknowledged and is nowhere is lost; where it may have been given up is said', async () => {
    await simulate();
    await append(1);
    await work();
    const message = (await readFile(journal(), 'utf8')).split('\n').find((line) => line.includes('"sent"')) ?? '';
    const gone = { ...JSON.parse(message), message: 'gone', hash: '0'.repeat(16) };
    await appendFile(journal(), `${JSON.stringify(gone)}\n${JSON.stringify({ ...gone, event: 'acknowledged' })}\n`);
    const client = createSqsClient({ environment });
    await openSqsQueue({ name: givenUp.live, client }).send([{ body: 'x' }, { body: 'y' }]);
    await openSqsQueue({ name: givenUp.dead, client }).send([{ body: 'z' }]);
    const { exitCode, all, stderr } = await deliver();
    expect({ exitCode, all }).toMatchObject({ exitCode: 1, all: { lost: 1 } });
    expect(stderr).toContain('2 reports of it still: ask again in some minutes');
    expect(stderr).toContain('1 report of messages that were given up could not be worked off: flowlake status');
});

test('a stream that cannot be read is no loss: it is said', async () => {
    await simulate();
    await work();
    kinesis.fail(100, { status: 400, type: 'AccessDeniedException' });
    const { exitCode, stderr } = await deliver();
    kinesis.fail(0, { status: 500, type: '' });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cannot look at stream telemetry') });
});

test('a journal of another lake is refused before anything is read', async () => {
    const line = { event: 'sent', device: 'x', message: '1', hash: '0'.repeat(16), at_ms: 1, measured_ms: 1 };
    await writeFile(journal(), `${JSON.stringify(line)}\n`);
    expect(await runIn(`s3://${BUCKET}`, 'delivery', '--journal', journal())).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('is it the journal of another one?'),
    });
});

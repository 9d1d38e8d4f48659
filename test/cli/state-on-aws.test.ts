/** `latest`, `alert` and `status` on a deployed lake: the real clients over the protocols of S3, SQS, CloudWatch and DynamoDB, beside a served lake that had the same messages. */
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openCloudState } from '#lake/cloud/state-store';
import { STATE_TABLE } from '#lake/cloud/state-table';
import { openCloudWatch } from '#lake/cloud/state-watch';
import { DEPLOYMENT_TAGS, TELEMETRY_TAGS } from '#lake/deployment';
import type { StateStore } from '#lake/live/state-store';
import { liveFile } from '#lake/serve/live-files';
import { openStateDatabase } from '#lake/serve/state-database';
import { takeLatest } from '#lambdas/take-latest';
import { type DynamoServer, startDynamoServer } from '#test/support/dynamo-server';
import { openTestProfiles, START_MS, TestClock } from '#test/support/live-world';
import { MemoryDynamo } from '#test/support/memory-dynamo';
import { memoryStore } from '#test/support/memory-store';
import { type S3Server, startS3Server } from '#test/support/s3-server';
import { type SqsServer, startSqsServer } from '#test/support/sqs-server';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

const BUCKET = 'lake';
const NOW_MS = START_MS + 30_000;

let s3: S3Server;
let sqs: SqsServer;
let dynamo: DynamoServer;
let figures: { endpoint: string; stop(): Promise<void> };
let table: MemoryDynamo;
let environment: Record<string, string>;
let directory: string;

beforeAll(async () => {
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    table = new MemoryDynamo({ shape: STATE_TABLE, table: 'stateTable', maxPage: 2, maxBatch: 3 });
    [s3, sqs, dynamo, figures] = [await startS3Server(), await startSqsServer(), await startDynamoServer(table), await startNoFigures()];
});

afterAll(async () => {
    await Promise.all([s3, sqs, dynamo, figures].map((server) => server.stop()));
});

beforeEach(async () => {
    const folder = await makeFolder();
    directory = join(folder, 'home');
    environment = {
        ...{ AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_ENDPOINT_URL_SQS: sqs.endpoint, AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint },
        ...{ AWS_ENDPOINT_URL_CLOUDWATCH: figures.endpoint, XDG_CACHE_HOME: folder, HOME: folder, USER: 'anna' },
    };
    table.clear();
    deploy();
});

/** CloudWatch that has no figure of anything. */
async function startNoFigures(): Promise<typeof figures> {
    const server = createServer((_, response) => {
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
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

/** Each of the deployment's names is the name of its part. */
function deploy({ hasTelemetry = true, isOn = true } = {}): void {
    const names = (tags: Record<string, string>) => Object.fromEntries(Object.entries(tags).map(([part, tag]) => [tag, nameOf(part)]));
    const { [TELEMETRY_TAGS.apiUrl]: _, ...telemetry } = names(TELEMETRY_TAGS);
    s3.makeBucket(BUCKET, {
        ...names(DEPLOYMENT_TAGS),
        ...(hasTelemetry && telemetry),
        ...(hasTelemetry && isOn && { [TELEMETRY_TAGS.apiUrl]: 'https://api.example' }),
    });
}

const queues = new Map<string, string>();

function nameOf(part: string): string {
    const isQueue = part.endsWith('Queue') || part.endsWith('DeadLetters');
    const name = isQueue ? (queues.get(part) ?? sqs.makeQueue({ isFifo: /^(consolidate|hours)/.test(part) })) : part;
    queues.set(part, name);
    return name;
}

const runIn = (lake: string, words: readonly string[]) =>
    runLine(['--lake', lake, ...words], { world: fakeWorld({ environment, now: () => new Date(NOW_MS) }) });
const run = (...words: string[]) => runIn(`s3://${BUCKET}`, words);
const rowsOf = async (...words: string[]) => JSON.parse((await run('--output', 'json', ...words)).stdout);
const openState = () => openCloudState({ client: table, table: 'stateTable', now: () => NOW_MS });

/** Brings the same messages of three devices into a state: of one it is too warm, the last one has sent nothing that is read. */
async function fill(state: StateStore): Promise<void> {
    const clock = new TestClock();
    clock.nowMs = NOW_MS;
    const profiles = await openTestProfiles(memoryStore(), { clock });
    const live = { nowMs: NOW_MS, watermarkMs: NOW_MS, watchedSinceMs: 0, isPipelineLate: false };
    const message = (sequence: string, device: string, site: string, payload: object) => ({
        ...{ sequence, device, site, arrivedMs: START_MS, way: 'mqtt' as const, profile: 'thermostat' },
        payload: Buffer.from(JSON.stringify(payload)),
    });
    await takeLatest(
        [
            message('1', 'th-1', 'main', { n: 1, t: START_MS, temp: 31.5, batt: 90, door: 'open' }),
            message('2', 'th-2', 'north', { n: 1, t: START_MS, temp: 20, batt: 80 }),
            message('3', 'th-3', 'main', { n: 1, t: START_MS, temp: 'warm' }),
        ],
        { stream: 's', state, profiles, clock: async () => live, now: clock.now },
    );
}

async function fillBoth(): Promise<void> {
    await mkdir(join(directory, '.flowlake/live'), { recursive: true });
    const home = openStateDatabase(liveFile(directory, 'state.sqlite'));
    await fill(home);
    home.close();
    await fill(openState());
}

const ALERT = `th-1~too-warm~${START_MS}`;

test.each([
    [['latest']],
    [['latest', '--site', 'main']],
    [['latest', '--limit', '2']],
    [['latest', '--limit', '3']],
    [['latest', '--state', 'silent']],
    [['latest', 'th-1']],
    [['latest', 'th-3']],
    [['latest', 'th-9']],
    [['latest', 'th-1', '--site', 'main']],
    [['alert', 'list']],
    [['alert', 'list', '--state', 'unacknowledged']],
    [['alert', 'list', '--device', 'th-2']],
    [['alert', 'list', '--limit', '1']],
    [['alert', 'acknowledge', ALERT, '--note', 'valve ordered']],
    [['alert', 'acknowledge', ALERT]],
    [['alert', 'acknowledge', 'th-1~too-warm~1', '--note', 'x']],
])('%j says the same as of a served lake, with the same exit code', async (words) => {
    await fillBoth();
    const home = await runIn(directory, words);
    const there = await run(...words);
    const { stderr } = home;
    expect({ ...home, stderr: stderr.replace('Nobody serves this lake now: this is how it was\n', '') }).toEqual(there);
    expect(await runIn(directory, ['alert', 'list'])).toMatchObject({ stdout: (await run('alert', 'list')).stdout });
});

test('shows what is there', async () => {
    await fill(openState());
    expect(await rowsOf('latest')).toMatchObject([
        { device: 'th-1', site: 'main', profile: 'thermostat', state: 'online', open_alerts: 1 },
        { device: 'th-2', site: 'north', state: 'online', open_alerts: 0 },
        { device: 'th-3', site: 'main' },
    ]);
    expect(await rowsOf('latest', 'th-1')).toMatchObject([
        { metric: 'battery', value: '90' },
        { metric: 'door', value: 'open' },
        { metric: 'temperature', value: '31.50', unit: 'Cel', measured_at: '2026-01-05 10:00:00.000' },
    ]);
    expect((await run('latest', 'th-9')).stderr).toContain('The nearest: th-1, th-2, th-3');
});

test('an acknowledgement is kept with its name, a second one is told who was first', async () => {
    await fill(openState());
    expect(await rowsOf('alert', 'list', '--state', 'unacknowledged')).toMatchObject([{ id: ALERT, acknowledged_by: null }]);
    expect(await run('alert', 'acknowledge', ALERT, '--note', 'valve ordered')).toEqual({
        exitCode: 0,
        stdout: '',
        stderr: 'Acknowledged by anna: valve ordered\n',
    });
    expect(await rowsOf('alert', 'list', '--state', 'unacknowledged')).toEqual([]);
    expect(await rowsOf('alert', 'list')).toMatchObject([{ id: ALERT, acknowledged_by: 'anna', note: 'valve ordered' }]);
    expect(await run('alert', 'acknowledge', ALERT, '--by', 'bert', '--note', 'mine')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('anna has acknowledged it before: valve ordered'),
    });
});

describe('a stage', () => {
    test.each([[['latest']], [['latest', 'th-1']], [['alert', 'list']], [['alert', 'acknowledge', ALERT, '--note', 'x']]])(
        'without telemetry: %j says what to do',
        async (words) => {
            deploy({ hasTelemetry: false });
            expect(await run(...words)).toMatchObject({
                exitCode: 1,
                stdout: '',
                stderr: expect.stringMatching(
                    /takes no live telemetry.*Say telemetry in the row of its stage .*npx cdk deploy -c stage=stage/,
                ),
            });
        },
    );

    test('whose telemetry is off shows how it was, and says so', async () => {
        await fill(openState());
        deploy({ isOn: false });
        expect(await run('latest', 'th-1')).toMatchObject({
            exitCode: 0,
            stdout: expect.stringContaining('31.50'),
            stderr: expect.stringContaining('Telemetry of this stage is off'),
        });
        expect((await run('status')).stderr).toContain('Telemetry of this stage is off');
    });
});

describe('status', () => {
    const openWatch = () => openCloudWatch({ client: table, table: 'stateTable' });
    const look = (watermarkMs: number) =>
        openWatch().noteLook({ nowMs: NOW_MS, watermarkMs, watchedSinceMs: START_MS, isPipelineLate: watermarkMs < NOW_MS });

    test('is content where latest state is level with the streams', async () => {
        await look(NOW_MS);
        const { exitCode, stderr } = await run('status');
        expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('wait for latest state') });
    });

    test('needs a person where messages wait for latest state', async () => {
        await look(START_MS);
        await openWatch().notePipeline({ kind: 'pipeline_late', since_ms: START_MS, why: 'a test' }, NOW_MS);
        expect(await run('status')).toMatchObject({
            exitCode: 1,
            stderr: expect.stringMatching(
                /wait for latest state for more than 30 s.*as it was at 2026-01-05T10:00:00.000Z.*\/flowlake\/stage\/watch/,
            ),
        });
    });
});

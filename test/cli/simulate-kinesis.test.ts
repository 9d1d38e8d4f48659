/** `flowlake simulate --to kinesis:` as a program beside the lake: what it put into the stream is accounted for once the chain has it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { commands } from '#cli/commands';
import { preparePrograms } from '#cli/commands/simulate/prepare-programs';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import { readCredentials } from '#lake/credentials';
import { readDevice } from '#lake/devices';
import { openLake } from '#lake/open-lake';
import type { ObjectStore } from '#lake/store/object-store';
import { openChainAppender } from '#lambdas/chain/append-batch';
import { kinesisRecord, testLog, testMetrics, testTime } from '#test/lambdas/surroundings';
import { type KinesisServer, startKinesisServer } from '#test/support/kinesis-server';
import { memoryDatasets } from '#test/support/memory-datasets';
import { fakeOutput, fakeWorld, runLine } from './fake-surroundings.ts';

let server: KinesisServer;
let folder: string;

beforeAll(async () => {
    server = await startKinesisServer();
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
});

afterAll(() => server.stop());

beforeEach(async () => {
    server.makeStream('programs');
    folder = await mkdtemp(join(tmpdir(), 'flowlake-kinesis-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (...words: string[]) =>
    runLine(words, { commands, world: fakeWorld({ environment: { AWS_ENDPOINT_URL_KINESIS: server.endpoint }, now: () => new Date() }) });

const simulate = (to: string, ...words: string[]) =>
    run('simulate', '--devices', '3', '--rate', '60', '--for', '1s', '--to', to, '--journal', join(folder, 'sent.jsonl'), ...words);

/** Appends what the stream holds to the chain of a lake in a directory, as the function does in a bucket. */
async function appendAll(store: ObjectStore): Promise<void> {
    const appender = openChainAppender({
        ...{ store, index: memoryDatasets(), devices: openDeviceLookup({ store, now: Date.now }) },
        sourceOf: () => 'programs',
        streamIdOf: async (stream) => `${stream}-1767000000`,
        assertOneBatchAtATime: async () => undefined,
        now: () => new Date(),
    });
    const records = server.records('programs').map((record) => kinesisRecord({ stream: 'programs', ...record }));
    await appender.append(records, { time: testTime(), log: testLog(), metrics: testMetrics() });
}

test('every message of a program is in the stream under its device, and accounted for once it is in the lake', async () => {
    const directory = join(folder, 'lake');
    const signal = new AbortController().signal;
    const lake = await openLake({ kind: 'directory', name: directory, directory }, { environment: {}, signal, mayBeNew: true });
    const store = await lake.store();
    const stderr = fakeOutput();
    for (const said of ['Programs may write as 3 more devices\n', '']) {
        stderr.text = '';
        // A deployed lake and this one have the same registry.
        await preparePrograms(['sim-0001', 'sim-0002', 'sim-0003'], { ...lake, kind: 's3' } as never, {
            now: () => new Date(0),
            stderr,
            signal,
        });
        expect(stderr.text).toBe(said);
    }
    expect(await readDevice(store, 'sim-0001')).toMatchObject([{ profile: 'simulated' }]);
    expect((await readCredentials(store, 'sim-0001')).programs).toHaveLength(1);
    // Some are refused at first.
    let refusals = 20;
    server.refuse(() => (refusals-- > 0 ? 'ProvisionedThroughputExceededException' : undefined));
    const { exitCode, stderr: told } = await simulate('kinesis:programs', '--faults', 'repeat=0.2,loss=0.1');
    expect([exitCode, told]).toEqual([0, expect.stringContaining('Rate exceeded for shard in stream programs')]);
    expect(new Set(server.records('programs').map(({ key }) => key))).toEqual(new Set(['sim-0001', 'sim-0002', 'sim-0003']));
    await appendAll(store);
    await lake.close();
    expect(await run('--lake', directory, 'reconcile')).toMatchObject({ exitCode: 0 });
    const { stdout } = await run('--lake', directory, '--output', 'json', 'delivery', '--journal', join(folder, 'sent.jsonl'));
    const all = JSON.parse(stdout).at(-1);
    expect(all).toMatchObject({ device: '(all)', lost: 0, waiting: 0, unacknowledged: 0, rejected: 0 });
    expect(all.received).toBe(all.sent);
    expect([all.repeated > 0, all.dropped > 0]).toEqual([true, true]);
});

test('a stream that is not there is refused, and an address that names none', async () => {
    const { exitCode, stderr } = await simulate('kinesis:nowhere');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('0 acknowledged')]);
    expect(await simulate('kinesis:a/b', '--journal', join(folder, 'other.jsonl'))).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('names no stream: write kinesis:flowlake-dev-programs'),
    });
});

test('a lake in a directory has no stream', async () => {
    await run('--lake', join(folder, 'lake'), 'device', 'add', 'th-1', '--profile', 'plain-json');
    const { exitCode, stderr } = await run(
        ...['--lake', join(folder, 'lake'), 'simulate', '--devices', '1', '--for', '1s', '--to', 'kinesis:programs'],
        ...['--journal', join(folder, 'sent.jsonl')],
    );
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('No stream leads into a lake in a directory')]);
});

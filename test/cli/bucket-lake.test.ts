/** The commands on a deployed lake, over the protocols of S3 and SQS; the Lambdas' batches work off what the queues hold, when the test lets them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { retract } from '#lake/commit/retract';
import { DEPLOYMENT_TAGS, TELEMETRY_TAGS } from '#lake/deployment';
import { siteOf } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import type { MessageQueue } from '#lake/queue/message-queue';
import { createSqsClient, openSqsQueue } from '#lake/queue/sqs';
import { readLakeStatus } from '#lake/reports/lake-status';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { openTryNotes } from '#lake/work/tries';
import { consolidateBatch } from '#lambdas/consolidate/consolidate-batch';
import { summarizeBatch } from '#lambdas/summarize/summarize-batch';
import { deliver, s3Event, testLog, testMetrics, testTime } from '#test/lambdas/surroundings';
import { findWrongAccounts } from '#test/support/accounts';
import { type S3Server, startS3Server } from '#test/support/s3-server';
import { countUp, readFigures, type SmallFile, smallFile } from '#test/support/small-files';
import { type SqsServer, startSqsServer } from '#test/support/sqs-server';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';

const BUCKET = 'lake';
const QUEUES = ['summarizeQueue', 'summarizeDeadLetters', 'consolidateQueue', 'consolidateDeadLetters'] as const;

let s3: S3Server;
let sqs: SqsServer;
let store: ObjectStore;
let queues: Record<(typeof QUEUES)[number], MessageQueue>;
let environment: Record<string, string>;
let folder: string;

beforeAll(async () => {
    s3 = await startS3Server();
    sqs = await startSqsServer();
    Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
});

afterAll(async () => {
    await s3.stop();
    await sqs.stop();
});

beforeEach(async () => {
    folder = await makeFolder();
    environment = { AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_ENDPOINT_URL_SQS: sqs.endpoint, XDG_CACHE_HOME: folder, HOME: folder };
    const names = Object.fromEntries(QUEUES.map((queue) => [queue, sqs.makeQueue({ isFifo: queue.startsWith('consolidate') })]));
    s3.makeBucket(BUCKET, {
        [DEPLOYMENT_TAGS.stage]: 'test',
        [DEPLOYMENT_TAGS.workgroup]: 'lake',
        ...Object.fromEntries(QUEUES.map((queue) => [DEPLOYMENT_TAGS[queue], names[queue] ?? ''])),
    });
    store = openS3Store({ bucket: BUCKET, client: createS3Client({ environment }) });
    const client = createSqsClient({ environment });
    queues = Object.fromEntries(QUEUES.map((queue) => [queue, openSqsQueue({ name: names[queue] ?? '', client })])) as typeof queues;
});

const FIRST = fileOf('01/02/2026', 10);
const SECOND = fileOf('02/02/2026', 20);

function fileOf(date: string, durationUs: number): SmallFile {
    return smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs, packets: 1 }], { rejects: 1 });
}

function run(...words: string[]) {
    return runLine(['--lake', `s3://${BUCKET}`, ...words], { world: fakeWorld({ environment, now: () => new Date() }) });
}

/** Stores files as `upload` does and does not wait; S3 tells nobody. */
async function upload(files: Record<string, SmallFile>): Promise<void> {
    for (const [name, { text }] of Object.entries(files)) {
        await writeFile(join(folder, name), text);
        const { exitCode, stderr } = await run('upload', join(folder, name), '--no-wait');
        expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    }
}

/** Runs both Lambdas once, each on what its queue holds. */
async function work(): Promise<void> {
    const options = { bucket: BUCKET, store, time: testTime(), now: () => new Date(), log: testLog(), metrics: testMetrics() };
    await deliver(queues.summarizeQueue, (records) => summarizeBatch(records, { ...options, ...queues }));
    await deliver(queues.consolidateQueue, (records) => consolidateBatch(records, { ...options, ...queues }));
}

async function waitingIn(queue: (typeof QUEUES)[number]): Promise<number> {
    return (await queues[queue].depth()).waiting;
}

async function expectFigures(files: Record<string, SmallFile>): Promise<void> {
    const wanted = countUp(Object.entries(files).map(([key, file]) => ({ file, site: siteOf(key), options: {} })));
    expect(await readFigures(store)).toEqual(wanted);
    expect(await findWrongAccounts(store)).toBeUndefined();
}

test('upload waits until its file is in the figures, and a second time finds it there', async () => {
    await writeFile(join(folder, 'a.csv'), FIRST.text);
    const uploading = run('upload', join(folder, 'a.csv'));
    while (!(await store.head('raw/a.csv'))) {
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await readFigures(store)).toEqual(new Map());
    await queues.summarizeQueue.send([{ body: s3Event(['raw/a.csv']) }]);
    await work();
    expect(await uploading).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/a\.csv.*added/) });
    await expectFigures({ 'raw/a.csv': FIRST });
    expect(await run('upload', join(folder, 'a.csv'))).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/a\.csv.*skipped/) });
});

test('upload refuses other bytes under a name, and the same under another, as in a directory', async () => {
    await upload({ 'a.csv': FIRST });
    await writeFile(join(folder, 'a.csv'), SECOND.text);
    expect(await run('upload', join(folder, 'a.csv'), '--no-wait')).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining('refused'),
    });
    await writeFile(join(folder, 'b.csv'), FIRST.text);
    expect(await run('upload', join(folder, 'b.csv'), '--no-wait')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('the same bytes are in the lake as raw/a.csv'),
    });
    expect(Buffer.from((await store.get('raw/a.csv'))?.bytes ?? []).toString()).toBe(FIRST.text);
});

test('reconcile sends what was lost, and changes nothing itself; with --dry-run it only tells', async () => {
    await upload({ 'a.csv': FIRST, 'b.csv': SECOND });
    expect((await run('reconcile', '--dry-run')).stdout).toMatch(/to summarize +raw\/a\.csv\n.*to summarize +raw\/b\.csv/);
    expect(await waitingIn('summarizeQueue')).toBe(0);
    expect(await run('reconcile')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/sent to be summarized +raw\/a\.csv/) });
    expect(await waitingIn('summarizeQueue')).toBe(2);
    await work();
    await expectFigures({ 'raw/a.csv': FIRST, 'raw/b.csv': SECOND });
    expect((await run('reconcile')).stderr).toContain('Nothing is undone');
});

test('a corrected profile is read by again by the workers, whom S3 tells of its pointer; what is pruned is counted and stays', async () => {
    const profile = {
        name: 'room',
        device: { path: 'id' },
        time: { path: 't', unit: 's' },
        metrics: [{ name: 'temp', path: 'c', digits: 1 }],
    };
    const path = join(folder, 'room.json');
    const add = async (document: object) => {
        await writeFile(path, JSON.stringify(document));
        return run('profile', 'add', path);
    };
    expect(await add(profile)).toEqual({ exitCode: 0, stdout: '', stderr: 'Added version 1 of profile room\n' });
    const keys = ['one', 'two'].map((name) => `raw/kind=telemetry/${name}.jsonl`);
    for (const [at, name] of ['one', 'two'].entries()) {
        await writeFile(join(folder, `${name}.jsonl`), `{"id": "a7", "t": ${1767225600 + at * 86400}, "c": 21.5}\n`);
        await run('upload', '--kind', 'telemetry', '--profile', 'room', '--no-wait', join(folder, `${name}.jsonl`));
    }
    await queues.summarizeQueue.send([{ body: s3Event(keys.map((key) => key.replace('=', '%3D'))) }]);
    await work();
    await store.delete(keys[0]!);
    expect(await add({ ...profile, metrics: [{ name: 'temperature', path: 'c', digits: 1 }] })).toEqual({
        exitCode: 0,
        stdout: '',
        stderr:
            'Added version 2 of profile room\nThe workers of the lake read 1 source of 1 day again; flowlake status says what still waits\n' +
            '1 source of 1 day stays as read before: the raw files were pruned\n',
    });
    const behind = async () => (await readLakeStatus(store, { now: new Date() })).problems.filter(({ kind }) => kind === 'behind');
    expect(await behind()).toEqual([{ kind: 'behind', subjects: [keys[1]] }]);
    await queues.summarizeQueue.send([{ body: s3Event(['profiles/room/2.json', 'profiles/room.json']) }]);
    await deliver(queues.summarizeQueue, (records) =>
        summarizeBatch(records, {
            bucket: BUCKET,
            store,
            time: testTime(),
            now: () => new Date(),
            log: testLog(),
            metrics: testMetrics(),
            ...queues,
        }),
    );
    expect(await waitingIn('summarizeQueue')).toBe(2);
    await work();
    const inputs = await Promise.all(keys.map(async (key) => (await readLedger(store, sourceId(key))).record?.inputs));
    expect(inputs).toEqual([{ room: 1 }, { room: 2 }]);
    expect(await behind()).toEqual([]);
});

test('reconcile finishes a retraction that was cut off: what can never count goes before days are looked at', async () => {
    await upload({ 'a.csv': FIRST, 'b.csv': SECOND });
    await run('reconcile', '--here');
    const [summary = ''] = await keysOf('summaries/');
    const cut: ObjectStore = { ...store, delete: () => Promise.reject(new Error('killed')) };
    await expect(retract('raw/a.csv', { store: cut, now: () => new Date() })).rejects.toThrow('killed');
    // While its summary is there, the day still has just what it contains.
    expect((await run('reconcile', '--dry-run')).stdout).toContain(summary);
    const { stdout } = await run('reconcile');
    expect(stdout).toContain(summary);
    expect(stdout).toMatch(/sent to be consolidated +2026-02-01/);
    await work();
    await expectFigures({ 'raw/b.csv': SECOND });
});

test('reconcile --here does the work itself, and one file that fails does not stop the rest', async () => {
    await upload({ 'a.csv': FIRST, 'b.csv': SECOND });
    expect(await run('reconcile', '--here')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/summarized +raw\/a\.csv/) });
    expect([await waitingIn('summarizeQueue'), await waitingIn('consolidateQueue')]).toEqual([0, 0]);
    await expectFigures({ 'raw/a.csv': FIRST, 'raw/b.csv': SECOND });
    // What was counted goes out again with what can never count, in one go.
    const [summary = '', other = ''] = await keysOf('summaries/');
    await store.put(other.replace(/\.1-[0-9a-f]+/, '.1-0123456789abcdef'), (await store.get(summary))?.bytes ?? new Uint8Array());
    await store.delete('pair_days/day=2026-02-01/part-00.parquet');
    await store.put(summary, Buffer.from('damaged'));
    await store.delete('pair_days/day=2026-02-02/part-00.parquet');
    const failed = await run('reconcile', '--here');
    expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cannot be read as Parquet') });
    expect([...(await readFigures(store)).keys()]).toEqual(['2026-02-02 main 10.0.0.1 10.0.0.2']);
    expect(await keysOf('summaries/')).toEqual([summary, other]);
});

test('retract takes a source out and waits until its days are without it', async () => {
    await upload({ 'a.csv': FIRST, 'b.csv': SECOND });
    await run('reconcile', '--here');
    const retracting = run('retract', 'a.csv');
    while ((await waitingIn('consolidateQueue')) === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await work();
    expect(await retracting).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Took 1 row of raw/a.csv out of 1 day') });
    await expectFigures({ 'raw/b.csv': SECOND });
    expect((await run('retract', 'a.csv')).stderr).toContain('raw/a.csv is retracted already');
});

test('redrive brings the dead letters of both queues back to be worked on', async () => {
    await upload({ 'a.csv': FIRST });
    await queues.summarizeDeadLetters.send([{ body: s3Event(['raw/a.csv']) }]);
    await queues.consolidateDeadLetters.send([{ body: '{"day":"2026-02-01","uploaded_at":"2026-02-01T00:00:00Z"}', group: '2026-02-01' }]);
    expect((await run('redrive', '--output', 'json')).stdout.replaceAll(/\s/g, '')).toContain('"queue":"summarize","redriven":1');
    expect([await waitingIn('summarizeDeadLetters'), await waitingIn('consolidateDeadLetters')]).toEqual([0, 0]);
    await work();
    await work();
    await expectFigures({ 'raw/a.csv': FIRST });
});

test('a damaged day: status says what fails and until when it waits, and redrive --now has it tried at once when it is mended', async () => {
    await upload({ 'a.csv': FIRST });
    const { summarizeQueue, consolidateQueue } = queues;
    const options = { bucket: BUCKET, store, maxTries: 12, now: () => new Date(), log: testLog(), metrics: testMetrics() };
    await summarizeQueue.send([{ body: s3Event(['raw/a.csv']) }]);
    await deliver(summarizeQueue, (records) => summarizeBatch(records, { ...options, ...queues, time: testTime() }));
    const object = 'pair_days/day=2026-02-01/part-00.parquet';
    await store.put(object, Buffer.from('rubbish'));
    const consolidateNow = () =>
        deliver(consolidateQueue, (records) => consolidateBatch(records, { ...options, ...queues, time: testTime() }));
    // Objects have times of whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await consolidateNow()).toHaveLength(1);
    const { exitCode, stderr } = await run('status');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/pair_days 2026-02-01: tried 1 of 12 times, last error: .*cannot be read as Parquet.*next try at .* UTC \(in /);
    expect(await consolidateNow()).toEqual([]);
    expect(await waitingIn('consolidateQueue')).toBe(0);
    await store.delete(object);
    expect(JSON.parse((await run('redrive', '--now', '--output', 'json')).stdout)).toEqual([
        { queue: 'summarize', freed: 0 },
        { queue: 'consolidate', freed: 1 },
    ]);
    expect(await waitingIn('consolidateQueue')).toBe(1);
    await consolidateNow();
    await expectFigures({ 'raw/a.csv': FIRST });
    // No CloudWatch is there: that is said, and hides nothing.
    const after = await run('status');
    expect(after.stderr).toMatch(/^How long messages have waited is not known: .*CloudWatch/m);
    expect(after.stderr).toMatch(/^consolidate queue: 0 waiting, 0 in work or between tries$/m);
    expect(after.stderr).not.toContain('tried');
    expect(await keysOf('tries/')).toEqual([]);
});

test('dead letters are listed with what each is of and its error, shown, dropped, and brought back one by one', async () => {
    await upload({ 'a.csv': FIRST });
    const notes = openTryNotes(store, { queue: 'summarize', maxTries: 1, now: () => new Date() });
    await notes.failed('raw/a.csv', { tries: 1, receipts: [], error: 'S3 is away', afterSeconds: 10 });
    await queues.summarizeDeadLetters.send([{ body: s3Event(['raw/a.csv']) }, { body: '{"hello":"secret"}' }]);
    await queues.consolidateDeadLetters.send([{ body: 'no json', group: 'x' }]);
    const listed = await run('dead-letters', 'list', '--output', 'json');
    expect(listed.exitCode).toBe(1);
    const letters: { id: string; queue: string; subject: string | null; error: string }[] = JSON.parse(listed.stdout);
    expect(letters.map(({ queue, subject, error }) => [queue, subject, error]).sort()).toEqual([
        ['consolidate', null, 'the message is no JSON'],
        ['summarize', null, 'the message is no S3 event notification: it has no Records'],
        ['summarize', 'raw/a.csv', 'S3 is away'],
    ]);
    const [ofFile, rubbish, other] = ['raw/a.csv', null, null].map(
        (subject, at) => letters.filter((one) => one.subject === subject)[at === 2 ? 1 : 0]!.id,
    );
    expect((await run('dead-letters', 'show', rubbish!)).stdout).toContain('body: {"hello":"secret"}');
    const dropped = await run('dead-letters', 'drop', rubbish!);
    expect(dropped).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Dropped 1 dead letter') });
    expect(await run('dead-letters', 'drop', rubbish!)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(`There is no dead letter ${rubbish}`),
    });
    expect(JSON.parse((await run('redrive', ofFile!, '--output', 'json')).stdout)).toEqual([{ queue: 'summarize', redriven: 1 }]);
    expect(await run('redrive', other!, '--now')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('give one of them') });
    expect([await waitingIn('summarizeDeadLetters'), await waitingIn('consolidateDeadLetters')]).toEqual([0, 1]);
    expect(await keysOf('tries/')).toEqual([]);
    await work();
    await work();
    await expectFigures({ 'raw/a.csv': FIRST });
    const inDirectory = await runLine(['--lake', folder, 'dead-letters', 'list'], { world: fakeWorld({ environment }) });
    expect(inDirectory).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no queues, and no dead letters') });
});

test('cost tells what is kept and the calls of the files that came, and says what it does not know', async () => {
    await upload({ 'a.csv': FIRST });
    await run('reconcile', '--here');
    const { exitCode, stdout, stderr } = await run('cost', '--output', 'json');
    const rows: Record<string, unknown>[] = JSON.parse(stdout);
    expect(rows.find(({ item }) => item === 'raw/')).toEqual({
        item: 'raw/',
        storage_class: 'STANDARD',
        count: 1,
        size_bytes: Buffer.byteLength(FIRST.text),
        usd_a_month: expect.stringMatching(/^0\.00000[1-9]$/),
    });
    expect(rows.find(({ item }) => item === 'calls that put or list')).toMatchObject({ count: 6, usd_a_month: '0.000030' });
    expect(rows.find(({ item }) => item === 'scanned by Athena')).toMatchObject({ size_bytes: null, usd_a_month: null });
    expect([exitCode, stderr]).toEqual([
        1,
        expect.stringMatching(
            /^What was scanned is not known: .*CloudWatch[^\n]*\n.* kept; together \$0\.\d{6} a month by list prices, without scanned by Athena/,
        ),
    ]);
});

test('with live telemetry there are two queues more: status counts what waits there, and redrive brings their dead letters back', async () => {
    const parts = ['hoursQueue', 'hoursDeadLetters', 'givenUpQueue', 'givenUpDeadLetters'] as const;
    const names = Object.fromEntries(parts.map((part) => [part, sqs.makeQueue({ isFifo: part.startsWith('hours') })]));
    const tags = { ...Object.fromEntries(Object.entries(TELEMETRY_TAGS).map(([part, tag]) => [tag, names[part] ?? part])) };
    const flows = Object.fromEntries(QUEUES.map((queue) => [DEPLOYMENT_TAGS[queue], queues[queue].name]));
    s3.makeBucket('live', { [DEPLOYMENT_TAGS.stage]: 'test', ...flows, ...tags });
    const client = createSqsClient({ environment });
    await openSqsQueue({ name: names.hoursQueue ?? '', client }).send([{ body: 'x', group: 'x' }]);
    await openSqsQueue({ name: names.hoursDeadLetters ?? '', client }).send([{ body: 'y', group: 'y' }]);
    await openSqsQueue({ name: names.givenUpDeadLetters ?? '', client }).send([{ body: 'z' }]);
    const world = fakeWorld({ environment, now: () => new Date() });
    const redriven = await runLine(['--lake', 's3://live', 'redrive', '--output', 'json'], { world });
    expect(JSON.parse(redriven.stdout)).toEqual([
        { queue: 'summarize', redriven: 0 },
        { queue: 'consolidate', redriven: 0 },
        { queue: 'hours', redriven: 1 },
        { queue: 'given-up', redriven: 1 },
    ]);
    expect((await openSqsQueue({ name: names.hoursQueue ?? '', client }).depth()).waiting).toBe(2);
    expect((await openSqsQueue({ name: names.givenUpQueue ?? '', client }).depth()).waiting).toBe(1);
    const world2 = fakeWorld({ environment, now: () => new Date() });
    const missing = Object.fromEntries(Object.entries(tags).filter(([tag]) => tag !== TELEMETRY_TAGS.hoursQueue));
    s3.makeBucket('half', { [DEPLOYMENT_TAGS.stage]: 'test', ...flows, ...missing });
    expect(await runLine(['--lake', 's3://half', 'redrive'], { world: world2 })).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('the bucket has no tag flowlake:hours-queue'),
    });
});

async function keysOf(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) {
        keys.push(key);
    }
    return keys;
}

test('the same flows under two names count in a bucket: upload says so once they are in the figures, and status after', async () => {
    const [plain, packed] = [join(folder, 'input.csv'), join(folder, 'input.csv.gz')];
    await writeFile(plain, FIRST.text);
    await writeFile(packed, gzipSync(FIRST.text));
    const waiting = run('upload', plain, packed);
    // What S3 would tell the queue once both are stored.
    while ((await store.head('raw/input.csv.gz')) === undefined || (await store.head('raw/input.csv')) === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await queues.summarizeQueue.send([{ body: s3Event(['raw/input.csv']) }, { body: s3Event(['raw/input.csv.gz']) }]);
    await work();
    const { exitCode, stdout, stderr } = await waiting;
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/added[\s\S]*added/) });
    expect(stderr).toMatch(/its figures are those of raw\/input\.csv, .*flowlake retract raw\/input\.csv\.gz/);
    const { twins } = await readLakeStatus(store, { now: new Date() });
    expect(twins).toEqual([{ how: 'same', sources: ['raw/input.csv', 'raw/input.csv.gz'] }]);
    const tried = await run('upload', '--dry-run', '--as', 'third.csv', plain);
    expect([tried.exitCode, tried.stderr]).toEqual([1, expect.stringContaining('the same bytes are in the lake as raw/input.csv')]);
    expect(await store.head('raw/third.csv')).toBeUndefined();
});

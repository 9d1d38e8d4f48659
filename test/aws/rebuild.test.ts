/** `flowlake rebuild` on the lake as it is deployed: the deployed job, script and modules, in a real Spark, started and followed by the program. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetBucketTaggingCommand, PutBucketTaggingCommand } from '@aws-sdk/client-s3';
import { bucket, environment, s3, settled, store, until } from '#test/aws/support/deployed';
import { startGlue } from '#test/aws/support/glue';
import { flowCsv } from '#test/support/flow-csv';
import { pairDaysKey, readPairRows } from '#test/support/flow-tables';
import { collect, type Ran, runFlowlake, startFlowlake } from '#test/support/flowlake';
import type { GlueServer } from '#test/support/glue-server';
import { makeFolder } from '#test/support/temporary';

const JOB = 'flowlake-dev-consolidate-days';
const [FIRST, SECOND, THIRD] = ['2025-06-01', '2025-06-02', '2025-06-03'] as const;

/** Deploying took its time already; Spark starts in half a minute on a busy machine. */
const SPARK_MS = 400_000;

let glue: GlueServer;
let folder: string;

beforeAll(async () => {
    folder = await makeFolder();
    glue = await startGlue({ environment: process.env, folder });
    const captures = join(folder, 'rebuild');
    await mkdir(captures);
    for (const [at, name] of ['rebuild-a.csv', 'rebuild-b.csv'].entries()) {
        const rows = ['01/06/2025', '02/06/2025', '03/06/2025'].flatMap((timestamp) =>
            [1, 2, 3].map((host) => ({ timestamp, src: `10.66.${at}.${host}`, duration: 1000 * host + at })),
        );
        await writeFile(join(captures, name), flowCsv(rows));
    }
    const uploaded = await flowlake('upload rebuild');
    expect(uploaded).toMatchObject({ exitCode: 0 });
    await settled();
});

/** What the damaged day was, until the job has mended it. */
let wholeDay: Uint8Array | undefined;

afterAll(async () => {
    await glue?.stop();
    // Other tests of this deployment would fail on it too.
    if (wholeDay !== undefined) {
        await store.put(pairDaysKey(SECOND), wholeDay);
    }
});

function surroundings() {
    return { folder, environment: { ...environment, HOME: folder, AWS_ENDPOINT_URL_GLUE: glue.url } };
}

function flowlake(line: string): Promise<Ran> {
    return runFlowlake(line, surroundings());
}

async function rowsOf(day: string) {
    return readPairRows((await store.get(pairDaysKey(day)))?.bytes ?? new Uint8Array());
}

const started = (): number => glue.calls.filter((action) => action === 'StartJobRun').length;

test('a dry run tells of each day and starts nothing', async () => {
    const { exitCode, stdout } = await flowlake(`--output json rebuild --from ${FIRST} --to ${THIRD} --dry-run`);
    expect([exitCode, JSON.parse(stdout)]).toEqual([
        0,
        [FIRST, SECOND, THIRD].map((period) => ({ table: 'pair_days', period, what: 'is right', sources: 2, rows: null })),
    ]);
    expect(started()).toBe(0);
});

test(
    'the deployed job does what is left, names what it cannot do, and mends that with --anew',
    async () => {
        const before = await Promise.all([FIRST, SECOND, THIRD].map(rowsOf));
        wholeDay = (await store.get(pairDaysKey(SECOND)))?.bytes;
        await store.put(pairDaysKey(SECOND), Buffer.from('damaged by somebody'));
        await store.delete(pairDaysKey(THIRD));

        const failed = await flowlake(`--output json rebuild --from ${FIRST} --to ${THIRD}`);
        expect(failed.exitCode).toBe(1);
        expect(failed.stderr).toContain(`Started run jr_1 of Glue job ${JOB}\n`);
        expect(failed.stderr).toContain('Glue has started it again as jr_1_attempt_1\n');
        expect(failed.stderr).toMatch(
            new RegExp(`1 of 3 days failed \\(${SECOND}\\).* failed: RuntimeError: 1 period failed, .*flowlake rebuild --anew`),
        );
        const days: { table: string; period: string; what: string }[] = JSON.parse(failed.stdout);
        expect(days.map(({ table, period, what }) => [table, period, what.slice(0, 9)])).toEqual([
            ['pair_days', FIRST, 'was right'],
            ['pair_days', SECOND, 'failed: S'],
            ['pair_days', THIRD, 'written'],
        ]);

        // Ctrl-C, and the same once more: one run of the job, which knows nothing of either.
        const anew = `--output json rebuild --from ${SECOND} --to ${SECOND} --anew`;
        const child = startFlowlake(anew, surroundings());
        let said = '';
        child.stderr?.setEncoding('utf8').on('data', (text: string) => {
            said += text;
        });
        const interrupted = collect(child);
        await until(async () => said.includes('Started run jr_'), 'the job is started');
        child.kill('SIGINT');
        expect(await interrupted).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('The job goes on without this command') });
        const other = await flowlake(`rebuild --from ${FIRST} --to ${THIRD} --anew`);
        expect(other).toMatchObject({
            exitCode: 1,
            stderr: expect.stringMatching(new RegExp(`is at other work: run jr_\\d \\(--from ${SECOND} `)),
        });
        const mended = await flowlake(anew);
        expect(mended.stderr).toMatch(/^Run jr_\d of Glue job .* is at this work already: following it\n$/);
        expect([mended.exitCode, JSON.parse(mended.stdout)]).toEqual([
            0,
            [{ table: 'pair_days', period: SECOND, what: 'written', sources: 2, rows: 6 }],
        ]);
        expect(await Promise.all([FIRST, SECOND, THIRD].map(rowsOf))).toEqual(before);
        wholeDay = undefined;
    },
    SPARK_MS,
);

test('a lake that was deployed by an earlier version, which named no job, is told to be deployed again', async () => {
    const { TagSet = [] } = await s3.send(new GetBucketTaggingCommand({ Bucket: bucket }));
    const older = TagSet.filter(({ Key }) => Key !== 'flowlake:consolidate-days-job');
    expect(older).toHaveLength(TagSet.length - 1);
    await s3.send(new PutBucketTaggingCommand({ Bucket: bucket, Tagging: { TagSet: older } }));
    try {
        const before = started();
        const { exitCode, stderr } = await flowlake(`rebuild --from ${FIRST} --to ${THIRD}`);
        expect([exitCode, stderr]).toEqual([
            1,
            `flowlake: Bucket ${bucket} has no tag flowlake:consolidate-days-job: its lake was deployed by an earlier version; ` +
                'deploy it again (npx cdk deploy -c stage=dev)\n',
        ]);
        expect(started()).toBe(before);
    } finally {
        await s3.send(new PutBucketTaggingCommand({ Bucket: bucket, Tagging: { TagSet } }));
    }
});

test('doctor finds the job as it is deployed', async () => {
    const { stdout } = await flowlake('--output json doctor');
    const findings: { check: string; result: string; found: string }[] = JSON.parse(stdout);
    expect(findings.find(({ check }) => check === 'consolidate-days job')).toMatchObject({
        result: 'ok',
        found: `${JOB}: Glue 5.0, 4 workers, up to 120 minutes`,
    });
});

/** A period that is too large for the function that consolidates is handed to the Spark job, which runs once at a time. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createGlueClient, openGlueJobRuns } from '#lake/jobs/glue';
import type { ObjectStore } from '#lake/store/object-store';
import { periodMessage } from '#lake/work/messages';
import { consolidateBatch } from '#lambdas/consolidate/consolidate-batch';
import { type GlueServer, startGlueServer } from '#test/support/glue-server';
import { memoryStore } from '#test/support/memory-store';
import { sqsRecord, testLog, testMetrics, testTime } from './surroundings.ts';

const JOB = 'flowlake-dev-consolidate-days';
const HOUR = { table: 'readings', period: '2026-01-05T13' };
const NOW = new Date('2026-01-06T00:00:00Z');

let glue: GlueServer;
/** Ends the run that is under way. */
let endRun: () => void;

beforeEach(async () => {
    glue = await startGlueServer({
        describe: async (name) => (name === JOB ? { maxConcurrentRuns: 1 } : undefined),
        run: () =>
            new Promise((resolve) => {
                endRun = resolve;
            }),
    });
});

afterEach(() => glue.stop());

/** Works on messages of a period with a store whose time runs out at the first look, or that is in order. */
async function work({
    of = HOUR,
    receiveCount = 1,
    isSlow = true,
    job = JOB,
}: {
    of?: typeof HOUR;
    receiveCount?: number;
    isSlow?: boolean;
    job?: string;
} = {}) {
    const environment = { AWS_ENDPOINT_URL_GLUE: glue.url, AWS_REGION: 'us-east-1' };
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    const time = testTime();
    const store: ObjectStore = memoryStore();
    const takeLong = (): never => {
        time.runOut();
        throw time.signal.reason;
    };
    const slow: ObjectStore = {
        ...store,
        list: takeLong,
        head: async () => takeLong(),
        get: async () => takeLong(),
        readEnd: async () => takeLong(),
    };
    const log = testLog();
    const metrics = testMetrics();
    const { batchItemFailures } = await consolidateBatch([sqsRecord({ body: periodMessage({ ...of, uploadedAt: NOW }), receiveCount })], {
        ...{ bucket: 'lake', store: isSlow ? slow : store, time, now: () => NOW, log, metrics },
        consolidateQueue: { send: async () => undefined, changeVisibility: async () => undefined },
        largeJob: openGlueJobRuns({ name: job, client: createGlueClient({ environment, region: 'us-east-1' }) }),
    });
    return { failed: batchItemFailures.length, started: metrics.values.JobsStarted, said: log.lines.map(({ message }) => message) };
}

const started = () => glue.runs.map(({ JobName, Arguments }) => ({ JobName, Arguments }));

const OF_THE_DAY = { JobName: JOB, Arguments: { '--from': '2026-01-05', '--to': '2026-01-05' } };

test('a period that needs more time than the function has is the job’s, and its message comes back to see', async () => {
    expect(await work()).toMatchObject({
        failed: 1,
        started: [1],
        said: [expect.stringContaining('needs more time'), 'handed over to the job'],
    });
    expect(started()).toEqual([OF_THE_DAY]);
    // While the job is at it, nobody starts it again.
    expect(await work()).toMatchObject({
        failed: 1,
        started: [0],
        said: [expect.anything(), expect.stringContaining('the job is at other work')],
    });
    expect(started()).toHaveLength(1);
    endRun();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await work({ isSlow: false })).toMatchObject({ failed: 0 });
    expect(started()).toHaveLength(1);
});

test('a message that comes back for the sixth time may have taken its function’s memory along: the job is started before the next try', async () => {
    for (const receiveCount of [1, 5]) {
        expect(await work({ receiveCount, isSlow: false })).toMatchObject({ failed: 0, started: undefined });
    }
    expect(await work({ receiveCount: 6, isSlow: false })).toMatchObject({ failed: 0, started: [1] });
    expect(started()).toEqual([OF_THE_DAY]);
});

test('a day of a table that is derived is no job’s: the log says what to type', async () => {
    expect(await work({ of: { table: 'episodes', period: '2026-01-05' } })).toMatchObject({
        failed: 1,
        said: [expect.stringContaining('reconcile --here')],
    });
    expect(started()).toEqual([]);
});

test('a job that cannot be started is said, and the period is tried again', async () => {
    expect(await work({ job: 'none' })).toMatchObject({
        failed: 1,
        said: [expect.stringContaining('needs more time'), expect.stringContaining('could not be handed over')],
    });
});

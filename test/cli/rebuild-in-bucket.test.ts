/** `rebuild` on a deployed lake: the job is started once, followed to its end, and what came of each day is told from its report. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Failure } from '#cli/command';
import { runPeriodsJob } from '#cli/run-periods-job';
import { createGlueClient, openGlueJobRuns } from '#lake/jobs/glue';
import type { BucketLake } from '#lake/lake';
import type { ObjectStore } from '#lake/store/object-store';
import { fakeOutput, fakeWorld } from '#test/cli/fake-surroundings';
import { type GlueServer, type GlueServerOptions, RunEnd, startGlueServer } from '#test/support/glue-server';
import { memoryStore } from '#test/support/memory-store';

const JOB = 'flowlake-dev-consolidate-days';

let server: GlueServer;
let store: ObjectStore;
let work: GlueServerOptions['run'];
let interruption: AbortController;

beforeEach(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    store = memoryStore();
    work = async () => undefined;
    interruption = new AbortController();
    server = await startGlueServer({
        describe: async (name) => (name === JOB ? { timeoutMinutes: 120, maxRetries: 1 } : undefined),
        run: (run) => work(run),
        isRetryLate: true,
    });
});

afterEach(async () => {
    interruption.abort();
    await server.stop();
});

const WRITTEN = { day: '2026-01-05', what: 'written', sources: 2, pairs: 20312, failed: false };
const RIGHT = { day: '2026-01-06', what: 'was right', sources: 1, pairs: null, failed: false };
const FAILED = { day: '2026-01-07', what: 'failed: StorageError: damaged', sources: null, pairs: null, failed: true };

async function report(run: { arguments: Record<string, string> }, days: object[], days_total = 3): Promise<void> {
    await store.put(run.arguments['--report'] ?? 'nowhere', Buffer.from(JSON.stringify({ days_total, days })));
}

function rebuild({ isTerminal = false, wait = true, anew = false, output = 'json' as 'json' | 'table' } = {}) {
    const client = createGlueClient({ environment: { AWS_ENDPOINT_URL_GLUE: server.url }, region: 'us-east-1' });
    const lake = {
        kind: 's3',
        bucket: 'lake',
        store: async () => store,
        jobRuns: async () => openGlueJobRuns({ name: JOB, client }),
    } as unknown as BucketLake;
    const world = fakeWorld({ signal: interruption.signal, stderr: fakeOutput({ isTerminal, columns: 200 }) });
    const context = { ...world, output };
    const asked = { '--from': '2026-01-05', '--to': '2026-01-07', '--anew': String(anew), '--dry_run': 'false' };
    const done = runPeriodsJob(lake, { job: 'consolidateDaysJob', work: asked, wait, context });
    done.catch(() => undefined);
    return { done, world, rows: () => JSON.parse(world.stdout.text) };
}

/** Waits until the text has come. */
async function told(text: () => string, what: RegExp): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!what.test(text())) {
        if (Date.now() > deadline) {
            throw new Error(`not told ${what}, but: ${text()}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

/** Something that a test lets happen when it likes. */
function gate(): { opened: Promise<void>; open: (error?: Error) => void } {
    let open: (error?: Error) => void = () => undefined;
    const opened = new Promise<void>((resolve, reject) => {
        open = (error) => (error ? reject(error) : resolve());
    });
    return { opened, open };
}

test('the job gets the range and where to report, and each day of the report is a row', async () => {
    work = (run) => report(run, [WRITTEN, RIGHT], 2);
    const { done, rows, world } = rebuild({ anew: true });
    await done;
    expect(rows()).toEqual([
        { period: '2026-01-05', table: 'pair_days', what: 'written', sources: 2, rows: 20312 },
        { period: '2026-01-06', table: 'pair_days', what: 'was right', sources: 1, rows: null },
    ]);
    expect(world.stderr.text).toBe(`Started run jr_1 of Glue job ${JOB}\n`);
    expect(server.runs.map((run) => run.Arguments)).toEqual([
        {
            '--from': '2026-01-05',
            '--to': '2026-01-07',
            '--anew': 'true',
            '--dry_run': 'false',
            '--report': expect.stringMatching(/^_flowlake\/reports\/consolidate-days\/[0-9a-f-]{36}\.json$/),
        },
    ]);
});

test('a terminal shows the state of the run and how many days are done', async () => {
    const { opened, open } = gate();
    work = async (run) => {
        await report(run, [WRITTEN]);
        await opened;
    };
    const { done, world } = rebuild({ isTerminal: true });
    await told(() => world.stderr.text, new RegExp(`${JOB}: running, 1 of 3 days, \\d`));
    expect(world.stderr.text).toMatch(/waiting for its workers/);
    open();
    await done;
});

test('with --no-wait the run is told and left to itself', async () => {
    work = () => new Promise(() => undefined);
    const { done, rows } = rebuild({ wait: false });
    await done;
    expect(rows()).toEqual([{ job: JOB, run: 'jr_1' }]);
    expect(server.calls).toEqual(['StartJobRun']);
});

describe('a run that is there already', () => {
    test('at the same work is followed, and that is said', async () => {
        const { opened, open } = gate();
        work = async (run) => {
            await report(run, [WRITTEN, RIGHT], 2);
            await opened;
        };
        const first = rebuild();
        await told(() => first.world.stderr.text, /Started run jr_1/);
        const second = rebuild();
        await told(() => second.world.stderr.text, /^Run jr_1 of Glue job .* is at this work already: following it\n/);
        open();
        await Promise.all([first.done, second.done]);
        expect(second.rows()).toEqual(first.rows());
        expect(server.runs).toHaveLength(1);
    });

    test('at other work is named, with how to stop it', async () => {
        work = () => new Promise(() => undefined);
        await rebuild({ wait: false }).done;
        const { done } = rebuild({ anew: true });
        await expect(done).rejects.toThrow(Failure);
        await expect(done).rejects.toThrow(
            /is at other work: run jr_1 \(--from 2026-01-05 --to 2026-01-07 --report .*aws glue batch-stop-job-run --job-name .* --job-run-ids jr_1$/,
        );
    });
});

describe('a run that fails', () => {
    test('tells which days failed and what the job says; the others are rows too', async () => {
        work = async (run) => {
            await report(run, [WRITTEN, RIGHT, FAILED]);
            throw new Error('RuntimeError: 1 day failed, the others are done: 2026-01-07: damaged');
        };
        const { done, world, rows } = rebuild();
        await expect(done).rejects.toThrow(Failure);
        await expect(done).rejects.toThrow(
            /^1 of 3 days failed \(2026-01-07\), the others are done.*Run jr_1_attempt_1 of Glue job .* failed: RuntimeError: 1 day failed, .*damaged$/,
        );
        expect(rows().map(({ what }: { what: string }) => what)).toEqual(['written', 'was right', 'failed: StorageError: damaged']);
        expect(world.stderr.text).toContain('Run jr_1 failed; Glue has started it again as jr_1_attempt_1\n');
    });

    test('once and succeeds when Glue starts it again is no failure', async () => {
        let attempts = 0;
        work = async (run) => {
            attempts += 1;
            if (attempts === 1) {
                throw new Error('lost a worker');
            }
            await report(run, [WRITTEN], 1);
        };
        const { done, rows } = rebuild();
        await done;
        expect(rows()).toHaveLength(1);
    });

    test('before it could report gives its reason alone', async () => {
        work = async () => {
            throw new Error('UsageError: no such argument');
        };
        await expect(rebuild().done).rejects.toThrow(/^Run jr_1_attempt_1 of Glue job .* failed: UsageError: no such argument$/);
    });

    test.each([
        [
            'TIMEOUT',
            /was stopped at its time limit of 120 minutes \(job\.timeoutMinutes in cdk\/config\.ts\).*does the rest \(1 of 3 days were done\)$/,
        ],
        ['STOPPED', /was stopped by somebody: what it had done stays.*\(1 of 3 days were done\)$/],
        ['EXPIRED', /no workers were free in time/],
        ['ERROR', /was ended by an error of Glue: as Glue says it/],
    ])('as %s is told in a sentence of its own', async (state, words) => {
        work = async (run) => {
            await report(run, [WRITTEN]);
            throw new RunEnd(state, state === 'ERROR' ? 'as Glue says it' : undefined);
        };
        const { done, rows } = rebuild();
        await expect(done).rejects.toThrow(words);
        expect(rows()).toHaveLength(1);
    });
});

test('Ctrl-C leaves the job at work, and says how to look at it and to stop it', async () => {
    work = () => new Promise(() => undefined);
    const { done, world } = rebuild();
    await told(() => server.calls.join(), /GetJobRun/);
    interruption.abort();
    await expect(done).rejects.toThrow();
    expect(world.stderr.text).toContain('The job goes on without this command, as run jr_1. The same command follows it again.');
    expect(world.stderr.text).toMatch(new RegExp(`aws glue get-job-run --job-name ${JOB} --run-id jr_1\\n.*batch-stop-job-run .* jr_1\\n`));
    expect(server.runs.map((run) => run.JobRunState)).toEqual(['RUNNING']);
});

test('a run that left no report is a failure that says where to look', async () => {
    const { done } = rebuild({ output: 'table' });
    await expect(done).rejects.toThrow(
        `Run jr_1 is over and left no report: nothing says that it did anything. Its log tells what it did (aws glue get-job-run --job-name ${JOB} --run-id jr_1 names it), flowlake status what is undone`,
    );
});

test('a report that is none is an error that names it', async () => {
    work = async (run) => void (await store.put(run.arguments['--report'] ?? '', Buffer.from('{"days_total": 3, "days": [{"day": 7}]}')));
    await expect(rebuild().done).rejects.toThrow(/^_flowlake\/reports\/.*\.json is no report of a job \(a period without/);
});

/** The real SDK against a server that speaks Glue's protocol: what it says of runs, and what its refusals mean for people. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { StorageError } from '#lake/errors';
import { createGlueClient, openGlueJobRuns } from '#lake/jobs/glue';
import { isOver, type JobRuns } from '#lake/jobs/job-runs';
import { type GlueServer, RunEnd, startGlueServer } from '#test/support/glue-server';

let server: GlueServer;
let runs: JobRuns;
/** Ends the run that was started last. */
let end: (error?: Error) => void;

beforeEach(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    server = await startGlueServer({
        describe: async (name) => (name === 'job' ? { timeoutMinutes: 120, maxRetries: 1 } : undefined),
        run: () =>
            new Promise<void>((resolve, reject) => {
                end = (error) => (error ? reject(error) : resolve());
            }),
    });
    runs = open('job');
});

afterEach(() => server.stop());

function open(name: string): JobRuns {
    const client = createGlueClient({ environment: { AWS_ENDPOINT_URL_GLUE: server.url }, region: 'us-east-1' });
    return openGlueJobRuns({ name, client });
}

test('a run is started with its arguments, and what Glue says of it comes over', async () => {
    const id = await runs.start({ '--from': '2026-01-01' });
    expect(await runs.look(id ?? '')).toEqual({
        id,
        state: 'waiting',
        arguments: { '--from': '2026-01-01' },
        attempt: 0,
        previousRunId: undefined,
        startedAt: expect.any(Date),
        message: undefined,
        timeoutMinutes: 120,
    });
    expect(await runs.look(id ?? '')).toMatchObject({ state: 'running' });
    end();
    const over = await runs.look(id ?? '');
    expect([over.state, isOver(over)]).toEqual(['succeeded', true]);
});

test('a job that runs as often as it may is no error', async () => {
    const id = await runs.start({});
    expect(await runs.start({})).toBeUndefined();
    expect((await runs.newest()).map((run) => [run.id, isOver(run)])).toEqual([[id, false]]);
});

test.each([
    ['TIMEOUT', 'timed out'],
    ['STOPPED', 'stopped'],
    ['EXPIRED', 'expired'],
    ['ERROR', 'broken'],
])('a run that ends as %s is %s, with what Glue says', async (state, expected) => {
    const id = (await runs.start({})) ?? '';
    end(new RunEnd(state, 'as Glue says it'));
    const run = await runs.look(id);
    expect([run.state, run.message, isOver(run)]).toEqual([expected, 'as Glue says it', true]);
});

test('a run that failed and its next attempt are told from each other, newest first', async () => {
    const id = await runs.start({ '--a': 'b' });
    end(new Error('2026-01-05: broken'));
    await runs.look(id ?? '');
    const [next, first] = await runs.newest();
    expect(first).toMatchObject({ id, state: 'failed', attempt: 0, message: '2026-01-05: broken' });
    expect(next).toMatchObject({ attempt: 1, previousRunId: id, arguments: { '--a': 'b' } });
    expect(next && isOver(next)).toBe(false);
});

test('a state of which this version knows nothing is said, and not taken for an end', async () => {
    const id = (await runs.start({})) ?? '';
    end(new RunEnd('HIBERNATING'));
    await expect(runs.look(id)).rejects.toThrow(`run ${id} is HIBERNATING, which this version does not know`);
});

test.each([
    ['EntityNotFoundException', /cannot start Glue job job: there is no such job.*npx cdk deploy/],
    ['AccessDeniedException', /cannot start Glue job job: your AWS identity may not do that; docs\/security.md/],
    ['ResourceNumberLimitExceededException', /runs as many Glue workers as it may/],
    ['InvalidInputException', /deploy again/],
])('%s says what to do', async (type, words) => {
    server.faults.push({ action: 'StartJobRun', type, message: 'as AWS says it' });
    const refused = runs.start({});
    await expect(refused).rejects.toThrow(StorageError);
    await expect(refused).rejects.toThrow(words);
});

test('a job and a run that are not there are said', async () => {
    await expect(open('none').start({})).rejects.toThrow('cannot start Glue job none: there is no such job');
    await expect(runs.look('jr_none')).rejects.toThrow('cannot look at run jr_none of Glue job job: there is no such job or run');
});

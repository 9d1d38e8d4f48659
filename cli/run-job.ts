/** Has a deployed job do some work, and shows how far it is until it is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sayDuration } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import type { JobArguments, JobRun, JobRuns } from '#lake/jobs/job-runs';
import { beginRun, followRun } from '#lake/work/follow-run';
import { type Context, Failure } from './command.ts';

export interface RunJobOptions {
    runs: JobRuns;
    /** Arguments that make the work out, as for `beginRun`. */
    work: JobArguments;
    /** Key of the report. */
    report: string;
    /** True waits until the run is over; false returns once it is started. */
    wait: boolean;
    /** How far the run is, `3 of 31 days`; undefined where that is not known. Called with each look, the last one too. */
    sayProgress: (run: JobRun) => Promise<string | undefined>;
    context: Pick<Context, 'stderr' | 'signal' | 'now'>;
}

/** First wait between two looks: a job takes a minute to get its workers, and then as long as it takes. */
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/**
 * The run as it ended, or its id alone where it is not waited for.
 * @throws Failure where another run is in the way. @throws the signal's reason; the job goes on then, which is said
 */
export async function runJob({ runs, work, report, wait, sayProgress, context }: RunJobOptions): Promise<{ id: string; end?: JobRun }> {
    const { stderr, signal, now } = context;
    const line = openStatusLine(stderr);
    const pause = openPauses(signal);
    const id = await begin({ runs, work, report, wait: pause, context });
    if (!wait) {
        return { id };
    }
    const startedAt = now().getTime();
    let shown = id;
    try {
        signal.throwIfAborted();
        const end = await followRun(id, {
            runs,
            wait: pause,
            async onLook(run) {
                if (run.id !== shown) {
                    await line.say(`Run ${shown} failed; Glue has started it again as ${run.id}`);
                    shown = run.id;
                }
                const progress = await sayProgress(run);
                const state = run.state === 'waiting' ? 'waiting for its workers' : run.state;
                // The clock of AWS is another one.
                const elapsed = sayDuration(Math.max(0, now().getTime() - (run.startedAt?.getTime() ?? startedAt)));
                await line.draw([`${runs.name}: ${state}`, progress, elapsed].filter((part) => part !== undefined).join(', '));
            },
        });
        return { id: end.id, end };
    } catch (error) {
        if (signal.aborted) {
            await line.say(`The job goes on without this command, as run ${shown}. ${howToLook(runs.name, shown)}`);
        }
        throw error;
    } finally {
        await line.clear();
    }
}

/** What to type to see a run, to follow it and to stop it. */
function howToLook(job: string, id: string): string {
    return (
        'The same command follows it again.\n' +
        `  to look at it: aws glue get-job-run --job-name ${job} --run-id ${id}\n` +
        `  to stop it:    aws glue batch-stop-job-run --job-name ${job} --job-run-ids ${id}`
    );
}

async function begin({
    runs,
    work,
    report,
    wait,
    context: { stderr },
}: Omit<RunJobOptions, 'sayProgress' | 'wait'> & { wait: () => Promise<void> }) {
    const begun = await beginRun({ runs, work, report, wait });
    switch (begun.kind) {
        case 'started':
            await stderr.write(`Started run ${begun.id} of Glue job ${runs.name}\n`);
            return begun.id;
        case 'joined':
            await stderr.write(`Run ${begun.id} of Glue job ${runs.name} is at this work already: following it\n`);
            return begun.id;
        case 'busy':
            throw new Failure(
                `Glue job ${runs.name} is at other work: run ${begun.id} (${sayArguments(begun.run.arguments)}); run this again when it is over, ` +
                    `or stop it: aws glue batch-stop-job-run --job-name ${runs.name} --job-run-ids ${begun.id}`,
            );
        default:
            throw new Failure(`Glue starts no more runs of job ${runs.name} and shows none that is running: run this again in a minute`);
    }
}

/** Arguments as they are typed, without those that are `false`: `--from 2026-01-01 --to 2026-01-31`. */
function sayArguments(runArguments: JobArguments): string {
    const said = Object.entries(runArguments).filter(([, value]) => value !== 'false');
    return said.length === 0 ? 'without arguments' : said.map(([name, value]) => `${name} ${value}`).join(' ');
}

/** A function that waits, each time longer than before. */
function openPauses(signal: AbortSignal): () => Promise<void> {
    let waitMs = FIRST_WAIT_MS;
    return async () => {
        await sleep(waitMs, undefined, { signal });
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.5);
    };
}

/** Why a run that is over did not do its work, and what then to do; undefined where it did. */
export function explainEnd(job: string, { id, state, message, timeoutMinutes }: JobRun): string | undefined {
    const run = `Run ${id} of Glue job ${job}`;
    const reason = message === undefined ? '' : `: ${message}`;
    const again = 'what it had done stays, and the same command does the rest';
    switch (state) {
        case 'succeeded':
            return undefined;
        case 'failed':
            return `${run} failed${reason || '; it gives no reason, its log does'}`;
        case 'timed out': {
            const limit = timeoutMinutes === undefined ? 'its time limit' : `its time limit of ${timeoutMinutes} minutes`;
            return `${run} was stopped at ${limit} (job.timeoutMinutes in cdk/config.ts): ${again}`;
        }
        case 'stopped':
            return `${run} was stopped by somebody: ${again}`;
        case 'expired':
            return `${run} was given up because no workers were free in time: run the same command again`;
        default:
            return `${run} was ended by an error of Glue${reason}; ${again}`;
    }
}

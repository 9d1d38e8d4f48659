/** Use case: one run of a job, from its start, or from where it is already at the same work, to its end. */
import { isOver, type JobArguments, type JobRun, type JobRuns } from '#lake/jobs/job-runs';

/** How a run began. `joined`: somebody else's run does this very work. `busy`: another run keeps ours from being started. */
export type Begun =
    | { kind: 'started'; id: string }
    | { kind: 'joined'; id: string; run: JobRun }
    | { kind: 'busy'; id: string; run: JobRun }
    | { kind: 'refused' };

/** Argument that names where a run writes what became of it; each run has a report of its own. */
export const REPORT = '--report';

/** Starts that are tried: a run that ended counts for some seconds more. */
const MAX_STARTS = 8;

export interface BeginOptions {
    runs: JobRuns;
    /** What the job shall do: all that makes two runs different. An argument that a run was not given counts as `false`. */
    work: JobArguments;
    /** Key of its report. */
    report: string;
    /** Lets some time go by. */
    wait: () => Promise<void>;
}

/** Starts the job, unless a run is at this work already. `refused`: as many run as may, and none is to be seen. @throws StorageError */
export async function beginRun({ runs, work, report, wait }: BeginOptions): Promise<Begun> {
    for (let starts = 1; ; starts += 1) {
        const id = await runs.start({ ...work, [REPORT]: report });
        if (id !== undefined) {
            return { kind: 'started', id };
        }
        const running = (await runs.newest()).filter((run) => !isOver(run));
        // Started, but the answer was lost, and so it was started once more.
        const own = running.find((run) => run.arguments[REPORT] === report);
        if (own) {
            return { kind: 'started', id: own.id };
        }
        const same = running.find((run) => isAtWork(run, work));
        if (same) {
            return { kind: 'joined', id: same.id, run: same };
        }
        if (running[0]) {
            return { kind: 'busy', id: running[0].id, run: running[0] };
        }
        if (starts >= MAX_STARTS) {
            return { kind: 'refused' };
        }
        await wait();
    }
}

function isAtWork(run: JobRun, work: JobArguments): boolean {
    return Object.entries(work).every(([name, value]) => (run.arguments[name] ?? 'false') === value);
}

export interface FollowOptions {
    runs: JobRuns;
    /** Called with each look, the last one too. */
    onLook: (run: JobRun) => Promise<void>;
    wait: () => Promise<void>;
}

/**
 * The run as it ended. The service may start a run that failed once more, as another run: then that one is followed, and its end is the end.
 * @throws StorageError @throws what `wait` does
 */
export async function followRun(id: string, { runs, onLook, wait }: FollowOptions): Promise<JobRun> {
    let followed = id;
    for (;;) {
        const run = await runs.look(followed);
        await onLook(run);
        if (isOver(run)) {
            const next = mayBeTriedAgain(run) ? await findNextAttempt(run, { runs, wait }) : undefined;
            if (next === undefined) {
                return run;
            }
            followed = next.id;
        } else {
            await wait();
        }
    }
}

function mayBeTriedAgain({ state }: JobRun): boolean {
    return state === 'failed' || state === 'timed out' || state === 'broken';
}

/** The run that tries once more what this one failed at. It need not be there at once when the first one ends. */
async function findNextAttempt(run: JobRun, { runs, wait }: Omit<FollowOptions, 'onLook'>): Promise<JobRun | undefined> {
    const find = async (): Promise<JobRun | undefined> => (await runs.newest()).find((other) => isNextAttempt(other, run));
    const found = await find();
    if (found) {
        return found;
    }
    await wait();
    return find();
}

/** True if the other run tries once more what this one did: Glue says so, or it has the report that no other run has. */
function isNextAttempt(other: JobRun, { id, attempt, arguments: { [REPORT]: report } }: JobRun): boolean {
    const isLater = other.attempt > attempt;
    return isLater && (other.previousRunId === id || (report !== undefined && other.arguments[REPORT] === report));
}

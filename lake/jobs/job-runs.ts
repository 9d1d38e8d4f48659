/** The port to a job that is deployed beside the lake: it is started with arguments, runs for minutes or hours, and can be looked at meanwhile. */

/** Names as the job knows them (`--from`), values as text. */
export type JobArguments = Readonly<Record<string, string>>;

/** What becomes of a run. The last six are its end. */
export type JobRunState = 'waiting' | 'running' | 'stopping' | 'succeeded' | 'failed' | 'stopped' | 'timed out' | 'expired' | 'broken';

export interface JobRun {
    id: string;
    state: JobRunState;
    /** Arguments that the run was started with. */
    arguments: JobArguments;
    /** 0 at first; the service starts a run that failed once more, as a run of its own. */
    attempt: number;
    /** The run that this one is another attempt of. */
    previousRunId: string | undefined;
    startedAt: Date | undefined;
    /** What the job, or the service, says of its end. */
    message: string | undefined;
    /** Longest time that the run may take, in minutes from its start. */
    timeoutMinutes: number | undefined;
}

export interface JobRuns {
    /** Name of the job. */
    name: string;
    /** Starts a run and returns its id; undefined where as many run already as may. @throws StorageError, also where there is no such job */
    start(runArguments: JobArguments): Promise<string | undefined>;
    /** The run as it is now. @throws StorageError */
    look(id: string): Promise<JobRun>;
    /** The newest runs, some hundred, newest first. @throws StorageError */
    newest(): Promise<JobRun[]>;
}

/** True if nothing more comes of the run. */
export function isOver({ state }: Pick<JobRun, 'state'>): boolean {
    return state !== 'waiting' && state !== 'running' && state !== 'stopping';
}

/** Runs of a Glue job. */

import { GetJobRunCommand, GetJobRunsCommand, GlueClient, type JobRun as GlueRun, StartJobRunCommand } from '@aws-sdk/client-glue';
import { awsCodeOf, translated } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';
import { StorageError } from '#lake/errors';
import type { JobRun, JobRunState, JobRuns } from './job-runs.ts';

/** Glue's states of a run: https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html */
const STATES: Readonly<Record<string, JobRunState>> = {
    STARTING: 'waiting',
    WAITING: 'waiting',
    RUNNING: 'running',
    STOPPING: 'stopping',
    SUCCEEDED: 'succeeded',
    FAILED: 'failed',
    STOPPED: 'stopped',
    TIMEOUT: 'timed out',
    EXPIRED: 'expired',
    ERROR: 'broken',
};

/** Glue hands out 200 runs at most: https://docs.aws.amazon.com/glue/latest/webapi/API_GetJobRuns.html */
const NEWEST_RUNS = 100;

/** What Glue's refusals mean beyond what they mean anywhere on AWS. */
const MEANINGS: Readonly<Record<string, string>> = {
    EntityNotFoundException: 'there is no such job or run; flowlake doctor tells whether the job is deployed, npx cdk deploy deploys it',
    ResourceNumberLimitExceededException: 'the account runs as many Glue workers as it may; run it again later, or raise the quota',
    InvalidInputException: 'Glue does not take it as it is; deploy again (npx cdk deploy), the job may be of another version',
    OperationTimeoutException: 'Glue took too long; run it again',
    InternalServiceException: 'Glue itself failed and did so until the last attempt; run it again later',
    ThrottlingException: 'Glue asks for fewer requests and did so until the last attempt; run it again later',
};

/** A client of Glue; credentials come from where the SDK looks for them. */
export function createGlueClient(options: ClientOptions): GlueClient {
    return new GlueClient(clientConfig(options, 'GLUE'));
}

/** The runs of the job of this name in the client's account and region. */
export function openGlueJobRuns({ name, client }: { name: string; client: GlueClient }): JobRuns {
    return {
        name,

        async start(runArguments) {
            try {
                const { JobRunId } = await asked(`start Glue job ${name}`, () =>
                    client.send(new StartJobRunCommand({ JobName: name, Arguments: { ...runArguments } })),
                );
                if (JobRunId === undefined) {
                    throw new StorageError(`Glue gives no id for the run of job ${name} that it started: aws glue get-job-runs lists it`);
                }
                return JobRunId;
            } catch (error) {
                if (error instanceof Error && awsCodeOf(error.cause) === 'ConcurrentRunsExceededException') {
                    return undefined;
                }
                throw error;
            }
        },

        async look(id) {
            const { JobRun } = await asked(`look at run ${id} of Glue job ${name}`, () =>
                client.send(new GetJobRunCommand({ JobName: name, RunId: id })),
            );
            return runOf(JobRun ?? {});
        },

        async newest() {
            const { JobRuns: runs = [] } = await asked(`list the runs of Glue job ${name}`, () =>
                client.send(new GetJobRunsCommand({ JobName: name, MaxResults: NEWEST_RUNS })),
            );
            return runs.map(runOf);
        },
    };
}

async function asked<T>(doing: string, call: () => Promise<T>): Promise<T> {
    return translated(
        async () => {
            try {
                return await call();
            } catch (error) {
                const code = awsCodeOf(error);
                const meaning = code === undefined ? undefined : MEANINGS[code];
                if (meaning !== undefined && error instanceof Error) {
                    throw new StorageError(`cannot ${doing}: ${meaning} (${code}: ${error.message})`, { cause: error });
                }
                throw error;
            }
        },
        { doing },
    );
}

function runOf({ Id = '', Arguments = {}, Attempt = 0, StartedOn, Timeout, ...rest }: GlueRun): JobRun {
    const state = STATES[rest.JobRunState ?? ''];
    if (state === undefined) {
        throw new StorageError(
            `Glue says that run ${Id} is ${rest.JobRunState ?? 'in no state'}, which this version does not know: get a newer one`,
        );
    }
    return {
        id: Id,
        state,
        arguments: Arguments,
        attempt: Attempt,
        previousRunId: rest.PreviousRunId,
        startedAt: StartedOn,
        message: rest.ErrorMessage ?? rest.StateDetail,
        timeoutMinutes: Timeout,
    };
}

/** A server that speaks the part of Glue's API (JSON 1.1, as the SDK does) that is about runs of jobs; what a run does is the caller's. */
import { createServer, type IncomingMessage, request as requestOf, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What Glue knows of a job, as far as its runs go by it. */
export interface GlueJob {
    maxConcurrentRuns?: number | undefined;
    /** How often a run that fails is started once more. */
    maxRetries?: number | undefined;
    timeoutMinutes?: number | undefined;
}

export interface GlueServerOptions {
    /** The job of that name; undefined where there is none. */
    describe(name: string): Promise<GlueJob | undefined>;
    /** Does the work of a run. @throws RunEnd, or any error: then the run has failed with its message */
    run(run: { job: string; id: string; arguments: Record<string, string> }): Promise<void>;
    /** Address that all other calls go to; without it they are refused. */
    forwardTo?: string;
    /** True if a run that is started once more is there only some time after the first one has ended. */
    isRetryLate?: boolean;
}

/** A run that ends in another way than by itself. */
export class RunEnd extends Error {
    readonly state: string;

    constructor(state: string, message?: string) {
        super(message);
        this.state = state;
    }
}

interface StoredRun {
    Id: string;
    JobName: string;
    JobRunState: string;
    Arguments: Record<string, string>;
    Attempt: number;
    PreviousRunId?: string;
    StartedOn: number;
    Timeout?: number | undefined;
    ErrorMessage?: string | undefined;
}

export interface Fault {
    action: string;
    type: string;
    message: string;
    status?: number;
}

export interface GlueServer {
    url: string;
    /** What each next call of an action answers instead, once. */
    faults: Fault[];
    /** The actions of all calls so far, in order. */
    calls: string[];
    /** The runs so far, oldest first. */
    runs: StoredRun[];
    stop(): Promise<void>;
}

class Refusal extends Error {
    readonly type: string;

    constructor(type: string, message: string) {
        super(message);
        this.type = type;
    }
}

type Input = Record<string, unknown>;

const RUNNING = ['STARTING', 'RUNNING', 'STOPPING'];

export async function startGlueServer({ describe, run, forwardTo, isRetryLate = false }: GlueServerOptions): Promise<GlueServer> {
    const runs: StoredRun[] = [];
    const calls: string[] = [];
    const faults: Fault[] = [];
    /** Runs that begin with a call that comes later. */
    const late: (() => void)[] = [];
    let count = 0;

    async function find(name: unknown): Promise<GlueJob> {
        const job = await describe(String(name));
        if (!job) {
            throw new Refusal('EntityNotFoundException', `Failed to start job run due to missing metadata: ${name}`);
        }
        return job;
    }

    function begin(
        job: GlueJob,
        { attempt, previous, ...rest }: { job: string; args: Record<string, string>; attempt: number; previous?: StoredRun },
    ) {
        count += 1;
        const first = previous?.Id.replace(/_attempt_\d+$/, '');
        const one: StoredRun = {
            Id: first === undefined ? `jr_${count}` : `${first}_attempt_${attempt}`,
            JobName: rest.job,
            JobRunState: 'STARTING',
            Arguments: rest.args,
            Attempt: attempt,
            StartedOn: Date.now() / 1000,
            Timeout: job.timeoutMinutes,
            ...(previous && { PreviousRunId: previous.Id }),
        };
        runs.push(one);
        const end = (state: string, message?: string): void => {
            one.JobRunState = state;
            one.ErrorMessage = message;
            if (state === 'FAILED' && attempt < (job.maxRetries ?? 0)) {
                const again = (): void => void begin(job, { ...rest, attempt: attempt + 1, previous: one });
                isRetryLate ? late.push(again) : again();
            }
        };
        run({ job: rest.job, id: one.Id, arguments: rest.args }).then(
            () => end('SUCCEEDED'),
            (error) => (error instanceof RunEnd ? end(error.state, error.message || undefined) : end('FAILED', String(error.message))),
        );
        return one;
    }

    const actions: Record<string, (input: Input) => Promise<object>> = {
        async StartJobRun({ JobName, Arguments }) {
            const job = await find(JobName);
            const others = runs.filter((one) => one.JobName === JobName && RUNNING.includes(one.JobRunState));
            if (others.length >= (job.maxConcurrentRuns ?? 1)) {
                throw new Refusal('ConcurrentRunsExceededException', `Concurrent runs exceeded for ${JobName}`);
            }
            return { JobRunId: begin(job, { job: String(JobName), args: (Arguments ?? {}) as Record<string, string>, attempt: 0 }).Id };
        },
        async GetJobRun({ RunId }) {
            const found = runs.find(({ Id }) => Id === RunId);
            if (!found) {
                throw new Refusal('EntityNotFoundException', `Job Run ${RunId} not found`);
            }
            const answer = { ...found };
            if (found.JobRunState === 'STARTING') {
                found.JobRunState = 'RUNNING';
            }
            return { JobRun: answer };
        },
        async GetJobRuns({ JobName }) {
            await find(JobName);
            const answer = runs
                .filter((one) => one.JobName === JobName)
                .reverse()
                .map((one) => ({ ...one }));
            for (const again of late.splice(0)) {
                again();
            }
            return { JobRuns: answer };
        },
    };

    async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const action = String(request.headers['x-amz-target']).replace('AWSGlue.', '');
        const body = await buffer(request);
        calls.push(action);
        const act = actions[action];
        if (act === undefined && forwardTo !== undefined) {
            forward(request, { body, to: forwardTo, response });
            return;
        }
        const at = faults.findIndex((one) => one.action === action);
        const [fault] = at < 0 ? [] : faults.splice(at, 1);
        const send = (status: number, text: object): void => {
            response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(text));
        };
        try {
            if (fault) {
                send(fault.status ?? 400, { __type: fault.type, Message: fault.message });
                return;
            }
            if (act === undefined) {
                throw new Refusal('UnknownOperationException', `${action} is not known`);
            }
            send(200, await act(JSON.parse(body.toString())));
        } catch (error) {
            const isRefusal = error instanceof Refusal;
            send(isRefusal ? 400 : 500, { __type: isRefusal ? error.type : 'InternalServiceException', Message: String(error) });
        }
    }

    const server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        faults,
        calls,
        runs,
        async stop() {
            server.closeAllConnections();
            await new Promise<void>((resolve) => server.close(() => resolve()));
        },
    };
}

function forward(request: IncomingMessage, { body, to, response }: { body: Buffer; to: string; response: ServerResponse }): void {
    const { method, headers, url } = request;
    const onward = requestOf(new URL(url ?? '/', to), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
    });
    onward.on('error', (error) => response.writeHead(502).end(String(error)));
    onward.end(body);
}

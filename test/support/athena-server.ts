/** A server that speaks Athena's API (JSON 1.1, as the SDK does) in front of an engine that runs the SQL, and writes results to S3 as Athena does. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ColumnInfo, QueryExecution, WorkGroup } from '@aws-sdk/client-athena';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

/** The engine behind it. */
export interface AthenaBackend {
    /** `parameters` are SQL expressions for the `?`. @throws AthenaFailure where the engine refuses it */
    run(statement: AthenaStatement, signal: AbortSignal): Promise<AthenaAnswer>;
}

export interface AthenaStatement {
    sql: string;
    parameters: readonly string[];
    database: string;
    /** Says what was scanned so far. */
    onScanned(bytes: number): void;
}

export interface AthenaAnswer {
    columns: ColumnInfo[];
    rows: (string | null)[][];
    scannedBytes: number;
}

/** The query fails, with this reason and category: 1 the system's fault, 2 the user's. */
export class AthenaFailure extends Error {
    override name = 'AthenaFailure';
    readonly category: 1 | 2;

    constructor(reason: string, { category = 2, cause }: { category?: 1 | 2; cause?: unknown } = {}) {
        super(reason, { cause });
        this.category = category;
    }
}

/** What the next call of an action answers instead. */
export interface Fault {
    action: string;
    status?: number;
    type: string;
    message: string;
    /** How many calls answer so; one where not given. */
    times?: number;
}

export interface AthenaServer {
    url: string;
    /** Every call so far, in order. */
    calls: { action: string; at: number }[];
    /** How often the action was called. */
    count(action: string): number;
    faults: Fault[];
    /** Ids of the queries so far. */
    queries(): string[];
    stop(): Promise<void>;
}

export interface Workgroup {
    scanLimitBytes?: number | undefined;
    described?: WorkGroup | undefined;
}

export interface AthenaServerOptions {
    backend: AthenaBackend;
    s3: S3Client;
    /** Place of the results: `s3://bucket/prefix/`. */
    output: string;
    /** Names of the workgroups that exist, each with the bytes that a query in it may scan, or with all that Athena says of it. */
    workgroups?: Record<string, Workgroup>;
    port?: number;
}

const MAX_PAGE_ROWS = 1000;

interface Execution {
    id: string;
    token: string;
    workgroup: string;
    description: QueryExecution;
    abort: AbortController;
    answer?: AthenaAnswer;
    hasHeader: boolean;
}

class Refusal extends Error {
    readonly type: string;
    readonly status: number;

    constructor(message: string, { type = 'InvalidRequestException', status = 400 } = {}) {
        super(message);
        this.type = type;
        this.status = status;
    }
}

type Input = Record<string, unknown>;

export async function startAthenaServer({
    backend,
    s3,
    output,
    workgroups = { primary: {} },
    port = 0,
}: AthenaServerOptions): Promise<AthenaServer> {
    const executions = new Map<string, Execution>();
    const running = new Set<Promise<void>>();
    const calls: AthenaServer['calls'] = [];
    const faults: Fault[] = [];

    function find(input: Input): Execution {
        const found = executions.get(String(input.QueryExecutionId));
        if (found === undefined) {
            throw new Refusal(`QueryExecution ${input.QueryExecutionId} was not found`);
        }
        return found;
    }

    function workgroupOf(name: unknown): Workgroup {
        const found = workgroups[String(name)];
        if (found === undefined) {
            throw new Refusal('WorkGroup is not found.');
        }
        return found;
    }

    const actions: Record<string, (input: Input) => object> = {
        StartQueryExecution(input) {
            workgroupOf(input.WorkGroup);
            const token = String(input.ClientRequestToken);
            const sql = String(input.QueryString);
            const before = [...executions.values()].find((one) => one.token === token);
            if (before && before.description.Query !== sql) {
                throw new Refusal('Idempotent parameters do not match');
            }
            if (/;\s*\S/.test(sql.replaceAll(/'[^']*'|--.*/g, ''))) {
                throw new Refusal(`Only one sql statement is allowed. Got: ${sql}`);
            }
            if (Array.isArray(input.ExecutionParameters) && input.ExecutionParameters.length === 0) {
                throw new Refusal('ExecutionParameters must have length greater than or equal to 1');
            }
            const execution = before ?? begin(sql, input, token);
            return { QueryExecutionId: execution.id };
        },
        GetQueryExecution: (input) => ({ QueryExecution: find(input).description }),
        GetQueryResults(input) {
            const { answer, description, hasHeader } = find(input);
            if (answer === undefined) {
                throw new Refusal(`Query has not yet finished. Current state: ${description.Status?.State}`);
            }
            const all = hasHeader ? [answer.columns.map(({ Name = '' }) => Name), ...answer.rows] : answer.rows;
            const from = Number(input.NextToken ?? 0);
            const until = from + Number(input.MaxResults ?? MAX_PAGE_ROWS);
            return {
                ResultSet: {
                    ResultSetMetadata: { ColumnInfo: answer.columns },
                    Rows: all.slice(from, until).map((row) => ({ Data: row.map((cell) => (cell === null ? {} : { VarCharValue: cell })) })),
                },
                ...(until < all.length && { NextToken: String(until) }),
            };
        },
        StopQueryExecution(input) {
            find(input).abort.abort();
            return {};
        },
        GetWorkGroup(input) {
            const { scanLimitBytes, described } = workgroupOf(input.WorkGroup);
            const Configuration = { EnforceWorkGroupConfiguration: true, BytesScannedCutoffPerQuery: scanLimitBytes };
            return { WorkGroup: described ?? { Name: input.WorkGroup, State: 'ENABLED', Configuration } };
        },
    };

    function begin(sql: string, input: Input, token: string): Execution {
        const id = randomUUID();
        const isOfCatalog = /^\s*(show|desc|describe|explain)\b/i.test(sql);
        const execution: Execution = {
            id,
            token,
            workgroup: String(input.WorkGroup),
            abort: new AbortController(),
            hasHeader: !isOfCatalog,
            description: {
                QueryExecutionId: id,
                Query: sql,
                StatementType: isOfCatalog ? 'UTILITY' : 'DML',
                WorkGroup: String(input.WorkGroup),
                ResultConfiguration: { OutputLocation: `${output}${id}.${isOfCatalog ? 'txt' : 'csv'}` },
                Status: { State: 'QUEUED' },
                Statistics: { DataScannedInBytes: 0 },
            },
        };
        executions.set(id, execution);
        const ran = run(execution, sql, input).finally(() => running.delete(ran));
        running.add(ran);
        return execution;
    }

    async function run(execution: Execution, sql: string, input: Input): Promise<void> {
        const { abort, description, workgroup } = execution;
        const limit = workgroups[workgroup]?.scanLimitBytes ?? Number.POSITIVE_INFINITY;
        const context = input.QueryExecutionContext as { Database?: string } | undefined;
        const onScanned = (bytes: number): void => {
            description.Statistics = { DataScannedInBytes: bytes };
            if (bytes > limit) {
                abort.abort('Query cancelled! : Bytes scanned limit was exceeded');
            }
        };
        description.Status = { State: 'RUNNING' };
        try {
            const parameters = (input.ExecutionParameters ?? []) as string[];
            const answer = await backend.run({ sql, parameters, database: context?.Database ?? 'default', onScanned }, abort.signal);
            onScanned(answer.scannedBytes);
            abort.signal.throwIfAborted();
            await writeResult(execution, answer);
            execution.answer = answer;
            description.Status = { State: 'SUCCEEDED' };
        } catch (error) {
            description.Status = abort.signal.aborted
                ? {
                      State: 'CANCELLED',
                      StateChangeReason: typeof abort.signal.reason === 'string' ? abort.signal.reason : 'Query cancelled by user',
                  }
                : failedStatus(error);
        }
    }

    async function writeResult({ description, hasHeader }: Execution, { columns, rows }: AthenaAnswer): Promise<void> {
        const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(description.ResultConfiguration?.OutputLocation ?? '') ?? [];
        const quoted = (cell: string | null): string => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`);
        const all = hasHeader ? [columns.map(({ Name = '' }) => Name), ...rows] : rows;
        const Body = hasHeader
            ? all.map((row) => `${row.map(quoted).join(',')}\n`).join('')
            : all.map((row) => `${row.join('\t')}\n`).join('');
        await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    }

    async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
        const action = String(request.headers['x-amz-target']).replace('AmazonAthena.', '');
        calls.push({ action, at: performance.now() });
        const fault = faults.find((one) => one.action === action && (one.times ?? 1) > 0);
        if (fault) {
            fault.times = (fault.times ?? 1) - 1;
            return { status: fault.status ?? 400, body: { __type: fault.type, Message: fault.message } };
        }
        try {
            const act = actions[action];
            if (act === undefined) {
                throw new Refusal(`${action} is not known`, { type: 'UnknownOperationException' });
            }
            return { status: 200, body: act(JSON.parse(await text(request)) as Input) };
        } catch (error) {
            const refusal = error instanceof Refusal ? error : new Refusal(String(error), { type: 'InternalServerException', status: 500 });
            return { status: refusal.status, body: { __type: refusal.type, Message: refusal.message } };
        }
    }

    const server = createServer((request, response) => {
        void answer(request).then(({ status, body }) => {
            response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
        });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        calls,
        count: (action) => calls.filter((call) => call.action === action).length,
        faults,
        queries: () => [...executions.keys()],
        async stop() {
            for (const { abort } of executions.values()) {
                abort.abort();
            }
            await Promise.all(running);
            server.closeAllConnections();
            await new Promise<void>((resolve) => server.close(() => resolve()));
        },
    };
}

function failedStatus(error: unknown): QueryExecution['Status'] {
    const reason = error instanceof Error ? error.message : String(error);
    const category = error instanceof AthenaFailure ? error.category : 1;
    return {
        State: 'FAILED',
        StateChangeReason: reason,
        AthenaError: { ErrorCategory: category, ErrorType: category === 2 ? 1000 : 200, ErrorMessage: reason },
    };
}

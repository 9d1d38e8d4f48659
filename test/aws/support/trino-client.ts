/** One statement on Trino over plain HTTP (https://trino.io/docs/476/develop/client-protocol.html). */
import { setTimeout as sleep } from 'node:timers/promises';

export interface TrinoQuestion {
    sql: string;
    /** SQL expressions for the `?`, in order. */
    parameters?: readonly string[];
    database: string;
    signal?: AbortSignal;
    onProgress?: (progress: { scannedBytes: number }) => void;
}

export interface TrinoAnswer {
    columns: { name: string; type: string }[];
    /** Numbers as the text that Trino wrote. */
    rows: unknown[][];
    scannedBytes: number;
}

/** Trino refuses the statement or failed in it. */
export class TrinoError extends Error {
    override name = 'TrinoError';
    readonly type: string;
    readonly errorName: string;

    constructor({ message, errorType, errorName }: Failure) {
        super(message);
        this.type = errorType;
        this.errorName = errorName;
    }
}

interface Failure {
    message: string;
    errorName: string;
    /** `USER_ERROR`, `INTERNAL_ERROR`, `EXTERNAL`, `INSUFFICIENT_RESOURCES`. */
    errorType: string;
}

interface Page {
    nextUri?: string;
    columns?: { name: string; type: string }[];
    data?: unknown[][];
    stats: { physicalInputBytes?: string };
    error?: Failure;
}

/** Tries of a statement while the server does not see its own node, as for a moment after its start and on a machine with much other work. Athena waits as well. */
const TRIES_WITHOUT_NODES = 20;

/** All of the answer; aborting cancels the statement. @throws TrinoError */
export async function askTrino(url: string, question: TrinoQuestion): Promise<TrinoAnswer> {
    for (let tries = 1; ; tries += 1) {
        try {
            return await askOnce(url, question);
        } catch (error) {
            if (!(error instanceof TrinoError && error.errorName === 'NO_NODES_AVAILABLE') || tries === TRIES_WITHOUT_NODES) {
                throw error;
            }
            await sleep(1_000, undefined, { signal: question.signal });
        }
    }
}

async function askOnce(url: string, question: TrinoQuestion): Promise<TrinoAnswer> {
    const { sql, parameters = [], database, signal, onProgress } = question;
    const bound = parameters.length === 0 ? sql : `execute immediate '${sql.replaceAll("'", "''")}' using ${parameters.join(', ')}`;
    const headers = { 'X-Trino-User': 'test', 'X-Trino-Catalog': 'awsdatacatalog', 'X-Trino-Schema': database, 'X-Trino-Time-Zone': 'UTC' };
    let page = await fetchPage(`${url}/v1/statement`, { method: 'POST', body: bound, headers });
    const answer: TrinoAnswer = { columns: [], rows: [], scannedBytes: 0 };
    for (;;) {
        if (page.error) {
            throw new TrinoError(page.error);
        }
        answer.columns = page.columns ?? answer.columns;
        answer.rows.push(...(page.data ?? []));
        answer.scannedBytes = Number(page.stats.physicalInputBytes ?? 0);
        onProgress?.(answer);
        if (page.nextUri === undefined) {
            return answer;
        }
        if (signal?.aborted) {
            await fetch(page.nextUri, { method: 'DELETE' });
            signal.throwIfAborted();
        }
        page = await fetchPage(page.nextUri, { headers });
    }
}

async function fetchPage(url: string, request: RequestInit): Promise<Page> {
    for (;;) {
        const answer = await fetch(url, request);
        if (answer.ok) {
            return JSON.parse(await answer.text(), keepDigits) as Page;
        }
        // "Try again in 50 to 100 ms", says the protocol.
        if (![502, 503, 504].includes(answer.status)) {
            throw new Error(`Trino answers ${answer.status}: ${await answer.text()}`);
        }
        await sleep(75);
    }
}

/** A bigint and a double are both more than what JSON.parse makes of them. */
function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
    return typeof value === 'number' ? context?.source : value;
}

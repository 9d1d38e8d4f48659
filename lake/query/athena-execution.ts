/** One query in Athena from its start to its end, which comes by itself, by the user or by a limit. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
    type AthenaClient,
    GetQueryExecutionCommand,
    type QueryExecution,
    StartQueryExecutionCommand,
    StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { failureOf, overLimit, refusalOf } from './athena-failures.ts';
import { priceOf } from './athena-price.ts';
import { parameterOf } from './athena-values.ts';
import type { Scanned, Value } from './query-engine.ts';

/** The catalog, database and workgroup that a query runs in. */
export interface ExecutionPlace {
    catalog: string;
    database: string;
    workgroup: string;
}

export interface ExecutionProgress {
    state: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
    /** Bytes scanned so far, as far as Athena tells. */
    scannedBytes: number;
}

export interface ExecutionOptions {
    client: AthenaClient;
    sql: string;
    parameters: readonly Value[];
    place: ExecutionPlace;
    maxScanBytes: number | undefined;
    onState: ((progress: ExecutionProgress) => void) | undefined;
    signal: AbortSignal;
}

/** A query that has its result. */
export interface FinishedExecution {
    id: string;
    /** Address of the result, `s3://bucket/key`; undefined where Athena keeps it to itself. */
    location: string | undefined;
    scanned: Scanned;
}

/**
 * First wait before a query is looked at again: a small query takes half a second, and looking is free but for the quota of 100 looks a
 * second and account.
 */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
const WAIT_GROWTH = 1.5;

/** The query when it has succeeded. @throws SqlError @throws StorageError @throws the signal's reason */
export async function runExecution(options: ExecutionOptions): Promise<FinishedExecution> {
    const { client, maxScanBytes, onState, signal, place } = options;
    const id = await start(options);
    let isOver = false;
    try {
        for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * WAIT_GROWTH, LONGEST_WAIT_MS)) {
            const execution = await look(client, id, signal);
            const { state, scannedBytes } = progressOf(execution);
            isOver = state !== 'QUEUED' && state !== 'RUNNING';
            onState?.({ state, scannedBytes });
            if (state === 'FAILED' || state === 'CANCELLED') {
                throw await failureOf(execution, { client, workgroup: place.workgroup });
            }
            const scanned = priceOf({ bytes: scannedBytes, isFree: isAboutCatalog(execution) });
            if (maxScanBytes !== undefined && scannedBytes > maxScanBytes) {
                throw overLimit({ scanned, maxScanBytes, isOver });
            }
            if (isOver) {
                return { id, location: execution.ResultConfiguration?.OutputLocation, scanned };
            }
            // Half of the wait is random, so that many queries that began together do not keep on asking together.
            await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal });
        }
    } catch (error) {
        throw signal.aborted ? signal.reason : refusalOf(error, place);
    } finally {
        if (!isOver) {
            await stop(client, id);
        }
    }
}

/**
 * Starts the query and returns its id. Not to be aborted: whoever does not learn the id cannot stop the query. The token makes the attempts
 * of the SDK one query, should an answer be lost (https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html).
 */
async function start({ client, sql, parameters, place }: ExecutionOptions): Promise<string> {
    const command = new StartQueryExecutionCommand({
        QueryString: sql.replace(/[;\s]+$/, ''),
        ClientRequestToken: randomUUID(),
        QueryExecutionContext: { Catalog: place.catalog, Database: place.database },
        WorkGroup: place.workgroup,
        // An empty list is refused.
        ...(parameters.length > 0 && { ExecutionParameters: parameters.map(parameterOf) }),
    });
    try {
        const { QueryExecutionId = '' } = await client.send(command);
        return QueryExecutionId;
    } catch (error) {
        throw refusalOf(error, place);
    }
}

async function look(client: AthenaClient, id: string, signal: AbortSignal): Promise<QueryExecution> {
    const { QueryExecution = {} } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: signal });
    return QueryExecution;
}

function progressOf({ Status, Statistics }: QueryExecution): ExecutionProgress {
    return { state: Status?.State ?? 'QUEUED', scannedBytes: Statistics?.DataScannedInBytes ?? 0 };
}

/** True for `show`, `describe` and the like, which read no data. */
function isAboutCatalog({ StatementType }: QueryExecution): boolean {
    return StatementType === 'DDL' || StatementType === 'UTILITY';
}

async function stop(client: AthenaClient, id: string): Promise<void> {
    try {
        await client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
    } catch {
        // What made it unwanted is what the user should hear of. Athena itself ends a query after half an hour.
    }
}

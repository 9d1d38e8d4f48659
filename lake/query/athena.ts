/** SQL over a lake on AWS: Athena, by the tables and views of the Glue catalog. */

import { AthenaClient } from '@aws-sdk/client-athena';
import type { S3Client } from '@aws-sdk/client-s3';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';
import { StorageError } from '#lake/errors';
import { type ExecutionProgress, runExecution } from './athena-execution.ts';
import { readResult } from './athena-results.ts';
import type { QueryEngine } from './query-engine.ts';
import { assertReads } from './reading-statement.ts';

export interface AthenaOptions {
    client: AthenaClient;
    /** Client for results of more than a page, which are read from where Athena wrote them. */
    s3: S3Client;
    /** Glue database. */
    database: string;
    /** Workgroup, which says where results go and how much a query may scan. */
    workgroup: string;
    catalog?: string;
    /** Called at every look, from the first one on. */
    onState?: (progress: ExecutionProgress) => void;
}

/** A client of Athena; credentials come from where the SDK looks for them. */
export function createAthenaClient(options: ClientOptions): AthenaClient {
    return new AthenaClient(clientConfig(options, 'ATHENA'));
}

/** The engine. A query that is not wanted any more (aborted, engine closed, too much scanned) is stopped, as far as Athena can be reached. */
export function openAthena({ client, s3, database, workgroup, catalog = 'awsdatacatalog', onState }: AthenaOptions): QueryEngine {
    const closing = new AbortController();
    return {
        async query(sql, { parameters = [], signal, maxScanBytes } = {}) {
            assertReads(sql);
            const stop = AbortSignal.any(signal === undefined ? [closing.signal] : [closing.signal, signal]);
            stop.throwIfAborted();
            const execution = await runExecution({
                client,
                sql,
                parameters,
                place: { catalog, database, workgroup },
                maxScanBytes,
                onState,
                signal: stop,
            });
            return readResult({ client, s3, execution, signal: stop });
        },

        async close() {
            closing.abort(new StorageError('The query was not finished when its engine was closed'));
        },
    };
}

/** The Athena adapter against a server of its own, over a lake in a directory: the real SDK on real HTTP, DuckDB as the engine. */
import { AthenaClient } from '@aws-sdk/client-athena';
import { type AthenaOptions, openAthena } from '#lake/query/athena';
import type { QueryEngine } from '#lake/query/query-engine';
import { type AthenaBackend, type AthenaServer, type AthenaServerOptions, startAthenaServer } from '#test/support/athena-server';
import { openDuckDbBackend } from '#test/support/athena-server-duckdb';
import { type ResultStore, startResultStore } from '#test/support/athena-server-s3';
import { type Flow, openFixture } from '#test/support/lake-fixture';

export interface AthenaFixture {
    directory: string;
    server: AthenaServer;
    store: ResultStore;
    client: AthenaClient;
    /** Engine of workgroup `lake`. */
    engine: QueryEngine;
    /** Opens another engine, otherwise set up. */
    openEngine(options?: Partial<AthenaOptions>): QueryEngine;
}

export interface AthenaFixtureOptions {
    flows?: readonly Flow[];
    scannedBytes?: number;
    /** Engine behind the server, instead of DuckDB. */
    backend?: AthenaBackend;
    workgroups?: AthenaServerOptions['workgroups'];
}

const opened: { stop(): Promise<void> | void }[] = [];

afterAll(async () => {
    for (const one of opened.splice(0).reverse()) {
        await one.stop();
    }
});

export async function openAthenaFixture({
    flows = [],
    scannedBytes,
    backend,
    workgroups = { lake: {} },
}: AthenaFixtureOptions = {}): Promise<AthenaFixture> {
    const { directory } = await openFixture(flows);
    const duckDb = await openDuckDbBackend({ directory, ...(scannedBytes !== undefined && { scannedBytes }) });
    const store = await startResultStore();
    const server = await startAthenaServer({
        backend: backend ?? duckDb,
        s3: store.client,
        output: 's3://results/query-results/',
        workgroups,
    });
    const client = new AthenaClient({
        endpoint: server.url,
        region: 'us-east-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const openEngine = (options: Partial<AthenaOptions> = {}): QueryEngine =>
        openAthena({ client, s3: store.client, database: 'lake', workgroup: 'lake', ...options });
    opened.push({ stop: () => duckDb.close() }, store, server, { stop: () => client.destroy() });
    return { directory, server, store, client, engine: openEngine(), openEngine };
}

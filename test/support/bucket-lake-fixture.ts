/** A lake in a bucket, as its commands open it: S3's and Athena's protocols, with DuckDB over a copy of the bucket as Athena's engine. */
import { afterAll } from '@jest/globals';
import { DEPLOYMENT_TAGS } from '#lake/deployment';
import type { BucketLake } from '#lake/lake';
import { openBucketLake } from '#lake/open-bucket-lake';
import { openDirectoryStore } from '#lake/store/directory';
import type { ObjectStore } from '#lake/store/object-store';
import { type AthenaServer, startAthenaServer } from '#test/support/athena-server';
import { openDuckDbBackend } from '#test/support/athena-server-duckdb';
import { type Flow, putFlows } from '#test/support/lake-fixture';
import { startS3Server } from '#test/support/s3-server';
import { makeFolder } from '#test/support/temporary';

const BUCKET = 'lake';

export interface BucketLakeFixture {
    lake: BucketLake;
    store: ObjectStore;
    athena: AthenaServer;
    /** Variables by which a program of its own finds the lake. */
    environment: Record<string, string>;
    /** Writes the days of these flows anew. */
    putFlows(flows: readonly Flow[]): Promise<void>;
    /** Removes an object. */
    remove(key: string): Promise<void>;
}

const opened: (() => Promise<void> | void)[] = [];

afterAll(async () => {
    for (const close of opened.splice(0).reverse()) {
        await close();
    }
});

/** A lake with these flows in it; every question is said to have scanned `scannedBytes`. */
export async function openBucketLakeFixture(
    flows: readonly Flow[],
    { scannedBytes = 12_345_678 }: { scannedBytes?: number } = {},
): Promise<BucketLakeFixture> {
    const copy = await makeFolder();
    const s3 = await startS3Server();
    opened.push(() => s3.stop());
    s3.makeBucket(
        BUCKET,
        Object.fromEntries(Object.entries(DEPLOYMENT_TAGS).map(([part, tag]) => [tag, part === 'workgroup' ? 'lake' : part])),
    );
    const environment: Record<string, string> = {
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_S3: s3.endpoint,
    };
    Object.assign(process.env, environment);
    const lake = openBucketLake(BUCKET, { environment, signal: new AbortController().signal });
    opened.push(() => lake.close());
    const store = await lake.store();
    const backend = await openDuckDbBackend({ directory: copy, scannedBytes });
    opened.push(() => backend.close());
    const { createS3Client } = await import('#lake/store/s3-client');
    const athena = await startAthenaServer({
        backend,
        s3: createS3Client({ environment }),
        output: `s3://${BUCKET}/_results/`,
        workgroups: { lake: {} },
    });
    opened.push(() => athena.stop());
    environment.AWS_ENDPOINT_URL_ATHENA = athena.url;
    const fixture: BucketLakeFixture = {
        lake,
        store,
        athena,
        environment,
        async putFlows(anew) {
            await putFlows(copy, anew);
            const from = openDirectoryStore(copy);
            for (const day of new Set(anew.map((flow) => flow.day))) {
                for await (const { key } of from.list(`pair_days/day=${day}/`)) {
                    const { bytes = new Uint8Array() } = (await from.get(key)) ?? {};
                    await store.put(key, bytes);
                }
            }
        },
        async remove(key) {
            await openDirectoryStore(copy).delete(key);
            await store.delete(key);
        },
    };
    await fixture.putFlows(flows);
    return fixture;
}

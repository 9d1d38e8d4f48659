/** The lake that is deployed for the tests of this folder, and what they do with it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findUndoneWork } from '#lake/commit/reconcile';
import { deploymentOf } from '#lake/deployment';
import { LEDGER_PREFIX } from '#lake/layout';
import { openDuckDb } from '#lake/query/duckdb';
import { createSqsClient, openSqsQueue } from '#lake/queue/sqs';
import { openS3Store } from '#lake/store/s3';
import { describeBucket } from '#lake/store/s3-bucket';
import { createS3Client } from '#lake/store/s3-client';
import { PAIR_DAYS_PREFIX, REJECTS_PREFIX } from '#test/support/flow-tables';
import { type Ran, runFlowlake } from '#test/support/flowlake';
import { type Row, rowsOf } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

export const bucket = process.env.TEST_BUCKET ?? '';
export const s3 = createS3Client({ environment: process.env });
const sqs = createSqsClient({ environment: process.env });
export const store = openS3Store({ bucket, client: s3 });

/** What programs need in their environment to find the deployed lake. */
export const environment: Record<string, string> = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => /^(AWS|FLOWLAKE)_/.test(entry[0])),
);

/** Runs a line of the built program on the deployed lake. */
export function flowlake(line: string | readonly string[], { folder, input }: { folder: string; input?: string }): Promise<Ran> {
    return runFlowlake(line, { folder, environment: { ...environment, HOME: folder }, ...(input !== undefined && { input }) });
}

export async function queueOf(part: 'summarizeQueue' | 'summarizeDeadLetters' | 'consolidateQueue' | 'consolidateDeadLetters') {
    const { deployment } = deploymentOf((await describeBucket({ bucket, client: s3 })).tags);
    return openSqsQueue({ name: deployment[part] ?? '', client: sqs });
}

/** A cold Lambda on a busy machine takes seconds. */
const SETTLE_WITHIN_MS = 90_000;

/** Waits until `isDone`. @throws where that takes too long */
export async function until(isDone: () => Promise<boolean>, what: string): Promise<void> {
    const deadline = Date.now() + SETTLE_WITHIN_MS;
    while (!(await isDone())) {
        if (Date.now() > deadline) {
            throw new Error(`waited in vain: ${what}`);
        }
        await sleep(200);
    }
}

/** Waits until the queues are empty and nothing is undone. */
export async function settled(): Promise<void> {
    const queues = await Promise.all((['summarizeQueue', 'consolidateQueue'] as const).map(queueOf));
    await until(async () => {
        const depths = await Promise.all(queues.map((queue) => queue.depth()));
        if (depths.some(({ waiting, inFlight }) => waiting + inFlight > 0)) {
            return false;
        }
        const { sources, periods } = await findUndoneWork(store, { now: new Date() });
        return sources.length + periods.length === 0;
    }, 'the deployed lake settles');
}

/** The rows of SQL over a copy of the deployed lake's tables in a directory. */
export async function askCopy(sql: string): Promise<Row[]> {
    const folder = await makeFolder();
    for (const prefix of [PAIR_DAYS_PREFIX, LEDGER_PREFIX, REJECTS_PREFIX]) {
        for await (const { key } of store.list(prefix)) {
            const object = await store.get(key);
            if (object) {
                await mkdir(dirname(join(folder, key)), { recursive: true });
                await writeFile(join(folder, key), object.bytes);
            }
        }
    }
    return askDirectory(folder, sql);
}

/** The rows of SQL over a lake in a directory. */
export async function askDirectory(directory: string, sql: string): Promise<Row[]> {
    const engine = await openDuckDb({ directory });
    try {
        return await rowsOf(engine, sql);
    } finally {
        await engine.close();
    }
}

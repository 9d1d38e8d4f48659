/** One lake of flows and telemetry, its pair days written in three ways: by TypeScript, by the Spark job, and merged by both in turn. */
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pMap from 'p-map';
import { consolidate } from '#lake/commit/consolidate';
import { flowSummaries, pairDays } from '#lake/flows/tables';
import { tables } from '#lake/kinds';
import { LEDGER_PREFIX } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { openS3Store } from '#lake/store/s3';
import { createS3Client } from '#lake/store/s3-client';
import { makeBucket } from '#test/aws/support/buckets';
import { runFlowlake } from '#test/support/flowlake';
import { makeFleet } from './make-fleet.ts';
import { nastyFiles, RETRACTED_KEY } from './nasty-lake.ts';
import type { Spark } from './spark.ts';

export const WRITERS = ['typescript', 'spark', 'by turns'] as const;

export type Writer = (typeof WRITERS)[number];

/** Folders of the three lakes, below `folder`; they differ in nothing but who wrote their pair days. */
export async function makeLakes({ folder, spark }: { folder: string; spark: Spark }): Promise<Record<Writer, string>> {
    const original = join(folder, 'typescript');
    await makeFleet(folder, 'typescript');
    const files = nastyFiles();
    for (const { key, text } of files) {
        await putFile(join(original, key), text);
    }
    const inFolder = async (line: string): Promise<void> => {
        const { exitCode, stderr } = await runFlowlake(['--lake', 'typescript', ...line.split(' ')], { folder });
        if (exitCode !== 0) {
            throw new Error(`${line}: ${stderr}`);
        }
    };
    await inFolder('reconcile');
    const before = join(folder, 'before-retraction');
    await cp(original, before, { recursive: true });
    await inFolder(`retract ${RETRACTED_KEY}`);

    const lakes: Record<Writer, string> = { typescript: original, spark: join(folder, 'spark'), 'by turns': join(folder, 'by-turns') };
    const days = (await readdir(join(original, pairDays.prefix))).map((name) => name.replace('day=', '')).sort();
    const byJob = (_: ObjectStore, bucket: string): Promise<unknown> => spark.consolidate(bucket);
    const byLambda = async (store: ObjectStore): Promise<unknown> => {
        for (const day of days) {
            await consolidate({ table: pairDays.name, period: day }, { store });
        }
        return days;
    };
    const turnOf = new Map(files.map(({ key, turn }) => [sourceId(key), turn]));
    // Who does the work when the files of flows up to a turn are there. The last one finds the retraction.
    const turns: Record<'spark' | 'by turns', readonly [upTo: number, work: typeof byJob][]> = {
        spark: [
            [3, byJob],
            [3, byJob],
        ],
        'by turns': [
            [0, byJob],
            [1, byLambda],
            [2, byJob],
            [3, byLambda],
            [3, byJob],
        ],
    };
    for (const writer of ['spark', 'by turns'] as const) {
        const { bucket, store } = await openBucket();
        for (const [at, [upTo, work]] of turns[writer].entries()) {
            const lake = at === turns[writer].length - 1 ? original : before;
            const wanted = await keysOf(lake, (source) => (turnOf.get(source) ?? Number.POSITIVE_INFINITY) <= upTo);
            await syncBucket({ store, wanted, folder: lake });
            await work(store, bucket);
        }
        await cp(original, lakes[writer], { recursive: true, filter: (path) => !path.includes(join(original, pairDays.prefix)) });
        for await (const { key } of store.list(pairDays.prefix)) {
            await putFile(join(lakes[writer], key), (await store.get(key))?.bytes ?? '');
        }
    }
    return lakes;
}

/** Makes the objects of a bucket those of a lake's folder, but for what nobody asks by SQL. */
export async function putLake({ store, folder }: { store: ObjectStore; folder: string }): Promise<void> {
    const keys = await filesBelow(folder);
    await syncBucket({
        store,
        wanted: keys.filter((key) => !/^(raw|\.flowlake)\//.test(key)),
        folder,
        below: tables.map(({ prefix }) => prefix),
    });
}

async function keysOf(lake: string, isWanted: (source: string) => boolean): Promise<string[]> {
    const keys = await filesBelow(lake);
    return keys.filter((key) => {
        const source = /^(?:ledger|summaries\/[^/]+)\/([0-9a-f]{16})\./.exec(key)?.[1];
        return source !== undefined && isWanted(source);
    });
}

interface Sync {
    store: ObjectStore;
    wanted: readonly string[];
    folder: string;
    below?: readonly string[];
}

async function syncBucket({ store, wanted, folder, below = [LEDGER_PREFIX, flowSummaries.prefix] }: Sync): Promise<void> {
    const isWanted = new Set(wanted);
    for (const prefix of below) {
        for await (const { key } of store.list(prefix)) {
            // What is there already under such a name is the same, but for ledger records and days.
            if (!isWanted.has(key)) {
                await store.delete(key);
            } else if (prefix === flowSummaries.prefix) {
                isWanted.delete(key);
            }
        }
    }
    await pMap(isWanted, async (key) => store.put(key, await readFile(join(folder, key))), { concurrency: CALLS_AT_ONCE });
}

async function openBucket(): Promise<{ bucket: string; store: ObjectStore }> {
    const client = createS3Client({ environment: process.env });
    const bucket = await makeBucket(client);
    return { bucket, store: openS3Store({ bucket, client }) };
}

async function filesBelow(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

async function putFile(path: string, content: string | Uint8Array): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
}

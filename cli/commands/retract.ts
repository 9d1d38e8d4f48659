/** `flowlake retract`: takes one source out of the figures. */
import { type Context, defineCommand, Failure } from '#cli/command';
import type { BucketLake, DirectoryLake } from '#cli/lake';
import type { ObjectStore } from '#lake/store/object-store';

export const retract = defineCommand({
    name: 'retract',
    summary: 'take one source out of the figures; its raw file stays',
    details: 'A later upload of the same name brings it back, also with the same bytes.',
    arguments: { source: { meaning: 'a raw key, or how it ends: monday.csv', count: 'one' } },
    options: {},
    examples: [
        { line: 'retract raw/site=berlin/monday.csv', does: 'the figures are as if it had never come' },
        { line: 'retract monday.csv', does: 'the same, where only one source ends so' },
    ],
    async run({ arguments: { source: name }, ...context }) {
        const { useLake } = await import('#cli/open-lake');
        const { findSource } = await import('#cli/find-source');
        return useLake(context, async (lake) => {
            const { sourceId } = await import('#lake/layout');
            const { readAllRecords } = await import('#lake/commit/reconcile');
            const store = await lake.store();
            const records = await readAllRecords(store);
            const key = findSource(
                name,
                [...records.values()].map(({ source }) => source),
            );
            const before = records.get(sourceId(key));
            if (before?.state === 'retracted') {
                await context.stderr.write(`${key} is retracted already\n`);
                return 0;
            }
            const days = lake.kind === 'directory' ? await fromDirectory(key, lake, context) : await fromBucket(key, lake, context);
            await context.stderr.write(
                `Took ${before?.rows_kept ?? 0} rows of ${key} out of ${days.length} ${days.length === 1 ? 'day' : 'days'}; upload it again to bring them back\n`,
            );
            return 0;
        });
    },
});

type Surroundings = Pick<Context, 'now' | 'signal' | 'stderr'>;

/** Returns the days that were touched; they are without the source by then. */
async function fromDirectory(key: string, { directory, store }: DirectoryLake, { now, signal }: Surroundings): Promise<string[]> {
    const { consolidateDays, finishWork } = await import('#lake/here/finish-work');
    const { markRunning } = await import('#lake/here/local-work');
    const mark = await markRunning(directory);
    if (mark.isWorkLeft) {
        await finishWork(directory, { now: now(), signal });
    }
    const days = await commit(key, await store(), { now, signal });
    const [error] = await consolidateDays(directory, days, { signal });
    if (error) {
        throw new Failure(`${key} is retracted, but its days are not yet without it: ${error.message}; then run flowlake reconcile`, {
            cause: error,
        });
    }
    await mark.clear();
    return days;
}

/** The same; the workers do it, and are waited for. */
async function fromBucket(key: string, lake: BucketLake, { now, signal, stderr }: Surroundings): Promise<string[]> {
    const { isConsolidated } = await import('#lake/commit/consolidate');
    const { tellDays } = await import('#lake/work/tell-work');
    const { openStatusLine } = await import('#cli/draw/status-line');
    const { setTimeout: sleep } = await import('node:timers/promises');
    const store = await lake.store();
    const days = await commit(key, store, { now, signal });
    await tellDays(days, { queue: await lake.queue('consolidateQueue'), uploadedAt: now() });
    const line = openStatusLine(stderr);
    try {
        for (const [at, day] of days.entries()) {
            while (!(await isConsolidated(day, { store }))) {
                await line.draw(`${key} is retracted; waiting for its days: ${at} of ${days.length}`);
                await sleep(LOOK_AGAIN_AFTER_MS, undefined, { signal });
            }
        }
    } catch (error) {
        if (signal.aborted) {
            await line.say(`${key} is retracted; the lake takes it out of its days by itself: flowlake status`);
        }
        throw error;
    } finally {
        await line.clear();
    }
    return days;
}

const LOOK_AGAIN_AFTER_MS = 500;

async function commit(key: string, store: ObjectStore, { now, signal }: Pick<Surroundings, 'now' | 'signal'>): Promise<string[]> {
    const { retract: retractSource } = await import('#lake/commit/retract');
    const days: string[] = [];
    await retractSource(key, {
        store,
        now,
        signal,
        tellDay: async (day) => {
            days.push(day);
        },
    });
    return days;
}

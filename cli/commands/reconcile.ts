/** `flowlake reconcile`: finishes whatever is undone. */
import { type Context, defineCommand, Failure } from '#cli/command';
import type { BucketLake } from '#cli/lake';
import { flag } from '#cli/option';
import type { UndoneWork } from '#lake/commit/reconcile';
import type { ObjectStore } from '#lake/store/object-store';

export const reconcile = defineCommand({
    name: 'reconcile',
    summary: 'finish whatever a crash or a hand in the folders left undone',
    details:
        'Summarizes raw files that are not in the figures as they are now (also those that were put under raw/ by hand), removes what can ' +
        'never count and consolidates every day that is not what counts. Safe to run at any time, also beside an upload. In a deployed lake ' +
        'it sends the messages that are missing and the workers do the work; with --here this process does it, which has no time limit.',
    arguments: {},
    options: {
        dryRun: flag('--dry-run', 'show what is undone and change nothing'),
        here: flag('--here', 'do the work in this process: for a file that is too large for a Lambda (s3:// lakes)'),
    },
    examples: [
        { line: 'reconcile', does: 'after a crash, or files copied into raw/ by hand' },
        { line: 'reconcile --dry-run', does: 'what it would do' },
        { line: '--lake s3://my-lake reconcile --here', does: 'on a machine with time, near the bucket' },
    ],
    async run({ options: { dryRun, here }, ...context }) {
        const { useLake } = await import('#cli/open-lake');
        return useLake(context, async (lake) => {
            const { findUndoneWork } = await import('#lake/commit/reconcile');
            if (dryRun) {
                await show(await findUndoneWork(await lake.store(), { now: context.now() }), VERBS.planned, context);
                return 0;
            }
            if (lake.kind === 'directory') {
                return reconcileDirectory(lake.directory, context);
            }
            if (here) {
                return reconcileHere(await lake.store(), context);
            }
            return sendUndone(lake, context);
        });
    },
});

type Surroundings = Omit<Context, 'arguments' | 'options'>;

/** What is said of sources, dead objects and days. */
const VERBS = {
    planned: ['to summarize', 'to delete', 'to consolidate'],
    done: ['summarized', 'deleted', 'consolidated'],
    sent: ['sent to be summarized', 'deleted', 'sent to be consolidated'],
} as const;

async function reconcileDirectory(directory: string, context: Surroundings): Promise<number> {
    const { finishWork } = await import('#lake/here/finish-work');
    const { markRunning } = await import('#lake/here/local-work');
    const mark = await markRunning(directory);
    const done = await finishWork(directory, { now: context.now(), signal: context.signal });
    context.signal.throwIfAborted();
    await show(done, VERBS.done, context);
    failOn(done.errors);
    await mark.clear();
    return 0;
}

async function reconcileHere(store: ObjectStore, context: Surroundings): Promise<number> {
    const { finishHere } = await import('#lake/commit/finish-here');
    const { openStatusLine } = await import('#cli/draw/status-line');
    const { sayBytes } = await import('#cli/draw/quantity');
    const line = openStatusLine(context.stderr);
    let current = '';
    let doneBytes = 0;
    const done = await finishHere(store, {
        now: context.now,
        signal: context.signal,
        onStep: (what) => {
            current = what;
            doneBytes = 0;
            void line.draw(`Working on ${what}`);
        },
        onBytes: (bytes) => {
            doneBytes += bytes;
            void line.draw(`Working on ${current}  ${sayBytes(doneBytes)}`);
        },
    }).finally(line.clear);
    await show(done, VERBS.done, context);
    failOn(done.errors);
    return 0;
}

async function sendUndone(lake: BucketLake, context: Surroundings): Promise<number> {
    const { findUnconsolidatedDays, findUnread, readAllRecords, removeDeadObjects } = await import('#lake/commit/reconcile');
    const { tellDays, tellSources } = await import('#lake/work/tell-work');
    const store = await lake.store();
    const now = context.now();
    const records = await readAllRecords(store);
    const sources = await findUnread(store, records);
    context.signal.throwIfAborted();
    // Before the days are looked at: one that contains a dead object is built anew without it.
    const deadObjects = await removeDeadObjects(store, { records, now });
    const days = await findUnconsolidatedDays(store);
    await tellSources(sources, { bucket: lake.bucket, queue: await lake.queue('summarizeQueue'), now });
    await tellDays(days, { queue: await lake.queue('consolidateQueue'), uploadedAt: now });
    await show({ sources, deadObjects, days }, VERBS.sent, context);
    if (sources.length + days.length > 0) {
        await context.stderr.write('The workers are at it; flowlake status shows when it is done\n');
    }
    return 0;
}

function failOn([first, ...others]: readonly Error[]): void {
    if (first) {
        const more = others.length > 0 ? ` (and ${others.length} more)` : '';
        throw new Failure(`Not all could be done: ${first.message}${more}`, { cause: first });
    }
}

async function show({ sources, deadObjects, days }: UndoneWork, verbs: readonly [string, string, string], context: Surroundings) {
    const { printRows } = await import('#cli/draw/print-rows');
    const { batchOf } = await import('#cli/draw/batch-of');
    const [summarized, deleted, consolidated] = verbs;
    const rows = [
        ...sources.map((key) => [summarized, key]),
        ...deadObjects.map((key) => [deleted, key]),
        ...days.map((day) => [consolidated, day]),
    ];
    if (rows.length === 0) {
        await context.stderr.write('Nothing is undone\n');
    }
    const columns = ['what', 'of'].map((name) => ({ name, type: 'varchar' }));
    await printRows({ columns, batches: batchOf(rows) }, context);
}

/** Finishes whatever is undone, and shows what it was: chooses who does the work, and nothing else. */
import type { RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayUnknown } from '#cli/say-unknown';
import { useLake } from '#cli/use-lake';
import { failOn, workInView } from '#cli/work-in-view';
import { finishUndone, type WorkDone, type Workers } from '#lake/commit/finish';
import { findUndoneWork, findUnknown, type UndoneWork } from '#lake/commit/reconcile';
import { withMark } from '#lake/here/marks';
import { workInThreads } from '#lake/here/thread-workers';
import { sayPeriod } from '#lake/kinds';
import type { BucketLake, DirectoryLake } from '#lake/lake';
import type { ObjectStore } from '#lake/store/object-store';
import { openPeriodQueues, workByMessage } from '#lake/work/tell-work';

interface ReconcileOptions {
    dryRun: boolean;
    here: boolean;
}

/** Verbs for sources, dead objects, periods and days of derived tables. */
const VERBS = {
    planned: ['to summarize', 'to delete', 'to consolidate', 'to derive'],
    done: ['summarized', 'deleted', 'consolidated', 'derived'],
    sent: ['sent to be summarized', 'deleted', 'sent to be consolidated', 'sent to be derived'],
} as const;

/** Prints a row for each piece of work. @throws Failure where not all could be done */
export async function reconcileLake({ dryRun, here }: ReconcileOptions, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        await tellUnknown(await lake.store(), context);
        if (dryRun) {
            await show(await findUndoneWork(await lake.store(), { now: context.now() }), VERBS.planned, context);
        } else if (lake.kind === 'directory') {
            await finishInDirectory(lake, context);
        } else if (here) {
            await finishHere(await lake.store(), context);
        } else {
            await sendUndone(lake, context);
        }
        return 0;
    });
}

/** Says which raw files nobody reads here: they are not undone work, and not to be passed over in silence. */
async function tellUnknown(store: ObjectStore, { stderr }: RunContext): Promise<void> {
    const unknown = await findUnknown(store);
    if (unknown.length > 0) {
        await stderr.write(`${sayUnknown(unknown)}\n`);
    }
}

function finishInDirectory(lake: DirectoryLake, context: RunContext): Promise<void> {
    const { signal, now } = context;
    // What killed commands left is part of what is undone: it is finished once, and shown with the rest.
    return withMark(lake.directory, { signal, finish: async () => undefined }, async () => {
        const workers = workInThreads(lake.directory, { signal });
        await showDone(await finishUndone(await lake.store(), { now, workers }), context);
    });
}

async function finishHere(store: ObjectStore, context: RunContext): Promise<void> {
    const { workers, clear } = workInView(store, { verb: 'Working on', context });
    await showDone(await finishUndone(store, { now: context.now, workers }).finally(clear), context);
}

async function sendUndone(lake: BucketLake, context: RunContext): Promise<void> {
    const { now, signal, stderr } = context;
    const workers: Workers = workByMessage({
        bucket: lake.bucket,
        summarizeQueue: await lake.queue('summarizeQueue'),
        ...(await openPeriodQueues(lake)),
        now,
    });
    signal.throwIfAborted();
    const sent = await finishUndone(await lake.store(), { now, workers });
    await show(sent, VERBS.sent, context);
    if (sent.sources.length + sent.periods.length + sent.derived.length > 0) {
        await stderr.write('The workers are at it; flowlake status shows when it is done\n');
    }
}

/** Prints what was done. @throws Failure where something failed */
async function showDone(done: WorkDone, context: RunContext): Promise<void> {
    await show(done, VERBS.done, context);
    failOn(done.errors);
}

async function show(
    { sources, deadObjects, periods, derived }: UndoneWork,
    verbs: readonly [string, string, string, string],
    context: RunContext,
): Promise<void> {
    const [summarized, deleted, consolidated, derivedVerb] = verbs;
    const rows = [
        ...sources.map((key) => [summarized, key]),
        ...deadObjects.map((key) => [deleted, key]),
        ...periods.map((of) => [consolidated, sayPeriod(of)]),
        ...derived.map((of) => [derivedVerb, sayPeriod(of)]),
    ];
    if (rows.length === 0) {
        await context.stderr.write('Nothing is undone\n');
    }
    const columns = ['what', 'of'].map((name) => ({ name, type: 'varchar' }));
    await printRows({ columns, batches: batchOf(rows) }, context);
}

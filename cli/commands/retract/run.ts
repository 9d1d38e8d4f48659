/** Takes one source out of the figures. */
import { setTimeout as sleep } from 'node:timers/promises';
import { changeLake } from '#cli/change-lake';
import { Failure, type RunContext } from '#cli/command';
import { countPeriods, sayCount } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import { findRecord } from '#cli/find-record';
import { useLake } from '#cli/use-lake';
import { isConsolidated } from '#lake/commit/consolidate';
import { consolidateAll } from '#lake/commit/finish';
import { retract } from '#lake/commit/retract';
import { workInThreads } from '#lake/here/thread-workers';
import type { BucketLake, Lake } from '#lake/lake';
import { chainPlaceOf, type TablePeriod } from '#lake/layout';
import { readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { openPeriodQueues, tellPeriods } from '#lake/work/tell-work';

const LOOK_AGAIN_AFTER_MS = 500;

/** Takes out the source that is named, or whose key ends so, and says when the figures are without it. */
export async function retractSource(name: string, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        const { source: key } = await findRecord(name, await lake.store());
        const said = await changeLake(lake, context, () => takeOut(key, lake, context));
        await context.stderr.write(`${said}\n`);
        return 0;
    });
}

/** Takes the source out. @returns what was done, in words */
async function takeOut(key: string, lake: Lake, context: RunContext): Promise<string> {
    const { now, signal } = context;
    const store = await lake.store();
    const { record: before } = await readLedger(store, sourceId(key));
    if (before?.state === 'retracted') {
        return `${key} is retracted already`;
    }
    signal.throwIfAborted();
    const { periods } = await retract(key, { store, now, signal });
    if (lake.kind === 'directory') {
        const errors = await consolidateAll(workInThreads(lake.directory, { signal }), periods).catch(async (reason: unknown) => {
            await context.stderr.write(
                `${key} is retracted, but its days are not yet without it: the next upload or flowlake reconcile finishes that\n`,
            );
            throw reason;
        });
        const [error] = errors;
        if (error) {
            throw new Failure(`${key} is retracted, but its days are not yet without it: ${error.message}; then run flowlake reconcile`, {
                cause: error,
            });
        }
    } else {
        await awaitWorkers(key, periods, { lake, context });
    }
    const rows = sayCount(before?.rows_kept ?? 0, 'row');
    return `Took ${rows} of ${key} out of ${countPeriods(periods)}; ${sayWayBack(key)}`;
}

/** What brings the rows back. Nobody can upload an object of a chain: devices have sent what stands in it. */
function sayWayBack(key: string): string {
    return chainPlaceOf(key) === undefined
        ? 'upload it again to bring them back'
        : 'to bring them back, upload a copy of the object under another name: flowlake upload --kind telemetry --as back.jsonl.gz FILE';
}

/** Has the workers take the source out of its periods, and waits for them. */
async function awaitWorkers(
    key: string,
    periods: readonly TablePeriod[],
    { lake, context: { now, signal, stderr } }: { lake: BucketLake; context: RunContext },
): Promise<void> {
    const store = await lake.store();
    await tellPeriods(periods, { ...(await openPeriodQueues(lake)), uploadedAt: now(), now: now() });
    const line = openStatusLine(stderr);
    try {
        for (const [at, of] of periods.entries()) {
            while (!(await isConsolidated(of, { store }))) {
                await line.draw(`${key} is retracted; waiting for its days: ${at} of ${periods.length}`);
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
}

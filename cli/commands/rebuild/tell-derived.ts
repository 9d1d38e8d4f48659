/** What follows the Spark job on days of derived tables: it tells of them at its end, and tells nobody where it is cut off. */
import type { RunContext } from '#cli/command';
import { sayCount } from '#cli/draw/quantity';
import { listDerivedDays } from '#lake/commit/periods';
import type { BucketLake } from '#lake/lake';
import { openPeriodQueues, tellPeriods } from '#lake/work/tell-work';

export interface TellDerivedOptions {
    from: string;
    to: string;
    /** False where the job is not waited for. */
    wait: boolean;
    context: Pick<RunContext, 'now' | 'signal' | 'stderr'>;
}

/** Has the workers derive what is built on the periods that the job was to write, once it is over; says who does it else. */
export async function tellDerived(lake: BucketLake, { from, to, wait, context }: TellDerivedOptions): Promise<void> {
    const { now, signal, stderr } = context;
    const days = await listDerivedDays(await lake.store(), { from, to });
    if (days.length === 0) {
        return;
    }
    // Whoever stops waiting leaves the job at work.
    if (!wait || signal.aborted) {
        await stderr.write(
            'Once it is over the job has the days of tables that are built on these derived; where it is cut off, flowlake reconcile does it\n',
        );
        return;
    }
    await tellPeriods(days, { ...(await openPeriodQueues(lake)), uploadedAt: now(), now: now() });
    await stderr.write(
        `The workers derive ${sayCount(days.length, 'day')} of tables that are built on these; flowlake status shows when it is done\n`,
    );
}

/** `flowlake reconcile`: finishes whatever is undone. */
import { defineCommand, Failure } from '#cli/command';
import { flag } from '#cli/option';

export const reconcile = defineCommand({
    name: 'reconcile',
    summary: 'finish whatever a crash or a hand in the folders left undone',
    details:
        'Summarizes raw files that are not in the figures as they are now (also those that were put under raw/ by hand), removes what can ' +
        'never count and consolidates every day that is not what counts. Safe to run at any time, also beside an upload.',
    arguments: {},
    options: { dryRun: flag('--dry-run', 'show what is undone and change nothing') },
    examples: [
        { line: 'reconcile', does: 'after a crash, or files copied into raw/ by hand' },
        { line: 'reconcile --dry-run', does: 'what it would do' },
    ],
    async run({ options: { dryRun }, ...context }) {
        const { useLake } = await import('#cli/open-lake');
        const { printRows } = await import('#cli/print-rows');
        const { batchOf } = await import('#cli/batch-of');
        return useLake(context, async ({ directory }) => {
            const { findUndoneWork, finishWork } = await import('#lake/finish-work');
            const { markRunning } = await import('#lake/local-work');
            const mark = dryRun ? undefined : await markRunning(directory);
            const options = { now: context.now(), signal: context.signal };
            const done = dryRun ? { ...(await findUndoneWork(directory, options)), errors: [] } : await finishWork(directory, options);
            context.signal.throwIfAborted();
            const rows = [
                ...done.sources.map((key) => [dryRun ? 'to summarize' : 'summarized', key]),
                ...done.deadObjects.map((key) => [dryRun ? 'to delete' : 'deleted', key]),
                ...done.days.map((day) => [dryRun ? 'to consolidate' : 'consolidated', day]),
            ];
            if (rows.length === 0) {
                await context.stderr.write('Nothing is undone\n');
            }
            await printRows(
                {
                    columns: [
                        { name: 'what', type: 'varchar' },
                        { name: 'of', type: 'varchar' },
                    ],
                    batches: batchOf(rows),
                },
                context,
            );
            if (done.errors[0]) {
                const more = done.errors.length > 1 ? ` (and ${done.errors.length - 1} more)` : '';
                throw new Failure(`Not all could be done: ${done.errors[0].message}${more}`, { cause: done.errors[0] });
            }
            await mark?.clear();
            return 0;
        });
    },
});

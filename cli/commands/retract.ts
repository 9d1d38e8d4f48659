/** `flowlake retract`: takes one source out of the figures. */
import { defineCommand, Failure } from '#cli/command';

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
        return useLake(context, async ({ directory, store }) => {
            const { consolidateDays, finishWork } = await import('#lake/finish-work');
            const { sourceId } = await import('#lake/layout');
            const { markRunning } = await import('#lake/local-work');
            const { readAllRecords } = await import('#lake/reconcile');
            const { retract: retractSource } = await import('#lake/retract');
            const records = await readAllRecords(await store());
            const key = findSource(
                name,
                [...records.values()].map(({ source }) => source),
            );
            const before = records.get(sourceId(key));
            if (before?.state === 'retracted') {
                await context.stderr.write(`${key} is retracted already\n`);
                return 0;
            }
            const mark = await markRunning(directory);
            if (mark.isWorkLeft) {
                await finishWork(directory, { now: context.now(), signal: context.signal });
            }
            const days: string[] = [];
            await retractSource(key, {
                store: await store(),
                now: context.now,
                signal: context.signal,
                tellDay: async (day) => {
                    days.push(day);
                },
            });
            const [error] = await consolidateDays(directory, days, { signal: context.signal });
            if (error) {
                throw new Failure(
                    `${key} is retracted, but its days are not yet without it: ${error.message}; then run flowlake reconcile`,
                    { cause: error },
                );
            }
            await mark.clear();
            await context.stderr.write(
                `Took ${before?.rows_kept ?? 0} rows of ${key} out of ${days.length} ${days.length === 1 ? 'day' : 'days'}; upload it again to bring them back\n`,
            );
            return 0;
        });
    },
});

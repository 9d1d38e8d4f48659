/** `flowlake verify`: every figure once more, by a second path, and all that the figures rest on. */
import { defineCommand } from '#cli/command';
import { day, flag, whole } from '#cli/option';

export const verify = defineCommand({
    name: 'verify',
    summary: 'recompute every figure from the raw files by a second path, look at every object, and name each difference',
    details:
        'The second path shares neither the reading of rows nor the arithmetic with the first. Looked at are figures, accounts (rows read are ' +
        'rows kept and rejected, and flows of the summaries), what days contain against the ledger, what derived days were made of, Parquet files page by page, and ' +
        'objects that nothing explains or that count nowhere. Exit codes: 0 all equal; 1 something differs or is damaged; 3 nothing differs, ' +
        'and not everything could be checked: a raw file is gone or waits for reconcile, or the store did not hand out an object. ' +
        'Of a source whose raw file is gone the committed summaries are taken, and that is said. ' +
        'With --repair it does what reconcile does and mends what differs: the table shows what would change, figure by figure; then a file ' +
        'whose summaries are not what its raw bytes say is read once more under a new version, a day whose object is wrong is built or derived anew, ' +
        'leftovers go, and what was touched is verified once more; the exit code is of what is left. What only a backup mends is said.',
    arguments: {},
    options: {
        from: day('--from <day>', 'first day to compare'),
        to: day('--to <day>', 'last day to compare'),
        limit: whole('--limit <n>', 'how many differences are shown at most; all are counted', { fallback: 100 }),
        repair: flag('--repair', 'mend what differs; this process does the work, in a directory and in a deployed lake'),
        dryRun: flag('--dry-run', 'with --repair: show what would change and change nothing'),
        allowPruned: flag('--allow-pruned', 'a source whose raw file is gone counts as checked by its summaries: exit code 0'),
    },
    examples: [
        { line: 'verify', does: 'every figure of the lake' },
        { line: 'verify --from 2026-03-01 --to 2026-03-31', does: 'the figures of one month' },
        { line: 'verify --repair --dry-run', does: 'what a repair would change, figure by figure' },
        { line: 'verify --repair', does: 'mend it' },
    ],
    async run({ options, ...context }) {
        const { verifyAndRepair } = await import('./run.ts');
        return verifyAndRepair(options, context);
    },
});

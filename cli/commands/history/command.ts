/** `flowlake history`: every version of a source, what it contributed and when. */
import { defineCommand } from '#cli/command';
import { flag } from '#cli/option';

export const history = defineCommand({
    name: 'history',
    summary: 'every version of a source: when it was committed, how it was read, what it contributed',
    details:
        'States: live (its rows are in the figures), failed (the file could not be used), skipped (no file of its kind, by right), superseded (a later version took its place), ' +
        'retracted. date_order and duration_unit are those that upload was told; empty where it was told none. inputs (of kinds that have them) are the ' +
        'documents that it was read with, `name@version`, and `@0` where there was none of that name. flows are those of its ' +
        'summaries, which only the live version still has. An empty cell is not known: ledger records of older versions of this program do ' +
        'not remember what came before their last commit.',
    arguments: { source: { meaning: 'a raw key, or how it ends: monday.csv', count: 'one' } },
    options: { days: flag('--days', 'a row for each day that a version contributed to') },
    examples: [
        { line: 'history raw/site=berlin/monday.csv', does: 'a row for each version, the oldest first' },
        { line: 'history monday.csv --days', does: 'the days of each, where only one source ends so' },
    ],
    async run({ arguments: { source }, options: { days }, ...context }) {
        const { showHistory } = await import('./run.ts');
        return showHistory(source, { isByPeriod: days }, context);
    },
});

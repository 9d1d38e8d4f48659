/** `flowlake retract`: takes one source out of the figures. */
import { defineCommand } from '#cli/command';

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
    async run({ arguments: { source }, ...context }) {
        const { retractSource } = await import('./run.ts');
        return retractSource(source, context);
    },
});

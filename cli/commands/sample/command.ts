/** `flowlake sample`: files of flows to try things with; equal seeds give equal files. */
import { defineCommand } from '#cli/command';
import { whole } from '#cli/option';

export const sample = defineCommand({
    name: 'sample',
    summary: 'write realistic CICFlowMeter files, the same for the same seed',
    details:
        'One file for each site and day, <dir>/site=<site>/<day>_Flow.csv, as probes in branch offices send them: workdays and weekends, ' +
        'steady and intermittent devices, and a few unusual days to be found.',
    arguments: { dir: { meaning: 'folder to write to; made if it is missing', count: 'one' } },
    options: {
        flows: whole('--flows <n>', 'rows in all files together', { fallback: 100_000 }),
        days: whole('--days <n>', 'days', { fallback: 30 }),
        pairs: whole('--pairs <n>', 'pairs of devices', { fallback: 200 }),
        seed: whole('--seed <n>', 'other seed, other traffic', { fallback: 1, min: 0 }),
    },
    examples: [
        { line: 'sample ./samples', does: '30 days of three sites' },
        { line: 'sample ./many --flows 5000000 --days 90 --pairs 20000 --seed 7', does: 'enough to be busy with' },
    ],
    async run({ arguments: { dir }, options, ...context }) {
        const { writeSampleFiles } = await import('./run.ts');
        return writeSampleFiles(dir, options, context);
    },
});

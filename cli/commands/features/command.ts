/** `flowlake features`: what models are trained on, into the lake. */
import { defineCommand } from '#cli/command';
import { choice, day, flag } from '#cli/option';

export const features = defineCommand({
    name: 'features',
    summary: 'write what models are trained on, as Parquet under exports/: a row per pair and day, or per metric and hour',
    details:
        'The rows are those of view pair_features: totals, running and past statistics, z-scores, days since last seen. No row knows a later ' +
        'day than its own; the figures count from the pair’s first day, whatever days are asked for. Each day is one object, ' +
        'exports/features/day=YYYY-MM-DD/part-00.parquet, which is replaced as a whole; a day that has no pairs any more loses its object. ' +
        'With --of metrics the rows are those of view metric_features, under exports/metric_features/. Beside the days stand manifests for a training job, split by time (docs/features.md). ' +
        'In a deployed lake the Spark job does it; it takes a minute or two to start, and Ctrl-C leaves it at work.',
    arguments: {},
    options: {
        of: choice(
            '--of <rows>',
            'what a row is of: pairs of addresses and days, or metrics of devices and hours',
            ['pairs', 'metrics'],
            'pairs',
        ),
        from: day('--from <day>', 'first day'),
        to: day('--to <day>', 'last day, which is one of them'),
        dryRun: flag('--dry-run', 'say what would be done for each day and change nothing'),
        wait: flag('--no-wait', 'return once the job is started (s3:// lakes; a directory has nobody else to do the work)'),
    },
    scans: true,
    examples: [
        { line: 'features --from 2026-01-01 --to 2026-01-31', does: 'January; the days before it count in it' },
        { line: 'features --of metrics --from 2026-01-01 --to 2026-01-31', does: 'the same month of devices' },
        { line: '--lake s3://my-lake features --from 2025-01-01 --to 2025-12-31', does: 'a year, by the Spark job' },
    ],
    async run({ options, ...context }) {
        const { writeFeatures } = await import('./run.ts');
        return writeFeatures(options, context);
    },
});

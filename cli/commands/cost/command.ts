/** `flowlake cost`: what a deployed lake costs in a month, as far as it can tell. */
import { defineCommand } from '#cli/command';
import { whole } from '#cli/option';

export const cost = defineCommand({
    name: 'cost',
    summary: 'what a lake costs in a month by list prices: what is kept, calls of files, what was scanned (s3:// lakes)',
    details:
        'Bytes are counted by prefix and storage class, without older versions of objects, of which S3 Storage Lens tells. Calls are reckoned: those that a small file makes until it is in the figures, ' +
        'for each file of the last days. What was scanned is what CloudWatch counts of the lake’s workgroup. Lambda, SQS, CloudWatch and live telemetry are not in it: docs/deploy.md and docs/scale.md reckon these. ' +
        'Prices are of us-east-1 and from lists; the account’s bill decides.',
    arguments: {},
    options: { days: whole('--days <n>', 'days that are looked back for files and scans', { fallback: 30 }) },
    examples: [
        { line: '--lake s3://my-lake cost', does: 'a month of it' },
        { line: '--lake s3://my-lake cost --output json', does: 'for a sheet of figures' },
    ],
    async run({ options, ...context }) {
        const { showCosts } = await import('./run.ts');
        return showCosts(options, context);
    },
});

/** `flowlake doctor`: checks that everything that the lake rests on is as it should be, and says what to do where it is not. */
import { defineCommand } from '#cli/command';

export const doctor = defineCommand({
    name: 'doctor',
    summary: 'check what the lake rests on, and say for each finding what to do (exit code 1 where there is a problem)',
    details:
        'On S3: credentials, region, bucket, tags, queues, all that the stack has made (functions and what hands them their work, alarms, and of live telemetry streams, tables and rules), ' +
        'Athena workgroup, tables and views of the catalog, and whether Athena sees every day. ' +
        'In a directory: whether it can be written to, its lock, work that was cut off, free space, stray files; of live telemetry whether it is served, who may read its keys, ' +
        'and which certificates end soon. Nothing is changed. ' +
        'What you may not look at is told as "could not check", never as missing.',
    arguments: {},
    options: {},
    examples: [
        { line: 'doctor', does: 'all checks of the lake' },
        { line: 'doctor --output json', does: 'for a monitoring script, with the exit code' },
    ],
    async run(context) {
        const { examineLake } = await import('./run.ts');
        return examineLake(context);
    },
});

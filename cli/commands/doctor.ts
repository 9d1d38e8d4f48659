/** `flowlake doctor`: whether everything that the lake rests on is as it should be, and what to do where it is not. */
import { type Context, defineCommand } from '#cli/command';
import type { Finding } from '#lake/doctor/finding';

const COLUMNS = ['check', 'result', 'found', 'what_to_do'].map((name) => ({ name, type: 'varchar' }));

export const doctor = defineCommand({
    name: 'doctor',
    summary: 'check what the lake rests on, and say for each finding what to do (exit code 1 where there is a problem)',
    details:
        'On S3: credentials, region, bucket, tags, queues, Athena workgroup, tables and views of the catalog, and whether Athena sees every day. ' +
        'In a directory: whether it can be written to, its lock, work that was cut off, free space, stray files. Nothing is changed. ' +
        'What you may not look at is told as "could not check", never as missing.',
    arguments: {},
    options: {},
    examples: [
        { line: 'doctor', does: 'all checks of the lake' },
        { line: 'doctor --output json', does: 'for a monitoring script, with the exit code' },
    ],
    async run(context) {
        const { batchOf } = await import('#cli/draw/batch-of');
        const { printRows } = await import('#cli/draw/print-rows');
        const { sayCount } = await import('#cli/draw/quantity');
        const findings = await examine(context);
        const rows = findings.map(({ check, result, found, todo }) => [check, result, found, todo]);
        await printRows({ columns: COLUMNS, batches: batchOf(rows) }, context);
        const count = (result: Finding['result']): number => findings.filter((finding) => finding.result === result).length;
        const [problems, warnings, unknown] = [count('problem'), count('warning'), count('could not check')];
        const rest = unknown === 0 ? '' : `, ${unknown} could not be checked`;
        await context.stderr.write(`${sayCount(problems, 'problem')}, ${sayCount(warnings, 'warning')}${rest}\n`);
        return problems > 0 ? 1 : 0;
    },
});

async function examine({ lake, environment, signal, now }: Context): Promise<Finding[]> {
    if (lake === undefined) {
        // It says how a lake is named.
        const { useLake } = await import('#cli/open-lake');
        return useLake({ lake, environment, signal }, async () => []);
    }
    // Not opened: whether a lake can be opened is what is asked here.
    if (lake.kind === 's3') {
        const { gatherAwsFacts } = await import('#lake/doctor/aws-facts');
        const { judgeDeployment } = await import('#lake/doctor/aws-findings');
        return judgeDeployment(await gatherAwsFacts({ bucket: lake.bucket, environment }), { now: now() });
    }
    const { findCutOff } = await import('#lake/here/local-work');
    const { gatherDirectory } = await import('#lake/doctor/directory-facts');
    const { judgeDirectory } = await import('#lake/doctor/directory-findings');
    const cutOff = await findCutOff(lake.directory);
    return judgeDirectory(await gatherDirectory(lake.directory, { cutOff }), { now: now() });
}

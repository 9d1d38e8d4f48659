/** Looks at what a lake rests on, and shows what was found. */

import type { RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayCount } from '#cli/draw/quantity';
import { useLake } from '#cli/use-lake';
import { judgeDeployment } from '#lake/doctor/aws-findings';
import { gatherDirectory } from '#lake/doctor/directory-facts';
import { judgeDirectory } from '#lake/doctor/directory-findings';
import type { Finding } from '#lake/doctor/finding';
import { findCutOff } from '#lake/here/marks';

const COLUMNS = ['check', 'result', 'found', 'what_to_do'].map((name) => ({ name, type: 'varchar' }));

/** Prints a row for each check. @returns 1 where there is a problem */
export async function examineLake(context: RunContext): Promise<number> {
    const findings = await examine(context);
    const rows = findings.map(({ check, result, found, todo }) => [check, result, found, todo]);
    await printRows({ columns: COLUMNS, batches: batchOf(rows) }, context);
    const count = (result: Finding['result']): number => findings.filter((finding) => finding.result === result).length;
    const [problems, warnings, unknown] = [count('problem'), count('warning'), count('could not check')];
    const rest = unknown === 0 ? '' : `, ${unknown} could not be checked`;
    await context.stderr.write(`${sayCount(problems, 'problem')}, ${sayCount(warnings, 'warning')}${rest}\n`);
    return problems > 0 ? 1 : 0;
}

async function examine({ lake, environment, signal, now }: RunContext): Promise<Finding[]> {
    if (lake === undefined) {
        // It says how a lake is named.
        return useLake({ lake, environment, signal }, async () => []);
    }
    // Not opened: the checks find out whether it can be.
    if (lake.kind === 's3') {
        // Five SDKs, which a lake in a directory need not wait for.
        const { gatherAwsFacts } = await import('#lake/doctor/aws-facts');
        return judgeDeployment(await gatherAwsFacts({ bucket: lake.bucket, environment }), { now: now() });
    }
    const cutOff = await findCutOff(lake.directory);
    return judgeDirectory(await gatherDirectory(lake.directory, { cutOff }), { now: now() });
}

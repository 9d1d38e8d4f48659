/** Judges whether Athena answers questions on the lake, within limits. */
import { type Answer, type Finding, judge, orOk, problem, warning } from './finding.ts';
import type { WorkgroupFacts } from './workgroup-facts.ts';

/** The views are written for it: https://docs.aws.amazon.com/athena/latest/ug/engine-versions-reference-0003.html */
const ENGINE_VERSION = /^(AUTO|Athena engine version [3-9]|Athena engine version \d\d)$/;

export interface ExpectedWorkgroup {
    name: string;
    bucket: string;
    redeploy: string;
}

export function judgeWorkgroup(answer: Answer<WorkgroupFacts>, { name, bucket, redeploy }: ExpectedWorkgroup): readonly Finding[] {
    const check = 'workgroup';
    const update = `aws athena update-work-group --work-group ${name}`;
    return judge(check, answer, {
        missing: () => problem(check, `there is no workgroup ${name}`, redeploy),
        found: ({ isEnabled, isEnforced, resultLocation, scanLimitBytes, engineVersion }) => {
            const wrong: Finding[] = [];
            if (!isEnabled) {
                wrong.push(problem(check, 'it is disabled: Athena refuses every query', `${update} --state ENABLED`));
            }
            if (!isEnforced) {
                const todo = `${update} --configuration-updates EnforceWorkGroupConfiguration=true`;
                wrong.push(warning(check, 'its settings are not enforced: who asks may evade the scan limit', todo));
            }
            if (resultLocation === undefined) {
                wrong.push(problem(check, 'no result location: results have nowhere to go', redeploy));
            } else if (!resultLocation.startsWith(`s3://${bucket}/`)) {
                const todo = `whoever may query the lake needs rights there too; else ${redeploy}`;
                wrong.push(warning(check, `results go to ${resultLocation}, outside of the lake`, todo));
            }
            if (scanLimitBytes === undefined) {
                const todo = `${update} --configuration-updates BytesScannedCutoffPerQuery=100000000000`;
                wrong.push(warning(check, 'no scan limit: one query may read, and cost, anything', todo));
            }
            if (!ENGINE_VERSION.test(engineVersion)) {
                wrong.push(problem(check, `engine version ${engineVersion || 'unknown'}: the views need version 3`, redeploy));
            }
            return orOk(check, wrong, `${name}: results in ${resultLocation}, up to ${(scanLimitBytes ?? 0) / 1e9} GB a query`);
        },
    });
}

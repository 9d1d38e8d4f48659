/** Judges whether a Glue job is there to be started. */
import { type Answer, type Finding, judge, ok, problem } from './finding.ts';
import type { JobFacts } from './job-facts.ts';

export interface ExpectedJob {
    check: string;
    name: string;
    /** What does not happen without the job. */
    ifMissing: string;
    redeploy: string;
}

export function judgeJob(answer: Answer<JobFacts>, { check, name, ifMissing, redeploy }: ExpectedJob): readonly Finding[] {
    return judge(check, answer, {
        missing: () => problem(check, `there is no Glue job ${name}: ${ifMissing}`, redeploy),
        found: ({ glueVersion, script, workers, timeoutMinutes }) =>
            script === ''
                ? [problem(check, `${name} has no script`, redeploy)]
                : [ok(check, `${name}: Glue ${glueVersion}, ${workers} workers, up to ${timeoutMinutes} minutes`)],
    });
}

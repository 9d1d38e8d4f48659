/** A job that is not there, or that has nothing to run, is found before somebody needs it. */
import { expect, test } from '@jest/globals';
import { judgeJob } from '#lake/doctor/job-findings';

const EXPECTED = {
    check: 'consolidate-days job',
    name: 'flowlake-dev-consolidate-days',
    ifMissing: 'days that are too large for a Lambda stay as they are',
    redeploy: 'npx cdk deploy',
};
const WELL = { glueVersion: '5.0', script: 's3://assets/x.py', workers: 4, timeoutMinutes: 120 };

test('a job as deployed is well, and says what it may take', () => {
    expect(judgeJob({ kind: 'found', value: WELL }, EXPECTED)).toEqual([
        { check: EXPECTED.check, result: 'ok', found: `${EXPECTED.name}: Glue 5.0, 4 workers, up to 120 minutes`, todo: null },
    ]);
});

test('one that is missing is a problem with what that means for people, one without a script too', () => {
    expect(judgeJob({ kind: 'missing' }, EXPECTED)).toEqual([
        expect.objectContaining({ result: 'problem', found: expect.stringContaining('too large for a Lambda'), todo: 'npx cdk deploy' }),
    ]);
    expect(judgeJob({ kind: 'found', value: { ...WELL, script: '' } }, EXPECTED)).toMatchObject([{ result: 'problem' }]);
});

test('one that may not be looked at is neither', () => {
    const answer = { kind: 'unreadable', code: 'AccessDeniedException', why: 'cannot look at Glue job' } as const;
    expect(judgeJob(answer, EXPECTED)).toMatchObject([{ result: 'could not check', todo: 'cannot look at Glue job' }]);
});

import { parsePolicy } from '#lake/doctor/policy';
import type { QueueFacts } from '#lake/doctor/queue-facts';
import { judgeDeadLetters, judgeQueue } from '#lake/doctor/queue-findings';

const POLICY = parsePolicy(
    JSON.stringify({
        Statement: {
            Effect: 'Allow',
            Principal: { Service: 's3.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: 'arn:aws:sqs:us-east-1:1:work',
            Condition: { ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::lake' } },
        },
    }),
);

const WORK: QueueFacts = {
    arn: 'arn:aws:sqs:us-east-1:1:work',
    isFifo: false,
    isDeduplicatedByContent: false,
    visibilitySeconds: 1800,
    delaySeconds: 0,
    retentionSeconds: 1_209_600,
    waiting: 3,
    inFlight: 1,
    redrive: { deadLetterArn: 'arn:aws:sqs:us-east-1:1:dead', maxReceiveCount: 5 },
    policy: POLICY,
};
const EXPECTED = { check: 'work', name: 'work', deadLetters: 'dead', isFifo: false, toldByBucket: 'lake', redeploy: 'deploy' };

function judged(change: Partial<QueueFacts>, expected: Partial<typeof EXPECTED> = {}) {
    return judgeQueue({ kind: 'found', value: { ...WORK, ...change } }, { ...EXPECTED, ...expected });
}

describe('a queue', () => {
    test('is well as deployed, and tells what waits and which time the function may take', () => {
        expect(judged({})).toEqual([
            {
                check: 'work',
                result: 'ok',
                found: 'work: 3 waiting, 1 in work or between tries; hidden for 1800 s while in work (right for a function of 300 s), dead after 5 tries',
                todo: null,
            },
        ]);
    });

    test.each<[string, Partial<QueueFacts>, string, string]>([
        ['of the wrong kind', { isFifo: true }, 'problem', 'S3 sends to standard queues only'],
        ['without dead letters', { redrive: undefined }, 'problem', 'no dead-letter queue'],
        [
            'with the dead letters of another',
            { redrive: { deadLetterArn: 'arn:aws:sqs:us-east-1:1:x', maxReceiveCount: 5 } },
            'problem',
            'go to x; the bucket',
        ],
        [
            'that gives up at once',
            { redrive: { deadLetterArn: 'arn:aws:sqs:us-east-1:1:dead', maxReceiveCount: 1 } },
            'warning',
            'tried 1 times',
        ],
        ['that S3 may not send to', { policy: [] }, 'problem', 'does not let S3 send'],
    ])('%s', (_, change, result, found) => {
        expect(judged(change)).toMatchObject([{ result, found: expect.stringContaining(found) }]);
    });

    test('that S3 may send to for another bucket only', () => {
        expect(judged({}, { toldByBucket: 'other' })).toMatchObject([{ result: 'problem' }]);
    });

    test('of days: standard, or deduplicated by content, would lose order or files', () => {
        expect(judged({}, { isFifo: true })).toMatchObject([{ result: 'problem', found: expect.stringContaining('one day at once') }]);
        expect(judged({ isFifo: true, isDeduplicatedByContent: true }, { isFifo: true })).toMatchObject([
            { result: 'problem', found: expect.stringContaining('deduplication by content') },
        ]);
    });

    test('that is missing is a problem, one that may not be looked at is not known', () => {
        expect(judgeQueue({ kind: 'missing' }, EXPECTED)).toMatchObject([
            { result: 'problem', found: expect.stringContaining('there is no queue work') },
        ]);
        expect(judgeQueue({ kind: 'unreadable', code: undefined, why: 'no right' }, EXPECTED)).toMatchObject([
            { result: 'could not check', found: 'not known', todo: 'no right' },
        ]);
    });
});

describe('dead letters', () => {
    const judgedDead = (change: Partial<QueueFacts>) =>
        judgeDeadLetters(
            { kind: 'found', value: { ...WORK, waiting: 0, inFlight: 0, ...change } },
            { check: 'dead', name: 'dead', isFifo: false, redeploy: 'deploy' },
        );

    test('that wait need a person', () => {
        expect(judgedDead({})).toMatchObject([{ result: 'ok', found: 'dead: empty' }]);
        expect(judgedDead({ waiting: 1 })).toMatchObject([
            { result: 'problem', found: expect.stringMatching(/^1 message that/), todo: expect.stringContaining('redrive') },
        ]);
        expect(judgedDead({ waiting: 1, inFlight: 2 })).toMatchObject([{ found: expect.stringMatching(/^3 messages that/) }]);
    });

    test('that vanish after four days are a warning', () => {
        expect(judgedDead({ retentionSeconds: 345_600 })).toMatchObject([
            { result: 'warning', found: expect.stringContaining('4.0 days') },
        ]);
    });
});

describe('a queue that holds messages back', () => {
    const HOURS = { ...EXPECTED, check: 'hours', isFifo: true, minDelaySeconds: 360 };
    const judgedHours = (change: Partial<QueueFacts>) =>
        judgeQueue({ kind: 'found', value: { ...WORK, isFifo: true, delaySeconds: 360, ...change } }, HOURS);

    test('is well where it does so for longer than SQS drops repeats', () => {
        expect(judgedHours({})).toMatchObject([
            { check: 'hours', result: 'ok', found: expect.stringContaining('held back for 360 s, hidden') },
        ]);
    });

    test.each([0, 240, 300, 359])('loses news where it holds them back for %i s', (delaySeconds) => {
        expect(judgedHours({ delaySeconds })).toMatchObject([{ result: 'problem', found: expect.stringContaining('news may be lost') }]);
    });
});

/** Judges that the queues bring every upload into the figures, and lose none. */
import { nameOf } from './bucket-findings.ts';
import { type Answer, type Finding, judge, orOk, problem, warning } from './finding.ts';
import { letsS3Send } from './policy.ts';
import type { QueueFacts } from './queue-facts.ts';

/** SQS hides a message six times as long as its function may run: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const VISIBILITY_PER_TIMEOUT = 6;

/**
 * Fewer tries lose messages when a function is throttled for a moment. AWS advises five:
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
const MIN_RECEIVE_COUNT = 5;

/** A dead letter keeps the time that it was first sent, so its queue has to keep messages longer. */
const DEAD_LETTER_RETENTION_SECONDS = 14 * 24 * 60 * 60;

export interface ExpectedQueue {
    /** What the finding is on: `summarize queue`. */
    check: string;
    name: string;
    deadLetters: string | undefined;
    isFifo: boolean;
    /** How long each message must be held back at least; undefined where not at all. */
    minDelaySeconds?: number;
    /** Bucket that must be allowed to send; undefined where only Lambdas send. */
    toldByBucket?: string;
    /** Command that deploys the stage once more, for people to type. */
    redeploy: string;
}

export function judgeQueue(
    answer: Answer<QueueFacts>,
    { check, name, deadLetters, isFifo, minDelaySeconds = 0, toldByBucket, redeploy }: ExpectedQueue,
): readonly Finding[] {
    return judge(check, answer, {
        missing: () => problem(check, `there is no queue ${name} in this account and region`, redeploy),
        found: (queue) => {
            const { redrive, visibilitySeconds, delaySeconds, waiting, inFlight } = queue;
            const wrong = kindProblems(check, queue, { isFifo, redeploy });
            if (redrive === undefined) {
                wrong.push(problem(check, 'no dead-letter queue: what fails for days is lost', redeploy));
            } else if (deadLetters !== undefined && nameOf(redrive.deadLetterArn) !== deadLetters) {
                const found = `dead letters go to ${nameOf(redrive.deadLetterArn)}; the bucket's tags say ${deadLetters}`;
                wrong.push(problem(check, found, `flowlake redrive would not find them: ${redeploy}`));
            } else if (redrive.maxReceiveCount < MIN_RECEIVE_COUNT) {
                wrong.push(
                    warning(check, `a message is tried ${redrive.maxReceiveCount} times, then it is dead`, `5 or more: ${redeploy}`),
                );
            }
            if (delaySeconds < minDelaySeconds) {
                const found = `messages are held back for ${delaySeconds} s, and SQS drops repeats for 300: news may be lost`;
                wrong.push(problem(check, found, `${minDelaySeconds} s or more: ${redeploy}`));
            }
            if (toldByBucket !== undefined && !letsS3Send(queue.policy, toldByBucket)) {
                wrong.push(
                    problem(check, `its policy does not let S3 send for bucket ${toldByBucket}: events of uploads are lost`, redeploy),
                );
            }
            const fits = Math.floor(visibilitySeconds / VISIBILITY_PER_TIMEOUT);
            const hidden = `hidden for ${visibilitySeconds} s while in work (right for a function of ${fits} s)`;
            const tries = `dead after ${redrive?.maxReceiveCount ?? 0} tries`;
            const held = minDelaySeconds > 0 ? `held back for ${delaySeconds} s, ` : '';
            const found = `${name}: ${waiting} waiting, ${inFlight} in work or between tries; ${held}${hidden}, ${tries}`;
            return orOk(check, wrong, found);
        },
    });
}

export function judgeDeadLetters(
    answer: Answer<QueueFacts>,
    { check, name, isFifo, redeploy }: Omit<ExpectedQueue, 'deadLetters'>,
): readonly Finding[] {
    return judge(check, answer, {
        missing: () => problem(check, `there is no queue ${name} in this account and region`, redeploy),
        found: (queue) => {
            const wrong = kindProblems(check, queue, { isFifo, redeploy });
            const dead = queue.waiting + queue.inFlight;
            if (dead > 0) {
                const found = `${dead} ${dead === 1 ? 'message' : 'messages'} that failed to the end: what they tell of is not in the figures`;
                wrong.push(problem(check, found, 'see the log of the function, mend the cause, then flowlake redrive'));
            }
            if (queue.retentionSeconds < DEAD_LETTER_RETENTION_SECONDS) {
                const days = queue.retentionSeconds / (24 * 60 * 60);
                const url = `aws sqs set-queue-attributes --queue-url $(aws sqs get-queue-url --queue-name ${name} --output text)`;
                const todo = `${url} --attributes MessageRetentionPeriod=${DEAD_LETTER_RETENTION_SECONDS}`;
                wrong.push(warning(check, `messages are kept for ${days.toFixed(1)} days, of 14 that SQS can`, todo));
            }
            return orOk(check, wrong, `${name}: empty`);
        },
    });
}

function kindProblems(check: string, queue: QueueFacts, { isFifo, redeploy }: { isFifo: boolean; redeploy: string }): Finding[] {
    if (queue.isFifo !== isFifo) {
        const why = isFifo ? 'several workers would take one day at once' : 'S3 sends to standard queues only';
        return [problem(check, `it is a ${queue.isFifo ? 'FIFO' : 'standard'} queue: ${why}`, redeploy)];
    }
    return queue.isDeduplicatedByContent
        ? [problem(check, 'deduplication by content is on: the second file of a day may never be merged', `turn it off: ${redeploy}`)]
        : [];
}

/** What the queues of a deployed lake hold, as rows and in words. */

import { batchOf } from '#cli/draw/batch-of';
import { sayCount, sayDuration } from '#cli/draw/quantity';
import type { QueryResult } from '#lake/query/query-engine';
import type { QueueStatus } from '#lake/reports/queue-status';

/** The queues as rows, one for each. */
export function queueRows(queues: readonly QueueStatus[]): QueryResult {
    const names = ['waiting', 'in_flight', 'oldest_seconds', 'dead_letters', 'oldest_dead_letter_seconds'];
    const whole = (value: number | undefined): bigint | null => (value === undefined ? null : BigInt(Math.round(value)));
    return {
        columns: [{ name: 'queue', type: 'varchar' }, ...names.map((name) => ({ name, type: 'bigint' }))],
        batches: batchOf(
            queues.map(({ queue, waiting, inFlight, oldestSeconds, deadLetters, oldestDeadLetterSeconds }) => [
                queue,
                ...[waiting, inFlight, oldestSeconds, deadLetters, oldestDeadLetterSeconds].map(whole),
            ]),
        ),
    };
}

/**
 * What a queue holds, in words: `summarize queue: 3 waiting, 1 in work or between tries, the oldest for 40 s`. SQS does not tell work from
 * the time between tries.
 */
export function sayQueue({ queue, waiting, inFlight, oldestSeconds }: QueueStatus): string {
    const oldest = oldestSeconds === undefined ? '' : `, the oldest for ${sayDuration(oldestSeconds * 1000)}`;
    return `${queue} queue: ${waiting} waiting, ${inFlight} in work or between tries${oldest}`;
}

/** What needs a person, where something does. */
export function sayDeadLetters({ queue, worker, deadLetters, oldestDeadLetterSeconds }: QueueStatus): string | undefined {
    if (deadLetters === 0) {
        return undefined;
    }
    const oldest = oldestDeadLetterSeconds === undefined ? '' : `, the oldest ${sayDuration(oldestDeadLetterSeconds * 1000)} ago`;
    return `${sayCount(deadLetters, `${queue} message`)} could not be worked off${oldest}: the log of the ${worker} function tells why; mend it (flowlake dead-letters list says what they are of), then flowlake redrive`;
}

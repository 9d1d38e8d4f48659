/** What queues hold, and what needs a person. */
import { expect, test } from '@jest/globals';
import { queueRows, sayDeadLetters, sayQueue } from '#cli/commands/status/queue-status';
import type { BucketLake, QueuePart } from '#lake/lake';
import { readQueues } from '#lake/reports/queue-status';
import { memoryQueue } from '#test/support/memory-queue';

const NOW = new Date('2026-02-01T12:00:00Z');

/** A lake with so many messages in each queue, of which `inFlight` are being worked on; CloudWatch tells an age for each. */
async function lakeWith(
    messages: Partial<Record<QueuePart, { waiting: number; inFlight: number }>>,
    { hasTelemetry = false } = {},
): Promise<BucketLake> {
    const parts: QueuePart[] = [
        'summarizeQueue',
        'summarizeDeadLetters',
        'consolidateQueue',
        'consolidateDeadLetters',
        'hoursQueue',
        'hoursDeadLetters',
        'givenUpQueue',
        'givenUpDeadLetters',
    ];
    const queues = new Map(parts.map((part) => [part, memoryQueue({ name: part })]));
    for (const [part, queue] of queues) {
        const { waiting = 0, inFlight = 0 } = messages[part] ?? {};
        await queue.send(Array.from({ length: waiting + inFlight }, (_, at) => ({ body: String(at) })));
        await queue.receive({ max: inFlight });
    }
    const ages = new Map(parts.map((part, at) => [part as string, 100 * (at + 1)]));
    return {
        hasTelemetry: async () => hasTelemetry,
        queue: async (which: QueuePart) => queues.get(which),
        oldestMessages: async () => ages,
    } as unknown as BucketLake;
}

test('waiting and handed out are told apart, dead letters counted together, and an age is told where there is something', async () => {
    const lake = await lakeWith({
        summarizeQueue: { waiting: 3, inFlight: 1 },
        consolidateDeadLetters: { waiting: 1, inFlight: 2 },
    });
    const queues = await readQueues(lake, { now: NOW });
    const rows: unknown[] = [];
    for await (const batch of queueRows(queues).batches) {
        rows.push(...batch);
    }
    expect(rows).toEqual([
        ['summarize', 3n, 1n, 100n, 0n, null],
        ['consolidate', 0n, 0n, null, 3n, 400n],
    ]);
    expect(queues.map(sayQueue)).toEqual([
        'summarize queue: 3 waiting, 1 in work or between tries, the oldest for 1 min 40 s',
        'consolidate queue: 0 waiting, 0 in work or between tries',
    ]);
    expect(queues.map(sayDeadLetters)).toEqual([
        undefined,
        expect.stringMatching(/^3 consolidate messages could not be worked off, the oldest 6 min 40 s ago: .*flowlake redrive$/),
    ]);
});

test('the queues of live telemetry are told where there are such, and the log of whoever takes from them', async () => {
    const lake = await lakeWith(
        {
            hoursQueue: { waiting: 24, inFlight: 0 },
            hoursDeadLetters: { waiting: 1, inFlight: 0 },
            givenUpDeadLetters: { waiting: 2, inFlight: 0 },
        },
        { hasTelemetry: true },
    );
    const queues = await readQueues(lake, { now: NOW });
    expect(queues.map(({ queue, waiting, deadLetters }) => [queue, waiting, deadLetters])).toEqual([
        ['summarize', 0, 0],
        ['consolidate', 0, 0],
        ['hours', 24, 1],
        ['given-up', 0, 2],
    ]);
    expect(queues.map(sayDeadLetters)).toEqual([
        undefined,
        undefined,
        expect.stringMatching(/^1 hours message could not be worked off, .*: the log of the consolidate function tells why; .*redrive$/),
        expect.stringMatching(/^2 given-up messages could not be worked off, .*: the log of the given-up function tells why; .*redrive$/),
    ]);
});

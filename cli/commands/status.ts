/** `flowlake status`: what the lake holds, what waits, and what needs a person. */
import { type Context, defineCommand, Failure } from '#cli/command';
import type { BucketLake, DirectoryLake, Lake } from '#cli/lake';
import { flag } from '#cli/option';

const WATCH_EVERY_MS = 2_000;
const CLEAR_SCREEN = '\u001b[2J\u001b[H';

export const status = defineCommand({
    name: 'status',
    summary: 'sources by state, rows kept and rejected, days, and what needs a person (then exit code 1)',
    arguments: {},
    options: {
        watch: flag('--watch', 'show it again every two seconds, until Ctrl-C'),
        queues: flag('--queues', 'the depth of the queues and of their dead letters instead (s3:// lakes)'),
    },
    examples: [
        { line: 'status', does: 'the state of the lake now' },
        { line: 'status --watch', does: 'beside a long upload' },
        { line: 'status --output json', does: 'for a monitoring script, with the exit code' },
        { line: '--lake s3://my-lake status --queues', does: 'what waits for the workers, and what they gave up' },
    ],
    async run({ options: { watch, queues }, ...context }) {
        const { setTimeout: sleep } = await import('node:timers/promises');
        const { useLake } = await import('#cli/open-lake');
        return useLake(context, async (lake) => {
            for (;;) {
                if (watch && context.stdout.isTerminal) {
                    await context.stdout.control(CLEAR_SCREEN);
                }
                const exitCode = queues ? await showQueues(lake, context) : await show(lake, context);
                if (!watch) {
                    return exitCode;
                }
                await sleep(WATCH_EVERY_MS, undefined, { signal: context.signal });
            }
        });
    },
});

type Surroundings = Omit<Context, 'arguments' | 'options'>;

async function showQueues(lake: Lake, context: Surroundings): Promise<number> {
    const { printRows } = await import('#cli/draw/print-rows');
    const { queueRows, readQueues, sayDeadLetters } = await import('#cli/queue-status');
    if (lake.kind === 'directory') {
        throw new Failure('A lake in a directory has no queues: what waits there, flowlake status tells');
    }
    const queues = await readQueues(lake, { now: context.now() });
    await printRows(queueRows(queues), context);
    const lines = queues.map(sayDeadLetters).filter((line) => line !== undefined);
    for (const line of lines) {
        await context.stderr.write(`${line}\n`);
    }
    return lines.length > 0 ? 1 : 0;
}

/** What the queues hold, on stderr; returns what needs a person. */
async function tellQueues(lake: BucketLake, { stderr, now }: Surroundings): Promise<string[]> {
    const { readQueues, sayDeadLetters, sayQueue } = await import('#cli/queue-status');
    const queues = await readQueues(lake, { now: now() });
    for (const queue of queues) {
        await stderr.write(`${sayQueue(queue)}\n`);
    }
    return queues.map(sayDeadLetters).filter((line) => line !== undefined);
}

/** Commands of a directory lake that were killed. */
async function tellCutOff({ directory }: DirectoryLake): Promise<string[]> {
    const { findCutOff } = await import('#lake/here/local-work');
    const { sayCount } = await import('#cli/draw/quantity');
    const cutOff = await findCutOff(directory);
    return cutOff > 0
        ? [`${sayCount(cutOff, 'command')} cut off in the middle: the next upload finishes the work, or flowlake reconcile now`]
        : [];
}

async function show(lake: Lake, context: Surroundings): Promise<number> {
    const { readLakeStatus } = await import('#lake/reports/lake-status');
    const { printRows } = await import('#cli/draw/print-rows');
    const { batchOf } = await import('#cli/draw/batch-of');
    const { sayCount, sayDuration } = await import('#cli/draw/quantity');
    const { states, days, problems } = await readLakeStatus(await lake.store(), { now: context.now() });
    await printRows(
        {
            columns: [
                { name: 'state', type: 'varchar' },
                ...['sources', 'rows_read', 'rows_kept', 'rows_rejected', 'size_bytes'].map((name) => ({ name, type: 'bigint' })),
                { name: 'first_day', type: 'varchar' },
                { name: 'last_day', type: 'varchar' },
            ],
            batches: batchOf(
                states.map(({ state, sources, rowsRead, rowsKept, rowsRejected, sizeBytes, firstDay, lastDay }) => [
                    state,
                    ...[sources, rowsRead, rowsKept, rowsRejected, sizeBytes].map(BigInt),
                    firstDay,
                    lastDay,
                ]),
            ),
        },
        context,
    );
    const range = days.first === undefined ? '' : `, ${days.first} to ${days.last}`;
    await context.stderr.write(`${sayCount(days.count, 'day')} in the figures${range}\n`);
    const lines = problems.map(({ kind, subjects, waitingMs }) => {
        const shown = subjects.slice(0, 3).join(', ') + (subjects.length > 3 ? ` and ${subjects.length - 3} more` : '');
        switch (kind) {
            case 'failed':
                return `${sayCount(subjects.length, 'source')} could not be used (${shown}): flowlake query "select source, error from sources where state = 'failed'" tells why; upload them corrected with --replace, or retract them`;
            case 'waiting':
                return `${sayCount(subjects.length, 'source')} not in the figures yet, the longest for ${sayDuration(waitingMs ?? 0)} (${shown}): an upload may be running, else flowlake reconcile`;
            default:
                return `${sayCount(subjects.length, 'day')} not consolidated (${shown}): an upload may be running, else flowlake reconcile`;
        }
    });
    lines.push(...(lake.kind === 's3' ? await tellQueues(lake, context) : await tellCutOff(lake)));
    for (const line of lines) {
        await context.stderr.write(`${line}\n`);
    }
    return lines.length > 0 ? 1 : 0;
}

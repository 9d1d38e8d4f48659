/** Shows what the lake holds, what waits, and what needs a person. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { sayCount, sayDuration } from '#cli/draw/quantity';
import { sayAllTries } from '#cli/say-tries';
import { sayTwins } from '#cli/say-twins';
import { sayUnknown } from '#cli/say-unknown';
import { useLake } from '#cli/use-lake';
import { StorageError } from '#lake/errors';
import { findCutOff } from '#lake/here/marks';
import type { BucketLake, DirectoryLake, Lake } from '#lake/lake';
import { readLakeStatus } from '#lake/reports/lake-status';
import { readLiveLags } from '#lake/reports/live-lag';
import { readQueues } from '#lake/reports/queue-status';
import { sayProblem } from '#lake/reports/say-problem';
import { lookAtTries, type Undone } from '#lake/work/tries';
import { readPipeline, sayLate, sayLiveLags } from './live-lag.ts';
import { tellLive } from './live-status.ts';
import { queueRows, sayDeadLetters, sayQueue } from './queue-status.ts';

const WATCH_EVERY_MS = 2_000;
const CLEAR_SCREEN = '\u001b[2J\u001b[H';

interface StatusOptions {
    watch: boolean;
    queues: boolean;
}

/** Prints the state of the lake, or of its queues. @returns 1 where something needs a person */
export async function showStatus({ watch, queues }: StatusOptions, context: RunContext): Promise<number> {
    return useLake(context, async (lake) => {
        for (;;) {
            if (watch && context.stdout.canRedraw) {
                await context.stdout.control(CLEAR_SCREEN);
            }
            const exitCode = queues ? await showQueues(lake, context) : await show(lake, context);
            if (!watch) {
                return exitCode;
            }
            await sleep(WATCH_EVERY_MS, undefined, { signal: context.signal });
        }
    });
}

async function showQueues(lake: Lake, context: RunContext): Promise<number> {
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

/** Says on stderr what the queues hold. @returns what needs a person */
async function tellQueues(lake: BucketLake, { stderr, now }: RunContext): Promise<string[]> {
    const unknown: string[] = [];
    const onNoAges = (error: StorageError): void => void unknown.push(`How long messages have waited is not known: ${error.message}`);
    const queues = await readQueues(lake, { now: now(), onNoAges });
    for (const queue of queues) {
        await stderr.write(`${sayQueue(queue)}\n`);
    }
    return [...queues.map(sayDeadLetters).filter((line) => line !== undefined), ...unknown];
}

/** What `tell` says needs a person. Where it cannot look, by a missing right for instance, that is said, and hides nothing else. */
async function orSay(what: string, tell: () => Promise<string[]>): Promise<string[]> {
    try {
        return await tell();
    } catch (error) {
        if (error instanceof StorageError) {
            return [`${what} could not be looked at: ${error.message}`];
        }
        throw error;
    }
}

/** Says on stderr how far the readers of the streams are behind; nothing of a lake without live telemetry. @returns what needs a person */
async function tellLags(lake: BucketLake, { stderr, now }: RunContext): Promise<string[]> {
    if (!(await lake.hasTelemetry())) {
        return [];
    }
    if ((await lake.telemetry()).names.apiUrl === undefined) {
        await stderr.write(
            'Telemetry of this stage is off, and devices are not let in: say isOn in the row of the stage, and deploy it again\n',
        );
        return [];
    }
    const lags = await readLiveLags(lake, { now: now() });
    await stderr.write(`${sayLiveLags(lags)}\n`);
    return [await readPipeline(lake, { now }), ...lags.map(sayLate)].filter((line) => line !== undefined);
}

/** What to say of commands that were killed in a directory lake. */
async function tellCutOff({ directory }: DirectoryLake): Promise<string[]> {
    const cutOff = await findCutOff(directory);
    return cutOff > 0
        ? [`${sayCount(cutOff, 'command')} cut off in the middle: the next upload finishes the work, or flowlake reconcile now`]
        : [];
}

/** What became of tries at what is undone, as lines. */
async function tellTries(lake: BucketLake, undone: Undone, { now }: RunContext): Promise<string[]> {
    return sayAllTries(await lookAtTries(await lake.store(), undone), { now: now() });
}

async function show(lake: Lake, context: RunContext): Promise<number> {
    const { states, days, problems, twins, undone } = await readLakeStatus(await lake.store(), { now: context.now() });
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
    const lines = problems.map((problem) => {
        const { kind, subjects, waitingMs } = problem;
        if (kind === 'unknown') {
            return sayUnknown(subjects);
        }
        const { noun, what, next } = sayProblem(problem);
        const shown = subjects.slice(0, 3).join(', ') + (subjects.length > 3 ? ` and ${subjects.length - 3} more` : '');
        const waiting = waitingMs === undefined ? '' : `, the longest for ${sayDuration(waitingMs)}`;
        return `${sayCount(subjects.length, noun)} ${what}${waiting} (${shown}): ${next}`;
    });
    lines.push(
        ...(lake.kind === 's3'
            ? [
                  ...(await tellTries(lake, undone, context)),
                  ...(await orSay('The queues', () => tellQueues(lake, context))),
                  ...(await orSay('Live telemetry', () => tellLags(lake, context))),
              ]
            : [...(await tellCutOff(lake)), ...(await tellLive(lake, context))]),
    );
    // Twins may be meant to count twice: they are told, and need nobody.
    for (const line of [...lines, ...sayTwins(twins)]) {
        await context.stderr.write(`${line}\n`);
    }
    return lines.length > 0 ? 1 : 0;
}

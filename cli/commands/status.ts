/** `flowlake status`: what the lake holds, what waits, and what needs a person. */
import { type Context, defineCommand } from '#cli/command';
import type { Lake } from '#cli/open-lake';
import { flag } from '#cli/option';

const WATCH_EVERY_MS = 2_000;
const CLEAR_SCREEN = '\u001b[2J\u001b[H';

export const status = defineCommand({
    name: 'status',
    summary: 'sources by state, rows kept and rejected, days, and what needs a person (then exit code 1)',
    arguments: {},
    options: { watch: flag('--watch', 'show it again every two seconds, until Ctrl-C') },
    examples: [
        { line: 'status', does: 'the state of the lake now' },
        { line: 'status --watch', does: 'beside a long upload' },
        { line: 'status --output json', does: 'for a monitoring script, with the exit code' },
    ],
    async run({ options: { watch }, ...context }) {
        const { setTimeout: sleep } = await import('node:timers/promises');
        const { useLake } = await import('#cli/open-lake');
        return useLake(context, async (lake) => {
            for (;;) {
                if (watch && context.stdout.isTerminal) {
                    await context.stdout.write(CLEAR_SCREEN);
                }
                const exitCode = await show(lake, context);
                if (!watch) {
                    return exitCode;
                }
                await sleep(WATCH_EVERY_MS, undefined, { signal: context.signal });
            }
        });
    },
});

async function show({ store, directory }: Lake, context: Omit<Context, 'arguments' | 'options'>): Promise<number> {
    const { readLakeStatus } = await import('#lake/lake-status');
    const { printRows } = await import('#cli/print-rows');
    const { batchOf } = await import('#cli/batch-of');
    const { sayCount, sayDuration } = await import('#cli/quantity');
    const { findCutOff } = await import('#lake/local-work');
    const { states, days, problems } = await readLakeStatus(await store(), { now: context.now() });
    const cutOff = await findCutOff(directory);
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
    if (cutOff > 0) {
        lines.push(`${sayCount(cutOff, 'command')} cut off in the middle: the next upload finishes the work, or flowlake reconcile now`);
    }
    for (const line of lines) {
        await context.stderr.write(`${line}\n`);
    }
    return lines.length > 0 ? 1 : 0;
}

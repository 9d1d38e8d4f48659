/** Rebuilds days of a lake in a directory: this process does it, day beside day. */

import { sayCount } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import { markRunning, runTasks, type Task } from '#lake/here/local-work';
import { type DayResult, doneResult, failedResult } from '#lake/work/day-results';
import type { Context } from './command.ts';
import { finishCutOff } from './finish-cut-off.ts';

interface RebuildOptions {
    days: readonly string[];
    /** As for `rebuildDay`. */
    anew: boolean;
    context: Pick<Context, 'stderr' | 'signal' | 'now'>;
}

/** How each day came out. @throws the signal's reason; a day that was begun is done then, and the others are as they were */
export async function rebuildDirectory(directory: string, { days, anew, context }: RebuildOptions): Promise<DayResult[]> {
    const mark = await markRunning(directory);
    await finishCutOff(directory, mark, context);
    const { stderr, signal } = context;
    const line = openStatusLine(stderr);
    const results: DayResult[] = [];
    const tasks = days.map((day): Task => ({ kind: 'consolidate', day, anew }));
    const draw = () => line.draw(`Rebuilding: ${results.length} of ${sayCount(days.length, 'day')}`);
    try {
        await draw();
        for await (const { task, ...ended } of runTasks(directory, tasks, { signal })) {
            const day = task.kind === 'consolidate' ? task.day : '';
            if ('error' in ended) {
                results.push(failedResult(day, ended.error));
            } else if (ended.result.outcome) {
                results.push(doneResult(day, ended.result.outcome));
            }
            await draw();
        }
    } finally {
        await line.clear();
        // A day is written whole or stays as it was: no other command has to finish anything.
        await mark.clear();
    }
    if (signal.aborted) {
        await stderr.write(
            `${results.length} of ${sayCount(days.length, 'day')} done, the others are as they were; run it again for them\n`,
        );
    }
    signal.throwIfAborted();
    return results;
}

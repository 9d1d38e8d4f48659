/** Says what became of the tries at what waits in a deployed lake. */
import { StorageError } from '#lake/errors';
import type { Tries } from '#lake/work/tries';
import { sayDuration } from './draw/quantity.ts';

/** Subjects that are named; more of them are counted. */
const SHOWN = 5;

/** A line for each subject, of the first few, and what frees them: none where nothing has failed. */
export function sayAllTries(tries: readonly Tries[] | StorageError, { now }: { now: Date }): string[] {
    if (tries instanceof StorageError) {
        return [`Why something waits cannot be read: ${tries.message}`];
    }
    if (tries.length === 0) {
        return [];
    }
    const waits = tries.some(({ next_try_at }) => next_try_at !== null);
    return [
        ...tries.slice(0, SHOWN).map((one) => sayTries(one, { now })),
        ...(tries.length > SHOWN ? [`and ${tries.length - SHOWN} more that failed`] : []),
        ...(waits ? ['What waits for its next try is tried at once, when its cause is mended: flowlake redrive --now'] : []),
    ];
}

/** What became of the tries at one subject: `raw/a.csv: tried 3 of 12 times, last error: ..., next try at 12:16:05 UTC (in 9 min 3 s)`. */
export function sayTries(one: Tries, { now }: { now: Date }): string {
    const { subject, tries, max_tries, error } = one;
    const of = max_tries === null ? sayTimes(tries) : `${tries} of ${sayTimes(max_tries)}`;
    const last = error === null ? 'no worker gave an answer (out of memory, or killed)' : `last error: ${error}`;
    return `${subject}: tried ${of}, ${last}, ${sayNext(one, now)}`;
}

function sayNext({ at, is_under_way, dead_at, next_try_at }: Tries, now: Date): string {
    const isDead = dead_at !== null && Date.parse(dead_at) < now.getTime();
    if (is_under_way && !isDead) {
        return `tried once more since ${sayTime(at)}`;
    }
    if (next_try_at === null) {
        return `given up at ${sayTime(at)}: flowlake dead-letters list`;
    }
    const inMs = Date.parse(next_try_at) - now.getTime();
    const when = inMs > 0 ? `next try at ${sayTime(next_try_at)} (in ${sayDuration(inMs)})` : `next try due since ${sayTime(next_try_at)}`;
    return is_under_way ? `and the last one since ${sayTime(at)} gave no answer, ${when}` : when;
}

/** Time of the day in UTC, to the second; with the day, because it may be yesterday's. */
function sayTime(instant: string): string {
    return `${instant.slice(0, 10)} ${instant.slice(11, 19)} UTC`;
}

function sayTimes(times: number): string {
    return times === 1 ? '1 time' : `${times} times`;
}

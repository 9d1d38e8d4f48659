/** How long an invocation works before it stops by itself. */
import { expect, test } from '@jest/globals';
import { timeLeftOf, workingMsOf } from '#lambdas/time-left';

test('an invocation with next to no time stops at once, and one with time goes on', async () => {
    const { signal } = timeLeftOf({ getRemainingTimeInMillis: () => 0 });
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    expect(timeLeftOf({ getRemainingTimeInMillis: () => 900_000 }).signal.aborted).toBe(false);
});

test('it asks Lambda each time how much is left', () => {
    const left = [300_000, 200_000, 100_000];
    const { remainingMs } = timeLeftOf({ getRemainingTimeInMillis: () => left.shift() ?? 0 });
    expect([remainingMs(), remainingMs()]).toEqual([200_000, 100_000]);
});

test('ten seconds before its end it stops, and where it has less than twenty, after half of them', () => {
    expect([300_000, 20_000, 15_001, 1, 0, -5].map(workingMsOf)).toEqual([290_000, 10_000, 7_500, 0, 0, 0]);
});

test('it stops when half of a short time is over, not at its end', async () => {
    const order: string[] = [];
    const note = (what: string, signal: AbortSignal): void => signal.addEventListener('abort', () => void order.push(what));
    const over = AbortSignal.timeout(200);
    note('a quarter is over', AbortSignal.timeout(50));
    note('it stops', timeLeftOf({ getRemainingTimeInMillis: () => 200 }).signal);
    note('all is over', over);
    await new Promise((resolve) => over.addEventListener('abort', resolve));
    expect(order).toEqual(['a quarter is over', 'it stops', 'all is over']);
});

/** How long an invocation works before it stops by itself. */
import { expect, test } from '@jest/globals';
import { timeLeftOf } from '#lambdas/time-left';

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

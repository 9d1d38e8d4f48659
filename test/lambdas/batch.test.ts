/** How long a message is tried, with the steps of the Lambdas and the settings of the deployment together. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readStage } from '#cdk/config';
import { retryAfterSeconds } from '#lambdas/batch';

const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

test.each(['summarize', 'consolidate'] as const)(
    'a message of %s that fails outlives an outage of two hours, and is a dead letter when docs/operations.md says',
    (job) => {
        const { maxReceiveCount, timeoutSeconds } = readStage('prod')[job];
        const waits = Array.from({ length: maxReceiveCount }, (_, at) => retryAfterSeconds(at + 1));
        const deadAfterSeconds = sum(waits);
        expect(sum(waits.slice(0, -1))).toBeGreaterThan(2 * 3600);
        const row = new RegExp(
            `^\\| \`${job}-dead-letters\` \\|.*tried ${maxReceiveCount} times.* ${sayTime(deadAfterSeconds)} after`,
            'm',
        );
        expect(operations).toMatch(row);
        // Visibility, which holds where the worker gives no answer.
        const hiddenSeconds = 6 * timeoutSeconds;
        expect(operations).toContain(`${(maxReceiveCount * hiddenSeconds) / 3600} hours after`);
    },
);

test('no message waits longer for its next try than for one whose worker died', () => {
    const { timeoutSeconds } = readStage('prod').consolidate;
    expect(Math.max(...Array.from({ length: 100 }, (_, at) => retryAfterSeconds(at + 1)))).toBeLessThan(6 * timeoutSeconds);
});

function sum(numbers: readonly number[]): number {
    return numbers.reduce((total, number) => total + number, 0);
}

function sayTime(seconds: number): string {
    return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

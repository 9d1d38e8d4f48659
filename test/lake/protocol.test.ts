/**
 * The promises of the commit rules (docs/design.md), over the real use cases in random histories: uploads, corrections, earlier bytes
 * that come back, late and repeated messages, retractions, lost messages, workers that die or are told nothing at any single call.
 * `FLOWLAKE_TEST_RUNS=100` runs a hundred times as many histories, and all missing rules.
 */
import { describe, expect, test } from '@jest/globals';
import { RULES } from '#test/support/protocol-broken';
import { runHistory } from '#test/support/protocol-history';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const HISTORIES = 200 * RUNS;

/** These take hundreds of histories or thousands; protocol-races.test.ts plays them. */
const LATE_FOUND = ['commit-number', 'fence', 'look-again-day', 'look-again-source', 'pinned-reading'];
const SOON_FOUND = RULES.filter((rule) => !LATE_FOUND.includes(rule));

describe('after any history', () => {
    test(
        'pair days are what counts, accounts add up, no reader has seen half of anything, nothing dead is left',
        async () => {
            for (let seed = 1; seed <= HISTORIES; seed += 1) {
                const { wrong, log } = await runHistory(seed);
                expect(wrong === undefined ? undefined : `seed ${seed}\n${log.join('\n')}\n${wrong}`).toBeUndefined();
            }
        },
        60_000 * RUNS,
    );
});

describe('a rule that is missing is found out', () => {
    test.each(RUNS > 1 ? RULES : SOON_FOUND)(
        '%s',
        async (broken) => {
            const found = await firstWrong(broken);
            expect(found).toBeLessThan(Number.POSITIVE_INFINITY);
        },
        60_000 * RUNS,
    );
});

/** How many histories it takes. */
async function firstWrong(broken: (typeof RULES)[number]): Promise<number> {
    for (let seed = 1; seed <= 600 * RUNS; seed += 1) {
        if ((await runHistory(seed, { broken })).wrong !== undefined) {
            return seed;
        }
    }
    return Number.POSITIVE_INFINITY;
}

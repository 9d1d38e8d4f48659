/** Random histories of a stream through the functions `chain` and `given-up`: each message is in the lake once; without one of the rules it is not. */
import { describe, expect, test } from '@jest/globals';
import { playHistory, RULES, type Rule } from '#test/stream-histories/play';

/** `FLOWLAKE_TEST_RUNS=20` plays twenty times as many. */
const HISTORIES = 300 * Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);

test('every history ends with each message in the ledger once, or told as lost', async () => {
    for (let seed = 1; seed <= HISTORIES; seed += 1) {
        expect({ seed, wrong: await playHistory(seed) }).toEqual({ seed, wrong: undefined });
    }
}, 600_000);

/** Seeds of histories that go wrong without the rule; where one does not any more, others behind it may. */
const SEEDS: Readonly<Record<Rule, number>> = {
    'one batch of a shard at a time': 2,
    'given up passes the end first': 18,
    'what is in the chain is dropped': 1,
    'spans outlive their objects': 31,
    'what is pruned is noted': 1,
    'the side chain has no order': 1,
    'the side chain is read before each append': 2,
    'only what was for the chain': 132,
};
const OTHERS = 2_000;

describe('without the rule', () => {
    test.each(RULES)(
        '%s some history ends wrong',
        async (rule) => {
            for (let at = 0; at < OTHERS; at += 1) {
                const wrong = await playHistory(SEEDS[rule] + at, { without: rule });
                if (wrong !== undefined && /^record /.test(wrong)) {
                    return;
                }
            }
            throw new Error(`${OTHERS} histories without the rule "${rule}" ended as if it were there`);
        },
        600_000,
    );
});

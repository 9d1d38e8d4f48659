/**
 * The promises of the commit rules (docs/design.md), over the real use cases in random histories: uploads, corrections, earlier bytes
 * that come back, late and repeated messages, retractions, rebuilds, dead and lost messages, upgrades, workers that die or are told
 * nothing at any single call. `npm run histories` plays many more, and all missing rules.
 */
import { describe, expect, test } from '@jest/globals';
import { type Drawn, drawHistory } from '#test/histories/draw-history';
import { shortenHistory } from '#test/histories/shorten-history';
import { RULES, type Rule } from '#test/histories/without-rule';

const HISTORIES = 200;

/** Rules that take hundreds of histories or thousands to be missed; protocol-races.test.ts, derive-races.test.ts and delayed-queue-races.test.ts play them. */
const LATE_FOUND: readonly Rule[] = [
    'commit-number',
    'fence',
    'look-again-day',
    'look-again-source',
    'pinned-reading',
    'newer-format',
    'own-keys',
    'walker-tells',
    'delay-outlasts-interval',
    'redrive-anew',
];
const SOON_FOUND = RULES.filter((rule) => !LATE_FOUND.includes(rule));

describe('after any history', () => {
    test('pair days are what counts, accounts add up, no reader has seen half of anything, nothing dead is left', async () => {
        for (let seed = 1; seed <= HISTORIES; seed += 1) {
            const history = await drawHistory(seed);
            if (history.wrong !== undefined) {
                const { story, wrong } = await shortenHistory(history, { tries: 300 });
                expect(`seed ${seed}: ${history.wrong}\nand shorter:\n${story.join('\n')}\n${wrong}`).toBe('no promise is broken');
            }
        }
    }, 60_000);
});

describe('a rule that is missing is found out', () => {
    test.each(SOON_FOUND)(
        '%s',
        async (broken) => {
            await expect(firstWrong(broken)).resolves.toBeDefined();
        },
        60_000,
    );
});

describe('a history that fails', () => {
    test('is told as a short one that fails too, of moves that it had', async () => {
        const history = await firstWrong('ledger-condition');
        const { moves, story, wrong } = await shortenHistory(history, { broken: 'ledger-condition' });
        expect(wrong).toBeDefined();
        expect(moves.length).toBeLessThan(history.moves.length / 2);
        expect(story.length).toBeLessThan(30);
    }, 60_000);
});

/** The first history that goes wrong without the rule. */
async function firstWrong(broken: Rule): Promise<Drawn> {
    for (let seed = 1; seed <= 600; seed += 1) {
        const history = await drawHistory(seed, { broken });
        if (history.wrong !== undefined) {
            return history;
        }
    }
    throw new Error(`nothing is wrong without ${broken} in 600 histories`);
}

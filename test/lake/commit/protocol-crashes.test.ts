/**
 * One history of everything that people do, cut at every second call that changes something, and tried again. `npm run histories -- --cuts` cuts it
 * at every call, in every way.
 */
import { describe, expect, test } from '@jest/globals';
import { cutForGood, cutHistory } from '#test/histories/cut-history';

/** More would say that the history has grown; fewer, that calls are not met any more. */
const FEWEST_CALLS = 150;

describe('figures are right after a second try', () => {
    test.each(['dies after', 'loses its answer'] as const)(
        'when any one call %s',
        async (fate) => {
            const { calls, wrong: uncut } = await cutHistory({ of: 'sources', place: 0, fate });
            expect(uncut).toBeUndefined();
            expect(calls.length).toBeGreaterThan(FEWEST_CALLS);
            const changes = [...calls.entries()].filter(([, { what }]) => /: (put|delete|tell) /.test(what));
            const cuts =
                fate === 'loses its answer' ? changes.filter(([, call]) => call.isConditional) : changes.filter((_, at) => at % 2 === 0);
            for (const [at, { what }] of cuts) {
                const { wrong } = await cutHistory({ of: 'sources', place: at + 1, fate });
                expect({ at, what, wrong }).toEqual({ at, what, wrong: undefined });
            }
        },
        120_000,
    );
});

describe('reconcile alone brings the figures back', () => {
    test('when any one call was the last of all, and every message with it', async () => {
        for (let place = 1; ; place += 5) {
            const cut = await cutForGood('sources', place);
            if (!cut) {
                expect(place).toBeGreaterThan(FEWEST_CALLS);
                return;
            }
            expect({ place, wrong: cut.wrong }).toEqual({ place, wrong: undefined });
        }
    }, 120_000);
});

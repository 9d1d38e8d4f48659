/** A history of derived days, cut at calls that change something, and tried again; `npm run histories -- --cuts` cuts it at every call, in every way. */
import { describe, expect, test } from '@jest/globals';
import { cutForGood, cutHistory } from '#test/histories/cut-history';

/** Fewer calls would say that some are not met any more. */
const FEWEST_CALLS = 200;

describe('derived days are right after a second try', () => {
    test.each(['dies after', 'loses its answer'] as const)(
        'when any one call %s',
        async (fate) => {
            const { calls, wrong: uncut } = await cutHistory({ of: 'derived', place: 0, fate });
            expect(uncut).toBeUndefined();
            expect(calls.length).toBeGreaterThan(FEWEST_CALLS);
            const ofDerived = [...calls.entries()].filter(([, { what }]) =>
                /: (put (pair_notes|pair_spells|limits)|tell pair_)/.test(what),
            );
            const cuts = fate === 'loses its answer' ? ofDerived.filter(([, call]) => call.isConditional) : ofDerived;
            expect(cuts.length).toBeGreaterThan(10);
            for (const [at, { what }] of cuts) {
                const { wrong } = await cutHistory({ of: 'derived', place: at + 1, fate });
                expect({ at, what, wrong }).toEqual({ at, what, wrong: undefined });
            }
        },
        120_000,
    );
});

test('reconcile alone brings derived days back when any one call was the last of all, and every message with it', async () => {
    for (let place = 1; ; place += 7) {
        const cut = await cutForGood('derived', place);
        if (!cut) {
            expect(place).toBeGreaterThan(FEWEST_CALLS);
            return;
        }
        expect({ place, wrong: cut.wrong }).toEqual({ place, wrong: undefined });
    }
}, 120_000);

/** A repair that is cut at every single call, or has somebody else come in between: the next one mends what is left, and nothing is ever lost. */

import { consolidate } from '#lake/commit/consolidate';
import { workInTurn } from '#lake/commit/finish';
import { findPending, planRepair, type RepairPlan, repairLake } from '#lake/commit/repair';
import { retract } from '#lake/commit/retract';
import type { ObjectStore } from '#lake/store/object-store';
import { verifyLake } from '#lake/verify/verify';
import { findWrongAccounts } from '#test/support/accounts';
import { A, B, copyOf, DAMAGE, FILES, figuresOfFiles, fileOf, makeLake, upload } from '#test/support/damaged-lake';
import { type Figures, readFigures } from '#test/support/small-files';

/** `FLOWLAKE_TEST_RUNS` above 1 tries every damage at every call. */
const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const NOW = new Date('2026-03-01T01:00:00Z');

/** This process does the work, on the store. */
function optionsOn(store: ObjectStore) {
    const now = (): Date => NOW;
    return { now, workers: workInTurn(store, { now, signal: new AbortController().signal }) };
}

class Died extends Error {
    override name = 'Died';
}

/** The store, but for what `onCall` does: it is told the number of each call, and may do something first, die before it, or after it. */
function watched(store: ObjectStore, onCall: (place: number) => Promise<'works' | 'dies before' | 'dies after'>): ObjectStore {
    let calls = 0;
    let isDead = false;
    async function guarded<T>(work: () => Promise<T>): Promise<T> {
        calls += 1;
        const fate = isDead ? 'dies before' : await onCall(calls);
        isDead ||= fate !== 'works';
        const result = fate === 'dies before' ? undefined : await work();
        if (isDead) {
            throw new Died(`at call ${calls}`);
        }
        return result as T;
    }
    return {
        head: (key) => guarded(() => store.head(key)),
        readRange: (key, how) => guarded(() => store.readRange(key, how)),
        get: (key) => guarded(() => store.get(key)),
        readEnd: (key, options) => guarded(() => store.readEnd(key, options)),
        put: (key, body, how) => guarded(() => store.put(key, body, how)),
        delete: (key, how) => guarded(() => store.delete(key, how)),
        async *open(key, how) {
            await guarded(async () => undefined);
            yield* store.open(key, how);
        },
        async *list(prefix) {
            await guarded(async () => undefined);
            yield* store.list(prefix);
        },
    };
}

/** A lake with the damage done, and the plan that a person was shown. */
async function damaged(names: readonly string[]): Promise<{ store: ObjectStore; plan: RepairPlan }> {
    const store = await makeLake();
    for (const name of names) {
        await DAMAGE[name]!(store);
    }
    const pending = await findPending(store);
    return { store, plan: await planRepair(store, { result: await verifyLake({ store, pending, now: NOW }), pending, now: NOW }) };
}

async function expectSound(store: ObjectStore, figures: Figures, at: unknown): Promise<void> {
    expect({ at, figures: await readFigures(store), accounts: await findWrongAccounts(store) }).toEqual({
        at,
        figures,
        accounts: undefined,
    });
}

/** Kinds of damage that take every path of a repair: reading once more, deleting, building. */
const SCENARIOS: string[][] = [
    ['a figure of a summary, in the day too', 'a day that is cut off', 'a leftover'],
    ['a summary that is gone', 'rejects that are gone'],
    ['a file that the ledger calls unusable', 'a day that is gone'],
    ...(RUNS > 1 ? Object.keys(DAMAGE).map((name) => [name]) : []),
];

describe.each(SCENARIOS)('%s, %s', (...names) => {
    test('is mended by the next repair, whichever call the last one died at', async () => {
        const { store, plan } = await damaged(names.filter((name) => typeof name === 'string'));
        let points = 0;
        for (const fate of ['dies before', 'dies after'] as const) {
            for (let place = 1; ; place += 1) {
                const copy = await copyOf(store);
                let hasDied = false;
                const dying = watched(copy, async (call) => {
                    hasDied ||= call === place;
                    return call === place ? fate : 'works';
                });
                await repairLake(dying, plan, optionsOn(dying)).catch((error: Error) => expect(error).toBeInstanceOf(Died));
                if (!hasDied) {
                    break;
                }
                points += 1;
                const { errors } = await repairLake(copy, plan, optionsOn(copy));
                expect({ place, fate, errors }).toEqual({ place, fate, errors: [] });
                await expectSound(copy, figuresOfFiles(), { place, fate });
            }
        }
        expect(points).toBeGreaterThan(20);
    }, 120_000);

    const CORRECTED = fileOf(['01/02/2026', '02/02/2026'], 99, 1);
    test.each([
        ['a correction', async (store: ObjectStore) => upload(store, A, CORRECTED), new Map([...FILES, [A, CORRECTED]])],
        [
            'a retraction',
            async (store: ObjectStore) => {
                const { periods } = await retract(B, { store, now: () => NOW });
                for (const of of periods) {
                    // They may be damaged still: then they wait for the repair.
                    await consolidate(of, { store }).catch(() => undefined);
                }
            },
            new Map([[A, FILES.get(A)!]]),
        ],
    ])(
        '%s that comes in between two calls is in the figures afterwards',
        async (_, act, files) => {
            const { store, plan } = await damaged(names.filter((name) => typeof name === 'string'));
            let isOver = false;
            for (let place = 1; !isOver; place += RUNS > 1 ? 1 : 3) {
                const copy = await copyOf(store);
                isOver = true;
                const busy = watched(copy, async (call) => {
                    if (call === place) {
                        isOver = false;
                        await act(copy).catch((error: Error) => {
                            // What stands in its way is mended afterwards, and the message comes back.
                            expect(error.name).toBe('StorageError');
                        });
                    }
                    return 'works';
                });
                await repairLake(busy, plan, optionsOn(busy));
                if (!isOver) {
                    await act(copy);
                    await repairLake(copy, plan, optionsOn(copy));
                    await expectSound(copy, figuresOfFiles(files), { place });
                }
            }
        },
        120_000,
    );
});

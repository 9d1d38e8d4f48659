/** Random histories of latest state: whatever comes late, twice or out of order, and whatever dies when, the end is that of a plain recompute. */
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openStateDatabase } from '#lake/serve/state-database';
import { openStateQueries } from '#lake/serve/state-queries';
import { playSeed, type World } from '#test/live-histories/play';
import { makeFolder } from '#test/support/temporary';

const COUNT = 2_000;

/** In the database each commit waits for the disk. */
const COUNT_IN_DATABASE = 30;

test(`${COUNT} histories end as a plain recompute says`, async () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= COUNT && wrong.length === 0; seed += 1) {
        const what = await playSeed(seed);
        wrong.push(...(what === undefined ? [] : [`seed ${seed}: ${what}`]));
    }
    expect(wrong).toEqual([]);
});

test(`${COUNT_IN_DATABASE} histories do so in the database, which two processes have open`, async () => {
    const file = join(await makeFolder(), 'state.sqlite');
    const state = openStateDatabase(file);
    const other = openStateDatabase(file);
    const queries = openStateQueries(state.database);
    const world: World = {
        state,
        other,
        queries,
        items: () =>
            queries.devices({ limit: 99 }, { nowMs: 0, watermarkMs: 0, watchedSinceMs: 0, isPipelineLate: false }).map(({ item }) => item),
        alerts: () => queries.alerts({ limit: 999 }),
        events: () => queries.events({ after: 0, limit: 9_999 }).events.map(({ event }) => event),
    };
    for (let seed = 1; seed <= COUNT_IN_DATABASE; seed += 1) {
        state.database.transaction(() => {
            for (const table of ['items', 'alerts', 'events', 'cursor']) {
                state.database.run(`delete from ${table}`);
            }
        });
        expect([seed, await playSeed(seed, world)]).toEqual([seed, undefined]);
    }
    state.close();
    other.close();
});

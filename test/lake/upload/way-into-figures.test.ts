/** Follows a raw object on its way into the figures: nobody is told too early, and nobody waits for what will never come. */
import { consolidate } from '#lake/commit/consolidate';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { openLook } from '#lake/upload/way-into-figures';
import { flowCsv } from '#test/support/flow-csv';
import { ofDay } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';

const KEY = 'raw/a.csv';
const DAYS = ['2026-03-30', '2026-03-31'];

function makeLake() {
    const store = memoryStore();
    const useCase = { store, now: () => new Date(0) };
    return {
        store,
        put: (text: string) => store.put(KEY, Buffer.from(text)),
        summarize: () => summarize(KEY, useCase),
        retract: () => retract(KEY, useCase),
        consolidate: (day: string) => consolidate(ofDay(day), { store }),
        look: () => openLook(store)(KEY),
    };
}

const TWO_DAYS = flowCsv([{}, { timestamp: '30/03/2026' }]);

test('a new file is stored, then summarized, and in the figures once the last of its days has it', async () => {
    const lake = makeLake();
    expect(await lake.look()).toEqual({ stage: 'gone' });
    await lake.put(TWO_DAYS);
    expect(await lake.look()).toEqual({ stage: 'stored' });
    await lake.summarize();
    expect(await lake.look()).toMatchObject({ stage: 'summarized', periods: DAYS.map(ofDay), record: { rows_kept: 2 } });
    await lake.consolidate('2026-03-31');
    expect(await lake.look()).toMatchObject({ stage: 'summarized', periods: [ofDay('2026-03-30')] });
    await lake.consolidate('2026-03-30');
    expect(await lake.look()).toMatchObject({ stage: 'in figures', record: { state: 'done' } });
});

test('a corrected file is stored again until its own version counts', async () => {
    const lake = makeLake();
    await lake.put(TWO_DAYS);
    await lake.summarize();
    await Promise.all(DAYS.map(lake.consolidate));
    await lake.put(flowCsv([{ duration: 9 }]));
    expect(await lake.look()).toEqual({ stage: 'stored' });
    await lake.summarize();
    expect(await lake.look()).toMatchObject({ stage: 'summarized', periods: [ofDay('2026-03-31')] });
    await lake.consolidate('2026-03-31');
    expect((await lake.look()).stage).toBe('in figures');
});

test('a file that cannot be used, or was retracted, is waited for no longer', async () => {
    const lake = makeLake();
    await lake.put('hello');
    await lake.summarize();
    expect(await lake.look()).toMatchObject({ stage: 'in figures', record: { state: 'failed' } });
    await lake.put(TWO_DAYS);
    await lake.summarize();
    await lake.retract();
    expect(await lake.look()).toMatchObject({ stage: 'in figures', record: { state: 'retracted' } });
});

test('a file whose raw object was deleted after it was read is still on its way', async () => {
    const lake = makeLake();
    await lake.put(TWO_DAYS);
    await lake.summarize();
    await lake.store.delete(KEY);
    expect(await lake.look()).toMatchObject({ stage: 'summarized', periods: DAYS.map(ofDay) });
});

/** What questions scan adds up. */
import type { Lake } from '#lake/lake';
import { readQuery } from '#lake/query/sql-files';
import { askCounted } from '#lake/reports/ask-counted';
import { openAthenaFixture } from '#test/support/athena-server-fixture';
import { dayAfter } from '#test/support/lake-fixture';

const MEGABYTE = 1_000_000;

/** A lake of which every question scans 30 MB. */
async function openPaidLake(): Promise<Pick<Lake, 'engine' | 'ask'>> {
    const { engine } = await openAthenaFixture({ flows: [{ day: dayAfter(0) }], scannedBytes: 30 * MEGABYTE });
    return {
        engine: async () => engine,
        ask: (name, parameters = []) => engine.query(readQuery(name), { parameters }),
    };
}

test('what the questions scan is added up', async () => {
    const questions = askCounted((await openPaidLake()) as Lake);
    expect(questions.scanned()).toBeUndefined();
    expect((await questions.query('select count(*) as days from pair_days', [])).rows).toEqual([[1n]]);
    await questions.ask('busiest_days', [null, null, null, 5n]);
    expect(questions.scanned()?.bytes).toBe(60 * MEGABYTE);
    expect(questions.scanned()?.costUsd).toBeGreaterThan(0);
});

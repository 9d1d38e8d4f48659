/** Which objects can never count again, and which may still be waiting for their worker's commit. */

import { expect, test } from '@jest/globals';
import { findDeadObjects } from '#lake/commit/reconcile';
import type { LedgerRecord } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { summaryKey } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';

const SOURCE = sourceId('raw/a.csv');
const HOUR_MS = 3_600_000;

function keyOf(number: number): string {
    return summaryKey({ day: '2026-03-31', source: SOURCE, version: `${number}-0123456789abcdef` });
}

test('numbers up to the ledger’s own are dead at once, newer ones when they are older than any worker', async () => {
    const written = new Date('2026-04-01T00:00:00Z');
    const store = memoryStore({ now: () => written });
    for (const number of [1, 2, 3, 4]) {
        await store.put(keyOf(number), new Uint8Array([number]));
    }
    const record = { source: 'raw/a.csv', commits: 3, version: '2-0123456789abcdef' } as LedgerRecord;
    const find = (ageHours: number): Promise<string[]> =>
        findDeadObjects(store, { records: new Map([[SOURCE, record]]), now: new Date(written.getTime() + ageHours * HOUR_MS) });
    expect(await find(1)).toEqual([keyOf(1), keyOf(3)]);
    expect(await find(25)).toEqual([keyOf(1), keyOf(3), keyOf(4)]);
});

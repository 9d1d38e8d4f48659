/** What a ledger record remembers of its source's versions, new and old records alike. */

import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { readLedger } from '#lake/ledger';
import { versionsOf } from '#lake/reports/source-history';
import { sourceId } from '#lake/source-id';
import { memoryStore } from '#test/support/memory-store';
import { type SmallFile, smallFile, unusableFile } from '#test/support/small-files';

const KEY = 'raw/a.csv';

function fileOf(dates: string[], rejects = 0): SmallFile {
    return smallFile(
        dates.map((date, packets) => ({ src: '10.0.0.1', dst: '10.0.0.2', date, durationUs: 1, packets })),
        { rejects },
    );
}

const FIRST = fileOf(['13/02/2026', '14/02/2026'], 1);
const SECOND = fileOf(['15/02/2026']);

/** Uploads and retractions, an hour apart from 2026-03-01 00:00 on; the record after them. */
async function recordAfter(acts: (SmallFile | 'retract')[], { from = memoryStore() } = {}) {
    let hour = 0;
    const options = {
        store: from,
        now: () => new Date(Date.UTC(2026, 2, 1, hour)),
        tellDay: async (): Promise<void> => undefined,
    };
    for (const act of acts) {
        if (act === 'retract') {
            await retract(KEY, options);
        } else {
            await from.put(KEY, Buffer.from(act.text));
            await summarize(KEY, options);
        }
        hour += 1;
    }
    return (await readLedger(from, sourceId(KEY))).record!;
}

test('every version has its time, its end and what became of it', async () => {
    const record = await recordAfter([FIRST, SECOND, unusableFile('no flows'), FIRST, 'retract', SECOND]);
    expect(
        versionsOf(record).map(({ number, state, committedAt, endedAt, days, commit }) => [
            number,
            state,
            committedAt?.slice(11, 13),
            endedAt?.slice(11, 13),
            days,
            commit?.rows_kept,
            commit?.rows_rejected,
        ]),
    ).toEqual([
        [1, 'superseded', '00', '01', ['2026-02-13', '2026-02-14'], 2, 1],
        [2, 'superseded', '01', '02', ['2026-02-15'], 1, 0],
        [3, 'failed', '02', '03', [], 0, 0],
        [4, 'retracted', '03', '04', ['2026-02-13', '2026-02-14'], 2, 1],
        [6, 'live', '05', undefined, ['2026-02-15'], 1, 0],
    ]);
});

test('the same bytes have the same content under another number', async () => {
    const [first, second, third] = versionsOf(await recordAfter([FIRST, SECOND, FIRST]));
    expect(third?.content).toBe(first?.content);
    expect(second?.content).not.toBe(first?.content);
});

test('of a record without a history the live version is known, and what came before is not', async () => {
    const { history: _, ...old } = await recordAfter([FIRST, SECOND]);
    expect(versionsOf(old).map(({ number, state, committedAt, commit }) => [number, state, committedAt, commit?.rows_kept])).toEqual([
        [1, 'superseded', null, undefined],
        [2, 'live', '2026-03-01T01:00:00.000Z', 1],
    ]);
});

test('of a retracted record without a history the last version is the one that was retracted', async () => {
    const { history: _, ...old } = await recordAfter([FIRST, SECOND, 'retract']);
    expect(versionsOf(old).map(({ number, state, endedAt }) => [number, state, endedAt])).toEqual([
        [1, 'superseded', null],
        [2, 'retracted', null],
    ]);
});

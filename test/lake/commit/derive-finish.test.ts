/** What is undone of derived tables is found, told and finished with everything else. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { consolidateAll, finishUndone, type Workers, workInTurn } from '#lake/commit/finish';
import { findUndoneWork } from '#lake/commit/reconcile';
import { retract } from '#lake/commit/retract';
import type { Kind } from '#lake/kind';
import { kinds } from '#lake/kinds';
import { readLakeStatus } from '#lake/reports/lake-status';
import type { ObjectStore } from '#lake/store/object-store';
import { parsePeriodNews } from '#lake/work/messages';
import { workByMessage } from '#lake/work/tell-work';
import { gauges } from '#test/kinds/gauges';
import { memoryQueue } from '#test/support/memory-queue';
import { memoryStore } from '#test/support/memory-store';

const NOW = new Date('2026-03-01T00:00:00Z');
const now = (): Date => NOW;
const KEY = 'raw/kind=gauges/a.gauge';
const NEXT_KEY = 'raw/kind=gauges/b.gauge';
const DAY = '2026-01-05';
const NEXT = '2026-01-06';
const HOURS = [`${DAY}T13`, `${DAY}T14`].map((period) => ({ table: 'gauges_hours', period }));
const BUILT = ['gauge_tops', 'floods'].map((table) => ({ table, period: DAY }));

let store: ObjectStore;
/** Days and hours in the order in which they are begun. */
let steps: string[];
let workers: Workers;

beforeAll(() => {
    (kinds as unknown as Kind[]).push(gauges);
});

beforeEach(async () => {
    store = memoryStore({ now });
    steps = [];
    workers = workInTurn(store, { now, signal: new AbortController().signal, onStep: (what) => steps.push(what) });
    await store.put(KEY, Buffer.from(`instant,gauge,level\n${DAY}T13:00:00Z,pier,150\n${DAY}T14:00:00Z,pier,160\n`));
    await store.put(NEXT_KEY, Buffer.from(`instant,gauge,level\n${NEXT}T02:00:00Z,pier,10\n`));
});

describe('finishing what is undone', () => {
    test('derives days once their hours are merged, and says so', async () => {
        const done = await finishUndone(store, { workers, now });
        expect(done.errors).toEqual([]);
        expect(done.derived).toEqual(['floods', 'gauge_tops'].flatMap((table) => [DAY, NEXT].map((period) => ({ table, period }))));
        expect(steps).toEqual([
            KEY,
            NEXT_KEY,
            ...[...HOURS, { table: 'gauges_hours', period: `${NEXT}T02` }].map(({ table, period }) => `${table} ${period}`),
            ...done.derived.map(({ table, period }) => `${table} ${period}`),
        ]);
        expect(await findUndoneWork(store, { now: NOW })).toEqual({ sources: [], deadObjects: [], periods: [], derived: [] });
        expect((await readLakeStatus(store, { now: NOW })).problems).toEqual([]);
    });

    test('finds each day whose inputs or opening state are not what it names, and derives those behind it', async () => {
        await finishUndone(store, { workers, now });
        await store.put('gauges_scales/limit/1.json', Buffer.from('{"mm": 155}'));
        await store.put('gauges_scales/limit.json', Buffer.from('{"version": 1}'));
        expect((await findUndoneWork(store, { now: NOW })).derived).toHaveLength(4);
        await finishUndone(store, { workers, now });
        await store.delete(`floods/day=${DAY}/part-00.parquet`);
        expect((await findUndoneWork(store, { now: NOW })).derived).toEqual([
            { table: 'floods', period: DAY },
            { table: 'floods', period: NEXT },
        ]);
        expect((await readLakeStatus(store, { now: NOW })).problems).toEqual([
            { kind: 'underived', subjects: [`floods ${DAY}`, `floods ${NEXT}`] },
        ]);
        await finishUndone(store, { workers, now });
        expect((await findUndoneWork(store, { now: NOW })).derived).toEqual([]);
    });

    test('is done for what a retraction takes away, too', async () => {
        await finishUndone(store, { workers, now });
        const { periods } = await retract(KEY, { store, now });
        steps = [];
        expect(await consolidateAll(workers, periods)).toEqual([]);
        // The day behind it opened in a flood that is none any more.
        expect(steps.slice(-3)).toEqual([`floods ${DAY}`, `floods ${NEXT}`, `gauge_tops ${DAY}`]);
        expect((await findUndoneWork(store, { now: NOW })).derived).toEqual([]);
    });

    test('goes on with the next day after a failure, and tells of it', async () => {
        await finishUndone(store, { workers, now });
        await store.put(`gauges_hours/day=${DAY}/13.parquet`, Buffer.from('rubbish'));
        const errors = await workers.derive([...BUILT, { table: 'floods', period: NEXT }]);
        expect(errors.map(({ message }) => message)).toEqual([
            expect.stringContaining(`gauges_hours/day=${DAY}/13.parquet cannot be read as Parquet`),
            expect.stringContaining(`gauges_hours/day=${DAY}/13.parquet cannot be read as Parquet`),
        ]);
        expect(steps.at(-1)).toBe(`floods ${NEXT}`);
    });

    test('sends days to the workers of a deployment, in a form that they understand', async () => {
        await finishUndone(store, { workers, now });
        await store.delete(`floods/day=${DAY}/part-00.parquet`);
        const [summarizeQueue, consolidateQueue] = [memoryQueue(), memoryQueue({ isFifo: true })];
        const sent = await finishUndone(store, { workers: workByMessage({ bucket: 'lake', summarizeQueue, consolidateQueue, now }), now });
        expect(sent.derived).toHaveLength(2);
        const received = await consolidateQueue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 30 });
        expect(received.map(({ body }) => parsePeriodNews(body))).toEqual(
            [DAY, NEXT].map((period) => ({ table: 'floods', period, uploadedAt: NOW })),
        );
    });
});

test('a message of a derived table names a day', () => {
    const message = (period: string): string => JSON.stringify({ table: 'floods', period, uploaded_at: NOW.toISOString() });
    expect(parsePeriodNews(message(DAY))).toMatchObject({ table: 'floods', period: DAY });
    expect(() => parsePeriodNews(message(`${DAY}T13`))).toThrow('the message names no day (YYYY-MM-DD)');
});

/** The Lambda that consolidates tells of derived days, and derives them itself. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { isDerived } from '#lake/commit/derive';
import { containedOf } from '#lake/commit/period-state';
import { summarize } from '#lake/commit/summarize';
import type { Kind } from '#lake/kind';
import { kinds } from '#lake/kinds';
import type { TablePeriod } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { parsePeriodNews, periodMessage } from '#lake/work/messages';
import { consolidateBatch } from '#lambdas/consolidate/consolidate-batch';
import { gauges } from '#test/kinds/gauges';
import { memoryStore } from '#test/support/memory-store';
import { sqsRecord, testLog, testMetrics, testTime } from './surroundings.ts';

const NOW = new Date('2026-03-01T10:00:04Z');
const UPLOADED_AT = new Date('2026-03-01T10:00:00Z');
const DAY = '2026-01-05';
const NEXT = '2026-01-06';
const HOUR = { table: 'gauges_hours', period: `${DAY}T13` };
const BUILT = ['floods', 'gauge_tops'].map((table) => ({ table, period: DAY }));

let store: ObjectStore;
let log: ReturnType<typeof testLog>;
/** The periods that messages were sent of, each with its group. */
let sent: { of: TablePeriod; group: string | undefined }[];
let canSend: boolean;

beforeAll(() => {
    (kinds as unknown as Kind[]).push(gauges);
});

beforeEach(async () => {
    store = memoryStore();
    sent = [];
    canSend = true;
    for (const [name, line] of [
        ['a', `${DAY}T13:00:00Z,pier,150`],
        ['b', `${NEXT}T02:00:00Z,pier,10`],
    ]) {
        await store.put(`raw/kind=gauges/${name}`, Buffer.from(`instant,gauge,level\n${line}\n`));
        await summarize(`raw/kind=gauges/${name}`, { store, now: () => NOW });
    }
});

/** Works on a message of each period. @returns the ids of those that must come back */
async function work(...periods: TablePeriod[]): Promise<string[]> {
    log = testLog();
    sent = [];
    const records = periods.map((of) =>
        sqsRecord({ id: `${of.table} ${of.period}`, body: periodMessage({ ...of, uploadedAt: UPLOADED_AT }) }),
    );
    const { batchItemFailures } = await consolidateBatch(records, {
        bucket: 'lake',
        store,
        consolidateQueue: {
            changeVisibility: async () => undefined,
            async send(messages) {
                if (!canSend) {
                    throw new Error('the queue cannot be reached');
                }
                for (const { body, group } of messages) {
                    const { uploadedAt, ...of } = parsePeriodNews(body);
                    expect(uploadedAt).toEqual(UPLOADED_AT);
                    sent.push({ of, group });
                }
            },
        },
        time: testTime(),
        now: () => NOW,
        log,
        metrics: testMetrics(),
    });
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

describe('an hour', () => {
    test('is told to what is built on it, whether or not it was written', async () => {
        for (const message of ['consolidated', 'nothing new']) {
            expect(await work(HOUR)).toEqual([]);
            expect(log.lines.map((line) => line.message)).toEqual([message]);
            expect(sent).toEqual(BUILT.map((of) => ({ of, group: `${of.table}/${of.period}` })));
        }
    });

    test('that one file cannot be merged into has the others, is told to what is built on it, and comes back', async () => {
        await store.put('raw/kind=gauges/c', Buffer.from(`instant,gauge,level\n${DAY}T13:30:00Z,pier,7\n`));
        await summarize('raw/kind=gauges/c', { store, now: () => NOW });
        for await (const { key } of store.list('gauges_summaries/')) {
            if (key.includes(sourceId('raw/kind=gauges/c'))) {
                await store.put(key, Buffer.from('rubbish'));
            }
        }
        for (const _ of ['written', 'as it was']) {
            expect(await work(HOUR)).toEqual([`gauges_hours ${DAY}T13`]);
            expect(log.lines).toMatchObject([
                { level: 'error', fields: { error: { message: expect.stringContaining('raw/kind=gauges/c is left out') } } },
            ]);
            expect(sent).toEqual(BUILT.map((of) => ({ of, group: `${of.table}/${of.period}` })));
            expect(await containedOf(HOUR, { store })).toHaveLength(1);
        }
    });

    test('comes back where what is built on it could not be told', async () => {
        canSend = false;
        expect(await work(HOUR)).toEqual([`gauges_hours ${DAY}T13`]);
        canSend = true;
        expect(await work(HOUR)).toEqual([]);
        expect(sent).toHaveLength(2);
    });
});

describe('a day of a derived table', () => {
    test('is derived, and the next day is told that opened with another state', async () => {
        await work({ table: 'gauges_hours', period: `${NEXT}T02` }, { table: 'floods', period: NEXT }, HOUR);
        expect(await work({ table: 'floods', period: NEXT })).toEqual([]);
        expect(sent).toEqual([]);
        // Whether or not it was written: a worker that did may have died before it told anybody.
        for (const message of ['derived', 'nothing new']) {
            expect(await work({ table: 'floods', period: DAY })).toEqual([]);
            expect(log.lines.map((line) => line.message)).toEqual([message]);
            expect(sent).toEqual([{ of: { table: 'floods', period: NEXT }, group: `floods/${NEXT}` }]);
        }
        expect(await work({ table: 'floods', period: NEXT })).toEqual([]);
        expect(sent).toEqual([]);
        expect(await isDerived({ table: 'floods', period: NEXT }, { store })).toBe(true);
    });
});

/** Work that is sent to a deployment's workers: each period once, in a group of its own. */
import { describe, expect, test } from '@jest/globals';
import { HOURS_DELAY_SECONDS } from '#lake/deployment';
import { groupOf, parsePeriodNews, parseSourceNews, periodMessage } from '#lake/work/messages';
import { redrive } from '#lake/work/redrive';
import { tellPeriods, workByMessage } from '#lake/work/tell-work';
import { ofDay } from '#test/support/flow-tables';
import { memoryQueue } from '#test/support/memory-queue';

const AT = new Date('2026-03-31T10:00:00.000Z');

test('each period is told once, by table and ascending, and no table waits for another one', async () => {
    const queue = memoryQueue({ isFifo: true });
    const periods = [
        { table: 'pair_days', period: '2026-03-02' },
        { table: 'meter_hours', period: '2026-03-02T10' },
        { table: 'pair_days', period: '2026-03-01' },
        { table: 'meter_hours', period: '2026-03-02T09' },
        { table: 'pair_days', period: '2026-03-02' },
        { table: 'device_days', period: '2026-03-02' },
    ];
    await tellPeriods(periods, { consolidateQueue: queue, uploadedAt: AT, now: AT });
    const messages = await queue.receive({ max: 10 });
    expect(messages.map(({ body, group }) => ({ ...JSON.parse(body), group }))).toEqual(
        [
            'device_days/2026-03-02',
            'meter_hours/2026-03-02T09',
            'meter_hours/2026-03-02T10',
            'pair_days/2026-03-01',
            'pair_days/2026-03-02',
        ].map((group) => {
            const [table, period] = group.split('/');
            return { table, period, uploaded_at: AT.toISOString(), group };
        }),
    );
});

test('sources and periods go to the queue of whoever does that work, and nobody waits for them', async () => {
    const summarizeQueue = memoryQueue();
    const consolidateQueue = memoryQueue({ isFifo: true });
    const workers = workByMessage({ bucket: 'lake', summarizeQueue, consolidateQueue, now: () => AT });
    expect(await workers.summarize([{ key: 'raw/kind=meters/a b.csv' }, { key: 'raw/c.csv' }])).toEqual({ periods: [], errors: [] });
    expect(await workers.consolidate([ofDay('2026-03-31')])).toEqual([]);
    const sources = (await summarizeQueue.receive({ max: 10 })).flatMap(({ body }) => parseSourceNews(body));
    expect(sources).toEqual(['raw/kind=meters/a b.csv', 'raw/c.csv'].map((key) => ({ bucket: 'lake', key, uploadedAt: AT })));
    const periods = (await consolidateQueue.receive({ max: 10 })).map(({ body }) => parsePeriodNews(body));
    expect(periods).toEqual([{ ...ofDay('2026-03-31'), uploadedAt: AT }]);
});

describe('where hours are held back', () => {
    const HOUR = { table: 'readings', period: '2026-03-02T10' };
    const DAYS = [ofDay('2026-03-02'), { table: 'metric_hours', period: '2026-03-02' }];

    function queues(now: () => Date = () => AT) {
        const consolidateQueue = memoryQueue({ isFifo: true, now });
        const hoursQueue = memoryQueue({ isFifo: true, delaySeconds: HOURS_DELAY_SECONDS, now });
        return { consolidateQueue, hoursQueue };
    }

    test('hours go to their queue, days of derived tables too to the one that works at once', async () => {
        const { consolidateQueue, hoursQueue } = queues();
        const workers = workByMessage({ bucket: 'lake', summarizeQueue: memoryQueue(), consolidateQueue, hoursQueue, now: () => AT });
        await workers.consolidate([HOUR, ofDay('2026-03-02')]);
        await workers.derive([{ table: 'metric_hours', period: '2026-03-02' }]);
        const atOnce = (await consolidateQueue.receive()).map(({ body }) => parsePeriodNews(body));
        expect(atOnce).toEqual(DAYS.map((of) => ({ ...of, uploadedAt: AT })));
        expect(await hoursQueue.depth()).toEqual({ waiting: 1, inFlight: 0 });
    });

    test('an hour that is told again and again is one message, and one that was dropped stands behind a message that is still to come', async () => {
        let nowMs = AT.getTime();
        const { consolidateQueue, hoursQueue } = queues(() => new Date(nowMs));
        const until = nowMs + 20 * 60_000;
        /** When each told change was, and those that a delivery has seen. */
        let unseen: number[] = [];
        let deliveries = 0;
        for (; nowMs < until; nowMs += 7_000) {
            await tellPeriods([HOUR], { consolidateQueue, hoursQueue, uploadedAt: AT, now: new Date(nowMs) });
            unseen.push(nowMs);
            for (const { receipt } of await hoursQueue.receive()) {
                deliveries += 1;
                unseen = [];
                await hoursQueue.delete(receipt);
            }
        }
        // Nobody tells any more.
        for (; nowMs < until + 2 * HOURS_DELAY_SECONDS * 1000; nowMs += 7_000) {
            for (const { receipt } of await hoursQueue.receive()) {
                deliveries += 1;
                unseen = [];
                await hoursQueue.delete(receipt);
            }
        }
        expect(unseen).toEqual([]);
        // A message for each five minutes; a window that ends between two sends makes one more.
        expect(deliveries).toBeGreaterThanOrEqual(4);
        expect(deliveries).toBeLessThanOrEqual(5);
    });

    test('a dead letter comes back as a message of its own: a send that comes after it is not dropped', async () => {
        let nowMs = AT.getTime();
        const now = () => new Date(nowMs);
        const { consolidateQueue, hoursQueue } = queues(now);
        const deadLetters = memoryQueue({ isFifo: true, now });
        await deadLetters.send([{ body: periodMessage({ ...HOUR, uploadedAt: AT }), group: groupOf(HOUR) }]);
        await redrive({ deadLetters, queue: hoursQueue });
        expect(await hoursQueue.receive()).toEqual([]);
        await tellPeriods([HOUR], { consolidateQueue, hoursQueue, uploadedAt: AT, now: now() });
        expect(await hoursQueue.depth()).toEqual({ waiting: 2, inFlight: 0 });
        nowMs += HOURS_DELAY_SECONDS * 1000;
        expect((await hoursQueue.receive()).map(({ body }) => parsePeriodNews(body).period)).toEqual([HOUR.period, HOUR.period]);
    });
});

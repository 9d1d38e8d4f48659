/** Work that is sent to a deployment's workers: each period once, in a group of its own. */
import { parsePeriodNews, parseSourceNews } from '#lake/work/messages';
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
    await tellPeriods(periods, { queue, uploadedAt: AT });
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

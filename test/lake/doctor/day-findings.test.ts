import { type DayFacts, gatherDays } from '#lake/doctor/day-facts';
import { boundsOf, judgeClock, judgeRange, judgeStrays } from '#lake/doctor/day-findings';
import { pairDays } from '#lake/flows/tables';
import { writeRows } from '#lake/parquet';
import { emptyRows } from '#lake/rows';
import type { MergedTable } from '#lake/tables';
import { memoryStore } from '#test/support/memory-store';
import { pairRowsOfFlows } from '#test/support/pair-rows-of';

const FLOW = { site: 'main', src: '10.0.0.1', dst: '10.0.0.2', durationUs: 1n, packets: 1n };

const NOW = new Date('2026-03-31T23:30:00Z');

describe('a projection range', () => {
    test.each([
        ['2016-01-01,NOW+1DAYS', '2016-01-01', '2026-04-01'],
        [' 2016-01-01 , NOW ', '2016-01-01', '2026-03-31'],
        ['NOW-3YEARS,NOW + 1 DAY', '2023-03-31', '2026-04-01'],
        ['NOW-2WEEKS,NOW+1HOURS', '2026-03-17', '2026-04-01'],
        ['NOW-12MONTHS,2030-12-31', '2025-03-31', '2030-12-31'],
    ])('%s', (range, first, last) => {
        expect(boundsOf(range, NOW)).toEqual({ first, last });
    });

    test.each(['', '2016-01-01', 'NOW,2016-01-01', '2016/01/01,NOW', '2016-01-01,LATER', '2016-13-01,NOW', 'NOW,NOW,NOW'])(
        '%s is none',
        (range) => {
            expect(boundsOf(range, NOW)).toBeUndefined();
        },
    );
});

describe('days with figures', () => {
    const judged = (days: string[], range = '2026-01-01,NOW+1DAYS') =>
        judgeRange({ days, strays: [], newestAt: undefined }, { table: 'pair_days', range, now: NOW });

    test('within the range are seen', () => {
        expect(judged(['2026-01-01', '2026-04-01'])).toMatchObject({ result: 'ok' });
        expect(judged([])).toMatchObject({ result: 'ok', found: expect.stringContaining('none yet') });
    });

    test('outside of it Athena does not see, and says nothing', () => {
        expect(judged(['2025-12-30', '2025-12-31', '2026-01-01'])).toMatchObject({
            result: 'problem',
            found: '2 of 3 days (2025-12-30 to 2025-12-31) lie outside of 2026-01-01,NOW+1DAYS: Athena does not see them',
            todo: expect.stringContaining('firstDay'),
        });
        expect(judged(['2026-04-02'])).toMatchObject({ result: 'problem', todo: expect.stringContaining('--date-order') });
    });

    test('outside of it are traced to the sources that have them, with what helps in each case', async () => {
        const [early, late, both] = [['2025-12-31'], ['2026-04-02'], ['2025-12-31', '2026-04-02']].map((days) => judged(days).todo);
        const select = 'flowlake query "select source, date_order, first_day, last_day from sources where';
        expect(early).toMatch(`${select} first_day < '2026-01-01'" shows whose they are`);
        expect(early).toMatch('set firstDay to 2025-12-31 or before in cdk/config.ts, then npx cdk deploy');
        expect(late).toMatch(`${select} last_day > '2026-04-01'" shows whose they are`);
        expect(late).toMatch('upload the file with --replace --date-order; if its clock is, flowlake retract it');
        expect(late).not.toMatch('firstDay');
        expect(both).toMatch(`${select} first_day < '2026-01-01' or last_day > '2026-04-01'"`);
    });

    test('whose sources were all taken back are none: the advice to retract comes to an end', async () => {
        const store = memoryStore({ now: () => NOW });
        await store.put('pair_days/day=2026-03-01/part-00.parquet', writeRows(pairDays, pairRowsOfFlows([FLOW]), { contains: ['a'] }));
        await store.put('pair_days/day=2034-03-01/part-00.parquet', writeRows(pairDays, emptyRows(pairDays), { contains: [] }));
        expect(await gatherDays(store, pairDays)).toMatchObject({ kind: 'found', value: { days: ['2026-03-01'] } });
    });

    test('of tomorrow are told before they come', () => {
        expect(judged(['2026-01-01'], '2026-01-01,2026-03-30')).toMatchObject({ result: 'warning' });
        expect(judged([], 'no range')).toMatchObject({ result: 'problem' });
    });
});

test('days are told from stray objects, and those from what no reader takes', async () => {
    const store = memoryStore({ now: () => NOW });
    const strays = ['pair_days/day=2026-01-02/part-01.parquet', 'pair_days/notes.txt'];
    const others = [
        'pair_days/day=2026-01-02/part-00.parquet',
        'pair_days/day=2026-01-02/_tmp',
        'pair_days/.x/y',
        'pair_days/day=2026-01-03/',
        'raw/a.csv',
    ];
    for (const key of [...strays, ...others]) {
        await store.put(key, new Uint8Array());
    }
    const facts = await gatherDays(store, pairDays);
    expect(facts).toEqual({ kind: 'found', value: { days: ['2026-01-02'], strays, newestAt: NOW } });
    expect(judgeStrays(facts, { table: pairDays, isEveryFileRead: true })).toEqual([
        {
            check: 'stray files',
            result: 'problem',
            found: strays.join(', '),
            todo: 'move them out of pair_days/: whoever reads the folder takes them for figures, or fails on them',
        },
    ]);
    const note = { kind: 'found', value: { days: [], strays: ['pair_days/notes.txt'], newestAt: undefined } } as const;
    expect([true, false].map((isEveryFileRead) => judgeStrays(note, { table: pairDays, isEveryFileRead })[0]?.result)).toEqual([
        'problem',
        'warning',
    ]);
});

test('a clock that is behind the figures is told', () => {
    const written = (newestAt: Date | undefined) =>
        judgeClock(new Map([[pairDays, { kind: 'found', value: { days: [], strays: [], newestAt } }]]), NOW)[0]?.result;
    expect(written(undefined)).toBe('ok');
    expect(written(new Date(NOW.getTime() + 60_000))).toBe('ok');
    expect(written(new Date(NOW.getTime() + 3_600_000))).toBe('warning');
});

describe('a lake of several kinds', () => {
    const readings: MergedTable = { ...pairDays, name: 'device_readings', prefix: 'readings/', per: 'hour' };
    const found = (facts: Partial<DayFacts>) =>
        ({ kind: 'found', value: { days: [], strays: [], newestAt: undefined, ...facts } }) as const;

    test('has the days of each table by themselves, those of hours too', async () => {
        const store = memoryStore({ now: () => NOW });
        const strays = ['readings/day=2026-01-02/part-00.parquet', 'readings/day=2026-01-02/24.parquet'];
        const others = [
            'readings/day=2026-01-02/00.parquet',
            'readings/day=2026-01-02/23.parquet',
            'readings/day=2026-01-04/13.parquet',
            'pair_days/day=2026-01-09/part-00.parquet',
        ];
        for (const key of [...strays, ...others]) {
            await store.put(key, new Uint8Array());
        }
        const facts = await gatherDays(store, readings);
        expect(facts).toEqual(found({ days: ['2026-01-02', '2026-01-04'], strays: strays.sort(), newestAt: NOW }));
        expect(judgeStrays(facts, { table: readings, isEveryFileRead: true })).toMatchObject([
            { result: 'problem', found: strays.join(', '), todo: expect.stringContaining('move them out of readings/') },
        ]);
        expect(judgeStrays(found({}), { table: readings, isEveryFileRead: true })).toMatchObject([
            { result: 'ok', found: 'none among the device readings' },
        ]);
    });

    test('tells of a clock that is behind the figures of any of them, or of what could not be asked', () => {
        const ahead = found({ newestAt: new Date(NOW.getTime() + 3_600_000) });
        const unreadable = { kind: 'unreadable', code: 'AccessDenied', why: 'no' } as const;
        const judged = (...answers: Parameters<typeof judgeStrays>[0][]) =>
            judgeClock(new Map(answers.map((answer, at) => [[pairDays, readings][at]!, answer])), NOW).map(({ result }) => result);
        expect(judged(found({ newestAt: NOW }), ahead)).toEqual(['warning']);
        expect(judged(ahead, found({}))).toEqual(['warning']);
        expect(judged(unreadable, ahead)).toEqual(['warning']);
        expect(judged(found({ newestAt: NOW }), unreadable)).toEqual(['could not check']);
        expect(judged(found({}), found({}))).toEqual(['ok']);
    });
});

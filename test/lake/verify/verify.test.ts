import { mkdir, rm, writeFile } from 'node:fs/promises';
import { pairDays } from '#lake/flows/tables';
import { figuresOf } from '#lake/tables';
import { verifyLake } from '#lake/verify/verify';
import { runLine } from '#test/cli/fake-surroundings';
import { pairDaysKey } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { type Flow, type PairRow, type Source, sourceOf } from './handmade-lake.ts';
import { A, B, berlin, C, DAY_1, DAY_2, differencesOf, first, lakeOf, second } from './small-sources.ts';

function changed(rows: PairRow[], at: number, change: PairRow): PairRow[] {
    return rows.map((row, index) => (index === at ? { ...row, ...change } : row));
}

describe('a lake as it should be', () => {
    test('is equal in every figure, and the result says what was compared', async () => {
        const lake = await lakeOf([first, second, berlin]);
        expect(await verifyLake({ store: lake.store })).toEqual({
            verdict: 'equal',
            sources: { recomputed: 3, fromSummaries: 0 },
            rowsRead: 6,
            compared: [{ table: 'pair_days', periods: 2, rows: 4, figures: 4 * figuresOf(pairDays).length }],
            differences: [],
            differenceCount: 0,
            notes: [],
            mends: { readAnew: new Map(), buildAnew: new Map(), beyondMending: new Set(), lost: new Map() },
        });
    });

    test('is equal with nothing in it, and with a day that was left with no rows', async () => {
        const lake = await lakeOf([]);
        await mkdir(lake.directory, { recursive: true });
        await lake.writeDay(DAY_1, []);
        expect(await verifyLake({ store: lake.store })).toMatchObject({ verdict: 'equal', compared: [{ periods: 1, rows: 0 }] });
    });

    test('is found under a path with characters that would be a pattern', async () => {
        const lake = await lakeOf([first], { folder: "la[k]e*? day=1999-01-01 'x'" });
        expect(await verifyLake({ store: lake.store })).toMatchObject({ verdict: 'equal', compared: [{ rows: 3 }] });
    });

    test('does not count sources that are retracted or failed', async () => {
        const lake = await lakeOf([first]);
        for (const [key, state, raw] of [
            ['raw/gone.csv', 'retracted', second.raw],
            ['raw/bad.csv', 'failed', 'no,such,header\n'],
        ] as const) {
            await writeFile(lake.path(key), raw);
            await lake.writeRecord({ ...second, key, raw, flows: [] }, { state, dialect: null });
        }
        expect(await verifyLake({ store: lake.store })).toMatchObject({ verdict: 'equal', sources: { recomputed: 1 }, notes: [] });
    });
});

describe('a planted difference in pair_days is named', () => {
    const figures = ['flows', 'flow_duration_us_sum', 'flow_duration_us_sum_sq', 'flow_duration_us_max', 'fwd_pkts_sum_sq', 'fwd_pkts_min'];

    test.each(figures)('%s that is one too large', async (figure) => {
        const lake = await lakeOf([first, second]);
        const rows = lake.days.get(DAY_2)!;
        const right = rows[0]![figure] as bigint;
        await lake.writeDay(DAY_2, changed(rows, 0, { [figure]: right + 1n }));
        expect(await differencesOf(lake)).toEqual([
            { kind: 'pair_day', site: 'main', src_ip: A, dst_ip: C, day: DAY_2, figure, in_lake: right + 1n, recomputed: right },
        ]);
    });

    test('a pair that is missing, and one that is too many', async () => {
        const lake = await lakeOf([first]);
        const rows = lake.days.get(DAY_1)!;
        await lake.writeDay(DAY_1, changed(rows, 1, { src_ip: '10.9.9.9' }));
        expect(await differencesOf(lake)).toEqual(
            [
                { kind: 'pair_day', site: 'main', src_ip: B, dst_ip: A, day: DAY_1, figure: 'flows', in_lake: null, recomputed: 1n },
                {
                    kind: 'pair_day',
                    site: 'main',
                    src_ip: '10.9.9.9',
                    dst_ip: A,
                    day: DAY_1,
                    figure: 'flows',
                    in_lake: 1n,
                    recomputed: null,
                },
            ].sort((a, b) => (a.src_ip < b.src_ip ? -1 : 1)),
        );
    });

    test('a pair that stands there twice', async () => {
        const lake = await lakeOf([first]);
        const rows = lake.days.get(DAY_2)!;
        await lake.writeDay(DAY_2, [...rows, ...rows]);
        expect(await differencesOf(lake)).toEqual([
            { kind: 'pair_day', site: 'main', src_ip: A, dst_ip: C, day: DAY_2, figure: 'rows', in_lake: 2n, recomputed: 1n },
        ]);
    });

    test('a pair at another site', async () => {
        const lake = await lakeOf([berlin]);
        await lake.writeDay(DAY_1, changed(lake.days.get(DAY_1)!, 0, { site: 'main' }));
        expect((await differencesOf(lake)).map(({ site, in_lake, recomputed }) => [site, in_lake, recomputed])).toEqual([
            ['berlin', null, 1n],
            ['main', 1n, null],
        ]);
    });

    test('a day that is missing, and one that is too many', async () => {
        const lake = await lakeOf([first]);
        await rm(lake.path(pairDaysKey(DAY_2)));
        await lake.writeDay('2024-05-03', lake.days.get(DAY_2)!);
        expect(await differencesOf(lake)).toEqual([
            { kind: 'day', day: DAY_2, figure: 'pairs', in_lake: null, recomputed: 1n },
            { kind: 'pair_day', site: 'main', src_ip: A, dst_ip: C, day: '2024-05-03', figure: 'flows', in_lake: 1n, recomputed: null },
        ]);
    });

    test('a figure that was written as a double', async () => {
        const lake = await lakeOf([first]);
        await lake.writeDay(DAY_2, lake.days.get(DAY_2)!, { types: { flow_duration_us_sum: 'double' } });
        expect(await differencesOf(lake)).toEqual([
            { kind: 'day', day: DAY_2, figure: 'type of flow_duration_us_sum', in_lake: 'DOUBLE', recomputed: 'BIGINT' },
            expect.objectContaining({
                figure: 'flow_duration_us_sum',
                in_lake: 9_007_199_254_740_992n,
                recomputed: 9_007_199_254_740_993n,
            }),
        ]);
    });

    test('a Parquet file that readers would take for part of the day', async () => {
        const lake = await lakeOf([first]);
        const stray = pairDaysKey(DAY_1).replace('part-00', 'part-01');
        await writeFile(lake.path(stray), 'anything');
        expect(await differencesOf(lake)).toEqual([{ kind: 'orphan', day: DAY_1, figure: 'object', in_lake: stray, recomputed: null }]);
    });

    test('all are counted, the first ones listed', async () => {
        const flows = Array.from({ length: 300 }, (_, at): Flow => [`10.0.${at >> 8}.${at & 255}`, B, DAY_1, at, 1]);
        const lake = await lakeOf([sourceOf('raw/many.csv', flows)]);
        await lake.writeDay(
            DAY_1,
            lake.days.get(DAY_1)!.map((row) => ({ ...row, fwd_pkts_sum: 2n, fwd_pkts_max: 2n })),
        );
        const { differences, differenceCount } = await verifyLake({ store: lake.store, maxListed: 7 });
        expect([differences.length, differenceCount]).toEqual([7, 600]);
    });
});

describe('a planted difference in what is said of a source is named', () => {
    const withRejects: Source = {
        ...first,
        raw: `${first.raw}id,host,${B},${DAY_1},1,1,x\nid,${A},${B},${DAY_1},-1,1,x\nid,${A},${B},${DAY_1},NaN,1,x\n`,
        rejects: [
            ['not_an_ip_address', 'a'],
            ['negative', 'b'],
            ['nan', 'c'],
        ],
    };

    test('rejects of the right reasons are equal', async () => {
        expect(await differencesOf(await lakeOf([withRejects]))).toEqual([]);
    });

    test('another reject reason', async () => {
        const lake = await lakeOf([withRejects]);
        await lake.writeRejects(withRejects, [
            ['not_an_ip_address', 'a'],
            ['not_a_number', 'b'],
            ['nan', 'c'],
        ]);
        expect(await differencesOf(lake)).toEqual([
            { kind: 'rejects', source: first.key, figure: 'negative', in_lake: 0n, recomputed: 1n },
            { kind: 'rejects', source: first.key, figure: 'not_a_number', in_lake: 1n, recomputed: 0n },
        ]);
    });

    test('rejects that are gone', async () => {
        const lake = await lakeOf([withRejects]);
        await rm(lake.path(lake.rejectsKey(withRejects)));
        expect(await differencesOf(lake)).toEqual([
            { kind: 'rejects', source: first.key, figure: 'object', in_lake: null, recomputed: lake.rejectsKey(withRejects) },
        ]);
    });

    test('counts, days, pairs and findings of the ledger', async () => {
        const lake = await lakeOf([first]);
        await lake.writeRecord(first, { rows_read: 5, first_day: '2024-04-30', pairs: 4, date_order: 'assumed', dialect: 'zeek' });
        expect((await differencesOf(lake)).map(({ figure, in_lake, recomputed }) => [figure, in_lake, recomputed])).toEqual([
            ['rows_kept + rows_rejected', 4n, 5n],
            ['dialect', 'zeek', 'cicflowmeter'],
            ['date_order', 'assumed', 'ymd'],
            ['rows_read', 5n, 4n],
            ['first_day', '2024-04-30', DAY_1],
            ['pairs', 4n, 3n],
        ]);
    });

    test('a source that failed though it can be used', async () => {
        const lake = await lakeOf([first]);
        await writeFile(lake.path(second.key), second.raw);
        await lake.writeRecord(second, { state: 'failed' });
        expect(await differencesOf(lake)).toEqual([
            { kind: 'source', source: second.key, figure: 'state', in_lake: 'failed', recomputed: 'done' },
        ]);
    });

    test('a summary that is missing', async () => {
        const lake = await lakeOf([first]);
        await rm(lake.path(lake.summaryKey(first, DAY_2)));
        expect(await differencesOf(lake)).toEqual([
            { kind: 'summary', source: first.key, day: DAY_2, figure: 'object', in_lake: null, recomputed: lake.summaryKey(first, DAY_2) },
            {
                kind: 'summary',
                source: first.key,
                site: 'main',
                src_ip: A,
                dst_ip: C,
                day: DAY_2,
                figure: 'flows',
                in_lake: null,
                recomputed: 1n,
            },
            { kind: 'source', source: first.key, figure: 'flows of its summaries', in_lake: 3n, recomputed: 4n },
        ]);
    });
});

describe('days', () => {
    test('only those asked for are compared, and only sources that touch them are read', async () => {
        const late = sourceOf('raw/late.csv', [[A, B, '2024-06-01', 1, 1]]);
        const lake = await lakeOf([first, late]);
        await rm(lake.path(pairDaysKey(DAY_1)));
        expect(await verifyLake({ store: lake.store, from: DAY_2, to: '2024-05-31' })).toMatchObject({
            verdict: 'equal',
            sources: { recomputed: 1 },
            compared: [{ periods: 1, rows: 1 }],
        });
        expect(await verifyLake({ store: lake.store, to: DAY_1 })).toMatchObject({ verdict: 'different', compared: [{ periods: 1 }] });
    });

    test.each(['2024-5-1', '2024-02-31x', 'yesterday'])('%s is no day', async (from) => {
        await expect(verifyLake({ store: memoryStore(), from })).rejects.toThrow('is no day');
    });
});

test('a folder that is not there is no lake', async () => {
    expect(await runLine(['--lake', '/no/such/lake', 'verify'])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('No lake at'),
    });
});

test('tells how far it is, and stops when it is told to', async () => {
    const lake = await lakeOf([first, second]);
    const controller = new AbortController();
    const seen: string[] = [];
    const verifying = verifyLake({
        store: lake.store,
        signal: controller.signal,
        onProgress: ({ doing, current, done, total }) => {
            seen.push(`${doing} ${current} ${done}/${total}`);
            if (doing === 'periods') {
                controller.abort();
            }
        },
    });
    await expect(verifying).rejects.toThrow('aborted');
    const total = first.raw.length + second.raw.length;
    expect(seen[0]).toBe(`sources raw/first.csv 0/${total}`);
    expect(seen).toContain(`sources raw/second.csv ${total}/${total}`);
    expect(seen.at(-1)).toBe(`periods ${DAY_1} 0/2`);
});

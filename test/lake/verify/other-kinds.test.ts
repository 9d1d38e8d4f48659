/** The judge of a lake in which other kinds of data stand beside flows: by the hour, with nulls, with values below zero. */

import { pairDays } from '#lake/flows/tables';
import { contributionKey, ledgerKey, mergedKey, nameOfPeriod } from '#lake/layout';
import { writeRows } from '#lake/parquet';
import { emptyRows } from '#lake/rows';
import { sourceId } from '#lake/source-id';
import { figuresOf } from '#lake/tables';
import { columnNames, meaningsOf } from '#lake/verify/say-difference';
import { gauges, tides } from '#test/kinds/gauges';
import {
    ALL,
    CONTAINS,
    HARBOUR,
    HARBOUR_ID,
    HOUR,
    KINDS,
    lakeOfKinds,
    MERGED,
    MONDAY,
    printed,
    SEA,
    spoil,
    VERSION,
    verify,
} from './lake-of-kinds.ts';

describe('a lake of three kinds', () => {
    test('is equal in every figure, and what was compared is told by table', async () => {
        expect(await verify(await lakeOfKinds(ALL))).toMatchObject({
            verdict: 'equal',
            sources: { recomputed: 4, fromSummaries: 0 },
            rowsRead: 17,
            compared: [
                { table: 'pair_days', periods: 1, rows: 1, figures: figuresOf(pairDays).length },
                { table: 'gauges_hours', periods: 3, rows: 5, figures: 25 },
                { table: 'tides_days', periods: 2, rows: 4, figures: 20 },
            ],
            notes: [],
        });
    });

    test('is verified on the days that are asked for, hours and days alike', async () => {
        const store = await lakeOfKinds(ALL);
        await store.delete(MERGED);
        expect(await verify(store, { from: '2026-01-06' })).toMatchObject({
            verdict: 'equal',
            compared: [
                { table: 'gauges_hours', periods: 1 },
                { table: 'tides_days', periods: 1 },
            ],
        });
        expect(await verify(store, { to: '2026-01-05' })).toMatchObject({ verdict: 'different' });
        const only = { periods: new Set([nameOfPeriod({ table: 'gauges_hours', period: '2026-01-05T14' })]), sources: new Set<string>() };
        expect(await verify(store, { only })).toMatchObject({
            verdict: 'equal',
            compared: [{ table: 'gauges_hours', periods: 1, rows: 1 }],
        });
    });

    test('shows the key columns of the tables that differ, and the table; of flows alone the columns that there always were', async () => {
        const store = await lakeOfKinds(ALL);
        await store.delete(MERGED);
        const { differences, mends } = await verify(store);
        expect(printed(differences)).toEqual([
            { kind: 'hour', table: 'gauges_hours', hour: HOUR, figure: 'rows', in_lake: null, recomputed: 3n },
        ]);
        expect(mends.buildAnew).toEqual(new Map([[`gauges_hours ${HOUR}`, { table: 'gauges_hours', period: HOUR }]]));
        expect(columnNames(differences, { kinds: KINDS })).toEqual([
            'kind',
            'source',
            'table',
            'site',
            'gauge',
            'hour',
            'figure',
            'in_lake',
            'recomputed',
        ]);
        expect(columnNames([], { kinds: KINDS })).toEqual([
            'kind',
            'source',
            'site',
            'src_ip',
            'dst_ip',
            'day',
            'figure',
            'in_lake',
            'recomputed',
        ]);
        expect(meaningsOf(differences, { kinds: KINDS })).toEqual(['hour: an hour’s object is missing, or its columns have other types']);
    });
});

describe('a null', () => {
    test.each([
        ['that became a zero', 'level_mm_min', 0n, null],
        ['that became a value', 'level_mm_max', -7n, null],
    ])('%s is a difference', async (_, figure, inLake, recomputed) => {
        // The first row is gauge `dry`, which both files have and neither measured.
        const store = await lakeOfKinds(ALL);
        await spoil(store, { table: gauges.merged, key: MERGED, contains: CONTAINS, change: { [figure]: inLake } });
        expect(printed((await verify(store)).differences)).toEqual([
            {
                kind: 'gauge_hour',
                table: 'gauges_hours',
                site: 'main',
                gauge: 'dry',
                hour: HOUR,
                figure,
                in_lake: inLake,
                recomputed,
            },
        ]);
    });

    test('in the place of a value is a difference, and one file’s null gives way to another’s value', async () => {
        const store = await lakeOfKinds(ALL);
        const key = mergedKey(gauges.merged, '2026-01-05T14');
        await spoil(store, { table: gauges.merged, key, contains: [CONTAINS[0]!], change: { level_mm_min: null } });
        expect(printed((await verify(store)).differences)).toMatchObject([
            { kind: 'gauge_hour', gauge: 'pier', figure: 'level_mm_min', in_lake: null, recomputed: 80n },
        ]);
    });

    test('row is not the same as no row', async () => {
        const store = await lakeOfKinds(ALL);
        await store.put(MERGED, writeRows(gauges.merged, emptyRows(gauges.merged), { contains: CONTAINS }));
        expect(printed((await verify(store)).differences)).toMatchObject([
            { gauge: 'dry', figure: 'readings', in_lake: null, recomputed: 2n },
            { gauge: 'lock', figure: 'readings', in_lake: null, recomputed: 1n },
            { gauge: 'pier', figure: 'readings', in_lake: null, recomputed: 3n },
        ]);
    });
});

describe('a contribution of another kind', () => {
    test('that is not what its raw file says is told by source, key and hour', async () => {
        const store = await lakeOfKinds(ALL);
        const key = contributionKey(gauges.contributions, { period: '2026-01-05T14', ...HARBOUR_ID });
        await spoil(store, { table: gauges.contributions, key, change: { level_mm_sum: -80n } });
        const { differences, mends } = await verify(store);
        expect(printed(differences)).toEqual([
            {
                kind: 'summary',
                source: HARBOUR.key,
                table: 'gauges_hours',
                site: 'main',
                gauge: 'pier',
                hour: '2026-01-05T14',
                figure: 'level_mm_sum',
                in_lake: -80n,
                recomputed: 80n,
            },
        ]);
        expect(mends.readAnew).toEqual(new Map([[HARBOUR.key, VERSION]]));
    });

    test('is an orphan under a name that its table does not give: an hour’s without its hour, a day’s with one, an hour that no day has', async () => {
        const store = await lakeOfKinds(ALL);
        const { source, version } = HARBOUR_ID;
        const strange = [
            `gauges_summaries/day=2026-01-05/${source}.${version}.parquet`,
            `gauges_summaries/day=2026-01-05/24.${source}.${version}.parquet`,
            'gauges_hours/day=2026-01-05/part-00.parquet',
            'gauges_hours/day=2026-01-05/24.parquet',
            `tides_summaries/day=2026-01-05/13.${sourceId(SEA.key)}.${version}.parquet`,
            'tides_days/day=2026-01-05/13.parquet',
            `summaries/day=2026-01-05/13.${sourceId(MONDAY.key)}.${version}.parquet`,
        ];
        for (const key of strange) {
            await store.put(key, Buffer.from('x'));
        }
        const found = printed((await verify(store)).differences);
        expect(found.map(({ kind, in_lake }) => `${kind} ${in_lake}`).sort()).toEqual(strange.map((key) => `orphan ${key}`).sort());
    });

    test('is an orphan in the table of a kind that its source is not of, though its version is live', async () => {
        const store = await lakeOfKinds(ALL);
        const key = contributionKey(tides.contributions, { period: '2026-01-05', ...HARBOUR_ID });
        const own = contributionKey(tides.contributions, { period: '2026-01-05', source: sourceId(SEA.key), version: VERSION });
        await store.put(key, (await store.get(own))!.bytes);
        expect(printed((await verify(store)).differences)).toEqual([
            {
                kind: 'orphan',
                source: HARBOUR.key,
                table: 'tides_days',
                day: '2026-01-05',
                figure: 'object',
                in_lake: key,
                recomputed: null,
            },
        ]);
    });

    test('that a day contains though its source is of another kind does not count there', async () => {
        const store = await lakeOfKinds(ALL);
        const key = mergedKey(tides.merged, '2026-01-05');
        const contains = [`${sourceId(SEA.key)}.${VERSION}`, CONTAINS[0]!];
        await spoil(store, { table: tides.merged, key, contains, change: {} });
        expect(printed((await verify(store)).differences)).toMatchObject([{ kind: 'contents', day: '2026-01-05', in_lake: CONTAINS[0] }]);
    });

    test('with its rejects: they are those of its own table', async () => {
        const store = await lakeOfKinds(ALL);
        const key = `gauges_rejects/${HARBOUR_ID.source}.${VERSION}.jsonl.gz`;
        const rejects = (await store.get(key))!.bytes;
        await store.delete(key);
        await store.put(key.replace('gauges_rejects', 'tides_rejects'), rejects);
        const found = printed((await verify(store)).differences);
        expect(found).toHaveLength(2);
        expect(found).toEqual(
            expect.arrayContaining([
                expect.objectContaining({ kind: 'rejects', source: HARBOUR.key, in_lake: null, recomputed: key }),
                expect.objectContaining({ kind: 'orphan', in_lake: key.replace('gauges_rejects', 'tides_rejects') }),
            ]),
        );
    });
});

describe('a kind that this program does not know', () => {
    test('is told by its ledger records and raw files, and holds up nobody', async () => {
        const store = await lakeOfKinds(ALL);
        const record = Buffer.from(JSON.stringify({ source: 'raw/kind=moons/full.csv', commits: 1, versions: {}, state: 'done' }));
        const key = ledgerKey(sourceId('raw/kind=moons/full.csv'));
        await store.put(key, record);
        await store.put('raw/kind=moons/full.csv', Buffer.from('x'));
        await store.put('moons/day=2026-01-05/part-00.parquet', Buffer.from('x'));
        const why = 'of kind moons, and this flowlake knows flows, gauges, tides: install a version that knows it, or rename its folder';
        expect(await verify(store)).toMatchObject({
            verdict: 'incomplete',
            differences: [],
            compared: [{ periods: 1 }, { periods: 3 }, { periods: 2 }],
            notes: [
                { kind: 'could_not_read', key, text: expect.stringContaining(why) },
                { kind: 'could_not_read', key: 'raw/kind=moons/full.csv', text: expect.stringContaining(why) },
            ],
        });
    });
});

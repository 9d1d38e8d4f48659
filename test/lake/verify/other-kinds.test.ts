/** The judge of a lake in which other kinds of data stand beside flows: by the hour, with nulls, with values below zero, with a second reader or none. */
import { flows } from '#lake/flows/kind';
import { contributionKey, ledgerKey, mergedKey, nameOfPeriod, sourceId } from '#lake/layout';
import { writeRows } from '#lake/parquet';
import { emptyRows } from '#lake/rows';
import type { ObjectStore } from '#lake/store/object-store';
import type { Difference } from '#lake/verify/findings';
import { columnNames, meaningsOf, rowOf } from '#lake/verify/say-difference';
import { type VerifyOptions, verifyLake } from '#lake/verify/verify';
import { gauges, tides } from '#test/kinds/gauges';
import { KINDS, type KindFile, lakeOfKinds, spoil, VERSION, withoutSecondReader } from './lake-of-kinds.ts';

const HEADER = 'instant,gauge,level\n';
const HOUR = '2026-01-05T13';
const HARBOUR_TEXT = `${HEADER}2026-01-05T13:05:00Z,pier,-120
2026-01-05T13:25:00Z,pier,
2026-01-05T13:45:00Z,lock,30
2026-01-05T13:50:00Z,dry,
2026-01-05T14:00:00Z,pier,80
no reading
2026-01-06T00:00:00Z,pier,7
`;
const HARBOUR: KindFile = { kind: gauges, key: 'raw/kind=gauges/harbour.gauge', text: HARBOUR_TEXT };
const ISLAND: KindFile = {
    kind: gauges,
    key: 'raw/kind=gauges/island.gauge',
    text: `${HEADER}2026-01-05T13:30:00Z,pier,500\n2026-01-05T13:31:00Z,dry,\n`,
};
const SEA: KindFile = { kind: tides, key: 'raw/kind=tides/harbour.gauge', text: HARBOUR_TEXT };
const MONDAY: KindFile = {
    kind: flows,
    key: 'raw/monday.csv',
    text: 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n10.0.0.1,10.0.0.2,2026-01-05 13:00:00,7,3\n',
};
const ALL = [HARBOUR, ISLAND, SEA, MONDAY];
const MERGED = mergedKey(gauges.merged, HOUR);
const CONTAINS = [HARBOUR, ISLAND].map(({ key }) => `${sourceId(key)}.${VERSION}`);
const HARBOUR_ID = { source: sourceId(HARBOUR.key), version: VERSION };

function verify(store: ObjectStore, options: Partial<VerifyOptions> = {}) {
    return verifyLake({ store, kinds: KINDS, ...options });
}

function printed(differences: readonly Difference[]) {
    return differences.map((difference) => rowOf(difference, { kinds: KINDS }));
}

describe('a lake of three kinds', () => {
    test('is equal in every figure, and what was compared is told by table', async () => {
        expect(await verify(await lakeOfKinds(ALL))).toMatchObject({
            verdict: 'equal',
            sources: { recomputed: 4, fromSummaries: 0 },
            rowsRead: 17,
            compared: [
                { table: 'pair_days', periods: 1, rows: 1, figures: 9 },
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

describe('a kind without a second reader', () => {
    const kinds: typeof KINDS = [KINDS[0], withoutSecondReader(gauges), tides];

    test('is verified by its contributions, and that is said once', async () => {
        const store = await lakeOfKinds(ALL);
        expect(await verify(store, { kinds })).toMatchObject({
            verdict: 'incomplete',
            sources: { recomputed: 2, fromSummaries: 2 },
            compared: [{ table: 'pair_days' }, { table: 'gauges_hours', periods: 3, rows: 5 }, { table: 'tides_days' }],
            notes: [{ kind: 'not_followed', key: 'raw/kind=gauges/', text: expect.stringContaining('no second way to read') }],
        });
        expect(await verify(store, { kinds, allowPruned: true })).toMatchObject({ verdict: 'incomplete' });
        await spoil(store, { table: gauges.merged, key: MERGED, contains: CONTAINS, change: { readings: 3n } });
        expect(printed((await verify(store, { kinds })).differences)).toMatchObject([
            { kind: 'gauge_hour', gauge: 'dry', figure: 'readings', in_lake: 3n, recomputed: 2n },
        ]);
    });

    test('says nothing where the lake has none of it', async () => {
        expect(await verify(await lakeOfKinds([SEA, MONDAY]), { kinds })).toMatchObject({ verdict: 'equal', notes: [] });
    });

    test('has its contributions read anew where one is gone: nothing is lost while the raw file is there', async () => {
        const store = await lakeOfKinds(ALL);
        const key = contributionKey(gauges.contributions, { period: HOUR, ...HARBOUR_ID });
        await store.delete(key);
        const { differences, mends, compared } = await verify(store, { kinds });
        expect(printed(differences)).toMatchObject([{ kind: 'summary', hour: HOUR, figure: 'object', in_lake: null, recomputed: key }]);
        expect(mends).toMatchObject({ readAnew: new Map([[HARBOUR.key, VERSION]]), lost: new Map(), beyondMending: new Set() });
        expect(compared).toContainEqual({ table: 'gauges_hours', periods: 2, rows: 2, figures: 10 });
        await store.delete(HARBOUR.key);
        expect((await verify(store, { kinds })).mends).toMatchObject({
            readAnew: new Map(),
            lost: new Map([[`gauges_hours ${HOUR}`, { table: 'gauges_hours', period: HOUR }]]),
            beyondMending: new Set([HARBOUR.key]),
        });
    });

    test('has its raw files looked at all the same: gone, changed and rotten ones are told', async () => {
        const store = await lakeOfKinds(ALL);
        const rotten: ObjectStore = {
            ...store,
            async *open(key, options) {
                yield* key === ISLAND.key ? [Buffer.from('other bytes')] : store.open(key, options);
            },
        };
        const found = await verify(rotten, { kinds });
        expect(printed(found.differences)).toMatchObject([{ kind: 'damaged', source: ISLAND.key, in_lake: ISLAND.key }]);
        expect(found.mends.beyondMending).toEqual(new Set([ISLAND.key]));
        await store.put(ISLAND.key, Buffer.from(`${ISLAND.text}2026-01-05T13:30:00Z,pier,1\n`));
        await store.delete(HARBOUR.key);
        expect((await verify(store, { kinds })).notes.map(({ kind, key }) => [kind, key])).toEqual([
            ['not_followed', 'raw/kind=gauges/'],
            ['raw_gone', HARBOUR.key],
            ['raw_changed', ISLAND.key],
        ]);
    });

    test('has figures that cannot be found in its contributions', async () => {
        const store = await lakeOfKinds(ALL);
        const key = contributionKey(gauges.contributions, { period: '2026-01-05T14', ...HARBOUR_ID });
        await spoil(store, { table: gauges.contributions, key, change: { level_mm_min: 81n } });
        await spoil(store, {
            table: gauges.merged,
            key: mergedKey(gauges.merged, '2026-01-05T14'),
            contains: [CONTAINS[0]!],
            change: { level_mm_min: 81n },
        });
        expect(printed((await verify(store, { kinds })).differences)).toMatchObject([
            {
                kind: 'summary',
                source: HARBOUR.key,
                gauge: 'pier',
                figure: 'level_mm_min',
                in_lake: 81n,
                recomputed: 'no larger than the largest',
            },
        ]);
    });

    test('leaves the hours of a source that waits to be read uncompared', async () => {
        const store = await lakeOfKinds(ALL);
        const { etag } = await store.put(HARBOUR.key, Buffer.from(`${HARBOUR.text}2026-01-05T13:59:59Z,pier,1\n`));
        const pending = new Map([[HARBOUR.key, { etag, options: {} }]]);
        expect(await verify(store, { kinds, pending })).toMatchObject({
            differences: [],
            compared: [{ table: 'pair_days' }, { table: 'tides_days' }],
        });
        expect(
            (await verify(store, { pending })).differences.map(({ figure, in_lake, recomputed }) => [figure, in_lake, recomputed]),
        ).toEqual([
            ['readings', 3n, 4n],
            ['level_mm_sum', 380n, 381n],
            ['level_mm_sum_sq', 264_400n, 264_401n],
        ]);
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
        const why = 'of kind moons, and this flowlake knows flows, gauges, tides: install a newer version';
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

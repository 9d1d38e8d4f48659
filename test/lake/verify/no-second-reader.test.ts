/** The judge of a kind that nobody has written a second reader for: it is verified by its contributions alone. */
import { contributionKey, mergedKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { gauges, tides } from '#test/kinds/gauges';
import {
    ALL,
    CONTAINS,
    HARBOUR,
    HARBOUR_ID,
    HOUR,
    ISLAND,
    KINDS,
    lakeOfKinds,
    MERGED,
    MONDAY,
    printed,
    SEA,
    spoil,
    VERSION,
    verify,
    withoutSecondReader,
} from './lake-of-kinds.ts';

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

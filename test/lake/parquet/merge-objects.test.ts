/** Objects merge to the same rows, whether their row groups are taken as they are or their rows merged one by one; a damaged one is refused. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { mergeRows } from '#lake/merge-rows';
import { readContains, readRows, readTyped, writeRows } from '#lake/parquet';
import { mergeObjects, type ObjectToMerge } from '#lake/parquet/merge-objects';
import { emptyRows, type Rows } from '#lake/rows';
import { gaugeHours, textOfRows } from '#test/support/made-up-table';

const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);
const HOUR = { table: gaugeHours, period: '2026-01-05T13' };
const CONTAINS = ['b', 'a'];

/** Rows of one site: every `step`th gauge from `first` on; figures are below zero, large, or null. */
function rowsOf({ site, count, first = 0, step = 1 }: { site: string; count: number; first?: number; step?: number }): Rows {
    const rows = emptyRows(gaugeHours, count) as Record<string, any>;
    for (let at = 0; at < count; at += 1) {
        const gauge = first + at * step;
        const level = BigInt(gauge) - 100n;
        rows.site[at] = site;
        rows.gauge[at] = String(gauge).padStart(7, '0');
        rows.readings[at] = 1n;
        rows.level_sum[at] = level;
        rows.level_sum_sq[at] = level * level * 10n ** 20n + 1n;
        rows.level_min[at] = gauge % 3 === 0 ? null : level;
        rows.level_max[at] = gauge % 3 === 0 ? null : level;
    }
    return rows;
}

function objectOf(bytes: Uint8Array<ArrayBuffer>): ObjectToMerge & { wasRead: () => boolean } {
    let isRead = false;
    return {
        bytes,
        wasRead: () => isRead,
        read(groups) {
            isRead = true;
            return readTyped(gaugeHours, bytes, { groups });
        },
    };
}

const merge = (objects: readonly ObjectToMerge[]) => mergeObjects(objects, { ...HOUR, entries: { contains: CONTAINS } });

function groupsOf(bytes: Uint8Array<ArrayBuffer>): number[] {
    return parquetMetadata(bytes.slice().buffer).row_groups.map(({ num_rows }) => Number(num_rows));
}

/** Bounds and counts of every chunk, the bounds of decimals as bytes. */
function statisticsOf(bytes: Uint8Array<ArrayBuffer>): unknown[] {
    const { row_groups } = parquetMetadata(bytes.slice().buffer);
    return row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data?.statistics));
}

async function expectRows(bytes: Uint8Array<ArrayBuffer>, lists: readonly Rows[]): Promise<void> {
    expect(textOfRows(await readRows(gaugeHours, bytes))).toEqual(textOfRows(mergeRows(lists, HOUR)));
    expect(readContains(bytes)).toEqual(['a', 'b']);
}

describe('large objects of different sites', () => {
    const lists = ['osaka', 'berlin', 'Zürich'].map((site) => rowsOf({ site, count: 20_001 }));

    test('are put one behind the other, without being read', async () => {
        const objects = lists.map((rows) => objectOf(writeRows(gaugeHours, rows)));
        const { bytes, rows } = await merge(objects);
        expect(rows).toBe(60_003);
        await expectRows(bytes, lists);
        expect(objects.map(({ wasRead }) => wasRead())).toEqual([false, false, false]);
        expect(groupsOf(bytes)).toEqual(Array.from({ length: 3 }, () => [5_000, 5_000, 5_000, 5_000, 1]).flat());
    });

    test('keep their statistics, those of decimals with every digit', async () => {
        const written = writeRows(gaugeHours, lists[0]!);
        const { bytes } = await merge([objectOf(written)]);
        expect(statisticsOf(bytes)).toEqual(statisticsOf(written));
        // In the footer's bytes, as hyparquet reads decimals as doubles: the largest of the first group.
        const footerOf = (file: Uint8Array) => Buffer.from(file).readUInt32LE(file.length - 8);
        const exact = (4_899n ** 2n * 10n ** 20n + 1n).toString(16).padStart(32, '0');
        for (const file of [bytes, written]) {
            expect(Buffer.from(file.subarray(-footerOf(file) - 8)).includes(Buffer.from(exact, 'hex'))).toBe(true);
        }
    });

    test('that were merged so merge once more with one of them grown, and only that is read', async () => {
        const { bytes: day } = await merge(lists.map((rows) => objectOf(writeRows(gaugeHours, rows))));
        const more = rowsOf({ site: 'berlin', count: 300, first: 19_900 });
        const object = objectOf(day);
        const read: (readonly number[] | undefined)[] = [];
        const { bytes } = await merge([
            {
                bytes: day,
                read(groups) {
                    read.push(groups);
                    return object.read(groups);
                },
            },
            objectOf(writeRows(gaugeHours, more)),
        ]);
        await expectRows(bytes, [...lists, more]);
        // Ascending by their bytes: Zürich, berlin, osaka.
        expect(read).toEqual([[8, 9]]);
        expect(groupsOf(bytes)).toEqual([5_000, 5_000, 5_000, 5_000, 1, 5_000, 5_000, 5_000, 2_600, 2_600, 5_000, 5_000, 5_000, 5_000, 1]);
    });
});

test('small objects between large ones are merged into full groups', async () => {
    const lists = [
        rowsOf({ site: 'a', count: 25_000 }),
        ...Array.from({ length: 30 }, (_, at) => rowsOf({ site: `b${String(at).padStart(2, '0')}`, count: 200 })),
        rowsOf({ site: 'c', count: 20_000 }),
    ];
    const { bytes } = await merge(lists.map((rows) => objectOf(writeRows(gaugeHours, rows))));
    await expectRows(bytes, lists);
    expect(groupsOf(bytes)).toEqual([5_000, 5_000, 5_000, 5_000, 5_000, 5_000, 1_000, 5_000, 5_000, 5_000, 5_000]);
});

test('objects of overlapping and of separate sites, small and large, come to the rows that merging them one by one comes to', async () => {
    const part = fc.record({
        site: fc.constantFrom('a', 'b', 'Ａ', '\u{1f6b0}', `${'x'.repeat(70)}1`, `${'x'.repeat(70)}2`),
        count: fc.constantFrom(0, 1, 20, 6_000, 20_000),
        first: fc.nat(50),
        step: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
        fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
            const lists = parts.map(rowsOf);
            const { bytes, rows } = await merge(lists.map((list) => objectOf(writeRows(gaugeHours, list))));
            await expectRows(bytes, lists);
            expect(rows).toBe(groupsOf(bytes).reduce((sum, count) => sum + count, 0));
            expect(groupsOf(bytes).every((count) => count <= 5_000)).toBe(true);
        }),
        { numRuns: 8 * RUNS },
    );
});

describe('a few rows that go into a large object', () => {
    test('leave the row groups as they are that none of them goes into', async () => {
        const large = rowsOf({ site: 'b', count: 30_000, step: 2 });
        const few = mergeRows(
            [
                rowsOf({ site: 'a', count: 1 }),
                rowsOf({ site: 'b', count: 3, first: 20_001 }),
                rowsOf({ site: 'b', count: 1, first: 20_000 }),
                rowsOf({ site: 'c', count: 2 }),
            ],
            HOUR,
        );
        const [one, other] = [objectOf(writeRows(gaugeHours, large)), objectOf(writeRows(gaugeHours, few))];
        const { bytes } = await merge([one, other]);
        await expectRows(bytes, [large, few]);
        // Before the first, into the third and behind the last.
        expect(groupsOf(bytes)).toEqual([2_501, 2_500, 5_000, 2_501, 2_501, 5_000, 5_000, 2_501, 2_501]);
        // Once more: the day keeps its groups of half the rows, of which there are not too many.
        const more = rowsOf({ site: 'b', count: 1, first: 59_997 });
        const again = await merge([objectOf(bytes), objectOf(writeRows(gaugeHours, more))]);
        await expectRows(again.bytes, [large, few, more]);
        expect(groupsOf(again.bytes)).toEqual([2_501, 2_500, 5_000, 2_501, 2_501, 5_000, 5_000, 2_501, 2_502]);
    });

    test('rewrite it where its groups are not half full', async () => {
        const { bytes } = await merge([objectOf(writeRows(gaugeHours, rowsOf({ site: 'b', count: 24_000, step: 2 })))]);
        const lists = [rowsOf({ site: 'b', count: 24_000, step: 2 })];
        let day = bytes;
        for (let round = 0; round < 12; round += 1) {
            // Into other groups each time.
            const few = rowsOf({ site: 'b', count: 6, first: 1 + round * 2, step: 7_999 });
            lists.push(few);
            day = (await merge([objectOf(day), objectOf(writeRows(gaugeHours, few))])).bytes;
        }
        await expectRows(day, lists);
        expect(groupsOf(day).length).toBeLessThanOrEqual(10);
    });

    test('come to the rows that merging them one by one comes to, wherever they go', async () => {
        const sites = ['a', 'b', 'Ａ', '\u{1f6b0}', `${'x'.repeat(63)}ü1`, `${'x'.repeat(63)}ü2`];
        const piece = fc.record({
            site: fc.constantFrom(...sites),
            count: fc.integer({ min: 1, max: 40 }),
            first: fc.nat(14_000),
            step: fc.integer({ min: 1, max: 60 }),
        });
        // Sites begin and end inside of row groups, so that some groups have bounds of their first column alone.
        const large = mergeRows(
            sites.map((site) => rowsOf({ site, count: 6_300, step: 2 })),
            HOUR,
        );
        const written = writeRows(gaugeHours, large);
        await fc.assert(
            fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 4 }), async (pieces) => {
                const lists = pieces.map(rowsOf);
                const { bytes } = await merge([written, ...lists.map((rows) => writeRows(gaugeHours, rows))].map(objectOf));
                await expectRows(bytes, [large, ...lists]);
                expect(groupsOf(bytes).every((count) => count <= 5_000)).toBe(true);
            }),
            { numRuns: 6 * RUNS },
        );
    });
});

describe('a damaged object', () => {
    const whole = writeRows(gaugeHours, rowsOf({ site: 'a', count: 20_000 }));
    const { row_groups } = parquetMetadata(whole.slice().buffer);
    const lastPage = Number(row_groups[3]?.columns[4]?.meta_data?.data_page_offset);

    function withByte(at: number): Uint8Array<ArrayBuffer> {
        const bytes = whole.slice();
        bytes[at] = (bytes[at] as number) ^ 0x10;
        return bytes;
    }

    test.each([
        ['alone, where its groups would be copied', []],
        ['beside another one of its site, where it is read', [rowsOf({ site: 'a', count: 10 })]],
    ])('is refused %s', async (_, others) => {
        for (const at of [lastPage + 60, lastPage + 200, lastPage + 900, Math.floor(lastPage / 2)]) {
            const objects = [withByte(at), ...others.map((rows) => writeRows(gaugeHours, rows))].map(objectOf);
            await expect(merge(objects)).rejects.toThrow();
            await expect(readRows(gaugeHours, withByte(at))).rejects.toThrow();
        }
    });

    test('whose values can still be read is told by the checksum of its page', async () => {
        // The last byte of a page of PLAIN numbers is part of a number: the library reads another one.
        const { data_page_offset, total_compressed_size } = row_groups[0]!.columns[3]!.meta_data!;
        const bytes = withByte(Number(data_page_offset) + Number(total_compressed_size) - 1);
        await expect(readRows(gaugeHours, bytes)).rejects.toThrow('a page has other bytes than were written: its CRC-32 differs');
    });

    test('whose page headers are changed is refused and not copied, whichever of their bytes is changed', async () => {
        // Of a text, of numbers with a dictionary, and of numbers with nulls.
        const chunks = [1, 2, 5].map((column) => row_groups[1]!.columns[column]!.meta_data!);
        const starts = chunks.flatMap((facts) => [facts.dictionary_page_offset, facts.data_page_offset]);
        const places = starts.flatMap((start) => (start === undefined ? [] : Array.from({ length: 20 }, (_, at) => Number(start) + at)));
        for (const at of places) {
            const merged = await merge([objectOf(withByte(at))]).catch((error: unknown) => error);
            expect({ at, isRefused: merged instanceof Error }).toEqual({ at, isRefused: true });
        }
    });

    test('that is cut off is refused', async () => {
        const objects = [objectOf(whole.slice(0, -1_000))];
        await expect(merge(objects)).rejects.toThrow('parquet file invalid');
    });
});

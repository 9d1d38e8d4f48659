/** The same flows under two names: what an upload to a directory makes of a file whose rows are in the lake already. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { readAllRecords } from '#lake/commit/reconcile';
import type { DirectoryLake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import type { UploadFile, UploadOptions } from '#lake/upload/request';
import { upload } from '#lake/upload/upload';
import { flowCsv } from '#test/support/flow-csv';
import { readFigures } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';

let lake: DirectoryLake;
let folder: string;

beforeEach(async () => {
    folder = await makeFolder();
    const location = { kind: 'directory', name: 'lake', directory: join(folder, 'lake') } as const;
    lake = (await openLake(location, { environment: {}, signal: new AbortController().signal, mayBeNew: true })) as DirectoryLake;
});

/** Flows that are all different, in the order of their numbers. */
function flows(count: number, from = 0) {
    return Array.from({ length: count }, (_, at) => ({ src: `10.0.${(from + at) >> 8}.${(from + at) & 255}`, duration: 1000 + from + at }));
}

async function file(name: string, content: string | Uint8Array): Promise<UploadFile> {
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
    return { shown: name, path, key: `raw/${name}`, sizeBytes: Buffer.byteLength(content) };
}

async function put(files: readonly UploadFile[], overrides: Partial<UploadOptions> = {}) {
    const signal = new AbortController().signal;
    const common = {
        replace: false,
        allowDuplicate: false,
        readingOptions: {},
        wait: true,
        environment: {},
        signal,
        now: () => new Date(),
    };
    const results = await upload(lake, files, { ...common, ...overrides });
    return Object.fromEntries(results.map(({ file: { shown }, result, note }) => [shown, [result, note]]));
}

async function countFlows(): Promise<number> {
    const figures = await readFigures(await lake.store());
    return [...figures.values()].reduce((sum, text) => sum + Number(text.split(' ')[0]), 0);
}

/** The text with its columns in the opposite order. */
function turned(text: string): string {
    return text.replaceAll(/[^\n]+/g, (line) => line.split(',').reverse().join(','));
}

const TEXT = flowCsv(flows(5));

describe('a file with the flows of another one', () => {
    test.each([
        ['packed', 'a.csv.gz', gzipSync(TEXT)],
        ['with line ends of another system', 'b.csv', TEXT.replaceAll('\n', '\r\n')],
        ['with its columns in another order', 'b.csv', turned(TEXT)],
        ['with quotes', 'b.csv', TEXT.replaceAll(/[^,\n]+/g, '"$&"')],
        ['with blank lines and the header once more', 'b.csv', `${TEXT + TEXT.split('\n')[0]}\n\n`],
    ])('%s is refused, and the first one named', async (_, name, content) => {
        expect(await put([await file('a.csv', TEXT)])).toEqual({ 'a.csv': ['added', undefined] });
        expect(await put([await file(name, content)])).toEqual({
            [name]: ['refused', 'the same flows as raw/a.csv, packed or in other bytes; to count them twice: --allow-duplicate'],
        });
        expect(await countFlows()).toBe(5);
        expect(await put([await file(name, content)], { allowDuplicate: true })).toMatchObject({ [name]: ['added', undefined] });
        expect(await countFlows()).toBe(10);
    });

    test('is refused where both come in one upload: the first by name counts', async () => {
        const files = [await file('input.csv', TEXT), await file('input.csv.gz', gzipSync(TEXT))];
        expect(await put(files)).toEqual({
            'input.csv': ['added', undefined],
            'input.csv.gz': ['refused', expect.stringContaining('the same flows as raw/input.csv, packed')],
        });
        expect(await countFlows()).toBe(5);
    });

    test('counts where the other one is of another site, and that is said', async () => {
        await put([await file('site=berlin/a.csv', TEXT)]);
        expect(await put([await file('site=osaka/a.csv.gz', gzipSync(TEXT))])).toMatchObject({
            'site=osaka/a.csv.gz': ['added', 'its figures are those of site berlin too (raw/site=berlin/a.csv); both count'],
        });
        expect(await countFlows()).toBe(10);
    });
});

describe('a file with the flows of another one in another order', () => {
    test('counts, and how to take it out is said', async () => {
        await put([await file('a.csv', TEXT)]);
        expect(await put([await file('b.csv', flowCsv(flows(5).toReversed()))])).toEqual({
            'b.csv': [
                'added',
                'its figures are those of raw/a.csv, which may hold the same flows in another order; both count; to take one out: flowlake retract raw/b.csv',
            ],
        });
        const both = await put([await file('c.csv', flowCsv(flows(3, 100))), await file('d.csv', flowCsv(flows(3, 100).toReversed()))]);
        expect(both['d.csv']).toEqual(['added', expect.stringContaining('its figures are those of raw/c.csv')]);
        expect(await put([await file('e.csv', flowCsv(flows(5).slice(2)))])).toEqual({ 'e.csv': ['added', undefined] });
    });
});

describe('a file that another one begins with', () => {
    test.each([1, 3, 64, 200])('of %i flows is known, whichever of the two comes first', async (count) => {
        const [short, long] = [flowCsv(flows(count)), flowCsv(flows(count + 50))];
        await put([await file('site=berlin/short.csv', short), await file('site=osaka/long.csv', long)]);
        expect(
            await put([await file('site=berlin/long.csv.gz', gzipSync(long)), await file('site=osaka/short.csv.gz', gzipSync(short))]),
        ).toEqual({
            'site=berlin/long.csv.gz': [
                'refused',
                `it begins with all ${count} flows of raw/site=berlin/short.csv; if it is that file, grown: --replace --site berlin --as short.csv; to count them twice: --allow-duplicate`,
            ],
            'site=osaka/short.csv.gz': [
                'refused',
                `all its ${count} flows are the beginning of raw/site=osaka/long.csv; to count them twice: --allow-duplicate`,
            ],
        });
        expect(await countFlows()).toBe(count * 2 + 50);
    });

    test('makes way for the whole one in one upload, whatever the two are called', async () => {
        const [short, longer, whole] = [3, 6, 9].map((count) => flowCsv(flows(count)));
        const named = [await file('1.csv', short!), await file('2.csv', longer!), await file('3.csv', whole!), await file('4.csv', short!)];
        expect(await put(named)).toEqual({
            '3.csv': ['added', undefined],
            '1.csv': ['refused', 'all its 3 flows are the beginning of raw/2.csv; to count them twice: --allow-duplicate'],
            '2.csv': ['refused', 'all its 6 flows are the beginning of raw/3.csv; to count them twice: --allow-duplicate'],
            '4.csv': ['refused', 'all its 3 flows are the beginning of raw/3.csv; to count them twice: --allow-duplicate'],
        });
        expect(await countFlows()).toBe(9);
    });

    test('keeps its place where the whole one is kept out by another: what is in the lake stays', async () => {
        await put([await file('old.csv', flowCsv(flows(2)))]);
        const files = [await file('1.csv', flowCsv(flows(4))), await file('2.csv', flowCsv(flows(9)))];
        expect(await put(files)).toEqual({
            '1.csv': ['refused', expect.stringContaining('it begins with all 2 flows of raw/old.csv')],
            '2.csv': ['refused', expect.stringContaining('it begins with all 2 flows of raw/old.csv')],
        });
        const replacing = [await file('old.csv', flowCsv(flows(4))), await file('z.csv', flowCsv(flows(9)))];
        expect(await put(replacing, { replace: true })).toEqual({
            'old.csv': ['replaced', undefined],
            'z.csv': ['refused', expect.stringMatching('^it begins with all [24] flows of raw/old.csv')],
        });
        expect(await countFlows()).toBe(4);
    });

    test('that has grown replaces itself', async () => {
        await put([await file('a.csv', flowCsv(flows(3)))]);
        expect(await put([await file('a.csv', flowCsv(flows(9)))], { replace: true })).toEqual({ 'a.csv': ['replaced', undefined] });
        expect(await countFlows()).toBe(9);
    });

    test('and then goes on otherwise counts, and that is said', async () => {
        await put([await file('a.csv', flowCsv([...flows(70), ...flows(5, 1000)]))]);
        expect(await put([await file('b.csv', flowCsv([...flows(70), ...flows(9, 2000)]))])).toEqual({
            'b.csv': ['added', 'it begins with the same flows as raw/a.csv and goes on otherwise; both count'],
        });
        expect(await countFlows()).toBe(154);
    });

    test('is none where a flow differs in time, duration or packets only', async () => {
        await put([await file('a.csv', flowCsv([{ timestamp: '31/03/2026 10:00:00 AM' }]))]);
        expect(await put([await file('later.csv', flowCsv([{ timestamp: '31/03/2026 10:00:01 AM' }]))])).toEqual({
            'later.csv': ['added', expect.stringContaining('its figures are those of raw/a.csv')],
        });
        for (const [at, other] of [{ duration: 101 }, { packets: 4 }].entries()) {
            expect(await put([await file(`${at}.csv`, flowCsv([other]))])).toEqual({ [`${at}.csv`]: ['added', undefined] });
        }
    });
});

test('files with the same bytes, of which nothing counts, come out alike in every upload, and no more of them are taken in', async () => {
    const header = flowCsv(flows(1)).split('\n')[0]!;
    const unreadable = flowCsv([{ duration: 1, packets: 'many' }]);
    const files = await Promise.all(
        [...['a', 'b', 'c'].map((name) => [name, header] as const), ...['d', 'e'].map((name) => [name, unreadable] as const)].map(
            ([name, text]) => file(`${name}.csv`, text),
        ),
    );
    const first = await put(files);
    expect(Object.values(first).map(([result]) => result)).toEqual(Array(5).fill('nothing kept'));
    const there = [...(await readAllRecords(await lake.store())).keys()].sort();
    expect(await put(files)).toEqual(first);
    expect(await put(files)).toEqual(first);
    expect([...(await readAllRecords(await lake.store())).keys()].sort()).toEqual(there);
});

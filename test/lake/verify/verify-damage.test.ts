/** Damage done on purpose to what the figures rest on: each is found, and called what it is. */
import { mkdir, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { emptyPairRows } from '#lake/flows/pair-rows';
import { pairDays } from '#lake/flows/tables';
import { ledgerKey } from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { openEngine } from '#lake/verify/engine';
import { readContents, readEntries } from '#lake/verify/parquet-entries';
import { findPageFault } from '#lake/verify/parquet-pages';
import { findLyingStatistics, loadRows } from '#lake/verify/parquet-rows';
import { verifyLake } from '#lake/verify/verify';
import { emptiedDayOfBefore } from '#test/support/emptied-day';
import { PAIR_DAYS_OF_FORMAT_2, pairDaysKey, readPairRows, writePairRows } from '#test/support/flow-tables';
import { type MeasuredFlow, pairRowsOfFlows, textOfRows } from '#test/support/pair-rows-of';
import { makeFolder } from '#test/support/temporary';
import { type HandmadeLake, type PairRow, type Source, VERSION } from './handmade-lake.ts';
import { A, B, byName, DAY_1, DAY_2, differencesOf, first, lakeOf, rowsOf, second } from './small-sources.ts';

const FIRST_ID = sourceId(first.key);
const withRejects: Source = {
    ...first,
    raw: `${first.raw}id,host,${B},${DAY_1},1,1,x\nid,${A},${B},${DAY_1},-1,1,x\n`,
    rejects: [
        ['not_an_ip_address', 'a'],
        ['negative', 'b'],
    ],
};

/** What was found, as kind, figure and the object or value in the lake. */
async function foundIn(lake: HandmadeLake, now?: Date) {
    const { differences } = await verifyLake({ store: lake.store, now });
    return differences.map(({ kind, figure, in_lake }) => [kind, figure, in_lake]);
}

async function flip(path: string, at: number): Promise<void> {
    const bytes = await readFile(path);
    bytes[at < 0 ? bytes.length + at : at]! ^= 0x10;
    await writeFile(path, bytes);
}

async function writeObject(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
}

describe('an object that cannot be read whole', () => {
    test.each([
        ['cut in the middle', (path: string) => truncate(path, 400)],
        ['without its last byte', async (path: string) => truncate(path, (await readFile(path)).length - 1)],
        ['empty', (path: string) => truncate(path, 0)],
        ['something else', (path: string) => writeFile(path, 'no Parquet at all, but long enough to be one')],
    ])('a day that is %s', async (_, damage) => {
        const lake = await lakeOf([first, second]);
        await damage(lake.path(pairDaysKey(DAY_1)));
        expect(await foundIn(lake)).toEqual([['damaged', expect.any(String), pairDaysKey(DAY_1)]]);
        const { mends } = await verifyLake({ store: lake.store });
        expect(mends).toMatchObject({ buildAnew: byName(DAY_1), readAnew: new Map() });
    });

    test('an emptied day of an older flowlake, which readers in Rust refuse with the whole folder', async () => {
        const lake = await lakeOf([first, second]);
        const key = pairDaysKey('2024-05-09');
        await mkdir(dirname(lake.path(key)), { recursive: true });
        await writeFile(lake.path(key), emptiedDayOfBefore());
        const figure = expect.stringMatching(
            /^readers in Rust \(DataFusion, Daft, parquet-wasm\) refuse it, and with it its whole folder: the list row_groups /,
        );
        expect(await foundIn(lake)).toEqual([['damaged', figure, key]]);
        const { mends } = await verifyLake({ store: lake.store });
        expect(mends).toMatchObject({ buildAnew: byName('2024-05-09'), readAnew: new Map() });
        await writeFile(lake.path(key), writePairRows(emptyPairRows(), { contains: [] }));
        expect(await foundIn(lake)).toEqual([]);
    });

    test('a summary that was cut is named, and the source’s other days are compared all the same', async () => {
        const lake = await lakeOf([first, second]);
        await truncate(lake.path(lake.summaryKey(first, DAY_1)), 300);
        const rows = lake.days.get(DAY_2)!;
        await lake.writeSummary(first, DAY_2, [{ ...rows[0]!, fwd_pkts_sum: 3n }]);
        const { differences, mends } = await verifyLake({ store: lake.store });
        expect(rowsOf(differences)).toMatchObject([
            { kind: 'damaged', source: first.key, day: DAY_1, in_lake: lake.summaryKey(first, DAY_1) },
            { kind: 'summary', source: first.key, day: DAY_2, figure: 'fwd_pkts_sum', in_lake: 3n, recomputed: 2n },
        ]);
        expect(mends).toMatchObject({ readAnew: new Map([[first.key, VERSION]]), buildAnew: new Map() });
    });

    test('rejects that were cut, and rejects with one changed bit', async () => {
        const lake = await lakeOf([withRejects]);
        const path = lake.path(lake.rejectsKey(withRejects));
        const whole = await readFile(path);
        await truncate(path, whole.length - 6);
        expect(await foundIn(lake)).toEqual([['damaged', expect.stringContaining('unexpected end'), lake.rejectsKey(withRejects)]]);
        await writeFile(path, whole);
        await flip(path, -6);
        expect(await foundIn(lake)).toEqual([['damaged', expect.stringContaining('incorrect data check'), lake.rejectsKey(withRejects)]]);
    });

    test('rejects that say that they are of another source or version, though as many as there should be', async () => {
        const lake = await lakeOf([withRejects]);
        const path = lake.path(lake.rejectsKey(withRejects));
        const lines = gunzipSync(await readFile(path)).toString();
        for (const [was, is] of [
            [VERSION, '7-ffffffffffffffff'],
            [withRejects.key, 'raw/other.csv'],
        ] as const) {
            await writeFile(path, gzipSync(lines.replace(was, is)));
            expect(await foundIn(lake)).toEqual([['rejects', 'lines of another source or version', 1n]]);
        }
    });

    test('a ledger record that is none', async () => {
        const lake = await lakeOf([first, second]);
        await writeFile(lake.path(ledgerKey(FIRST_ID)), '{"source": "raw/fi');
        expect(await foundIn(lake)).toEqual([['damaged', 'it is no ledger record', ledgerKey(FIRST_ID)]]);
    });
});

test('any byte of a Parquet file that changes is found, or changes nothing that anybody reads', async () => {
    const flows: MeasuredFlow[] = [A, B].flatMap((src) =>
        [1n, 20n].map((packets) => ({ site: 'main', src, dst: '10.0.0.9', durationUs: packets * 3n, packets })),
    );
    const rows = pairRowsOfFlows(flows);
    const right = writePairRows(rows, { contains: [`${FIRST_ID}.${VERSION}`] });
    const path = join(await makeFolder(), 'day=2024-05-01.parquet');
    const files = [{ key: 'a', path }];
    const engine = await openEngine();
    try {
        await writeFile(path, right);
        const seen = async (): Promise<string> => {
            const { damaged, wrongTypes, unsorted } = await loadRows(engine, 'found', { table: pairDays, files });
            const lies = damaged.size > 0 ? [] : ((await findLyingStatistics(engine, 'found', { table: pairDays, files })).get('a') ?? []);
            const contents = damaged.size > 0 ? [] : await readContents(path, (await readEntries(engine, [path])).get(path));
            const table = (await engine.rows('select * exclude (period) from found order by place')).map((row) =>
                Object.values(row).join(),
            );
            return (
                [damaged, wrongTypes].map(({ size }) => size).join() + [...unsorted, ...lies].join() + contents.join() + table.join('\n')
            );
        };
        const sound = await seen();
        const STEP = 17;
        let silent = 0;
        for (let at = 0; at < right.length; at += STEP) {
            await writeFile(path, right);
            await flip(path, at);
            if ((await seen()) === sound) {
                silent += 1;
                const bytes = new Uint8Array(await readFile(path));
                expect({ at, rows: textOfRows(await readPairRows(bytes)) }).toEqual({ at, rows: textOfRows(rows) });
            }
        }
        // The writer's name, statistics that say too much, encodings that nobody needs.
        expect(silent).toBeLessThan(right.length / STEP / 2);
    } finally {
        await engine.close();
    }
}, 120_000);

test('statistics that would make a reader pass over rows that are there', async () => {
    const lake = await lakeOf([first]);
    const key = pairDaysKey(DAY_1);
    const rows = await readPairRows(new Uint8Array(await readFile(lake.path(key))));
    const bytes = Buffer.from(writePairRows(rows, { contains: [`${FIRST_ID}.${VERSION}`] }));
    await writeFile(lake.path(key), bytes);
    expect(await foundIn(lake)).toEqual([]);
    // The smallest and largest address in the footer; the pages stay as they are.
    const footerAt = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    for (let at = bytes.indexOf(A, footerAt); at >= 0; at = bytes.indexOf(A, at + 1)) {
        bytes.write('10.0.0.3', at);
    }
    await writeFile(lake.path(key), bytes);
    expect(await foundIn(lake)).toEqual([
        ['damaged', expect.stringMatching(/^column (src|dst)_ip, row group 0: values outside of what its statistics say$/), key],
        ['damaged', expect.stringMatching(/^column (src|dst)_ip, row group 0: values outside of what its statistics say$/), key],
    ]);
});

test('a page whose checksum is another is named with its column', async () => {
    // Written by pyarrow 17 with write_page_checksum, of the columns that there were then.
    const table = PAIR_DAYS_OF_FORMAT_2;
    const fixture = fileURLToPath(new URL('../../fixtures/parquet/page-checksums.parquet', import.meta.url));
    const folder = await makeFolder();
    const path = join(folder, 'day.parquet');
    const engine = await openEngine();
    try {
        await writeFile(path, await readFile(fixture));
        expect((await loadRows(engine, 'found', { table, files: [{ key: 'day.parquet', path }] })).damaged).toEqual(new Map());
        const [{ last }] = (await engine.rows(
            `select data_page_offset + total_compressed_size - 1 as last from parquet_metadata('${path}') where path_in_schema = 'flows'`,
        )) as [{ last: bigint }];
        await flip(path, Number(last));
        const { damaged } = await loadRows(engine, 'found', { table, files: [{ key: 'day.parquet', path }] });
        expect(damaged.get('day.parquet')).toMatch(/^column flows, page 1: its CRC-32 is [0-9a-f]{8} and should be [0-9a-f]{8}$/);
    } finally {
        await engine.close();
    }
});

test('pages that have not the values that the footer tells, or end elsewhere', async () => {
    const file = await open(fileURLToPath(new URL('../../fixtures/parquet/page-checksums.parquet', import.meta.url)));
    try {
        // Chunk of column flows, as the footer has it.
        const chunk = { column: 'flows', offset: 294, sizeBytes: 43, values: 2 };
        expect(await findPageFault(file, chunk)).toBeUndefined();
        expect(await findPageFault(file, { ...chunk, values: 3 })).toBe('column flows: its pages have 2 values, the footer says 3');
        expect(await findPageFault(file, { ...chunk, sizeBytes: 44 })).toBe('column flows: no page begins at byte 337');
        expect(await findPageFault(file, { ...chunk, sizeBytes: 9999 })).toBe('column flows: the file ends before its pages do');
    } finally {
        await file.close();
    }
});

describe('rows that are readable and wrong', () => {
    test('a day whose rows are not in the order of their keys', async () => {
        const lake = await lakeOf([first]);
        await lake.writeDay(DAY_1, lake.days.get(DAY_1)!.toReversed());
        expect(await foundIn(lake)).toEqual([['damaged', 'rows are not in the order of their keys', pairDaysKey(DAY_1)]]);
    });

    test('a row that stands twice in a summary', async () => {
        const lake = await lakeOf([second]);
        await lake.writeSummary(second, DAY_1, [...lake.days.get(DAY_1)!, ...lake.days.get(DAY_1)!]);
        const found = [
            { kind: 'summary', source: second.key, figure: 'rows', in_lake: 2n, recomputed: 1n },
            { kind: 'source', source: second.key, figure: 'flows of its summaries', in_lake: 2n, recomputed: 1n },
        ];
        expect(await differencesOf(lake)).toMatchObject(found);
        await rm(lake.path(second.key));
        expect((await verifyLake({ store: lake.store })).differences).toEqual(expect.arrayContaining(found.map(expect.objectContaining)));
    });

    test.each([
        ['flows', { flows: 0n }],
        ['flow_duration_us_min', { flow_duration_us_min: 251n }],
        ['flow_duration_us_min', { flow_duration_us_min: -1n }],
        ['flow_duration_us_sum', { flow_duration_us_sum: 501n }],
        ['flow_duration_us_sum_sq', { flow_duration_us_sum_sq: 62_499n }],
        ['fwd_pkts_sum', { fwd_pkts_sum: 1n }],
    ] as [string, PairRow][])('of a source whose raw file is gone, figures that no flows can have: %s %j', async (figure, change) => {
        const lake = await lakeOf([first]);
        await rm(lake.path(first.key));
        const [row, ...others] = lake.days.get(DAY_1)!;
        const rows = [{ ...row!, ...change }, ...others];
        await lake.writeSummary(first, DAY_1, rows);
        await lake.writeDay(DAY_1, rows);
        expect(rowsOf((await verifyLake({ store: lake.store })).differences)).toContainEqual(
            expect.objectContaining({ kind: 'summary', src_ip: A, dst_ip: B, figure, in_lake: Object.values(change)[0] }),
        );
    });

    test('of a source whose raw file is gone, the ledger’s days and pairs must be those of the summaries', async () => {
        const lake = await lakeOf([first]);
        await rm(lake.path(first.key));
        await lake.writeRecord(first, { first_day: '2024-04-30', last_day: '2024-05-03', pairs: 7 });
        expect(await foundIn(lake)).toEqual([
            ['source', 'first_day of its summaries', DAY_1],
            ['source', 'last_day of its summaries', DAY_2],
            ['source', 'pairs of its summaries', 3n],
        ]);
    });

    test('a summary with a column of another type', async () => {
        const lake = await lakeOf([second]);
        await lake.writeSummary(second, DAY_1, lake.days.get(DAY_1)!, { types: { flows: 'integer' } });
        expect(await differencesOf(lake)).toMatchObject([
            { kind: 'summary', day: DAY_1, figure: 'type of flows', in_lake: 'INTEGER', recomputed: 'BIGINT' },
        ]);
    });
});

describe('what a day contains, against the ledger', () => {
    const NAME = `${sourceId(second.key)}.${VERSION}`;
    const OLD = `${sourceId(second.key)}.0-00112233445566ff`;

    test.each([
        ['a contribution that is not listed', [`${FIRST_ID}.${VERSION}`], [[null, NAME]]],
        ['one that does not count', [`${FIRST_ID}.${VERSION}`, OLD, NAME], [[OLD, null]]],
        ['one that is listed twice', [`${FIRST_ID}.${VERSION}`, NAME, NAME], [[NAME, null]]],
        [
            'no list at all',
            [],
            [
                [null, `${FIRST_ID}.${VERSION}`],
                [null, NAME],
            ],
        ],
    ])('%s', async (_, contains, expected) => {
        const lake = await lakeOf([first, second]);
        await lake.writeDay(DAY_1, lake.days.get(DAY_1)!, { contains });
        const { differences, mends } = await verifyLake({ store: lake.store });
        expect(rowsOf(differences).map(({ kind, day, in_lake, recomputed }) => [kind, day, in_lake, recomputed])).toEqual(
            expected.map(([inLake, recomputed]) => ['contents', DAY_1, inLake, recomputed]),
        );
        expect(mends.buildAnew).toEqual(byName(DAY_1));
    });

    test.each([1, 120])('a list of %d, in the footer or where it stands in front of it', async (count) => {
        const contains = Array.from({ length: count }, (_, at) => `${String(at).padStart(16, '0')}.${VERSION}`);
        const path = join(await makeFolder(), 'day.parquet');
        await writeFile(path, writePairRows(emptyPairRows(), { contains }));
        const engine = await openEngine();
        try {
            expect(await readContents(path, (await readEntries(engine, [path])).get(path))).toEqual(contains);
        } finally {
            await engine.close();
        }
    });
});

describe('objects that count nowhere', () => {
    const A_DAY_LATER = new Date(Date.now() + 25 * 60 * 60 * 1000);
    const keyOf = (version: string, id = FIRST_ID): string => `summaries/day=${DAY_1}/${id}.${version}.parquet`;

    test('a summary and rejects of a version that was superseded', async () => {
        const lake = await lakeOf([first]);
        await lake.writeRecord(first, { commits: 3 });
        for (const key of [keyOf('3-ffffffffffffffff'), `rejects/${FIRST_ID}.2-ffffffffffffffff.jsonl.gz`]) {
            await writeObject(lake.path(key), 'x');
        }
        expect(await foundIn(lake)).toEqual([
            ['dead_object', 'object', keyOf('3-ffffffffffffffff')],
            ['dead_object', 'object', `rejects/${FIRST_ID}.2-ffffffffffffffff.jsonl.gz`],
        ]);
    });

    test('one that a worker may be about to commit is none, until it is older than any worker', async () => {
        const lake = await lakeOf([first]);
        const key = keyOf('2-ffffffffffffffff');
        await writeObject(lake.path(key), 'x');
        expect(await foundIn(lake, new Date())).toEqual([]);
        expect(await foundIn(lake, A_DAY_LATER)).toEqual([['dead_object', 'object', key]]);
    });

    test('one of a file that nobody knows is an orphan once it is a day old: an upload that was interrupted leaves such', async () => {
        const lake = await lakeOf([first]);
        const orphan = keyOf('1-ffffffffffffffff', '0123456789abcdef');
        await writeObject(lake.path(orphan), 'x');
        await writeObject(lake.path(second.key), second.raw as string);
        await writeObject(lake.path(keyOf('1-ffffffffffffffff', sourceId(second.key))), 'x');
        expect(await foundIn(lake, new Date())).toEqual([]);
        expect(await foundIn(lake, A_DAY_LATER)).toEqual([
            ['orphan', 'object', orphan],
            ['dead_object', 'object', keyOf('1-ffffffffffffffff', sourceId(second.key))],
        ]);
    });

    test('keys that are none of the lake’s are orphans; what readers pass over is not', async () => {
        const lake = await lakeOf([first]);
        const strange = [
            `pair_days/day=${DAY_1}/part-01.parquet`,
            'pair_days/notes.txt',
            'rejects/old/x.jsonl.gz',
            `summaries/day=${DAY_1}/copy of a.parquet`,
            'summaries/day=yesterday/0123456789abcdef.1-0123456789abcdef.parquet',
            'ledger/backup.json',
        ];
        for (const key of [...strange, `pair_days/day=${DAY_1}/.DS_Store`, 'pair_days/_SUCCESS']) {
            await writeObject(lake.path(key), 'x');
        }
        expect((await foundIn(lake)).map(([kind, , key]) => `${kind} ${key}`).sort()).toEqual(strange.map((key) => `orphan ${key}`).sort());
    });

    test('objects of a source that could not be used', async () => {
        const lake = await lakeOf([first]);
        await writeObject(lake.path(second.key), 'no,such,header\n');
        await lake.writeRecord({ ...second, raw: 'no,such,header\n', flows: [] }, { state: 'failed', dialect: null, duration_unit: null });
        await lake.writeSummary(second, DAY_1, lake.days.get(DAY_1)!);
        expect(await foundIn(lake)).toEqual([['summary', 'object', lake.summaryKey(second, DAY_1)]]);
    });

    test('only those of the days that are asked for', async () => {
        const lake = await lakeOf([first]);
        await writeObject(lake.path(keyOf('0-ffffffffffffffff')), 'x');
        await writeObject(lake.path('pair_days/notes.txt'), 'x');
        expect((await verifyLake({ store: lake.store, from: DAY_2 })).differences).toEqual([]);
        expect((await verifyLake({ store: lake.store, to: DAY_1 })).differences).toMatchObject([{ kind: 'dead_object' }]);
    });
});

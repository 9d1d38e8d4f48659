/** The first reading (lake/flows, a byte scanner) and the second one (SQL) of files that hold whatever a probe may write. */
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { summarize } from '#lake/commit/summarize';
import { OverflowError } from '#lake/errors';
import { DATE_ORDERS } from '#lake/flows/options';
import type { ReadingOptions } from '#lake/kind';
import type { LedgerRecord } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { type Engine, openEngine, textOf, wholeOf } from '#lake/verify/engine';
import { recompute } from '#lake/verify/flows/recompute';
import { FIGURES } from '#lake/verify/flows/row-sql';
import { DamagedFileError, NotFollowedError } from '#lake/verify/second-reading';
import { makeInput, readFixtures } from '#test/fuzz/input';
import { cut, inPieces } from '#test/support/bytes';
import { factsOf, metadataOf, readPairRows, rejectsKey, summaryKey } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';

const RUNS = 100;
const KEY = 'raw/file.csv';

const HEADERS = [
    ['Flow ID', 'Src IP', 'Dst IP', 'Timestamp', 'Flow Duration', 'Tot Fwd Pkts', 'Label'],
    ['', 'tot_fwd_pkts', 'src_ip', 'timestamp', 'x', 'flow_duration', 'dst_ip'],
    ['ts', 'uid', 'id.orig_h', 'id.resp_h', 'duration', 'orig_pkts'],
];

const CELLS: Record<'address' | 'date' | 'number' | 'any', string[]> = {
    address: ['10.0.0.1', '10.0.0.2', 'fe80::1', '::ffff:1.2.3.4', ' 10.0.0.1 ', 'fe80::1%eth0', '01.2.3.4', '1:2:3', 'host', '', '-'],
    date: [
        '2024-05-01',
        '2024/5/2T10',
        '03/04/2024',
        '4/25/2024 x',
        '25/4/2024',
        '5-6-2024',
        '1.2.2024',
        '2.25.2024',
        '1714521600.5',
        '1.7E9',
        '5',
        '31/4/2024',
        '10:00',
        '',
    ],
    number: [
        '0',
        '1',
        '12.',
        '.5',
        '2.8e-05',
        '0.0000005',
        '1E7',
        '9007199254740993',
        '+4.0',
        '-0',
        '-1',
        'NaN',
        '-inf',
        '1e19',
        '1e-400',
        '4.5',
        'x',
        '-',
        '',
    ],
    any: ['', 'x', 'NaN', 'a"b', '5" disk', 'Big5 \xa4W\xa4\xc8', '-', 'lone\rreturn'],
};

/** What may stand for a cell: itself, quoted, or quoted as one must not. */
function written(cell: string, style: number): string {
    return (
        [
            cell,
            cell,
            cell,
            `"${cell.replaceAll('"', '""')}"`,
            `"${cell.replaceAll('"', '""')}" `,
            `"two\n""lines"""`,
            `"open${cell}`,
            `"a" b`,
        ][style] ?? cell
    );
}

const file = fc.record({
    header: fc.constantFrom(...HEADERS),
    separator: fc.constantFrom(',', ';', '\t'),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    start: fc.constantFrom('', '\ufeff', '\n \n'),
    isEndMissing: fc.boolean(),
    rows: fc.array(
        fc.record({
            picks: fc.array(
                fc.record({ cell: fc.nat({ max: 40 }), style: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.nat({ max: 7 })) }),
                { minLength: 7, maxLength: 7 },
            ),
            kind: fc.oneof({ weight: 20, arbitrary: fc.constant('row') }, fc.constantFrom('cut', 'longer', 'header', 'blank', 'comment')),
        }),
        { maxLength: 30 },
    ),
    options: fc.oneof(
        fc.constant<ReadingOptions>({}),
        fc.record<ReadingOptions>({ dateOrder: fc.constantFrom(...DATE_ORDERS) }),
        fc.record<ReadingOptions>({ durationUnit: fc.constantFrom('us', 's') }),
    ),
    pieceBytes: fc.constantFrom(3, 50, 1 << 20),
});

type File = typeof file extends fc.Arbitrary<infer T> ? T : never;

function bytesOf({ header, separator, lineEnd, start, isEndMissing, rows }: File): Buffer {
    const poolOf = (name: string): string[] => {
        if (/ip$|_h$/i.test(name)) {
            return CELLS.address;
        }
        return CELLS[/^t(s|imestamp)$/i.test(name) ? 'date' : /duration|pkts/i.test(name) ? 'number' : 'any'];
    };
    const lines = rows.map(({ picks, kind }) => {
        const cells = header.map((name, at) => {
            const pool = poolOf(name);
            // Mostly the first ones, which are good.
            const cell = picks[at]!.cell;
            return written(pool[cell < 20 ? cell % 3 : cell % pool.length]!, picks[at]!.style);
        });
        const line = cells.join(separator);
        return {
            row: line,
            cut: cells.slice(0, 4).join(separator),
            longer: `${line}${separator}more`,
            header: header.join(separator),
            blank: ' ',
            comment: '# x',
        }[kind]!;
    });
    const text = start + [header.join(separator), ...lines].join(lineEnd) + (isEndMissing ? '' : lineEnd);
    return Buffer.from(text.replace('\ufeff', '\xef\xbb\xbf'), 'latin1');
}

let engine: Engine;

beforeAll(async () => {
    engine = await openEngine();
});

afterAll(async () => {
    await engine.close();
});

test('both readings find the same rows, reasons and figures in any file', async () => {
    await fc.assert(
        fc.asyncProperty(file, async (made) => {
            const bytes = bytesOf(made);
            const first = await readFirst(bytes, made);
            expect(first).not.toBe('unusable');
            expect(await readSecond(bytes, made)).toEqual(first);
        }),
        { numRuns: RUNS },
    );
}, 120_000);

test('both readings find the same in files of all tools and formats, or both none', async () => {
    const fixtures = readFixtures();
    const seeds = fc.nat({ max: 1_000_000 });
    let read = 0;
    await fc.assert(
        fc.asyncProperty(seeds, async (seed) => {
            const { bytes, options, pieces, isDamaged = false } = makeInput(seed, fixtures);
            // Another byte in Parquet without checksums is another value, or a reason to refuse the file, to each in its own way.
            fc.pre(!isDamaged);
            const how = { options: { ...options }, pieceBytes: pieces[0]! };
            const first = await readFirst(bytes, how);
            const second = await unlessUnusable(() => readSecond(bytes, how));
            if (second !== 'not followed') {
                expect(second).toEqual(first);
                read += first === 'unusable' ? 0 : 1;
            }
        }),
        { numRuns: RUNS },
    );
    expect(read).toBeGreaterThan(RUNS / 4);
}, 120_000);

/** What a reading finds, or that it can make nothing of the file. */
async function unlessUnusable<T>(work: () => Promise<T>): Promise<T | 'unusable' | 'not followed'> {
    try {
        return await work();
    } catch (error) {
        if (error instanceof NotFollowedError) {
            return 'not followed';
        }
        if (error instanceof DamagedFileError || error instanceof OverflowError) {
            return 'unusable';
        }
        throw error;
    }
}

type How = Pick<File, 'options' | 'pieceBytes'>;

async function readFirst(bytes: Buffer, { options, pieceBytes }: How) {
    const store = memoryStore({ pieceBytes });
    await store.put(KEY, bytes, { metadata: metadataOf(options) });
    const record = (await summarize(KEY, { store, now: () => new Date(0) })).record!;
    if (record.error !== null) {
        return 'unusable';
    }
    return {
        reading: factsOf(record),
        rejects: await reasonsOf(store, record),
        rows: await rowsOf(store, record),
    };
}

async function reasonsOf(store: ObjectStore, { version }: LedgerRecord): Promise<Record<string, number>> {
    const object = await store.get(rejectsKey({ source: sourceId(KEY), version: version! }));
    const counts: Record<string, number> = {};
    for (const line of object ? gunzipSync(object.bytes).toString().trim().split('\n') : []) {
        const { reason } = JSON.parse(line);
        counts[reason] = (counts[reason] ?? 0) + 1;
    }
    return counts;
}

async function rowsOf(store: ObjectStore, { version, versions }: LedgerRecord): Promise<string[]> {
    const found: string[] = [];
    for (const day of versions[version!] ?? []) {
        const object = await store.get(summaryKey({ day, source: sourceId(KEY), version: version! }));
        const rows = (await readPairRows(object!.bytes)) as unknown as Record<string, (string | bigint)[]>;
        rows.site!.forEach((_, at) => {
            found.push([day, ...['src_ip', 'dst_ip', ...FIGURES].map((column) => rows[column]![at])].join(' '));
        });
    }
    return found.sort();
}

async function readSecond(bytes: Buffer, { options, pieceBytes }: How) {
    const recount = await recompute(engine, () => inPieces(cut(bytes, [pieceBytes])), options);
    if (!recount) {
        return 'unusable';
    }
    const { rejects, ...reading } = recount;
    const rows = await engine.rows('select * from source_periods');
    return {
        reading,
        rejects: Object.fromEntries([...rejects].map(([reason, count]) => [reason, Number(count)])),
        rows: rows
            .map((row) =>
                [
                    textOf(row, 'period'),
                    textOf(row, 'src_ip'),
                    textOf(row, 'dst_ip'),
                    ...FIGURES.map((figure) => wholeOf(row, figure)),
                ].join(' '),
            )
            .sort(),
    };
}

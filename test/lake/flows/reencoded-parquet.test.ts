/** Tables of flows in Parquet, in whatever types, pages and codecs, give the figures that they give as text, or the answer says why not. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { add, type Figures, type Flow, file, read, TABLES } from '#test/support/made-up-flows';
import { type ParquetColumn, type ParquetTable, type Stored, writeParquet } from '#test/support/parquet-file';

const RUNS = 150;

const how = fc.record({
    codec: fc.constantFrom('UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD', 'BROTLI', 'LZ4_RAW'),
    version: fc.constantFrom(1, 2),
    dictionaryValues: fc.constantFrom(0, 3, 1000),
    pageRows: fc.constantFrom(1, 7, 1000),
    hasChecksums: fc.boolean(),
    isDictionaryUnnamed: fc.boolean(),
    groupRows: fc.constantFrom(1, 5, 1000),
    isOptional: fc.boolean(),
    /** Says where each column goes. */
    order: fc.array(fc.nat({ max: 1000 }), { minLength: 8, maxLength: 8 }),
});

type How = typeof how extends fc.Arbitrary<infer T> ? T : never;

interface Made {
    tool: string;
    flows: readonly Flow[];
}

function textOf({ tool, flows }: Made): Buffer {
    const { columns, separator, row } = TABLES[tool]!;
    return Buffer.from([columns, ...flows.map(row)].map((cells) => `${cells.join(separator)}\n`).join(''));
}

/** A type, and what it makes of a cell of text. */
interface Stores {
    element: ParquetColumn['element'];
    store: (cell: string) => Stored;
}

const TEXT: Stores = { element: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, store: (cell) => cell };
const WHOLE: Stores = { element: { type: 'INT64' }, store: BigInt };
const DOUBLE: Stores = { element: { type: 'DOUBLE' }, store: Number };
const DECIMAL: Stores = {
    element: { type: 'INT64', converted_type: 'DECIMAL', precision: 18, scale: 6 },
    store: (cell) => BigInt(cell.replace(/^(\d+)\.?(\d*)$/, (_, whole: string, fraction: string) => whole + fraction.padEnd(6, '0'))),
};
const CLOCK: Stores = {
    element: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
    store: (cell) => BigInt(Date.parse(`${cell.replace(' ', 'T')}Z`)) * 1000n,
};

/** Types that a column of such cells may have, from the plainest to the one that says most. */
function storesOf(cells: readonly string[]): Stores[] {
    const areAll = (pattern: RegExp): boolean => cells.every((cell) => pattern.test(cell));
    return areAll(/^\d+$/)
        ? [TEXT, DOUBLE, WHOLE]
        : areAll(/^\d+\.\d{1,6}$/)
          ? [TEXT, DOUBLE, DECIMAL]
          : areAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
            ? [TEXT, CLOCK]
            : [TEXT];
}

/** The flows as a table, in texts or in the types that pandas (`choice` 1) or a database (2) would choose. */
function tableOf({ tool, flows }: Made, { isOptional, groupRows, order, ...pages }: How, choice: number): ParquetTable {
    const { columns, row } = TABLES[tool]!;
    const rows = flows.map(row);
    const made = columns.map((name, at) => {
        const cells = rows.map((cellsOf) => cellsOf[at] ?? '');
        const all = storesOf(cells);
        const { element, store } = all[Math.min(choice, all.length - 1)]!;
        const column: ParquetColumn = {
            ...pages,
            path: [name],
            element: { ...element, repetition_type: isOptional ? 'OPTIONAL' : 'REQUIRED' },
            version: pages.version as 1 | 2,
            codec: pages.codec as ParquetColumn['codec'],
            encoding: 'PLAIN',
        };
        return { column, values: cells.map(store), key: order[at] ?? 0 };
    });
    const ordered = made.sort((a, b) => a.key - b.key);
    return { columns: ordered.map(({ column }) => column), rows: rows.map((_, at) => ordered.map(({ values }) => values[at]!)), groupRows };
}

test.each([
    ['texts', 0],
    ['doubles and timestamps', 1],
    ['whole numbers, decimals and timestamps', 2],
])('a table of %s gives the figures of the same flows in text', async (_, choice) => {
    await fc.assert(
        fc.asyncProperty(file, how, async (made, drawn) => {
            const figures = await read(textOf(made));
            expect(typeof figures).toBe('object');
            expect(await read(writeParquet(tableOf(made, drawn, choice)))).toEqual(figures);
        }),
        { numRuns: RUNS },
    );
});

test('a table that is split gives figures that add up to its own', async () => {
    await fc.assert(
        fc.asyncProperty(file, how, fc.nat({ max: 40 }), async (made, drawn, at) => {
            const parts = [made.flows.slice(0, at), made.flows.slice(at)].map((flows) =>
                writeParquet(tableOf({ ...made, flows }, drawn, 0)),
            );
            const [one, other] = [await read(parts[0]!), await read(parts[1]!)];
            expect([typeof one, typeof other]).toEqual(['object', 'object']);
            expect(add(one as Figures, other as Figures)).toEqual(await read(textOf(made)));
        }),
        { numRuns: RUNS },
    );
});

test('a file that was packed once more, cut or put behind another is refused, and the answer says why', async () => {
    await fc.assert(
        fc.asyncProperty(file, how, async (made, drawn) => {
            const bytes = writeParquet(tableOf(made, drawn, 2));
            expect(await read(gzipSync(bytes))).toMatch(/^a Parquet file that was packed once more/);
            expect(await read(zstdCompressSync(bytes))).toMatch(/^a Parquet file that was packed once more/);
            expect(await read(bytes.subarray(0, -1 - (made.flows[0]!.packets % (bytes.length - 4))))).toMatch(/damaged or ends too early/);
        }),
        { numRuns: RUNS },
    );
});

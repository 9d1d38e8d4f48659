/** The CSV files of Athena, however their bytes are cut. */
import fc from 'fast-check';
import { type CsvRow, readAthenaCsv } from '#lake/query/athena-csv';

async function read(text: string | Uint8Array, pieceBytes = 7): Promise<CsvRow[]> {
    const bytes = Buffer.from(text);
    const pieces = async function* () {
        for (let at = 0; at < bytes.length; at += pieceBytes) {
            yield bytes.subarray(at, at + pieceBytes);
        }
    };
    const rows: CsvRow[] = [];
    for await (const batch of readAthenaCsv(pieces())) {
        rows.push(...batch);
    }
    return rows;
}

test('tells null from the empty text', async () => {
    expect(await read('"a","b","c"\n"1",,""\n')).toEqual([
        ['a', 'b', 'c'],
        ['1', null, ''],
    ]);
    expect(await read('"a"\n\n""\n\n')).toEqual([['a'], [null], [''], [null]]);
});

test('has nothing in an empty file, and needs no last line feed', async () => {
    expect(await read('')).toEqual([]);
    expect(await read('"a"\n"b"')).toEqual([['a'], ['b']]);
});

test('says that a file ends too soon', async () => {
    await expect(read('"a"\n"half')).rejects.toThrow(/ends inside of a value: "half/);
});

const cell = fc.option(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"', '""', ',', '\n', '\r\n', '","', 'ß日🚀')));
const table = fc
    .integer({ min: 1, max: 4 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }));

test('gives back every table as it was, cut anywhere', async () => {
    await fc.assert(
        fc.asyncProperty(table, fc.integer({ min: 1, max: 20 }), async (rows, pieceBytes) => {
            const quoted = (value: string | null): string => (value === null ? '' : `"${value.replaceAll('"', '""')}"`);
            const text = rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');
            expect(await read(text, pieceBytes)).toEqual(rows);
        }),
    );
});

test('holds no more than a part of the file in memory', async () => {
    const line = Buffer.from(`"${'x'.repeat(98)}"\n`.repeat(1000));
    let rowCount = 0;
    let peakBytes = 0;
    const pieces = async function* () {
        for (let piece = 0; piece < 2000; piece += 1) {
            yield line;
        }
    };
    const before = process.memoryUsage().heapUsed;
    for await (const batch of readAthenaCsv(pieces())) {
        rowCount += batch.length;
        peakBytes = Math.max(peakBytes, process.memoryUsage().heapUsed - before);
    }
    expect(rowCount).toBe(2_000_000);
    expect(peakBytes).toBeLessThan(150 << 20);
});

/** A short, fixed part of what `npm run fuzz` does for as long as it is told to. */
import { expect, test } from '@jest/globals';
import type { ParquetTable } from '#test/support/parquet-file';
import { stepsPerByte } from './chains.ts';
import { type FuzzInput, makeInput, readFixtures } from './input.ts';
import { minimize, minimizeTable } from './minimize.ts';
import { readThePage, tellFirst, tellPage } from './readings.ts';
import { runInputs } from './run.ts';

test('made and changed files are read as docs/reading.md says, by both readers', async () => {
    const { problems, reached } = await runInputs({
        seed: 1,
        step: 1,
        secondEvery: 25,
        fixtures: readFixtures(),
        isDone: (inputs) => inputs >= 500,
    });
    expect(
        problems.map(({ input, problem }) => `seed ${input.seed}: ${problem}: ${JSON.stringify(input.bytes.toString('latin1'))}`),
    ).toEqual([]);
    for (const name of [
        'reject: unclosed_quote',
        'dialect: zeek',
        'dates: mdy',
        'packed as zstd',
        'repeated headers',
        'Parquet: when a flow began is stored as instant',
    ]) {
        expect(reached[name]).toBeGreaterThan(0);
    }
}, 120_000);

test('one seed makes one input', () => {
    const fixtures = readFixtures();
    expect(makeInput(7, fixtures)).toEqual(makeInput(7, fixtures));
    expect(makeInput(7, fixtures)).not.toEqual({ ...makeInput(8, fixtures), seed: 7 });
});

test('what is read wrongly is made small', async () => {
    const header = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n';
    const row = '10.0.0.1,10.0.0.2,05/07/2017,1,1\n';
    const bytes = Buffer.from(`${header}${row.repeat(20)}10.0.0.1,10.0.0.2,05/07/2017,1,4.5\n${row.repeat(20)}`);
    const input: FuzzInput = { seed: 1, bytes, options: {}, pieces: [100] };
    // A reader that takes the half packet.
    const isReadWrongly = async (less: Buffer): Promise<boolean> => {
        const { told } = await tellFirst({ ...input, bytes: Buffer.from(less.toString().replace('4.5', '4')) });
        return told.toString() !== tellPage(await readThePage({ ...input, bytes: less })).toString();
    };
    const small = await minimize(bytes, isReadWrongly);
    expect(small.toString().split('\n')).toHaveLength(2);
    expect(small.length).toBeLessThan(header.length + row.length);
});

test('a table of Parquet that is read wrongly is made small', async () => {
    const fixtures = readFixtures();
    const tables = Array.from({ length: 300 }, (_, seed) => makeInput(seed, fixtures).table).filter((table) => table !== undefined);
    const table = tables.find(({ rows, columns }) => rows.length > 10 && columns.length > 5)!;
    const wrong = table.rows[7]![3]!;
    // A reader that stumbles over one value, and needs the column in front of it.
    const isReadWrongly = async ({ rows, columns }: ParquetTable): Promise<boolean> =>
        columns.includes(table.columns[2]!) && rows.some((row) => row[columns.indexOf(table.columns[3]!)] === wrong);
    const small = await minimizeTable(table, isReadWrongly);
    expect(small.columns).toEqual([table.columns[2], table.columns[3]]);
    expect(small.rows).toHaveLength(1);
    expect(small.rows[0]![1]).toBe(wrong);
});

test.each([
    ['each row opens a quote that the next one closes and opens again', 'x","\n', '"x'],
    ['each row opens a quote', '"\n', ''],
    ['each row ends in an open quote', ',"\n', '"x'],
    ['a quoted field of doubled quotes', '""', ''],
    ['one row without an end', 'x,', ''],
    ['nothing but line ends', '\n', ''],
])('the work grows with the length of the file only: %s', async (_, link, end) => {
    const start = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts,Label\n';
    for (const pieceBytes of [1, 1 << 20]) {
        expect(await stepsPerByte({ start, link, end, pieceBytes }, 16_000)).toBeLessThan(60);
    }
});

test.each(['\r\n', ' '])('nothing but %j costs no more in small pieces than in large ones', async (link) => {
    for (const pieceBytes of [1, 1 << 20]) {
        expect(await stepsPerByte({ start: '', link, end: '\n', pieceBytes }, 16_000)).toBeLessThan(60);
    }
});

/** Rows arrive whole: every digit, every character, in each of the three formats, and without being held in memory. */

import type { OutputFormat } from '#cli/command';
import { printRows } from '#cli/draw/print-rows';
import type { QueryResult, Value } from '#lake/query/query-engine';
import { type FakeOutput, fakeOutput } from '#test/cli/fake-surroundings';

const COLUMNS = [
    { name: 'site', type: 'varchar' },
    { name: 'flows', type: 'bigint' },
    { name: 'mean', type: 'double' },
    { name: 'is_new', type: 'boolean' },
];

function resultOf(rows: Value[][], columns = COLUMNS): QueryResult {
    return {
        columns,
        batches: (async function* () {
            for (const row of rows) {
                yield [row];
            }
        })(),
    };
}

async function print(result: QueryResult, output: OutputFormat, stdout: FakeOutput = fakeOutput()) {
    const stderr = fakeOutput();
    const rows = await printRows(result, { output, stdout, stderr, signal: new AbortController().signal });
    return { rows, stdout: stdout.text, stderr: stderr.text };
}

describe('json', () => {
    test('is an array with one row a line, whole numbers digit by digit, a number that JSON has not as null', async () => {
        const rows = [
            ['a "b"\n', 9007199254740993n, 0.1, true],
            [null, -9223372036854775808n, Number.NaN, null],
        ];
        const { stdout } = await print(resultOf(rows), 'json');
        expect(stdout).toBe(
            '[\n{"site":"a \\"b\\"\\n","flows":9007199254740993,"mean":0.1,"is_new":true},\n' +
                '{"site":null,"flows":-9223372036854775808,"mean":null,"is_new":null}\n]\n',
        );
        expect(JSON.parse(stdout)).toHaveLength(2);
    });

    test('of no rows is an empty array', async () => {
        expect(await print(resultOf([]), 'json')).toEqual({ rows: 0, stdout: '[]\n', stderr: '' });
    });

    test('keeps both of two columns with one name', async () => {
        const columns = [
            { name: 'a', type: 'bigint' },
            { name: 'a', type: 'bigint' },
            { name: 'a_2', type: 'bigint' },
        ];
        expect(JSON.parse((await print(resultOf([[1n, 2n, 3n]], columns), 'json')).stdout)).toEqual([{ a: 1, a_2: 2, a_2_2: 3 }]);
    });
});

describe('csv', () => {
    test('quotes what needs it, tells null from the empty text, and has a header line', async () => {
        const rows = [
            ['a,b', 1n, 1e21, true],
            ['say "x"\r\n', null, -0.5, false],
            ['', 3n, null, null],
            [' x ', 38_000_000_000_000_000_000n, 5, null],
        ];
        expect((await print(resultOf(rows), 'csv')).stdout).toBe(
            'site,flows,mean,is_new\n"a,b",1,1e+21,true\n"say ""x""\r\n",,-0.5,false\n"",3,,\n x ,38000000000000000000,5,\n',
        );
    });

    test('of no rows is its header line', async () => {
        expect(await print(resultOf([]), 'csv')).toEqual({ rows: 0, stdout: 'site,flows,mean,is_new\n', stderr: '' });
    });
});

test.each(['csv', 'json', 'table'] as const)('%s asks for the next batch only when the one before is written', async (output) => {
    let made = 0;
    let written = 0;
    let mostHeld = 0;
    const write = async (text: string) => {
        written += text.split('row').length - 1;
    };
    const stdout = { ...fakeOutput(), write };
    const batches = (async function* () {
        for (; made < 100_000; made += 1000) {
            mostHeld = Math.max(mostHeld, made - written);
            yield Array.from({ length: 1000 }, () => ['row', 1n, 1, true] as Value[]);
        }
    })();
    const options = { output, stdout, stderr: fakeOutput(), signal: new AbortController().signal };
    expect(await printRows({ columns: COLUMNS, batches }, options)).toBe(100_000);
    expect(written).toBe(100_000);
    expect(mostHeld).toBeLessThanOrEqual(1000);
});

test('an interruption ends the printing, and the query is closed', async () => {
    const interruption = new AbortController();
    let isClosed = false;
    const batches = (async function* () {
        try {
            for (;;) {
                yield [['a', 1n, 1, true] as Value[]];
                interruption.abort();
            }
        } finally {
            isClosed = true;
        }
    })();
    const options = { output: 'csv' as const, stdout: fakeOutput(), stderr: fakeOutput(), signal: interruption.signal };
    await expect(printRows({ columns: COLUMNS, batches }, options)).rejects.toThrow('aborted');
    expect(isClosed).toBe(true);
});

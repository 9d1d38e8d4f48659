/** A table fits the terminal it is shown on, and never by cutting a number. */

import { printRows } from '#cli/draw/print-rows';
import { widthOf } from '#cli/draw/text-width';
import type { Value } from '#lake/query/query-engine';
import { fakeOutput } from '#test/cli/fake-surroundings';

const ESCAPE = String.fromCodePoint(27);
const ROW: Record<string, Value> = {
    site: 'berlin',
    src_ip: '192.168.100.101',
    flow_duration_us_sum: 9_000_000_000_000_077n,
    fwd_pkts_running_mean: 12.3456,
    line: 'a long text that goes on and on until it meets the end of the terminal and further still',
};

async function table(rows: Record<string, Value>[], { names = Object.keys(ROW), columns = 80, isTerminal = true } = {}): Promise<string> {
    const types: Record<string, string> = { flow_duration_us_sum: 'bigint', fwd_pkts_running_mean: 'double', a: 'bigint', b: 'bigint' };
    const stdout = fakeOutput({ isTerminal, columns });
    const stderr = fakeOutput();
    const result = {
        columns: names.map((name) => ({ name, type: types[name] ?? 'varchar' })),
        batches: (async function* () {
            for (const row of rows) {
                yield [names.map((name) => row[name] ?? null)];
            }
        })(),
    };
    await printRows(result, { output: 'table', stdout, stderr, signal: new AbortController().signal });
    return stdout.text + stderr.text;
}

test('numbers stand right, texts left, null is blank, fractions have three places', async () => {
    const names = ['site', 'flow_duration_us_sum', 'fwd_pkts_running_mean'];
    expect(`\n${await table([ROW, { site: 'x', flow_duration_us_sum: null, fwd_pkts_running_mean: 0.00001 }], { names })}`).toBe(`
site    flow_duration_us_sum  fwd_pkts_running_mean
──────  ────────────────────  ─────────────────────
berlin      9000000000000077                 12.346
x                                          1.000e-5
`);
});

test('headers break before anything is cut', async () => {
    const names = ['site', 'flow_duration_us_sum', 'fwd_pkts_running_mean'];
    expect(`\n${await table([ROW], { names, columns: 40 })}`).toBe(`
          flow_duration_       fwd_pkts_
site              us_sum    running_mean
──────  ────────────────  ──────────────
berlin  9000000000000077          12.346
`);
});

test('texts are cut where that is not enough, the longest first', async () => {
    expect(`\n${await table([ROW])}`).toBe(`
                         flow_duration_us_  fwd_pkts_running_
site    src_ip                         sum               mean  line
──────  ───────────────  ─────────────────  ─────────────────  ─────────────────
berlin  192.168.100.101   9000000000000077             12.346  a long text that…
`);
});

test('each row takes two lines where that is not enough', async () => {
    expect(`\n${await table([ROW, ROW], { columns: 50 })}`).toBe(`
                                         fwd_pkts_
                        flow_duration_    running_
site    src_ip                  us_sum        mean
    line
──────────────────────────────────────────────────
berlin  192.168.100…  9000000000000077      12.346
    a long text that goes on and on until it meet…
berlin  192.168.100…  9000000000000077      12.346
    a long text that goes on and on until it meet…
`);
});

test('each row becomes a block where no grid fits', async () => {
    const names = ['site', 'src_ip', 'flow_duration_us_sum', 'line', 'a', 'b', 'fwd_pkts_running_mean'];
    expect(`\n${await table([{ ...ROW, a: 123_456_789n, b: 123_456_789n }], { names, columns: 40 })}`).toBe(`
── row 1 ───────────────────────────────
site                   berlin
src_ip                 192.168.100.101
flow_duration_us_sum   9000000000000077
line                   a long text that…
a                      123456789
b                      123456789
fwd_pkts_running_mean  12.346
`);
});

test('a name stands above what it is where both have no room on a line', async () => {
    expect(`\n${await table([ROW], { columns: 28 })}`).toBe(`
── row 1 ───────────────────
site
    berlin
src_ip
    192.168.100.101
flow_duration_us_sum
    9000000000000077
fwd_pkts_running_mean
    12.346
line
    a long text that goes o…
`);
});

test.each([28, 40, 60, 80, 120, 200])('no line is wider than a terminal of %d columns', async (columns) => {
    const rows = [ROW, { ...ROW, line: `${'漢字'.repeat(40)}\n${ESCAPE}[31m`, src_ip: 'fe80::aede:48ff:fe00:1122:3344:5566' }];
    const lines = (await table(rows, { columns })).split('\n');
    expect(lines.filter((line) => widthOf(line) > columns)).toEqual([]);
});

test('off a terminal nothing is cut', async () => {
    const shown = await table([ROW], { isTerminal: false, columns: 20 });
    expect(shown).toContain(String(ROW.line));
    expect(shown.split('\n')).toHaveLength(4);
});

test('of a path the end stays', async () => {
    const row = { source: 'raw/site=berlin/2026-01-05_Flow.csv', day: '2026-01-05' };
    expect(await table([row], { names: ['source', 'day'], columns: 30 })).toContain('…26-01-05_Flow.csv  2026-01-05\n');
});

test('what a terminal would obey is shown, not sent', async () => {
    const shown = await table([{ site: `a${ESCAPE}[2J\tb\r\nc\u202ed` }], { names: ['site'] });
    expect(shown).toContain('a\\u001b[2J\\tb\\r\\nc\\u202ed\n');
});

test('the first 500 rows size the columns; a later number that is wider is still whole', async () => {
    const rows = Array.from({ length: 600 }, (_, index) => ({ a: index < 550 ? 1n : 123_456_789_012n, b: 2n }));
    const lines = (await table(rows, { names: ['a', 'b'] })).split('\n');
    expect(lines[500]).toBe('1  2');
    expect(lines[590]).toBe('123456789012  2');
});

test('no rows are the header and a word about it', async () => {
    expect(await table([], { names: ['site', 'a'] })).toBe('site  a\n────  ─\n0 rows\n');
});

/** One pair's report: the rows, where they go, and what is said where there are none. */
import { access, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { makeLake, SURGE_DAY } from '#test/cli/small-lake';

const PAIR = ['10.1.0.7', '10.1.0.20'];
const BERLIN = [...PAIR, '--site', 'berlin'];
let lake: string;
let folder: string;

beforeAll(async () => {
    lake = await makeLake();
    folder = await makeLake({ days: [] });
});

afterAll(async () => {
    await rm(lake, { recursive: true });
    await rm(folder, { recursive: true });
});

function exporting(...words: string[]) {
    return runLine(['--lake', lake, 'export', ...words]);
}

test('prints CSV by site and day, running figures and all', async () => {
    const { exitCode, stdout, stderr } = await exporting(...PAIR);
    const lines = stdout.trimEnd().split('\n');
    expect({ exitCode, stderr, count: lines.length }).toEqual({ exitCode: 0, stderr: '', count: 61 });
    expect(lines[0]).toBe(
        'site,src_ip,dst_ip,day,flows,timed_flows,flow_duration_us_sum,fwd_pkts_sum,running_days,running_timed_days,' +
            'flow_duration_us_running_mean,' +
            'flow_duration_us_running_stddev_pop,flow_duration_us_running_stddev_samp,fwd_pkts_running_mean,' +
            'fwd_pkts_running_stddev_pop,fwd_pkts_running_stddev_samp',
    );
    expect(lines[1]).toBe('berlin,10.1.0.7,10.1.0.20,2026-01-05,1,1,1000,100,1,1,1000,0,,100,0,');
    expect(lines[60]).toBe(
        'osaka,10.1.0.7,10.1.0.20,2026-02-03,1,1,1000,9000000000000077,30,30,1000,0,0,9000000000000076,0,0'.replace('0076', '0077'),
    );
});

test('lists only the days asked for, and still counts from the first day', async () => {
    const { stdout } = await exporting(...BERLIN, '--from', SURGE_DAY, '--to', SURGE_DAY, '--output', 'json');
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ day: SURGE_DAY, fwd_pkts_sum: 1000, running_days: 23 })]);
});

test.each([
    [['-o', 'r.csv'], 'csv'],
    [['-o', 'r.JSON'], 'json'],
    [['-o', 'r.parquet'], 'parquet'],
    [['-o', 'r.txt', '--format', 'json'], 'json'],
    [['-o', 'r.csv', '--format', 'parquet'], 'parquet'],
    [['-o', 'r', '--output', 'json'], 'json'],
])('a file has the format of --format, its ending or --output: %j', async ([flag, name, ...rest], format) => {
    const file = join(folder, name!);
    const { exitCode, stdout, stderr } = await exporting(...BERLIN, flag!, file, ...rest);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: `${file}: 30 rows\n` });
    const bytes = await readFile(file);
    expect(format === 'parquet' ? await firstParquetRow(bytes) : bytes.toString().slice(0, 7)).toEqual(
        format === 'parquet'
            ? { site: 'berlin', day: '2026-01-05', fwd_pkts_sum: 100n, fwd_pkts_running_mean: 100 }
            : format === 'csv'
              ? 'site,sr'
              : '[\n{"sit',
    );
    expect(await readdir(folder)).toEqual([name]);
    await rm(file);
});

test('a file that is there is replaced as a whole, a symbolic link stays one', async () => {
    await writeFile(join(folder, 'real.csv'), 'old');
    await symlink('real.csv', join(folder, 'link.csv'));
    await exporting(...BERLIN, '-o', join(folder, 'link.csv'));
    expect(await readlink(join(folder, 'link.csv'))).toBe('real.csv');
    expect((await readFile(join(folder, 'real.csv'), 'utf8')).split('\n')).toHaveLength(32);
    expect((await readdir(folder)).sort()).toEqual(['link.csv', 'real.csv']);
});

test('a place that cannot be written to is one clear error, and nothing is left there', async () => {
    await mkdir(join(folder, 'taken.csv'));
    const { exitCode, stderr } = await exporting(...BERLIN, '-o', join(folder, 'taken.csv'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^flowlake: Cannot write .*taken\.csv: EISDIR.*\n$/);
    const missing = await exporting(...BERLIN, '-o', join(folder, 'no', 'such', 'r.csv'));
    expect(missing.stderr).toMatch(/^flowlake: Cannot write .*r\.csv: ENOENT.*\n$/);
    expect(missing.stderr).toMatch(/there is no folder .*: make it/);
    expect(missing.stderr).not.toContain('.tmp');
});

test('an interruption leaves neither the file nor a piece of it', async () => {
    const before = await readdir(folder);
    const interruption = new AbortController();
    const world = fakeWorld({ signal: interruption.signal });
    const { writeWhole } = await import('#cli/write-whole');
    const writing = writeWhole(join(folder, 'big.csv'), Buffer.alloc(1 << 20), world);
    interruption.abort();
    await expect(writing).rejects.toThrow('aborted');
    expect(await readdir(folder)).toEqual(before);
});

test('--save puts it under exports/ and prints its key', async () => {
    const one = await exporting(...BERLIN, '--save');
    expect({ ...one, isThere: await isThere(join(lake, one.stdout.trim())) }).toEqual({
        exitCode: 0,
        stdout: 'exports/site=berlin/10.1.0.7_10.1.0.20.csv\n',
        stderr: '',
        isThere: true,
    });
    const other = await exporting('fe80::1', '10.1.0.20', '--save', '--format', 'parquet', '--from', '2026-01-06');
    expect(other.stdout).toBe('exports/all/fe80--1_10.1.0.20_2026-01-06_.parquet\n');
});

test('a pair that does not exist is exit 1 with the nearest that do', async () => {
    const { exitCode, stdout, stderr } = await exporting('10.1.0.20', '10.1.0.7');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(
        /^flowlake: No pair 10\.1\.0\.20 -> 10\.1\.0\.7\. The nearest that exist:\n {2}10\.1\.0\.7 10\.1\.0\.20 --site (berlin|osaka)\n/,
    );
    const elsewhere = await exporting('fe80::1', '10.1.0.20', '--site', 'berlin');
    expect(elsewhere.stderr).toContain(
        'flowlake: No pair fe80::1 -> 10.1.0.20 at site berlin. The nearest that exist:\n  fe80::1 10.1.0.20 --site osaka\n',
    );
});

test('a pair without rows in the days asked for is its header, said, exit 0', async () => {
    const { exitCode, stdout, stderr } = await exporting(...BERLIN, '--from', '2027-01-01');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^site,src_ip,[^\n]*\n$/);
    expect(stderr).toBe('No days of 10.1.0.7 -> 10.1.0.20 at site berlin from 2027-01-01: it has 30 from 2026-01-05 to 2026-02-03\n');
});

test('a lake without pairs says so', async () => {
    const { exitCode, stderr } = await runLine(['--lake', folder, 'export', ...PAIR]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'flowlake: No pair 10.1.0.7 -> 10.1.0.20: the lake has no pairs yet\n' });
});

test.each([
    [['-o', 'x.csv', '--save'], 'Give -o FILE or --save, not both'],
    [['-o', 'x.txt'], 'The ending of x.txt tells no format: add --format csv, json, parquet or html'],
    [['--format', 'parquet'], 'Parquet is no text: write it to a file (-o report.parquet) or into the lake (--save)'],
    [['--save', '--output', 'table'], 'A table is for reading: choose --format csv, json, parquet or html for what is kept'],
])('what does not fit together is exit 2: %j', async (words, message) => {
    expect(await exporting(...PAIR, ...words)).toEqual({ exitCode: 2, stdout: '', stderr: `flowlake: ${message}\n` });
});

async function firstParquetRow(bytes: Buffer): Promise<unknown> {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    const columns = ['site', 'day', 'fwd_pkts_sum', 'fwd_pkts_running_mean'];
    return (await parquetReadObjects({ file, columns, rowStart: 0, rowEnd: 1 }))[0];
}

async function isThere(path: string): Promise<boolean> {
    return access(path).then(
        () => true,
        () => false,
    );
}

/** `flowlake upload --dry-run`: what a careful person types first. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { flowCsv } from '#test/support/flow-csv';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

async function makePlace(files: Record<string, string | Uint8Array>) {
    const folder = await makeFolder();
    for (const [name, content] of Object.entries(files)) {
        await mkdir(join(folder, name, '..'), { recursive: true });
        await writeFile(join(folder, name), content);
    }
    const run = (line: string, input?: string) => runFlowlake(line, { folder, ...(input !== undefined && { input }) });
    /** What is told of each file, by its name. */
    const tryOut = async (line: string) => {
        const { exitCode, stdout } = await run(`--output json ${line}`);
        const rows: Record<string, unknown>[] = JSON.parse(stdout);
        return { exitCode, rows: new Map(rows.map((row) => [row.file, row])) };
    };
    const everything = async () => (await readdir(folder, { recursive: true })).sort();
    return { folder, run, tryOut, everything };
}

test('says of each file what it would be read as and what would become of it, without a lake, and leaves nothing behind', async () => {
    const { tryOut, everything } = await makePlace({
        'in/a.csv': flowCsv([{}, { timestamp: '01/04/2026', duration: 'nan' }, { timestamp: '02/04/2026', duration: 7 }]),
        'in/b.csv': '#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tduration\torig_pkts\n1767225600.5\t10.0.0.1\t10.0.0.2\t1.5\t3\n',
        'in/c.csv': 'Src IP,b\n1,2\n',
        'in/d.csv': flowCsv([{ duration: 'x' }, { duration: 'y' }, { packets: -1 }]),
        'in/site=berlin/a.csv.gz': gzipSync(flowCsv([{ timestamp: '01/02/2026' }])),
    });
    const before = await everything();
    for (const lake of ['', '--lake lake ']) {
        const { exitCode, rows } = await tryOut(`${lake}upload --dry-run in`);
        expect(exitCode).toBe(1);
        expect(rows.get('in/a.csv')).toMatchObject({
            would_be: 'added',
            dialect: 'cicflowmeter',
            date_order: 'dmy',
            date_order_by: 'written',
            duration_unit: 'us',
            rows_read: 3,
            rows_kept: 2,
            rows_rejected: 1,
            rejected: 'nan 1',
            first_day: '2026-03-31',
            last_day: '2026-04-02',
            note: null,
        });
        expect(rows.get('in/b.csv')).toMatchObject({ dialect: 'zeek', duration_unit: 's', duration_unit_by: 'named', date_order: 'epoch' });
        expect(rows.get('in/c.csv')).toMatchObject({
            would_be: 'failed',
            rows_read: 0,
            note: expect.stringContaining('found "Src IP", "b"'),
        });
        expect(rows.get('in/d.csv')).toMatchObject({
            would_be: 'nothing kept',
            rejected: 'not_a_number 2, negative 1',
            note: 'all its 3 rows were rejected: not_a_number 2, negative 1',
        });
        expect(rows.get('in/site=berlin/a.csv.gz')).toMatchObject({
            site: 'berlin',
            would_be: 'added',
            date_order_by: 'assumed',
            doubt: expect.stringContaining('tells day from month'),
        });
    }
    expect(await everything()).toEqual(before);
});

test('says what a lake that is there would make of each file, with the exit code that the upload would have', async () => {
    const text = flowCsv([{}, { src: '10.0.0.1' }]);
    const { folder, run, tryOut, everything } = await makePlace({
        'a.csv': text,
        'b.csv.gz': gzipSync(text),
        'c.csv': flowCsv([{ packets: 1 }]),
    });
    await run('--lake lake upload a.csv');
    await writeFile(join(folder, 'a.csv'), flowCsv([{}, { src: '10.0.0.1' }, { src: '10.0.0.3' }]));
    const before = await everything();
    for (const [words, exitCode, word] of [
        ['a.csv', 1, 'refused'],
        ['--replace a.csv', 0, 'replaced'],
        ['b.csv.gz', 1, 'refused'],
        ['--allow-duplicate b.csv.gz', 0, 'added'],
        ['c.csv', 0, 'added'],
    ] as const) {
        const tried = await tryOut(`--lake lake upload --dry-run ${words}`);
        expect([words, tried.exitCode, [...tried.rows.values()].map(({ would_be }) => would_be)]).toEqual([words, exitCode, [word]]);
    }
    const refused = await tryOut('--lake lake upload --dry-run b.csv.gz');
    expect(refused.rows.get('b.csv.gz')).toMatchObject({ rows_kept: 2, note: expect.stringMatching(/^the same flows as raw\/a\.csv/) });
    const piped = await run('--lake lake upload --dry-run --as x.csv -', text);
    expect(piped.stdout).toMatch(/refused/);
    expect(await everything()).toEqual(before);
});

test('says where an option changes nothing, and where no flow has a duration', async () => {
    const eve = (start: string) =>
        JSON.stringify({
            timestamp: start,
            event_type: 'flow',
            src_ip: '192.0.2.1',
            dest_ip: '192.0.2.2',
            flow: { pkts_toserver: 3, start, end: start },
        });
    const { run } = await makePlace({
        'eve.json': `${eve('2026-01-05T10:00:00+0000')}\n`,
        'scan.log': '#fields\tts\tid.orig_h\tid.resp_h\tduration\torig_pkts\n1767607200.5\t192.0.2.1\t192.0.2.2\t-\t1\n',
    });
    const noUse =
        /^--date-order changes nothing in 1 file \(eve\.json\): times .*\n--duration-unit changes nothing in 1 file \(eve\.json\): suricata /m;
    const untimed = /^No flow has a duration in 1 file \(scan\.log\): they count with their packets/m;
    for (const words of ['upload --dry-run', '--lake lake upload']) {
        const told = await run(`${words} --date-order mdy --duration-unit ms eve.json`);
        expect(told.stderr).toMatch(noUse);
        expect((await run(`${words} scan.log`)).stderr).toMatch(untimed);
    }
    const shown = await run('upload --dry-run --date-order mdy --duration-unit ms eve.json');
    expect(shown.stdout).toMatch(/eve\.json +added +suricata +epoch \(written\) +us \(named\)/);
});

test('shows a table with what settled each unit and order, and the first row of a reason that costs most rows', async () => {
    const { run } = await makePlace({ 'a.csv': flowCsv([{}, { duration: 'x' }, { duration: 'y' }]) });
    const { stdout, stderr } = await run('upload --dry-run --date-order dmy --duration-unit ms a.csv');
    expect(stdout).toMatch(/a\.csv +added +cicflowmeter +dmy \(given\) +ms \(given\) +3 +1 +2 +2026-03-31 +2026-03-31/);
    expect(stderr).toMatch(/^a\.csv: 2 of 3 rows rejected as not_a_number; the first:\n {2}line 3: 192\.0\.2\.1-198/m);
    expect(stderr).toMatch(/2 rows would be rejected/);
    expect(stderr).toMatch(/Read 1 file/);
});

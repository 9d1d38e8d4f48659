/** What an upload takes of a folder, and what it says of the rest; and what becomes of files that lie beside flows by right. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { lookIntoFolder } from '#cli/commands/upload/look-into-files';
import { flows } from '#lake/flows/kind';
import type { ByteStream } from '#lake/store/object-store';
import { flowCsv } from '#test/support/flow-csv';
import { runFlowlake } from '#test/support/flowlake';
import { tarOf } from '#test/support/tar-of';
import { makeFolder } from '#test/support/temporary';

const FIELDS = '#fields\tts\tuid\tid.orig_h\tid.resp_h\tduration\torig_pkts';

/** A Zeek log of one row. */
function zeekLog(path: string, { seconds = '1.25' } = {}): string {
    const row = `1714730400.5\tC0\t192.0.2.78\t198.51.100.90\t${seconds}\t6`;
    return ['#separator \\x09', `#path\t${path}`, FIELDS, row, '#close\t2024-05-03-11-00-00', ''].join('\n');
}

async function makePlace(files: Record<string, string | Uint8Array>) {
    const folder = await makeFolder();
    for (const [name, content] of Object.entries(files)) {
        await mkdir(join(folder, name, '..'), { recursive: true });
        await writeFile(join(folder, name), content);
    }
    const run = (line: string, input?: string) => runFlowlake(`--lake lake ${line}`, { folder, ...(input !== undefined && { input }) });
    const ask = async (sql: string): Promise<unknown> => JSON.parse((await run(`--output json query "${sql}"`)).stdout);
    return { folder, run, ask };
}

const SOURCES = 'select source, state, rows_kept, error from sources order by source';
const TOTALS = 'select src_ip, sum(flows) as flows, sum(flow_duration_us_sum) as us from pair_days group by 1 order by 1';

describe('a folder', () => {
    test('of a day of Zeek logs gives its conn logs; the others are skipped in one line, and nothing needs a person', async () => {
        const { run, ask } = await makePlace({
            ...Object.fromEntries(
                ['10', '11'].flatMap((hour) => ['dns', 'http', 'conn_long'].map((path) => [`day/${path}.${hour}.log`, zeekLog(path)])),
            ),
            'day/open_conn.log': zeekLog('open_conn'),
            'day/conn.log': zeekLog('conn'),
        });
        const { exitCode, stdout, stderr } = await run('upload day');
        expect([exitCode, stderr.match(/^.*skipped.*$/gm)]).toEqual([
            0,
            ['7 files skipped: Zeek conn_long log (2), Zeek dns log (2), Zeek http log (2), Zeek open_conn log (1)'],
        ]);
        expect(stdout).toMatch(/day\/conn\.log +added/);
        expect(stdout).not.toMatch(/dns/);
        expect(await ask(TOTALS)).toEqual([{ src_ip: '192.0.2.78', flows: 1, us: 1_250_000 }]);
        expect((await run('status')).exitCode).toBe(0);
    });

    test('is taken by what its files hold, whatever they are called', async () => {
        const { run, ask } = await makePlace({
            'x/capture-1/bro/conn.log.labeled': zeekLog('conn'),
            'x/Flow.csv.1': flowCsv([{ src: '192.0.2.1' }]),
            'x/conn.2026-01-05-10-00-00.log.gz': gzipSync(zeekLog('conn', { seconds: '2' })),
            'x/flows': flowCsv([{ src: '192.0.2.3' }]),
        });
        expect((await run('upload x')).exitCode).toBe(0);
        expect(await ask('select source from sources order by source')).toEqual(
            ['Flow.csv.1', 'capture-1/bro/conn.log.labeled', 'conn.2026-01-05-10-00-00.log.gz', 'flows'].map((name) => ({
                source: `raw/${name}`,
            })),
        );
        expect(await ask('select sum(flows) as n from pair_days')).toEqual([{ n: 4 }]);
    });

    test('leaves out what is no file of flows, and names it with what it is; what is called like one fails loudly', async () => {
        const { run, ask } = await makePlace({
            'x/a.csv': flowCsv([{}]),
            'x/broken.csv': '%PDF-1.7',
            'x/notes.txt': 'hello\n',
            'x/_SUCCESS': '',
            'x/b.tar': tarOf(flowCsv([{ src: '192.0.2.66' }])),
            ...Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`x/docs/${name}.pdf`, '%PDF-1.7'])),
            'x/.hidden.csv': flowCsv([{ src: '192.0.2.77' }]),
        });
        const { exitCode, stderr } = await run('upload x');
        expect(exitCode).toBe(1);
        expect(stderr.split('\n').filter((line) => !line.startsWith('Uploaded'))).toEqual([
            'Left out 5 files (each a PDF document): x/docs/a.pdf, x/docs/b.pdf, x/docs/c.pdf and 2 more',
            'Left out 2 files (each text or data without flows): x/_SUCCESS, x/notes.txt',
            'Left out 1 file (a tar archive): x/b.tar',
            'Name one of them itself to see what it lacks',
            'x/broken.csv failed: a PDF document: upload the data that it shows, as CSV',
            '',
        ]);
        expect(await ask(TOTALS)).toMatchObject([{ src_ip: '192.0.2.1', flows: 1 }]);
        const named = await run('upload x/notes.txt');
        expect([named.exitCode, named.stderr]).toEqual([1, expect.stringMatching(/failed: no usable header: looked for .*found "hello"/)]);
    });

    test('that holds thousands of files of many sorts is answered on one screen', async () => {
        const sorts = [
            '%PDF-1.7',
            '\x1f\x9d',
            'GIF89a',
            'SQLite format 3\0',
            '<html>',
            '<a>',
            '404: Not Found',
            'BZh91AY&SY',
            'Obj\x01',
            '\x93NUMPY',
            'Rar!\x1a\x07',
        ];
        const texts = Array.from({ length: 1_500 }, (_, at): [string, Uint8Array] => [
            `x/${at}.bin`,
            Buffer.from(sorts[at] ?? `text ${at}\n`, 'latin1'),
        ]);
        const logs = Array.from({ length: 30 }, (_, at): [string, string] => [`x/${at}.log`, zeekLog(`p${at % 15}`)]);
        const { run } = await makePlace({ ...Object.fromEntries([...texts, ...logs]), 'x/a.csv': flowCsv([{}]) });
        const { exitCode, stdout, stderr } = await run('upload x');
        expect(exitCode).toBe(0);
        expect(stderr).toMatch(/Left out 1489 files \(each text or data without flows\): x\/100\.bin, .* and 1486 more\n/);
        expect(stderr).toMatch(/Left out 4 files of 4 other sorts\n/);
        expect(stderr).toMatch(/^30 files skipped: Zeek p0 log \(2\), .* and 7 more sorts\n/m);
        expect(stdout.split('\n').length + stderr.split('\n').length).toBeLessThanOrEqual(22);
    });

    test('without any file to take says what was there', async () => {
        const { folder, run } = await makePlace({
            'logs/dns.log': zeekLog('dns'),
            'logs/report.pdf': '%PDF-1.7',
            'hidden/.csv/a.csv': flowCsv([{}]),
            'links/x/readme': 'x\n',
        });
        await mkdir(join(folder, 'empty'));
        await symlink('../logs/dns.log', join(folder, 'links/a.csv'));
        await rm(join(folder, 'links/x/readme'));
        for (const [name, message] of [
            ['empty', 'No files of flows in empty: it is empty'],
            ['logs', 'No files of flows in logs: 1 file (a PDF document): logs/report.pdf; 1 file skipped: Zeek dns log'],
            ['links', 'No files of flows in links: 1 symbolic link is left out: name one itself to upload what it points to'],
            ['hidden', 'No files of flows in hidden: what begins with a dot is left out, with all below it: 2 names'],
        ] as const) {
            const { exitCode, stderr } = await run(`upload ${name}`);
            expect([exitCode, stderr]).toEqual([1, `flowlake: ${message}\n`]);
        }
    });

    test('of many files is left at once when the command is interrupted while they are looked at', async () => {
        const names = Array.from({ length: 200 }, (_, at) => `x/${at}`);
        const { folder } = await makePlace(Object.fromEntries(names.map((name) => [name, 'text\n'])));
        const stop = new AbortController();
        let looks = 0;
        const kind = {
            ...flows,
            inspect: (bytes: ByteStream) => {
                looks += 1;
                if (looks === 20) {
                    stop.abort(new Error('stopped by the test'));
                }
                return flows.inspect(bytes);
            },
        };
        await expect(lookIntoFolder(join(folder, 'x'), { kind, signal: stop.signal })).rejects.toThrow('stopped by the test');
        expect(looks).toBeLessThan(40);
    });
});

describe('a file that lies beside flows by right', () => {
    test('and is named itself, or by a pattern, is skipped with a word, and is not in the lake', async () => {
        const { run, ask } = await makePlace({
            'conn.log': zeekLog('conn'),
            'dns.log': zeekLog('dns'),
            'logs/http.log': zeekLog('http'),
            'logs/ssl.log': zeekLog('ssl'),
        });
        const both = await run(`--output json upload conn.log dns.log 'logs/*.log'`);
        expect([
            both.exitCode,
            JSON.parse(both.stdout).map(({ file, result, note }: Record<string, unknown>) => [file, result, note]),
        ]).toEqual([
            0,
            [
                ['conn.log', 'added', null],
                ['dns.log', 'skipped', 'Zeek dns log, no file of flows'],
                ['logs/http.log', 'skipped', 'Zeek http log, no file of flows'],
                ['logs/ssl.log', 'skipped', 'Zeek ssl log, no file of flows'],
            ],
        ]);
        const alone = await run('upload dns.log');
        expect([alone.exitCode, alone.stderr]).toEqual([0, 'dns.log skipped: Zeek dns log, no file of flows\n']);
        expect((await run('upload --as dns.log -', zeekLog('dns'))).stderr).toMatch(/^- skipped: Zeek dns log, no file of flows$/m);
        expect(await ask('select source from sources')).toEqual([{ source: 'raw/conn.log' }]);
    });

    test('and stands in one file with conn logs is skipped row by row, and said', async () => {
        const { run, ask } = await makePlace({ 'all.log': zeekLog('dns') + zeekLog('conn') + zeekLog('conn_long') });
        const { exitCode, stderr } = await run('upload all.log');
        expect([exitCode, stderr]).toEqual([
            0,
            expect.stringMatching(/^Rows of other Zeek logs than conn stand in 1 file \(all\.log\): they were skipped/m),
        ]);
        expect(await ask('select rows_kept, rows_skipped, skipped from sources')).toEqual([
            { rows_kept: 1, rows_skipped: 2, skipped: 'other_log 2' },
        ]);
        expect((await run('verify')).exitCode).toBe(0);
    });

    test('does not take the place of a good one', async () => {
        const { folder, run, ask } = await makePlace({ 'conn.log': zeekLog('conn') });
        await run('upload conn.log');
        await writeFile(join(folder, 'conn.log'), zeekLog('conn_long', { seconds: '9' }));
        const { exitCode, stderr } = await run('upload --replace conn.log');
        expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/Zeek conn_long log; the file that is in the lake stays/)]);
        expect(await ask(TOTALS)).toMatchObject([{ us: 1_250_000 }]);
    });

    test('and came into raw/ by other hands is known as skipped: read once, no problem of anybody, and can be taken out or replaced', async () => {
        const { folder, run, ask } = await makePlace({ 'conn.log': zeekLog('conn') });
        await run('upload conn.log');
        await mkdir(join(folder, 'lake/raw/site=osaka'), { recursive: true });
        await writeFile(join(folder, 'lake/raw/site=osaka/dns.log'), zeekLog('dns'));
        expect((await run('reconcile')).exitCode).toBe(0);
        expect(await ask(SOURCES)).toEqual([
            { source: 'raw/conn.log', state: 'done', rows_kept: 1, error: null },
            { source: 'raw/site=osaka/dns.log', state: 'skipped', rows_kept: 0, error: 'Zeek dns log' },
        ]);
        const again = await run('--output json reconcile');
        expect([again.exitCode, JSON.parse(again.stdout)]).toEqual([0, []]);
        for (const line of ['status', 'doctor', 'verify', 'rebuild --from 2024-05-01 --to 2024-05-31 --anew']) {
            expect([line, (await run(line)).exitCode]).toEqual([line, 0]);
        }
        expect((await run('status')).stdout).toMatch(/skipped +1 +0/);
        expect((await run('history site=osaka/dns.log')).stdout).toMatch(/1 +skipped .*Zeek dns log/);
        const explained = await run('explain 192.0.2.78 198.51.100.90 2024-05-03');
        expect([explained.exitCode, explained.stdout.includes('conn.log')]).toEqual([0, true]);
        expect((await run('retract site=osaka/dns.log')).exitCode).toBe(0);
        expect(await ask('select state from sources order by source')).toEqual([{ state: 'done' }, { state: 'retracted' }]);
        await mkdir(join(folder, 'site=osaka'));
        await writeFile(join(folder, 'site=osaka/dns.log'), zeekLog('conn', { seconds: '3' }));
        expect((await run('upload --replace site=osaka/dns.log')).exitCode).toBe(0);
        expect(await ask('select site, sum(flows) as n from pair_days group by 1 order by 1')).toEqual([
            { site: 'main', n: 1 },
            { site: 'osaka', n: 1 },
        ]);
    });
});

/** Every command that asks, on the lake as deployed: its own catalog's tables and views, and the answers of a lake in a directory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plannedAnomalies } from '#sample/flows/sample-files';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { type LocalAthena, startAthena } from './support/athena.ts';
import { bucket, environment } from './support/deployed.ts';
import { trinoMissing } from './support/trino.ts';

const missing = trinoMissing();

const SAMPLE = { flows: 40_000, days: 30, pairs: 90, seed: 1 };

(missing === undefined ? describe : describe.skip)(`questions to the deployed lake${missing === undefined ? '' : ` (${missing})`}`, () => {
    let folder: string;
    let athena: LocalAthena;

    const onS3 = (line: string) =>
        runFlowlake(line, { folder, environment: { ...environment, HOME: folder, AWS_ENDPOINT_URL_ATHENA: athena.url } });
    const inDirectory = (line: string) => runFlowlake(`--lake lake ${line}`, { folder });

    beforeAll(async () => {
        folder = await makeFolder();
        athena = await startAthena({ bucket, environment: process.env });
        const options = Object.entries(SAMPLE).map(([name, value]) => `--${name} ${value}`);
        await runFlowlake(`sample captures ${options.join(' ')}`, { folder });
        const broken =
            'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts\n10.0.0.1,10.0.0.2,06/01/2026,x,1\n10.0.0.1,10.0.0.2,06/01/2026,5,1\n';
        const upload = ['upload --allow-duplicate --replace --date-order dmy captures', 'upload --as questions.csv --date-order dmy -'];
        for (const line of upload) {
            const input = line.endsWith('-') ? broken : '';
            const there = await runFlowlake(line, { folder, input, environment: { ...environment, HOME: folder } });
            expect(there).toMatchObject({ exitCode: 0 });
            expect((await runFlowlake(`--lake lake ${line}`, { folder, input })).exitCode).toBe(0);
        }
    }, 300_000);

    afterAll(() => athena?.stop());

    const { site, src, dst } = plannedAnomalies(SAMPLE).find(({ kind }) => kind === 'surge') ?? { site: '', src: '', dst: '' };
    const ofThisTest = "site in ('berlin', 'lisbon', 'osaka')";

    test.each([
        `query "select * from pair_days where ${ofThisTest} order by day, site, src_ip, dst_ip"`,
        `query "select * from pair_running where ${ofThisTest} order by day, site, src_ip, dst_ip"`,
        `query "select * from pair_stats where ${ofThisTest} order by site, src_ip, dst_ip"`,
        `query "select * from day_totals where ${ofThisTest} order by day, site"`,
        `query "select * from pair_anomalies where ${ofThisTest} order by day, site, src_ip, dst_ip, measure"`,
        `query "select source, rows_read, rows_kept, rows_rejected, first_day, pairs from sources where ${ofThisTest} order by source"`,
        'query "select source, line_number, reason, line from rejects where source = \'raw/questions.csv\'"',
        'pairs --site berlin --top 7 --by duration --from 2026-01-06 --to 2026-01-20',
        'pairs --site lisbon --top 3 --by flows',
        'anomalies --site osaka --limit 50',
        'anomalies --site berlin --from 2026-01-20 --to 2026-01-31',
        `export ${src} ${dst} --site ${site}`,
        `export ${src} ${dst} --site ${site} --from 2026-01-10 --to 2026-01-20`,
        'rejects questions.csv',
    ])('%s', async (line) => {
        const [there, here] = [await onS3(`--output json ${line}`), await inDirectory(`--output json ${line}`)];
        expect(there.exitCode).toBe(here.exitCode);
        expect(JSON.parse(there.stdout).length).toBeGreaterThan(0);
        expect(there.stdout).toBe(here.stdout);
    });

    test('a query says what it scanned and what that costs, and is refused where it scans more than is allowed', async () => {
        const { stderr } = await onS3('query "select count(*) as n from pair_days"');
        expect(stderr).toMatch(/^Scanned [\d.]+ k?M?B: (less than )?\$[\d.]+\n/);
        const refused = await onS3('query --max-scan 1kB "select * from pair_days"');
        expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
        expect(refused.stderr).toMatch(/--max-scan/);
    });

    test('a mistake in the SQL is shown with its place, and a pair that does not exist with the nearest that do', async () => {
        expect((await onS3('query "select nothing from pair_days"')).stderr).toMatch(/line 1:8.*nothing/);
        const absent = await onS3(`export ${dst} ${src} --site ${site}`);
        expect(absent.exitCode).toBe(1);
        expect(absent.stderr).toContain(`${src} ${dst} --site ${site}`);
    });

    test('a report is saved in the lake, or in a file', async () => {
        const saved = await onS3(`export ${src} ${dst} --site ${site} --save --format json`);
        expect(saved).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^exports\/site=/) });
        expect((await onS3(`export ${src} ${dst} --site ${site} -o there.parquet`)).exitCode).toBe(0);
        expect((await inDirectory(`export ${src} ${dst} --site ${site} -o here.parquet`)).exitCode).toBe(0);
        expect(await readFile(join(folder, 'there.parquet'))).toEqual(await readFile(join(folder, 'here.parquet')));
    });

    test('verify recomputes every figure of the deployed lake from its raw objects', async () => {
        const { exitCode, stderr } = await onS3('verify');
        expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('all equal') });
    });
});

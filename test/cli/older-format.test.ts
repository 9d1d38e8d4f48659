/** A lake of summary format 2, for which a flow without a duration was a reject: it is read by the rule of docs/format.md, and `reconcile` reads its files anew. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { containedOf } from '#lake/commit/period-state';
import { writeRows } from '#lake/parquet';
import { openDirectoryStore } from '#lake/store/directory';
import { runLine } from '#test/cli/fake-surroundings';
import { flowCsv } from '#test/support/flow-csv';
import { FLOWS_FORMAT, ofDay, PAIR_DAYS_OF_FORMAT_2, pairDaysKey, readPairRows, SUMMARIES_PREFIX } from '#test/support/flow-tables';
import { makeFolder } from '#test/support/temporary';

const DAY = '2026-03-31';

/** Raw files a.csv and b.csv, and the objects that a program of format 2 would have made of them. */
async function makeOldLake(files: Record<string, string>) {
    const folder = await makeFolder();
    const run = (...words: string[]) => runLine(['--lake', join(folder, 'lake'), ...words]);
    const upload = async (name: string, text: string) => {
        await writeFile(join(folder, name), text);
        expect((await run('upload', join(folder, name))).exitCode).toBe(0);
    };
    for (const [name, text] of Object.entries(files)) {
        await upload(name, text);
    }
    const store = openDirectoryStore(join(folder, 'lake'));
    const rewrite = async (key: string, options: { contains?: readonly string[] } = {}): Promise<void> => {
        const rows = await readPairRows((await store.get(key))!.bytes);
        await store.put(key, writeRows(PAIR_DAYS_OF_FORMAT_2, rows, options));
    };
    await rewrite(pairDaysKey(DAY), { contains: await containedOf(ofDay(DAY), { store }) });
    for await (const { key } of store.list(SUMMARIES_PREFIX)) {
        await rewrite(key);
    }
    for await (const { key } of store.list('ledger/')) {
        const record = JSON.parse(Buffer.from((await store.get(key))!.bytes).toString());
        const { duration_unit_by, rows_skipped, skipped, rejected, fingerprint, beginning, ...facts } = record;
        await store.put(key, Buffer.from(JSON.stringify({ ...facts, summary_format: FLOWS_FORMAT - 1 })));
    }
    const figures = async () => {
        const { stdout } = await run(
            '--output',
            'json',
            'query',
            'select flows, timed_flows, flow_duration_us_sum as us, flow_duration_us_max as longest, flow_duration_us_flow_mean as mean from pair_stats',
        );
        return JSON.parse(stdout);
    };
    return { run, upload, store, figures, folder };
}

const TIMED = { 'a.csv': flowCsv([{ duration: 5 }, { duration: 7 }]), 'b.csv': flowCsv([{ duration: 12 }]) };

test('answers as before until it is reconciled: all of its flows have a duration', async () => {
    const { figures } = await makeOldLake(TIMED);
    expect(await figures()).toEqual([{ flows: 3, timed_flows: 3, us: 24, longest: 12, mean: 8 }]);
});

test('takes a new file into an old day', async () => {
    const { figures, upload, run } = await makeOldLake(TIMED);
    await upload('c.csv', flowCsv([{ duration: '-' }, { duration: 16 }]));
    expect(await figures()).toEqual([{ flows: 5, timed_flows: 4, us: 40, longest: 16, mean: 10 }]);
    expect(await run('verify')).toMatchObject({ exitCode: 0 });
});

test('counts the flows that were rejects once it is reconciled', async () => {
    const { figures, run, store } = await makeOldLake(TIMED);
    // As if the file had had such a row all the time: format 2 made a reject of it.
    await store.put('raw/b.csv', Buffer.from(flowCsv([{ duration: 12 }, { duration: '' }])));
    expect((await run('reconcile')).exitCode).toBe(0);
    expect(await figures()).toEqual([{ flows: 4, timed_flows: 3, us: 24, longest: 12, mean: 8 }]);
    expect(await run('verify')).toMatchObject({ exitCode: 0 });
});

test('keeps what it has of a file that was pruned, beside files that are read anew, and verifies it', async () => {
    const { figures, run, upload, store } = await makeOldLake(TIMED);
    await store.delete('raw/a.csv');
    expect((await run('reconcile')).exitCode).toBe(0);
    await upload('c.csv', flowCsv([{ duration: '-' }]));
    expect(await figures()).toEqual([{ flows: 4, timed_flows: 3, us: 24, longest: 12, mean: 8 }]);
    expect(await run('verify', '--allow-pruned')).toMatchObject({ exitCode: 0 });
    expect(await run('explain', '192.0.2.1', '198.51.100.1', DAY)).toMatchObject({ exitCode: 0 });
    expect(await run('history', 'a.csv')).toMatchObject({ exitCode: 0 });
    const { exitCode } = await run('rebuild', '--from', DAY, '--to', DAY, '--anew');
    expect([exitCode, await figures()]).toEqual([0, [{ flows: 4, timed_flows: 3, us: 24, longest: 12, mean: 8 }]]);
});

test('has a source that was retracted before, which nothing reads anew and `verify` knows', async () => {
    const { run, figures } = await makeOldLake(TIMED);
    expect((await run('retract', 'a.csv')).exitCode).toBe(0);
    expect((await run('reconcile')).exitCode).toBe(0);
    expect(await run('verify')).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('damaged') });
    expect(await figures()).toEqual([{ flows: 1, timed_flows: 1, us: 12, longest: 12, mean: 12 }]);
});

/** What the commands say that answer from figures. */
const OLDER = /^Figures of 1 day \(2026-03-31\) are those of an older version, by its rules: flowlake reconcile reads their files anew/m;

const ANSWERS = [
    ['query', 'select flows from pair_days'],
    ['pairs'],
    ['anomalies'],
    ['export', '192.0.2.1', '198.51.100.1'],
    ['features', '--from', DAY, '--to', DAY],
    ['explain', '192.0.2.1', '198.51.100.1', DAY],
    ['rejects'],
    ['rebuild', '--from', DAY, '--to', DAY],
];

test.each(ANSWERS)('%s says in one line that the figures are due to be read anew, and nothing once they were', async (...words) => {
    const { run } = await makeOldLake(TIMED);
    const before = await run(...words);
    expect(before).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(OLDER) });
    expect((await run('reconcile')).exitCode).toBe(0);
    const after = await run(...words);
    expect([after.exitCode, after.stderr]).toEqual([0, before.stderr.replace(/^Figures of .*\n/, '')]);
});

test('a day that a new file went into still says that others of its files are due', async () => {
    const { run, upload } = await makeOldLake(TIMED);
    await upload('c.csv', flowCsv([{ duration: 16 }]));
    expect((await run('pairs')).stderr).toMatch(OLDER);
    expect((await run('rebuild', '--from', DAY, '--to', DAY, '--anew')).exitCode).toBe(0);
    expect((await run('pairs')).stderr).toMatch(OLDER);
    expect((await run('reconcile')).exitCode).toBe(0);
    expect((await run('pairs')).stderr).toBe('');
});

test('an upload into such a lake says it, and so do `doctor` and `status`', async () => {
    const { run, folder } = await makeOldLake(TIMED);
    await writeFile(join(folder, 'c.csv'), flowCsv([{ duration: 16 }]));
    expect(await run('upload', join(folder, 'c.csv'))).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(OLDER) });
    expect((await run('doctor')).stdout).toMatch(/figures +warning +those of 1 day \(2026-03-31\) are by the rules of an older version/);
    const status = await run('status');
    expect(status).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('2 sources as an older version read them (raw/a.csv, raw/b.csv)'),
    });
    expect(status.stderr).not.toContain('not in the figures yet');
});

test('a source that was pruned stays as it was read, and the line says which files are read anew', async () => {
    const { run, store } = await makeOldLake(TIMED);
    await store.delete('raw/a.csv');
    expect((await run('reconcile')).exitCode).toBe(0);
    expect((await run('pairs')).stderr).toMatch(/those that are still below raw\/$/m);
});

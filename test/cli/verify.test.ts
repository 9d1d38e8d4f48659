/** `verify` as a cron job and a person use it: its exit codes, what it says, and what --repair shows and does. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { containedOf } from '#lake/commit/period-state';
import { openDirectoryStore } from '#lake/store/directory';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { flowCsv } from '#test/support/flow-csv';
import { ofDay, pairDaysKey, readPairRows, writePairRows } from '#test/support/flow-tables';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

const DAY = '2026-03-31';

async function makeLake() {
    const folder = await makeFolder();
    const lake = join(folder, 'lake');
    await writeFile(join(folder, 'a.csv'), flowCsv([{}, { timestamp: '30/03/2026' }, { duration: 'NaN' }]));
    await writeFile(join(folder, 'b.csv'), flowCsv([{ duration: 7 }]));
    await runFlowlake('--lake lake upload --date-order dmy a.csv b.csv', { folder });
    return {
        folder,
        lake,
        store: openDirectoryStore(lake),
        verify: (...words: string[]) => runLine(['--lake', lake, 'verify', ...words], { world: fakeWorld({ now: () => new Date() }) }),
    };
}

async function addOnePacket({ store }: Awaited<ReturnType<typeof makeLake>>): Promise<void> {
    const key = pairDaysKey(DAY);
    const rows = await readPairRows((await store.get(key))!.bytes);
    rows.fwd_pkts_sum[0]! += 1n;
    await store.put(key, writePairRows(rows, { contains: await containedOf(ofDay(DAY), { store }) }));
}

test('0 where all is equal, 1 where something differs, 3 where nothing does and not all could be checked', async () => {
    const lake = await makeLake();
    expect(await lake.verify()).toMatchObject({ exitCode: 0, stdout: '', stderr: expect.stringMatching(/: all equal\n$/) });
    await rm(join(lake.lake, 'raw/b.csv'));
    expect(await lake.verify()).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(/raw\/b\.csv is gone.*\n.*not everything could be checked/),
    });
    expect((await lake.verify('--allow-pruned')).exitCode).toBe(0);
    await addOnePacket(lake);
    expect((await lake.verify('--allow-pruned')).exitCode).toBe(1);
    expect((await lake.verify('--from', '2026-03-01', '--to', '2026-03-30')).exitCode).toBe(0);
});

test('each kind of difference is explained once, below the table', async () => {
    const lake = await makeLake();
    await addOnePacket(lake);
    await writeFile(join(lake.lake, `pair_days/day=${DAY}/part-01.parquet`), 'x');
    const { stdout, stderr } = await lake.verify();
    expect(stdout).toMatch(/orphan .*part-01\.parquet/);
    expect(stdout).toMatch(/pair_day .* fwd_pkts_sum +7 +6/);
    expect(stderr).toMatch(
        /^orphan: an object that nothing in the ledger explains.*\npair_day: a figure of a pair’s day is not what the raw files say\n/,
    );
});

test('--repair --dry-run shows figure by figure what would change, and changes nothing', async () => {
    const lake = await makeLake();
    await addOnePacket(lake);
    const before = await lake.store.head(pairDaysKey(DAY));
    const { exitCode, stdout, stderr } = await lake.verify('--repair', '--dry-run');
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/2026-03-31 +fwd_pkts_sum +7 +6/)]);
    expect(stderr).toContain(`Would build anew ${DAY}\n`);
    expect(await lake.store.head(pairDaysKey(DAY))).toEqual(before);
    expect((await lake.verify('--dry-run')).exitCode).toBe(2);
});

test('--repair mends it, verifies it again, and leaves a lake that is equal', async () => {
    const lake = await makeLake();
    await addOnePacket(lake);
    const [rejects = ''] = await readdir(join(lake.lake, 'rejects'));
    await rm(join(lake.lake, 'rejects', rejects));
    await writeFile(join(lake.lake, 'raw/hand.csv'), flowCsv([{ timestamp: '29/03/2026' }]));
    const { exitCode, stderr } = await lake.verify('--repair');
    expect(stderr).toMatch(
        /Will read raw\/hand\.csv\nWill read once more, under a new version, raw\/a\.csv\nWill build anew 2026-03-29, 2026-03-31\nRepaired: read 2 files, deleted 0 objects, built 3 days\nVerified again what was repaired: all equal\n$/,
    );
    expect(exitCode).toBe(0);
    expect(await lake.verify()).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('3 sources') });
    expect(await readdir(join(lake.lake, '.flowlake/running'))).toEqual([]);
});

test('what only a backup mends is said, and stays exit code 1', async () => {
    const lake = await makeLake();
    const raw = join(lake.lake, 'raw/b.csv');
    await rm(raw);
    const day = join(lake.lake, `summaries/day=${DAY}`);
    for (const name of await readdir(day)) {
        const text = await readFile(join(day, name));
        await writeFile(join(day, name), text.subarray(0, 100));
    }
    const { exitCode, stderr } = await lake.verify('--repair');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
        /Cannot mend, restore from a backup: raw\/b\.csv\nLeft as they are, the last trace of a lost file: 2026-03-31\n/,
    );
    expect(stderr).toMatch(/Still: damaged raw\/b\.csv 2026-03-31/);
});

test('a lake that needs no repair is told so', async () => {
    const lake = await makeLake();
    expect(await lake.verify('--repair')).toMatchObject({
        exitCode: 0,
        stderr: expect.stringContaining('There is nothing that a repair would do'),
    });
});

import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { doctor } from '#cli/commands/doctor/command';
import { addCertificate, revokeCredentials } from '#lake/credentials';
import type { DirectoryFacts } from '#lake/doctor/directory-facts';
import { judgeDirectory } from '#lake/doctor/directory-findings';
import { pairDays } from '#lake/flows/tables';
import { kinds } from '#lake/kinds';
import { authorityFolder, openAuthority } from '#lake/serve/certificates';
import { openControl } from '#lake/serve/control';
import { openInbox } from '#lake/serve/inbox';
import { openInboxDatabase } from '#lake/serve/inbox-database';
import { liveFile, liveFolder } from '#lake/serve/live-files';
import { openDirectoryStore } from '#lake/store/directory';
import { makeFolder } from '#test/support/temporary';
import { fakeWorld, runLine } from './fake-surroundings.ts';
import { makeLake } from './small-lake.ts';

const commands = [doctor];

async function examine(directory: string, now = () => new Date()) {
    const ran = await runLine(['--lake', directory, '--output', 'json', 'doctor'], { world: fakeWorld({ now }), commands });
    const rows: { check: string; result: string; found: string; what_to_do: string | null }[] = JSON.parse(ran.stdout);
    return { ...ran, rows, of: (check: string) => rows.find((row) => row.check === check) };
}

/** A check for each kind's figures. */
const STRAYS = kinds.flatMap(({ merged, derived = [] }, at) => [
    at === 0 ? 'stray files' : `stray files of ${merged.name}`,
    ...derived.map(({ table }) => `stray files of ${table.name}`),
]);

test('a lake that is well: every check says so, exit code 0, nothing is changed', async () => {
    const directory = await makeLake({ days: [{ day: '2026-01-05' }] });
    const before = await readdir(directory, { recursive: true });
    const { exitCode, rows, stderr } = await examine(directory);
    expect(rows.map(({ check, result, what_to_do }) => [check, result, what_to_do])).toEqual(
        ['folder', 'lock', 'undone work', 'free space', 'sources', 'figures', ...STRAYS, 'clock'].map((check) => [check, 'ok', null]),
    );
    expect([exitCode, stderr]).toEqual([0, '0 problems, 0 warnings\n']);
    expect(await readdir(directory, { recursive: true })).toEqual(before);
});

test('a problem is told with what to do, and exit code 1, as a table too', async () => {
    const directory = await makeLake({ days: [{ day: '2026-01-05' }] });
    await writeFile(join(directory, 'pair_days/day=2026-01-05/part-00 (copy).parquet'), 'x');
    const { exitCode, of } = await examine(directory);
    expect(exitCode).toBe(1);
    expect(of('stray files')).toMatchObject({ result: 'problem', what_to_do: expect.stringContaining('move them out') });
    const table = await runLine(['--lake', directory, 'doctor'], { commands });
    expect(table.stdout).toMatch(/^stray files +problem +pair_days\/day=2026-01-05\/part-00 \(copy\).parquet +move them out/m);
    expect(table.stderr).toMatch(/^1 problem, /);
});

test('work that was cut off, and who has the lock', async () => {
    const directory = await makeLake({ days: [{ day: '2026-01-05' }] });
    const own = join(directory, '.flowlake');
    await mkdir(join(own, 'running'), { recursive: true });
    await mkdir(join(own, 'lock'), { recursive: true });
    await writeFile(join(own, 'running/999999-x'), `${hostname()} 999999 1`);
    await writeFile(join(own, 'lock/7'), `${hostname()} 999999 1`);
    const { exitCode, of } = await examine(directory);
    expect(exitCode).toBe(1);
    expect(of('undone work')).toMatchObject({ result: 'problem', what_to_do: expect.stringContaining('reconcile') });
    expect(of('lock')).toMatchObject({ result: 'ok', found: expect.stringContaining('process 999999') });
    await writeFile(join(own, 'lock/8'), 'elsewhere 12 1');
    expect((await examine(directory)).of('lock')).toMatchObject({
        result: 'warning',
        found: 'process 12 on elsewhere holds it, which cannot be asked from here',
    });
    await writeFile(join(own, 'lock/8.over'), '');
    expect((await examine(directory)).of('lock')).toMatchObject({ result: 'ok', found: 'nobody holds it' });
});

test('figures that were written in the future: a clock is wrong', async () => {
    const directory = await makeLake({ days: [{ day: '2026-01-05' }] });
    const { exitCode, of } = await examine(directory, () => new Date('2020-01-01'));
    expect(of('clock')).toMatchObject({ result: 'warning', what_to_do: expect.stringContaining('clock') });
    expect(exitCode).toBe(0);
});

describe('where there is no lake', () => {
    test('a folder that is missing, and a file in its place, are said', async () => {
        const folder = await makeFolder();
        await writeFile(join(folder, 'file'), '');
        const missing = await examine(join(folder, 'none'));
        expect([missing.exitCode, missing.rows.map(({ found }) => found)]).toEqual([1, [`there is no folder ${join(folder, 'none')}`]]);
        const file = await examine(join(folder, 'file'));
        expect([file.exitCode, file.rows.map(({ found }) => found)]).toEqual([
            1,
            [`${join(folder, 'file')} is a file; a lake is a directory`],
        ]);
    });

    test('none that is named is wrong usage', async () => {
        expect(await runLine(['doctor'], { commands })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Which lake?') });
    });
});

describe('a lake that was served', () => {
    const LIVE = ['served', 'secrets', 'server certificate', 'device certificates', 'MQTT 5', 'space for the inbox', 'inbox'];
    let directory: string;

    beforeEach(async () => {
        directory = await makeLake({ days: [{ day: '2026-01-05' }] });
        await openAuthority(authorityFolder(directory), { now: new Date() });
    });

    async function fillInbox(payloads: readonly string[]): Promise<void> {
        const inbox = await openInbox(liveFile(directory, 'inbox.sqlite'), { now: () => new Date(), endOfChain: async () => '0' });
        await Promise.all(
            payloads.map((payload) => inbox.append({ arrivedMs: 1, way: 'http', device: 'd-1', payload: Buffer.from(payload) })),
        );
        await inbox.close();
    }

    async function addDeviceCertificate(device: string, days: number, { isRevoked = false } = {}): Promise<void> {
        const store = openDirectoryStore(directory);
        const not_after = new Date(Date.now() + days * 86_400_000).toISOString();
        const fingerprint = createHash('sha256').update(`${device} ${days}`).digest('hex');
        await addCertificate(store, device, { fingerprint, serial: '1', not_after, added: new Date(0).toISOString() });
        if (isRevoked) {
            await revokeCredentials(store, device, { what: 'all', now: new Date() });
        }
    }

    test('and is well: every check says so, and nothing is changed', async () => {
        await fillInbox([]);
        const before = await readdir(directory, { recursive: true });
        const { exitCode, rows, of } = await examine(directory);
        expect(rows.slice(-LIVE.length).map(({ check, result }) => [check, result])).toEqual(LIVE.map((check) => [check, 'ok']));
        expect(of('served')?.found).toBe('nobody serves it now');
        expect(of('MQTT 5')?.found).toContain('CONNACK 0x84');
        expect(exitCode).toBe(0);
        expect(await readdir(directory, { recursive: true })).toEqual(before);
    });

    test('by a process now: it is asked, and its inbox is left to it', async () => {
        await fillInbox(['1']);
        const control = await openControl(directory, async () => ({}));
        const { of } = await examine(directory);
        await control?.close();
        expect(of('served')).toMatchObject({ result: 'ok', found: 'a process serves it' });
        expect(of('inbox')).toBeUndefined();
    });

    test('by a process that answers with an error: whether it serves could not be checked', async () => {
        const control = await openControl(directory, async () => {
            throw new Error('it is ill');
        });
        const { of } = await examine(directory);
        await control?.close();
        expect(of('served')).toMatchObject({ result: 'could not check', what_to_do: expect.stringContaining('it is ill') });
    });

    test('messages in an inbox that nobody serves, and an inbox that is none', async () => {
        await fillInbox(['1', '2']);
        expect((await examine(directory)).of('inbox')).toMatchObject({
            result: 'warning',
            found: '2 messages of devices in it, which may be in no table yet, and nobody serves it',
            what_to_do: expect.stringContaining('flowlake serve'),
        });
        // What a process that was killed had committed stands in the log alone.
        const killed = openInboxDatabase(liveFile(directory, 'inbox.sqlite'));
        killed.exec("insert into messages (facts, payload) values ('{}', x'33')");
        expect((await examine(directory)).of('inbox')?.found).toMatch(/^3 messages/);
        killed.close();
        await writeFile(liveFile(directory, 'inbox.sqlite'), 'x'.repeat(5_000));
        expect((await examine(directory)).of('inbox')).toMatchObject({
            result: 'could not check',
            what_to_do: expect.stringContaining('it is no database'),
        });
    });

    test('a folder and a key that others can read', async () => {
        const [folder, key] = [liveFolder(directory), join(authorityFolder(directory), 'ca.key')];
        await chmod(folder, 0o755);
        await chmod(key, 0o640);
        const { exitCode, rows } = await examine(directory);
        expect(exitCode).toBe(1);
        expect(rows.filter(({ check }) => check === 'secrets')).toMatchObject([
            {
                result: 'problem',
                found: `others than its owner can look into ${folder}`,
                what_to_do: expect.stringContaining(`chmod 700 ${folder}`),
            },
            { result: 'problem', found: `others than its owner can read ${key}`, what_to_do: expect.stringContaining(`chmod 600 ${key}`) },
        ]);
    });

    test('the server’s certificate: missing, held, about to end, ended, damaged', async () => {
        const at = async (days = 0) => (await examine(directory, () => new Date(Date.now() + days * 86_400_000))).of('server certificate');
        expect(await at()).toMatchObject({ result: 'ok', found: 'the first serve makes it' });
        const authority = await openAuthority(authorityFolder(directory), { now: new Date() });
        await authority.server({ names: ['localhost'], now: new Date() });
        expect(await at(366)).toMatchObject({ result: 'ok', found: expect.stringMatching(/^it holds until 20/) });
        expect(await at(368)).toMatchObject({ result: 'ok', found: expect.stringMatching(/^it ends on .*: the next serve makes another/) });
        const control = await openControl(directory, async () => ({}));
        expect(await at(368)).toMatchObject({ result: 'warning', what_to_do: expect.stringContaining('restart it') });
        expect(await at(400)).toMatchObject({ result: 'warning', found: expect.stringMatching(/^it ended on/) });
        await control?.close();
        await writeFile(join(authorityFolder(directory), 'server.crt'), 'x');
        expect(await at()).toMatchObject({ result: 'could not check', what_to_do: expect.stringContaining('is no certificate') });
    });

    test('devices whose last certificate has ended, or ends soon', async () => {
        await addDeviceCertificate('well', 100);
        await addDeviceCertificate('renewed', 10);
        await addDeviceCertificate('renewed', 1_000);
        await addDeviceCertificate('revoked', 10, { isRevoked: true });
        expect((await examine(directory)).of('device certificates')).toMatchObject({
            result: 'ok',
            found: '2 devices have one that holds for longer than 30 days',
        });
        for (const device of ['d-4', 'd-2', 'd-3', 'd-1']) {
            await addDeviceCertificate(device, 29);
        }
        await addDeviceCertificate('old', -1);
        const { exitCode, rows } = await examine(directory);
        expect(exitCode).toBe(0);
        expect(rows.filter(({ check }) => check === 'device certificates')).toMatchObject([
            { result: 'warning', found: 'of old: the last one has ended', what_to_do: expect.stringContaining('device add old --out DIR') },
            {
                result: 'warning',
                found: 'of d-1, d-2, d-3 and 1 more: the last one ends within 30 days',
                what_to_do: expect.stringContaining('device add d-1 --out DIR'),
            },
        ]);
    });

    test('credentials that are damaged: could not be checked', async () => {
        await mkdir(join(directory, 'credentials'));
        await writeFile(join(directory, 'credentials/d-1.json'), '{');
        expect((await examine(directory)).of('device certificates')).toMatchObject({
            result: 'could not check',
            what_to_do: expect.stringContaining('credentials/d-1.json'),
        });
    });
});

/** What a test cannot bring about on every machine: no rights, a full disk. */
describe('the folder and its disk', () => {
    const well: DirectoryFacts = {
        directory: '/lake',
        access: { kind: 'found', value: { isFolder: true, isReadable: true, isWritable: true } },
        lock: { kind: 'missing' },
        freeBytes: { kind: 'found', value: 50e9 },
        days: new Map([[pairDays, { kind: 'found', value: { days: [], strays: [], newestAt: undefined } }]]),
        olderFigures: { kind: 'found', value: { days: [], isAll: true } },
        sources: { kind: 'found', value: { lost: [], twins: [] } },
        cutOff: 0,
        live: undefined,
    };
    const resultOf = (check: string, change: Partial<DirectoryFacts>) =>
        judgeDirectory({ ...well, ...change }, { now: new Date() })
            .filter((finding) => finding.check === check)
            .map(({ result }) => result);

    test('read-only is a warning, unreadable a problem', () => {
        const access = (isReadable: boolean, isWritable: boolean) =>
            ({ access: { kind: 'found', value: { isFolder: true, isReadable, isWritable } } }) as const;
        expect(resultOf('folder', access(true, false))).toEqual(['warning']);
        expect(resultOf('folder', access(false, true))).toEqual(['problem']);
    });

    test('little space is a warning, hardly any a problem', () => {
        const free = (value: number) => ({ freeBytes: { kind: 'found', value } }) as const;
        expect([1e9, 1e8, 50e9].map((bytes) => resultOf('free space', free(bytes)))).toEqual([['warning'], ['problem'], ['ok']]);
    });

    test('what cannot be told is no problem and not well', () => {
        const unreadable = { kind: 'unreadable', code: undefined, why: 'cannot list pair_days/' } as const;
        expect(resultOf('stray files', { days: new Map([[pairDays, unreadable]]) })).toEqual(['could not check']);
        expect(resultOf('lock', { lock: unreadable })).toEqual(['could not check']);
    });
});

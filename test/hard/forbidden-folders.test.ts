/** Folders that the user may not write to, or not read: one clear error, nothing half done, and what may be read is answered. */
import { spawnSync } from 'node:child_process';
import { chmod, chown, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { startFlowlake } from '#test/support/flowlake';
import { drawText, openChance } from './support/flow-texts.ts';
import { openTextLake, type TextLake } from './support/lake-of-texts.ts';

// Nothing is forbidden to root: then another user is asked to try, if it may read the program at all.
const somebody = process.getuid?.() === 0 ? { as: 65_534 } : {};
const why = whyNobodyElse();

const NAMES = ['a.csv', 'b.csv'];

(why === undefined ? describe : describe.skip)(`folders that are forbidden${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
    test('a lake that may only be read answers questions, and takes nothing in', async () => {
        const { lake, second } = await startLake();
        await forbid(lake.directory, { everything: 0o555 });
        const before = await readdir(lake.directory, { recursive: true });
        for (const words of [['status'], ['pairs'], ['verify'], ['query', 'select count(*) from pair_days'], ['reconcile', '--dry-run']]) {
            const { exitCode, stderr } = await lake.run(words, somebody);
            expect(`${words[0]} ${exitCode} ${exitCode === 0 ? '' : stderr}`).toBe(`${words[0]} 0 `);
        }
        for (const words of [
            ['upload', second.folder],
            ['retract', 'a.csv'],
            ['reconcile'],
            ['rebuild', '--from', '2026-01-01', '--to', '2026-01-31'],
        ]) {
            const { exitCode, stderr } = await lake.run(words, somebody);
            expect({ words, exitCode, stderr }).toEqual({
                words,
                exitCode: 1,
                stderr: expect.stringContaining('no permission; check who owns the folder'),
            });
        }
        expect(await readdir(lake.directory, { recursive: true })).toEqual(before);
        await forbid(lake.directory, { everything: 0o777 });
        await lake.assertRight(NAMES);
    });

    test('a lake that was served and may only be read tells of its devices, and is not served', async () => {
        const { lake } = await startLake();
        expect((await lake.run(['device', 'add', 'th-1', '--profile', 'plain-json'])).exitCode).toBe(0);
        const serving = startFlowlake(['--lake', 'lake', 'serve', '--mqtt-port', '0', '--http-port', '0'], { folder: lake.folder });
        await new Promise<void>((resolve) => {
            serving.stderr?.on('data', (piece: Buffer) => piece.includes('Ctrl-C ends it') && resolve());
        });
        serving.kill('SIGINT');
        await new Promise((resolve) => serving.once('exit', resolve));
        await forbid(lake.directory, { everything: 0o555 });
        await chmod(join(lake.directory, '.flowlake/live/state.sqlite'), 0o400);
        for (const words of [['status'], ['latest'], ['latest', 'th-1']]) {
            const { exitCode, stderr } = await lake.run(words, somebody);
            expect(`${words.join(' ')} ${exitCode} ${exitCode === 0 ? '' : stderr}`).toBe(`${words.join(' ')} 0 `);
        }
        expect(await lake.run(['serve', '--mqtt-port', '0', '--http-port', '0'], somebody)).toMatchObject({
            exitCode: 1,
            stderr: expect.stringContaining('check who owns the folder'),
        });
        await forbid(lake.directory, { everything: 0o777 });
    });

    // Each alone: the upload comes as far as that folder.
    test.each(['raw', 'summaries', 'ledger', 'pair_days', '.flowlake/tmp', '.flowlake/lock', '.flowlake/objects', '.flowlake/running'])(
        'a lake whose folder %s may not be written to says so, and is right once it may',
        async (part) => {
            const { lake, second } = await startLake();
            await forbid(lake.directory, { everything: 0o777 });
            await forbid(join(lake.directory, part), { everything: 0o555 });
            const { exitCode, stderr } = await lake.run(['upload', second.folder], somebody);
            expect({ exitCode, stderr }).toEqual({
                exitCode: 1,
                stderr: expect.stringContaining('no permission; check who owns the folder'),
            });
            await forbid(lake.directory, { everything: 0o777 });
            expect((await lake.run(['reconcile'], somebody)).exitCode).toBe(0);
            expect((await lake.run(['upload', second.folder], somebody)).exitCode).toBe(0);
            expect((await lake.states(['b.csv'])).get('b.csv')).toBe(lake.digestOf(second.text));
            await lake.assertRight(NAMES);
        },
    );

    test.each(['raw', 'summaries', 'ledger', 'pair_days'])(
        'a lake whose folder %s may not be read is never taken for an empty one',
        async (part) => {
            const { lake, second } = await startLake();
            await forbid(lake.directory, { everything: 0o777 });
            await chmod(join(lake.directory, part), 0);
            for (const words of [['status'], ['verify'], ['reconcile'], ['upload', second.folder]]) {
                const { exitCode, stderr } = await lake.run(words, somebody);
                expect({ words, exitCode, stderr }).toEqual({ words, exitCode: 1, stderr: expect.stringContaining('no permission') });
            }
            await chmod(join(lake.directory, part), 0o777);
            expect((await lake.run(['upload', second.folder], somebody)).exitCode).toBe(0);
            await lake.assertRight(NAMES);
        },
    );
});

/** A lake with a.csv in it, which was corrected once, and a folder with b.csv to upload. */
async function startLake(): Promise<{ lake: TextLake; second: { text: string; folder: string } }> {
    const lake = await openTextLake();
    const chance = openChance(1);
    // Of six days each, so that they meet on some.
    const draw = () => drawText(chance, { rows: 40, days: 6 });
    for (const words of [['upload'], ['upload', '--replace']]) {
        expect((await lake.run([...words, await lake.write({ 'a.csv': draw() })])).exitCode).toBe(0);
    }
    const text = draw();
    const folder = await lake.write({ 'b.csv': text });
    await openWay(lake.folder);
    await openWay(join(folder, '..'));
    return { lake, second: { text, folder } };
}

/** Folders for tests are their maker's alone. */
async function openWay(folder: string): Promise<void> {
    await chmod(folder, 0o755);
}

/** The folder and all folders below it; all belongs to the user who is to try. */
async function forbid(folder: string, { everything }: { everything: number }): Promise<void> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const owner = somebody.as ?? process.getuid?.() ?? 0;
    for (const entry of entries) {
        const path = join(entry.parentPath, entry.name);
        await chown(path, owner, owner);
        if (entry.isDirectory()) {
            await chmod(path, everything);
        }
    }
    await chown(folder, owner, owner);
    await chmod(folder, everything);
}

function whyNobodyElse(): string | undefined {
    if (process.getuid === undefined) {
        return 'this system knows no permissions as these';
    }
    const program = fileURLToPath(new URL('../../dist/flowlake.js', import.meta.url));
    const { status, error, stderr } = spawnSync(process.execPath, [program, '--version'], {
        encoding: 'utf8',
        ...(somebody.as !== undefined && { uid: somebody.as, gid: somebody.as }),
    });
    return status === 0 ? undefined : `user ${somebody.as} cannot run the program: ${error?.message ?? stderr.trim().split('\n').at(0)}`;
}

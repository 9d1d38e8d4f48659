/** The store in a directory under real processes: many at once, killed at any moment, and refused by the system. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { isAlive, ownName, withLock } from '#lake/store/directory-lock';
import type { Counts } from '#test/support/count-up';
import { makeFolder } from '#test/support/temporary';
import type { StoreOutcome } from '#test/support/use-store';

const COUNT_UP = fileURLToPath(new URL('../../support/count-up.ts', import.meta.url));
const HOLD_LOCK = fileURLToPath(new URL('../../support/hold-lock.ts', import.meta.url));
const USE_STORE = fileURLToPath(new URL('../../support/use-store.ts', import.meta.url));

/** `FLOWLAKE_TEST_RUNS=20` kills twenty times as many. */
const RUNS = Number(process.env.FLOWLAKE_TEST_RUNS ?? 1);

/** Nothing is forbidden to root: then another user is asked to try. */
const somebody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

const children: ChildProcess[] = [];

afterEach(() => {
    for (const child of children.splice(0)) {
        child.kill('SIGKILL');
    }
});

function start(script: string, argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn(process.execPath, [script, ...argv], { stdio: ['pipe', 'pipe', 'inherit'], ...options });
    children.push(child);
    return child;
}

describe('processes at work on one object', () => {
    test(
        'lose no increment and leave no lock behind, whenever they are killed',
        async () => {
            const folder = await makeFolder();
            /** What each process knows to have counted. */
            const known = new Map<number, number>();
            const startCounting = async (times: number): Promise<ChildProcess> => {
                const child = start(COUNT_UP, [folder, String(times)]);
                child.stdout?.on('data', (chunk: Buffer) => {
                    const lines = chunk.toString().split('\n').length - 1;
                    known.set(child.pid ?? 0, (known.get(child.pid ?? 0) ?? 0) + lines);
                });
                await once(child.stdout ?? child, 'data');
                return child;
            };
            const counting = await Promise.all([startCounting(1e9), startCounting(1e9), startCounting(1e9)]);
            for (let kill = 0; kill < 12 * RUNS; kill += 1) {
                await sleep(Math.random() * 40);
                const victim = kill % counting.length;
                counting[victim]?.kill('SIGKILL');
                counting[victim] = await startCounting(1e9);
            }
            for (const child of counting) {
                child.kill('SIGKILL');
                await once(child, 'close');
            }
            // A lock that a killed process kept would hold this one up until the test's time is over.
            const last = await startCounting(5);
            expect(last.exitCode ?? (await once(last, 'close'))[0]).toBe(0);
            const counts: Counts = JSON.parse(await readFile(join(folder, 'ledger/counter.json'), 'utf8'));
            expect(counts[last.pid ?? 0]).toBe(5);
            // A process may be killed between its write and the line that says so.
            const lost = [...known].filter(([pid, times]) => (counts[pid] ?? 0) < times || (counts[pid] ?? 0) > times + 1);
            expect(lost).toEqual([]);
            expect(known.size).toBe(4 + 12 * RUNS);
        },
        30_000 + 20_000 * RUNS,
    );

    test('take turns, also where one was slow to act on what it saw', async () => {
        const folder = await makeFolder();
        const child = start(HOLD_LOCK, [folder]);
        const said = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
        const goOn = (): unknown => child.stdin?.write('\n');
        expect((await said.next()).value).toBe('looked');
        await withLock(folder, async () => undefined);
        goOn();
        expect((await said.next()).value).toBe('inside');
        // The turn that it saw to be free was taken and given up meanwhile: with that one, the next would come in at once.
        expect(await readdir(folder)).toEqual(['1.over', '2']);
        goOn();
        await once(child, 'close');
        expect(await readdir(folder)).toEqual(['1.over', '2.over']);
    });

    test('work one at a time, however many of one process want to', async () => {
        const folder = await makeFolder();
        let inside = 0;
        let most = 0;
        const work = async (): Promise<void> => {
            inside += 1;
            most = Math.max(most, inside);
            // Longer than any of the others takes to come in.
            await lookOften(folder);
            inside -= 1;
        };
        await Promise.all(Array.from({ length: 6 }, () => withLock(folder, work)));
        expect(most).toBe(1);
    });

    test('leave no more than the last turns behind, however many there were', async () => {
        const folder = await makeFolder();
        for (let turn = 0; turn < 200; turn += 1) {
            await withLock(folder, async () => undefined);
        }
        const names = await readdir(folder);
        expect(names).toContain('200.over');
        expect(names.length).toBeLessThan(100);
    });

    test('wait for another process that is inside, and come in after it', async () => {
        const folder = await makeFolder();
        const child = start(HOLD_LOCK, [folder]);
        const said = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
        expect((await said.next()).value).toBe('looked');
        child.stdin?.write('\n');
        expect((await said.next()).value).toBe('inside');
        let isIn = false;
        const mine = withLock(folder, async () => {
            isIn = true;
        });
        await lookOften(folder);
        expect(isIn).toBe(false);
        child.stdin?.write('\n');
        await mine;
        expect(isIn).toBe(true);
    });

    test('know each other by what their names say, also where they belong to somebody else', async () => {
        const lock = new URL('../../../lake/store/directory-lock.ts', import.meta.url).href;
        const ask = `const { isAlive } = await import(process.argv[1]); console.log(isAlive(process.argv[2]));`;
        const name = ownName();
        const child = spawn(process.execPath, ['--input-type=module', '-e', ask, lock, name], {
            stdio: ['ignore', 'pipe', 'inherit'],
            ...somebody,
        });
        children.push(child);
        // The system says no more of a process of another user than that it may not be asked.
        expect(await text(child.stdout)).toBe('true\n');
        const [host, pid, start] = name.split(' ');
        expect(isAlive(`${host} ${pid} 1`)).toBe(false);
        expect(isAlive(`another-${host} ${pid} ${start}`)).toBeUndefined();
        expect(isAlive('')).toBeUndefined();
    });

    (existsSync('/proc/self/stat') ? test : test.skip)(
        'are gone once they have ended, also where their parent never asks about them',
        async () => {
            // The shell becomes another program, which knows nothing of the shell's child.
            const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
            children.push(parent);
            const pid = (await createInterface({ input: parent.stdout })[Symbol.asyncIterator]().next()).value;
            const fields = async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
            const name = `${hostname()} ${pid} ${(await fields())[19]}`;
            while ((await fields())[0] !== 'Z') {
                await sleep(20);
            }
            expect(isAlive(name)).toBe(false);
        },
    );
});

/** Many times the file calls that it takes to come in. */
async function lookOften(folder: string): Promise<void> {
    for (let looks = 0; looks < 100; looks += 1) {
        await readdir(folder);
    }
}

describe('what the system refuses', () => {
    async function use(argv: readonly string[], { shell = 'exec "$@"' }: { shell?: string } = {}): Promise<StoreOutcome> {
        const child = spawn('sh', ['-c', shell, 'sh', process.execPath, USE_STORE, ...argv], {
            stdio: ['ignore', 'pipe', 'inherit'],
            ...somebody,
        });
        children.push(child);
        const pieces: Buffer[] = [];
        child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
        await once(child, 'close');
        return JSON.parse(Buffer.concat(pieces).toString());
    }

    function refusal(message: string): StoreOutcome {
        return { error: { name: 'StorageError', message: expect.stringContaining(message) as unknown as string } };
    }

    test('a folder that may not be written to is one clear error', async () => {
        const folder = await makeFolder();
        await chmod(folder, 0o555);
        expect(await use([folder, 'put', 'raw/a.csv', '3'])).toEqual(
            refusal(`cannot write raw/a.csv in ${folder}: no permission; check who owns the folder`),
        );
        expect(await readdir(folder)).toEqual([]);
    });

    test('a part of the lake that may not be written to leaves nothing half done', async () => {
        const folder = await makeFolder();
        await mkdir(join(folder, 'raw'), { mode: 0o555 });
        await chmod(folder, 0o777);
        expect(await use([folder, 'put', 'raw/a.csv', '3'])).toEqual(refusal('no permission'));
        expect(await filesIn(folder)).toEqual([]);
    });

    test('a lake that may only be read can be read', async () => {
        const folder = await makeFolder();
        await mkdir(join(folder, 'raw'));
        await writeFile(join(folder, 'raw/a.csv'), 'by hand');
        await chmod(folder, 0o555);
        const first = await use([folder, 'head', 'raw/a.csv']);
        expect(first.info).toMatchObject({ key: 'raw/a.csv', sizeBytes: 7 });
        expect(await use([folder, 'head', 'raw/a.csv'])).toEqual(first);
        expect(await filesIn(folder)).toEqual(['raw/a.csv']);
    });

    test('a file that may not be read is not a missing one', async () => {
        const folder = await makeFolder();
        await mkdir(join(folder, 'raw'));
        await writeFile(join(folder, 'raw/a.csv'), 'secret', { mode: 0 });
        await chmod(folder, 0o755);
        expect(await use([folder, 'head', 'raw/a.csv'])).toEqual(refusal(`cannot read raw/a.csv in ${folder}: no permission`));
    });

    test('a file larger than the system takes is one clear error, and nothing is left', async () => {
        const folder = await makeFolder();
        await chmod(folder, 0o777);
        expect(await use([folder, 'put', 'raw/a.csv', String(1 << 20)], { shell: 'ulimit -f 16 && exec "$@"' })).toEqual(
            refusal(`cannot write raw/a.csv in ${folder}: the file is larger than this system allows`),
        );
        expect(await filesIn(folder)).toEqual([]);
    });
});

async function filesIn(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/**
 * A lock between the processes of one machine that outlives none of them: a holder that was killed loses it at once.
 *
 * Why not one lock file that is removed: whoever takes a dead holder's file away may take away the next holder's by then. Here
 * turns are numbered and never reused: the highest number is the turn that counts, a turn is over when its file is renamed to
 * `<n>.over` or its process is gone, and only one process can create the next number.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A holder on another machine cannot be asked whether it lives: the lock is its for this long. */
const UNKNOWN_HOLDER_MS = 30_000;

/** What a process that was killed while it took a turn leaves behind. */
const STRAY_PREFIX = 'new-';

const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** Old turns stay a while so that a process that listed them long ago meets a higher number, whatever it does next. */
const KEPT_TURNS = 32;

/** Runs `work` while no other holder of the same folder does. */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const turn = await takeTurn(folder);
    try {
        return await work();
    } finally {
        await rename(join(folder, String(turn)), join(folder, `${turn}.over`));
        await removeOldTurns(folder, turn);
    }
}

async function takeTurn(folder: string): Promise<number> {
    await mkdir(folder, { recursive: true });
    for (;;) {
        const last = await lastTurn(folder);
        if (last.isOpen && (await isHeld(join(folder, String(last.number))))) {
            await sleep(1 + Math.random() * 4);
            continue;
        }
        const mine = last.number + 1;
        const path = join(folder, String(mine));
        if (!(await create(path))) {
            continue;
        }
        // Since the first look, others may have had this very turn (the name is free again when it is over) or later ones.
        const now = await lastTurn(folder);
        if (now.number === mine && now.isOpen) {
            return mine;
        }
        await rm(path, { force: true });
    }
}

/**
 * True if the file was made, which only one process can do. It has its holder's name in it from the first moment: a process killed between
 * the two would be nobody's, and held for as long as an unknown holder is.
 */
async function create(path: string): Promise<boolean> {
    const named = join(dirname(path), `${STRAY_PREFIX}${randomUUID()}`);
    await writeFile(named, await ownName());
    try {
        await link(named, path);
        return true;
    } catch (error) {
        if (errorCode(error) === 'EEXIST' || errorCode(error) === 'ENOENT') {
            return false;
        }
        if (NO_HARD_LINKS.includes(errorCode(error) ?? '')) {
            return createUnnamed(path);
        }
        throw error;
    } finally {
        await rm(named, { force: true });
    }
}

/** Makes the file on file systems without hard links (exFAT, some network folders). */
async function createUnnamed(path: string): Promise<boolean> {
    try {
        await writeFile(path, await ownName(), { flag: 'wx' });
        return true;
    } catch (error) {
        if (errorCode(error) === 'EEXIST') {
            return false;
        }
        throw error;
    }
}

async function lastTurn(folder: string): Promise<{ number: number; isOpen: boolean }> {
    let last = { number: 0, isOpen: false };
    for (const name of await readdir(folder)) {
        const number = Number.parseInt(name, 10);
        if (number > last.number || (number === last.number && name.endsWith('.over'))) {
            last = { number, isOpen: !name.endsWith('.over') };
        }
    }
    return last;
}

async function isHeld(path: string): Promise<boolean> {
    try {
        const name = await readFile(path, 'utf8');
        const isAlive = isProcessAlive(name, await startOf(name));
        return isAlive ?? (await ageOf(path)) < UNKNOWN_HOLDER_MS;
    } catch (error) {
        if (errorCode(error) === 'ENOENT') {
            return false;
        }
        throw error;
    }
}

/**
 * Names this process as no other is or will be named: host, process id and (where the system tells) when it started, since process ids come
 * back, in containers very soon.
 */
export async function ownName(): Promise<string> {
    return `${hostname()} ${process.pid} ${await startTicks(process.pid)}`;
}

/** True if the process of a name given by `ownName` still runs; undefined where that cannot be told. */
export async function isAlive(name: string): Promise<boolean | undefined> {
    return isProcessAlive(name, await startOf(name));
}

function isProcessAlive(name: string, startNow: string): boolean | undefined {
    const [host, pid, start] = name.split(' ');
    if (start === undefined || host !== hostname()) {
        return undefined;
    }
    try {
        process.kill(Number(pid), 0);
    } catch (error) {
        return errorCode(error) === 'EPERM';
    }
    return start === startNow;
}

async function startOf(name: string): Promise<string> {
    return startTicks(Number(name.split(' ')[1]));
}

/** Start of a process: field 22 of /proc/<pid>/stat (proc(5)); `-` where there is no such file. */
async function startTicks(pid: number): Promise<string> {
    try {
        const text = await readFile(`/proc/${pid}/stat`, 'utf8');
        return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
    } catch {
        return '-';
    }
}

async function removeOldTurns(folder: string, turn: number): Promise<void> {
    if (turn % KEPT_TURNS !== 0) {
        return;
    }
    for (const name of await readdir(folder)) {
        const path = join(folder, name);
        if (
            Number.parseInt(name, 10) <= turn - KEPT_TURNS ||
            (name.startsWith(STRAY_PREFIX) && (await ageOf(path).catch(() => 0)) > UNKNOWN_HOLDER_MS)
        ) {
            await rm(path, { force: true });
        }
    }
}

async function ageOf(path: string): Promise<number> {
    return Date.now() - (await stat(path)).mtimeMs;
}

function errorCode(error: unknown): string | undefined {
    return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * A lock between the processes of one machine that outlives none of them: a holder that was killed loses it at once.
 *
 * Why not one lock file that is removed: whoever takes a dead holder's file away may take away the next holder's by then. Here
 * turns are numbered and never reused: the highest number is the turn that counts, a turn is over when its file is renamed to
 * `<n>.over` or its process is gone, and only one process can create the next number.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from './make-folder.ts';

/** A holder on another machine cannot be asked whether it lives: the lock is its for this long. */
const UNKNOWN_HOLDER_MS = 30_000;

/** What a process that was killed while it took a turn leaves behind. */
const STRAY_PREFIX = 'new-';

/** Old turns stay a while so that a process that listed them long ago meets a higher number, whatever it does next. */
const KEPT_TURNS = 32;

/** Runs `work` while no other holder of the same folder does. */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const turn = await takeTurn(folder);
    try {
        return await work();
    } finally {
        renameSync(join(folder, String(turn)), join(folder, `${turn}.over`));
        removeOldTurns(folder, turn);
    }
}

async function takeTurn(folder: string): Promise<number> {
    makeFolder(folder);
    for (;;) {
        const last = lastTurn(folder);
        if (last.isOpen && isHeld(join(folder, String(last.number)))) {
            await sleep(1 + Math.random() * 4);
            continue;
        }
        const mine = last.number + 1;
        const path = join(folder, String(mine));
        if (!create(path)) {
            continue;
        }
        // Since the first look, others may have had this very turn (the name is free again when it is over) or later ones.
        const now = lastTurn(folder);
        if (now.number === mine && now.isOpen) {
            return mine;
        }
        rmSync(path, { force: true });
    }
}

/**
 * True if the file was made, which only one process can do. It has its holder's name in it from the first moment: a process killed between
 * the two would be nobody's, and held for as long as an unknown holder is.
 */
function create(path: string): boolean {
    const named = join(dirname(path), `${STRAY_PREFIX}${randomUUID()}`);
    writeFileSync(named, ownName());
    try {
        linkSync(named, path);
        return true;
    } catch (error) {
        if (errorCode(error) === 'EEXIST' || errorCode(error) === 'ENOENT') {
            return false;
        }
        if (isWithoutLinks(error)) {
            return createUnnamed(path);
        }
        throw error;
    } finally {
        rmSync(named, { force: true });
    }
}

const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** True if the file system has no hard links: exFAT, some network folders. */
export function isWithoutLinks(error: unknown): boolean {
    return NO_HARD_LINKS.includes(errorCode(error) ?? '');
}

/** Makes the file on file systems without hard links. */
function createUnnamed(path: string): boolean {
    try {
        writeFileSync(path, ownName(), { flag: 'wx' });
        return true;
    } catch (error) {
        if (errorCode(error) === 'EEXIST') {
            return false;
        }
        throw error;
    }
}

function lastTurn(folder: string): { number: number; isOpen: boolean } {
    let last = { number: 0, isOpen: false };
    for (const name of readdirSync(folder)) {
        const number = Number.parseInt(name, 10);
        if (number > last.number || (number === last.number && name.endsWith('.over'))) {
            last = { number, isOpen: !name.endsWith('.over') };
        }
    }
    return last;
}

function isHeld(path: string): boolean {
    try {
        return isAlive(readFileSync(path, 'utf8')) ?? ageOf(path) < UNKNOWN_HOLDER_MS;
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
export function ownName(): string {
    return `${hostname()} ${process.pid} ${startTicks(process.pid)}`;
}

/** True if the process of a name given by `ownName` still runs; undefined where that cannot be told. */
export function isAlive(name: string): boolean | undefined {
    const [host, pid, start] = name.split(' ');
    if (start === undefined || host !== hostname()) {
        return undefined;
    }
    try {
        process.kill(Number(pid), 0);
    } catch (error) {
        return errorCode(error) === 'EPERM';
    }
    return start === startTicks(Number(pid));
}

/**
 * Start of a process: field 22 of /proc/<pid>/stat (proc(5)); `-` where there is no such file. None for one that has ended and that its parent has not
 * asked about (field 3 is Z), as there are in containers: it holds nothing any more.
 */
function startTicks(pid: number): string | undefined {
    try {
        const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
        // While a killed process ends, its first thread is over and another one may still be within a call.
        const isOver = fields[0] === 'Z' && readdirSync(`/proc/${pid}/task`).length <= 1;
        return isOver ? undefined : (fields[19] ?? '-');
    } catch {
        return '-';
    }
}

function removeOldTurns(folder: string, turn: number): void {
    if (turn % KEPT_TURNS !== 0) {
        return;
    }
    for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        if (Number.parseInt(name, 10) <= turn - KEPT_TURNS || (name.startsWith(STRAY_PREFIX) && ageOf(path) > UNKNOWN_HOLDER_MS)) {
            rmSync(path, { force: true });
        }
    }
}

/** Age of the file; 0 where it is gone. */
function ageOf(path: string): number {
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    return Date.now() - mtimeMs;
}

function errorCode(error: unknown): string | undefined {
    return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What must be known of a lake in a directory to say whether it is well. */
import { access, constants, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { OlderFigures } from '#lake/reports/older-figures';
import { openDirectoryStore } from '#lake/store/directory';
import { WORK_FOLDER } from '#lake/store/directory-links';
import { isAlive } from '#lake/store/directory-lock';
import { codeOf, translated } from '#lake/store/system-errors';
import { type DaysByTable, gatherAllDays, gatherOlderFigures } from './day-facts.ts';
import { type Answer, ask } from './finding.ts';
import { gatherLive, type LiveFacts } from './live-facts.ts';
import { gatherSources, type SourceFacts } from './source-facts.ts';

export interface DirectoryFacts {
    directory: string;
    /** Rights to read and write files there. A file system that is read-only for all denies writing, whoever asks. */
    access: Answer<DirectoryAccess>;
    /** Who has the lock; undefined, or missing where nobody ever had it. */
    lock: Answer<LockHolder | undefined>;
    freeBytes: Answer<number>;
    days: DaysByTable;
    olderFigures: Answer<OlderFigures>;
    sources: Answer<SourceFacts | undefined>;
    /** Commands that were cut off, and their work not finished since. */
    cutOff: number;
    /** What live telemetry rests on; undefined where the lake was never served. */
    live: LiveFacts | undefined;
}

export interface DirectoryAccess {
    isFolder: boolean;
    isReadable: boolean;
    isWritable: boolean;
}

export interface LockHolder {
    /** Process that holds the lock, as lake/store/directory-lock.ts names it: host, process id, start. */
    owner: string;
    /** True if that process runs; undefined where that cannot be told. */
    isAlive: boolean | undefined;
}

/** Facts of a lake in a directory. Changes nothing. @param cutOff how many commands were cut off, as lake/here/marks.ts finds them */
export async function gatherDirectory(directory: string, { cutOff }: { cutOff: number }): Promise<DirectoryFacts> {
    const about = <T>(doing: string, question: () => Promise<T>): Promise<Answer<T>> =>
        ask(() => translated(question, { directory, doing }), { doing, isMissing: (error) => codeOf(error.cause) === 'ENOENT' });
    const may = (mode: number): Promise<boolean> =>
        access(directory, mode).then(
            () => true,
            () => false,
        );
    const store = openDirectoryStore(directory);
    const [allowed, lock, freeBytes, days, olderFigures, sources, live] = await Promise.all([
        about('look', async () => ({
            isFolder: (await stat(directory)).isDirectory(),
            isReadable: await may(constants.R_OK | constants.X_OK),
            isWritable: await may(constants.W_OK),
        })),
        about('read the lock', () => readLock(join(directory, WORK_FOLDER, 'lock'))),
        about('ask for free space', async () => {
            const { bavail, bsize } = await statfs(directory);
            return bavail * bsize;
        }),
        gatherAllDays(store),
        gatherOlderFigures(store),
        gatherSources(store),
        gatherLive(directory, store),
    ]);
    return { directory, access: allowed, lock, freeBytes, days, olderFigures, sources, cutOff, live };
}

/**
 * Holder of the lock. The turn that counts is the highest one, and it is over when `<n>.over` is there: see lake/store/directory-lock.ts.
 */
async function readLock(folder: string): Promise<LockHolder | undefined> {
    const names = (await readdir(folder)).filter((name) => /^\d+(\.over)?$/.test(name));
    const last = Math.max(...names.map((name) => Number.parseInt(name, 10)));
    if (names.length === 0 || names.includes(`${last}.over`)) {
        return undefined;
    }
    const owner = await readFile(join(folder, String(last)), 'utf8');
    return { owner, isAlive: isAlive(owner) };
}

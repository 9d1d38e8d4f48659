/** A disk that is soon full: a file system of a few megabytes in memory, where this user may mount one. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why no disk can be had, or undefined. Tries it. */
export function whyNoSmallDisk(): string | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'flowlake-test-'));
    try {
        mount(folder);
        unmount(folder);
        return undefined;
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    } finally {
        rmSync(folder, { recursive: true });
    }
}

export interface SmallDisk {
    /** Folder that the disk is mounted at. */
    folder: string;
    /** Takes up all but so many pages of 4 kB. */
    fill(freePages: number): Promise<void>;
    /** Gives back what was taken up. */
    free(): Promise<void>;
    /** Takes it away with all that is on it. */
    remove(): void;
}

export function openSmallDisk(): SmallDisk {
    const folder = mkdtempSync(join(tmpdir(), 'flowlake-test-'));
    mount(folder);
    const ballast = join(folder, 'ballast');
    return {
        folder,
        async fill(freePages) {
            const { bavail, bsize } = await statfs(folder);
            await writeFile(ballast, new Uint8Array(Math.max(0, bavail * bsize - freePages * 4096)));
        },
        free: () => rm(ballast, { force: true }),
        remove() {
            unmount(folder);
            rmSync(folder, { recursive: true });
        },
    };
}

function mount(folder: string): void {
    mkdirSync(folder, { recursive: true });
    run(['mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]);
}

function unmount(folder: string): void {
    // What was killed there may hold it for another moment.
    run(['umount', '--lazy', folder]);
}

function run([command = '', ...words]: string[]): void {
    const { status, stderr, error } = spawnSync(command, words, { encoding: 'utf8' });
    if (status !== 0) {
        throw new Error(`${command}: ${error?.message ?? stderr.trim()}`);
    }
}

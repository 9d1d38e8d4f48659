/** Makes folders of this machine. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './system-errors.ts';

/**
 * Makes a folder and those above it; fine where it is there. Why not `mkdir` with `recursive`: in a file system that takes no folders, as /proc,
 * Node 24 tries that for ever. @throws the system's error, with the path that it is about
 */
export function makeFolder(path: string): void {
    if (tryMake(path)) {
        return;
    }
    makeFolder(dirname(path));
    if (!tryMake(path)) {
        throw Object.assign(new Error(`nothing can be made below ${dirname(path)}`), { code: 'ENOENT', syscall: 'mkdir', path });
    }
}

/** Makes the folder, or finds it there. @returns false where the one above is missing, or none */
function tryMake(path: string): boolean {
    try {
        mkdirSync(path);
        return true;
    } catch (error) {
        if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '') && dirname(path) !== path) {
            return false;
        }
        if (isFolder(path)) {
            return true;
        }
        throw error;
    }
}

function isFolder(path: string): boolean {
    try {
        return statSync(path).isDirectory();
    } catch {
        return false;
    }
}

/** Symbolic links in a lake's directory: none is followed, so that no name below it reaches out of it. */
import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StorageError } from '#lake/errors';
import { codeOf } from './system-errors.ts';

/** Folder for what is no object: files being written, the lock, descriptions of raw files. */
export const WORK_FOLDER = '.flowlake';

/** Says of folders whether all on the way to them are real ones; each is looked at once. */
export interface LinkGuard {
    /**
     * Lets a key pass that no link leads to. @param key path below the lake's directory. @throws StorageError where a folder on the way to
     * it is a link.
     */
    assertWayTo(key: string): void;
}

/** One look at a folder of thousands costs as much as this many looks at single ones. */
const FEW_LOOKS = 1_000;

/** A guard for the folders below `directory`, which itself may be a link: whoever names the lake says so. */
export function guardLinks(directory: string): LinkGuard {
    const real = new Set<string>(['.']);
    /** How many folders were looked at below each folder. */
    const looks = new Map<string, number>();

    /** Looks at all that the folder holds, once many of its folders have been looked at one by one. */
    function lookAround(folder: string): void {
        const count = (looks.get(folder) ?? 0) + 1;
        looks.set(folder, count);
        if (count === FEW_LOOKS) {
            for (const entry of readdirSync(`${directory}/${folder}`, { withFileTypes: true })) {
                if (entry.isDirectory()) {
                    real.add(`${folder}/${entry.name}`);
                }
            }
        }
    }

    /** True if the folder is there. */
    function look(folder: string): boolean {
        if (real.has(folder)) {
            return true;
        }
        const parent = dirname(folder);
        if (!look(parent)) {
            return false;
        }
        const stats = statsOf(`${directory}/${folder}`);
        if (stats?.isSymbolicLink()) {
            throw new StorageError(describeLink(folder, directory));
        }
        if (stats) {
            real.add(folder);
            lookAround(parent);
        }
        return stats !== undefined;
    }

    return {
        assertWayTo(key) {
            look(dirname(key));
        },
    };
}

/** Facts of what stands at the path, a link's own; undefined where nothing does. */
function statsOf(path: string): Stats | undefined {
    try {
        return lstatSync(path, { throwIfNoEntry: false });
    } catch (error) {
        if (codeOf(error) === 'ENOTDIR') {
            return undefined;
        }
        throw error;
    }
}

/**
 * Lets a folder pass that holds no link, for whoever works in a lake's folder beside its objects: locks, marks, files being written.
 * @param folder below `directory`. @throws StorageError where it, or what stands in it, is a link.
 */
export async function assertNoLinksIn(folder: string, directory: string): Promise<void> {
    guardLinks(directory).assertWayTo(join(folder, 'file'));
    const entries = await readdir(join(directory, folder), { withFileTypes: true }).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') {
            return [];
        }
        throw error;
    });
    const link = entries.find((entry) => entry.isSymbolicLink());
    if (link) {
        throw new StorageError(describeLink(join(folder, link.name), directory));
    }
}

function describeLink(path: string, directory: string): string {
    return `${path} in ${directory} is a symbolic link, and a lake follows none: put there what it points to (a mounted folder will do)`;
}

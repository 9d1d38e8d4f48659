/** What files of this machine are, by their content: which of a folder are taken, left out or skipped. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import pMap from 'p-map';
import { Failure } from '#cli/command';
import { sayCount } from '#cli/draw/quantity';
import { StorageError } from '#lake/errors';
import { inspectLocalFile } from '#lake/here/local-file';
import type { Inspection, Kind } from '#lake/kind';
import { type SortedFile, saySkipped, saySorts } from './sorts.ts';

/** Files whose beginnings are read at once. */
const FILES_AT_ONCE = 8;

export interface LookOptions {
    kind: Pick<Kind, 'name' | 'inspect' | 'isLikelyName'>;
    signal: AbortSignal;
}

/** What each file's beginning tells of it, in their order. One that cannot be read is unusable. @throws the signal's reason */
export function inspectFiles(paths: readonly string[], { kind, signal }: LookOptions): Promise<Inspection[]> {
    const inspect = async (path: string): Promise<Inspection> => {
        try {
            return await inspectLocalFile(path, { kind, signal });
        } catch (error) {
            signal.throwIfAborted();
            const why = error instanceof Error ? error.message : String(error);
            return { is: 'unusable', why, what: isForbidden(error) ? 'not to be read: no permission' : 'not to be read' };
        }
    };
    return pMap(paths, inspect, { concurrency: FILES_AT_ONCE, signal });
}

export interface FolderFiles {
    /** Paths below the folder of the files that are taken, in order: those of the kind, and those that are none though their names say so. */
    taken: string[];
    /** Files that are none of the kind's, and those that lie beside them by right. */
    leftOut: SortedFile[];
    skipped: SortedFile[];
    /** Count of the symbolic links that were met. */
    links: number;
}

/** The files of a folder, with all below it but what begins with a dot. @throws Failure where none is taken, with what there is */
export async function lookIntoFolder(folder: string, options: LookOptions): Promise<FolderFiles> {
    const { kind } = options;
    const below = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
        throw isForbidden(error)
            ? new StorageError(`cannot read all below ${folder}: no permission (${error.message})`, { cause: error })
            : error;
    });
    const entries = below
        .map((entry) => ({ entry, path: relative(folder, join(entry.parentPath, entry.name)) }))
        .filter(({ path }) => !path.split(sep).some((part) => part.startsWith('.')));
    const paths = entries.flatMap(({ entry, path }) => (entry.isFile() ? [path] : [])).sort();
    const found: FolderFiles = { taken: [], leftOut: [], skipped: [], links: entries.filter(({ entry }) => entry.isSymbolicLink()).length };
    const inspections = await inspectFiles(
        paths.map((path) => join(folder, path)),
        options,
    );
    for (const [at, path] of paths.entries()) {
        const inspection = inspections[at] ?? { is: 'usable' };
        const shown = join(folder, path);
        if (inspection.is === 'other') {
            found.skipped.push({ shown, what: inspection.what });
        } else if (inspection.is === 'unusable' && (inspection.isUnlike === true || !kind.isLikelyName(path))) {
            found.leftOut.push({ shown, what: inspection.what ?? `text or data without ${kind.name}` });
        } else {
            found.taken.push(path);
        }
    }
    if (found.taken.length === 0) {
        throw new Failure(`No files of ${kind.name} in ${folder}: ${sayWhatIsThere(found, { hidden: below.length - entries.length })}`);
    }
    return found;
}

/** What a folder holds that none of it is taken. */
function sayWhatIsThere({ leftOut, skipped, links }: FolderFiles, { hidden }: { hidden: number }): string {
    const there = [
        ...saySorts(leftOut),
        ...(skipped.length > 0 ? [saySkipped(skipped)] : []),
        ...(links > 0
            ? [`${sayCount(links, 'symbolic link is', 'symbolic links are')} left out: name one itself to upload what it points to`]
            : []),
        ...(hidden > 0 ? [`what begins with a dot is left out, with all below it: ${sayCount(hidden, 'name')}`] : []),
    ];
    return there.length > 0 ? there.join('; ') : 'it is empty';
}

/** True for an error that says that who asks may not read. */
export function isForbidden(error: unknown): error is Error {
    return error instanceof Error && 'code' in error && error.code === 'EACCES';
}

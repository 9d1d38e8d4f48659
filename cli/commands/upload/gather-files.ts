/** Finds which files the words of an upload mean, and by which raw keys they go into the lake. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure, type RunContext } from '#cli/command';
import { StorageError, UsageError } from '#lake/errors';
import type { Kind } from '#lake/kind';
import { kinds } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { rawKey } from '#lake/layout';
import { temporaryPath } from '#lake/store/directory';
import type { UploadFile } from '#lake/upload/request';

export interface GatherOptions {
    lake: Lake;
    kind: Kind;
    site: string | undefined;
    as: string | undefined;
    context: Pick<RunContext, 'readInput' | 'signal' | 'stderr'>;
}

/**
 * The files that the words mean: files, folders (all below them, named by the path below the folder) and patterns; `-` is what is piped in.
 * A path with a folder `site=S` in it is named from there on. A symbolic link is followed where it is named itself, and left out where it
 * stands in a folder. `cleanUp` removes what was written for it. @throws Failure for a word that means no file.
 * @throws UsageError for names that cannot be.
 */
export async function gatherFiles(
    words: readonly string[],
    options: GatherOptions,
): Promise<{ files: UploadFile[]; cleanUp: () => Promise<void> }> {
    const { site, as, kind, context } = options;
    const named: { shown: string; path: string; name: string }[] = [];
    let spool: string | undefined;
    let leftOut = 0;
    let links = 0;
    for (const word of words) {
        if (word === '-' || (await isPipe(word))) {
            if (as === undefined) {
                throw new UsageError('What is piped in has no name; give it one: --as NAME');
            }
            spool = await spoolInput(word === '-' ? context.readInput() : createReadStream(word), options);
            named.push({ shown: word, path: join(spool, 'input'), name: as });
            continue;
        }
        const found = await findFiles(word, kind);
        leftOut += found.leftOut;
        links += found.links;
        named.push(...found.files);
    }
    const cleanUp = async (): Promise<void> => {
        if (spool !== undefined) {
            await rm(spool, { recursive: true, force: true });
        }
    };
    try {
        if (as !== undefined && named.length > 1) {
            throw new UsageError(`--as names one file, and these are ${named.length}`);
        }
        if (leftOut > 0) {
            await context.stderr.write(
                `Left out ${leftOut} ${leftOut === 1 ? 'file' : 'files'} not named as ${kind.name} are: ${kind.likelyNames}\n`,
            );
        }
        if (links > 0) {
            await context.stderr.write(
                `Left out ${links} symbolic ${links === 1 ? 'link' : 'links'}: name one itself to upload what it points to\n`,
            );
        }
        return { files: await withKeys(named, { kind, site, as }), cleanUp };
    } catch (error) {
        await cleanUp();
        throw error;
    }
}

/** True for a named pipe, or what a shell makes of `<(zcat monday.csv.gz)`. */
async function isPipe(word: string): Promise<boolean> {
    const found = await stat(word).catch(() => undefined);
    return found !== undefined && !found.isFile() && !found.isDirectory();
}

interface FoundFiles {
    files: { shown: string; path: string; name: string }[];
    /** Count of files whose names are not those of the kind, and of links that were met in folders. */
    leftOut: number;
    links: number;
}

async function findFiles(word: string, kind: Kind): Promise<FoundFiles> {
    const found = await stat(word).catch((error: unknown) => {
        if (isForbidden(error)) {
            throw new StorageError(`cannot read ${word}: no permission; check who owns it`, { cause: error });
        }
        return undefined;
    });
    if (found?.isDirectory()) {
        const below = await readdir(word, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
            throw isForbidden(error)
                ? new StorageError(`cannot read all below ${word}: no permission (${error.message})`, { cause: error })
                : error;
        });
        const entries = below
            .map((entry) => ({ entry, path: relative(word, join(entry.parentPath, entry.name)) }))
            .filter(({ path }) => !path.split(sep).some((part) => part.startsWith('.')));
        const paths = entries.flatMap(({ entry, path }) => (entry.isFile() ? [path] : [])).sort();
        const links = entries.filter(({ entry }) => entry.isSymbolicLink()).length;
        const likely = paths.filter((path) => kind.isLikelyName(path));
        if (likely.length === 0) {
            const alsoLinks = links > 0 ? '; symbolic links in it are left out' : '';
            throw new Failure(`No files of ${kind.name} in ${word}: looked for ${kind.likelyNames}${alsoLinks}`);
        }
        const files = likely.map((path) => ({ shown: join(word, path), path: join(word, path), name: nameOf(join(word, path), path) }));
        return { files, leftOut: paths.length - likely.length, links };
    }
    if (found) {
        return { files: [{ shown: word, path: word, name: nameOf(word, basename(word)) }], leftOut: 0, links: 0 };
    }
    const { glob, isDynamicPattern } = await import('tinyglobby');
    const paths = isDynamicPattern(word) ? (await glob(word, optionsOf(word))).sort() : [];
    if (paths.length === 0) {
        throw new Failure(`No such file, folder or pattern: ${word}`);
    }
    return { files: paths.map((path) => ({ shown: path, path, name: nameOf(path, basename(path)) })), leftOut: 0, links: 0 };
}

function isForbidden(error: unknown): error is Error {
    return error instanceof Error && 'code' in error && error.code === 'EACCES';
}

/**
 * How a pattern is looked up. A link that it names is followed, as if the shell had named it; `**` stands for folders, and goes into none
 * that is a link.
 */
function optionsOf(pattern: string): { onlyFiles: true; expandDirectories: false; followSymbolicLinks: boolean } {
    return { onlyFiles: true, expandDirectories: false, followSymbolicLinks: !pattern.includes('**') };
}

/** The name that a path has by itself, or from its last folder `site=S` on. */
function nameOf(path: string, name: string): string {
    const parts = path.split(sep);
    const at = parts.slice(0, -1).findLastIndex((part) => /^site=./.test(part));
    return at < 0 ? name.split(sep).join('/') : parts.slice(at).join('/');
}

async function withKeys(
    named: readonly { shown: string; path: string; name: string }[],
    { kind, site, as }: { kind: Kind; site: string | undefined; as: string | undefined },
): Promise<UploadFile[]> {
    const shownOfKey = new Map<string, string>();
    const files: UploadFile[] = [];
    for (const { shown, path, name } of named) {
        const [, ownSite, rest] = /^site=([^/]+)\/(.+)$/.exec(name) ?? [];
        if (site !== undefined && ownSite !== undefined && ownSite !== site && as === undefined) {
            throw new UsageError(`${shown} stands in a folder of site ${ownSite}, and --site says ${site}`);
        }
        const of = as === undefined ? { site: site ?? ownSite, name: rest ?? name } : { site, name: as };
        const key = rawKey({
            name: of.name,
            ...(of.site !== undefined && { site: of.site }),
            ...(kind !== kinds[0] && { kind: kind.name }),
        });
        const other = shownOfKey.get(key);
        if (other !== undefined) {
            throw new UsageError(`${other} and ${shown} would both be ${key}: upload their common folder, or one at a time with --as NAME`);
        }
        shownOfKey.set(key, shown);
        files.push({ shown, path, key, sizeBytes: await sizeOf(path, shown) });
    }
    return files;
}

async function sizeOf(path: string, shown: string): Promise<number> {
    try {
        return (await stat(path)).size;
    } catch (error) {
        // A name whose bytes are no UTF-8 is told with other characters, by which nothing is found.
        const why = shown.includes('\ufffd') ? 'its name is no UTF-8: rename it' : 'it is gone';
        throw new StorageError(`cannot read ${shown}: ${why}`, { cause: error });
    }
}

/**
 * A file of what is piped in, in the lake's folder for such, or this machine's: what an upload does with a file may take more than one
 * reading.
 */
async function spoolInput(input: AsyncIterable<Uint8Array>, { lake, context }: GatherOptions): Promise<string> {
    try {
        const spool = lake.kind === 'directory' ? temporaryPath(lake.directory) : await mkdtemp(join(tmpdir(), 'flowlake-'));
        await mkdir(spool, { recursive: true });
        try {
            await pipeline(input, createWriteStream(join(spool, 'input')), { signal: context.signal });
        } catch (error) {
            await rm(spool, { recursive: true, force: true });
            throw error;
        }
        return spool;
    } catch (error) {
        if (context.signal.aborted) {
            throw error;
        }
        throw new StorageError(`cannot keep what is piped in: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
}

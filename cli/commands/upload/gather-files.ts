/** Finds which files the words of an upload mean, and by which raw keys they go into the lake. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure, type RunContext } from '#cli/command';
import { sayCount } from '#cli/draw/quantity';
import { StorageError, UsageError } from '#lake/errors';
import type { Kind } from '#lake/kind';
import { kinds } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { RAW_PREFIX, rawKey } from '#lake/layout';
import { temporaryPath } from '#lake/store/directory';
import { makeFolder } from '#lake/store/make-folder';
import type { UploadFile } from '#lake/upload/request';
import { type FolderFiles, inspectFiles, isForbidden, lookIntoFolder } from './look-into-files.ts';
import { saySkipped, saySorts } from './sorts.ts';

export interface GatherOptions {
    lake: Lake;
    kind: Kind;
    site: string | undefined;
    as: string | undefined;
    /** True if the files may take the place of others; then none is skipped that was named itself. */
    replace: boolean;
    /** True if nothing may be written into the lake. */
    isTrial: boolean;
    context: Pick<RunContext, 'readInput' | 'signal' | 'stderr'>;
}

export interface GatheredFiles {
    files: UploadFile[];
    /** Files that were named themselves, or by a pattern, and lie beside those of the kind by right: what each is. */
    skipped: { file: UploadFile; what: string }[];
    /** Files among others that no raw key can name, or that are gone: why. */
    unusable: { file: UploadFile; why: string }[];
    /** Removes what was written for the upload. */
    cleanUp: () => Promise<void>;
}

interface NamedFile {
    shown: string;
    path: string;
    /** The name that its raw key ends with. */
    name: string;
}

/**
 * The files that the words mean: files, patterns, and folders: of these what is of the kind by its content, with all below them, named by the path
 * below the folder; `-` is what is piped in. A path with a folder `site=S` in it is named from there on. A symbolic link is followed where it is named
 * itself, and left out where it stands in a folder. Says on stderr what of folders is not taken. @throws Failure for a word that means no file.
 * @throws UsageError where no name can be, or two would be one
 */
export async function gatherFiles(words: readonly string[], options: GatherOptions): Promise<GatheredFiles> {
    const { as, kind, replace, context } = options;
    const { signal } = context;
    const named: NamedFile[] = [];
    const folders: { word: string; found: FolderFiles }[] = [];
    let spool: string | undefined;
    const cleanUp = async (): Promise<void> => {
        if (spool !== undefined) {
            await rm(spool, { recursive: true, force: true });
        }
    };
    try {
        for (const word of words) {
            if (word === '-' || (await isPipe(word))) {
                if (as === undefined) {
                    throw new UsageError('What is piped in has no name; give it one: --as NAME');
                }
                spool = await spoolInput(word === '-' ? context.readInput() : createReadStream(word), options);
                named.push({ shown: word, path: join(spool, 'input'), name: as });
            } else if (await isFolder(word)) {
                folders.push({ word, found: await lookIntoFolder(word, { kind, signal }) });
            } else {
                named.push(...(await findFiles(word)));
            }
        }
        const ofFolders = folders.flatMap(({ word, found }) =>
            found.taken.map((path) => ({ shown: join(word, path), path: join(word, path), name: nameOf(join(word, path), path) })),
        );
        const count = named.length + ofFolders.length;
        if (as !== undefined && count > 1) {
            throw new UsageError(`--as names one file, and these are ${count}`);
        }
        await sayLeftOut(
            folders.map(({ found }) => found),
            context,
        );
        // A file that is to take another's place is judged with that one: it must not be lost without a word.
        const inspections = replace
            ? []
            : await inspectFiles(
                  named.map(({ path }) => path),
                  { kind, signal },
              );
        const isOther = (_: NamedFile, at: number): boolean => inspections[at]?.is === 'other';
        const keyed = await withKeys([...named.filter((file, at) => !isOther(file, at)), ...ofFolders], options);
        const skipped: GatheredFiles['skipped'] = [];
        for (const [at, inspection] of inspections.entries()) {
            const file = named[at];
            if (inspection.is === 'other' && file) {
                skipped.push({ file: withoutKey(file, options), what: inspection.what });
            }
        }
        return { ...keyed, skipped, cleanUp };
    } catch (error) {
        await cleanUp();
        throw error;
    }
}

/** Says what of folders is not taken, in a few lines. */
async function sayLeftOut(folders: readonly FolderFiles[], { stderr }: GatherOptions['context']): Promise<void> {
    const leftOut = folders.flatMap((folder) => folder.leftOut);
    const skipped = folders.flatMap((folder) => folder.skipped);
    const links = folders.reduce((sum, folder) => sum + folder.links, 0);
    for (const line of saySorts(leftOut)) {
        await stderr.write(`Left out ${line}\n`);
    }
    if (leftOut.length > 0) {
        await stderr.write('Name one of them itself to see what it lacks\n');
    }
    if (skipped.length > 0) {
        await stderr.write(`${saySkipped(skipped)}\n`);
    }
    if (links > 0) {
        await stderr.write(`Left out ${sayCount(links, 'symbolic link')}: name one itself to upload what it points to\n`);
    }
}

/** True for a named pipe, or what a shell makes of `<(zcat monday.csv.gz)`. */
async function isPipe(word: string): Promise<boolean> {
    const found = await stat(word).catch(() => undefined);
    return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** True for a folder. @throws StorageError where it cannot be looked at */
async function isFolder(word: string): Promise<boolean> {
    const found = await stat(word).catch((error: unknown) => {
        if (isForbidden(error)) {
            throw new StorageError(`cannot read ${word}: no permission; check who owns it`, { cause: error });
        }
        return undefined;
    });
    return found?.isDirectory() === true;
}

/** The file that is named, or those of a pattern. @throws Failure where there is none */
async function findFiles(word: string): Promise<NamedFile[]> {
    if (await stat(word).catch(() => undefined)) {
        return [{ shown: word, path: word, name: nameOf(word, basename(word)) }];
    }
    const { glob, isDynamicPattern } = await import('tinyglobby');
    const paths = isDynamicPattern(word) ? (await glob(word, optionsOf(word))).sort() : [];
    if (paths.length === 0) {
        throw new Failure(`No such file, folder or pattern: ${word}`);
    }
    return paths.map((path) => ({ shown: path, path, name: nameOf(path, basename(path)) }));
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

/** The files with their raw keys, and those that can have none. @throws UsageError where two would have one, or none can have one */
async function withKeys(named: readonly NamedFile[], options: GatherOptions): Promise<Pick<GatheredFiles, 'files' | 'unusable'>> {
    const shownOfKey = new Map<string, string>();
    const files: UploadFile[] = [];
    const errors: { file: UploadFile; error: UsageError | StorageError }[] = [];
    for (const one of named) {
        assertSite(one, options);
        try {
            files.push(await withKey(one, options));
        } catch (error) {
            if (!(error instanceof UsageError || error instanceof StorageError)) {
                throw error;
            }
            errors.push({ file: withoutKey(one, options), error });
        }
    }
    for (const { key, shown } of files) {
        const other = shownOfKey.get(key);
        if (other !== undefined) {
            throw new UsageError(`${other} and ${shown} would both be ${key}: upload their common folder, or one at a time with --as NAME`);
        }
        shownOfKey.set(key, shown);
    }
    if (files.length === 0 && errors[0]) {
        throw errors[0].error;
    }
    return { files, unusable: errors.map(({ file, error }) => ({ file, why: error.message })) };
}

/** The site and the rest of a name `site=S/rest`; undefined where it names none. */
function ownSiteOf(name: string): { site: string; rest: string } | undefined {
    const [, site, rest] = /^site=([^/]+)\/(.+)$/.exec(name) ?? [];
    return site !== undefined && rest !== undefined ? { site, rest } : undefined;
}

/** @throws UsageError where the file stands in a folder of another site than the one that was said */
function assertSite({ shown, name }: NamedFile, { site, as }: GatherOptions): void {
    const own = ownSiteOf(name)?.site;
    if (site !== undefined && own !== undefined && own !== site && as === undefined) {
        throw new UsageError(`${shown} stands in a folder of site ${own}, and --site says ${site}`);
    }
}

/** @throws UsageError for a name that no raw key can have, StorageError where the file is gone */
async function withKey({ shown, path, name }: NamedFile, { kind, site, as }: GatherOptions): Promise<UploadFile> {
    const own = ownSiteOf(name);
    const of = as === undefined ? { site: site ?? own?.site, name: own?.rest ?? name } : { site, name: as };
    const key = rawKey({
        name: of.name,
        ...(of.site !== undefined && { site: of.site }),
        ...(kind !== kinds[0] && { kind: kind.name }),
    });
    return { shown, path, key, sizeBytes: await sizeOf(path, shown) };
}

/** A file that is only told of: it goes nowhere. */
function withoutKey({ shown, path, name }: NamedFile, { site }: GatherOptions): UploadFile {
    const folder = site === undefined || ownSiteOf(name) ? '' : `site=${site}/`;
    return { shown, path, key: `${RAW_PREFIX}${folder}${name}`, sizeBytes: 0 };
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
async function spoolInput(input: AsyncIterable<Uint8Array>, { lake, isTrial, context }: GatherOptions): Promise<string> {
    try {
        const spool = lake.kind === 'directory' && !isTrial ? temporaryPath(lake.directory) : await mkdtemp(join(tmpdir(), 'flowlake-'));
        await makeFolder(spool);
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

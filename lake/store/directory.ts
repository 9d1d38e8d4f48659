/**
 * The object store in a directory: objects are plain files under their keys, so that any Parquet reader and any file browser
 * sees them. Files are written aside and renamed; conditional writes compare the etag and rename under a lock. A symbolic link is no
 * object, and a folder that is one is an error.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { constants, type FileHandle, lstat, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConflictError } from '#lake/errors';
import { guardLinks, WORK_FOLDER } from './directory-links.ts';
import { withLock } from './directory-lock.ts';
import {
    ABSENT,
    type ByteRange,
    type ByteStream,
    type ListedObject,
    type ObjectInfo,
    type ObjectStore,
    type PutOptions,
} from './object-store.ts';
import { readAhead } from './read-ahead.ts';
import { codeOf, translated } from './system-errors.ts';

/** Objects whose etag and metadata are kept in a description, because hashing them each time would read gigabytes. */
const DESCRIBED_PREFIX = 'raw/';

/** Descriptions of raw files: a folder for each key, and in it a file for each file that stood or was to stand under the key. */
const OBJECTS_FOLDER = join(WORK_FOLDER, 'objects');

/** Folder of the files that are being written, each named by its process first; a killed process leaves some behind. */
export function temporaryFolder(directory: string): string {
    return join(directory, WORK_FOLDER, 'tmp');
}

/** A name for a file that is being written, that no other process and no other file has. */
export function temporaryPath(directory: string): string {
    return join(temporaryFolder(directory), `${process.pid}-${randomUUID()}`);
}

/**
 * Removes a file, or a folder, that a killed process was writing; `name` is its own in `temporaryFolder`. The description of a raw file
 * that was never put in its place goes with it: in a copy of the lake, where raw files are known by their bytes, it would speak for another
 * upload of them.
 */
export async function removeTemporary(directory: string, name: string): Promise<void> {
    const path = join(temporaryFolder(directory), name);
    const stats = await lstat(path, { bigint: true }).catch(ignoreMissing(undefined));
    if (stats?.isFile()) {
        const folder = join(directory, OBJECTS_FOLDER);
        for (const object of await readdir(folder).catch(() => [])) {
            await rm(join(folder, object, identityOf(stats)), { force: true });
        }
    }
    await rm(path, { recursive: true, force: true });
}

/** A store over `directory`, which is made with the first write. The etag is the SHA-256 of the bytes, in hex. */
export function openDirectoryStore(directory: string): ObjectStore {
    const pathOf = (key: string): string => join(directory, key);
    const guard = guardLinks(directory);
    /** Runs work on one object, whose key no link may lead to; errors say what was done. */
    const guarded = <T>(key: string, doing: string, work: () => Promise<T>): Promise<T> =>
        translated(
            async () => {
                await guard.assertWayTo(key);
                return work();
            },
            { directory, doing: `${doing} ${key}` },
        );
    const descriptionFolder = (key: string): string => join(OBJECTS_FOLDER, sha256(Buffer.from(key)).slice(0, 16));
    const descriptions = (key: string): string => join(directory, descriptionFolder(key));
    const lockFolder = join(directory, WORK_FOLDER, 'lock');

    /** What there is to know of the object. `bytes` are the file's where the caller has read them. */
    async function describe(key: string, file: FileHandle, bytes?: Uint8Array): Promise<ObjectInfo> {
        const stats = await file.stat({ bigint: true });
        const sizeBytes = Number(stats.size);
        if (!key.startsWith(DESCRIBED_PREFIX)) {
            const etag = bytes ? sha256(bytes) : await hashOf(file);
            return { key, etag, sizeBytes, generation: etag, metadata: {} };
        }
        await guard.assertWayTo(join(descriptionFolder(key), 'file'));
        const known = await readDescription(join(descriptions(key), identityOf(stats)));
        const { etag, generation, metadata } = known ?? (await describeUnknown(key, file, identityOf(stats)));
        return { key, etag, sizeBytes, generation, metadata };
    }

    /** Describes a raw file that was put there by hand, or that moved here with its lake: known by its bytes, if at all. */
    async function describeUnknown(key: string, file: FileHandle, identity: string): Promise<Description> {
        const etag = await hashOf(file);
        const folder = descriptions(key);
        const names = await readdir(folder).catch(() => []);
        const known = (await Promise.all(names.map((name) => readDescription(join(folder, name)))))
            .filter((description) => description?.etag === etag)
            .sort((a, b) => ((a?.putAt ?? '') < (b?.putAt ?? '') ? 1 : -1))[0];
        const description = known ?? { etag, generation: `found-${identity}`, metadata: {}, putAt: new Date().toISOString() };
        // A lake that may only be read stays as it is; the file is hashed again next time.
        await writeDescription(folder, identity, description).catch(() => undefined);
        return description;
    }

    async function head(key: string): Promise<ObjectInfo | undefined> {
        return withFile(pathOf(key), (file) => describe(key, file));
    }

    /** Puts a finished file in its place. */
    async function place(temporary: string, key: string, { etag, ifMatch }: { etag: string; ifMatch: string | undefined }): Promise<void> {
        await mkdir(dirname(pathOf(key)), { recursive: true });
        if (ifMatch === undefined) {
            await rename(temporary, pathOf(key));
            return;
        }
        await withLock(lockFolder, async () => {
            const found = (await head(key))?.etag ?? ABSENT;
            if (found !== ifMatch) {
                throw new ConflictError(`${key} was changed by another writer (found ${found}, expected ${ifMatch}, writing ${etag})`);
            }
            await rename(temporary, pathOf(key));
        });
    }

    return {
        isSettledByError: true,

        head: (key) => guarded(key, 'read', () => head(key)),

        async *open(key, { ifMatch }) {
            const file = await guarded(key, 'read', () => openObject(pathOf(key)));
            if (!file) {
                throw new ConflictError(`${key} is gone`);
            }
            try {
                assertEtag(await describe(key, file), ifMatch);
                yield* readAhead(file);
            } finally {
                await file.close();
            }
        },

        readRange: (key, { ifMatch, start, end }) =>
            guarded(key, 'read', async () => {
                const bytes = await withFile(pathOf(key), async (file) => {
                    assertEtag(await describe(key, file), ifMatch);
                    return readPart(file, { start, end });
                });
                if (!bytes) {
                    throw new ConflictError(`${key} is gone`);
                }
                return bytes;
            }),

        get: (key, { lastBytes } = {}) =>
            guarded(key, 'read', () =>
                withFile(pathOf(key), async (file) => {
                    const bytes = new Uint8Array(await file.readFile());
                    const info = await describe(key, file, bytes);
                    return { info, bytes: lastBytes === undefined ? bytes : bytes.subarray(-lastBytes) };
                }),
            ),

        put: (key, body, { ifMatch, metadata = {} }: PutOptions = {}) =>
            guarded(key, 'write', async () => {
                const temporary = temporaryPath(directory);
                let description: string | undefined;
                await mkdir(temporaryFolder(directory), { recursive: true });
                try {
                    const { etag, stats } = await writeWhole(temporary, body);
                    const info = { key, etag, sizeBytes: Number(stats.size), generation: etag, metadata: {} };
                    if (key.startsWith(DESCRIBED_PREFIX)) {
                        await guard.assertWayTo(join(descriptionFolder(key), 'file'));
                        Object.assign(info, { generation: randomUUID(), metadata });
                        description = join(descriptions(key), identityOf(stats));
                        await writeDescription(descriptions(key), identityOf(stats), { ...info, putAt: new Date().toISOString() });
                    }
                    await place(temporary, key, { etag, ifMatch });
                    return info;
                } catch (error) {
                    const isPlaced = await rm(temporary).then(
                        () => false,
                        () => true,
                    );
                    // What was never there must not describe a copy of the lake, where raw files are known by their bytes.
                    if (description !== undefined && !isPlaced) {
                        await rm(description, { force: true }).catch(() => undefined);
                    }
                    throw error;
                }
            }),

        delete: (key, { only } = {}) =>
            guarded(key, 'delete', async () => {
                if (only === undefined) {
                    await removeObject(pathOf(key));
                    return;
                }
                await withLock(lockFolder, async () => {
                    const found = (await head(key))?.generation;
                    if (found !== undefined && found !== only.generation) {
                        throw new ConflictError(`${key} was put once more (found ${found}, expected ${only.generation})`);
                    }
                    await removeObject(pathOf(key));
                });
            }),

        async *list(prefix) {
            const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
            await translated(() => guard.assertWayTo(`${folder}object`), { directory, doing: `list ${folder}` });
            yield* walk(directory, folder, prefix);
        },
    };
}

/** What is kept of a raw file beside it, under the file's identity: so file and description change in one rename. */
type Description = Pick<ObjectInfo, 'etag' | 'generation' | 'metadata'> & { putAt: string };

/** Which very file this is: any other that takes its place has another inode, time or size. */
function identityOf(stats: BigIntStats): string {
    return `${stats.ino}-${stats.mtimeNs}-${stats.size}`;
}

async function readDescription(path: string): Promise<Description | undefined> {
    try {
        const value: unknown = JSON.parse(await readFile(path, 'utf8'));
        return isDescription(value) ? value : undefined;
    } catch (error) {
        // Cut short by a crash: then its file was never put in place, and the bytes will tell.
        if (error instanceof SyntaxError || codeOf(error) === 'ENOENT') {
            return undefined;
        }
        throw error;
    }
}

function isDescription(value: unknown): value is Description {
    return (
        typeof value === 'object' && value !== null && 'etag' in value && 'generation' in value && 'metadata' in value && 'putAt' in value
    );
}

async function writeDescription(folder: string, identity: string, { etag, generation, metadata, putAt }: Description): Promise<void> {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, identity), JSON.stringify({ etag, generation, metadata, putAt }));
}

async function writeWhole(path: string, body: Uint8Array | ByteStream): Promise<{ etag: string; stats: BigIntStats }> {
    const hash = createHash('sha256');
    const file = await open(path, 'wx');
    try {
        for await (const chunk of body instanceof Uint8Array ? [body] : body) {
            hash.update(chunk);
            await writeAll(file, chunk);
        }
        await file.sync();
        return { etag: hash.digest('hex'), stats: await file.stat({ bigint: true }) };
    } finally {
        await file.close();
    }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length; ) {
        written += (await file.write(chunk, written)).bytesWritten;
    }
}

/** @throws ConflictError where the object has another etag. */
function assertEtag({ key, etag }: ObjectInfo, expected: string): void {
    if (etag !== expected) {
        throw new ConflictError(`${key} was changed by another writer (found ${etag}, expected ${expected})`);
    }
}

async function readPart(file: FileHandle, { start, end }: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(Math.max(0, end - start));
    for (let filled = 0; filled < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) {
            return bytes.slice(0, filled);
        }
        filled += bytesRead;
    }
    return bytes;
}

async function hashOf(file: FileHandle): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of readAhead(file)) {
        hash.update(chunk);
    }
    return hash.digest('hex');
}

async function* walk(directory: string, folder: string, prefix: string): AsyncGenerator<ListedObject> {
    const entries = await translated(() => readdir(join(directory, folder), { withFileTypes: true }).catch(ignoreMissing([])), {
        directory,
        doing: `list ${folder}`,
    });
    // A folder sorts as its keys do: with the slash behind its name.
    const named = entries.map((entry) => ({ entry, key: folder + entry.name + (entry.isDirectory() ? '/' : '') }));
    named.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    for (const { entry, key } of named) {
        if (entry.isDirectory()) {
            if (key !== `${WORK_FOLDER}/` && key.startsWith(prefix)) {
                yield* walk(directory, key, prefix);
            }
        } else if (key.startsWith(prefix)) {
            const stats = await translated(() => lstat(join(directory, key)).catch(ignoreMissing(undefined)), {
                directory,
                doing: `read ${key}`,
            });
            if (stats?.isFile()) {
                yield { key, sizeBytes: stats.size, modifiedAt: stats.mtime };
            }
        }
    }
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
    const file = await openObject(path);
    try {
        return file && (await use(file));
    } finally {
        await file?.close();
    }
}

/** Flags that open an object: a link is not followed, and a pipe that nobody writes into is not waited for. Windows knows neither flag. */
const OBJECT_ONLY = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** The object's file; undefined where nothing is, or what is no object: a folder, a link, a pipe. */
async function openObject(path: string): Promise<FileHandle | undefined> {
    const file = await open(path, OBJECT_ONLY).catch(ignoreMissing(undefined));
    if (file && !(await file.stat()).isFile()) {
        await file.close();
        return undefined;
    }
    return file;
}

/** Removes the object; leaves what is no object where it is. */
async function removeObject(path: string): Promise<void> {
    const stats = await lstat(path).catch(ignoreMissing(undefined));
    if (stats?.isFile()) {
        await rm(path, { force: true });
    }
}

/**
 * Turns an error into `instead` where it means that nothing is there: a key below another one's file is missing too; a link (ELOOP) and a
 * socket (ENXIO) are no objects.
 */
function ignoreMissing<T>(instead: T): (error: unknown) => T {
    return (error) => {
        if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'ENXIO'].includes(codeOf(error) ?? '')) {
            return instead;
        }
        throw error;
    };
}

function sha256(bytes: Uint8Array): string {
    return createHash('sha256').update(bytes).digest('hex');
}

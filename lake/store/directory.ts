/**
 * The object store in a directory: objects are plain files under their keys, so that any Parquet reader and any file browser
 * sees them. Files are written aside and renamed; conditional writes compare the etag and rename under a lock. A symbolic link is no
 * object, and a folder that is one is an error.
 *
 * Why the calls are synchronous: a small object takes some thirty calls of the system, microseconds each, and handing one over to another
 * thread and back takes five times as long (docs/performance.md). Between objects, other work of the thread has its turn.
 */
import { createHash, hash, randomUUID } from 'node:crypto';
import {
    type BigIntStats,
    closeSync,
    constants,
    type Dirent,
    fstatSync,
    fsync,
    linkSync,
    lstatSync,
    openSync,
    readdirSync,
    readFileSync,
    readSync,
    renameSync,
    rmSync,
    type Stats,
    writeFileSync,
    writeSync,
} from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { platform } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ConflictError } from '#lake/errors';
import { guardLinks, WORK_FOLDER } from './directory-links.ts';
import { isWithoutLinks, withLock } from './directory-lock.ts';
import { makeFolder } from './make-folder.ts';
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
import { openScratchFile } from './scratch-file.ts';
import { codeOf, translate } from './system-errors.ts';

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
 * Waits until the names of the objects in a folder, and of the folders above it, are on the disk. A put waits for the object's bytes only: after a power
 * cut its name may be gone, and whoever throws away what the object was made of must know that it stays.
 */
export async function syncFolder(directory: string, prefix: string): Promise<void> {
    // Windows opens no folder, and keeps names by itself.
    for (let folder = dirname(`${prefix}object`); platform() !== 'win32'; folder = dirname(folder)) {
        const fd = openSync(join(directory, folder), 'r');
        try {
            await synced(fd);
        } finally {
            closeSync(fd);
        }
        if (folder === '.') {
            return;
        }
    }
}

/**
 * Removes a file, or a folder, that a killed process was writing; `name` is its own in `temporaryFolder`. The description of a raw file
 * that was never put in its place goes with it: in a copy of the lake, where raw files are known by their bytes, it would speak for another
 * upload of them.
 */
export async function removeTemporary(directory: string, name: string): Promise<void> {
    const path = join(temporaryFolder(directory), name);
    const stats = ifThere(() => lstatSync(path, { bigint: true }));
    // A second link to it is the object itself: the process was killed in between, and the description is the object's.
    if (stats?.isFile() && stats.nlink === 1n) {
        const folder = join(directory, OBJECTS_FOLDER);
        for (const object of await readdir(folder).catch(() => [])) {
            await rm(join(folder, object, identityOf(stats)), { force: true });
        }
    }
    await rm(path, { recursive: true, force: true });
}

/** A store over `directory`, which is made with the first write. The etag is the SHA-256 of the bytes, in hex. */
export function openDirectoryStore(directory: string): ObjectStore {
    const pathOf = (key: string): string => `${directory}/${key}`;
    const guard = guardLinks(directory);
    /** Runs work on one object, whose key no link may lead to; errors say what was done. */
    async function guarded<T>(key: string, doing: string, work: () => Promise<T>): Promise<T> {
        try {
            await letOthersWork();
            guard.assertWayTo(key);
            return await work();
        } catch (error) {
            throw translate(error, { directory, doing: `${doing} ${key}` });
        }
    }
    const descriptionFolder = (key: string): string => `${OBJECTS_FOLDER}/${sha256(key).slice(0, 16)}`;
    const descriptions = (key: string): string => join(directory, descriptionFolder(key));
    const lockFolder = join(directory, WORK_FOLDER, 'lock');

    /** What there is to know of the object. `bytes` are the file's where the caller has read them. */
    async function describe(key: string, file: OpenFile, bytes?: Uint8Array): Promise<ObjectInfo> {
        const stats = fstatSync(file.fd, { bigint: true });
        if (!key.startsWith(DESCRIBED_PREFIX)) {
            const etag = bytes ? sha256(bytes) : await hashOf(file);
            return { key, etag, sizeBytes: Number(stats.size), generation: etag, metadata: {} };
        }
        return known(key, stats) ?? toInfo(key, stats, await describeUnknown(key, file, identityOf(stats)));
    }

    /** What the description of a raw file says; undefined where there is none of this very file. */
    function known(key: string, stats: BigIntStats): ObjectInfo | undefined {
        const path = `${descriptionFolder(key)}/${identityOf(stats)}`;
        guard.assertWayTo(path);
        const description = readDescription(pathOf(path));
        return description && toInfo(key, stats, description);
    }

    /** Describes a raw file that was put there by hand, or that moved here with its lake: known by its bytes, if at all. */
    async function describeUnknown(key: string, file: OpenFile, identity: string): Promise<Description> {
        const etag = await hashOf(file);
        const folder = descriptions(key);
        const names = ifPossible(() => readdirSync(folder)) ?? [];
        const knownBytes = names
            .map((name) => readDescription(join(folder, name)))
            .filter((description) => description?.etag === etag)
            .sort((a, b) => ((a?.putAt ?? '') < (b?.putAt ?? '') ? 1 : -1))[0];
        const description = knownBytes ?? { etag, generation: `found-${identity}`, metadata: {}, putAt: new Date().toISOString() };
        // A lake that may only be read stays as it is; the file is hashed again next time.
        ifPossible(() => writeDescription(folder, identity, description));
        return description;
    }

    async function head(key: string): Promise<ObjectInfo | undefined> {
        if (key.startsWith(DESCRIBED_PREFIX)) {
            const stats = ifThere(() => lstatSync(pathOf(key), { bigint: true }));
            const info = stats?.isFile() ? known(key, stats) : undefined;
            if (info) {
                return info;
            }
        }
        return withFile(pathOf(key), (file) => describe(key, file));
    }

    /** Puts a finished file in its place. */
    async function place(temporary: string, key: string, { etag, ifMatch }: { etag: string; ifMatch: string | undefined }): Promise<void> {
        const path = pathOf(key);
        if (ifMatch === undefined) {
            inFolder(dirname(path), () => renameSync(temporary, path));
            return;
        }
        // A new object needs no lock: a link is made by one writer only, and those that hold the lock replace and delete what is there.
        if (ifMatch === ABSENT && isLinked(temporary, path)) {
            return;
        }
        await withLock(lockFolder, async () => {
            const found = (await head(key))?.etag ?? ABSENT;
            if (found === ABSENT && ifMatch === ABSENT && isLinked(temporary, path)) {
                return;
            }
            if (found !== ifMatch || (ifMatch === ABSENT && isObject(path))) {
                throw new ConflictError(`${key} was changed by another writer (found ${found}, expected ${ifMatch}, writing ${etag})`);
            }
            inFolder(dirname(path), () => renameSync(temporary, path));
        });
    }

    return {
        isSettledByError: true,

        head: (key) => guarded(key, 'read', () => head(key)),

        async *open(key, { ifMatch }) {
            const file = await guarded(key, 'read', async () => openObject(pathOf(key)));
            if (!file) {
                throw new ConflictError(`${key} is gone`);
            }
            try {
                assertEtag(await describe(key, file), ifMatch);
                yield* readAhead(file);
            } finally {
                closeSync(file.fd);
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

        get: (key) =>
            guarded(key, 'read', () =>
                withFile(pathOf(key), async (file) => {
                    const bytes = new Uint8Array(readFileSync(file.fd));
                    return { info: await describe(key, file, bytes), bytes };
                }),
            ),

        readEnd: (key, { lastBytes }) =>
            guarded(key, 'read', () =>
                withFile(pathOf(key), async (file) => {
                    const { size } = fstatSync(file.fd);
                    return { bytes: readPart(file, { start: Math.max(0, size - lastBytes), end: size }), sizeBytes: size };
                }),
            ),

        put: (key, body, { ifMatch, metadata = {} }: PutOptions = {}) =>
            guarded(key, 'write', async () => {
                const temporary = temporaryPath(directory);
                let description: string | undefined;
                try {
                    const { etag, stats } = await writeWhole(temporary, body);
                    const info = { key, etag, sizeBytes: Number(stats.size), generation: etag, metadata: {} };
                    if (key.startsWith(DESCRIBED_PREFIX)) {
                        guard.assertWayTo(join(descriptionFolder(key), 'file'));
                        Object.assign(info, { generation: randomUUID(), metadata });
                        description = join(descriptions(key), identityOf(stats));
                        writeDescription(descriptions(key), identityOf(stats), { ...info, putAt: new Date().toISOString() });
                    }
                    await place(temporary, key, { etag, ifMatch });
                    return info;
                } catch (error) {
                    const isPlaced = !isRemoved(temporary);
                    // What was never there must not describe a copy of the lake, where raw files are known by their bytes.
                    if (description !== undefined && !isPlaced) {
                        isRemoved(description);
                    }
                    throw error;
                }
            }),

        delete: (key, { only } = {}) =>
            guarded(key, 'delete', async () => {
                if (!isObject(pathOf(key))) {
                    return;
                }
                await withLock(lockFolder, async () => {
                    const found = only && (await head(key))?.generation;
                    if (found !== undefined && found !== only?.generation) {
                        throw new ConflictError(`${key} was put once more (found ${found}, expected ${only?.generation})`);
                    }
                    if (isObject(pathOf(key))) {
                        rmSync(pathOf(key), { force: true });
                    }
                });
            }),

        openScratch: () => openScratchFile(temporaryPath(directory)),

        folderMark: (prefix) =>
            guarded(`${prefix}object`, 'list', async () => {
                const stats = prefix.endsWith('/') ? ifThere(() => lstatSync(pathOf(prefix.slice(0, -1)), { bigint: true })) : undefined;
                // Two names of a folder are its own and the dot in it: no folder lies in it, whose changes it would not show. Not every file system counts so.
                return stats?.isDirectory() && stats.nlink === 2n ? `${stats.ino}-${stats.mtimeNs}` : undefined;
            }),

        async *list(prefix) {
            const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
            try {
                guard.assertWayTo(`${folder}object`);
            } catch (error) {
                throw translate(error, { directory, doing: `list ${folder}` });
            }
            for (const object of walk(directory, folder, prefix)) {
                await letOthersWork();
                yield object;
            }
        },
    };
}

/** What is kept of a raw file beside it, under the file's identity: so file and description change in one rename. */
type Description = Pick<ObjectInfo, 'etag' | 'generation' | 'metadata'> & { putAt: string };

/** Which very file this is: any other that takes its place has another inode, time or size. */
function identityOf(stats: BigIntStats): string {
    return `${stats.ino}-${stats.mtimeNs}-${stats.size}`;
}

function readDescription(path: string): Description | undefined {
    try {
        const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
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

function writeDescription(folder: string, identity: string, { etag, generation, metadata, putAt }: Description): void {
    inFolder(folder, () => writeFileSync(join(folder, identity), JSON.stringify({ etag, generation, metadata, putAt })));
}

async function writeWhole(path: string, body: Uint8Array | ByteStream): Promise<{ etag: string; stats: BigIntStats }> {
    const hash = createHash('sha256');
    const fd = inFolder(dirname(path), () => openSync(path, 'wx'));
    try {
        for await (const chunk of body instanceof Uint8Array ? [body] : body) {
            hash.update(chunk);
            writeAll(fd, chunk);
        }
        await synced(fd);
        return { etag: hash.digest('hex'), stats: fstatSync(fd, { bigint: true }) };
    } finally {
        closeSync(fd);
    }
}

/** Waits until the file is on the disk. It is the one call that takes long, so other work of the thread goes on meanwhile. */
function synced(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
        fsync(fd, (error) => (error ? reject(error) : resolve()));
    });
}

function writeAll(fd: number, chunk: Uint8Array): void {
    for (let written = 0; written < chunk.length; ) {
        written += writeSync(fd, chunk, written);
    }
}

/** Does what needs the folder, which is made where it is not there. */
function inFolder<T>(folder: string, work: () => T): T {
    try {
        return work();
    } catch (error) {
        if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) {
            throw error;
        }
        // It says which file stands in the way of a folder.
        makeFolder(folder);
        return work();
    }
}

/** @throws ConflictError where the object has another etag. */
function assertEtag({ key, etag }: ObjectInfo, expected: string): void {
    if (etag !== expected) {
        throw new ConflictError(`${key} was changed by another writer (found ${etag}, expected ${expected})`);
    }
}

function readPart({ fd }: OpenFile, { start, end }: ByteRange): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.max(0, end - start));
    for (let filled = 0; filled < bytes.length; ) {
        const bytesRead = readSync(fd, bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) {
            return bytes.slice(0, filled);
        }
        filled += bytesRead;
    }
    return bytes;
}

async function hashOf(file: OpenFile): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of readAhead(file)) {
        hash.update(chunk);
    }
    return hash.digest('hex');
}

/** Texts that JavaScript puts into the order of their bytes. */
const ASCII = /^[\0-\x7f]*$/;

function* walk(directory: string, folder: string, prefix: string): Generator<ListedObject> {
    // A folder sorts as its keys do: with the slash behind its name.
    const named = entriesOf(directory, folder).map((entry) => ({ entry, key: folder + entry.name + (entry.isDirectory() ? '/' : '') }));
    const isAscii = named.every(({ key }) => ASCII.test(key));
    named.sort((a, b) => (isAscii ? (a.key < b.key ? -1 : 1) : Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))));
    for (const { entry, key } of named) {
        if (entry.isDirectory()) {
            if (key !== `${WORK_FOLDER}/` && key.startsWith(prefix)) {
                yield* walk(directory, key, prefix);
            }
        } else if (entry.isFile() && key.startsWith(prefix)) {
            yield listed(directory, key);
        }
    }
}

/** An object that a folder lists. Its size and time are looked up once somebody asks, which few do; one that went meanwhile is empty, and of now. */
function listed(directory: string, key: string): ListedObject {
    let stats: Stats | undefined;
    const look = (): Stats | undefined => {
        stats ??= statsOf(directory, key);
        return stats;
    };
    return {
        key,
        get sizeBytes() {
            return look()?.size ?? 0;
        },
        get modifiedAt() {
            return look()?.mtime ?? new Date();
        },
    };
}

function entriesOf(directory: string, folder: string): Dirent[] {
    try {
        return ifThere(() => readdirSync(`${directory}/${folder}`, { withFileTypes: true })) ?? [];
    } catch (error) {
        throw translate(error, { directory, doing: `list ${folder}` });
    }
}

function statsOf(directory: string, key: string): Stats | undefined {
    try {
        return ifThere(() => lstatSync(`${directory}/${key}`));
    } catch (error) {
        throw translate(error, { directory, doing: `read ${key}` });
    }
}

/** An object's file while it is open. */
interface OpenFile {
    fd: number;
}

async function withFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T | undefined> {
    const file = openObject(path);
    if (!file) {
        return undefined;
    }
    try {
        return await use(file);
    } finally {
        closeSync(file.fd);
    }
}

/** Flags that open an object: a link is not followed, and a pipe that nobody writes into is not waited for. Windows knows neither flag. */
const OBJECT_ONLY = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** The object's file; undefined where nothing is, or what is no object: a folder, a link, a pipe. */
function openObject(path: string): OpenFile | undefined {
    const fd = ifThere(() => openSync(path, OBJECT_ONLY));
    if (fd !== undefined && !fstatSync(fd).isFile()) {
        closeSync(fd);
        return undefined;
    }
    return fd === undefined ? undefined : { fd };
}

/** True if an object stands there; what is no object is left where it is. */
function isObject(path: string): boolean {
    return ifThere(() => lstatSync(path))?.isFile() ?? false;
}

/** True if the file stands under the path now, where nothing stood; false where something does, or the file system knows no such links. */
function isLinked(temporary: string, path: string): boolean {
    try {
        inFolder(dirname(path), () => linkSync(temporary, path));
    } catch (error) {
        if (codeOf(error) === 'EEXIST' || isWithoutLinks(error)) {
            return false;
        }
        throw error;
    }
    rmSync(temporary, { force: true });
    return true;
}

/** True if the file was there and is gone now. */
function isRemoved(path: string): boolean {
    try {
        rmSync(path);
        return true;
    } catch {
        return false;
    }
}

/** What `work` returns, or undefined where it fails. */
function ifPossible<T>(work: () => T): T | undefined {
    try {
        return work();
    } catch {
        return undefined;
    }
}

/**
 * What `work` returns, or undefined where its error means that nothing is there: a key below another one's file is missing too; a link (ELOOP)
 * and a socket (ENXIO) are no objects.
 */
function ifThere<T>(work: () => T): T | undefined {
    try {
        return work();
    } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'ENXIO'].includes(codeOf(error) ?? '')) {
            return undefined;
        }
        throw error;
    }
}

/** Messages, signals and timers of the thread wait for this long at most while it is busy with objects. */
const TURN_MS = 10;

let turnAt = 0;

/** Lets other work of this thread have its turn, where it has waited: whoever shows progress, and Ctrl-C. */
async function letOthersWork(): Promise<void> {
    if (performance.now() >= turnAt) {
        await setImmediate();
        turnAt = performance.now() + TURN_MS;
    }
}

/** The facts of a raw file, by its description. */
function toInfo(key: string, { size }: BigIntStats, { etag, generation, metadata }: Description): ObjectInfo {
    return { key, etag, sizeBytes: Number(size), generation, metadata };
}

function sha256(bytes: Uint8Array | string): string {
    return hash('sha256', bytes);
}

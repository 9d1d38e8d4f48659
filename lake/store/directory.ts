/**
 * The object store in a directory: objects are plain files under their keys, so that any Parquet reader and any file browser
 * sees them. Files are written aside and renamed; conditional writes compare the etag and rename under a lock. A symbolic link is no
 * object, and a folder that is one is an error.
 */
import { createHash, hash, randomUUID } from 'node:crypto';
import {
    type BigIntStats,
    closeSync,
    type Dirent,
    fstatSync,
    lstatSync,
    openSync,
    readdirSync,
    readFileSync,
    readSync,
    type Stats,
} from 'node:fs';
import { constants, type FileHandle, lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
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
    const pathOf = (key: string): string => `${directory}/${key}`;
    const guard = guardLinks(directory);
    /** Runs work on one object, whose key no link may lead to; errors say what was done. */
    async function guarded<T>(key: string, doing: string, work: () => Promise<T>): Promise<T> {
        try {
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
    async function describe(key: string, file: FileHandle, bytes?: Uint8Array): Promise<ObjectInfo> {
        const stats = await file.stat({ bigint: true });
        if (!key.startsWith(DESCRIBED_PREFIX)) {
            return describeBytes(key, bytes ? sha256(bytes) : await hashOf(file), Number(stats.size));
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
    async function describeUnknown(key: string, file: FileHandle, identity: string): Promise<Description> {
        const etag = await hashOf(file);
        const folder = descriptions(key);
        const names = await readdir(folder).catch(() => []);
        const knownBytes = names
            .map((name) => readDescription(join(folder, name)))
            .filter((description) => description?.etag === etag)
            .sort((a, b) => ((a?.putAt ?? '') < (b?.putAt ?? '') ? 1 : -1))[0];
        const description = knownBytes ?? { etag, generation: `found-${identity}`, metadata: {}, putAt: new Date().toISOString() };
        // A lake that may only be read stays as it is; the file is hashed again next time.
        await writeDescription(folder, identity, description).catch(() => undefined);
        return description;
    }

    async function head(key: string): Promise<ObjectInfo | undefined> {
        if (isTurnDue()) {
            await giveTurn();
        }
        if (key.startsWith(DESCRIBED_PREFIX)) {
            const stats = missingAs(undefined, () => lstatSync(pathOf(key), { bigint: true }));
            const info = stats?.isFile() ? known(key, stats) : undefined;
            if (info) {
                return info;
            }
        }
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
            guarded(key, 'read', async () => {
                if (isTurnDue()) {
                    await giveTurn();
                }
                const small = key.startsWith(DESCRIBED_PREFIX) ? undefined : readSmall(pathOf(key));
                if (small) {
                    const info = describeBytes(key, sha256(small), small.length);
                    return { info, bytes: lastBytes === undefined ? small : small.subarray(-lastBytes) };
                }
                return withFile(pathOf(key), async (file) => {
                    const bytes = new Uint8Array(await file.readFile());
                    const info = await describe(key, file, bytes);
                    return { info, bytes: lastBytes === undefined ? bytes : bytes.subarray(-lastBytes) };
                });
            }),

        put: (key, body, { ifMatch, metadata = {} }: PutOptions = {}) =>
            guarded(key, 'write', async () => {
                const temporary = temporaryPath(directory);
                let description: string | undefined;
                await mkdir(temporaryFolder(directory), { recursive: true });
                try {
                    const { etag, stats } = await writeWhole(temporary, body);
                    const info = { key, etag, sizeBytes: Number(stats.size), generation: etag, metadata: {} };
                    if (key.startsWith(DESCRIBED_PREFIX)) {
                        guard.assertWayTo(join(descriptionFolder(key), 'file'));
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
            try {
                guard.assertWayTo(`${folder}object`);
            } catch (error) {
                throw translate(error, { directory, doing: `list ${folder}` });
            }
            for (const object of walk(directory, folder, prefix)) {
                if (isTurnDue()) {
                    await giveTurn();
                }
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
            yield new ListedFile(directory, key);
        }
    }
}

/** An object that a folder lists. Its size and time are looked up once somebody asks, which few do; one that went meanwhile is empty, and of now. */
class ListedFile implements ListedObject {
    readonly key: string;
    readonly #directory: string;
    #stats: Stats | undefined;

    constructor(directory: string, key: string) {
        this.key = key;
        this.#directory = directory;
    }

    get sizeBytes(): number {
        return this.#look()?.size ?? 0;
    }

    get modifiedAt(): Date {
        return this.#look()?.mtime ?? new Date();
    }

    #look(): Stats | undefined {
        this.#stats ??= statsOf(this.#directory, this.key);
        return this.#stats;
    }
}

function entriesOf(directory: string, folder: string): Dirent[] {
    try {
        return missingAs([], () => readdirSync(`${directory}/${folder}`, { withFileTypes: true }));
    } catch (error) {
        throw translate(error, { directory, doing: `list ${folder}` });
    }
}

function statsOf(directory: string, key: string): Stats | undefined {
    try {
        return missingAs(undefined, () => lstatSync(`${directory}/${key}`));
    } catch (error) {
        throw translate(error, { directory, doing: `read ${key}` });
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

/**
 * Larger objects are read by Node's threads, several at a time. Of a smaller one the hand-over costs five times as much as the reading (docs/performance.md).
 */
const SMALL_BYTES = 1 << 16;

/** The bytes of an object, read by this thread. Undefined where nothing is, what is no object, a larger one, and one that is being cut. */
function readSmall(path: string): Uint8Array<ArrayBuffer> | undefined {
    const file = missingAs(undefined, () => openSync(path, OBJECT_ONLY));
    if (file === undefined) {
        return undefined;
    }
    try {
        const stats = fstatSync(file);
        if (!stats.isFile() || stats.size > SMALL_BYTES) {
            return undefined;
        }
        const bytes = new Uint8Array(stats.size);
        return readSync(file, bytes) === bytes.length ? bytes : undefined;
    } finally {
        closeSync(file);
    }
}

/** Others have waited this long for this thread before they get their turn: whoever shows progress, and Ctrl-C. */
const TURN_MS = 20;

let turnAt = 0;

function isTurnDue(): boolean {
    return performance.now() >= turnAt;
}

/** Gives others their turn between synchronous calls. */
async function giveTurn(): Promise<void> {
    await setImmediate();
    turnAt = performance.now() + TURN_MS;
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

/** What `work` gives, which calls the system by itself; `instead` as `ignoreMissing` has it. */
function missingAs<T, I>(instead: I, work: () => T): T | I {
    try {
        return work();
    } catch (error) {
        return ignoreMissing(instead)(error);
    }
}

/** The facts of an object that is known by its bytes. */
function describeBytes(key: string, etag: string, sizeBytes: number): ObjectInfo {
    return { key, etag, sizeBytes, generation: etag, metadata: {} };
}

/** The facts of a raw file, by its description. */
function toInfo(key: string, { size }: BigIntStats, { etag, generation, metadata }: Description): ObjectInfo {
    return { key, etag, sizeBytes: Number(size), generation, metadata };
}

function sha256(bytes: Uint8Array | string): string {
    return hash('sha256', bytes);
}

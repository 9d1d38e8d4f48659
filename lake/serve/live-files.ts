/** Places of the files of a served lake that are no objects of it. */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WORK_FOLDER } from '#lake/store/directory-links';
import { makeFolder } from '#lake/store/make-folder';
import { translate } from '#lake/store/system-errors';

/** Folder of the lake in a directory that holds them all; only its owner can look into it. */
export function liveFolder(directory: string): string {
    return join(directory, WORK_FOLDER, 'live');
}

export function liveFile(
    directory: string,
    name: 'inbox.sqlite' | 'state.sqlite' | 'reader-token.json' | 'serve.json' | 'serve.sock',
): string {
    return join(liveFolder(directory), name);
}

/** Makes the folder where it is missing, for its owner alone. @throws StorageError where that cannot be */
export function makeLiveFolder(directory: string): void {
    try {
        makeFolder(liveFolder(directory));
        chmodSync(liveFolder(directory), 0o700);
    } catch (error) {
        throw translate(error, { directory, doing: 'serve the lake' });
    }
}

/** Address at which a lake is served. */
export interface ServingAt {
    /** A name or address that devices dial. */
    host: string;
    mqttPort: number;
    /** Beginning of the addresses of the HTTP API. */
    httpBase: string;
}

/** Address of a lake that has never said another one. */
const DEFAULT: ServingAt = { host: 'localhost', mqttPort: 8883, httpBase: 'http://localhost:8080' };

/** Writes the address down, for commands that tell people so. */
export function writeServing(
    directory: string,
    { host, mqttPort, httpPort, isHttps }: { host: string; mqttPort: number; httpPort: number; isHttps: boolean },
): void {
    const named = host.includes(':') ? `[${host}]` : host;
    const serving: ServingAt = { host, mqttPort, httpBase: `${isHttps ? 'https' : 'http'}://${named}:${httpPort}` };
    writeLiveFile(liveFile(directory, 'serve.json'), `${JSON.stringify(serving)}\n`);
}

/** Writes a small file, whole or not at all, for its owner alone. @throws StorageError */
export function writeLiveFile(path: string, text: string): void {
    try {
        writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
        renameSync(`${path}.new`, path);
    } catch (error) {
        throw translate(error, { directory: dirname(path), doing: 'write' });
    }
}

/** Address at which the lake is served, or was last. */
export function readServing(directory: string): ServingAt {
    try {
        return { ...DEFAULT, ...JSON.parse(readFileSync(liveFile(directory, 'serve.json'), 'utf8')) };
    } catch {
        return DEFAULT;
    }
}

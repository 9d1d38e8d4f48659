/** What must be known of a lake that is served, or was, to say whether devices can report to it. */
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import pMap from 'p-map';
import { holdingCertificates, readAllCredentials } from '#lake/credentials';
import { StorageError } from '#lake/errors';
import { askServe, canBeAsked } from '#lake/serve/control';
import { wordsOf } from '#lake/serve/inbox-database';
import { liveFile, liveFolder } from '#lake/serve/live-files';
import { openToRead, toStorageError } from '#lake/serve/sqlite-file';
import type { ObjectStore } from '#lake/store/object-store';
import { codeOf, translated } from '#lake/store/system-errors';
import { type Answer, ask } from './finding.ts';

export interface LiveFacts {
    /** True while a process serves the lake. */
    isServed: Answer<boolean>;
    secrets: Answer<readonly Secret[]>;
    /** End of the certificate that the servers show. */
    serverEnds: Answer<Date>;
    /** Certificates of devices that were not revoked. */
    certificates: Answer<readonly DeviceCertificate[]>;
    freeBytes: Answer<number>;
    /** Messages in the inbox; undefined where it was not looked for, because somebody serves it or nobody knows whether. */
    waiting: Answer<number> | undefined;
}

/** A file or folder that only its owner may look into. */
export interface Secret {
    path: string;
    isFolder: boolean;
    /** True if its owner alone can read it. */
    isPrivate: boolean;
}

export interface DeviceCertificate {
    device: string;
    notAfter: Date;
}

/** A serve that is well answers within milliseconds. */
const ANSWER_MS = 3_000;

/** Rights of the group and of all others. */
const NOT_THE_OWNER = 0o077;

/** Facts of live telemetry; undefined where the lake was never served and has no authority. Changes nothing. */
export async function gatherLive(directory: string, store: ObjectStore): Promise<LiveFacts | undefined> {
    const folder = liveFolder(directory);
    if (!existsSync(folder)) {
        return undefined;
    }
    const about = <T>(doing: string, question: () => Promise<T>): Promise<Answer<T>> =>
        ask(() => translated(question, { directory, doing }), { doing, isMissing: (error) => codeOf(error.cause) === 'ENOENT' });
    const authority = join(folder, 'ca');
    const [isServed, secrets, serverEnds, certificates, freeBytes] = await Promise.all([
        about('ask who serves it', async () => {
            if (!canBeAsked(directory)) {
                throw new StorageError('The path of this lake is too long for a socket: whether it is served cannot be asked');
            }
            return (await askServe(directory, 'status', { withinMs: ANSWER_MS })) !== undefined;
        }),
        about('look at who may read its keys', () =>
            readSecrets([folder, authority, join(authority, 'ca.key'), join(authority, 'server.key')]),
        ),
        about('read the certificate of the servers', () => readEnd(join(authority, 'server.crt'))),
        ask(async () => holdingCertificates(await readAllCredentials(store)), { doing: 'read the credentials' }),
        about('ask for free space', async () => {
            const { bavail, bsize } = await statfs(folder);
            return bavail * bsize;
        }),
    ]);
    const isAlone = isServed.kind === 'found' && !isServed.value;
    return {
        ...{ isServed, secrets, serverEnds, certificates, freeBytes },
        waiting: isAlone ? await about('look into the inbox', async () => countWaiting(liveFile(directory, 'inbox.sqlite'))) : undefined,
    };
}

async function readEnd(path: string): Promise<Date> {
    const text = await readFile(path);
    try {
        return new Date(new X509Certificate(text).validTo);
    } catch (error) {
        throw new StorageError(`${path} is no certificate: remove it, and the next serve makes another`, { cause: error });
    }
}

async function readSecrets(paths: readonly string[]): Promise<Secret[]> {
    const found = await pMap(paths, async (path) => {
        const info = await stat(path).catch((error: unknown) => {
            if (codeOf(error) === 'ENOENT') {
                return undefined;
            }
            throw error;
        });
        return info ? [{ path, isFolder: info.isDirectory(), isPrivate: (info.mode & NOT_THE_OWNER) === 0 }] : [];
    });
    return found.flat();
}

function countWaiting(file: string): number {
    if (!existsSync(file)) {
        return 0;
    }
    let database: DatabaseSync | undefined;
    try {
        database = openToRead(file, wordsOf(file, `cannot look into the inbox ${file}`));
        return Number(database.prepare('select count(*) as messages from messages').get()?.messages);
    } catch (error) {
        throw toStorageError(error, wordsOf(file, `cannot look into the inbox ${file}`));
    } finally {
        database?.close();
    }
}

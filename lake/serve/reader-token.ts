/** The token by which readers of the API are known: its hash lies in a file, the token itself is shown once, when it is made. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hashToken } from '#lake/credentials';
import { StorageError } from '#lake/errors';
import { codeOf } from '#lake/store/system-errors';
import { writeLiveFile } from './live-files.ts';

export interface ReaderToken {
    /** The token, where it was made now; nobody can show it again. */
    made: string | undefined;
    /** Writes down the hash of the token that was made: to be called when nothing can fail any more before somebody sees it. */
    keep(): void;
    /** True if this is the token; compared in constant time. */
    is(token: string): boolean;
}

const PREFIX = 'flr_';
const TOKEN_BYTES = 32;

/** The token whose hash lies in the file; a new one where there is none, or where one is asked for, which holds from `keep` on. @throws StorageError for a file that holds no hash */
export function openReaderToken(file: string, { isNew }: { isNew: boolean }): ReaderToken {
    const known = isNew ? undefined : readHash(file);
    const made = known === undefined ? `${PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}` : undefined;
    const hash = known ?? hashToken(made ?? '');
    const keep = (): void => {
        if (made !== undefined) {
            writeLiveFile(file, `${JSON.stringify({ sha256: hash })}\n`);
        }
    };
    return { made, keep, is: (token) => timingSafeEqual(Buffer.from(hashToken(token), 'hex'), Buffer.from(hash, 'hex')) };
}

function readHash(file: string): string | undefined {
    let text: string;
    try {
        text = readFileSync(file, 'utf8');
    } catch (error) {
        if (codeOf(error) === 'ENOENT') {
            return undefined;
        }
        throw new StorageError(`Cannot read ${file}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
    const [, hash] = /^\{"sha256":"([0-9a-f]{64})"\}\n$/.exec(text) ?? [];
    if (hash === undefined) {
        throw new StorageError(`${file} holds no token: serve --new-token makes another`);
    }
    return hash;
}

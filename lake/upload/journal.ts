/** Remembers which uploads in parts were begun from this machine and cut off, so that the next attempt goes on where they were. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '#lake/cache-folder';
import { ConflictError } from '#lake/errors';
import type { Resume } from '#lake/store/object-store';
import type { UploadOptions } from './request.ts';

export interface JournalEntry {
    bucket: string;
    key: string;
    /** Part of the object once it is begun: another attempt with other metadata begins anew. */
    metadata: Record<string, string>;
    sizeBytes: number;
}

/** The memory of one object's upload, in a file below the user's cache folder. */
export function journalOf(entry: JournalEntry, environment: UploadOptions['environment']): Resume {
    const folder = cacheFolder('uploads', environment);
    const text = JSON.stringify(entry);
    const path = join(folder, `${createHash('sha256').update(text).digest('hex').slice(0, 32)}.json`);
    return {
        async find() {
            const kept = parsed(await readFile(path, 'utf8').catch(() => '{}'));
            return typeof kept === 'object' && kept !== null && 'upload' in kept && typeof kept.upload === 'string'
                ? kept.upload
                : undefined;
        },
        // A cache that cannot be written costs no more than the going on.
        async keep(upload) {
            await mkdir(folder, { recursive: true }).catch(() => undefined);
            await writeFile(path, JSON.stringify({ ...entry, upload })).catch(() => undefined);
        },
        forget: () => rm(path, { force: true }),
        isWorthKeeping: (error) => !(error instanceof ConflictError) && !isPreconditionFailed(error),
    };
}

/** What the file says; undefined for one that was cut off while it was written: then the upload begins anew. */
function parsed(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

/** True for the error as S3 itself says it, before the store makes a ConflictError of it. */
function isPreconditionFailed(error: unknown): boolean {
    return error instanceof Error && error.name === 'PreconditionFailed';
}

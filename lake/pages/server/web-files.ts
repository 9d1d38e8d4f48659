/** The files of the web application as the build has made them, read once and held in memory: what is not among them cannot be asked for. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { StorageError } from '#lake/errors';
import { packageRoot } from '#lake/package-root';

export interface WebFile {
    bytes: Uint8Array<ArrayBuffer>;
    gzipped: Uint8Array<ArrayBuffer>;
    type: string;
    etag: string;
}

/** Files by their names. */
export type WebFiles = ReadonlyMap<string, WebFile>;

/** The one page that all screens stand in. */
export const INDEX = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
    html: 'text/html; charset=utf-8',
    js: 'text/javascript; charset=utf-8',
    css: 'text/css; charset=utf-8',
    svg: 'image/svg+xml',
    json: 'application/json',
};

/** Reads what the build has written; or another folder. @throws StorageError where it is not there */
export function readWebFiles(folder = new URL('dist/web/', packageRoot)): WebFiles {
    const files = new Map<string, WebFile>();
    try {
        for (const name of readdirSync(folder)) {
            const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
            if (type !== undefined) {
                const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
                const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
                files.set(name, { bytes, gzipped: new Uint8Array(gzipSync(bytes)), type, etag });
            }
        }
    } catch (error) {
        throw new StorageError(`The web application is not in ${folder.pathname}: install flowlake again (a checkout: npm run build)`, {
            cause: error,
        });
    }
    return files;
}

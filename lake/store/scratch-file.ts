/** Scratch room in a file without a name: the system frees it when it is closed, or when the process ends in whatever way. */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.ts';
import type { Scratch } from './object-store.ts';
import { translate } from './system-errors.ts';

/** Scratch room in a file that is made under the path, and has no name any more once this returns. Its folder is made where it is not there. */
export function openScratchFile(path: string): Scratch {
    const folder = dirname(path);
    const attempt = <T>(doing: string, work: () => T): T => {
        try {
            return work();
        } catch (error) {
            throw translate(error, { directory: folder, doing });
        }
    };
    const fd = attempt('make a temporary file', () => {
        makeFolder(folder);
        const opened = openSync(path, 'wx+');
        rmSync(path, { force: true });
        return opened;
    });
    let sizeBytes = 0;
    let isOpen = true;
    return {
        append(bytes) {
            const start = sizeBytes;
            attempt('write a temporary file', () => {
                for (let written = 0; written < bytes.length; ) {
                    written += writeSync(fd, bytes, written, bytes.length - written, start + written);
                }
            });
            sizeBytes += bytes.length;
            return start;
        },
        read({ start, end }) {
            const bytes = new Uint8Array(end - start);
            attempt('read a temporary file', () => {
                for (let filled = 0; filled < bytes.length; ) {
                    const bytesRead = readSync(fd, bytes, filled, bytes.length - filled, start + filled);
                    if (bytesRead === 0) {
                        throw new RangeError(`only ${sizeBytes} bytes were appended, and ${end} are asked for`);
                    }
                    filled += bytesRead;
                }
            });
            return bytes;
        },
        close() {
            if (isOpen) {
                isOpen = false;
                closeSync(fd);
            }
        },
    };
}

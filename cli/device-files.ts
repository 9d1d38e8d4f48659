/** What a device is given to connect with: a folder of its own with certificate, key and token, as `device add --out DIR` writes it. */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError, UsageError } from '#lake/errors';
import { makeFolder } from '#lake/store/make-folder';
import { codeOf, translate } from '#lake/store/system-errors';

export const FILE_NAMES = { certificate: 'device.crt', key: 'device.key', ca: 'ca.crt', token: 'token' } as const;

export type DeviceFile = keyof typeof FILE_NAMES;

/** Texts are PEM but for the token; undefined for each that is not there. */
export type DeviceFiles = Record<DeviceFile, string | undefined>;

/** Path of a file of the device below `directory`. */
export function deviceFile(directory: string, device: string, which: DeviceFile): string {
    return join(directory, device, FILE_NAMES[which]);
}

/** The files of the device below `directory`. @throws StorageError for one that is there and cannot be read */
export async function readDeviceFiles(directory: string, device: string): Promise<DeviceFiles> {
    const read = async (which: DeviceFile): Promise<string | undefined> => {
        const path = deviceFile(directory, device, which);
        return readFile(path, 'utf8').catch((error: unknown) => {
            if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) {
                return undefined;
            }
            throw new StorageError(`cannot read ${path}: ${error instanceof Error ? error.message : error}`, { cause: error });
        });
    };
    const [certificate, key, ca, token] = await Promise.all([read('certificate'), read('key'), read('ca'), read('token')]);
    return { certificate, key, ca, token: token?.trim() };
}

/** Lets a folder pass in which none of these files stands. @throws UsageError that names the one that does */
export async function assertNoneThere(directory: string, device: string, which: readonly DeviceFile[]): Promise<void> {
    for (const one of which) {
        const path = deviceFile(directory, device, one);
        if (await stat(path).catch(() => undefined)) {
            throw new UsageError(`${path} is there already, and is not overwritten: give another folder with --out, or move it away`);
        }
    }
}

/** The time at which the device's key was made; undefined where it has none there. */
export async function keyMadeAt(directory: string, device: string): Promise<Date | undefined> {
    return (await stat(deviceFile(directory, device, 'key')).catch(() => undefined))?.mtime;
}

/**
 * Writes files of the device; keys and tokens are readable for their owner alone. Each is whole on the disk or not there. None is overwritten but the
 * authority's certificate, which is no secret.
 */
export function writeDeviceFiles(directory: string, device: string, files: Partial<Record<DeviceFile, string>>): void {
    const folder = join(directory, device);
    try {
        makeFolder(directory);
        mkdirSync(folder, { mode: 0o700, recursive: true });
        for (const [which, name] of Object.entries(FILE_NAMES)) {
            const text = files[which as DeviceFile];
            if (text !== undefined) {
                const isSecret = which === 'key' || which === 'token';
                writeWhole(join(folder, name), text, { mode: isSecret ? 0o600 : 0o644, mayReplace: which === 'ca' });
            }
        }
    } catch (error) {
        throw translate(error, { directory: folder, doing: 'write the files of the device' });
    }
}

function writeWhole(path: string, text: string, { mode, mayReplace }: { mode: number; mayReplace: boolean }): void {
    const aside = `${path}-${randomUUID()}`;
    try {
        writeFileSync(aside, text, { mode, flush: true });
        if (mayReplace) {
            renameSync(aside, path);
        } else {
            moveWithoutReplacing(aside, path);
        }
    } finally {
        rmSync(aside, { force: true });
    }
}

/** @throws the system's EEXIST where a file is there */
function moveWithoutReplacing(from: string, to: string): void {
    try {
        linkSync(from, to);
    } catch (error) {
        // Memory cards know no links; there a file is looked for instead.
        if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error) ?? '') || statSync(to, { throwIfNoEntry: false })) {
            throw error;
        }
        renameSync(from, to);
    }
}

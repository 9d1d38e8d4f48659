/** Answers in a folder of this machine, for its user alone: whoever makes them again may throw them away at any time. */
import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lstat, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '#lake/store/make-folder';
import type { Json } from './page.ts';

export interface AnswersFolder {
    /** The answer that was kept under this name; undefined where there is none, or one that cannot be read. */
    find(name: string): Promise<Json | undefined>;
    /** Keeps the answer. Where that cannot be done, nothing is kept. */
    keep(name: string, answer: Json): Promise<void>;
}

export interface AnswersFolderOptions {
    folder: string;
    /** What all answers together may take; those that were not asked for longest go first. */
    maxBytes?: number;
    /** Called with what went wrong: pages are answered all the same. */
    onTrouble: (message: string) => void;
}

const MEBIBYTE = 2 ** 20;

/** What a file takes on a disk, however small it is. */
const BLOCK_BYTES = 4096;

/** A larger answer would push too many others out. */
const MAX_SHARE = 0.1;

/** Opens the folder, which need not be there. Names are 64 hex digits; several processes may use it at once. */
export function openAnswersFolder({ folder, maxBytes = 256 * MEBIBYTE, onTrouble }: AnswersFolderOptions): AnswersFolder {
    const pathOf = (name: string): string => join(folder, `${name}.json`);

    /** Does the work; trouble is told, and then there is nothing. */
    async function attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
        try {
            return await work();
        } catch (error) {
            if (!isGone(error)) {
                onTrouble(`Answers of pages cannot be ${what} in ${folder}: ${error instanceof Error ? error.message : error}`);
            }
            return undefined;
        }
    }

    async function makeRoom(): Promise<void> {
        const names = (await readdir(folder)).filter((name) => ANSWER.test(name) || HALF_WRITTEN.test(name));
        const files = await Promise.all(
            names.map(async (name) => {
                const info = await lstat(join(folder, name)).catch(() => undefined);
                return { name, bytes: Math.max(BLOCK_BYTES, info?.size ?? 0), usedAt: info?.mtimeMs ?? 0 };
            }),
        );
        let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
        for (const file of files.sort((a, b) => a.usedAt - b.usedAt)) {
            if (bytes <= maxBytes) {
                return;
            }
            await rm(join(folder, file.name), { force: true });
            bytes -= file.bytes;
        }
    }

    return {
        find: (name) =>
            attempt('read', async () => {
                const file = await open(pathOf(name), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
                try {
                    const answer = unpack(await file.readFile('utf8'));
                    if (answer === undefined) {
                        await rm(pathOf(name), { force: true });
                        return undefined;
                    }
                    const now = new Date();
                    await utimes(pathOf(name), now, now);
                    return answer;
                } finally {
                    await file.close();
                }
            }),

        async keep(name, answer) {
            const text = pack(answer);
            if (Buffer.byteLength(text) > maxBytes * MAX_SHARE) {
                return;
            }
            await attempt('kept', async () => {
                makeFolder(folder);
                // Whoever made it before may have let others in.
                await chmod(folder, 0o700);
                const path = join(folder, `${randomUUID()}.half`);
                try {
                    const file = await open(path, 'wx', 0o600);
                    try {
                        await file.writeFile(text);
                    } finally {
                        await file.close();
                    }
                    await rename(path, pathOf(name));
                } catch (error) {
                    await rm(path, { force: true });
                    throw error;
                }
                await makeRoom();
            });
        },
    };
}

const ANSWER = /^[0-9a-f]{64}\.json$/;

/** What a process left that died while it wrote. */
const HALF_WRITTEN = /^[0-9a-f-]{36}\.half$/;

/** An answer is an object, so that one that is null differs from none; a hash in front tells a damaged file. */
function pack(answer: Json): string {
    const text = JSON.stringify({ answer });
    return `${hashOf(text)}\n${text}`;
}

function unpack(packed: string): Json | undefined {
    const [hash, text = ''] = packed.split(/\n(.*)/s);
    return hash === hashOf(text) ? (JSON.parse(text) as { answer: Json }).answer : undefined;
}

function hashOf(text: string): string {
    return createHash('sha256').update(text).digest('hex');
}

function isGone(error: unknown): boolean {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

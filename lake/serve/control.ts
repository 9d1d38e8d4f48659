/**
 * How commands of this machine speak to the serve of a lake: a socket in a folder that only its owner can look into. A question is a line of JSON, and so is
 * the answer.
 */
import { rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { StorageError } from '#lake/errors';
import { codeOf } from '#lake/store/system-errors';
import { liveFile } from './live-files.ts';

/** What can be asked: how it goes; that all that is in the inbox goes into the tables now; that registry and credentials are looked at now. */
const QUESTIONS = ['status', 'seal', 'refresh'] as const;

export type Asked = (typeof QUESTIONS)[number];

/** Paths of sockets may be this long, by the systems' own bound of 104 to 108 bytes. */
const MAX_PATH_BYTES = 100;

/** Sealing an inbox that has waited long takes long; a program that hangs is not waited for for ever. */
const ANSWER_MS = 10 * 60_000;

/** Answers questions from now on. @returns what ends that; undefined where the lake's path is too long for a socket */
export async function openControl(
    directory: string,
    answer: (asked: Asked) => Promise<unknown>,
): Promise<{ close(): Promise<void> } | undefined> {
    const path = pathOf(directory);
    if (path === undefined) {
        return undefined;
    }
    // Left by a process that was killed: the inbox is ours, so nobody else listens there.
    rmSync(path, { force: true });
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
        createInterface({ input: socket }).on('line', (line) => void answerLine(line, { socket, answer }));
    });
    await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(path, resolve);
    });
    return {
        close: () =>
            new Promise((resolve) => {
                for (const socket of sockets) {
                    socket.end();
                }
                server.close(() => resolve());
            }),
    };
}

async function answerLine(line: string, { socket, answer }: { socket: Socket; answer: (asked: Asked) => Promise<unknown> }): Promise<void> {
    let said: object;
    try {
        const asked = QUESTIONS.find((one) => one === line);
        said = asked
            ? { ok: (await answer(asked)) ?? null }
            : { error: 'nobody knows what is asked here: is this flowlake older than the one that serves?' };
    } catch (error) {
        said = { error: error instanceof Error ? error.message : String(error) };
    }
    socket.end(`${JSON.stringify(said)}\n`);
}

/** True if the lake's serve can be asked: false where the lake's path is too long for a socket. */
export function canBeAsked(directory: string): boolean {
    return pathOf(directory) !== undefined;
}

/** What the serve of the lake answers; undefined where none runs. @throws StorageError for what went wrong there */
export async function askServe(directory: string, asked: Asked, { withinMs = ANSWER_MS }: { withinMs?: number } = {}): Promise<unknown> {
    const path = pathOf(directory);
    if (path === undefined) {
        return undefined;
    }
    const text = await new Promise<string | undefined>((resolve, reject) => {
        const pieces: Buffer[] = [];
        const socket = connect(path, () => socket.write(`${asked}\n`));
        socket.setTimeout(withinMs, () => socket.destroy(new Error(`serve did not answer for ${withinMs / 1_000} seconds`)));
        socket.on('data', (piece) => pieces.push(piece));
        socket.on('end', () => resolve(Buffer.concat(pieces).toString()));
        socket.on('error', (error) => (isNobody(error) ? resolve(undefined) : reject(error)));
    }).catch((error: Error) => {
        throw new StorageError(`The serve of this lake cannot be asked: ${error.message}`, { cause: error });
    });
    if (text === undefined) {
        return undefined;
    }
    const said: unknown = text === '' ? { error: 'it ended while it was asked' } : JSON.parse(text);
    if (typeof said === 'object' && said !== null && 'ok' in said) {
        return said.ok;
    }
    throw new StorageError(`The serve of this lake: ${typeof said === 'object' && said !== null && 'error' in said ? said.error : text}`);
}

function isNobody(error: unknown): boolean {
    return ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(codeOf(error) ?? '');
}

/** Path of the socket, from where this process stands if that is shorter. */
function pathOf(directory: string): string | undefined {
    const path = liveFile(directory, 'serve.sock');
    return [path, relative('.', path)].find((one) => Buffer.byteLength(one) <= MAX_PATH_BYTES);
}

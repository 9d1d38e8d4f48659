/** One of the program's two ways out, with what must be known of it to print well. */
import type { Writable } from 'node:stream';
import { harmless } from '#cli/draw/text-width';

export interface Output {
    isTerminal: boolean;
    /** True for a terminal on which a line can be drawn over: not one of TERM=dumb, as editors have it. */
    canRedraw: boolean;
    /** Width of the terminal; 80 where there is none or it does not say. */
    columns: number;
    /**
     * Resolves when the text is on its way, so whoever awaits it writes no faster than it is read. What a terminal would obey (it may come
     * from a file's name or content) is escaped where the text is for people. @throws OutputClosed
     */
    write(text: string): Promise<void>;
    /** Moves the cursor of a terminal or clears it: for sequences that this program wrote itself, nothing else. */
    control(sequence: string): Promise<void>;
}

/** The reader of stdout has seen enough, as `head` does: no error, just the end. */
export class OutputClosed extends Error {
    override name = 'OutputClosed';
}

/**
 * Least length of a secret: real ones are longer. Shorter words, which a cloud on this machine may take for one, would be hidden from all
 * that is printed.
 */
const MIN_SECRET_LENGTH = 16;

/** The credentials in an environment. */
export function secretsOf(environment: Readonly<Record<string, string | undefined>>): string[] {
    const names = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'];
    return names.flatMap((name) => environment[name] ?? []).filter((secret) => secret.length >= MIN_SECRET_LENGTH);
}

interface Terminal {
    isTTY?: boolean;
    columns?: number;
}

export interface OpenOutputOptions {
    /** A closed stream swallows what is written instead of ending the program. */
    isOptional?: boolean;
    /** Texts that are never printed: credentials, which an error of a service may repeat. */
    secrets?: readonly string[];
    /** What the terminal says that it is: TERM. */
    terminal?: string | undefined;
}

/** What stands for a secret. */
const HIDDEN = '(hidden)';

/**
 * Wraps a stream. With `isOptional` all that is written is for people; else it is where a terminal shows it: a pipe or a file gets every
 * character as it is.
 */
export function openOutput(stream: Writable & Terminal, { isOptional = false, secrets = [], terminal }: OpenOutputOptions = {}): Output {
    let failure: NodeJS.ErrnoException | undefined;
    // Without a listener the stream's error would end the process with a stack; write's callback hands it on.
    stream.on('error', (error: NodeJS.ErrnoException) => {
        failure ??= error;
    });
    const writeOnce = (text: string) =>
        new Promise<void>((resolve, reject) => {
            stream.write(text, (error) => (error ? reject(error) : resolve()));
        });
    const send = async (text: string): Promise<void> => {
        try {
            if (failure) {
                throw failure;
            }
            await writeOnce(text);
        } catch (error) {
            if (isOptional) {
                return;
            }
            if (error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')) {
                throw new OutputClosed('nobody reads stdout any more', { cause: error });
            }
            throw error;
        }
    };
    return {
        get isTerminal() {
            return stream.isTTY === true;
        },
        get canRedraw() {
            return stream.isTTY === true && terminal !== 'dumb';
        },
        get columns() {
            return stream.columns || 80;
        },
        write(text) {
            const told = secrets.reduce((all, secret) => all.replaceAll(secret, HIDDEN), text);
            return send(isOptional || stream.isTTY === true ? harmless(told) : told);
        },
        control: send,
    };
}

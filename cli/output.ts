/** One of the program's two ways out, with what must be known of it to print well. */
import type { Writable } from 'node:stream';

export interface Output {
    isTerminal: boolean;
    /** Width of the terminal; 80 where there is none or it does not say. */
    columns: number;
    /** Resolves when the text is on its way, so whoever awaits it writes no faster than it is read. @throws OutputClosed */
    write(text: string): Promise<void>;
}

/** The reader of stdout has seen enough, as `head` does: no error, just the end. */
export class OutputClosed extends Error {
    override name = 'OutputClosed';
}

interface Terminal {
    isTTY?: boolean;
    columns?: number;
}

/** Wraps a stream. With `isOptional` a closed stream swallows what is written instead of ending the program. */
export function openOutput(stream: Writable & Terminal, { isOptional = false }: { isOptional?: boolean } = {}): Output {
    let failure: NodeJS.ErrnoException | undefined;
    // Without a listener the stream's error would end the process with a stack; write's callback hands it on.
    stream.on('error', (error: NodeJS.ErrnoException) => {
        failure ??= error;
    });
    const writeOnce = (text: string) =>
        new Promise<void>((resolve, reject) => {
            stream.write(text, (error) => (error ? reject(error) : resolve()));
        });
    return {
        get isTerminal() {
            return stream.isTTY === true;
        },
        get columns() {
            return stream.columns || 80;
        },
        async write(text) {
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
        },
    };
}

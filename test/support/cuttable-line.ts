/** A line between two programs that can be cut in the midst of what it carries, and restored. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface CuttableLine {
    /** Where it is entered. */
    port: number;
    /** Ends what is under way, and lets nobody in. */
    cut(): void;
    restore(): void;
    /** Cuts the line once so many more bytes have gone towards `to`. */
    cutAfter(bytes: number): void;
    close(): Promise<void>;
}

/** Opens a line of TCP to the port. */
export async function openLine({ to }: { to: () => number }): Promise<CuttableLine> {
    const ends = new Set<Socket>();
    let isCut = false;
    let left = Number.POSITIVE_INFINITY;
    const cut = (): void => {
        isCut = true;
        left = Number.POSITIVE_INFINITY;
        for (const end of ends) {
            end.destroy();
        }
    };
    const server = createServer((near) => {
        near.on('error', () => undefined);
        if (isCut) {
            near.destroy();
            return;
        }
        const far = connect(to(), '127.0.0.1');
        far.on('error', () => undefined);
        for (const [one, other] of [
            [near, far],
            [far, near],
        ] as const) {
            ends.add(one);
            one.on('data', (chunk: Buffer) => {
                if (one === near && chunk.length > left) {
                    other.write(chunk.subarray(0, left));
                    setImmediate(cut);
                    return;
                }
                left -= one === near ? chunk.length : 0;
                other.write(chunk);
            });
            one.on('close', () => {
                ends.delete(one);
                other.destroy();
            });
        }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return {
        port: typeof address === 'object' && address !== null ? address.port : 0,
        cut,
        restore() {
            isCut = false;
        },
        cutAfter(bytes) {
            left = bytes;
        },
        async close() {
            cut();
            server.close();
            await once(server, 'close');
        },
    };
}

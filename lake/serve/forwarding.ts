/** Hands the chain on to another lake whenever something was sealed, and tries again while that lake cannot be reached. */
import { noteForwarded } from '#lake/forwarded';
import { chainPrefix } from '#lake/layout';
import { type ChainShard, listChain } from '#lake/live/chain';
import { forwardChain } from '#lake/live/forward';
import type { ObjectStore } from '#lake/store/object-store';

export interface ForwardingOptions {
    /** The other lake as it was written, `s3://bucket`. */
    name: string;
    /** Opens it; where it is out of reach it is opened again later. */
    open: () => Promise<ObjectStore>;
    from: ObjectStore;
    shard: ChainShard;
    say: (line: string) => void;
}

export interface Forwarding {
    /** Something was sealed. */
    wake(): void;
    status(): { to: string; objectsBehind: number; lastError: string | null };
    stop(): Promise<void>;
}

const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 5 * 60_000;

export function startForwarding({ name, open, from, shard, say }: ForwardingOptions): Forwarding {
    const ending = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let running: Promise<void> | undefined;
    let isWoken = false;
    let retryMs = FIRST_RETRY_MS;
    let lastError: string | null = null;
    /** Sequence number up to which the other lake is known to have the chain. */
    let forwardedTo = '0';
    let behind = 0;

    const note = (end: string): Promise<void> =>
        noteForwarded(from, shard.stream, { prefix: chainPrefix({ kind: 'telemetry', ...shard }), to: name, end });

    const run = async (): Promise<void> => {
        isWoken = false;
        try {
            await note(forwardedTo);
            const { end } = await forwardChain({ from, to: await open(), shard, signal: ending.signal, onForwarded: note });
            forwardedTo = end;
            await note(end);
            if (lastError !== null) {
                say(`${name} has everything again`);
            }
            [lastError, retryMs] = [null, FIRST_RETRY_MS];
        } catch (error) {
            const why = error instanceof Error ? error.message : String(error);
            if (!ending.signal.aborted && why !== lastError) {
                say(`Nothing can be handed on to ${name}; it is kept, and tried again: ${why}`);
            }
            lastError = why;
            timer = setTimeout(wake, retryMs);
            retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
        }
        behind = await listChain(from, { ...shard, behind: forwardedTo }).then(
            ({ length }) => length,
            () => behind,
        );
    };
    function wake(): void {
        clearTimeout(timer);
        isWoken = true;
        if (!ending.signal.aborted) {
            running ??= run().finally(() => {
                running = undefined;
                if (isWoken) {
                    wake();
                }
            });
        }
    }
    wake();
    return {
        wake,
        status: () => ({ to: name, objectsBehind: behind, lastError }),
        async stop() {
            ending.abort();
            clearTimeout(timer);
            await running;
        },
    };
}

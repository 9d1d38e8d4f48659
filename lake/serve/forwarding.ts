/** Hands the chains on to another lake whenever something was sealed, and tries again while that lake cannot be reached. */
import { noteForwarded, readForwarded } from '#lake/forwarded';
import { chainPrefix } from '#lake/layout';
import { type ChainShard, listChain, readChainEnd } from '#lake/live/chain';
import { listStreams } from '#lake/live/chain-origins';
import type { Forwarded, ForwardOptions } from '#lake/live/forward';
import type { ObjectStore } from '#lake/store/object-store';
import { compareSequences } from '#lake/telemetry/chain-line';

/** The other lake. */
export interface ForwardTarget {
    /** The lake as it was written: `s3://bucket`, `mqtts://host`. */
    name: string;
    /** Hands on what it does not have of a chain. It may be out of reach: then it throws. */
    forward(options: ForwardOptions): Promise<Forwarded>;
}

export interface ForwardingOptions {
    to: ForwardTarget;
    from: ObjectStore;
    /** The chain of the inbox. Chains of inboxes before it go first. */
    shard: ChainShard;
    say: (line: string) => void;
    firstRetryMs?: number;
}

export interface Forwarding {
    /** Chain objects were sealed. */
    wake(objects: number): void;
    status(): { to: string; objectsBehind: number; lastError: string | null };
    stop(): Promise<void>;
}

const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 5 * 60_000;

export function startForwarding({ to, from, shard, say, firstRetryMs = FIRST_RETRY_MS }: ForwardingOptions): Forwarding {
    const { name } = to;
    const ending = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let running: Promise<void> | undefined;
    let isWoken = false;
    let retryMs = firstRetryMs;
    let lastError: string | null = null;
    /** Sequence number up to which the other lake is known to have the chain. */
    let forwardedTo = '0';
    let behind = 0;
    let sealedMeanwhile = 0;
    /** Chains of inboxes before this one that are still to go; undefined while nobody has looked. */
    let old: ChainShard[] | undefined;

    const prefixOf = (chain: ChainShard): string => chainPrefix({ kind: 'telemetry', ...chain });

    const note = (chain: ChainShard, end: string): Promise<void> =>
        noteForwarded(from, chain.stream, { prefix: prefixOf(chain), to: name, end });

    const forward = async (chain: ChainShard): Promise<string> => {
        const onForwarded = (end: string): Promise<void> => note(chain, end);
        const { end } = await to.forward({ from, shard: chain, isEnded: chain !== shard, signal: ending.signal, onForwarded, say });
        await onForwarded(end);
        return end;
    };

    /** Chains of inboxes before this one that hold what the other lake does not have. Each is noted: prune leaves it. */
    const findOldOnes = async (): Promise<ChainShard[]> => {
        const known = new Map((await readForwarded(from)).map(({ prefix, to: before, end }) => [`${prefix} ${before}`, end]));
        const old: ChainShard[] = [];
        for (const stream of await listStreams(from)) {
            const chain = { stream, shard: shard.shard };
            const end = known.get(`${prefixOf(chain)} ${name}`) ?? '0';
            if (stream !== shard.stream && compareSequences(end, await readChainEnd(from, chain)) < 0) {
                await note(chain, end);
                old.push(chain);
            }
        }
        return old;
    };

    const run = async (): Promise<void> => {
        isWoken = false;
        sealedMeanwhile = 0;
        try {
            await note(shard, forwardedTo);
            if (!old) {
                old = await findOldOnes();
                behind = await countBehind();
            }
            for (let next = old[0]; next; next = old[0]) {
                await forward(next);
                old.shift();
            }
            forwardedTo = await forward(shard);
            if (lastError !== null) {
                say(`${name} has everything again`);
            }
            // What was sealed meanwhile may be behind yet: the next run is to tell.
            [lastError, retryMs, behind] = [null, firstRetryMs, sealedMeanwhile];
        } catch (error) {
            if (ending.signal.aborted) {
                return;
            }
            const why = error instanceof Error ? error.message : String(error);
            if (why !== lastError) {
                say(`Nothing can be handed on to ${name}; it is kept, and tried again: ${why}`);
            }
            lastError = why;
            timer = setTimeout(begin, retryMs);
            retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
            behind = await countBehind().catch(() => behind);
        }
    };

    /** Chain objects that the other lake does not have. */
    async function countBehind(): Promise<number> {
        let count = 0;
        for (const chain of [...(old ?? []), shard]) {
            count += (await listChain(from, { ...chain, behind: chain === shard ? forwardedTo : '0' })).length;
        }
        return count;
    }
    function begin(): void {
        clearTimeout(timer);
        isWoken = true;
        if (!ending.signal.aborted) {
            running ??= run().finally(() => {
                running = undefined;
                if (isWoken) {
                    begin();
                }
            });
        }
    }
    begin();
    return {
        wake(objects) {
            behind += objects;
            sealedMeanwhile += objects;
            begin();
        },
        status: () => ({ to: name, objectsBehind: behind, lastError }),
        async stop() {
            ending.abort();
            clearTimeout(timer);
            await running;
        },
    };
}

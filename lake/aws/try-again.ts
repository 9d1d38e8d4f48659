/** Tries again after a while what the SDK does not try again by itself. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface TryAgainOptions {
    /** True if another try may help. */
    mayHelp: (error: unknown) => boolean;
    maxTries?: number;
    signal?: AbortSignal | undefined;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

/**
 * The result of the first try that succeeds, or the error of the last one. Waits a random part of a time that doubles ("full jitter"),
 * so that workers that met once do not meet again: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
 */
export async function tryAgain<T>(work: () => Promise<T>, { mayHelp, maxTries = 8, signal }: TryAgainOptions): Promise<T> {
    for (let tries = 1; ; tries += 1) {
        try {
            return await work();
        } catch (error) {
            signal?.throwIfAborted();
            if (tries >= maxTries || !mayHelp(error)) {
                throw error;
            }
        }
        await sleep(Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries), undefined, { ...(signal && { signal }) });
    }
}

/** The body of an answer of S3. A connection that breaks off in it is beyond the SDK's own attempts, which end with the headers. */
import { tryAgain } from '#lake/aws/try-again';
import { StorageError } from '#lake/errors';

const MAX_TRIES = 5;

class BrokenOffError extends StorageError {
    override name = 'BrokenOffError';
}

/** What `fetch` gives, tried again where the connection broke off while the body was read. */
export function withWholeBody<T>(fetch: () => Promise<T>, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
    return tryAgain(fetch, { mayHelp: (error) => error instanceof BrokenOffError, maxTries: MAX_TRIES, signal });
}

/** Fills the buffer with the body, which must be just as long. */
export async function fillFrom(body: unknown, buffer: Uint8Array): Promise<void> {
    let filled = 0;
    try {
        for await (const chunk of chunksOf(body)) {
            if (filled + chunk.length <= buffer.length) {
                buffer.set(chunk, filled);
            }
            filled += chunk.length;
        }
    } catch (cause) {
        throw new BrokenOffError(`the connection to S3 broke off after ${filled} of ${buffer.length} bytes`, { cause });
    }
    if (filled !== buffer.length) {
        throw new BrokenOffError(`S3 gave ${filled} bytes where ${buffer.length} were promised`);
    }
}

/** The chunks of a body, which on Node is a stream of buffers. */
function chunksOf(body: unknown): AsyncIterable<Uint8Array> {
    if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) {
        return body as AsyncIterable<Uint8Array>;
    }
    throw new TypeError('the answer of S3 has no body');
}

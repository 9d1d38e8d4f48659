/** Bounds how many messages a device sends: a token bucket each, and a bounded number of buckets. */

export interface RateLimit {
    /** Messages a second that a device may send for ever. */
    perSecond: number;
    /** Messages that it may send at once after a silence. */
    burst: number;
}

interface Bucket {
    /** Messages that may still be sent; below zero after a batch that was larger than what was left. */
    left: number;
    atMs: number;
}

export class RateLimiter {
    readonly #limit: RateLimit;
    readonly #now: () => number;
    readonly #maxBuckets: number;
    /** Least recently used first. */
    readonly #buckets = new Map<string, Bucket>();

    constructor(limit: RateLimit, { now, maxBuckets = 10_000 }: { now: () => number; maxBuckets?: number }) {
        this.#limit = limit;
        this.#now = now;
        this.#maxBuckets = maxBuckets;
    }

    /** Milliseconds until the device may send again; 0 where it may now. Nothing is taken from its bucket. */
    waitMs(device: string): number {
        const { left } = this.#bucketOf(device);
        return left >= 1 ? 0 : Math.ceil(((1 - left) / this.#limit.perSecond) * 1000);
    }

    /** Takes messages from the bucket. A batch that is larger than what is left is let through, and paid for by the time after it. */
    take(device: string, messages: number): void {
        this.#bucketOf(device).left -= messages;
    }

    /** The bucket as it is now. A full one that made room for others was as good as none: only who sends has one. */
    #bucketOf(device: string): Bucket {
        const { perSecond, burst } = this.#limit;
        const nowMs = this.#now();
        const known = this.#buckets.get(device);
        this.#buckets.delete(device);
        // A machine's clock may jump back: no time has passed then.
        const passedMs = Math.max(0, nowMs - (known?.atMs ?? nowMs));
        const bucket = { left: Math.min(burst, (known?.left ?? burst) + (passedMs * perSecond) / 1000), atMs: nowMs };
        this.#buckets.set(device, bucket);
        for (const oldest of this.#buckets.keys()) {
            if (this.#buckets.size <= this.#maxBuckets) {
                break;
            }
            this.#buckets.delete(oldest);
        }
        return bucket;
    }
}

/** Bounds how many requests of a device are on their way at once, and so how much memory their bodies take. */
export class RequestsOnTheirWay {
    readonly #max: number;
    readonly #of = new Map<string, number>();

    constructor(max: number) {
        this.#max = max;
    }

    /** Does the work, unless as many are on their way. @returns undefined where it was not begun */
    async run<T>(device: string, work: () => Promise<T>): Promise<T | undefined> {
        const before = this.#of.get(device) ?? 0;
        if (before >= this.#max) {
            return undefined;
        }
        this.#of.set(device, before + 1);
        try {
            return await work();
        } finally {
            const after = (this.#of.get(device) ?? 1) - 1;
            if (after === 0) {
                this.#of.delete(device);
            } else {
                this.#of.set(device, after);
            }
        }
    }
}

/** Use case: what a lake costs in a month by its list prices, as far as the lake itself can tell. Nothing is changed. */
import { RAW_PREFIX } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';

/** Thousand millionths of a US dollar: prices are exact in them. */
export type NanoUsd = bigint;

/** List prices of us-east-1; docs/deploy.md says where each comes from. S3 counts gigabytes of 2^30 bytes. */
export const PRICES = {
    /** A gigabyte and month, by storage class. */
    kept: new Map<string, NanoUsd>([
        ['STANDARD', 23_000_000n],
        ['GLACIER_IR', 4_000_000n],
    ]),
    /** One call that puts or lists. */
    put: 5_000n,
    /** One call that gets or asks for facts. */
    get: 400n,
    /** A terabyte of 2^40 bytes that Athena scans. */
    scanned: 5_000_000_000n,
};

/**
 * Calls to S3 that a small file of one day makes from its upload until it is in the figures of a day that is there: the worker's own, counted by
 * test/lake/reports/costs.test.ts. A file above 8 MiB makes more.
 */
export const CALLS_PER_FILE = { put: 6n, get: 11n };

/** One line of the account. */
export interface Cost {
    item: string;
    /** Storage class, where it is about what is kept. */
    storageClass: string | null;
    /** Objects that are kept, or calls. */
    count: bigint | null;
    sizeBytes: bigint | null;
    /** Price of a month; null where no price is known. */
    usd: NanoUsd | null;
}

export interface CostOptions {
    now: Date;
    /** Days that count as a month. */
    days: number;
    /** Bytes that were scanned in these days; null where nobody knows. */
    scannedBytes: bigint | null;
}

/** What is kept, by prefix and storage class, the calls of files that came in the last days, and what was scanned. Lists every object. */
export async function reckonCosts(store: ObjectStore, { now, days, scannedBytes }: CostOptions): Promise<Cost[]> {
    const kept = new Map<string, { item: string; storageClass: string; count: bigint; sizeBytes: bigint }>();
    let files = 0n;
    const since = now.getTime() - days * 86_400_000;
    for await (const { key, sizeBytes, modifiedAt, storageClass = 'disk' } of store.list('')) {
        const item = key.includes('/') ? key.slice(0, key.indexOf('/') + 1) : key;
        const name = `${item} ${storageClass}`;
        const before = kept.get(name) ?? { item, storageClass, count: 0n, sizeBytes: 0n };
        kept.set(name, { ...before, count: before.count + 1n, sizeBytes: before.sizeBytes + BigInt(sizeBytes) });
        files += key.startsWith(RAW_PREFIX) && modifiedAt.getTime() >= since ? 1n : 0n;
    }
    const ofObjects = [...kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => ({ ...one, usd: priceOfKept(one) }));
    const calls = [
        { item: 'calls that put or list', count: files * CALLS_PER_FILE.put, price: PRICES.put },
        { item: 'calls that get', count: files * CALLS_PER_FILE.get, price: PRICES.get },
    ].map(({ item, count, price }) => ({ item, storageClass: null, count, sizeBytes: null, usd: count * price }));
    const scanned = {
        item: 'scanned by Athena',
        storageClass: null,
        count: null,
        sizeBytes: scannedBytes,
        usd: scannedBytes === null ? null : (scannedBytes * PRICES.scanned) >> 40n,
    };
    return [...ofObjects, ...calls, scanned];
}

function priceOfKept({ storageClass, sizeBytes }: { storageClass: string; sizeBytes: bigint }): NanoUsd | null {
    const price = PRICES.kept.get(storageClass);
    return price === undefined ? null : (sizeBytes * price) >> 30n;
}

/** What Athena asks for a query, by https://aws.amazon.com/athena/pricing as of November 2026. */
import type { Scanned } from './query-engine.ts';

/** Price in most regions, Europe and North America among them; dearer ones exist (up to 9). */
const USD_PER_TEBIBYTE = 5;

const MEBIBYTE = 2 ** 20;

/** Bytes are rounded up to the next megabyte, and every query that reads data counts as ten at least. */
const LEAST_MEBIBYTES = 10;

/**
 * The list price of what was scanned. Statements about the catalog (`show`, `describe`) are free and so are queries that fail; one that
 * was stopped costs what it had read by then.
 */
export function priceOf({ bytes, isFree }: { bytes: number; isFree: boolean }): Scanned {
    const mebibytes = Math.max(LEAST_MEBIBYTES, Math.ceil(bytes / MEBIBYTE));
    return { bytes, costUsd: isFree ? 0 : (mebibytes * MEBIBYTE * USD_PER_TEBIBYTE) / 2 ** 40 };
}

/** The names that hashes give. They stand apart from lake/layout.ts because loading node:crypto takes a tenth of the time of `--help`. */
import { createHash } from 'node:crypto';

/** First 16 hex digits of SHA-256: names of sources and of contents. */
export function shortHash(text: string): string {
    return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The id that a raw key's contributions, ledger record and rejects are named by. */
export function sourceId(rawKey: string): string {
    return shortHash(rawKey);
}

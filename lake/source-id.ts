/** The names that hashes give. They stand apart from lake/layout.ts because loading node:crypto takes a tenth of the time of `--help`. */
import { hash } from 'node:crypto';

/** First 16 hex digits of SHA-256: names of sources and of contents. */
export function shortHash(text: string): string {
    return hash('sha256', text).slice(0, 16);
}

/** The id that a raw key's contributions, ledger record and rejects are named by. */
export function sourceId(rawKey: string): string {
    return shortHash(rawKey);
}

/** Where each object of the lake lives, and what its key tells. Nothing else builds or takes apart a key. */
import { createHash } from 'node:crypto';
import { UsageError } from '#lake/errors';

export const RAW_PREFIX = 'raw/';
export const LEDGER_PREFIX = 'ledger/';
export const SUMMARIES_PREFIX = 'summaries/';
export const PAIR_DAYS_PREFIX = 'pair_days/';
export const REJECTS_PREFIX = 'rejects/';
export const EXPORTS_PREFIX = 'exports/';
/** What models are trained on, a folder per day. */
export const FEATURES_PREFIX = `${EXPORTS_PREFIX}features/`;

/** Where jobs keep what is being made, and what they report: in no table, and gone after a week. As glue-jobs/lake_layout.py has it. */
export const WORK_PREFIX = '_flowlake/';

/** The site of a key that names none. */
const DEFAULT_SITE = 'main';

/** First 16 hex digits of SHA-256: names of sources and of contents. */
export function shortHash(text: string): string {
    return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The id that a raw key's summaries, ledger record and rejects are named by. */
export function sourceId(rawKey: string): string {
    return shortHash(rawKey);
}

/** What S3 allows: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html. A directory lake holds what moves there. */
const MAX_KEY_BYTES = 1024;

/** The key under raw/ for a file of this name. @throws UsageError for a site or name that no key may have. */
export function rawKey({ site, name }: { site?: string; name: string }): string {
    const parts = name.split('/');
    const namedSite = parts.length > 1 && parts[0]?.startsWith('site=') ? parts[0].slice('site='.length) : undefined;
    for (const one of [site, namedSite]) {
        if (one !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(one)) {
            throw new UsageError(
                `Site ${JSON.stringify(one)} is not usable: letters, digits, dot, dash and underscore, beginning with a letter or digit`,
            );
        }
    }
    if (parts.some((part) => part === '' || part === '.' || part === '..') || hasControlCharacter(name)) {
        const rule = 'give a relative path without empty, "." and ".." parts, and without control characters (--as NAME)';
        throw new UsageError(`Name ${JSON.stringify(name)} is not usable: ${rule}`);
    }
    const key = site === undefined || site === DEFAULT_SITE ? RAW_PREFIX + name : `${RAW_PREFIX}site=${site}/${name}`;
    const lengthBytes = Buffer.byteLength(key);
    if (lengthBytes > MAX_KEY_BYTES) {
        const shown = JSON.stringify(`${name.slice(0, 40)}...`);
        throw new UsageError(
            `Name ${shown} is not usable: with raw/ and site it has ${lengthBytes} bytes, of ${MAX_KEY_BYTES} (--as NAME)`,
        );
    }
    return key;
}

/** The site that a raw key names, or `main`. */
export function siteOf(rawKey: string): string {
    return /^raw\/site=([^/]+)\/./.exec(rawKey)?.[1] ?? DEFAULT_SITE;
}

export function ledgerKey(source: string): string {
    return `${LEDGER_PREFIX}${source}.json`;
}

/** `version` is `<n>-<attempt>`. */
export function summaryKey({ day, source, version }: { day: string; source: string; version: string }): string {
    return `${dayPrefix(SUMMARIES_PREFIX, day)}${source}.${version}.parquet`;
}

export function rejectsKey({ source, version }: { source: string; version: string }): string {
    return `${REJECTS_PREFIX}${source}.${version}.jsonl.gz`;
}

export function pairDaysKey(day: string): string {
    return `${dayPrefix(PAIR_DAYS_PREFIX, day)}part-00.parquet`;
}

export function featuresKey(day: string): string {
    return `${dayPrefix(FEATURES_PREFIX, day)}part-00.parquet`;
}

/** The partition of one day under a prefix, with the final slash. */
export function dayPrefix(prefix: string, day: string): string {
    return `${prefix}day=${day}/`;
}

/** The day of a partitioned key, or undefined where the key has none. */
export function dayOf(key: string): string | undefined {
    return /\/day=(\d{4}-\d{2}-\d{2})\//.exec(key)?.[1];
}

/** Takes apart `<source>.<version>` of a summary's or rejects' key; undefined for any other object. */
export function contributionOf(key: string): { source: string; version: string } | undefined {
    const match = /\/([0-9a-f]{16})\.(\d+-[0-9a-f]{16})\.(?:parquet|jsonl\.gz)$/.exec(key);
    return match?.[1] && match[2] ? { source: match[1], version: match[2] } : undefined;
}

function hasControlCharacter(text: string): boolean {
    return [...text].some((character) => character < ' ' || character === '\u007f');
}

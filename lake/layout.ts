/** Says where each object of the lake lives, and what its key tells. Nothing else in this program builds or takes apart a key. */
import { UsageError } from '#lake/errors';
import type { Table } from '#lake/tables';

export const RAW_PREFIX = 'raw/';
export const LEDGER_PREFIX = 'ledger/';
export const EXPORTS_PREFIX = 'exports/';
/** What models are trained on, a folder per day. */
export const FEATURES_PREFIX = `${EXPORTS_PREFIX}features/`;

/** What models of devices are trained on: what may be known of each metric and hour. */
export const METRIC_FEATURES_PREFIX = `${EXPORTS_PREFIX}metric_features/`;

/** Readings with what the registry says of their devices, a folder per day, as glue-jobs/transform_readings.py writes them. */
export const READINGS_EXPORT_PREFIX = `${EXPORTS_PREFIX}readings/`;

/** Wide tables of profiles that ask for one, a folder each, as glue-jobs/wide_tables.py writes them. */
export const WIDE_PREFIX = 'wide/';

/** What is remembered of the columns of wide tables. */
export const WIDE_COLUMNS_PREFIX = 'wide_columns/';

/** Prefix of what jobs are making, and of what they report: in no table, and gone after a week. glue-jobs/lake_layout.py has it too. */
export const WORK_PREFIX = '_flowlake/';

/** Prefix of what became of tries at what failed: in no table, and gone some days after the last dead letter can be. */
export const TRIES_PREFIX = 'tries/';

/** The key of what became of the tries at a source or a period. */
export function triesKey(subjectId: string): string {
    return `${TRIES_PREFIX}${subjectId}.json`;
}

/** The site of what names none. */
export const DEFAULT_SITE = 'main';

/**
 * The longest key that S3 allows: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html. A directory lake holds what can
 * move there.
 */
const MAX_KEY_BYTES = 1024;

/**
 * The key under raw/ for a file of this name: `raw/[kind=<kind>/][site=<site>/]<name>`. Without `kind` it names none, which means flows.
 * @throws UsageError for a site or name that no key may have.
 */
export function rawKey({ kind, site, name }: { kind?: string | undefined; site?: string; name: string }): string {
    const parts = name.split('/');
    const namedSite = parts.length > 1 && parts[0]?.startsWith('site=') ? parts[0].slice('site='.length) : undefined;
    for (const one of [site, namedSite]) {
        checkSite(one);
    }
    if (parts.some((part) => part === '' || part === '.' || part === '..') || hasControlCharacter(name)) {
        const rule = 'give a relative path without empty, "." and ".." parts, and without control characters (--as NAME)';
        throw new UsageError(`Name ${JSON.stringify(name)} is not usable: ${rule}`);
    }
    const folder = kind === undefined ? RAW_PREFIX : `${RAW_PREFIX}kind=${kind}/`;
    const key = site === undefined || site === DEFAULT_SITE ? folder + name : `${folder}site=${site}/${name}`;
    // Below a site, a folder kind=... is one like any other: lakes of before have such keys, and they can be corrected.
    if (key === folder + name && parts.length > 1 && parts[0]?.startsWith('kind=')) {
        throw new UsageError(
            `Name ${JSON.stringify(name)} is not usable: a first folder kind=... says what kind of data it is. Rename it, or upload what is in it with --kind`,
        );
    }
    if (chainPlaceOf(key)) {
        throw new UsageError(
            `Name ${JSON.stringify(name)} is not usable: it is that of an object of a chain, which live inboxes alone write (--as NAME)`,
        );
    }
    if (!isSourceName(key)) {
        throw new UsageError(
            `Name ${JSON.stringify(name)} is not usable: such files lie beside others and hold no data (--as NAME, if this one does)`,
        );
    }
    const lengthBytes = Buffer.byteLength(key);
    if (lengthBytes > MAX_KEY_BYTES) {
        const shown = JSON.stringify(`${name.slice(0, 40)}...`);
        throw new UsageError(
            `Name ${shown} is not usable: with raw/ and site it has ${lengthBytes} bytes, of ${MAX_KEY_BYTES} (--as NAME)`,
        );
    }
    return key;
}

/**
 * True if an object of this raw key may be a source: no folder that a console made, and none of the files that systems and tools leave beside others. One that
 * was read all the same, by an earlier program, stays what it is.
 */
export function isSourceName(rawKey: string): boolean {
    const parts = rawKey.slice(RAW_PREFIX.length).split('/');
    return (
        rawKey.startsWith(RAW_PREFIX) &&
        parts.every((part) => part !== '' && !part.startsWith('.')) &&
        !LEFT_BESIDE.test(parts.at(-1) ?? '')
    );
}

/** Names of files that Spark, Windows, and whoever packs a data set leave beside the data. */
const LEFT_BESIDE = /^(_SUCCESS|_(started|committed)_\d+|Thumbs\.db|desktop\.ini|(readme|licen[cs]e|changelog)(\.(txt|md|rst))?)$/i;

/** Lets the names pass that a site may have. @throws UsageError for others */
export function checkSite(site: string | undefined): void {
    if (site !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(site)) {
        const rule = 'letters, digits, dot, dash and underscore, beginning with a letter or digit';
        throw new UsageError(`Site ${JSON.stringify(site)} is not usable: ${rule}`);
    }
}

/** The site that a raw key names, or `main`. */
export function siteOf(rawKey: string): string {
    return /^raw\/(?:kind=[^/]+\/)?site=([^/]+)\/./s.exec(rawKey)?.[1] ?? DEFAULT_SITE;
}

/** The kind that a raw key names; undefined where it names none. */
export function kindNameOf(rawKey: string): string | undefined {
    return /^raw\/kind=([^/]+)\/./s.exec(rawKey)?.[1];
}

/** A list of raw objects that a live inbox writes: one of its shards. */
export interface ChainOf {
    /** Name of the kind of data. */
    kind: string;
    /** Name of the inbox's stream of numbers. */
    stream: string;
    shard: string;
}

/**
 * How long a writer believes the end of a chain that it remembers; then it looks again. Prune waits for this time beyond a worker's life before it frees
 * the name of an object: docs/design.md, "The chain".
 */
export const CHAIN_END_BELIEVED_MS = 10 * 60 * 1000;

/** Sequence numbers of Kinesis have up to 128 digits; of one width, they sort as numbers do. */
const CHAIN_END_DIGITS = 129;

/** The beginning of the keys of a chain's objects. @throws UsageError for a stream or shard that no key may name */
export function chainPrefix({ kind, stream, shard }: ChainOf): string {
    for (const name of [stream, shard]) {
        if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
            throw new UsageError(`A chain cannot be named ${JSON.stringify(name)}: letters, digits, dot, dash and underscore are usable`);
        }
    }
    return `${RAW_PREFIX}kind=${kind}/stream=${stream}/shard=${shard}/`;
}

/** The key of the chain's object that follows the one that ends with this sequence number; `0` for the first. */
export function chainKey(chain: ChainOf, predecessorEnd: string): string {
    return `${chainPrefix(chain)}${predecessorEnd.replace(/^0+/, '').padStart(CHAIN_END_DIGITS, '0')}.jsonl.gz`;
}

/** The prefix of the chain that a raw object belongs to, and the end of its predecessor, without leading zeros; undefined for any other object. */
export function chainPlaceOf(rawKey: string): { prefix: string; predecessorEnd: string } | undefined {
    const [, prefix, digits] = CHAIN_KEY.exec(rawKey) ?? [];
    return prefix === undefined || digits === undefined ? undefined : { prefix, predecessorEnd: digits.replace(/^0+(?=\d)/, '') };
}

const CHAIN_KEY = new RegExp(`^(raw/kind=[^/]+/stream=[^/]+/shard=[^/]+/)(\\d{${CHAIN_END_DIGITS}})\\.jsonl\\.gz$`);

/** The shard of the chain beside that of a shard: what its event source gave up, in objects that are numbered from 0 on. */
export function sideShardOf(shard: string): string {
    return `${shard}${SIDE}`;
}

/** True if the raw object is one of a chain beside that of a shard. */
export function isOfSideChain(rawKey: string): boolean {
    return chainPlaceOf(rawKey)?.prefix.endsWith(`${SIDE}/`) === true;
}

const SIDE = '.side';

/** The shard of messages that never came into a stream, because what was to hand them on failed: its numbers are the chain's own. */
export const UNSTREAMED_SHARD = 'rule-errors';

export function ledgerKey(source: string): string {
    return `${LEDGER_PREFIX}${source}.json`;
}

/** A span of time of one merged table: one object. As plain data: queues and threads carry it. */
export interface TablePeriod {
    /** Name of the table. */
    table: string;
    /** A day (`2026-01-05`), or an hour (`2026-01-05T13`), in UTC as far as the source tells. */
    period: string;
}

/** Names a period among those of all tables: the same text for the same period. */
export function nameOfPeriod({ table, period }: TablePeriod): string {
    return `${table} ${period}`;
}

/** The key of what a version of a source contributes to a period; `version` is `<n>-<attempt>`. */
export function contributionKey(table: Table, { period, source, version }: { period: string; source: string; version: string }): string {
    return `${contributionsPrefix(table, period)}${source}.${version}.parquet`;
}

/** The beginning of the keys of all contributions to a period: `<prefix>day=D/`, for an hour `<prefix>day=D/HH.`. */
export function contributionsPrefix(table: Table, period: string): string {
    const [day = '', hour] = period.split('T');
    return `${dayPrefix(table.prefix, day)}${hour === undefined ? '' : `${hour}.`}`;
}

/** The key of a version's rejects. */
export function rejectsKey(table: Table, { source, version }: { source: string; version: string }): string {
    return `${table.prefix}${source}.${version}.jsonl.gz`;
}

/** The key of a period's merged object: `<prefix>day=D/part-00.parquet`, for an hour `<prefix>day=D/HH.parquet`. */
export function mergedKey(table: Table, period: string): string {
    const [day = '', hour = 'part-00'] = period.split('T');
    return `${dayPrefix(table.prefix, day)}${hour}.parquet`;
}

/** The period of a merged object or a contribution, by its key; undefined where the table has no such object. */
export function periodOf(table: Table, key: string): string | undefined {
    const day = key.startsWith(table.prefix) ? dayOf(key) : undefined;
    if (day === undefined || table.per !== 'hour') {
        return day;
    }
    const hour = /\/(\d\d)\.[^/]+$/.exec(key)?.[1];
    return hour === undefined || hour > '23' ? undefined : `${day}T${hour}`;
}

/** The day that a period lies in. */
export function dayOfPeriod(period: string): string {
    return period.slice(0, 'yyyy-mm-dd'.length);
}

export function featuresKey(day: string, prefix: string = FEATURES_PREFIX): string {
    return `${dayPrefix(prefix, day)}part-00.parquet`;
}

/**
 * True if an input of a reading (a document of a kind's `inputs`) may have this name: 1 to 64 lower case letters, digits, dots, dashes and
 * underscores, beginning with a letter or digit. Lower case, so that no two are one file where a disk knows no case.
 */
export function isInputName(name: string): boolean {
    return /^[a-z0-9][a-z0-9._-]{0,63}$/.test(name);
}

/** The key of the pointer to the version of an input that holds now. */
export function inputPointerKey(prefix: string, name: string): string {
    return `${prefix}${name}.json`;
}

/** The key of one version of an input. */
export function inputVersionKey(prefix: string, name: string, version: number): string {
    return `${prefix}${name}/${version}.json`;
}

/** The name of the input whose pointer has this key; undefined for any other object. */
export function inputNameOf(prefix: string, key: string): string | undefined {
    const name = key.startsWith(prefix) && key.endsWith('.json') ? key.slice(prefix.length, -'.json'.length) : '';
    return isInputName(name) ? name : undefined;
}

/** Prefix of the registry of devices. */
export const DEVICES_PREFIX = 'devices/';

/** True if a device may have this id: 1 to 128 letters, digits, dots, dashes, underscores and colons, beginning with a letter or digit. */
export function isDeviceId(id: string): boolean {
    return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(id);
}

/** The key of a device in the registry. */
export function deviceKey(id: string): string {
    return `${DEVICES_PREFIX}${encodeURIComponent(id)}.json`;
}

/** The id of the device whose record has this key; undefined for any other object. */
export function deviceIdOf(key: string): string | undefined {
    return idOfKey(key, { prefix: DEVICES_PREFIX, keyOf: deviceKey });
}

/** Prefix of how far chains were handed on to other lakes. */
export const FORWARDED_PREFIX = 'forwarded/';

/** The key of how far the chain of a stream was handed on. */
export function forwardedKey(stream: string): string {
    return `${FORWARDED_PREFIX}${encodeURIComponent(stream)}.json`;
}

/** Prefix of what devices prove themselves by. */
export const CREDENTIALS_PREFIX = 'credentials/';

/** The key of what a device proves itself by. */
export function credentialsKey(id: string): string {
    return `${CREDENTIALS_PREFIX}${encodeURIComponent(id)}.json`;
}

/** The id of the device whose credentials have this key; undefined for any other object. */
export function credentialsIdOf(key: string): string | undefined {
    return idOfKey(key, { prefix: CREDENTIALS_PREFIX, keyOf: credentialsKey });
}

function idOfKey(key: string, { prefix, keyOf }: { prefix: string; keyOf: (id: string) => string }): string | undefined {
    const name = key.startsWith(prefix) ? key.slice(prefix.length) : '';
    const id = name.replace(/\.json$/, '').replaceAll('%3A', ':');
    return isDeviceId(id) && keyOf(id) === key ? id : undefined;
}

/** The partition of one day under a prefix, with the final slash. */
export function dayPrefix(prefix: string, day: string): string {
    return `${prefix}day=${day}/`;
}

/** The day of a partitioned key, or undefined where the key has none. */
export function dayOf(key: string): string | undefined {
    return /\/day=(\d{4}-\d{2}-\d{2})\//.exec(key)?.[1];
}

/** Takes apart `<source>.<version>` of a contribution's or rejects' key; undefined for any other object. */
export function contributionOf(key: string): { source: string; version: string } | undefined {
    const match = /\/(?:\d\d\.)?([0-9a-f]{16})\.(\d+-[0-9a-f]{16})\.(?:parquet|jsonl\.gz)$/.exec(key);
    return match?.[1] && match[2] ? { source: match[1], version: match[2] } : undefined;
}

function hasControlCharacter(text: string): boolean {
    return [...text].some((character) => character < ' ' || character === '\u007f');
}

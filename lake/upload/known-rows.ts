/** Finds the source whose rows a file holds once more, or begins with: by the first rows, and where those meet by all figures. */
import type { Periods } from '#lake/kind';
import { kindOf } from '#lake/kinds';
import { contributionKey, RAW_PREFIX, siteOf } from '#lake/layout';
import type { LedgerRecord } from '#lake/ledger';
import { once } from '#lake/once';
import { readTyped as readContribution } from '#lake/parquet';
import { sourceId } from '#lake/source-id';
import type { ObjectStore } from '#lake/store/object-store';
import { areOfSameKind, beginsAlike } from '#lake/twins';
import type { TypedRows } from '#lake/typed-rows';
import { isPartOf } from './part-of.ts';
import { closeRows, type RowsRead } from './read-rows.ts';

/** Rows of a source that is in the figures, or of a file that is about to be. */
export interface KnownRows {
    /** The raw key. */
    source: string;
    /** See `Kind.beginning`. */
    beginning: readonly string[];
    counted(): Promise<Counted>;
    /** Its figures by period, which the caller closes; undefined where they cannot be had any more. */
    periods(): Promise<Periods | undefined>;
}

interface Counted {
    fingerprint: string | null;
    rowsKept: number;
}

/** What the same rows in the lake mean for a file: it is refused for that reason, or taken, and the note is said. */
export type SameRows = { isTwin: true; reason: string; beginsWith?: Beginning } | { isTwin: false; note: string };

/** A source whose rows all stand at the beginning of a file. */
export interface Beginning {
    /** The raw key. */
    source: string;
    rowsKept: number;
}

/** The rows of a source that counts, from its record and its contributions. */
export function rowsOfRecord(record: LedgerRecord, store: ObjectStore): KnownRows {
    const { source, fingerprint = null, beginning, version } = record;
    const { contributions } = kindOf(source);
    return {
        source,
        beginning: beginning ?? [],
        counted: async () => ({ fingerprint, rowsKept: record.rows_kept }),
        async periods() {
            const periods = new Map<string, TypedRows>();
            for (const period of version === null ? [] : (record.versions[version] ?? [])) {
                const key = contributionKey(contributions, { period, source: sourceId(source), version: version ?? '' });
                const object = await store.get(key);
                if (!object) {
                    return undefined;
                }
                periods.set(period, await readContribution(contributions, object.bytes));
            }
            return periods;
        },
    };
}

/** The rows of a file that is not in the lake; `read` reads it whole, and is called once more for each thing that is asked. */
export function rowsOfFile(key: string, { beginning, read }: { beginning: readonly string[]; read: () => Promise<RowsRead> }): KnownRows {
    return {
        source: key,
        beginning,
        counted: once(async () => {
            const found = await read();
            closeRows(found);
            return countedIn(found);
        }),
        async periods() {
            const { outcome } = await read();
            return outcome.ok ? outcome.periods : undefined;
        },
    };
}

/**
 * What it means that other sources have the file's rows, or some of them; undefined where none of its kind and site has. The file is read whole
 * only where the first rows of another are its own.
 */
export async function findSameRows(
    file: { key: string; beginning: readonly string[]; read: () => Promise<RowsRead> },
    known: readonly KnownRows[],
): Promise<SameRows | undefined> {
    const alike = known.filter((other) => isOfSamePlace(other.source, file.key) && beginsAlike(other, file));
    if (alike.length === 0) {
        return undefined;
    }
    const found = await file.read();
    try {
        return await compareRows(file, found, alike);
    } finally {
        closeRows(found);
    }
}

async function compareRows(
    file: { key: string },
    { outcome, fingerprint }: RowsRead,
    alike: readonly KnownRows[],
): Promise<SameRows | undefined> {
    if (!outcome.ok) {
        return undefined;
    }
    const kind = kindOf(file.key);
    const rowsKept = outcome.rowsRead - outcome.rowsRejected;
    const others = await Promise.all(alike.map(async (other) => ({ other, counted: await other.counted() })));
    const same = others.find(({ counted }) => counted.fingerprint !== null && counted.fingerprint === fingerprint);
    if (same) {
        return {
            isTwin: true,
            reason: `the same ${kind.name} as ${same.other.source}, packed or in other bytes; ${ALLOW}`,
        };
    }
    for (const { other, counted } of others) {
        const periods = counted.rowsKept === rowsKept ? undefined : await other.periods();
        if (!periods) {
            continue;
        }
        const isLonger = counted.rowsKept < rowsKept;
        const [part, whole] = isLonger ? [periods, outcome.periods] : [outcome.periods, periods];
        const isPart = isPartOf(kind.contributions, part, whole);
        periods.close?.();
        if (isPart && isLonger) {
            const all = `all ${counted.rowsKept} ${kind.name} of ${other.source}`;
            return {
                isTwin: true,
                beginsWith: { source: other.source, rowsKept: counted.rowsKept },
                reason: `it begins with ${all}; if it is that file, grown: --replace ${asWords(other.source)}; ${ALLOW}`,
            };
        }
        if (isPart) {
            return { isTwin: true, reason: sayIsBeginning({ source: file.key, rowsKept }, { of: other.source }) };
        }
    }
    return { isTwin: false, note: `it begins with the same ${kind.name} as ${alike[0]?.source} and goes on otherwise; both count` };
}

const ALLOW = 'to count them twice: --allow-duplicate';

/** Why a file is refused that is the beginning of another source. */
export function sayIsBeginning({ source, rowsKept }: Beginning, { of }: { of: string }): string {
    return `all its ${rowsKept} ${kindOf(source).name} are the beginning of ${of}; ${ALLOW}`;
}

/** True if both are of one kind and site: two sites may see the same rows by right. */
function isOfSamePlace(oneKey: string, otherKey: string): boolean {
    return oneKey !== otherKey && siteOf(oneKey) === siteOf(otherKey) && areOfSameKind(oneKey, otherKey);
}

function countedIn({ outcome, fingerprint }: RowsRead): Counted {
    return { fingerprint, rowsKept: outcome.ok ? outcome.rowsRead - outcome.rowsRejected : 0 };
}

/** The words of an upload that name a raw key: `--site berlin --as monday.csv`. */
function asWords(rawKey: string): string {
    const [, site, name = ''] = /^(?:kind=[^/]+\/)?(?:site=([^/]+)\/)?(.+)$/s.exec(rawKey.slice(RAW_PREFIX.length)) ?? [];
    const shown = /^[\w./=-]+$/.test(name) ? name : JSON.stringify(name);
    return `${site === undefined ? '' : `--site ${site} `}--as ${shown}`;
}

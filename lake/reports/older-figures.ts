/** Finds periods whose figures were read by the rules of an older version of the program, by what the merged objects say of themselves. */
import pMap from 'p-map';
import { formatOf } from '#lake/commit/format-of';
import { END_BYTES } from '#lake/commit/period-state';
import { StorageError } from '#lake/errors';
import type { Kind } from '#lake/kind';
import { kinds } from '#lake/kinds';
import { dayOfPeriod, mergedKey, periodOf } from '#lake/layout';
import { readFactsAtEnd } from '#lake/parquet';
import { CALLS_AT_ONCE, type ListedObject, type ObjectStore } from '#lake/store/object-store';

export interface OlderFigures {
    /** Days with such figures, ascending; empty where there are none. */
    days: readonly string[];
    /** True if every period was looked at, so that these are all. */
    isAll: boolean;
}

/**
 * Objects of a kind that are looked at: a question must not take seconds for it, nor cost more on AWS than its answer. They are those that were
 * written longest ago: whatever reads files anew writes their days anew, so that what was not read anew stands among the oldest.
 */
const MOST_OBJECTS = 100;

/** The days in words: `3 days (2026-01-05 to 2026-01-07)`. */
export function sayDays({ days, isAll }: OlderFigures): string {
    const [first, last] = [days[0], days.at(-1)];
    const count = days.length === 1 ? '1 day' : `${days.length} days`;
    return `${isAll ? '' : 'at least '}${count} (${first === last ? first : `${first} to ${last}`})`;
}

/** What whoever is answered from the figures should know of older ones among them; undefined where there are none. */
export async function noteOnOlderFigures(lake: { store(): Promise<ObjectStore> }): Promise<string | undefined> {
    try {
        const older = await findOlderFigures(await lake.store());
        const next = 'flowlake reconcile reads their files anew, those that are still below raw/';
        return older.days.length > 0 ? `Figures of ${sayDays(older)} are those of an older version, by its rules: ${next}` : undefined;
    } catch (error) {
        if (error instanceof StorageError) {
            return `Whether the figures are those of an older version is not known: ${error.message}`;
        }
        throw error;
    }
}

/** Days with figures that are due to be read anew, as far as a few objects tell. Objects that are damaged tell nothing: whoever reads them says so. */
export async function findOlderFigures(store: ObjectStore): Promise<OlderFigures> {
    const found = await Promise.all(kinds.map((kind) => findOfKind(kind, store)));
    return { days: [...new Set(found.flatMap(({ days }) => days))].sort(), isAll: found.every(({ isAll }) => isAll) };
}

async function findOfKind(kind: Kind, store: ObjectStore): Promise<OlderFigures> {
    const { merged } = kind;
    const objects: (ListedObject & { period: string })[] = [];
    for await (const object of store.list(merged.prefix)) {
        const period = periodOf(merged, object.key);
        if (period !== undefined && object.key === mergedKey(merged, period)) {
            objects.push({ ...object, period });
        }
    }
    objects.sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime());
    const looked = objects.slice(0, MOST_OBJECTS);
    const formats = await pMap(looked, ({ period }) => formatOfPeriod(kind, period, store), { concurrency: CALLS_AT_ONCE });
    const older = looked.filter((_, at) => (formats[at] ?? kind.format) < kind.format);
    return { days: older.map(({ period }) => dayOfPeriod(period)), isAll: looked.length === objects.length };
}

/** The format that the period's object says; undefined where it is gone, or damaged. */
async function formatOfPeriod(kind: Kind, period: string, store: ObjectStore): Promise<number | undefined> {
    const table = kind.merged;
    const key = mergedKey(table, period);
    let lastBytes = END_BYTES;
    for (;;) {
        const end = await store.readEnd(key, { lastBytes });
        if (!end) {
            return undefined;
        }
        try {
            const found = readFactsAtEnd(end.bytes, { sizeBytes: end.sizeBytes, table });
            if (found) {
                return formatOf(found, kind);
            }
        } catch {
            return undefined;
        }
        lastBytes *= 16;
    }
}

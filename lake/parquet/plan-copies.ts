/** Finds the row groups that a merge can take as they are: those whose keys no other object has any near. */
import { parquetMetadata, type RowGroup, type SchemaElement } from 'hyparquet';
import { compareTexts } from '#lake/rows';
import { keysOf, type MergedTable } from '#lake/tables';
import { groupsToCopy, isCopyable } from './copy-groups.ts';
import { CREATED_BY, rowGroupRows, unitOf } from './file-writer.ts';

/** Row groups of one object. */
export interface Part {
    /** Place of the object among those that are merged. */
    object: number;
    /** Places of the groups in the object; undefined for all of it. */
    groups: readonly number[] | undefined;
    /** The groups as a footer has them; none where they are not copied. */
    facts: readonly RowGroup[];
}

/** Row groups that are next in the order of keys. */
export interface Span {
    /** True if the groups are taken as they are, one part after the other; else their rows are merged. */
    isCopied: boolean;
    parts: readonly Part[];
}

/** Fewer rows are merged anew: each copied span ends with a group that is not full, and a thousand small sources must not make a thousand groups. */
const MIN_COPIED_ROWS = 20_000;

/** No row of a column of Parquet has less than a byte: a smaller object is not worth a look at its footer. */
const MIN_COPIED_BYTES = 20_000;

/**
 * The spans of the merged object, ascending. Spans are told apart by the first key column, whose bounds every footer has. Objects that another
 * program wrote, or an older one of this lake, are merged row by row, and all others with them.
 */
export function planCopies(
    objects: readonly Uint8Array[],
    { table, elements }: { table: MergedTable; elements: readonly SchemaElement[] },
): Span[] {
    const mergeAll = [{ isCopied: false, parts: objects.map((_, object) => ({ object, groups: undefined, facts: [] })) }];
    if (!objects.some((bytes) => bytes.length >= MIN_COPIED_BYTES)) {
        return mergeAll;
    }
    const groups: KeyedGroup[] = [];
    for (const [object, bytes] of objects.entries()) {
        const found = keyedGroups(bytes, { object, table, elements });
        if (!found) {
            return mergeAll;
        }
        groups.push(...found);
    }
    const rows = groups.reduce((sum, { facts }) => sum + Number(facts.num_rows), 0);
    // Past so many rows groups are larger than those that are there.
    return rowGroupRows(rows, table) > rowGroupRows(0, table) ? mergeAll : spansOf(clustersOf(groups));
}

interface KeyedGroup {
    object: number;
    place: number;
    facts: RowGroup;
    /** Bounds of the first key column: no key of the group is outside. */
    least: Bound;
    most: Bound;
}

/** A value of the first key column. */
type Bound = string | bigint;

/** Two values of one column. */
function compareBounds(a: Bound, b: Bound): number {
    return typeof a === 'string' && typeof b === 'string' ? compareTexts(a, b) : a < b ? -1 : a > b ? 1 : 0;
}

function isBound(value: unknown): value is Bound {
    return typeof value === 'string' || typeof value === 'bigint';
}

/** The groups of an object that this program wrote with just these columns; undefined for any other object. */
function keyedGroups(
    bytes: Uint8Array,
    { object, table, elements }: { object: number; table: MergedTable; elements: readonly SchemaElement[] },
): KeyedGroup[] | undefined {
    let metadata: ReturnType<typeof parquetMetadata>;
    try {
        metadata = parquetMetadata(bytes);
    } catch {
        // Who reads it says what is wrong.
        return undefined;
    }
    const { created_by, schema, row_groups } = metadata;
    const isSame =
        schema.length === elements.length + 1 &&
        elements.every((element, at) => {
            const { name, type, type_length, repetition_type } = element;
            const other = schema[at + 1];
            return (
                other?.name === name &&
                other.type === type &&
                other.type_length === type_length &&
                other.repetition_type === repetition_type &&
                unitOf(other) === unitOf(element)
            );
        });
    if (created_by !== CREATED_BY || !isSame || !row_groups.every((group) => isCopyable(bytes, group))) {
        return undefined;
    }
    const firstKey = table.columns.findIndex(({ name }) => name === keysOf(table)[0]?.name);
    const groups = groupsToCopy(bytes, metadata).map((facts, place) => {
        const { min_value: least, max_value: most } = row_groups[place]?.columns[firstKey]?.meta_data?.statistics ?? {};
        return isBound(least) && isBound(most) ? { object, place, facts, least, most } : undefined;
    });
    return groups.every((group) => group !== undefined) ? groups : undefined;
}

/** The groups in clusters, ascending: those of two clusters have no key of the first column in common. */
function clustersOf(groups: readonly KeyedGroup[]): KeyedGroup[][] {
    const sorted = groups.toSorted((a, b) => compareBounds(a.least, b.least) || a.object - b.object || a.place - b.place);
    const clusters: KeyedGroup[][] = [];
    let most: Bound = '';
    for (const group of sorted) {
        const cluster = clusters.at(-1);
        if (cluster && compareBounds(group.least, most) <= 0) {
            cluster.push(group);
            most = compareBounds(group.most, most) > 0 ? group.most : most;
        } else {
            clusters.push([group]);
            most = group.most;
        }
    }
    return clusters;
}

/** Clusters of one object with enough rows are copied; what lies between them is merged together. */
function spansOf(clusters: readonly KeyedGroup[][]): Span[] {
    const spans: { isCopied: boolean; groups: KeyedGroup[] }[] = [];
    for (const groups of clusters) {
        const rows = groups.reduce((sum, { facts }) => sum + Number(facts.num_rows), 0);
        const isCopied = rows >= MIN_COPIED_ROWS && groups.every(({ object }) => object === groups[0]?.object);
        const before = spans.at(-1);
        if (before && !before.isCopied && !isCopied) {
            before.groups.push(...groups);
        } else {
            spans.push({ isCopied, groups: [...groups] });
        }
    }
    return spans.map(({ isCopied, groups }) => ({ isCopied, parts: partsOf(groups, { isCopied }) }));
}

function partsOf(groups: readonly KeyedGroup[], { isCopied }: { isCopied: boolean }): Part[] {
    const byObject = new Map<number, KeyedGroup[]>();
    for (const group of groups) {
        const ofObject = byObject.get(group.object);
        if (ofObject) {
            ofObject.push(group);
        } else {
            byObject.set(group.object, [group]);
        }
    }
    return [...byObject].map(([object, ofObject]) => {
        const ascending = ofObject.sort((a, b) => a.place - b.place);
        return { object, groups: ascending.map(({ place }) => place), facts: isCopied ? ascending.map(({ facts }) => facts) : [] };
    });
}

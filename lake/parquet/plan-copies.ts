/** Finds the row groups that a merge can take as they are: those whose keys no other object has any near. */
import { parquetMetadata, type RowGroup, type SchemaElement } from 'hyparquet';
import { keysOf, type MergedTable } from '#lake/tables';
import { groupsToCopy, isCopyable } from './copy-groups.ts';
import { CREATED_BY, CUT_BOUND_BYTES, MAX_ROW_GROUPS, rowGroupRows, unitOf } from './file-writer.ts';

/** Row groups of one object. */
export interface Part {
    /** Place of the object among those that are merged. */
    object: number;
    /** The groups, ascending; undefined for all of an object of which they are not known. */
    groups: readonly KeyedGroup[] | undefined;
}

/** A row group and where its keys are. */
export interface KeyedGroup {
    object: number;
    /** Place in the object. */
    place: number;
    /** The group as a footer has it. */
    facts: RowGroup;
    /** No key of the group is outside of these: values of the first key columns, of more of them the better they are known. */
    least: readonly Bound[];
    most: readonly Bound[];
}

/** A value of a key column: the bytes of a text, or a number. */
export type Bound = Uint8Array | bigint;

/** Row groups that are next in the order of keys. */
export interface Span {
    /** True if the groups are taken as they are, one part after the other; else their rows are merged. */
    isCopied: boolean;
    parts: readonly Part[];
}

/** Fewer rows are merged anew: a span may end with a group that is not full, and a thousand small sources must not make a thousand groups. */
const MIN_COPIED_ROWS = 20_000;

/** No row of a column of Parquet has less than a byte: a smaller object is not worth a look at its footer. */
const MIN_COPIED_BYTES = 20_000;

/**
 * The spans of the merged object, ascending. Spans are told apart by the bounds that every footer has. Objects that another program wrote, or an older
 * one of this lake, are merged row by row, and all others with them; and so are all where there would be too many groups.
 */
export function planCopies(
    objects: readonly Uint8Array[],
    { table, elements }: { table: MergedTable; elements: readonly SchemaElement[] },
): Span[] {
    const mergeAll = allInOne(objects);
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
    return groups.length > MAX_ROW_GROUPS ? mergeAll : spansOf(clustersOf(groups), table);
}

/** One span of all rows of all objects. */
export function allInOne(objects: readonly unknown[]): Span[] {
    return [{ isCopied: false, parts: objects.map((_, object) => ({ object, groups: undefined })) }];
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
    const keyColumns = keysOf(table).map(({ name }) => table.columns.findIndex((column) => column.name === name));
    const groups = groupsToCopy(bytes, metadata).map((facts, place) => {
        const bounds = boundsOf(facts, keyColumns);
        return bounds && { object, place, facts, ...bounds };
    });
    return groups.every((group) => group !== undefined) ? tighten(groups) : undefined;
}

/**
 * Groups of one object ascend. So bounds of a group that has several values of the first key column, and no more than that one's are known, are those
 * of its neighbours where they say more.
 */
function tighten(groups: readonly KeyedGroup[]): KeyedGroup[] {
    const isBetter = (bound: readonly Bound[] | undefined, than: readonly Bound[]): bound is readonly Bound[] =>
        bound !== undefined &&
        bound.length > than.length &&
        compareBounds(bound, than) === 0 &&
        bound.every((value) => typeof value === 'bigint' || value.length < CUT_BOUND_BYTES);
    return groups.map((group, at) => {
        const before = groups[at - 1]?.most;
        const behind = groups[at + 1]?.least;
        return {
            ...group,
            least: isBetter(before, group.least) ? before : group.least,
            most: isBetter(behind, group.most) ? behind : group.most,
        };
    });
}

/** The bounds of the key columns up to the first one that is not the same in all rows; undefined where a footer has not even the first one's. */
function boundsOf({ columns }: RowGroup, keyColumns: readonly number[]): Pick<KeyedGroup, 'least' | 'most'> | undefined {
    const bounds = { least: [] as Bound[], most: [] as Bound[] };
    for (const column of keyColumns) {
        const { min_value: least, max_value: most }: { min_value?: unknown; max_value?: unknown } =
            columns[column]?.meta_data?.statistics ?? {};
        if (!isBound(least) || !isBound(most)) {
            break;
        }
        bounds.least.push(least);
        bounds.most.push(most);
        if (compareValues(least, most) !== 0) {
            break;
        }
    }
    return bounds.least.length === 0 ? undefined : bounds;
}

function isBound(value: unknown): value is Bound {
    return value instanceof Uint8Array || typeof value === 'bigint';
}

/** Below 0, 0 or above 0: two values of one column. */
function compareValues(a: Bound, b: Bound): number {
    return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) : a < b ? -1 : a > b ? 1 : 0;
}

/** Below 0 or above 0 as the first column does that tells bounds apart; 0 where none does, and keys may meet. */
function compareBounds(a: readonly Bound[], b: readonly Bound[]): number {
    for (let column = 0; column < Math.min(a.length, b.length); column += 1) {
        const difference = compareValues(a[column] as Bound, b[column] as Bound);
        if (difference !== 0) {
            return difference;
        }
    }
    return 0;
}

/** The groups in clusters, ascending: keys of one cluster are all before those of the next. */
function clustersOf(groups: readonly KeyedGroup[]): KeyedGroup[][] {
    // A bound of fewer columns holds for all that may stand in the others: the smallest key, or the largest.
    const compareLeast = (a: KeyedGroup, b: KeyedGroup): number => compareBounds(a.least, b.least) || a.least.length - b.least.length;
    const sorted = groups.toSorted((a, b) => compareLeast(a, b) || a.object - b.object || a.place - b.place);
    const clusters: KeyedGroup[][] = [];
    let most: readonly Bound[] = [];
    for (const group of sorted) {
        const cluster = clusters.at(-1);
        if (cluster && compareBounds(group.least, most) <= 0) {
            cluster.push(group);
            const difference = compareBounds(group.most, most) || most.length - group.most.length;
            most = difference > 0 ? group.most : most;
        } else {
            clusters.push([group]);
            most = group.most;
        }
    }
    return clusters;
}

/** Clusters of one object that follow one another are copied where that is worth it; what lies between them is merged together. */
function spansOf(clusters: readonly KeyedGroup[][], table: MergedTable): Span[] {
    const runs: KeyedGroup[][] = [];
    for (const cluster of clusters) {
        const before = runs.at(-1);
        if (before && isOfOne([...before.slice(-1), ...cluster]) && isOfOne(before)) {
            before.push(...cluster);
        } else {
            runs.push([...cluster]);
        }
    }
    const spans: { isCopied: boolean; groups: KeyedGroup[] }[] = [];
    for (const groups of runs) {
        const isCopied = isOfOne(groups) && countRows(groups) >= MIN_COPIED_ROWS && areFullEnough(groups, table);
        const before = spans.at(-1);
        if (before && !before.isCopied && !isCopied) {
            before.groups.push(...groups);
        } else {
            spans.push({ isCopied, groups });
        }
    }
    return spans.map(({ isCopied, groups }) => ({ isCopied, parts: partsOf(groups) }));
}

function isOfOne(groups: readonly KeyedGroup[]): boolean {
    return groups.every(({ object }) => object === groups[0]?.object);
}

export function countRows(groups: readonly KeyedGroup[]): number {
    return groups.reduce((sum, { facts }) => sum + Number(facts.num_rows), 0);
}

/** True if groups are half full at least, all in all: what is merged in little by little must not leave ever more small groups. */
export function areFullEnough(groups: readonly KeyedGroup[], table: MergedTable): boolean {
    return countRows(groups) * 2 >= rowGroupRows(0, table) * groups.length;
}

function partsOf(groups: readonly KeyedGroup[]): Part[] {
    const byObject = new Map<number, KeyedGroup[]>();
    for (const group of groups) {
        const ofObject = byObject.get(group.object);
        if (ofObject) {
            ofObject.push(group);
        } else {
            byObject.set(group.object, [group]);
        }
    }
    return [...byObject].map(([object, ofObject]) => ({ object, groups: ofObject.sort((a, b) => a.place - b.place) }));
}

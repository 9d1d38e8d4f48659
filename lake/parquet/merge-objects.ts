/**
 * Merges whole objects of a table into one. Where a span of keys is of one object alone its row groups are taken as they are: for a day of a
 * million pairs of three sites a copy of a tenth of a second, where reading, merging and writing the rows takes 1.5.
 */
import type { SchemaElement } from 'hyparquet';
import { OverflowError, StorageError } from '#lake/errors';
import { mergeTyped } from '#lake/merge-rows';
import type { MergedTable } from '#lake/tables';
import type { TypedRows } from '#lake/typed-rows';
import { copyGroup } from './copy-groups.ts';
import { type FooterEntries, finishFile, type OpenFile, openFile, rowGroupRows, schemaElement } from './file-writer.ts';
import { allInOne, countRows, type Part, planCopies, type Span } from './plan-copies.ts';
import { planInsertions } from './plan-insertions.ts';
import { writeGroups } from './write-groups.ts';

export interface ObjectToMerge {
    bytes: Uint8Array<ArrayBuffer>;
    /**
     * Reads all row groups, or those at some places; all their numbers at once where `isWhole`.
     * @throws StorageError where the object is damaged, or of another format
     */
    read(groups?: readonly number[], isWhole?: boolean): Promise<TypedRows>;
}

export interface MergeOptions {
    table: MergedTable;
    /** Names the period in an error. */
    period: string;
    entries: FooterEntries;
}

/** The objects as one. @throws StorageError where one is damaged, OverflowError where a sum leaves its column */
export async function mergeObjects(objects: readonly ObjectToMerge[], options: MergeOptions): Promise<MergedObject> {
    const { table } = options;
    const elements = table.columns.map(schemaElement);
    const spans = planCopies(
        objects.map(({ bytes }) => bytes),
        { table, elements },
    );
    try {
        return await mergeSpans(spans, { objects, elements, ...options });
    } catch (error) {
        if (!(error instanceof OverflowError)) {
            throw error;
        }
        // Sums of some objects may leave the column that those of all together fit, where values are below zero: nothing is merged before the rest.
        return await mergeSpans(allInOne(objects), { objects, elements, ...options });
    }
}

export interface MergedObject {
    bytes: Uint8Array<ArrayBuffer>;
    rows: number;
}

async function mergeSpans(
    spans: readonly Span[],
    { objects, elements, table, period, entries }: MergeOptions & Pick<Merging, 'objects' | 'elements'>,
): Promise<MergedObject> {
    const file = openFile(elements, { roomBytes: objects.reduce((sum, { bytes }) => sum + bytes.length, FOOTER_ROOM_BYTES) });
    const fullRows = rowGroupRows(
        spans.flatMap(({ parts }) => parts.map(rowsOf)).reduce((sum, rows) => sum + rows, 0),
        table,
    );
    const merging = { objects, table, period, elements, fullRows, isAll: spans.length === 1 };
    for (const { isCopied, parts } of spans) {
        try {
            if (isCopied) {
                for (const part of parts) {
                    copyGroups(file, { part, ...merging });
                }
            } else {
                await mergeParts(file, parts, merging);
            }
        } catch (error) {
            if (!(error instanceof OverflowError || error instanceof StorageError)) {
                // Reading them whole says which one is damaged, and what to do.
                for (const { object, groups } of parts) {
                    await (objects[object] as ObjectToMerge).read(placesOf(groups), true);
                }
            }
            throw error;
        }
    }
    return { bytes: finishFile(file, entries), rows: Number(file.parquet.num_rows) };
}

interface Merging {
    objects: readonly ObjectToMerge[];
    table: MergedTable;
    period: string;
    elements: readonly SchemaElement[];
    /** Rows of a full group. */
    fullRows: number;
    /** True if there is nothing else in the file. */
    isAll: boolean;
}

/** Room for a footer that is larger than those of the objects; more is made for a long list of contributions. */
const FOOTER_ROOM_BYTES = 1 << 12;

/** An object with this many times the rows of all others together keeps the row groups that none of theirs go into. */
const MUCH_LARGER = 4;

async function mergeParts(file: OpenFile, parts: readonly Part[], merging: Merging): Promise<void> {
    const { objects, table, period } = merging;
    const read = ({ object, groups }: Part): Promise<TypedRows> => (objects[object] as ObjectToMerge).read(placesOf(groups));
    const [large, ...others] = parts.toSorted((a, b) => rowsOf(b) - rowsOf(a));
    const otherRows = others.reduce((sum, part) => sum + rowsOf(part), 0);
    const lists: TypedRows[] = [];
    for (const part of large?.groups && rowsOf(large) >= MUCH_LARGER * otherRows ? others : parts) {
        lists.push(await read(part));
    }
    const rows = mergeTyped(lists, { table, period });
    if (!large?.groups || lists.length === parts.length) {
        append(file, rows, { ...merging, groupRows: Math.max(merging.fullRows, rowGroupRows(rows.count, table)) });
        return;
    }
    const stretches = planInsertions(large.groups, { table, rows });
    for (const { groups, isCopied, from, until } of stretches) {
        const part = { object: large.object, groups };
        if (isCopied) {
            copyGroups(file, { part, ...merging });
            continue;
        }
        const merged = mergeTyped([await read(part), rowsBetween(rows, from, until)], { table, period });
        // Not a full group and a very small one where a few rows go into a full one.
        const groupCount = Math.ceil(merged.count / merging.fullRows);
        append(file, merged, {
            ...merging,
            groupRows: merging.isAll && stretches.length === 1 ? merging.fullRows : Math.ceil(merged.count / groupCount),
        });
    }
}

function append(
    file: OpenFile,
    rows: TypedRows,
    { table, elements, groupRows }: Pick<Merging, 'table' | 'elements'> & { groupRows: number },
): void {
    file.parquet.row_groups.push(...writeGroups(file.writer, { table, rows, elements, groupRows }));
}

/** Rows of a part; 0 where they are not known. */
function rowsOf({ groups = [] }: Part): number {
    return countRows(groups);
}

function placesOf(groups: Part['groups']): number[] | undefined {
    return groups?.map(({ place }) => place);
}

/** The rows from `from` up to `until`, which is exclusive. */
function rowsBetween({ texts, numbers }: TypedRows, from: number, until: number): TypedRows {
    const columns = Object.entries(texts).map(
        ([name, column]) => [name, { texts: column.texts, places: column.places.subarray(from, until) }] as const,
    );
    return {
        count: until - from,
        texts: Object.fromEntries(columns),
        numbers: (name, first, end) => numbers(name, from + first, from + end),
    };
}

function copyGroups(
    { writer, parquet }: OpenFile,
    { part, objects, elements }: Pick<Merging, 'objects' | 'elements'> & { part: Part },
): void {
    const { bytes } = objects[part.object] as ObjectToMerge;
    for (const { facts } of part.groups ?? []) {
        parquet.row_groups.push(copyGroup(writer, { bytes, group: facts, elements }));
    }
}

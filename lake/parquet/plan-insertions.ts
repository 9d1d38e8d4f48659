/** Finds where rows go into the row groups of a large object, and which of its groups lie between and can be taken as they are. */
import { keysOf, type MergedTable } from '#lake/tables';
import { compareTextsIn } from '#lake/text-list';
import { bigintAt, type TypedRows, textsOf } from '#lake/typed-rows';
import { areFullEnough, type Bound, type KeyedGroup } from './plan-copies.ts';

/** Row groups that follow one another. */
export interface Stretch {
    groups: readonly KeyedGroup[];
    /** True if no row goes into them, so that they are taken as they are. */
    isCopied: boolean;
    /** The rows that go into them: from `from` up to `until`, which is exclusive. */
    from: number;
    until: number;
}

/** The groups in stretches, ascending; each row goes into one of them. The groups are all of one object, and there is one at least. */
export function planInsertions(groups: readonly KeyedGroup[], { table, rows }: { table: MergedTable; rows: TypedRows }): Stretch[] {
    const stretches: Stretch[] = [];
    let from = 0;
    for (const [at, group] of groups.entries()) {
        let until = at === groups.length - 1 ? rows.count : from;
        while (until < rows.count && compareToBound(table, rows, until, group.most) <= 0) {
            until += 1;
        }
        // Bounds are not always values of the group: the row in front may be behind its first one.
        const isTouched = until > from || (from > 0 && compareToBound(table, rows, from - 1, group.least) >= 0);
        const before = stretches.at(-1);
        if (before && before.isCopied === !isTouched) {
            before.groups = [...before.groups, group];
            before.until = until;
        } else {
            stretches.push({ groups: [group], isCopied: !isTouched, from, until });
        }
        from = until;
    }
    return joinMerged(stretches.map((stretch) => ({ ...stretch, isCopied: stretch.isCopied && areFullEnough(stretch.groups, table) })));
}

/** The stretches with those that are merged one after the other as one. */
function joinMerged(stretches: readonly Stretch[]): Stretch[] {
    const joined: Stretch[] = [];
    for (const stretch of stretches) {
        const before = joined.at(-1);
        if (before && !before.isCopied && !stretch.isCopied) {
            before.groups = [...before.groups, ...stretch.groups];
            before.until = stretch.until;
        } else {
            joined.push({ ...stretch });
        }
    }
    return joined;
}

/** Below 0, 0 or above 0: the row's key by the columns of the bound; 0 where others may tell. */
function compareToBound(table: MergedTable, rows: TypedRows, row: number, bound: readonly Bound[]): number {
    for (const [column, { name }] of keysOf(table).slice(0, bound.length).entries()) {
        const difference = compareToValue(rows, { name, row }, bound[column] as Bound);
        if (difference !== 0) {
            return difference;
        }
    }
    return 0;
}

function compareToValue(rows: TypedRows, { name, row }: { name: string; row: number }, value: Bound): number {
    if (typeof value === 'bigint') {
        const { words, width, start } = rows.numbers(name, row, row + 1);
        const number = bigintAt(words, start * width, width);
        return number < value ? -1 : Number(number > value);
    }
    const { texts, places } = textsOf(rows, name);
    return compareTextsIn(texts, places[row] as number, { count: 1, bytes: value, starts: Int32Array.of(0, value.length) }, 0);
}

/** Tells whether the figures of one source are part of another one's: so they are where its rows are part of the other's rows. */
import { compareTexts } from '#lake/rows';
import { figuresOf, keysOf, type MergedColumn, type MergedTable } from '#lake/tables';
import { compareNumbers, type NumberColumn, numbersOf, type TypedRows, textAt, textsOf } from '#lake/typed-rows';

/** Rows by period. */
type Periods = ReadonlyMap<string, TypedRows>;

/** True if every period and key of `part` is in `whole`, with figures that adding rows to `part` can come to. */
export function isPartOf(table: MergedTable, part: Periods, whole: Periods): boolean {
    return [...part].every(([period, rows]) => {
        const others = whole.get(period);
        return others !== undefined && areRowsPartOf(table, rows, others);
    });
}

function areRowsPartOf(table: MergedTable, part: TypedRows, whole: TypedRows): boolean {
    const keys = keysOf(table).map(({ name }) => ({ part: textsOf(part, name), whole: textsOf(whole, name) }));
    const figures = figuresOf(table).map((column) => ({
        column,
        part: numbersOf(part, column.name),
        whole: numbersOf(whole, column.name),
    }));
    const compareKeys = (wholeRow: number, partRow: number): number => {
        for (const { part: ofPart, whole: ofWhole } of keys) {
            const order = compareTexts(textAt(ofWhole, wholeRow), textAt(ofPart, partRow));
            if (order !== 0) {
                return order;
            }
        }
        return 0;
    };
    let at = 0;
    for (let row = 0; row < part.count; row += 1) {
        // Both are sorted by their keys.
        while (at < whole.count && compareKeys(at, row) < 0) {
            at += 1;
        }
        if (at === whole.count || compareKeys(at, row) !== 0) {
            return false;
        }
        if (!figures.every((figure) => mayGrowTo(figure.column, [figure.part, row], [figure.whole, at]))) {
            return false;
        }
    }
    return true;
}

/** True if more rows may make the other of this value. Sums are of values that are never below 0. */
function mayGrowTo({ merge }: MergedColumn, [column, row]: [NumberColumn, number], [other, otherRow]: [NumberColumn, number]): boolean {
    if (column.nulls?.[row] === 1 || other.nulls?.[otherRow] === 1) {
        // A null says nothing: values may come to it, and never go.
        return column.nulls?.[row] === 1;
    }
    const order = compareNumbers(column.words, row * column.width, other.words, otherRow * other.width, column.width);
    return merge === 'min' ? order >= 0 : order <= 0;
}

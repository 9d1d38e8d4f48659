/** Tells whether the figures of one source are part of another one's: so they are where its rows are part of the other's rows. */
import { compareTexts } from '#lake/rows';
import { figuresOf, keysOf, type MergedColumn, type MergedTable } from '#lake/tables';
import { compareNumbers, NO_TEXT, type NumberColumn, numbersOf, type TypedRows, textAt, textsOf } from '#lake/typed-rows';

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
    const [firsts, figures] = [true, false].map((isFirst) => figuresOf(table).filter(({ merge }) => (merge === 'first') === isFirst));
    const compareKeys = comparerOf(keysOf(table), { whole, part });
    const compareFirsts = comparerOf(firsts ?? [], { whole, part });
    const grown = (figures ?? []).map((column) => ({
        column,
        part: numbersOf(part, column.name),
        whole: numbersOf(whole, column.name),
    }));
    let at = 0;
    for (let row = 0; row < part.count; row += 1) {
        // Both are sorted by their keys.
        while (at < whole.count && compareKeys(at, row) < 0) {
            at += 1;
        }
        if (at === whole.count || compareKeys(at, row) !== 0) {
            return false;
        }
        if (compareFirsts(at, row) > 0 || !grown.every((figure) => mayGrowTo(figure.column, [figure.part, row], [figure.whole, at]))) {
            return false;
        }
    }
    return true;
}

/** What compares a row of `whole` with one of `part` by some columns; a null is behind every value. */
function comparerOf(
    columns: readonly MergedColumn[],
    rows: { whole: TypedRows; part: TypedRows },
): (wholeRow: number, partRow: number) => number {
    const comparers = columns.map((column) => (column.type === 'string' ? comparerOfTexts(column, rows) : comparerOfNumbers(column, rows)));
    return (wholeRow, partRow) => {
        for (const compare of comparers) {
            const order = compare(wholeRow, partRow);
            if (order !== 0) {
                return order;
            }
        }
        return 0;
    };
}

function comparerOfTexts(
    { name }: MergedColumn,
    rows: { whole: TypedRows; part: TypedRows },
): (wholeRow: number, partRow: number) => number {
    const [whole, part] = [textsOf(rows.whole, name), textsOf(rows.part, name)];
    return (wholeRow, partRow) => {
        const [isNull, isOtherNull] = [whole.places[wholeRow] === NO_TEXT, part.places[partRow] === NO_TEXT];
        return isNull || isOtherNull ? Number(isNull) - Number(isOtherNull) : compareTexts(textAt(whole, wholeRow), textAt(part, partRow));
    };
}

function comparerOfNumbers(
    { name }: MergedColumn,
    rows: { whole: TypedRows; part: TypedRows },
): (wholeRow: number, partRow: number) => number {
    const [whole, part] = [numbersOf(rows.whole, name), numbersOf(rows.part, name)];
    const { width } = whole;
    return (wholeRow, partRow) => {
        const [isNull, isOtherNull] = [whole.nulls?.[wholeRow] === 1, part.nulls?.[partRow] === 1];
        return isNull || isOtherNull
            ? Number(isNull) - Number(isOtherNull)
            : compareNumbers(whole.words, wholeRow * width, part.words, partRow * width, width);
    };
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

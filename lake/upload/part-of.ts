/** Tells whether the figures of one source are part of another one's: so they are where its rows are part of the other's rows. */
import type { Periods } from '#lake/kind';
import { figuresOf, keysOf, type MergedColumn, type MergedTable } from '#lake/tables';
import { compareTextsIn } from '#lake/text-list';
import { compareNumbers, NO_TEXT, type NumberPiece, type TypedRows, textsOf } from '#lake/typed-rows';

/** True if every period and key of `part` is in `whole`, with figures that adding rows to `part` can come to. */
export function isPartOf(table: MergedTable, part: Periods, whole: Periods): boolean {
    for (const [period, rows] of part) {
        const others = whole.get(period);
        if (others === undefined || !areRowsPartOf(table, rows, others)) {
            return false;
        }
    }
    return true;
}

function areRowsPartOf(table: MergedTable, part: TypedRows, whole: TypedRows): boolean {
    const firsts = figuresOf(table).filter(({ merge }) => merge === 'first');
    const grown = figuresOf(table).filter(({ merge }) => merge !== 'first');
    const compareKeys = comparerOf(keysOf(table), { whole, part });
    const compareFirsts = comparerOf(firsts, { whole, part });
    let at = 0;
    for (let row = 0; row < part.count; row += 1) {
        // Both are sorted by their keys.
        while (at < whole.count && compareKeys(at, row) < 0) {
            at += 1;
        }
        if (at === whole.count || compareKeys(at, row) !== 0) {
            return false;
        }
        if (
            compareFirsts(at, row) > 0 ||
            !grown.every((column) => mayGrowTo(column, numberOf(part, column, row), numberOf(whole, column, at)))
        ) {
            return false;
        }
    }
    return true;
}

/** What compares a row of `whole` with one of `part`; a null is behind every value. */
type Compare = (wholeRow: number, partRow: number) => number;

function comparerOf(columns: readonly MergedColumn[], rows: { whole: TypedRows; part: TypedRows }): Compare {
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

function comparerOfTexts({ name }: MergedColumn, rows: { whole: TypedRows; part: TypedRows }): Compare {
    const [whole, part] = [textsOf(rows.whole, name), textsOf(rows.part, name)];
    return (wholeRow, partRow) => {
        const [inWhole, inPart] = [whole.places[wholeRow] as number, part.places[partRow] as number];
        return inWhole === NO_TEXT || inPart === NO_TEXT
            ? Number(inWhole === NO_TEXT) - Number(inPart === NO_TEXT)
            : compareTextsIn(whole.texts, inWhole, part.texts, inPart);
    };
}

function comparerOfNumbers(column: MergedColumn, rows: { whole: TypedRows; part: TypedRows }): Compare {
    return (wholeRow, partRow) => {
        const [whole, part] = [numberOf(rows.whole, column, wholeRow), numberOf(rows.part, column, partRow)];
        const [isNull, isOtherNull] = [whole, part].map(({ nulls, start }) => nulls?.[start] === 1);
        return isNull || isOtherNull
            ? Number(isNull) - Number(isOtherNull)
            : compareNumbers(whole.words, whole.start * whole.width, part.words, part.start * part.width, whole.width);
    };
}

/** True if more rows may make the other of this value. Sums are of values that are never below 0. */
function mayGrowTo({ merge }: MergedColumn, one: NumberPiece, other: NumberPiece): boolean {
    if (one.nulls?.[one.start] === 1 || other.nulls?.[other.start] === 1) {
        // A null says nothing: values may come to it, and never go.
        return one.nulls?.[one.start] === 1;
    }
    const order = compareNumbers(one.words, one.start * one.width, other.words, other.start * other.width, one.width);
    return merge === 'min' ? order >= 0 : order <= 0;
}

function numberOf(rows: TypedRows, { name }: MergedColumn, row: number): NumberPiece {
    return rows.numbers(name, row, row + 1);
}

/** Finds rows whose figures cannot be those of any source: for what cannot be compared with a recompute. */
import type { Accounts, Kind } from '#lake/kind';
import { figuresOf, type MergedTable } from '#lake/tables';
import { figureIn, keyOf } from './compare.ts';
import { type Engine, wholeOf } from './engine.ts';
import type { Difference, Findings } from './findings.ts';
import { keyNames, listed, quoted } from './table-sql.ts';

/** A rule that holds for every row, whatever was read. What is not sure is no rule. */
export interface Rule {
    figure: string;
    /** SQL that is true for what is possible; false and null are not. */
    isPossible: string;
    expected: string;
}

/**
 * The rules of a kind's rows: what its accounts say of counted measures; for other figures that the smallest is no larger than the largest,
 * and that a value is there where one must be.
 */
export function rulesOf({ merged, accounts }: Pick<Kind, 'merged' | 'accounts'>): Rule[] {
    const counted = accounts ? countedRules(accounts) : [];
    const isCounted = new Set([
        accounts?.rows,
        ...Object.values(accounts?.counts ?? {}),
        ...(accounts?.measures ?? []).flatMap(columnsOfMeasure),
    ]);
    const others = figuresOf(merged).filter(({ name }) => !isCounted.has(name));
    return [...counted, ...others.flatMap((column) => rulesOfColumn(column, merged))];
}

function columnsOfMeasure(measure: string): string[] {
    return ['sum', 'sum_sq', 'min', 'max'].map((part) => `${measure}_${part}`);
}

function countedRules({ rows, measures = [], counts = {} }: Accounts): Rule[] {
    return [
        { figure: rows, isPossible: `${quoted(rows)} > 0`, expected: 'above 0' },
        ...measures.flatMap((measure): Rule[] => {
            const count = counts[measure];
            return count === undefined ? measureRules(measure, rows) : rulesOfSome(measure, { count, rows });
        }),
    ];
}

/** The rules of a measure of which there are as many values as `count` says, and at least one. */
function measureRules(measure: string, count: string): Rule[] {
    const [sum = '', sumSq = '', min = '', max = ''] = columnsOfMeasure(measure);
    const [ofSum, ofSquares, smallest, largest, times] = [sum, sumSq, min, max, count].map(quoted);
    return [
        { figure: min, isPossible: `${smallest} between 0 and ${largest}`, expected: 'from 0 to the largest' },
        {
            figure: sum,
            isPossible: `${ofSum} between ${smallest} * ${times} and ${largest} * ${times}`,
            expected: `between the smallest and the largest, times ${count}`,
        },
        {
            figure: sumSq,
            isPossible: `${ofSquares} between ${largest} * ${largest} and ${largest} * ${ofSum}`,
            expected: 'between the largest squared and the largest times the sum',
        },
    ];
}

/** The rules of a measure that only `count` of the rows have, which may be none. */
function rulesOfSome(measure: string, { count, rows }: { count: string; rows: string }): Rule[] {
    const [, , min = '', max = ''] = columnsOfMeasure(measure);
    const hasNone = `${quoted(count)} = 0`;
    const largest = { figure: max, isPossible: `${quoted(max)} is not null`, expected: 'a value' };
    return [
        { figure: count, isPossible: `${quoted(count)} between 0 and ${quoted(rows)}`, expected: `from 0 to ${rows}` },
        ...[...measureRules(measure, count), largest].map(({ figure, isPossible, expected }) => {
            const isBound = figure === min || figure === max;
            const isNothing = isBound ? `${quoted(figure)} is null` : `${quoted(figure)} = 0`;
            return {
                figure,
                isPossible: `case when ${hasNone} then ${isNothing} else ${isPossible} end`,
                expected: `${expected}, or ${isBound ? 'nothing' : '0'} where ${count} is 0`,
            };
        }),
    ];
}

const MIN = '_min';

function rulesOfColumn(column: MergedTable['columns'][number], { columns }: MergedTable): Rule[] {
    const { name, nullable, merge, type, unit } = column;
    const rules: Rule[] = nullable ? [] : [{ figure: name, isPossible: `${quoted(name)} is not null`, expected: 'a value' }];
    // Equal in name, word, type and unit, both are of one measure: else nothing is known of the two.
    const largest =
        merge === 'min' && name.endsWith(MIN)
            ? columns.find(
                  (other) =>
                      other.merge === 'max' &&
                      other.name === `${name.slice(0, -MIN.length)}_max` &&
                      other.type === type &&
                      other.unit === unit,
              )
            : undefined;
    if (largest) {
        // A null says nothing: whether one must be there, its own rule tells.
        const isPossible = `coalesce(${quoted(name)} <= ${quoted(largest.name)}, true)`;
        rules.push({ figure: name, isPossible, expected: 'no larger than the largest' });
    }
    return rules;
}

export interface ImpossibleOptions {
    kind: Pick<Kind, 'merged' | 'accounts'>;
    /** Table with the key columns, `period` and all figures. */
    table: string;
    about: Pick<Difference, 'kind' | 'table' | 'source'>;
}

/** Adds each figure of the table that is impossible, and each row that stands there twice. */
export async function findImpossible(engine: Engine, { kind, table, about }: ImpossibleOptions, findings: Findings): Promise<void> {
    const { merged } = kind;
    const keys = listed([...keyNames(merged), 'period']);
    const place = (row: Record<string, unknown>) => ({ ...about, key: keyOf(row, merged), period: String(row.period) });
    for (const { figure, isPossible, expected } of rulesOf(kind)) {
        const where = `from ${table} where not coalesce(${isPossible}, false)`;
        const rows = await engine.rows(`select ${keys}, ${quoted(figure)} as _figure ${where} order by all limit ${findings.room}`);
        const [total] = await engine.rows(`select count(*) as impossible ${where}`);
        findings.add(...rows.map((row) => ({ ...place(row), figure, in_lake: figureIn(row, '_figure'), recomputed: expected })));
        findings.addUnlisted(Number(wholeOf(total, 'impossible') ?? 0n) - rows.length);
    }
    const twice = await engine.rows(
        `select ${keys}, count(*) as _copies from ${table} group by ${keys} having count(*) > 1 order by ${keys}`,
    );
    findings.add(...twice.map((row) => ({ ...place(row), figure: 'rows', in_lake: wholeOf(row, '_copies'), recomputed: 1n })));
}

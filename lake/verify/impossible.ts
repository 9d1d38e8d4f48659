/** Finds rows whose figures cannot be those of any source: for what cannot be compared with a recompute. */
import type { Kind } from '#lake/kind';
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
    const counted = accounts ? countedRules(accounts.rows, accounts.measures ?? []) : [];
    const isCounted = new Set([accounts?.rows, ...(accounts?.measures ?? []).flatMap(columnsOfMeasure)]);
    const others = figuresOf(merged).filter(({ name }) => !isCounted.has(name));
    return [...counted, ...others.flatMap((column) => rulesOfColumn(column, merged))];
}

function columnsOfMeasure(measure: string): string[] {
    return ['sum', 'sum_sq', 'min', 'max'].map((part) => `${measure}_${part}`);
}

function countedRules(rows: string, measures: readonly string[]): Rule[] {
    return [
        { figure: rows, isPossible: `${quoted(rows)} > 0`, expected: 'above 0' },
        ...measures.flatMap((measure): Rule[] => {
            const [sum = '', sumSq = '', min = '', max = ''] = columnsOfMeasure(measure);
            const [ofSum, ofSquares, smallest, largest, count] = [sum, sumSq, min, max, rows].map(quoted);
            return [
                { figure: min, isPossible: `${smallest} between 0 and ${largest}`, expected: 'from 0 to the largest' },
                {
                    figure: sum,
                    isPossible: `${ofSum} between ${smallest} * ${count} and ${largest} * ${count}`,
                    expected: `between the smallest and the largest, times ${rows}`,
                },
                {
                    figure: sumSq,
                    isPossible: `${ofSquares} between ${largest} * ${largest} and ${largest} * ${ofSum}`,
                    expected: 'between the largest squared and the largest times the sum',
                },
            ];
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

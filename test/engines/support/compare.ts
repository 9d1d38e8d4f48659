/** Two answers to one question, cell by cell; and how many cells were compared in all. */
import type { QueryEngine, Value } from '#lake/query/query-engine';

export interface Answer {
    columns: readonly { name: string; type: string }[];
    rows: readonly (readonly Value[])[];
}

let answersCompared = 0;
let cellsCompared = 0;

/** What was compared, in words, for the end of a run. */
export function sayCompared(): string {
    return `Compared ${cellsCompared} cells of ${answersCompared} answers`;
}

/** All of an answer. */
export async function answerOf(
    engine: QueryEngine,
    { sql, parameters = [] }: { sql: string; parameters?: readonly Value[] },
): Promise<Answer> {
    const { columns, batches } = await engine.query(sql, { parameters });
    const rows: Value[][] = [];
    for await (const batch of batches) {
        rows.push(...batch);
    }
    return { columns: columns.map(({ name, type }) => ({ name, type })), rows };
}

/** The first differences in words, none where the answers are equal: names, types, number of rows, every cell. Doubles are equal when their bits are. */
export function differencesOf(answer: Answer, wanted: Answer, { atMost = 5 }: { atMost?: number } = {}): string[] {
    answersCompared += 1;
    const differences: string[] = [];
    const [found, expected] = [answer, wanted].map(({ columns }) => columns.map(({ name, type }) => `${name} ${type}`).join(', '));
    if (found !== expected) {
        differences.push(`columns are ${found} instead of ${expected}`);
    }
    if (answer.rows.length !== wanted.rows.length) {
        differences.push(`${answer.rows.length} rows instead of ${wanted.rows.length}`);
    }
    for (const [at, row] of wanted.rows.entries()) {
        for (const [column, value] of row.entries()) {
            cellsCompared += 1;
            const other = answer.rows[at]?.[column];
            if (!Object.is(other, value) && differences.length < atMost) {
                differences.push(
                    `${wanted.columns[column]?.name} of row ${at} is ${other} instead of ${value} (${row.slice(0, 4).join(' ')})`,
                );
            }
        }
    }
    return differences;
}

/** The answer of page `ask`, and its values as the lake has them. */
import type { Value } from '../../../lake/query/query-engine.ts';

export interface AskAnswer {
    /** What is to be known of the figures besides. */
    note?: string;
    columns: readonly AnswerColumn[];
    /** Whole numbers and decimals are texts, with all their digits. */
    rows: readonly (readonly Cell[])[];
    /** True if there are more rows than these. */
    isCut: boolean;
    tookMs: number;
    scanned?: { bytes: string; costUsd: number };
}

export interface AnswerColumn {
    name: string;
    /** SQL type as the engine names it, lower case. */
    type: string;
}

export type Cell = string | number | boolean | null;

/** What will be scanned, GET /pages/ask/plan. */
export interface AskPlan {
    bytes: string;
    costUsd: number;
    /** Relations of which it is not known what they scan. */
    unknown: readonly string[];
}

const WHOLE = /^(u?(tiny|small|big|huge)int|u?integer|int|decimal\(\d+,0\))$/;
const DOUBLE = /^(double|float|real)$/;
const FRACTION = /^(double|float|real|decimal\(\d+,[1-9]\d*\))$/;

/** True for whole numbers, decimals and doubles. */
export function isNumeric({ type }: AnswerColumn): boolean {
    return WHOLE.test(type) || FRACTION.test(type);
}

/** The row's values as `flowlake query` has them. */
export function valuesOf(row: readonly Cell[], columns: readonly AnswerColumn[]): Value[] {
    return row.map((cell, at) => {
        const type = columns[at]?.type ?? '';
        if (typeof cell !== 'string') {
            return cell;
        }
        // Doubles are numbers, but for those that JSON has not.
        return WHOLE.test(type) ? BigInt(cell) : DOUBLE.test(type) ? Number(cell) : cell;
    });
}

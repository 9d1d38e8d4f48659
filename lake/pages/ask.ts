/** Page `ask`: the answer to SQL that only reads, or to a saved question, with what it scanned. */
import { z } from '@hono/zod-openapi';
import { UsageError } from '#lake/errors';
import type { QueryResult, Value } from '#lake/query/query-engine';
import { scansOf } from '#lake/query/scans-of';
import { noteOnOlderFigures } from '#lake/reports/older-figures';
import { definePage, type Json, type Reads } from './page.ts';
import { savedQuestion, TypedValues, valuesOf } from './saved-questions.ts';

/** Letters of a statement in an address: longer addresses are refused by servers on the way. */
const MAX_SQL_LETTERS = 8000;

const MOST_ROWS = 50_000;

/** An answer of more text than a browser shows well is cut off as well. */
const MAX_TEXT = 32 * 2 ** 20;

/** What a question may scan where nothing is said, for half a cent. */
const USUAL_MAX_SCAN_BYTES = 2 ** 30;

const wholeNumber = (least: number, most: number) =>
    z
        .string()
        .regex(/^\d{1,15}$/, 'is no whole number')
        .transform(Number)
        .refine((value) => value >= least && value <= most, `is not between ${least} and ${most}`);

const Parameters = z
    .strictObject({
        sql: z
            .string()
            .max(MAX_SQL_LETTERS, `is longer than ${MAX_SQL_LETTERS} letters: put it into a file and ask by flowlake query -f FILE`)
            .optional(),
        question: z.string().optional(),
        values: TypedValues.optional(),
        rows: wholeNumber(1, MOST_ROWS).optional(),
        maxScan: wholeNumber(0, 1e15).optional(),
    })
    .refine(({ sql, question }) => (sql === undefined) !== (question === undefined), {
        path: ['sql'],
        message: 'is what is asked, or question is: one of them',
    })
    .refine(({ question, values }) => question !== undefined || values === undefined, {
        path: ['values'],
        message: 'are those of a saved question: name it with question',
    });

type Asked = z.output<typeof Parameters>;

export const askPage = definePage<Asked>({
    name: 'ask',
    parameters: Parameters,
    reads: (asked) => readsOf(statementOf(asked).sql),
    async answer(asked, { lake, now, signal }): Promise<Json> {
        const beganMs = now().getTime();
        const { sql, parameters } = statementOf(asked);
        const engine = await lake.engine();
        const result = await engine.query(sql, { parameters, signal, maxScanBytes: asked.maxScan ?? USUAL_MAX_SCAN_BYTES });
        const [{ rows, isCut }, older] = await Promise.all([takeRows(result, asked.rows ?? 1000), noteOnOlderFigures(lake)]);
        return {
            note: older,
            columns: result.columns.map(({ name, type }) => ({ name, type })),
            rows,
            isCut,
            tookMs: now().getTime() - beganMs,
            scanned: result.scanned && { bytes: String(result.scanned.bytes), costUsd: result.scanned.costUsd },
        };
    },
});

function statementOf({ sql, question, values = [] }: Asked): { sql: string; parameters: Value[] } {
    if (question === undefined) {
        return { sql: sql ?? '', parameters: [] };
    }
    const saved = savedQuestion(question);
    return { sql: saved.sql, parameters: valuesOf(saved, values) };
}

/** What the statement scans: all days, because what it filters by is the engine's to find out. */
function readsOf(sql: string): Reads[] {
    if (/^\s*(show|describe|desc|explain)\b(?!\s+analyze)/i.test(sql)) {
        return [];
    }
    const { tables, unknown } = scansOf(sql);
    const scanned = [...tables].flatMap(([table, times]) => {
        if (times > MOST_SCANS) {
            throw new UsageError(
                `The question reads ${table} ${times} times, through steps that read each other: ${MOST_SCANS} times are the most`,
            );
        }
        return Array.from({ length: times }, () => table);
    });
    return [...scanned, ...unknown].map((table) => ({ table, query: 'asked' }));
}

const MOST_SCANS = 1000;

/** The first rows. The rest is not read: what runs is stopped. @throws UsageError for a row that is too large by itself */
async function takeRows({ batches }: QueryResult, mostRows: number): Promise<{ rows: Json[][]; isCut: boolean }> {
    const rows: Json[][] = [];
    let text = 0;
    for await (const batch of batches) {
        for (const row of batch) {
            text += row.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 8), 0);
            if (rows.length === 0 && text > MAX_TEXT) {
                throw new UsageError(
                    'The first row of the answer is larger than a page can show: ask for fewer columns, or by flowlake query',
                );
            }
            if (rows.length === mostRows || text > MAX_TEXT) {
                return { rows, isCut: true };
            }
            rows.push(row.map(toJson));
        }
    }
    return { rows, isCut: false };
}

/** The value with all that it says: whole numbers as text, digit by digit, and what JSON has no number for as its name. */
function toJson(value: Value): Json {
    if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) {
        return String(value);
    }
    return value;
}

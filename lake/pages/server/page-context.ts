/** What a page's answer is made from, made for one request. */
import type { Lake } from '#lake/lake';
import { type LiveState, type PageContext, TooManyRowsError } from '#lake/pages/page';
import type { Value } from '#lake/query/query-engine';
import { readLag } from './read-lag.ts';

/** Rows that an answer may have where its page says nothing. */
const MAX_ROWS = 100_000;

export interface ContextOptions {
    lake: Lake;
    live: LiveState | undefined;
    now: () => Date;
    signal: AbortSignal;
}

export function pageContext({ lake, live, now, signal }: ContextOptions): PageContext {
    return {
        lake,
        live,
        lag: () => readLag(lake, { now: now() }),
        now,
        signal,
        async ask(sql, { parameters = [], maxRows = MAX_ROWS } = {}) {
            const engine = await lake.engine();
            const { columns, batches } = await engine.query(sql, { parameters, signal });
            const rows: Value[][] = [];
            for await (const batch of batches) {
                rows.push(...batch);
                if (rows.length > maxRows) {
                    throw new TooManyRowsError(`The answer has more than ${maxRows} rows: ask for fewer days, or for less of them`);
                }
            }
            return { columns, rows };
        },
    };
}

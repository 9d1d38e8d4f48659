/** Questions, and what their answers have scanned together: for pages that say so. */
import { type CollectedRows, collectRows } from '#lake/collect-rows';
import type { Lake } from '#lake/lake';
import type { QueryResult, Scanned, Value } from '#lake/query/query-engine';

export interface CountedQuestions {
    /** All rows of a file of sql/<kind>/queries, its `?` filled in order. */
    ask(name: string, parameters: readonly Value[]): Promise<CollectedRows>;
    /** All rows of any statement that reads. */
    query(sql: string, parameters: readonly Value[]): Promise<CollectedRows>;
    /** What has been scanned so far; undefined where reading is not paid for. */
    scanned(): Scanned | undefined;
}

/** Asks the lake. */
export function askCounted(lake: Lake, { signal }: { signal?: AbortSignal } = {}): CountedQuestions {
    let total: Scanned | undefined;
    const count = (result: QueryResult): Promise<CollectedRows> => {
        const { scanned } = result;
        if (scanned) {
            total = { bytes: (total?.bytes ?? 0) + scanned.bytes, costUsd: (total?.costUsd ?? 0) + scanned.costUsd };
        }
        return collectRows(result);
    };
    return {
        async ask(name, parameters) {
            return count(await lake.ask(name, parameters));
        },
        async query(sql, parameters) {
            const engine = await lake.engine();
            return count(await engine.query(sql, { parameters, ...(signal && { signal }) }));
        },
        scanned: () => total,
    };
}

/** What pages are answered from, in tests. */
import { collectRows } from '#lake/collect-rows';
import type { Lake } from '#lake/lake';
import type { PageContext } from '#lake/pages/page';
import { readLag } from '#lake/pages/server/read-lag';

/** A context over the lake; the time stands still on a day in 2026 if none is given. */
export function pageContext(lake: Lake, given: Partial<PageContext> = {}): PageContext {
    const signal = given.signal ?? new AbortController().signal;
    return {
        lake,
        live: undefined,
        lag: () => readLag(lake, { now: new Date() }),
        now: () => new Date('2026-03-01T12:00:00Z'),
        signal,
        ask: async (sql, { parameters = [] } = {}) => collectRows(await (await lake.engine()).query(sql, { parameters, signal })),
        ...given,
    };
}

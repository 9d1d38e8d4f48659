/** What pages are answered from, in tests. */
import type { Lake } from '#lake/lake';
import type { PageContext } from '#lake/pages/page';
import { pageContext as contextOf } from '#lake/pages/server/page-context';

/** The server's own context over the lake; the time stands still on a day in 2026 if none is given. */
export function pageContext(lake: Lake, given: Partial<PageContext> = {}): PageContext {
    const { live, now = () => new Date('2026-03-01T12:00:00Z'), signal = new AbortController().signal } = given;
    return { ...contextOf({ lake, live, now, signal }), ...given };
}

/** Answers of pages over lakes in directories, in tests. */
import { afterAll } from '@jest/globals';
import type { Lake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import type { Page } from '#lake/pages/page';
import { type ContextOptions, pageContext } from '#lake/pages/server/page-context';

const lakes = new Map<string, Lake>();

afterAll(() => Promise.all([...lakes.values()].map((lake) => lake.close())));

/** The page's answer as its reader gets it: by way of JSON. Parameters are those of an address; the time stands still on a day in 2026 where none is given. */
export async function askPage(
    page: Page,
    directory: string,
    parameters: Record<string, string> = {},
    given: Partial<ContextOptions> = {},
): Promise<any> {
    const location = { kind: 'directory', name: directory, directory } as const;
    const { signal } = new AbortController();
    const lake = lakes.get(directory) ?? (await openLake(location, { environment: {}, signal }));
    lakes.set(directory, lake);
    const context = pageContext({ lake, live: undefined, now: () => new Date('2026-03-01T12:00:00Z'), signal, ...given });
    return JSON.parse(JSON.stringify(await page.answer(page.parameters.parse(parameters), context)));
}

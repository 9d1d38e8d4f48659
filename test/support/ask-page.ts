/** Answers of pages over lakes in directories. */
import { afterAll } from '@jest/globals';
import type { Lake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import type { Page, PageContext } from '#lake/pages/page';
import { pageContext } from '#test/support/page-context';

const lakes = new Map<string, Promise<Lake>>();

afterAll(async () => {
    for (const lake of lakes.values()) {
        await (await lake).close();
    }
});

/** Opens the lake until the last test of the file has ended. */
export function openDirectory(directory: string): Promise<Lake> {
    const opened =
        lakes.get(directory) ??
        openLake({ kind: 'directory', name: directory, directory }, { environment: {}, signal: new AbortController().signal });
    lakes.set(directory, opened);
    return opened;
}

/** The page's answer to these parameters, as an address has them. @throws ZodError for parameters that the page refuses */
export async function askPage<Answer>(
    page: Page,
    lake: Lake,
    parameters: Readonly<Record<string, string>> = {},
    given: Partial<PageContext> = {},
): Promise<Answer> {
    return (await page.answer(page.parameters.parse(parameters), pageContext(lake, given))) as Answer;
}

/** The page's answer over the lake in the directory, as its reader gets it: by way of JSON. */
export async function askPageOf(
    page: Page,
    directory: string,
    parameters: Readonly<Record<string, string>> = {},
    given: Partial<PageContext> = {},
): Promise<any> {
    return JSON.parse(JSON.stringify(await askPage(page, await openDirectory(directory), parameters, given)));
}

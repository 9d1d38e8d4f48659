/** Answers of pages over lakes in directories. */
import type { Lake } from '#lake/lake';
import { openLake } from '#lake/open-lake';
import type { Page } from '#lake/pages/page';
import { pageContext } from '#test/support/page-context';

const lakes: Lake[] = [];

afterAll(async () => {
    await Promise.all(lakes.splice(0).map((lake) => lake.close()));
});

/** Opens the lake until the last test of the file has ended. */
export async function openDirectory(directory: string): Promise<Lake> {
    const lake = await openLake(
        { kind: 'directory', name: directory, directory },
        { environment: {}, signal: new AbortController().signal },
    );
    lakes.push(lake);
    return lake;
}

/** The page's answer to these parameters, as an address has them. @throws ZodError for parameters that the page refuses */
export async function askPage<Answer>(page: Page, lake: Lake, parameters: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return (await page.answer(page.parameters.parse(parameters), pageContext(lake))) as Answer;
}

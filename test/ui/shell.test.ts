/** The frame of the web application in a real browser. */
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openFixture } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { openBrowser } from './support/browser.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

async function smallLake(): Promise<string> {
    const directory = join(await makeFolder(), 'lake');
    await openFixture([{ day: '2026-01-05', packets: 9007199254740993n }], { directory });
    return directory;
}

test('the printed address opens the lake and leaves no token behind, and a keyboard gets to each screen', async () => {
    const ui = await openUi(await smallLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await page.goto(ui.address);
    await page.waitForSelector('main#content');
    expect(page.url()).toBe(`${ui.origin}/`);
    await page.keyboard.press('g');
    await page.keyboard.press('l');
    await page.waitForSelector('h1:has-text("About")');
    expect(new URL(page.url()).pathname).toBe('/about');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await checkAxe(page);
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog[open]').count()).toBe(0);
    expect(faults).toEqual([]);
});

test('axe finds nothing in light and dark, and nothing sticks out on a phone', async () => {
    const ui = await openUi(await smallLake());
    const { newPage } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/about');
    await checkAxe(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await checkAxe(page);
    await picture(page, 'about');
});

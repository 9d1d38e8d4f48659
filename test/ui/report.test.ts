/** The pages of report and export in a real browser: they ask for nothing, run nothing, say the same to those who do not see, and fit a phone and paper. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { HOT, openFleet } from '#test/support/fleet-fixture';
import { runFlowlake } from '#test/support/flowlake';
import { dayAfter, putRejects, putSource } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { openBrowser, type PageOptions, type TestBrowser } from './support/browser.ts';
import { checkAxe, picture } from './support/ui.ts';

const MARKUP = '"><img src=//example.test/x onerror=alert(1)><script>alert(2)</script></style><style>body{display:none}';
const VERSION = '1-0123456789abcdef';

let browser: TestBrowser;
let folder: string;

beforeAll(async () => {
    folder = await makeFolder();
    const days = Array.from({ length: 35 }, (_, index) => index);
    const { directory } = await openFleet({
        readings: days.flatMap((index) => [
            { at: `${dayAfter(index)}T07:00:00Z`, is: index === 31 ? '31' : '21', device: 'kettle', site: 'berlin' },
            { at: `${dayAfter(index)}T09:00:00Z`, is: '21', device: 'kettle', site: 'berlin' },
        ]),
        profile: { alerts: [HOT] },
        flows: days.flatMap((index) => [
            { day: dayAfter(index), site: 'berlin', packets: index === 32 ? 9_007_199_254_740_993n : 100n },
            ...(index === 30 ? [] : [{ day: dayAfter(index), site: MARKUP, src: MARKUP }]),
        ]),
    });
    await putSource(directory, {
        source: `raw/${MARKUP}.csv`,
        site: MARKUP,
        version: VERSION,
        size_bytes: 5,
        first_day: dayAfter(30),
        last_day: dayAfter(31),
    });
    await putRejects(directory, { source: `raw/${MARKUP}.csv`, version: VERSION }, [{ line_number: 2, reason: 'bad', line: MARKUP }]);
    const write = (name: string, ...words: string[]) => runFlowlake(['--lake', directory, ...words, '-o', name], { folder });
    expect(await write('week.html', 'report', '--to', dayAfter(34))).toMatchObject({ exitCode: 0 });
    expect(await write('pair.html', 'export', MARKUP, '10.0.0.2')).toMatchObject({ exitCode: 0 });
    expect(await write('device.html', 'export', '--device', 'kettle')).toMatchObject({ exitCode: 0 });
    browser = await openBrowser();
});

const pages: Page[] = [];

afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.context().close()));
});

async function open(name: string, options: PageOptions = {}): Promise<{ page: Page; requests: string[] }> {
    browser.faults.length = 0;
    const page = await browser.newPage(options);
    pages.push(page);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('dialog', (dialog) => {
        browser.faults.push(`dialog: ${dialog.message()}`);
        return dialog.dismiss();
    });
    await page.goto(pathToFileURL(join(folder, name)).href);
    return { page, requests };
}

const FILES = ['week.html', 'pair.html', 'device.html'];

test.each(FILES)('%s asks for nothing, breaks no rule of its policy, and axe finds nothing', async (name) => {
    const { page, requests } = await open(name);
    expect(requests).toEqual([pathToFileURL(join(folder, name)).href]);
    expect(browser.faults).toEqual([]);
    expect(await page.locator('script, img, iframe, object, embed, link, form').count()).toBe(0);
    expect(await page.locator('style').count()).toBe(1);
    expect(await page.locator('h1').isVisible()).toBe(true);
    await checkAxe(page);
    await picture(page, name.replace('.html', ''));
});

test('the page’s policy keeps out what is put into it later', async () => {
    const { page } = await open('week.html');
    await page.setContent(
        (await readFile(join(folder, 'week.html'), 'utf8')).replace(
            '</main>',
            '<p id="put" style="color: red">x</p><script>window.ran = 1</script></main>',
        ),
    );
    const found = await page.evaluate(() => ({
        ran: (window as { ran?: number }).ran,
        put: getComputedStyle(document.getElementById('put') ?? document.body).color,
        body: getComputedStyle(document.body).color,
    }));
    expect(found).toEqual({ ran: undefined, put: found.body, body: 'rgb(28, 36, 48)' });
    expect(browser.faults.join('\n')).toMatch(/Content Security Policy/);
});

test.each(FILES)('%s is dark where the reader’s system is, and axe finds nothing there', async (name) => {
    const { page } = await open(name, { colorScheme: 'dark' });
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(background).toBe('rgb(18, 22, 29)');
    await checkAxe(page);
});

test.each(FILES)('%s does not move sideways on a phone', async (name) => {
    const { page } = await open(name, { size: { width: 390, height: 844 } });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test('on paper it is light whatever the screen is, and nothing is cut off at the side', async () => {
    const { page } = await open('week.html', { colorScheme: 'dark', size: { width: 700, height: 900 } });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)');
    // A4 less its margins, at 96 dots an inch.
    await page.setViewportSize({ width: 695, height: 1000 });
    const wide = await page.evaluate(() =>
        [...document.querySelectorAll('table')]
            .filter((table) => table.getBoundingClientRect().right > 695)
            .map((table) => table.textContent.slice(0, 200)),
    );
    expect(wide).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(695);
    const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
});

/** The fleet's screen in a real browser: lists, the map, averages; by mouse and by keyboard. */
import { expect, test } from '@jest/globals';
import { makeFolder } from '#test/support/temporary';
import { openBrowser } from './support/browser.ts';
import { HOSTILE, makeFleetLake, makeLargeFleet } from './support/fleet-lake.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

test('the fleet says who had the most trouble and why, and one click leads to the device', async () => {
    const ui = await openUi(await makeFleetLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/fleet?at=end');
    const worst = page.locator('.worst li');
    await worst.first().waitFor();
    expect(await worst.locator('a').allTextContents()).toEqual(['d002', 'd001']);
    expect(await worst.nth(1).textContent()).toContain(`too warm ${HOSTILE}`);
    await page.locator('.sparkline canvas').first().waitFor();
    expect(await page.locator('.sparkline-place').first().getAttribute('aria-label')).toMatch(/^temperature: .* to .*, 24 of 24 hours$/);
    await checkAxe(page);
    await picture(page, 'fleet');
    await worst.first().locator('a').click();
    await page.waitForSelector('h1:has-text("d002")');
    expect(new URL(page.url()).search).toBe('?id=d002&site=main&from=2026-01-05&to=2026-01-11');
    expect(faults).toEqual([]);
});

test('filters, order and pages stand in the address, which opens the same view again', async () => {
    const ui = await openUi(await makeFleetLake({ devices: 120 }));
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/fleet?at=end');
    const rows = page.locator('main tbody tr');
    await rows.first().waitFor();
    expect(await rows.count()).toBe(50);
    await page.locator('nav.pages a:has-text("Next")').click();
    await page.waitForSelector('nav.pages:has-text("51 to 100 of 123")');
    expect(new URL(page.url()).searchParams.get('page')).toBe('2');
    await page.locator('th a:has-text("In alert or silent")').click();
    await page.waitForSelector('th[aria-sort="descending"]:has-text("In alert or silent")');
    expect(await rows.first().locator('a').first().textContent()).toBe('d002');
    await page.locator('#filter-prefix').fill('d00');
    await page.waitForSelector('nav.pages:has-text("1 to 3 of 3")');
    const address = page.url();
    await page.goto(address);
    await page.waitForSelector('nav.pages:has-text("1 to 3 of 3")');
    expect(await page.locator('#filter-prefix').inputValue()).toBe('d00');
    await page.locator('.tiles a:has-text("silent")').click();
    await page.waitForSelector('.empty');
    expect(faults).toEqual([]);
});

test('a keyboard moves the map, opens what is in it, and finds the same in a table', async () => {
    const ui = await openUi(await makeFleetLake({ devices: 120 }));
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/fleet?view=map&at=end');
    await page.locator('.place').first().waitFor();
    expect(await page.locator('p:has-text("are on the map")').textContent()).toContain('of 1 nobody knows where they are');
    await checkAxe(page);
    await picture(page, 'fleet-map');
    const before = page.url();
    await page.locator('.map').focus();
    await page.keyboard.press('+');
    await page.waitForFunction((old) => location.href !== old, before);
    const zoomed = Number(new URL(page.url()).searchParams.get('map')?.split(',')[2]);
    const inside = page.url();
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction((old) => location.href !== old, inside);
    expect(Number(new URL(page.url()).searchParams.get('map')?.split(',')[2])).toBe(zoomed);
    await page.locator('.map-buttons a:has-text("All")').press('Enter');
    await page.waitForFunction(() => !location.search.includes('map=') || location.search.includes('view=map'));
    const inTable = page.locator('main tbody a', { hasText: 'd003' });
    await page.locator('.place.cluster').first().focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => new URLSearchParams(location.search).get('map') !== null);
    await page.locator('.map-buttons a:has-text("All")').click();
    expect(await page.locator('.place').count()).toBe(await page.locator('main tbody tr').count());
    await inTable.first().press('Enter');
    await page.waitForSelector('h1:has-text("d003")');
    expect(faults).toEqual([]);
});

test('ten thousand devices are paged, found, and on the map', async () => {
    const ui = await openUi(await makeLargeFleet());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/fleet?page=200&sort=-device');
    await page.waitForSelector('nav.pages:has-text("9951 to 10000 of 10000")');
    expect(await page.locator('main tbody tr').last().textContent()).toContain('p-00000');
    await page.locator('#filter-prefix').fill('p-0012');
    await page.waitForSelector('nav.pages:has-text("1 to 10 of 10")');
    await page.locator('#filter-site').selectOption('north');
    await page.waitForSelector('nav.pages:has-text("1 to 4 of 4")');
    await visit(page, ui, '/fleet?view=map');
    await page.locator('.place').first().waitFor();
    expect(await page.locator('p:has-text("are on the map")').textContent()).toContain('10\u202f000 devices are on the map.');
    const counts = await page.locator('main tbody td:first-child').allTextContents();
    const inPicture = counts.reduce((sum, text) => sum + Number(/^(\d+) devices/.exec(text)?.[1] ?? 1), 0);
    expect(inPicture).toBe(10_000);
    await checkAxe(page);
    await picture(page, 'fleet-map-large');
    expect(faults).toEqual([]);
});

test('averages and alert rates are drawn by site and told by profile', async () => {
    const ui = await openUi(await makeFleetLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/fleet?view=averages');
    await page.locator('.chart canvas').nth(1).waitFor();
    expect(await page.locator('.chart figcaption').first().textContent()).toBe('Average of temperature over a site’s devices, by the hour');
    await page.locator('main tbody tr').first().waitFor();
    expect(await page.locator('main tbody tr').first().textContent()).toContain('made-up');
    await checkAxe(page);
    await picture(page, 'fleet-averages');
    expect(faults).toEqual([]);
});

test('a lake without devices says how to get some', async () => {
    const ui = await openUi(await makeFolder());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/fleet');
    await page.waitForSelector('.empty:has-text("no readings of devices yet")');
    await checkAxe(page);
    await visit(page, ui, '/alerts');
    await page.waitForSelector('.empty:has-text("No alert is like that")');
    await visit(page, ui, '/device?id=nobody');
    await page.waitForSelector('[role=alert]:has-text("The lake knows no device nobody")');
    await checkAxe(page);
    expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
});

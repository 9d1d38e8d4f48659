/** Answers that are asked again: what somebody does with the keyboard goes on, and what was shown stays while nothing answers. */
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openFixture } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { openBrowser, type TestBrowser } from './support/browser.ts';
import { checkAxe, openUi, visit } from './support/ui.ts';

let browser: TestBrowser;
let page: Page;
let directory: string;

beforeAll(async () => {
    directory = join(await makeFolder(), 'lake');
    const flows = [1, 2, 3].map((last) => ({ day: '2026-01-05', src: `10.0.0.${last}`, packets: BigInt(10 * last) }));
    await openFixture(flows, { directory });
    browser = await openBrowser();
});

beforeEach(async () => {
    page = await browser.newPage();
});

afterEach(async () => {
    await page.context().close();
});

const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
const firstRow = () => page.locator('tbody tr').first().textContent();

test('the order of a table is changed by keyboard, and the focus stays where it was', async () => {
    await visit(page, await openUi(directory), '/pairs');
    await page.waitForSelector('tbody tr');
    expect(await firstRow()).toContain('10.0.0.3');
    await page.getByRole('link', { name: /^Packets/ }).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('th[aria-sort=ascending]');
    await page.waitForSelector('tbody tr:first-child:has-text("10.0.0.1")');
    expect(await focused()).toContain('Packets');
    const address = page.url();
    await page.goBack();
    await page.waitForSelector('tbody tr:first-child:has-text("10.0.0.3")');
    await page.goto(address);
    await page.waitForSelector('tbody tr:first-child:has-text("10.0.0.1")');
});

test('where reading is paid for, nothing is read before the page has said what that costs', async () => {
    const asked: string[] = [];
    await page.route('**/pages/about', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), isPaid: true } });
    });
    await page.route(/\/pages\/[\w-]+\/plan/, (route) =>
        route.fulfill({ json: { plan: { bytes: '1540000000', costUsd: 0.0077, unknown: [] } } }),
    );
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await visit(page, await openUi(directory), '/pairs');
    await page.waitForSelector('h2:has-text("Before this is asked")');
    expect(await page.locator('main').textContent()).toMatch(/1\.5 GB at most for it: \$0\.0077/);
    expect(asked).not.toContain('/pages/pairs');
    await checkAxe(page);
    await page.getByRole('button', { name: 'Ask' }).first().click();
    await page.waitForSelector('tbody tr');
    expect(asked).toContain('/pages/pairs');
});

test('a server that ends leaves what was shown, says so, and is asked again', async () => {
    const ui = await openUi(directory);
    await visit(page, ui, '/pairs');
    await page.waitForSelector('tbody tr');
    await ui.close();
    await page.getByRole('link', { name: /^Packets/ }).click();
    await page.waitForSelector('[role=alert]:has-text("No connection")');
    expect(await page.locator('tbody tr').count()).toBeGreaterThan(2);
    await checkAxe(page);
    const again = await openUi(directory, { port: Number(new URL(ui.origin).port) });
    // The session ended with the program: the next one asks for its token by itself, and goes on where it was.
    await page.waitForSelector('h1:has-text("Log in")');
    await page.getByLabel('Token').fill(new URL(again.address).searchParams.get('token') ?? '');
    await page.keyboard.press('Enter');
    await page.waitForSelector('tbody tr');
    expect(new URL(page.url()).pathname).toBe('/pairs');
});

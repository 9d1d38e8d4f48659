/** The frame of the web application in a real browser: getting in, keys, themes, what is shown while and when nothing answers, and what other sites’ pages get. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openFixture } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { openBrowser, type TestBrowser } from './support/browser.ts';
import { checkAxe, type OpenUi, openUi, picture, visit } from './support/ui.ts';

let browser: TestBrowser;
let ui: OpenUi;
let page: Page;
let directory: string;

beforeAll(async () => {
    directory = join(await makeFolder(), 'lake');
    await openFixture([{ day: '2026-01-05', packets: 9007199254740993n }], { directory });
    [ui, browser] = await Promise.all([openUi(directory), openBrowser()]);
});

beforeEach(async () => {
    browser.faults.length = 0;
    page = await browser.newPage();
});

afterEach(async () => {
    await page.context().close();
});

const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');

describe('getting in', () => {
    test('the printed address opens the lake, and leaves no token in the address or the history', async () => {
        await page.goto(ui.address);
        await page.waitForSelector('main#content');
        expect(page.url()).toBe(`${ui.origin}/`);
        expect(await page.evaluate(() => history.length)).toBe(2);
        expect(await page.evaluate(() => document.cookie)).toBe('');
        expect(browser.faults).toEqual([]);
    });

    test('an address without a session asks for the token, and goes on to where it led', async () => {
        await page.goto(`${ui.origin}/about`);
        await page.waitForSelector('h1:has-text("Log in")');
        await checkAxe(page);
        await picture(page, 'log-in');
        await page.getByLabel('Token').fill('wrong');
        await page.keyboard.press('Enter');
        await page.waitForSelector('.fault:has-text("Nobody has this token")');
        await page.getByLabel('Token').fill(new URL(ui.address).searchParams.get('token') ?? '');
        await page.keyboard.press('Enter');
        await page.waitForSelector('h1:has-text("About")');
        await page.getByRole('button', { name: 'Log out' }).click();
        await page.waitForSelector('h1:has-text("Log in")');
    });
});

test('a session ends with its program: at the same port the next start asks for its own token', async () => {
    const ended = await openUi(directory);
    await visit(page, ended, '/about');
    await ended.close();
    const again = await openUi(directory, { port: Number(new URL(ended.origin).port) });
    expect(again.origin).toBe(ended.origin);
    await page.goto(`${again.origin}/about`);
    await page.waitForSelector('h1:has-text("Log in")');
    await page.goto(again.address);
    await page.waitForSelector('main#content');
});

describe('a keyboard alone', () => {
    beforeEach(() => visit(page, ui, '/about'));

    test('gets past the navigation, along it, and to the list of keys', async () => {
        await page.keyboard.press('Tab');
        expect(await focused()).toContain('Skip to the content');
        await page.keyboard.press('Enter');
        expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
        expect(page.url()).toBe(`${ui.origin}/about`);
        await page.keyboard.press('?');
        await page.waitForSelector('dialog[open]');
        await checkAxe(page);
        await picture(page, 'keys');
        await page.keyboard.press('Escape');
        expect(await page.locator('dialog[open]').count()).toBe(0);
    });

    test('goes to a screen by g and its letter, to its beginning; and back again', async () => {
        await page.goto(`${ui.origin}/no-such-page`);
        await page.waitForSelector('h1:has-text("There is no such page")');
        await page.keyboard.press('g');
        await page.keyboard.press('l');
        await page.waitForSelector('h1:has-text("About")');
        // Title and focus follow what is drawn.
        await page.waitForFunction(() => document.activeElement?.id === 'content');
        expect(await page.title()).toBe('About · flowlake');
        expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
        await page.goBack();
        await page.waitForSelector('h1:has-text("There is no such page")');
    });

    test('is not taken by letters where they are switched off', async () => {
        await page.getByRole('button', { name: /^Keys/ }).click();
        await page.getByRole('checkbox').uncheck();
        await page.keyboard.press('Escape');
        await page.keyboard.press('?');
        expect(await page.locator('dialog[open]').count()).toBe(0);
    });
});

describe('a look', () => {
    beforeEach(() => visit(page, ui, '/about'));

    const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

    test('follows the system until somebody chooses another, which stays', async () => {
        const light = await paper();
        await page.emulateMedia({ colorScheme: 'dark' });
        const dark = await paper();
        expect(dark).not.toBe(light);
        await page.getByLabel('Colours').selectOption('Light');
        expect(await paper()).toBe(light);
        await page.reload();
        await page.waitForSelector('h1');
        expect(await paper()).toBe(light);
    });

    test('has nothing that axe finds, in light, dark and on a phone', async () => {
        for (const colorScheme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme });
            await checkAxe(page);
        }
        await page.setViewportSize({ width: 390, height: 844 });
        await checkAxe(page);
        await picture(page, 'about');
    });

    test('on paper is without what only a screen needs', async () => {
        await page.emulateMedia({ media: 'print' });
        expect(await page.getByRole('navigation', { name: 'Screens' }).isVisible()).toBe(false);
        expect(await page.locator('h1').isVisible()).toBe(true);
    });

    test('that a checker objects to is found: axe is not blind', async () => {
        await page.evaluate(() => document.querySelector('main')?.insertAdjacentHTML('beforeend', '<img src="/web/icon.svg">'));
        await expect(checkAxe(page)).rejects.toThrow('image-alt');
    });
});

describe('a server that does not answer', () => {
    test('is waited for, and after a while said to be slow', async () => {
        await page.goto(ui.address);
        await page.waitForSelector('main#content');
        await page.clock.install();
        await page.route('**/pages/about', () => undefined);
        await page.goto(`${ui.origin}/about`);
        await page.clock.runFor(400);
        await page.waitForSelector('[role=status]:has-text("On its way")');
        await page.clock.runFor(9000);
        await page.waitForSelector('[role=status]:has-text("slow")');
        await checkAxe(page);
    });

    test('and cannot be reached is said so, and asked again by itself and by hand', async () => {
        await visit(page, ui, '/about');
        await page.route('**/pages/about', (route) => route.abort());
        await page.reload();
        await page.waitForSelector('[role=alert]:has-text("No connection")');
        await checkAxe(page);
        await picture(page, 'no-connection');
        await page.unroute('**/pages/about');
        await page.getByRole('button', { name: 'Try again' }).click();
        await page.waitForSelector('h1:has-text("About")');
        await page.route('**/pages/about', (route) => route.abort());
        await page.reload();
        await page.waitForSelector('[role=alert]:has-text("No connection")');
        await page.unroute('**/pages/about');
        await page.waitForSelector('h1:has-text("About")');
    });

    test('a screen that cannot be loaded says so and can be asked for again', async () => {
        await page.goto(ui.address);
        await page.waitForSelector('main#content');
        await page.route('**/web/about-*.js', (route) => route.abort());
        await page.goto(`${ui.origin}/about`);
        await page.waitForSelector('[role=alert]:has-text("This screen cannot be loaded")');
        expect(await page.getByRole('navigation', { name: 'Screens' }).isVisible()).toBe(true);
    });
});

describe('the content security policy', () => {
    beforeEach(() => visit(page, ui, '/about'));

    test('lets no markup run that would get into the page, and nothing be loaded from elsewhere', async () => {
        const other = await listen();
        try {
            await page.evaluate((address) => {
                const main = document.querySelector('main');
                main?.insertAdjacentHTML('beforeend', '<img src="x" onerror="document.title = \'taken\'">');
                main?.insertAdjacentHTML('beforeend', `<img src="${address}/image"><iframe src="${address}/frame"></iframe>`);
                const script = document.createElement('script');
                script.textContent = 'document.title = "taken"';
                main?.append(script);
                const foreign = document.createElement('script');
                foreign.src = `${address}/script.js`;
                main?.append(foreign);
                return fetch(`${address}/told`, { mode: 'no-cors' }).catch(() => undefined);
            }, other.address);
            await page.waitForTimeout(300);
            expect(await page.title()).toBe('About · flowlake');
            expect(other.asked).toEqual([]);
            expect(browser.faults.filter((fault) => fault.includes('Content Security Policy')).length).toBeGreaterThan(3);
        } finally {
            other.close();
        }
    });
});

describe('a page of another site', () => {
    // On another port of the same address the cookie comes along: cookies do not tell ports apart.
    test.each(['localhost', '127.0.0.1'])(
        'in the same browser, at %s, gets nothing of the lake, and cannot show it in a frame',
        async (host) => {
            await visit(page, ui, '/about');
            const other = await listen(host);
            try {
                const stranger = await page.context().newPage();
                await stranger.goto(`${other.address}/`);
                const got = await stranger.evaluate(async (origin) => {
                    const ask = (mode: RequestMode) =>
                        fetch(`${origin}/pages/about`, { mode, credentials: 'include' }).then(
                            async (response) => [response.type, response.status, await response.text()],
                            () => ['refused'],
                        );
                    const frame = document.createElement('iframe');
                    frame.src = `${origin}/about`;
                    document.body.append(frame);
                    await new Promise((resolve) => frame.addEventListener('load', resolve));
                    const script = document.createElement('script');
                    script.src = `${origin}/pages/about`;
                    const loaded = new Promise((resolve) => {
                        script.addEventListener('load', () => resolve('loaded'));
                        script.addEventListener('error', () => resolve('refused'));
                    });
                    document.body.append(script);
                    return { cors: await ask('cors'), blind: await ask('no-cors'), script: await loaded };
                }, ui.origin);
                expect(got).toEqual({ cors: ['refused'], blind: ['refused'], script: 'refused' });
                const framed = stranger.frames().find((frame) => frame !== stranger.mainFrame());
                for (let wait = 0; framed?.url() === '' && wait < 50; wait += 1) {
                    await stranger.waitForTimeout(100);
                }
                expect(framed?.url()).toBe('chrome-error://chromewebdata/');
            } finally {
                other.close();
            }
        },
    );

    test('whose name leads to this machine (DNS rebinding) gets nothing', async () => {
        const rebound = await openBrowser({ flags: ['--host-resolver-rules=MAP rebound.example 127.0.0.1'] });
        const stranger = await rebound.newPage();
        const { port } = new URL(ui.origin);
        const response = await stranger.goto(`http://rebound.example:${port}/`);
        expect(response?.status()).toBe(421);
        expect(await stranger.evaluate(() => fetch('/pages/about').then(({ status }) => status))).toBe(421);
    });
});

/** A site that answers anything with an empty page, and notes what it was asked for. */
async function listen(host = 'localhost'): Promise<{ address: string; asked: string[]; close(): void }> {
    const asked: string[] = [];
    const server = createServer(({ url = '' }, response) => {
        if (url !== '/' && url !== '/favicon.ico') {
            asked.push(url);
        }
        response.setHeader('content-type', 'text/html').end('<!doctype html><title>another site</title>');
    });
    await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
    });
    return {
        address: `http://${host}:${(server.address() as AddressInfo).port}`,
        asked,
        close: () => {
            server.closeAllConnections();
            server.close();
        },
    };
}

/** `flowlake ui` over a lake, as its user starts it, and what tests look at in its pages. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from '@jest/globals';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { startFlowlake } from '#test/support/flowlake';

/** Pictures are kept here to be looked at; git does not know the folder. */
const PICTURES = fileURLToPath(new URL('../../../dist-pictures/', import.meta.url));

export interface OpenUi {
    /** The address with its token, as it was printed. */
    address: string;
    /** Where it listens, without a slash at the end. */
    origin: string;
    close(): Promise<void>;
}

const open: OpenUi[] = [];

afterAll(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
});

/** Starts `flowlake ui` for the lake, a directory or `s3://bucket`; it ends with the test file. */
export async function openUi(
    lake: string,
    { environment = {}, port = 0 }: { environment?: Record<string, string>; port?: number } = {},
): Promise<OpenUi> {
    const child = startFlowlake(['--lake', lake, 'ui', '--port', String(port)], { folder: '/', environment });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
    });
    const address = await new Promise<string>((resolve, reject) => {
        let printed = '';
        child.stdout?.setEncoding('utf8').on('data', (text: string) => {
            printed += text;
            if (printed.includes('\n')) {
                resolve(printed.trim());
            }
        });
        void ended.then((code) => reject(new Error(`flowlake ui ended with ${code}: ${said}`)));
    });
    const ui: OpenUi = {
        address,
        origin: new URL(address).origin,
        async close() {
            child.kill('SIGINT');
            await ended;
        },
    };
    open.push(ui);
    return ui;
}

/** Logs the page in by the printed address, and goes to `path` of the application. */
export async function visit(page: Page, { address, origin }: OpenUi, path: string): Promise<void> {
    await page.goto(address);
    await page.waitForSelector('main#content');
    await page.goto(`${origin}${path}`);
    await page.waitForSelector('main#content h1');
}

/** Fails for anything that axe finds, of WCAG 2.2 AA and of good practice. */
export async function checkAxe(page: Page): Promise<void> {
    // Evaluated by the debugger, which the page's content security policy does not bind.
    await page.evaluate(axe.source);
    const violations = await page.evaluate(async () => {
        const { axe: loaded } = globalThis as unknown as { axe: { run: typeof axe.run } };
        const result = await loaded.run();
        return result.violations.map(({ id, help, nodes }) => ({
            id,
            help,
            nodes: nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
        }));
    });
    expect(violations).toEqual([]);
}

const LOOKS = {
    light: { colorScheme: 'light', width: 1280 },
    dark: { colorScheme: 'dark', width: 1280 },
    phone: { colorScheme: 'light', width: 390 },
} as const;

/** Keeps pictures of the page in light, dark and phone width as `dist-pictures/NAME-light.png` and so on, and leaves it in light. Nothing may stick out at the side of a phone. */
export async function picture(page: Page, name: string): Promise<void> {
    for (const [look, { colorScheme, width }] of Object.entries(LOOKS)) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
        await page.waitForTimeout(150);
        const path = join(PICTURES, `${name}-${look}.png`);
        await mkdir(dirname(path), { recursive: true });
        await page.screenshot({ path, fullPage: true });
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 900 });
}

/** The pages of a served lake in a real browser: over TLS, by the readers' token, with what happens as it happens. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { openBrowser, type TestBrowser } from './support/browser.ts';
import { checkAxe } from './support/ui.ts';

let browser: TestBrowser;
let serve: ChildProcess;
let ended: Promise<void>;
let origin: string;
let token: string;

beforeAll(async () => {
    const lake = join(await makeFolder(), 'lake');
    serve = startFlowlake(['--lake', lake, 'serve', '--https', '--http-port', '0', '--mqtt-port', '0'], { folder: '/' });
    ended = new Promise((resolve) => serve.once('close', () => resolve()));
    const said = await new Promise<string>((resolve, reject) => {
        let text = '';
        serve.stderr?.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
            if (text.includes('Ctrl-C ends it')) {
                resolve(text);
            }
        });
        void ended.then(() => reject(new Error(text)));
    });
    [, origin = ''] = /HTTP +(https:\/\/\S+)/.exec(said) ?? [];
    [, token = ''] = /Token of readers: (\S+)/.exec(said) ?? [];
    browser = await openBrowser();
});

afterAll(async () => {
    serve.kill('SIGINT');
    await ended;
});

test('the readers’ token opens a session for the pages and for what happens, and no other site sends its cookie', async () => {
    const page = await browser.newPage({ isCertificateTrusted: true });
    await page.goto(`${origin}/about`);
    await page.waitForSelector('h1:has-text("Log in")');
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.waitForSelector('td:has-text("is shown as it happens")');
    await checkAxe(page);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
    expect(cookie?.name).toMatch(/^__Host-/);
    const first = await page.evaluate(
        () =>
            new Promise((resolve, reject) => {
                const events = new EventSource('/v1/live');
                events.addEventListener('ready', ({ data }) => {
                    events.close();
                    resolve(data);
                });
                events.addEventListener('error', () => reject(new Error('no events')));
            }),
    );
    expect(first).toBe('{"kind":"ready"}');
    expect(browser.faults).toEqual([expect.stringContaining('401')]);
});

/** The screen of questions in a real browser. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openBucketLakeFixture } from '#test/support/bucket-lake-fixture';
import { openFixture } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { openBrowser } from './support/browser.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

/** Three months of two pairs; one day is missing, and one figure is above 2^53. */
async function openLake(): Promise<string> {
    const directory = join(await makeFolder(), 'lake');
    const days = Array.from({ length: 90 }, (_, at) => new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10)).filter(
        (day) => day !== '2026-02-10',
    );
    const flows = days.flatMap((day, at) => [
        { day, site: 'berlin', src: '10.0.0.1', dst: '10.0.0.2', packets: BigInt(1000 + ((at * 37) % 400)) },
        { day, site: 'osaka', src: '10.1.0.7', dst: '10.1.0.9', packets: BigInt(400 + ((at * 53) % 300)) },
    ]);
    await openFixture([...flows, { day: '2026-04-01', site: 'lisbon', src: '=cmd|x', dst: '<b>bold</b>', packets: 9007199254740993n }], {
        directory,
    });
    return directory;
}

const editor = (page: Page) => page.locator('.ask-editor .cm-content');

async function write(page: Page, sql: string): Promise<void> {
    await editor(page).click();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.insertText(sql);
}

async function downloaded(page: Page, name: string): Promise<string> {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
    return readFile(await file.path(), 'utf8');
}

test('a question is typed, completed, run by keyboard, and stands in the address', async () => {
    const ui = await openUi(await openLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/ask');
    await editor(page).click();
    await page.keyboard.type('select site, sum(fwd_pkts_sum) as packets from pair_d');
    await page.locator('.cm-tooltip-autocomplete li', { hasText: 'pair_days' }).first().waitFor();
    await page.waitForTimeout(150);
    await page.keyboard.press('Enter');
    await page.keyboard.type(' group by si');
    await page.locator('.cm-tooltip-autocomplete li', { hasText: 'site' }).first().waitFor();
    await picture(page, 'ask-completion');
    await editor(page).click();
    await write(page, 'select site, sum(fwd_pkts_sum) as packets from pair_days group by site order by site');
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.waitForSelector('section[aria-label="Answer"] td');
    const cells = await page
        .locator('section[aria-label="Answer"] td data')
        .evaluateAll((found) => found.map((one) => (one as HTMLDataElement).value));
    expect(cells[1]).toBe('9007199254740993');
    expect(new URL(page.url()).searchParams.get('sql')).toBe(
        'select site, sum(fwd_pkts_sum) as packets from pair_days group by site order by site',
    );
    await checkAxe(page);
    expect(faults).toEqual([]);
});

test('an address opens its question, and does not run it before somebody says so', async () => {
    const ui = await openUi(await openLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await visit(page, ui, `/ask?${new URLSearchParams({ sql: 'select count(*) as n from pair_days', rows: '100' })}`);
    await page.waitForSelector('.ask-editor .cm-line');
    await page.waitForTimeout(700);
    expect(await editor(page).textContent()).toBe('select count(*) as n from pair_days');
    expect(await page.locator('.note').textContent()).toContain('came with the address');
    expect(asked).not.toContain('/pages/ask');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.waitForSelector('section[aria-label="Answer"] td');
    expect(await page.locator('section[aria-label="Answer"] td').textContent()).toBe('179');
    expect(asked.filter((path) => path === '/pages/ask')).toHaveLength(1);
    expect(await page.locator('.note').count()).toBe(0);
    expect(await page.locator('#ask-rows').inputValue()).toBe('100');
    expect(faults).toEqual([]);
});

test('a saved question has a form, a table and a plot; its address shows its answer again', async () => {
    const ui = await openUi(await openLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/ask');
    await page.getByRole('link', { name: 'pair_report', exact: true }).click();
    await page.getByLabel('source address').fill('10.0.0.1');
    await page.getByLabel('destination address').fill('10.0.0.2');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.chart canvas');
    await page.getByLabel('Figure').selectOption('fwd_pkts_sum');
    await page.waitForTimeout(200);
    await checkAxe(page);
    await picture(page, 'ask-saved');
    // The day without a file is a gap, and none of the rows.
    await page.getByText('Table of these values').click();
    const gap = page.locator('.values tr', { hasText: '2026-02-10' });
    expect(await gap.textContent()).toMatch(/none$/);
    const address = page.url();
    expect(new URL(address).searchParams.get('y')).toBe('fwd_pkts_sum');
    await page.goto(`${ui.origin}/ask`);
    await page.goto(address);
    await page.waitForSelector('.chart canvas');
    expect(await page.getByLabel('source address').inputValue()).toBe('10.0.0.1');
    expect(await page.getByLabel('Figure').inputValue()).toBe('fwd_pkts_sum');
    expect(faults).toEqual([]);
});

test('files have every digit, and no text of them is a formula or markup', async () => {
    const ui = await openUi(await openLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/ask');
    await write(
        page,
        "select src_ip, dst_ip, fwd_pkts_sum, -1.5::double as share, '-7' as seven, '@x' as \"+at\" from pair_days where site = 'lisbon'",
    );
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.waitForSelector('section[aria-label="Answer"] td');
    expect(await page.locator('section[aria-label="Answer"] td').nth(1).textContent()).toBe('<b>bold</b>');
    expect(await page.locator('section[aria-label="Answer"] b').count()).toBe(0);
    expect(await downloaded(page, 'CSV')).toBe(
        "src_ip,dst_ip,fwd_pkts_sum,share,seven,'+at\n'=cmd|x,<b>bold</b>,9007199254740993,-1.5,-7,'@x\n",
    );
    expect(await downloaded(page, 'JSON')).toBe(
        '[\n{"src_ip":"=cmd|x","dst_ip":"<b>bold</b>","fwd_pkts_sum":9007199254740993,"share":-1.5,"seven":"-7","+at":"@x"}\n]\n',
    );
    expect(faults).toEqual([]);
});

test('what is wrong is shown with its place, and what is only on its way can be stopped', async () => {
    const ui = await openUi(await openLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/ask');
    await write(page, 'select nonsense from pair_days');
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.waitForSelector('.ask-failed');
    expect(await page.locator('.ask-failed pre').textContent()).toMatch(/"nonsense" not found[\s\S]*LINE 1[\s\S]*\^/);
    await checkAxe(page);
    await picture(page, 'ask-refused');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Run');
    await write(page, 'drop view pair_days');
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.getByText('Only statements that read are answered').waitFor();
    await write(page, 'select count(*) from range(100000000000) as a, range(1000) as b');
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('What ran of it was given up').waitFor();
    await write(page, 'select 41 + 1 as answer');
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.waitForSelector('section[aria-label="Answer"] td');
    expect(await page.locator('section[aria-label="Answer"] td').textContent()).toBe('42');
    expect(await page.getByText('The question was changed since').count()).toBe(0);
    await write(page, 'select 41');
    await page.getByText('The question was changed since').waitFor();
    // The browser itself says that answers were 400.
    expect(faults.filter((fault) => !fault.includes('400 (Bad Request)'))).toEqual([]);
});

test('what was asked is remembered in this browser, leads back to its question, and can be forgotten', async () => {
    const ui = await openUi(await openLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/ask');
    for (const sql of ['select 1 as one', 'select 2 as two', 'select 1 as one']) {
        await write(page, sql);
        await page.keyboard.press('ControlOrMeta+Enter');
        await page.waitForSelector(`section[aria-label="Answer"] th:has-text("${sql.slice(-3)}")`);
    }
    await page.getByText('Asked before (2)').click();
    await page.getByRole('link', { name: 'select 2 as two' }).click();
    await page.waitForFunction(
        () => document.querySelector('.ask-editor')?.shadowRoot?.querySelector('.cm-content')?.textContent === 'select 2 as two',
    );
    expect(await page.locator('section[aria-label="Answer"]').count()).toBe(0);
    await page.getByRole('button', { name: 'Forget: select 1 as one' }).click();
    await page.getByText('Asked before (1)').waitFor();
    await page.reload();
    await page.getByText('Asked before (1)').click();
    await page.getByRole('button', { name: 'Forget all' }).click();
    await page.getByText('Asked before (0)').waitFor();
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain('select');
    expect(faults).toEqual([]);
});

test('on Athena it is said what a question will scan before, and what it did and cost after', async () => {
    const { environment, athena, store } = await openBucketLakeFixture([{ day: '2026-01-05' }], { scannedBytes: 3_000_000_000 });
    await store.put('pair_days/day=2026-01-06/part-00.parquet', new Uint8Array(50_000_000));
    const ui = await openUi('s3://lake', { environment: { ...environment, XDG_CACHE_HOME: await makeFolder() } });
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, `/ask?${new URLSearchParams({ sql: 'select count(*) as n from sources' })}`);
    await page.getByText('It will scan 0 bytes at most').waitFor();
    await write(page, 'select site from pair_days');
    await page.getByText('It will scan 50 MB at most: $0.0002 by Athena’s list price').waitFor();
    expect(athena.queries()).toEqual([]);
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.getByText('more than the 1.1 GB').waitFor();
    await page.getByLabel('Stop at').selectOption('10 GB scanned');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('3 GB scanned: $0.0136').waitFor();
    await checkAxe(page);
    await picture(page, 'ask-paid');
    await write(page, 'select * from elsewhere');
    await page.getByText('not known: elsewhere is none of the lake’s tables and views').waitFor();
    await page.getByRole('link', { name: 'busiest_days', exact: true }).click();
    await page.getByLabel('number of rows').fill('5');
    await page.getByText('It will scan 50 MB at most').waitFor();
    const before = athena.queries().length;
    await page.goto(`${ui.origin}/ask?${new URLSearchParams({ question: 'busiest_days', values: '["","","","5"]' })}`);
    await page.getByText('It will scan 50 MB at most').waitFor();
    // What is paid for is never asked by an address alone.
    expect(athena.queries()).toHaveLength(before);
    expect(faults.filter((fault) => !fault.includes('400 (Bad Request)'))).toEqual([]);
});

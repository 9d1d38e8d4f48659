/** Quality in a real browser: sources, one source with its rejects and versions, and strings that would be markup. */
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { newMessage } from '#test/support/chain-messages';
import { openFixture, putRejects, putSource } from '#test/support/lake-fixture';
import { newLake, serveLake } from '#test/support/served-lake';
import { makeFolder } from '#test/support/temporary';
import { openBrowser } from './support/browser.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

const ODD = 'raw/site=berlin/<b>odd & "co".csv';
const MARKUP = '<img src=x onerror=alert(1)>,10.0.0.2,=cmd(),5';

async function makeLake(): Promise<string> {
    const { directory } = await openFixture([{ day: '2026-01-05' }]);
    const common = { version: '1-a', options: {}, size_bytes: 5_000_000, rows_rejected: 0 };
    for (let at = 0; at < 60; at += 1) {
        await putSource(directory, { ...common, source: `raw/site=osaka/day-${String(at).padStart(2, '0')}.csv`, site: 'osaka' });
    }
    await putSource(directory, {
        ...common,
        source: ODD,
        site: 'berlin',
        rows_rejected: 120,
        rejected: 'nan 60, negative 60',
        rows_kept: 9_007_199_254_740_991,
    });
    const rejects = Array.from({ length: 120 }, (_, at) => ({
        line_number: at + 2,
        reason: at % 2 === 0 ? 'nan' : 'negative',
        line: `${at} ${MARKUP}`,
    }));
    await putRejects(directory, { source: ODD, version: '1-a' }, rejects);
    await putSource(directory, {
        ...common,
        source: 'raw/broken.csv',
        state: 'failed',
        rows_read: 0,
        rows_kept: 0,
        dialect: null,
        duration_unit: null,
        error: 'no usable header: <script>alert(1)</script>',
    });
    return directory;
}

async function settle(page: Page): Promise<void> {
    await page.waitForFunction(() => document.querySelectorAll('[aria-busy=true], p.waiting').length === 0);
}

test('sources are narrowed, sorted and paged by addresses, and what failed says why and what to type', async () => {
    const ui = await openUi(await makeLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/quality');
    await settle(page);
    expect(await page.locator('.pages').textContent()).toMatch(/1 to 50 of 62/);
    await page.getByRole('link', { name: 'Next ›' }).click();
    await page.waitForURL('**/quality?page=2');
    await page.waitForFunction(() => document.querySelector('.pages')?.textContent?.includes('51 to 62 of 62'));
    // The keyboard alone: to the search, and it stays there while the list is asked for anew.
    await page.keyboard.press('/');
    await page.keyboard.type('ODD', { delay: 20 });
    await page.waitForURL('**/quality?name=ODD');
    await page.waitForFunction(() => document.querySelector('.pages')?.textContent?.includes('1 to 1 of 1'));
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('filter-name');
    await page.goto(`${ui.origin}/quality`);
    await settle(page);
    await page.getByRole('link', { name: /^failed/ }).click();
    await page.waitForURL('**/quality?state=failed');
    await page.waitForFunction(() => document.querySelectorAll('.source-cell').length === 1);
    expect(await page.locator('.source-cell').textContent()).toMatch(
        /raw\/broken\.csv\s*no usable header: <script>alert\(1\)<\/script>\s*flowlake query .*upload them corrected with --replace/s,
    );
    await page.goto(`${ui.origin}/quality?look=rejects`);
    await settle(page);
    expect(await page.locator('.source-cell').allTextContents()).toEqual([expect.stringContaining(ODD)]);
    expect(await page.locator('td data[value="9007199254740991"]').count()).toBe(2);
    await page.goto(`${ui.origin}/quality`);
    await settle(page);
    await checkAxe(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await checkAxe(page);
    await picture(page, 'quality');
    expect(faults).toEqual([]);
});

test('a source shows its rejects line by line, by reason and page, and no line becomes markup', async () => {
    const ui = await openUi(await makeLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, `/quality?${new URLSearchParams({ source: ODD })}`);
    await settle(page);
    expect(await page.locator('h1').textContent()).toBe(ODD);
    expect(await page.locator('code.line').first().textContent()).toBe(`0 ${MARKUP}`);
    expect(await page.locator('main img, main b, main script').count()).toBe(0);
    await page.locator('.reasons a', { hasText: 'negative' }).click();
    await page.waitForFunction(() => document.querySelector('code.line')?.textContent?.startsWith('1 '));
    await page.getByRole('link', { name: 'Next ›' }).click();
    await page.waitForFunction(() => document.querySelectorAll('code.line').length === 10);
    expect(new URL(page.url()).searchParams.get('reason')).toBe('negative');
    expect(await page.locator('.facts').textContent()).toMatch(/Unit of durations\s*us \(the format says so\)/);
    await checkAxe(page);
    await picture(page, 'quality-source');
    expect(faults).toEqual([]);
});

test('an empty lake has no sources and says so; a served one shows how far its chain reaches', async () => {
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, await openUi(await makeFolder()), '/quality');
    await settle(page);
    expect(await page.locator('main').textContent()).toMatch(/This lake has no sources yet/);
    await checkAxe(page);
    const directory = await newLake();
    const { inbox, sealer, close } = await serveLake(directory);
    await Promise.all([1, 2, 3].map((n) => inbox.append(newMessage(n))));
    await sealer.sealNow();
    await close();
    const other = await newPage();
    await visit(other, await openUi(directory), '/quality');
    await settle(other);
    const chain = other
        .locator('section', { has: other.locator('#chains') })
        .locator('tbody tr')
        .first();
    expect(await chain.textContent()).toMatch(/message 3\s*arrived 2026-01-05 10:00:03/);
    await checkAxe(other);
    expect(faults).toEqual([]);
});

/** Pairs in a real browser: search, order, pages, also of a million; and what stands there where there is nothing. */
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openDuckDb } from '#lake/query/duckdb';
import { dayAfter, type Flow, openFixture, rowsOf } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { uploadFlows } from '#test/support/uploaded-lake';
import { openBrowser } from './support/browser.ts';
import { writeManyPairs } from './support/million-pairs.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

/** 2^53 + 1, which no double is. */
const LARGE = 9_007_199_254_740_993n;

const MARKUP = '<img src=x onerror=alert(1)>';

const flows: Flow[] = [
    ...Array.from({ length: 120 }, (_, at) => ({
        day: dayAfter(at % 3),
        site: 'berlin',
        src: `10.1.${at >> 3}.${at & 7}`,
        dst: '10.2.0.1',
        packets: BigInt(at),
    })),
    { day: dayAfter(0), site: 'osaka', src: '2001:db8::1', dst: '2001:db8:1::1', packets: LARGE, duration: LARGE },
    { day: dayAfter(1), site: MARKUP, src: `fe80::1%${MARKUP}`, dst: '10.9.9.9', packets: 3n },
];

/** The texts of a column, from the top. */
async function column(page: Page, at: number): Promise<string[]> {
    return page.locator(`main tbody tr td:nth-child(${at})`).allInnerTexts();
}

const PAIR_COLUMN = 2;
const PACKETS_COLUMN = 3;

async function openPairs(directory: string, path: string): Promise<{ page: Page; faults: string[] }> {
    const ui = await openUi(directory);
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, path);
    return { page, faults };
}

/** The bare digits of figures: without the spaces between them. */
function digits(texts: readonly string[]): string[] {
    return texts.map((text) => text.replace(/\D/g, ''));
}

test('finds by address, beginning and network, sorts and pages by addresses that open the same again', async () => {
    const directory = join(await makeFolder(), 'lake');
    const { askQuery } = await openFixture(flows, { directory });
    const { page, faults } = await openPairs(directory, '/pairs');
    await page.waitForSelector('text=122 pairs');
    const all = await askQuery('top_pairs', [null, null, null, 'packets', 200n]);
    expect(digits(await column(page, PACKETS_COLUMN))).toEqual(all.slice(0, 50).map(({ fwd_pkts_sum }) => String(fwd_pkts_sum)));
    expect(await page.locator(`data[value="${LARGE}"]`).count()).toBeGreaterThan(0);
    await checkAxe(page);
    await page.click('text=Next ›');
    await page.waitForSelector('text=51 to 100');
    await page.click('text=Next ›');
    await page.waitForSelector('text=101 to 122');
    const last = await column(page, PAIR_COLUMN);
    await page.reload();
    await page.waitForSelector('main tbody tr');
    expect(await column(page, PAIR_COLUMN)).toEqual(last);
    await page.click('text=‹ Previous');
    await page.waitForFunction((before) => document.querySelector('main tbody td:nth-child(2)')?.textContent !== before, last[0]);
    expect(digits(await column(page, PACKETS_COLUMN))).toEqual(all.slice(50, 100).map(({ fwd_pkts_sum }) => String(fwd_pkts_sum)));

    await page.fill('#filter-find', '10.1.1.0/30');
    await page.waitForSelector('text=Source or destination in 10.1.1.0/30');
    expect(await page.locator('main tbody tr').count()).toBe(4);
    expect(new URL(page.url()).searchParams.get('find')).toBe('10.1.1.0/30');
    expect(new URL(page.url()).searchParams.get('after')).toBeNull();
    await page.selectOption('label:has-text("At which end") select', 'dst');
    await page.waitForSelector('text=No such pair');
    await page.fill('#filter-find', '10.1.1.0/99');
    await page.waitForSelector('text="99" behind the slash is no length of a network: 0 to 32');
    expect(faults.filter((fault) => !fault.includes('400'))).toEqual([]);
});

test('names out of files never become markup', async () => {
    const directory = join(await makeFolder(), 'lake');
    await openFixture(flows, { directory });
    const { page, faults } = await openPairs(directory, '/pairs?sort=name');
    await page.waitForSelector('main tbody tr');
    expect(await page.locator('img').count()).toBe(await page.locator('.brand img').count());
    expect((await column(page, 1))[0]).toBe(MARKUP);
    await page.click(`td a.pair-link:has-text("fe80::1%")`);
    await page.waitForSelector('h1:has-text("fe80::1%")');
    await page.waitForSelector('#verdict');
    expect(await page.locator('main img').count()).toBe(0);
    expect(faults).toEqual([]);
});

test('a keyboard alone searches and opens a pair', async () => {
    const directory = join(await makeFolder(), 'lake');
    await openFixture(flows, { directory });
    const { page, faults } = await openPairs(directory, '/about');
    await page.keyboard.press('g');
    await page.keyboard.press('p');
    await page.waitForSelector('text=122 pairs');
    await page.keyboard.press('/');
    await page.keyboard.type('2001:db8:1::/48');
    await page.waitForSelector('text=in 2001:db8:1::/48');
    for (let presses = 0; presses < 40; presses += 1) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(() => document.activeElement?.classList.contains('pair-link'))) {
            break;
        }
    }
    await page.keyboard.press('Enter');
    await page.waitForSelector('h1:has-text("2001:db8::1")');
    expect(faults).toEqual([]);
});

test('an empty lake, days without flows, and a search without a result say three things', async () => {
    const { page } = await openPairs(await makeFolder(), '/pairs');
    await page.waitForSelector('text=This lake has no flows yet');
    await checkAxe(page);
    const directory = await uploadFlows([{ name: 'a.csv', rows: [{}] }]);
    const ui = await openUi(directory);
    await visit(page, ui, '/pairs?from=2027-01-01');
    await page.waitForSelector('text=No flows on these days');
    await visit(page, ui, '/pairs?find=10.9.');
    await page.waitForSelector('text=No such pair');
    await checkAxe(page);
});

test('a million pairs: the first page, the next ones, and a network', async () => {
    const directory = join(await makeFolder(), 'lake');
    await writeManyPairs(directory, { day: '2026-01-05', pairs: 1_000_000 });
    const { page, faults } = await openPairs(directory, '/pairs');
    await page.waitForSelector('text=1 to 50', { timeout: 60_000 });
    expect(((await page.textContent('.found')) ?? '').replace(/\s/g, '')).toContain('1000000pairs');
    const engine = await openDuckDb({ directory });
    const rows = await rowsOf(engine, 'select fwd_pkts_sum from pair_days order by fwd_pkts_sum desc, site, src_ip, dst_ip limit 600');
    await engine.close();
    const wanted = rows.map(({ fwd_pkts_sum }) => String(fwd_pkts_sum));
    for (let first = 0; first < 600; first += 50) {
        await page.waitForSelector(`text="${first + 1} to ${first + 50}"`, { timeout: 60_000 });
        expect(digits(await column(page, PACKETS_COLUMN))).toEqual(wanted.slice(first, first + 50));
        await page.click('text=Next ›');
    }
    await page.waitForSelector('text="601 to 650"');
    for (let first = 551; first > 400; first -= 50) {
        await page.click('text=‹ Previous');
        await page.waitForSelector(`text="${first} to ${first + 49}"`);
    }
    expect(digits(await column(page, PACKETS_COLUMN))).toEqual(wanted.slice(400, 450));
    await page.fill('#filter-find', '10.0.1.0/24');
    await page.waitForSelector('text=in 10.0.1.0/24', { timeout: 60_000 });
    expect(await page.locator('main tbody tr').count()).toBe(50);
    await picture(page, 'pairs-million');
    expect(faults).toEqual([]);
}, 240_000);

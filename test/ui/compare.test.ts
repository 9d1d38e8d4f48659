/** Two periods in a real browser. */
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { registerDevice } from '#lake/devices';
import { openDirectoryStore } from '#lake/store/directory';
import type { FlowRow } from '#test/support/flow-csv';
import { makeFolder } from '#test/support/temporary';
import { type UploadedFile, uploadFlows } from '#test/support/uploaded-lake';
import { openBrowser } from './support/browser.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

/** 2^53 + 1, which no double is. */
const LARGE = 9_007_199_254_740_993n;

/** Two weeks from Monday the 2nd of March on. */
function row(day: number, src: string, dst: string, packets: bigint | number): FlowRow {
    return { timestamp: `${String(day).padStart(2, '0')}/03/2026`, src, dst, packets: String(packets) };
}

const files: readonly UploadedFile[] = [
    {
        name: 'berlin.csv',
        site: 'berlin',
        rows: [
            row(3, '10.1.0.1', '10.2.0.1', LARGE),
            row(10, '10.1.0.1', '10.2.0.1', LARGE + 2n),
            row(4, '10.1.0.2', '10.9.9.9', 50),
            row(15, '10.1.0.3', '10.9.9.9', 70),
        ],
    },
    { name: 'osaka.csv', site: 'osaka', rows: [row(5, '10.2.0.1', '10.1.0.1', 40), row(12, '10.2.0.1', '10.1.0.1', 10)] },
];

async function openCompare(directory: string, path: string): Promise<{ page: Page; faults: string[]; go(path: string): Promise<void> }> {
    const ui = await openUi(directory);
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, path);
    return { page, faults, go: (other) => visit(page, ui, other) };
}

/** Each row as `word name`, from the top. */
async function changes(page: Page): Promise<string[]> {
    const texts = await page.locator('section[aria-labelledby=changed] tbody tr').allInnerTexts();
    return texts.map((text) => text.replace(/[+×▲▼=]\s*/, '').replace(/\s+/g, ' '));
}

test('the last week against the one before, by pair, with totals that add up digit by digit', async () => {
    const { page, faults } = await openCompare(await uploadFlows(files), '/compare');
    await page.waitForSelector('section[aria-labelledby=changed] tbody tr');
    const found = await changes(page);
    expect(found.map((text) => text.split(' ').slice(0, 3).join(' '))).toEqual([
        'New berlin 10.1.0.3',
        'Gone berlin 10.1.0.2',
        'Shrunk osaka 10.2.0.1',
        'Grown berlin 10.1.0.1',
    ]);
    const totals = await page.locator('tr:has-text("All") data').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('value')));
    expect(totals).toEqual(['4', String(LARGE + 90n), String(LARGE + 82n), '-8']);
    await page.waitForSelector('text=flows of 3 of 7 days');
    await checkAxe(page);
    await picture(page, 'compare-large');
    await page.click('section[aria-labelledby=changed] a:has-text("Gone")');
    await page.waitForFunction(() => document.querySelectorAll('section[aria-labelledby=changed] tbody tr').length === 1);
    expect(new URL(page.url()).searchParams.get('change')).toBe('gone');
    await page.reload();
    await page.waitForSelector('section[aria-labelledby=changed] tbody tr');
    expect(await changes(page)).toHaveLength(1);
    expect(faults).toEqual([]);
});

test('by device and by site, of another measure', async () => {
    const { page, faults, go } = await openCompare(await uploadFlows(files), '/compare?by=device&measure=flows');
    await page.waitForSelector('section[aria-labelledby=changed] tbody tr');
    expect((await changes(page)).some((text) => text.startsWith('Same osaka 10.1.0.1'))).toBe(true);
    await go('/compare?by=site');
    await page.waitForSelector('section[aria-labelledby=changed] tbody tr');
    expect((await changes(page)).map((text) => text.split(' ')[1])).toEqual(['osaka', 'berlin']);
    expect(faults).toEqual([]);
});

test('from site to site where the registry knows the addresses, else it is said that nobody knows', async () => {
    const directory = await uploadFlows(files);
    const { page, go, faults } = await openCompare(directory, '/compare');
    await page.waitForSelector('text=No address of these flows is registered');
    const store = openDirectoryStore(directory);
    await registerDevice(store, { device: 'a', profile: 'p', site: 'berlin', ip: '10.1.0.1' }, { today: '2026-03-01' });
    await registerDevice(store, { device: 'b', profile: 'p', site: 'osaka', ip: '10.2.0.1' }, { today: '2026-03-01' });
    await go('/compare');
    await page.waitForSelector('table.matrix');
    const cell = page.locator('table.matrix tbody tr:has(th:text("berlin")) td >> nth=1');
    expect(await cell.locator('data').getAttribute('value')).toBe(String(LARGE + 2n));
    await checkAxe(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await checkAxe(page);
    await picture(page, 'compare-matrix');
    expect(faults).toEqual([]);
});

test('an empty lake, and periods without flows, say two things', async () => {
    const { page } = await openCompare(await makeFolder(), '/compare');
    await page.waitForSelector('text=This lake has no flows yet');
    const ui = await openUi(await uploadFlows(files));
    await visit(page, ui, '/compare?from=2030-01-08&to=2030-01-14&before_from=2030-01-01&before_to=2030-01-07');
    await page.waitForSelector('text=No flows in either period');
    await visit(page, ui, '/compare?from=2026-03-09&to=2026-03-02');
    await page.waitForSelector('text=ends before it begins');
});

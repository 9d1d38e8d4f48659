/** One pair in a real browser: is its Tuesday odd, where does a figure come from, and what is not there. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { registerDevice } from '#lake/devices';
import { openDirectoryStore } from '#lake/store/directory';
import { dayAfter, type Flow, openFixture, type Row } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { uploadFlows } from '#test/support/uploaded-lake';
import { openBrowser } from './support/browser.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

/** 2^53 + 1, which no double is. */
const LARGE = 9_007_199_254_740_993n;
const [SRC, DST] = ['10.0.0.7', '10.0.0.1'];
const PAIR = `/pair?src=${SRC}&dst=${DST}&site=berlin`;

/** Five weeks from a Monday on. The Tuesday of the fourth is far above what is usual; of the Wednesday before it there is no file of berlin. */
const ODD = 22;
const MISSING = 16;
const flows: Flow[] = Array.from({ length: 35 }, (_, at) => at)
    .filter((at) => at !== MISSING)
    .flatMap((at): Flow[] => [
        {
            day: dayAfter(at),
            site: 'berlin',
            src: SRC,
            dst: DST,
            packets: at === ODD ? 10n * LARGE : LARGE + BigInt(at * 7),
            duration: LARGE,
        },
        { day: dayAfter(at), site: 'berlin', src: DST, dst: SRC, packets: LARGE / 2n + BigInt(at), duration: 5n },
    ]);

async function openPair(directory: string, path: string): Promise<{ page: Page; faults: string[]; go(path: string): Promise<void> }> {
    const ui = await openUi(directory);
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, path);
    return { page, faults, go: (other) => visit(page, ui, other) };
}

/** The bare digits of what is shown. */
async function figures(page: Page, selector: string): Promise<(string | null)[]> {
    return page.locator(selector).evaluateAll((nodes) => nodes.map((node) => node.getAttribute('value')));
}

test('is this Tuesday odd: one look, with why, and the figures are those of query', async () => {
    const directory = join(await makeFolder(), 'lake');
    const { ask } = await openFixture(flows, { directory });
    const { page, faults, go } = await openPair(directory, `${PAIR}&day=${dayAfter(ODD)}`);
    await page.waitForSelector(`h2:has-text("Tue ${dayAfter(ODD)}: Unusual")`);
    const [judged] = await ask(`select * from pair_anomalies where measure = 'fwd_pkts_sum'`);
    const grouped = (value: unknown): string => String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
    expect(await page.textContent('.furthest')).toContain(`${grouped(judged?.value)} packets. Usual are ${grouped(judged?.usual)}`);
    expect((await figures(page, '.verdict td data'))[0]).toBe(String(10n * LARGE));
    await page.click('summary:has-text("Table of these values") >> nth=0');
    await page.waitForSelector('.chart >> nth=0 >> tbody tr');
    const shown = (await page.locator('.chart >> nth=0 >> tbody tr').allInnerTexts()).map((text) => text.replace(/\u202f/g, ''));
    const rows = await ask(`select day, fwd_pkts_sum from pair_days where src_ip = '${SRC}' order by day`);
    expect(rows).toHaveLength(34);
    for (const { day, fwd_pkts_sum } of rows) {
        expect(shown.some((text) => text.includes(String(day)) && text.includes(String(fwd_pkts_sum)))).toBe(true);
    }
    // Of the day without a file nothing is known, which is no zero.
    expect(shown.find((text) => text.includes(dayAfter(MISSING)))).toMatch(/none\s+none/);
    await checkAxe(page);
    await page.click('text=Tue before');
    await page.waitForSelector(`h2:has-text("Tue ${dayAfter(ODD - 7)}: As usual")`);
    await page.fill('#filter-day', dayAfter(MISSING));
    await page.waitForSelector('h2:has-text("No file of the site")');
    await checkAxe(page);
    await go(`${PAIR}&day=${dayAfter(2)}`);
    await page.waitForSelector('text=too few for a verdict');
    await picture(page, 'pair-large');
    expect(faults).toEqual([]);
});

test('the other direction, another measure and fewer days are addresses', async () => {
    const directory = join(await makeFolder(), 'lake');
    await openFixture(flows, { directory });
    const { page, faults } = await openPair(directory, PAIR);
    await page.click(`nav[aria-label="Usual of"] a:has-text("${DST} → ${SRC}")`);
    await page.waitForSelector(`figcaption:has-text("Running mean of ${DST} → ${SRC}")`);
    await page.click('nav[aria-label="Measure"] a:has-text("Flows")');
    await page.waitForFunction(() => document.querySelectorAll('figure.chart').length === 1);
    const { searchParams } = new URL(page.url());
    expect([searchParams.get('way'), searchParams.get('measure')]).toEqual(['back', 'flows']);
    await page.fill('#filter-from', dayAfter(30));
    await page.waitForSelector(`.range:has-text("${dayAfter(30)} to")`);
    await page.goBack();
    expect(faults).toEqual([]);
});

test('the download has every figure as query has it, and no text is a formula', async () => {
    const directory = join(await makeFolder(), 'lake');
    const { ask } = await openFixture([...flows, { day: dayAfter(0), site: '=1+1', src: 'x', dst: 'y' }], { directory });
    const { page, go } = await openPair(directory, PAIR);
    const download = async (): Promise<string> => {
        const [saved] = await Promise.all([page.waitForEvent('download'), page.click('text=Download CSV')]);
        return readFile(await saved.path(), 'utf8');
    };
    await page.waitForSelector('text=Download CSV');
    const asCsv = (row: Row): string =>
        `${Object.values(row)
            .map((value) => (value === null ? '' : String(value)))
            .join(',')}\n`;
    const rows = async (where: string) => (await ask(`select * from pair_running where ${where} order by day`)).map(asCsv);
    const [, ...lines] = (await download()).split(/(?<=\n)/);
    expect(lines).toEqual([...(await rows(`src_ip = '${SRC}'`)), ...(await rows(`src_ip = '${DST}'`))]);
    await go('/pair?src=x&dst=y');
    await page.waitForSelector('text=Download CSV');
    expect((await download()).split('\n')[1]).toMatch(/^'=1\+1,x,y,/);
});

test('the files behind the day, the devices, and commands that hold', async () => {
    const directory = await uploadFlows([
        { name: 'a.csv', rows: [{ packets: 40 }, { timestamp: '01/04/2026' }] },
        { name: 'b.csv', rows: [{ packets: 60 }, { src: '198.51.100.1', dst: '192.0.2.1' }] },
    ]);
    await registerDevice(
        openDirectoryStore(directory),
        { device: 'boiler-7', profile: 'plain-json', ip: '192.0.2.1' },
        { today: '2026-03-01' },
    );
    const { page, faults } = await openPair(directory, '/pair?src=192.0.2.1&dst=198.51.100.1&day=2026-03-31');
    await page.waitForSelector('td:has-text("raw/a.csv")');
    await page.waitForSelector('td:has-text("raw/b.csv")');
    await page.waitForSelector('text=Together they are what the lake says, figure by figure.');
    expect(await page.locator('a:has-text("boiler-7")').getAttribute('href')).toBe('/device?id=boiler-7');
    expect(await page.textContent('text=--lines')).toBe(
        `flowlake --lake ${directory} explain 192.0.2.1 198.51.100.1 2026-03-31 --site main --lines`,
    );
    await picture(page, 'pair-files');
    await checkAxe(page);
    expect(faults).toEqual([]);
});

test('an unknown pair, days without it, several sites, and an empty lake say four things', async () => {
    const directory = await uploadFlows([
        { name: 'a.csv', rows: [{}] },
        { name: 'b.csv', site: 'osaka', rows: [{ packets: 9 }] },
    ]);
    const { page, go } = await openPair(directory, '/pair?src=192.0.2.1&dst=198.51.100.9');
    await page.waitForSelector('text=No flow of this pair is known');
    await page.click('a:has-text("192.0.2.1 → 198.51.100.1") >> nth=0');
    await page.waitForSelector('h2:has-text("Tue 2026-03-31")');
    await go('/pair?src=192.0.2.1&dst=198.51.100.1');
    await page.waitForSelector('text=Several sites tell of this pair');
    await checkAxe(page);
    await go('/pair?src=192.0.2.1&dst=198.51.100.1&site=osaka&from=2027-01-01');
    await page.waitForSelector('text=Nothing of this pair on these days');
    await checkAxe(page);
    await go('/pair');
    await page.waitForSelector('text=Which pair?');
    const empty = await openPair(await makeFolder(), '/pair?src=a&dst=b');
    await empty.page.waitForSelector('text=This lake has no flows yet');
});

test('a damaged day is said to be one', async () => {
    const directory = await uploadFlows([{ name: 'a.csv', rows: [{}] }]);
    const path = join(directory, 'pair_days/day=2026-03-31/part-00.parquet');
    await writeFile(path, (await readFile(path)).subarray(0, 100));
    const { page } = await openPair(directory, '/pair?src=192.0.2.1&dst=198.51.100.1');
    await page.waitForSelector('[role=alert]');
    expect(await page.textContent('[role=alert]')).toMatch(/damaged|verify|too small|part-00/);
});

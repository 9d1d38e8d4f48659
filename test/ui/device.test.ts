/** A device's screen in a real browser. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { openBrowser } from './support/browser.ts';
import { HOSTILE, makeFleetLake } from './support/fleet-lake.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

test('a week of a device has its readings, silences, traffic, hours and peers on one axis', async () => {
    const ui = await openUi(await makeFleetLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/device?id=d001');
    await page.locator('.chart canvas').nth(1).waitFor();
    await page.locator('table.heat').waitFor();
    expect(await page.locator('.chart figcaption').allTextContents()).toEqual([
        'temperature in Cel',
        'Traffic of its address, packets a day',
    ]);
    expect(await page.locator('main').textContent()).toContain(`At site main, ${HOSTILE}, read by profile made-up, address 10.0.0.7`);
    expect(await page.locator('table:has(caption:has-text("Alerts and silences")) tbody tr').count()).toBe(1);
    // 9007199254740993 packets of the first day, and those of the six other ones.
    const peer = page.locator('table:has(caption:has-text("talked to")) tbody tr').first();
    expect(await peer.locator('data').evaluateAll((all) => all.map((one) => one.getAttribute('value')))).toEqual([
        '7',
        '9007199254743093',
        '7',
        '280',
    ]);
    expect(await peer.locator('a').first().getAttribute('href')).toBe('/pair?src=10.0.0.7&dst=10.0.0.1&site=main');
    expect(await page.locator('td.hatched').count()).toBe(0);
    await checkAxe(page);
    await picture(page, 'device');
    expect(faults).toEqual([]);
});

test('a silence is a gap, dotted in the chart and hatched in the hours, and a click leads to its time', async () => {
    const ui = await openUi(await makeFleetLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/device?id=d002&metric=temperature');
    await page.locator('table.heat').waitFor();
    expect(await page.locator('td.hatched').count()).toBe(10);
    await page.locator('.values summary').first().click();
    await page.waitForSelector('section[aria-label="temperature: values"] tbody tr');
    const values = await page.locator('section[aria-label="temperature: values"] tbody tr td:nth-child(2)').allTextContents();
    // A null in the gap and one at the end of the range, which begins with a reading.
    expect(values.filter((value) => value === 'none')).toHaveLength(2);
    await page.locator('table:has(caption:has-text("Alerts and silences")) tbody a').first().click();
    await page.waitForSelector('.chart p:has-text(""), .legend:has-text("each reading")');
    expect(new URL(page.url()).searchParams.get('from')).toMatch(/^2026-01-0[78]/);
    await picture(page, 'device-silence');
    expect(faults).toEqual([]);
});

test('single readings have all their digits, and texts are texts', async () => {
    const ui = await openUi(await makeFleetLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/device?id=d003&metric=temperature&from=2026-01-11T20:00&to=2026-01-11');
    await page.locator('summary:has-text("5 readings of temperature")').click();
    expect(await page.locator('details data').first().getAttribute('value')).toBe('-9007199254740.9');
    await visit(page, ui, '/device?id=d001&metric=status&from=2026-01-11&to=2026-01-11');
    await page.locator('summary:has-text("1 reading of status")').click();
    expect(await page.locator('details td').nth(1).textContent()).toBe(HOSTILE);
    await checkAxe(page);
    expect(await page.title()).toBe('Device · flowlake');
    expect(faults).toEqual([]);
});

test('behind a point stand the files and the very lines that brought it', async () => {
    const folder = await makeFolder();
    const profile = {
        name: 'room',
        device: { path: 'd' },
        time: { path: 't', unit: 'ms' },
        metrics: [{ name: 'v', path: 'v', digits: 1 }],
    };
    await writeFile(join(folder, 'room.json'), JSON.stringify(profile));
    const at = Date.parse('2026-01-05T10:15:00Z');
    const lines = [20.5, 21.5].map((v, n) => JSON.stringify({ d: 'a7', t: at + n * 60_000, v, note: HOSTILE }));
    await writeFile(join(folder, 'a.jsonl'), `${lines.join('\n')}\n`);
    for (const line of ['profile add room.json', 'upload --kind telemetry --profile room a.jsonl']) {
        expect(await runFlowlake(`--lake lake ${line}`, { folder })).toMatchObject({ exitCode: 0 });
    }
    const ui = await openUi(join(folder, 'lake'));
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/device?id=a7');
    await page.locator('table.heat td a').first().click();
    await page.waitForSelector('.messages .lines li');
    expect(await page.locator('.messages .lines li code').allTextContents()).toEqual(lines);
    expect(await page.locator('.messages h3').textContent()).toContain('a.jsonl: 2 readings');
    await checkAxe(page);
    await picture(page, 'device-messages');
    await page.locator('.messages a:has-text("Close")').click();
    await page.waitForSelector('.messages', { state: 'detached' });
    expect(faults).toEqual([]);
});

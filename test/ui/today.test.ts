/** Today in a real browser: what changed, the calendar by keyboard, and lakes that are empty or broken. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type FleetReading, HOT, openFleet } from '#test/support/fleet-fixture';
import { pairDaysKey } from '#test/support/flow-tables';
import { dayAfter, type Flow, openFixture, putSource } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';
import { openBrowser } from './support/browser.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

/** Monday of the fifth week. */
const MONDAY = 28;

function daily(flow: Partial<Flow> = {}, skips: readonly number[] = []): Flow[] {
    return Array.from({ length: MONDAY + 1 }, (_, at) => at)
        .filter((at) => !skips.includes(at))
        .map((at) => ({ day: dayAfter(at), ...flow }));
}

/** 2^53 + 1, which no double is. */
const PACKETS = 9_007_199_254_740_993n;

const FLOWS: Flow[] = [
    ...daily({ site: 'berlin', packets: PACKETS }, [8]),
    ...daily({ site: 'berlin', src: '10.0.0.7' }, [8, MONDAY]),
    { day: dayAfter(MONDAY), site: 'berlin', src: '10.0.0.9' },
    ...daily({ site: 'osaka' }, [8, MONDAY]),
];

const READINGS: FleetReading[] = Array.from({ length: MONDAY + 1 }, (_, at) => at).flatMap((at) => [
    { at: `${dayAfter(at)}T09:00:00Z`, is: (20 + (at % 3) / 10).toFixed(1), site: 'berlin' },
    { at: `${dayAfter(at)}T10:00:00Z`, is: at === MONDAY ? '36.5' : (20 + (at % 3) / 10).toFixed(1), site: 'berlin' },
]);

/** Waits until nothing is on its way. */
async function settle(page: Page): Promise<void> {
    await page.waitForFunction(() => document.querySelectorAll('[aria-busy=true], p.waiting').length === 0);
}

test('what changed stands there with a sentence why and a link, and axe finds nothing', async () => {
    const { directory } = await openFleet({ readings: READINGS, flows: FLOWS, profile: { alerts: [HOT] } });
    const ui = await openUi(directory);
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/');
    await settle(page);
    const quiet = page.locator('.quiet-sites li', { hasText: 'osaka' });
    expect(await quiet.textContent()).toMatch(
        /no flows on this day, though some came on 19 of 20 such days before; the last on Sun 2026-02-01/,
    );
    expect(await page.locator('.amount .beside data', { hasText: 'packets' }).getAttribute('value')).toBe(String(PACKETS + 10n));
    const came = page.locator('section.change', { hasText: 'New pairs' });
    expect(await came.locator('a').first().getAttribute('href')).toBe(
        `/pair?src=10.0.0.9&dst=10.0.0.2&site=berlin&day=${dayAfter(MONDAY)}`,
    );
    expect(await page.locator('section.change', { hasText: 'Gone pairs' }).textContent()).toMatch(
        /10\.0\.0\.7 → 10\.0\.0\.2 berlin\s*nothing, though it was there on 19 of 19 such days before/,
    );
    expect(await page.locator('section.change', { hasText: 'Unusual hours' }).textContent()).toMatch(
        /temperature 36\.5 from 10:00 on, far above the usual 20\.1/,
    );
    expect(await page.locator('.episodes').textContent()).toMatch(
        /warning d1 berlin\s*too warm.*36\.5.*from 2026-02-02 10:00:00 on, not over/s,
    );
    expect(await page.locator('h2', { hasText: 'Nothing needs a person' }).count()).toBe(1);
    await checkAxe(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await checkAxe(page);
    await picture(page, 'today');
    expect(faults).toEqual([]);
});

test('the calendar has a hatched day and no zero, is walked by arrows, and each day opens by Enter', async () => {
    const { directory } = await openFixture(FLOWS);
    const ui = await openUi(directory);
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/');
    await settle(page);
    expect(await page.locator('.calendar a[tabindex="0"]').count()).toBe(1);
    const missing = page.getByRole('link', { name: `Tue ${dayAfter(8)}: no flows` });
    expect(await missing.evaluate((element) => [element.className.includes('missing'), getComputedStyle(element).backgroundImage])).toEqual(
        [true, expect.stringContaining('repeating-linear-gradient')],
    );
    expect(await page.locator('.calendar a.missing').count()).toBe(1);
    await page.locator('.calendar a[tabindex="0"]').focus();
    // From Monday of the fifth week to the Tuesday of the second.
    for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowDown']) {
        await page.keyboard.press(key);
    }
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(`Tue ${dayAfter(8)}: no flows`);
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/?day=${dayAfter(8)}`);
    await settle(page);
    expect(await page.locator('.amount').textContent()).toMatch(/No figures of this day/);
    expect(await page.locator('.amount').textContent()).not.toMatch(/\b0\b/);
    await page.reload();
    await page.waitForSelector(`h1:has-text("${dayAfter(8)}")`);
    expect(faults).toEqual([]);
});

test('an empty lake says what would fill it', async () => {
    const ui = await openUi(await makeFolder());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/');
    await settle(page);
    expect(await page.locator('main').textContent()).toMatch(/This lake has no figures yet.*flowlake --lake .* upload FILES/s);
    await checkAxe(page);
    expect(faults).toEqual([]);
});

test('a day that cannot be read is no missing one, says why, and hides nothing else', async () => {
    const { directory } = await openFixture(FLOWS);
    await writeFile(join(directory, pairDaysKey(dayAfter(27))), 'PAR1 no more');
    await putSource(directory, {
        source: 'raw/<img src=x onerror=alert(1)>.csv',
        version: '1-a',
        options: {},
        state: 'failed',
        error: '<b>no flows</b>',
        size_bytes: 5,
    });
    const ui = await openUi(directory);
    const { newPage } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/');
    await settle(page);
    expect(await page.locator('.calendar a.unreadable').getAttribute('aria-label')).toMatch(
        new RegExp(`Sun ${dayAfter(27)}: cannot be read: .*verify`, 's'),
    );
    expect(await page.locator('.calendar a.missing').count()).toBe(1);
    expect(await page.locator('section[aria-labelledby=calendar] .fault').textContent()).toMatch(/1 day cannot be read/);
    expect(await page.locator('.amount .fault').textContent()).toMatch(/1 of the days before cannot be read/);
    expect(await page.locator('.notice.failed').first().textContent()).toMatch(/Try again/);
    expect(await page.locator('.problems').allTextContents()).toContainEqual(
        expect.stringContaining('raw/<img src=x onerror=alert(1)>.csv'),
    );
    expect(await page.locator('main img').count()).toBe(0);
    await checkAxe(page);
    await picture(page, 'today-broken');
});

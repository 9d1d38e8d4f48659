/** Alerts in a real browser: of history, and live over a lake that is served. */

import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { runFlowlake, startFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { openBrowser } from './support/browser.ts';
import { HOSTILE, makeFleetLake } from './support/fleet-lake.ts';
import { checkAxe, openUi, picture, visit } from './support/ui.ts';

const running: ChildProcess[] = [];

afterAll(async () => {
    await Promise.all(
        running.map(
            (child) =>
                new Promise((resolve) => {
                    child.once('close', resolve);
                    child.kill('SIGINT');
                }),
        ),
    );
});

test('history’s alerts are filtered by their names, and each leads to its device', async () => {
    const ui = await openUi(await makeFleetLake());
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    await visit(page, ui, '/alerts?kind=alert');
    await page.waitForSelector('nav.pages:has-text("1 to 1 of 1")');
    expect(await page.locator('tbody tr').first().textContent()).toContain(`too warm ${HOSTILE}`);
    expect(await page.locator('.about-view').textContent()).toContain('flowlake alert acknowledge');
    await page.locator('#filter-kind').selectOption('silent');
    await page.waitForSelector('tbody tr:has-text("silence")');
    await page.locator('#filter-state').selectOption('closed');
    await page.waitForSelector('nav.pages:has-text("1 to 1 of 1")');
    await checkAxe(page);
    await picture(page, 'alerts');
    await page.locator('tbody a').first().click();
    await page.waitForSelector('h1:has-text("d002")');
    expect(new URL(page.url()).searchParams.get('from')).toMatch(/^2026-01-0[78]$/);
    expect(faults).toEqual([]);
});

/** A lake that is served, with a token of a device and one of readers. */
async function serveLake(): Promise<{ origin: string; folder: string; reader: string; device: string }> {
    const folder = await makeFolder();
    const profile = {
        name: 'room',
        device: { from: 'certificate' },
        time: ['arrival'],
        identity: [{ path: 'n' }],
        metrics: [
            { name: 'temperature', path: 't', unit: 'Cel', digits: 1 },
            { name: 'battery', path: 'b', unit: '%', digits: 0 },
        ],
        dueEvery: '1h',
        alerts: [
            { rule: 'hot', metric: 'temperature', above: { raise: 30, clear: 28 }, severity: 'warning', message: `too warm ${HOSTILE}` },
        ],
    };
    await writeFile(join(folder, 'room.json'), JSON.stringify(profile));
    expect(await runFlowlake('--lake lake profile add room.json', { folder })).toMatchObject({ exitCode: 0 });
    const added = await runFlowlake('--lake lake device add room-1 --profile room --token', { folder });
    const device = /flt_\S+/.exec(added.stdout + added.stderr)?.[0] ?? '';
    const child = startFlowlake('--lake lake serve --http-port 0 --mqtt-port 0', { folder });
    running.push(child);
    const said = await new Promise<string>((resolve, reject) => {
        let printed = '';
        for (const stream of [child.stdout, child.stderr]) {
            stream?.setEncoding('utf8').on('data', (text: string) => {
                printed += text;
                if (/flr_\S+/.test(printed) && /http:\S+/.test(printed)) {
                    resolve(printed);
                }
            });
        }
        child.once('close', () => reject(new Error(`flowlake serve ended: ${printed}`)));
    });
    return { folder, device, origin: /http:\/\/[^\s/]+/.exec(said)?.[0] ?? '', reader: /flr_\S+/.exec(said)?.[0] ?? '' };
}

test('an alert appears as it is raised, is acknowledged with a note, and the fleet follows', async () => {
    const { origin, folder, reader, device } = await serveLake();
    const { newPage, faults } = await openBrowser();
    const page = await newPage();
    const send = (message: object) =>
        fetch(`${origin}/v1/telemetry`, {
            method: 'POST',
            headers: { authorization: `Bearer ${device}`, 'content-type': 'application/json' },
            body: JSON.stringify(message),
        });
    await page.goto(`${origin}/alerts`);
    await page.locator('input').first().fill(reader);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.follow:has-text("Live")');
    await page.waitForSelector('.empty');
    expect((await send({ n: 1, t: 35.5, b: 90 })).status).toBe(200);
    await page.waitForSelector(`tbody tr:has-text("too warm")`);
    expect(await page.locator('tbody tr').first().textContent()).toContain(HOSTILE);
    await checkAxe(page);
    await page.locator('summary:has-text("acknowledge")').click();
    await page.locator('textarea').fill(`fan ${HOSTILE}`);
    await page.locator('button:has-text("Acknowledge")').click();
    await page.waitForSelector('tbody td:has-text("reader: fan")');
    expect(await page.locator('tbody tr').first().textContent()).toContain(`reader: fan ${HOSTILE}`);
    const listed = await runFlowlake('--lake lake alert list --output json', { folder });
    expect(JSON.parse(listed.stdout)[0]).toMatchObject({ acknowledged_by: 'reader', note: `fan ${HOSTILE}` });
    await checkAxe(page);
    await picture(page, 'alerts-live');

    await page.goto(`${origin}/fleet`);
    await page.waitForSelector('tbody tr:has-text("room-1"):has-text("online")');
    await page.waitForSelector('.follow:has-text("Live")');
    await send({ n: 2, t: 20, b: 41 });
    await page.waitForSelector('tbody tr:has-text("41")');
    await page.waitForSelector('p:has-text("No alert is open")');
    await checkAxe(page);
    await picture(page, 'fleet-live');
    await page.locator('tbody a').first().click();
    await page.waitForSelector('.tiles.latest data[value="20.0"]');
    await checkAxe(page);
    // The log-in page is asked for without a session first.
    expect(faults.filter((fault) => !fault.includes('401'))).toEqual([]);
});

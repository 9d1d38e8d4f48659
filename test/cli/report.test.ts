/** The report of a lake as a page: figures with all digits, texts that stay texts, a file that is whole or not there. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseHTML } from 'linkedom';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';
import { HOT, openFleet } from '#test/support/fleet-fixture';
import { pairDaysKey } from '#test/support/flow-tables';
import { runFlowlake } from '#test/support/flowlake';
import { dayAfter, type Flow, openFixture, putRejects, putSource } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

/** More than a double tells apart. */
const ODD = 9_007_199_254_740_993n;

/** Five weeks of two sites, of which one sends nothing on the last Wednesday; the report is of the fifth week. */
function fiveWeeks(): Flow[] {
    return Array.from({ length: 35 }, (_, index) => index).flatMap((index) => {
        const day = dayAfter(index);
        return [
            { day, site: 'berlin', src: '10.0.0.7', packets: index === 32 ? ODD : 100n },
            ...(index === 30 ? [] : [{ day, site: 'osaka', packets: 50n }]),
            ...(index > 28 && index !== 30 ? [{ day, site: 'osaka', src: '10.0.0.99', packets: ODD }] : []),
            ...(index < 25 ? [{ day, site: 'osaka', src: '10.0.0.66' }] : []),
        ];
    });
}

const WEEK = ['--from', dayAfter(28), '--to', dayAfter(34)];
const NOW = new Date(`${dayAfter(35)}T12:00:00Z`);

let directory: string;
let page: string;

beforeAll(async () => {
    const readings = Array.from({ length: 35 }, (_, index) => index).flatMap((index) => [
        { at: `${dayAfter(index)}T07:00:00Z`, is: index === 31 ? '31' : '21', device: 'kettle', site: 'berlin' },
        { at: `${dayAfter(index)}T07:30:00Z`, is: '21', device: 'kettle', site: 'berlin' },
        ...(index > 29 ? [{ at: `${dayAfter(index)}T08:00:00Z`, is: '5', device: 'lamp', site: 'berlin' }] : []),
    ]);
    ({ directory } = await openFleet({ readings, flows: fiveWeeks(), profile: { alerts: [HOT] } }));
    page = await pageOf(directory, ...WEEK);
});

async function pageOf(lake: string, ...words: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await runLine(['--lake', lake, 'report', '-o', '-', ...words], {
        world: fakeWorld({ now: () => NOW }),
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    return stdout;
}

/** Cells of the table that follows a heading, by row. */
function cellsOf(html: string, id: string, nth = 0): string[][] {
    const { document } = parseHTML(html);
    const tables: NonNullable<ReturnType<typeof document.getElementById>>[] = [];
    for (let at = document.getElementById(id)?.nextElementSibling; at && at.tagName !== 'H2'; at = at.nextElementSibling) {
        tables.push(...at.querySelectorAll('table'));
    }
    return [...(tables[nth]?.querySelectorAll('tbody tr') ?? [])].map((row) => [...row.children].map((cell) => cell.textContent ?? ''));
}

describe('figures', () => {
    test('have the digits that query has, beyond what a double tells apart', async () => {
        const sql = `select day, site, flows, pairs, flow_duration_us_sum, fwd_pkts_sum from day_totals where day >= '${dayAfter(28)}' order by day, site`;
        const { stdout } = await runLine(['--lake', directory, '--output', 'csv', 'query', sql]);
        const expected = stdout
            .trimEnd()
            .split('\n')
            .slice(1)
            .map((line) => line.split(','));
        expect(stdout).toContain(String(ODD));
        const cells = cellsOf(page, 'days').map(([day = '', ...rest]) => [day.slice('Mon '.length), ...rest]);
        expect(cells).toEqual(expected);
    });

    test('of a site are exact sums of its days', () => {
        const [berlin, osaka] = cellsOf(page, 'flows', 1);
        expect(berlin?.slice(0, 4)).toEqual(['berlin', '7', '7000', String(ODD + 600n)]);
        expect(osaka?.slice(0, 4)).toEqual(['osaka', '11', '11000', String(5n * ODD + 300n)]);
    });

    test('are those of the command that the page names beside them', async () => {
        const { document } = parseHTML(page);
        const lines = [...document.querySelectorAll('.how code')].map((code) => code.textContent ?? '');
        const run = lines.filter((line) => line.startsWith('flowlake ') && !line.includes('<'));
        expect(run.length).toBeGreaterThanOrEqual(5);
        const folder = await makeFolder();
        const answers = await Promise.all(run.map((line) => runFlowlake(`${line.replace('flowlake ', '')} --output csv`, { folder })));
        expect(answers.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(run.map(() => ({ exitCode: 0, stderr: '' })));
        const rowsOf = (verb: string) =>
            answers[run.findIndex((line) => line.includes(` ${verb} `))]?.stdout.trimEnd().split('\n').slice(1);
        expect(rowsOf('pairs')?.map((line) => line.split(',').at(-1))).toEqual(cellsOf(page, 'pairs').map((cells) => cells.at(-2)));
        expect(rowsOf('anomalies')).toHaveLength(cellsOf(page, 'unusual').length);
        expect(rowsOf('alerts')).toHaveLength(cellsOf(page, 'alerts', 1).length);
    }, 120_000);
});

describe('what the week was like', () => {
    test('a day without figures is hatched and no zero', () => {
        const { document } = parseHTML(page);
        const missing = [...document.querySelectorAll('#flows ~ div td.missing')].map((cell) => cell.textContent);
        expect(missing).toEqual(['none']);
        expect(cellsOf(page, 'flows')).toContainEqual(['osaka', '1', '2', 'none', '2', '2', '2', '2']);
    });

    test('a site that sent nothing all week still has its row, hatched', async () => {
        const flows = Array.from({ length: 14 }, (_, index) => ({ day: dayAfter(index), site: 'berlin' }));
        const { directory: lake } = await openFixture([...flows, ...flows.slice(0, 3).map((flow) => ({ ...flow, site: 'gone dark' }))]);
        const { document } = parseHTML(await pageOf(lake));
        const row = [...document.querySelectorAll('table.calendar tbody tr')].find((one) => one.textContent?.includes('gone dark'));
        expect(row?.querySelectorAll('td.missing')).toHaveLength(7);
    });

    test('new and gone pairs and devices, unusual days and alerts are named', () => {
        const text = (html: string) => parseHTML(html).document.body.textContent?.replaceAll(/\s+/g, ' ') ?? '';
        expect(text(page)).toContain('1 pair is new');
        expect(text(page)).toContain('1 pair is gone');
        expect(text(page)).toContain('1 device is new');
        expect(text(page)).toContain('No device is gone');
        expect(cellsOf(page, 'unusual')[0]).toEqual(
            expect.arrayContaining([dayAfter(32), 'berlin', '10.0.0.7', 'fwd_pkts_sum', String(ODD)]),
        );
        expect(cellsOf(page, 'alerts', 1)[0]).toEqual(expect.arrayContaining(['ended', 'warning', 'berlin', 'kettle', 'hot']));
    });

    test('without days it is the last week of the lake, and says how old that is', async () => {
        const { exitCode, stdout } = await runLine(['--lake', directory, 'report', '-o', '-'], {
            world: fakeWorld({ now: () => new Date('2026-06-01T00:00:00Z') }),
        });
        expect(exitCode).toBe(0);
        expect(stdout).toContain(`<title>The week from ${dayAfter(28)} to ${dayAfter(34)}</title>`);
        expect(stdout).toContain(`The last day that the lake has figures of is Sun ${dayAfter(34)}`);
        expect(page).not.toContain('The last day that the lake has figures of');
    });
});

describe('the page', () => {
    const MARKUP = '"><img src=x onerror=alert(1)><script>alert(2)</script>&amp;';
    const VERSION = '1-0123456789abcdef';
    const TURNED = 'a\u202eb';

    test('asks for nothing, runs nothing and allows its own style sheet alone', () => {
        const { document } = parseHTML(page);
        const [style, ...others] = [...document.querySelectorAll('style')];
        const hash = createHash('sha256')
            .update(style?.textContent ?? '')
            .digest('base64');
        expect(others).toEqual([]);
        expect(document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute('content')).toBe(
            `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
        );
        expect(attributesOf(page).filter((name) => /^on|^style$|^src|^srcset$|^action$/.test(name))).toEqual([]);
        expect([...document.querySelectorAll('[href]')].filter((link) => !link.getAttribute('href')?.startsWith('#'))).toEqual([]);
        expect(style?.textContent).not.toMatch(/url\(|@import|@font-face/);
        expect(page).not.toMatch(/https?:/);
    });

    test('texts of files and messages never become markup, in tables, charts and titles', async () => {
        const flows = Array.from({ length: 14 }, (_, index) => ({
            day: dayAfter(index),
            site: MARKUP,
            src: TURNED,
            dst: MARKUP,
            packets: index === 13 ? 100_000n : 10n,
        }));
        const { directory: lake } = await openFixture(flows);
        await putSource(lake, {
            source: `raw/${MARKUP}.csv`,
            site: MARKUP,
            version: VERSION,
            size_bytes: 5,
            first_day: dayAfter(8),
            last_day: dayAfter(9),
        });
        await putRejects(lake, { source: `raw/${MARKUP}.csv`, version: VERSION }, [{ line_number: 2, reason: 'bad', line: MARKUP }]);
        const whole = await pageOf(lake);
        const pair = await runLine(['--lake', lake, 'export', TURNED, MARKUP, '--format', 'html']);
        const calmPair = await runLine(['--lake', directory, 'export', '10.0.0.7', '10.0.0.2', '--format', 'html']);
        // A page with rejects has a notice and a link to them beside.
        const calm = [...elementsOf(page), ...elementsOf(calmPair.stdout), 'strong', 'a'];
        for (const html of [whole, pair.stdout]) {
            expect(elementsOf(html).filter((name) => !calm.includes(name))).toEqual([]);
            expect(attributesOf(html).filter((name) => /^on|^src/.test(name))).toEqual([]);
            expect(parseHTML(html).document.body.textContent).toContain(MARKUP);
            expect(html).not.toContain('\u202e');
            expect(html).toContain('a\\u202eb');
        }
    });

    test('without figures there is none, said with what to do', async () => {
        const folder = await makeFolder();
        expect(await runLine(['--lake', folder, 'report', '-o', join(folder, 'r.html')])).toEqual({
            exitCode: 1,
            stdout: '',
            stderr: 'flowlake: The lake has no figures yet, of flows or of devices: flowlake status says what waits\n',
        });
        expect(await readdir(folder)).toEqual([]);
    });

    test('a day that cannot be read is an error and not a gap', async () => {
        const { directory: lake } = await openFixture([{ day: dayAfter(0) }, { day: dayAfter(1) }]);
        await writeFile(join(lake, pairDaysKey(dayAfter(0))), 'damaged');
        const { exitCode, stdout, stderr } = await runLine(['--lake', lake, 'report', '-o', '-']);
        expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
        expect(stderr).toContain(`day=${dayAfter(0)}`);
    });
});

describe('the file', () => {
    test('replaces what was there as a whole, and what is interrupted leaves it alone', async () => {
        const folder = await makeFolder();
        const out = join(folder, 'r.html');
        await writeFile(out, 'old');
        const interruption = new AbortController();
        const world = fakeWorld({ signal: interruption.signal, now: () => NOW });
        const writing = runLine(['--lake', directory, 'report', '-o', out], { world });
        interruption.abort();
        expect(await writing).toMatchObject({ exitCode: 130, stdout: '' });
        expect([await readdir(folder), await readFile(out, 'utf8')]).toEqual([['r.html'], 'old']);
        const written = await runLine(['--lake', directory, 'report', '-o', out, ...WEEK], { world: fakeWorld({ now: () => NOW }) });
        expect(written).toEqual({ exitCode: 0, stdout: '', stderr: `${out}: ${dayAfter(28)} to ${dayAfter(34)}\n` });
        expect(await readdir(folder)).toEqual(['r.html']);
        expect((await readFile(out, 'utf8')).replace('-o -', '')).toBe(page.replace('-o -', ''));
    });

    test('that cannot be written is one clear error', async () => {
        const folder = await makeFolder();
        await mkdir(join(folder, 'r.html'));
        const { exitCode, stderr } = await runLine(['--lake', directory, 'report', '-o', join(folder, 'r.html')]);
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(/^flowlake: Cannot write .*r\.html: EISDIR.*\n$/);
        await rm(folder, { recursive: true });
    });

    test.each([
        [[], 'Where to? -o report.html, or -o - for stdout'],
        [
            ['-o', '-', '--from', '2026-01-01', '--to', '2026-12-31'],
            '365 days are asked for, and a page has 92 at most: choose --from and --to nearer to each other',
        ],
        [
            ['-o', '-', '--from', '2026-01-08', '--to', '2026-01-01'],
            '--from 2026-01-08 is later than --to 2026-01-01; both days are included',
        ],
    ])('what does not fit together is exit 2: %j', async (words, message) => {
        expect(await runLine(['--lake', directory, 'report', ...words])).toEqual({
            exitCode: 2,
            stdout: '',
            stderr: `flowlake: ${message}\n`,
        });
    });
});

function elementsOf(html: string): string[] {
    return [...new Set([...parseHTML(html).document.querySelectorAll('*')].map(({ tagName }) => tagName.toLowerCase()))];
}

function attributesOf(html: string): string[] {
    const elements = [...parseHTML(html).document.querySelectorAll('*')];
    return [...new Set(elements.flatMap((element) => [...element.attributes].map(({ name }) => name)))];
}

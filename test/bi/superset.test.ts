/** Superset, opened in a browser on the dashboards that lie in docs/bi/superset/: every chart shows the figures that `flowlake query` prints. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { makeFolder } from '#test/support/temporary';
import { launchChromium } from '#test/ui/support/browser';
import { type Cell, digitsOf, makeShownLake, parseExactly, type ShownLake } from './support/shown-lake.ts';
import { type Superset, startSuperset } from './support/superset.ts';

/** Folder that pictures of the dashboards are put into; none are taken without it. */
const PICTURES = process.env.FLOWLAKE_PICTURES;

type Row = Record<string, Cell>;

/** What a chart asked, and what it was answered. */
interface Answer {
    asked: { queries: { filters: { op: string; val: unknown }[] }[] };
    sql: string;
    rows: Row[];
}

/** A chart of a dashboard, and the same question to the lake in other words. */
interface Chart {
    title: string;
    sql: string;
    /** Columns that Superset hands on as doubles: plots. All others must be equal digit by digit. */
    doubles?: readonly string[];
    /** The column that a plot has in place of columns `site` and this one: one for each site. */
    bySite?: string;
    /** Columns that are days, which Superset hands on as instants to plots. */
    days?: readonly string[];
    /** Where the chart shows the first rows only: by which column, the largest first. */
    largestOf?: string;
}

const DASHBOARDS: Readonly<Record<string, readonly Chart[]>> = {
    flows: [
        { title: 'Flows in all', sql: 'select sum(flows) as flows_total from day_totals' },
        { title: 'Packets in all', sql: 'select sum(fwd_pkts_sum) as fwd_pkts_sum_total from pair_days', doubles: ['fwd_pkts_sum_total'] },
        { title: 'Unusual days in all', sql: 'select count(*) as days from pair_anomalies' },
        { title: 'Flows by day', sql: 'select day, site, flows as flows_total from day_totals', days: ['day'], bySite: 'flows_total' },
        {
            title: 'Packets by day',
            sql: 'select day, site, fwd_pkts_sum as fwd_pkts_sum_total from day_totals',
            days: ['day'],
            doubles: ['fwd_pkts_sum_total'],
            bySite: 'fwd_pkts_sum_total',
        },
        {
            title: 'Busiest pairs',
            sql: 'select site, src_ip, dst_ip, sum(flows) as flows_exact, sum(fwd_pkts_sum) as fwd_pkts_sum_exact from pair_days group by all',
            largestOf: 'fwd_pkts_sum_exact',
        },
        {
            title: 'Unusual days',
            sql: 'select site, src_ip, dst_ip, day, measure, value as value_exact, usual as usual_exact, score from pair_anomalies',
            days: ['day'],
            largestOf: 'score',
        },
    ],
    devices: [
        { title: 'Devices in all', sql: 'select count(distinct device) as devices from readings' },
        { title: 'Readings in all', sql: 'select count(*) as n_total from readings' },
        { title: 'Alerts and silences in all', sql: 'select count(*) as episodes from all_episodes' },
        {
            title: 'Average temperature by hour',
            sql: `select epoch_ms(cast(day as timestamp)) + hour * 3600000 as began_at, site, mean as average
                  from fleet_hours where metric = 'temperature'`,
            bySite: 'average',
        },
        {
            title: 'Readings by day',
            sql: 'select day, site, count(*) as n_total from readings group by day, site',
            days: ['day'],
            bySite: 'n_total',
        },
        {
            title: 'Devices',
            sql: 'select site, device, last_ms, readings, battery, silences, alerts, open_alerts from device_health',
            largestOf: 'last_ms',
        },
        {
            title: 'Alerts and silences',
            sql: 'select began_ms, ended_ms, site, device, severity, why from all_episodes',
            largestOf: 'began_ms',
        },
        {
            title: 'Unusual hours',
            sql: 'select site, device, metric, day, hour, mean, usual, score from metric_anomalies',
            days: ['day'],
            largestOf: 'score',
        },
    ],
};

/** Rows that a table of the dashboards shows. */
const SHOWN = 50;

let lake: ShownLake;
let superset: Superset;
let browser: Browser;
let page: Page;
const outside: string[] = [];

beforeAll(async () => {
    lake = await makeShownLake(await makeFolder());
    superset = await startSuperset({ folder: await makeFolder(), database: lake.database });
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 1500 } });
    page.on('requestfinished', (request) => noteOutside(request.url()));
    // What the page's own policy stops is never sent.
    page.on('requestfailed', (request) => request.failure()?.errorText !== 'csp' && noteOutside(request.url()));
    await page.goto(`${superset.url}/login/`);
    await page.fill('#username', superset.user);
    await page.fill('#password', superset.password);
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => !url.pathname.startsWith('/login'));
});

afterAll(async () => {
    await browser?.close();
    await superset?.close();
});

describe.each(Object.entries(DASHBOARDS))('dashboard %s', (name, charts) => {
    const answers = new Map<string, Answer>();

    beforeAll(async () => {
        for (const [title, answer] of await openDashboard(name, charts.length)) {
            answers.set(title, answer);
        }
    });

    test('has these charts and no others', () => {
        expect([...answers.keys()].sort()).toEqual(charts.map(({ title }) => title).sort());
    });

    test.each(charts.map((chart) => [chart.title, chart] as const))('%s shows the figures of the lake', async (title, chart) => {
        const shown = answers.get(title)?.rows ?? [];
        const known = await lake.ask(chart.sql);
        expect(known.length).toBeGreaterThan(0);
        const expected = inOneForm(known, chart);
        const found = inOneForm(bySite(shown, chart), chart);
        if (chart.largestOf === undefined) {
            expect(sorted(found)).toEqual(sorted(expected));
            return;
        }
        expect(found).toHaveLength(Math.min(SHOWN, expected.length));
        const { largestOf } = chart;
        const inOrder = expected
            .map((row) => row[largestOf] ?? '')
            .sort(compareNumbers)
            .reverse();
        expect(found.map((row) => row[largestOf])).toEqual(inOrder.slice(0, SHOWN));
        const all = new Set(expected.map((row) => JSON.stringify(row)));
        expect(found.filter((row) => !all.has(JSON.stringify(row)))).toEqual([]);
    });

    test.each(charts.filter(({ title }) => title.endsWith('by day')).map(({ title }) => title))(
        '%s reads no other days than the ones that are asked for',
        async (title) => {
            const { sql, rows } = await askAgain(answers.get(title), '2026-01-06 : 2026-01-08');
            // Compared as the text that it is: Athena then reads two days of the table.
            expect(sql).toMatch(/day >= '2026-01-06' AND day < '2026-01-08'/);
            expect([...new Set(rows.map(({ day }) => dayOf(day ?? '')))].sort()).toEqual(['2026-01-06', '2026-01-07']);
        },
    );
});

test('no page asks a host outside', () => {
    expect(outside).toEqual([]);
});

/** Opens a dashboard and waits until each of its charts has its answer. */
async function openDashboard(name: string, count: number): Promise<Map<string, Answer>> {
    const answers = new Map<string, Answer>();
    const reading: Promise<void>[] = [];
    const titles = new Map<number, string>();
    const charts = await page.request.get(`${superset.url}/api/v1/dashboard/flowlake-${name}/charts`);
    for (const { id, slice_name: title } of (await charts.json()).result) {
        titles.set(id, title);
    }
    page.on('response', (response) => {
        const asked = response.url().includes('/api/v1/chart/data') ? response.request().postDataJSON() : undefined;
        const title = titles.get(asked?.form_data?.slice_id);
        if (title !== undefined) {
            reading.push(
                response.text().then((text) => {
                    answers.set(title, readAnswer(asked, text));
                }),
            );
        }
    });
    await page.goto(`${superset.url}/superset/dashboard/flowlake-${name}/`);
    // Charts further down are asked for once they are near.
    for (const { title } of DASHBOARDS[name] ?? []) {
        await page.getByText(title, { exact: true }).first().scrollIntoViewIfNeeded();
        await waitFor(() => answers.has(title));
    }
    await waitFor(() => answers.size === count);
    await Promise.all(reading);
    page.removeAllListeners('response');
    if (PICTURES !== undefined) {
        await page.waitForLoadState('networkidle');
        await page.evaluate('document.querySelector(".dashboard")?.scrollTo(0, 0)');
        await page.screenshot({ path: join(PICTURES, `superset-${name}.png`), clip: { x: 0, y: 0, width: 1280, height: 1080 } });
    }
    return answers;
}

/** The question of a chart once more, with the dashboard's range of days. */
async function askAgain(answer: Answer | undefined, range: string): Promise<Answer> {
    const asked = structuredClone(answer?.asked);
    for (const filter of asked?.queries.flatMap(({ filters }) => filters) ?? []) {
        if (filter.op === 'TEMPORAL_RANGE') {
            filter.val = range;
        }
    }
    const token = await (await page.request.get(`${superset.url}/api/v1/security/csrf_token/`)).json();
    const response = await page.request.post(`${superset.url}/api/v1/chart/data`, {
        data: asked,
        headers: { 'X-CSRFToken': token.result, Referer: superset.url },
    });
    return readAnswer(asked, await response.text());
}

function noteOutside(url: string): void {
    if (/^https?:/.test(url) && !url.startsWith(superset.url)) {
        outside.push(url);
    }
}

function readAnswer(asked: Answer['asked'] | undefined, text: string): Answer {
    const { result } = parseExactly<{ result: { query: string; data: Row[] }[] }>(text);
    if (asked === undefined || result?.[0] === undefined) {
        throw new Error(`Superset answered ${text.slice(0, 500)}`);
    }
    return { asked, sql: result[0].query.replaceAll(/\s+/g, ' '), rows: result[0].data };
}

async function waitFor(holds: () => boolean): Promise<void> {
    for (let tenths = 0; tenths < 1200 && !holds(); tenths += 1) {
        await page.waitForTimeout(100);
    }
}

/** A row for each time and site, where Superset has a column for each site; without those for which it has filled in that there is none. */
function bySite(rows: readonly Row[], { bySite: figure, sql }: Chart): Row[] {
    const time = /\bas began_at\b/.test(sql) ? 'began_at' : 'day';
    return figure === undefined
        ? [...rows]
        : rows.flatMap((row) =>
              Object.entries(row)
                  .filter(([name, value]) => name !== time && value !== null)
                  .map(([site, value]) => ({ [time]: row[time] ?? null, site, [figure]: value })),
          );
}

function inOneForm(rows: readonly Row[], { doubles = [], days = [] }: Chart): Row[] {
    const formOf = (name: string, value: Cell): Cell => {
        if (value === null) {
            return null;
        }
        if (doubles.includes(name)) {
            return String(Number(value));
        }
        return days.includes(name) ? dayOf(value) : digitsOf(value);
    };
    return rows.map((row) =>
        Object.fromEntries(
            Object.keys(row)
                .sort()
                .map((name) => [name, formOf(name, row[name] ?? null)]),
        ),
    );
}

/** A day as text, where it is an instant too. */
function dayOf(value: string): string {
    return /^\d+$/.test(value) ? new Date(Number(value)).toISOString().slice(0, 'yyyy-mm-dd'.length) : value;
}

function sorted(rows: readonly Row[]): string[] {
    return rows.map((row) => JSON.stringify(row)).sort();
}

function compareNumbers(one: string, other: string): number {
    return /^-?\d+$/.test(one) && /^-?\d+$/.test(other) ? Number(BigInt(one) - BigInt(other)) : Number(one) - Number(other);
}

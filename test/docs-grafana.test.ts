/** The dashboards for Grafana in docs/bi/grafana/: their SQL answers with the figures of the lake. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDuckDb } from '#lake/query/duckdb';
import type { QueryEngine } from '#lake/query/query-engine';
import { makeShownLake } from '#test/bi/support/shown-lake';
import { CHOSEN, expand, readDashboards } from '#test/support/grafana-dashboards';
import { type Row, rowsOf } from '#test/support/lake-fixture';
import { makeFolder } from '#test/support/temporary';

const dashboards = readDashboards();

const DAYS = "day between '2026-01-12' and '2026-01-25' and site in ('berlin', 'osaka')";

let engine: QueryEngine;

beforeAll(async () => {
    const { directory } = await makeShownLake(await makeFolder());
    engine = await openDuckDb({ directory });
}, 600_000);

afterAll(() => engine?.close());

describe.each([...dashboards])('%s', (_, { panels, templating }) => {
    test.each(panels.map((panel) => [panel.title, panel] as const))(
        '%s has rows of the days and sites that are asked for',
        async (_title, panel) => {
            for (const { rawSQL, format, datasource } of panel.targets) {
                expect(datasource).toEqual({ type: 'grafana-athena-datasource', uid: '$' + '{source}' });
                const rows = await rowsOf(engine, expand(rawSQL));
                expect(rows.length).toBeGreaterThan(0);
                expect(rows.map(({ site = 'berlin' }) => site).filter((site) => !CHOSEN.site.includes(String(site)))).toEqual([]);
                const { columns } = await engine.query(expand(rawSQL));
                if (panel.type === 'timeseries') {
                    // What the plugin makes series of: a time, in its order, a text that tells them apart, and the value.
                    expect(format).toBe(0);
                    expect(columns.map(({ type }) => type)).toEqual(['timestamp', 'varchar', 'double']);
                    const times = rows.map(({ time }) => String(time));
                    expect(times).toEqual([...times].sort());
                    expect([times[0]! >= CHOSEN.from, times.at(-1)! <= CHOSEN.to]).toEqual([true, true]);
                } else {
                    expect(format).toBe(1);
                }
            }
        },
    );

    test('the questions behind the variables have answers', async () => {
        const asked = templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.rawSQL]));
        expect(asked.length).toBeGreaterThan(0);
        for (const sql of asked) {
            expect(await rowsOf(engine, expand(sql))).not.toEqual([]);
        }
    });
});

test.each<[string, string, string]>([
    ['flows.json', 'Flows', `select cast(sum(flows) as varchar) as flows from pair_days where ${DAYS}`],
    ['flows.json', 'Packets forward', `select cast(sum(fwd_pkts_sum) as varchar) as packets from pair_days where ${DAYS}`],
    ['flows.json', 'Pairs', `select count(distinct (site, src_ip, dst_ip)) as pairs from pair_days where ${DAYS}`],
    ['devices.json', 'Readings', `select cast(count(*) as varchar) as readings from readings where ${DAYS}`],
    ['devices.json', 'Devices that reported', `select count(distinct (site, device)) as devices from readings where ${DAYS}`],
    [
        'devices.json',
        'Alerts and silences that began',
        `select count(*) as episodes from all_episodes where site in ('berlin', 'osaka')
         and make_timestamp(began_ms * 1000) between timestamp '${CHOSEN.from}' and timestamp '${CHOSEN.to}'`,
    ],
])('%s: %s is the figure of the lake', async (file, title, sql) => {
    expect(await rowsOf(engine, expand(sqlOf(file, title)))).toEqual(await rowsOf(engine, sql));
});

test('a sum beyond what a double holds keeps its digits in figures and tables', async () => {
    const vast = (sql: string) =>
        expand(sql.replaceAll('$__timeTo()', "TIMESTAMP '2026-03-02 00:00:00'").replace('$' + '{site:sqlstring}', "'vault'"));
    expect(await rowsOf(engine, vast(sqlOf('flows.json', 'Packets forward')))).toEqual([{ packets: '9232379236109516800' }]);
    const rows = await rowsOf(engine, vast(sqlOf('flows.json', 'Busiest pairs')));
    expect(rows.map(({ packets }: Row) => packets)).toEqual(['9223372036854775807', '9007199254740993']);
});

test('an instant of a table is that of the milliseconds behind it', async () => {
    const rows = await rowsOf(engine, expand(sqlOf('devices.json', 'Devices')));
    const known = await rowsOf(
        engine,
        "select make_timestamp(last_ms * 1000) as last_heard from device_health where site in ('berlin', 'osaka') order by last_ms desc, site, device",
    );
    expect(rows.map(({ last_heard }) => last_heard)).toEqual(known.map(({ last_heard }) => last_heard));
});

function sqlOf(file: string, title: string): string {
    const target = dashboards.get(file)?.panels.find((panel) => panel.title === title)?.targets[0];
    if (target === undefined) {
        throw new Error(`${file} has no panel ${title}`);
    }
    return target.rawSQL;
}

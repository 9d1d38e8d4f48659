/** The notebook of docs/bi/notebook/, executed: its tables are what `flowlake query` prints. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import { makeFolder } from '#test/support/temporary';
import { type Cell, digitsOf, makeShownLake, type ShownLake } from './support/shown-lake.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NOTEBOOK = join(ROOT, 'docs/bi/notebook/lake.ipynb');
const PYTHON = join(ROOT, '.tools/notebook/bin/python');

/** Folder that the notebook's plots are put into; without it they are only counted. */
const PICTURES = process.env.FLOWLAKE_PICTURES;

let lake: ShownLake;
let made: { frames: Record<string, Record<string, Cell>[]>; plots: string[] };

beforeAll(async () => {
    if (!existsSync(PYTHON)) {
        throw new Error('What runs the notebook is not here: npm run tools -- notebook');
    }
    const folder = await makeFolder();
    lake = await makeShownLake(folder);
    const { stdout } = await promisify(execFile)(PYTHON, ['-B', join(ROOT, 'test/bi/support/run_notebook.py'), NOTEBOOK, folder], {
        env: { PATH: process.env.PATH, HOME: folder, FLOWLAKE_DATABASE: lake.database },
        maxBuffer: 1 << 26,
    });
    made = JSON.parse(stdout);
    if (PICTURES !== undefined) {
        for (const [at, plot] of made.plots.entries()) {
            await writeFile(join(PICTURES, `notebook-${at + 1}.png`), Buffer.from(plot, 'base64'));
        }
    }
});

test.each<[string, string]>([
    [
        'site_totals',
        'select site, count(distinct day) as days, sum(flows) as flows, sum(fwd_pkts_sum) as packets from pair_days group by site order by site',
    ],
    [
        'packets_by_day',
        'select day, site, cast(sum(fwd_pkts_sum) as double) as packets from pair_days group by day, site order by day, site',
    ],
    [
        'busiest_pairs',
        `select site, src_ip, dst_ip, days, fwd_pkts_sum as packets from pair_stats
         order by fwd_pkts_sum desc, site, src_ip, dst_ip limit 10`,
    ],
    [
        'unusual_days',
        `select day, site, src_ip, dst_ip, measure, value, usual, score from pair_anomalies
         order by score desc, day, site, src_ip, dst_ip, measure limit 10`,
    ],
    [
        'devices',
        `select site, device, cast(make_timestamp(last_ms * 1000) as varchar) as last_heard, readings, battery, silences, alerts, open_alerts
         from device_health order by last_ms desc, site, device`,
    ],
    [
        'temperatures',
        `select cast(cast(day as timestamp) + hour * interval '1' hour as varchar) as hour_at, concat(site, ' ', device) as device, mean
         from metric_hour_values where metric = 'temperature' order by day, hour, site, device`,
    ],
])('table %s has the figures of the lake', async (name, sql) => {
    const known = await lake.ask(sql);
    expect(known.length).toBeGreaterThan(0);
    expect(inOneForm(made.frames[name] ?? [])).toEqual(inOneForm(known));
});

test('a sum beyond what a double holds has all of its digits', () => {
    expect(made.frames.site_totals?.find(({ site }) => site === 'vault')?.packets).toBe('9232379236109516800');
});

test('it draws two plots', () => {
    expect(made.plots).toHaveLength(2);
});

test('the file in the tree holds no output, which would be of another lake', async () => {
    const { cells } = JSON.parse(await readFile(NOTEBOOK, 'utf8'));
    const code = cells.filter(({ cell_type: type }: { cell_type: string }) => type === 'code');
    expect(code.length).toBeGreaterThan(5);
    expect(
        code.filter(
            ({ outputs, execution_count: count }: { outputs: []; execution_count: unknown }) => outputs.length > 0 || count !== null,
        ),
    ).toEqual([]);
});

/** Each value as text: doubles by the number that they are, all else by its digits. */
function inOneForm(rows: readonly Record<string, Cell>[]): Record<string, Cell>[] {
    const formOf = (value: Cell) =>
        value === null ? null : /^-?\d+(?:\.\d+)?e[+-]?\d+$/.test(value) ? String(Number(value)) : digitsOf(value);
    return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, formOf(value)])));
}

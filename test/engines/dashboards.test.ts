/** The SQL of dashboards, which Athena is asked: Trino, the engine inside it, takes each of them, over tables and views of the columns that the lake has. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { dataSetsOf } from '#cdk/quick-sight-data';
import { freePort } from '#test/aws/support/ministack';
import { startTrino, type Trino } from '#test/aws/support/trino';
import { askTrino } from '#test/aws/support/trino-client';
import { expand, readDashboards } from '#test/support/grafana-dashboards';
import { relationColumns } from '../../docs/bi/relation-columns.ts';

/** A relation that is named in SQL after `from` or `join`. */
const RELATION = /\b(?:from|join) (\w+)/g;

let trino: Trino;

beforeAll(async () => {
    // No table is asked for, so that no catalog has to answer.
    trino = await startTrino({ port: await freePort(), endpoint: 'http://127.0.0.1:1', environment: process.env });
});

afterAll(() => trino?.stop());

const ofGrafana = [...readDashboards()].flatMap(([file, { panels, templating }]) => [
    ...panels.flatMap(({ title, targets }) => targets.map(({ rawSQL }): [string, string] => [`${file}: ${title}`, expand(rawSQL)])),
    ...templating.list.flatMap(({ name, query }): [string, string][] =>
        typeof query === 'string' ? [] : [[`${file}: variable ${name}`, expand(query.rawSQL)]],
    ),
]);

const ofQuickSight = dataSetsOf({ database: 'lake', days: 90 }).map(({ name, sql }): [string, string] => [
    `QuickSight: ${name}`,
    sql.replaceAll('lake.', ''),
]);

const SUPERSET = new URL('../../docs/bi/superset/datasets/flowlake/', import.meta.url);

const ofSuperset = readdirSync(SUPERSET).flatMap((file) => {
    const { table_name: relation, columns, metrics } = parse(readFileSync(new URL(file, SUPERSET), 'utf8'));
    const expressions = [...columns, ...metrics].flatMap(({ column_name, metric_name, expression }) =>
        expression ? [{ name: column_name ?? metric_name, expression }] : [],
    );
    return expressions.map(({ name, expression }): [string, string] => [
        `Superset: ${relation}.${name}`,
        `select ${expression} from ${relation}`,
    ]);
});

test.each([...ofGrafana, ...ofQuickSight, ...ofSuperset])('%s', async (_, sql) => {
    const relations = [...new Set([...sql.matchAll(RELATION)].map(([, name = '']) => name))];
    expect(relations).not.toEqual([]);
    const empty = relations.map((name) => {
        const columns = relationColumns(name).map((column) => `cast(null as ${column.type}) as "${column.name}"`);
        return `${name} as (select ${columns.join(', ')} where false)`;
    });
    await askTrino(trino.url, { sql: `with ${empty.join(', ')} ${sql}`, database: 'none' });
});

test('SQL that Athena would refuse is refused', async () => {
    const sql =
        "with day_totals as (select cast('2026-01-05' as varchar) as day) select * from day_totals where day between date '2026-01-05' and date '2026-01-06'";
    await expect(askTrino(trino.url, { sql, database: 'none' })).rejects.toThrow(/varchar.*date|date.*varchar/);
});

/** What every engine is asked: every table and view as a whole, and every file of sql/flows/queries with several parameters. */
import { tables } from '#lake/kinds';
import type { Value } from '#lake/query/query-engine';
import { type QueryName, readQuery, VIEW_NAMES } from '#lake/query/sql-files';
import { dayAfter } from '#test/support/lake-fixture';

export interface Question {
    name: string;
    sql: string;
    parameters: readonly Value[];
}

const ASKED: readonly [QueryName, readonly Value[]][] = [
    ['pair_report', ['10.0.0.1', '10.0.0.10', null, null, null]],
    ['pair_report', ['2001:db8::1', '2001:db8::a', "o'hare", dayAfter(20), dayAfter(5)]],
    ['pair_report', ['fe80::1%eth0', '10.0.0.10', '\u{1f600}', null, dayAfter(10)]],
    ['pair_report', ['172.16.0.3', '172.16.1.1', 'berlin', null, null]],
    ['pair_report', ['10.0.0.1', "' or '1' = '1", null, null, null]],
    ['top_pairs', [null, null, null, 'duration', 10n]],
    ['top_pairs', ['a"b', dayAfter(3), dayAfter(9), 'packets', 7n]],
    ['top_pairs', [null, dayAfter(15), null, 'flows', 300n]],
    ['busiest_days', [null, null, null, 5n]],
    ['busiest_days', ['Zürich', dayAfter(3), dayAfter(18), 99n]],
    ['anomalies', [null, null, null, 5_000n]],
    ['anomalies', ['B', dayAfter(23), dayAfter(12), 50n]],
    ['nearest_pairs', ['10.0.0.2', '10.0.0.1', 25n]],
    ['nearest_pairs', ['2001:db8::2', 'fe80::1', 5n]],
    ['features', [dayAfter(60), dayAfter(20)]],
    ['rejects', [null, 500n]],
    ['rejects', ['raw/site=Zürich/turn-2.csv', 2n]],
];

/** The questions whose answers have no row. */
export const EMPTY_ANSWERS: ReadonlySet<string> = new Set(["pair_report 10.0.0.1 ' or '1' = '1 null null null"]);

export const QUESTIONS: readonly Question[] = [
    ...[
        ...tables.map((table) => ({ name: table.name, columns: keysOf(table) })),
        ...VIEW_NAMES.map((name) => ({ name, columns: keysOfView(name) })),
    ].map(({ name, columns }) => ({ name, sql: `select * from ${name} order by ${columns.join(', ')}`, parameters: [] })),
    ...ASKED.map(([name, parameters]) => ({ name: `${name} ${parameters.map(String).join(' ')}`, sql: readQuery(name), parameters })),
];

/** Files of sql/flows/queries that are asked. */
export const ASKED_QUERIES: ReadonlySet<QueryName> = new Set(ASKED.map(([name]) => name));

/** What puts the rows of a table into one order: of summaries all columns, since several sources have the same pair. */
function keysOf({ name, columns }: { name: string; columns: readonly { name: string }[] }): readonly string[] {
    const keys: Readonly<Record<string, readonly string[]>> = {
        pair_days: keysOfView('pair_running'),
        sources: ['source'],
        rejects: ['source', 'version', 'line_number'],
    };
    return keys[name] ?? ['day', ...columns.map((column) => column.name)];
}

function keysOfView(name: string): readonly string[] {
    const keys: Readonly<Record<string, readonly string[]>> = {
        day_totals: ['day', 'site'],
        pair_stats: ['site', 'src_ip', 'dst_ip'],
        pair_anomalies: ['day', 'site', 'src_ip', 'dst_ip', 'measure'],
    };
    return keys[name] ?? ['day', 'site', 'src_ip', 'dst_ip'];
}

/** What every engine is asked: every table and view as a whole, and every file of queries in sql/ with several parameters. */
import { devices } from '#lake/devices-table';
import { tables } from '#lake/kinds';
import type { Value } from '#lake/query/query-engine';
import { pathOfView, type QueryName, readQuery, VIEW_NAMES } from '#lake/query/sql-files';
import { derivedTables } from '#lake/telemetry/derivations';
import { messagesRejected, readingSummaries, readings } from '#lake/telemetry/tables';
import { dayAfter } from '#test/support/lake-fixture';

/** Milliseconds since 1970. */
const ms = (at: string): bigint => BigInt(Date.parse(at));

export interface Question {
    name: string;
    sql: string;
    parameters: readonly Value[];
    /** True if it is about telemetry, whose tables TypeScript alone has written. */
    isOfTelemetry: boolean;
}

type Asked = readonly [QueryName, readonly Value[]];

const ASKED_OF_FLOWS: readonly Asked[] = [
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
    ['pair_changes', [null, dayAfter(0), dayAfter(60), dayAfter(20), dayAfter(20), 500n]],
    ['pair_changes', ['B', dayAfter(3), dayAfter(22), dayAfter(18), dayAfter(18), 5n]],
    ['anomalies', [null, null, null, 5_000n]],
    ['anomalies', ['B', dayAfter(23), dayAfter(12), 50n]],
    ['report_both_ways', ['10.0.0.1', '10.0.0.10', '10.0.0.10', '10.0.0.1', null, null, null]],
    ['report_both_ways', ['2001:db8::1', '2001:db8::a', '2001:db8::a', '2001:db8::1', "o'hare", dayAfter(20), dayAfter(5)]],
    ['usual_both_ways', ['10.0.0.1', '10.0.0.10', '10.0.0.10', '10.0.0.1', null, null, null]],
    ['usual_both_ways', ['2001:db8::1', '2001:db8::a', '2001:db8::a', '2001:db8::1', "o'hare", dayAfter(20), dayAfter(12)]],
    ['nearest_pairs', ['10.0.0.2', '10.0.0.1', 25n]],
    ['nearest_pairs', ['2001:db8::2', 'fe80::1', 5n]],
    ['features', [dayAfter(60), dayAfter(20)]],
    ['rejects', [null, 500n]],
    ['rejects', ['raw/site=Zürich/turn-2.csv', 2n]],
];

/** Over the fleet of test/engines/support/nasty-fleet.ts. */
export const ASKED_OF_TELEMETRY: readonly Asked[] = [
    ['readings', ['th-1', null, null, null, null, null, null, 500n]],
    ['readings', ['%_\\', 'wide', 'Berlin', dayAfter(10), dayAfter(10), null, null, 3n]],
    ['readings', ['a"b', null, 'main', null, dayAfter(20), ms(`${dayAfter(3)}T09:10:00.250Z`), ms(`${dayAfter(9)}T09:10:00.250Z`), 99n]],
    ['readings', ["it's", "' or '1' = '1", null, null, null, null, null, 5n]],
    ['reading_steps', [3_600_000n, 'th-1', null, null, null, null, null, null]],
    ['reading_steps', [60_000n, '%_\\', 'level', 'Berlin', dayAfter(10), dayAfter(10), null, null]],
    ['reading_steps', [86_400_000n, '\u{1f600}', 'temperature', null, null, null, ms(`${dayAfter(3)}T09:10:00.250Z`), ms(dayAfter(30))]],
    ['device_metrics', ['%_\\']],
    ['device_metrics', ['\uff21']],
    ['device_changes', [null, dayAfter(0), dayAfter(60), dayAfter(10), dayAfter(10), 50n]],
    ['device_changes', ['Berlin', dayAfter(0), dayAfter(20), dayAfter(12), dayAfter(12), 3n]],
    ['fleet_days', [null, dayAfter(0), dayAfter(60)]],
    ['fleet_days', ['Berlin', dayAfter(3), dayAfter(12)]],
    ['devices', [null, null, 50n]],
    ['devices', ['Berlin', null, 50n]],
    ['devices', [null, 'th-2', 50n]],
    ['devices', [null, null, 3n]],
    ['metric_features_of_days', [dayAfter(60), dayAfter(0)]],
    ['metric_features_of_days', [dayAfter(20), dayAfter(10)]],
    ['alerts', [ms(dayAfter(60)), null, null, null, null, null, 500n]],
    ['alerts', [ms(`${dayAfter(48)}T12:00:00Z`), 'main', 'th-3', ms(dayAfter(15)), ms(dayAfter(17)), null, 9n]],
    ['alerts', [ms(dayAfter(60)), null, null, null, null, 'open', 4n]],
];

/** The questions whose answers have no row. */
export const EMPTY_ANSWERS: ReadonlySet<string> = new Set([
    "pair_report 10.0.0.1 ' or '1' = '1 null null null",
    "readings it's ' or '1' = '1 null null null null null 5",
]);

/** Tables of telemetry; its views are those below sql/telemetry. */
const TELEMETRY_TABLES: ReadonlySet<string> = new Set(
    [readings, readingSummaries, ...derivedTables.map(({ table }) => table), messagesRejected, devices].map(({ name }) => name),
);

export const QUESTIONS: readonly Question[] = [
    ...tables.map((table) => everyRowOf(table.name, { orderedBy: keysOf(table), isOfTelemetry: TELEMETRY_TABLES.has(table.name) })),
    ...VIEW_NAMES.map((name) => {
        return everyRowOf(name, { orderedBy: keysOfView(name), isOfTelemetry: pathOfView(name).startsWith('sql/telemetry/') });
    }),
    ...ASKED_OF_FLOWS.map((asked) => questionOf(asked, { isOfTelemetry: false })),
    ...ASKED_OF_TELEMETRY.map((asked) => questionOf(asked, { isOfTelemetry: true })),
];

/** Files of queries that are asked. */
export const ASKED_QUERIES: ReadonlySet<QueryName> = new Set([...ASKED_OF_FLOWS, ...ASKED_OF_TELEMETRY].map(([name]) => name));

function everyRowOf(name: string, { orderedBy, isOfTelemetry }: { orderedBy: readonly string[]; isOfTelemetry: boolean }): Question {
    return { name, sql: `select * from ${name} order by ${orderedBy.join(', ')}`, parameters: [], isOfTelemetry };
}

function questionOf([name, parameters]: Asked, { isOfTelemetry }: { isOfTelemetry: boolean }): Question {
    return { name: `${name} ${parameters.map(String).join(' ')}`, sql: readQuery(name), parameters, isOfTelemetry };
}

/** What puts the rows of a table into one order: of summaries all columns, since several sources have the same pair. */
function keysOf({ name, columns }: { name: string; columns: readonly { name: string }[] }): readonly string[] {
    const keys: Readonly<Record<string, readonly string[]>> = {
        pair_days: keysOfView('pair_running'),
        sources: ['source'],
        rejects: ['source', 'version', 'line_number'],
        readings: ['day', 'site', 'device', 'metric', 'at_ms', 'message'],
        metric_hours: ['site', 'device', 'metric', 'hour_ms'],
        episodes: ['day', 'site', 'device', 'rule', 'began_ms'],
        // Engines differ in where a null stands.
        messages_rejected: ['source', 'version', 'line_number', 'metric nulls first'],
        devices: ['site', 'device', 'valid_from nulls first'],
    };
    return keys[name] ?? ['day', ...columns.map((column) => column.name)];
}

function keysOfView(name: string): readonly string[] {
    const keys: Readonly<Record<string, readonly string[]>> = {
        day_totals: ['day', 'site'],
        pair_stats: ['site', 'src_ip', 'dst_ip'],
        pair_anomalies: ['day', 'site', 'src_ip', 'dst_ip', 'measure'],
        pair_usual: ['day', 'site', 'src_ip', 'dst_ip', 'measure'],
        all_episodes: ['site', 'device', 'rule', 'began_ms'],
        device_health: ['site', 'device'],
        device_traffic: ['site', 'device', 'day'],
        fleet_hours: ['site', 'metric', 'day', 'hour'],
        metric_anomalies: ['site', 'device', 'metric', 'hour_ms'],
        metric_days: ['site', 'device', 'metric', 'day'],
        metric_features: ['site', 'device', 'metric', 'hour_ms'],
        metric_drift: ['site', 'device', 'metric', 'week'],
        metric_hour_values: ['site', 'device', 'metric', 'hour_ms'],
    };
    return keys[name] ?? ['day', 'site', 'src_ip', 'dst_ip'];
}

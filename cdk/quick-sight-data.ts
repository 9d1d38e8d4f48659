/** The data sets of QuickSight: SQL over the lake's views, whose columns are what QuickSight can count, plot and filter. */
import { viewColumnsOf } from './view-columns.ts';

export interface QuickSightDataSet {
    name: string;
    sql: string;
    columns: readonly QuickSightColumn[];
}

export interface QuickSightColumn {
    name: string;
    type: 'STRING' | 'INTEGER' | 'DECIMAL' | 'DATETIME';
}

/** A view, and what is made of its columns for QuickSight. */
interface Selection {
    name: string;
    view: string;
    /** Columns of the view that are taken as they are. */
    taken: readonly string[];
    /** Further columns, by their names. */
    made: Readonly<Record<string, { sql: string; type: QuickSightColumn['type'] }>>;
    /** True where a filter on day keeps Athena from reading the others. */
    isByDay: boolean;
}

/** QuickSight's types for Trino's. Its decimals are doubles: sums beyond 2^53 are rounded there, and stand beside as text. */
const TYPES: ReadonlyMap<string, QuickSightColumn['type']> = new Map([
    ['varchar', 'STRING'],
    ['bigint', 'INTEGER'],
    ['double', 'DECIMAL'],
    ['decimal(38,0)', 'DECIMAL'],
    ['decimal(28,9)', 'DECIMAL'],
]);

const DATE = { sql: 'cast(day as timestamp)', type: 'DATETIME' } as const;

const exact = (column: string) => ({ sql: `cast(${column} as varchar)`, type: 'STRING' }) as const;

/** The instant of a column of milliseconds since 1970. By way of days, because DuckDB, which tests this SQL, multiplies intervals by no more than 32 bits. */
const instant = (column: string) =>
    ({
        sql: `timestamp '1970-01-01 00:00:00' + cast(floor(${column} / 86400000) as integer) * interval '1' day + cast(mod(${column}, 86400000) as integer) * interval '0.001' second`,
        type: 'DATETIME',
    }) as const;

const SELECTIONS: readonly Selection[] = [
    {
        name: 'day_totals',
        view: 'day_totals',
        taken: ['site', 'flows', 'pairs', 'fwd_pkts_sum'],
        made: { date: DATE, fwd_pkts_exact: exact('fwd_pkts_sum') },
        isByDay: true,
    },
    {
        name: 'pair_anomalies',
        view: 'pair_anomalies',
        taken: ['site', 'src_ip', 'dst_ip', 'measure', 'score'],
        made: { date: DATE, value_exact: exact('value'), usual_exact: exact('usual') },
        isByDay: true,
    },
    {
        name: 'fleet_hours',
        view: 'fleet_hours',
        taken: ['site', 'metric', 'devices', 'n', 'mean', 'alert_rate'],
        made: { date: DATE, hour_at: { sql: "cast(day as timestamp) + hour * interval '1' hour", type: 'DATETIME' } },
        isByDay: true,
    },
    {
        name: 'device_health',
        view: 'device_health',
        taken: ['site', 'device', 'readings', 'battery', 'silences', 'alerts', 'open_alerts'],
        made: { last_heard: instant('last_ms') },
        isByDay: false,
    },
    {
        name: 'all_episodes',
        view: 'all_episodes',
        taken: ['site', 'device', 'rule', 'kind', 'severity', 'why'],
        made: { began: instant('began_ms'), ended: instant('ended_ms') },
        isByDay: false,
    },
];

/** The data sets over a database; of views that know days they hold the last `days` ones, today's among them. */
export function dataSetsOf({ database, days }: { database: string; days: number }): QuickSightDataSet[] {
    return SELECTIONS.map(({ name, view, taken, made, isByDay }) => {
        const known = viewColumnsOf(view);
        const plain = taken.map((column) => {
            const type = TYPES.get(known.find((one) => one.name === column)?.type ?? '');
            if (type === undefined) {
                throw new TypeError(`View ${view} has no column ${column} that QuickSight could take: see cdk/view-columns.json`);
            }
            return { name: column, type };
        });
        const list = [...taken, ...Object.entries(made).map(([column, { sql }]) => `${sql} as ${column}`)].join(', ');
        // Compared as texts, so that Athena reads these days of the table alone.
        const where = isByDay ? ` where day > cast(current_date - interval '${days}' day as varchar)` : '';
        return {
            name,
            sql: `select ${list} from ${database}.${view}${where}`,
            columns: [...plain, ...Object.entries(made).map(([column, { type }]) => ({ name: column, type }))],
        };
    });
}

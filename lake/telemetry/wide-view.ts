/** View `readings_wide_<profile>`: a row a message, a column a metric. It is made from the profile. */
import type { ProfileDocument } from './profile/document.ts';

/** Beginning of the views' names. */
export const WIDE_VIEW = 'readings_wide_';

/** What stands in front of the metrics. */
const COLUMNS = ['site', 'device', 'at_ms', 'measured_at', 'message'];

/**
 * The view of a profile as one text for every engine. Names of columns are those of the metrics in small letters, `_` for what no name may have; a number
 * behind it tells apart what would be the same. Metrics that messages name themselves have no column.
 */
export function wideViewOf(document: ProfileDocument): { name: string; sql: string } {
    const taken = new Set([...COLUMNS, 'day', 'received_ms']);
    const columns = new Map<string, string>();
    for (const { name, kind = 'number', notReading } of document.metrics) {
        if (!name.includes('{') && notReading === undefined && !columns.has(name)) {
            const value = kind === 'text' ? 'text' : 'value';
            columns.set(
                name,
                `max(case when metric = '${name.replaceAll("'", "''")}' then ${value} end) as ${freeName(columnName(name), taken)}`,
            );
        }
    }
    const select = [...COLUMNS, 'min(received_ms) as received_ms', ...columns.values(), 'day'].map((column) => `    ${column}`).join(',\n');
    const groups = [...COLUMNS, 'day'].join(', ');
    return {
        name: WIDE_VIEW + columnName(document.name),
        sql: `select\n${select}\nfrom readings\nwhere profile = '${document.name}'\ngroup by ${groups}`,
    };
}

/** A name that SQL takes without quotes. */
function columnName(name: string): string {
    const plain = name.toLowerCase().replaceAll(/[^a-z0-9_]+/g, '_');
    return /^[a-z]/.test(plain) ? plain : `m_${plain}`;
}

/** The name, with a number where it is taken or means something else in SQL. */
function freeName(name: string, taken: Set<string>): string {
    let free = RESERVED.has(name) ? `${name}_` : name;
    for (let number = 2; taken.has(free); number += 1) {
        free = `${name}_${number}`;
    }
    taken.add(free);
    return free;
}

/** Words that DuckDB, Trino or Spark do not take for the name of a column. */
const RESERVED = new Set(
    (
        'all alter analyse analyze and any array as asc at between both by case cast check collate column constraint create cross cube current_date current_time ' +
        'current_timestamp current_user deallocate default delete desc describe distinct do drop else end escape except execute exists extract false fetch for foreign ' +
        'from full grant group grouping having in initially inner insert intersect into is join lateral leading left like limit localtime localtimestamp natural ' +
        'normalize not null offset on only or order outer placing prepare primary qualify references recursive returning right rollup row select show skip some ' +
        'symmetric table then to trailing true trim uescape union unique unnest using values variadic when where window with'
    ).split(' '),
);

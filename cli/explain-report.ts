/** What `explain` shows: rows for each source or line, whether they come to what pair_days says, and what to do where they do not. */

import type { ResultColumn, Value } from '#lake/query/query-engine';
import type { Explanation, Part } from '#lake/reports/explain';
import type { FoundLines } from '#lake/reports/explain-lines';
import type { PairRows } from '#lake/rows';

const SHOWN = [
    'flows',
    'flow_duration_us_sum',
    'flow_duration_us_min',
    'flow_duration_us_max',
    'fwd_pkts_sum',
    'fwd_pkts_min',
    'fwd_pkts_max',
] as const;

/** All figures: the squares are compared too, and shown to nobody. */
const COMPARED = [...SHOWN, 'flow_duration_us_sum_sq', 'fwd_pkts_sum_sq'] as const;

export const PART_COLUMNS: readonly ResultColumn[] = [
    { name: 'site', type: 'varchar' },
    { name: 'source', type: 'varchar' },
    { name: 'version', type: 'varchar' },
    ...SHOWN.map((name) => ({ name, type: 'bigint' })),
    { name: 'share_of_flows', type: 'double' },
];

export const LINE_COLUMNS: readonly ResultColumn[] = [
    { name: 'source', type: 'varchar' },
    { name: 'line_number', type: 'bigint' },
    { name: 'flow_duration_us', type: 'bigint' },
    { name: 'fwd_pkts', type: 'bigint' },
    { name: 'line', type: 'varchar' },
];

/** A row for each source, and for each site the total. */
export function partRows({ parts, total }: Explanation): Value[][] {
    return total.site.flatMap((site, at) => {
        const ofSite = parts.filter(({ rows }) => rows.site[0] === site);
        const flows = total.flows[at] ?? 0n;
        const rowOf = (source: string, version: string | null, rows: PairRows, place: number): Value[] => [
            site,
            source,
            version,
            ...SHOWN.map((name) => rows[name][place] ?? null),
            flows > 0n ? Number(rows.flows[place]) / Number(flows) : null,
        ];
        return [...ofSite.map((part) => rowOf(nameOf(part), part.version, part.rows, 0)), rowOf('total', null, total, at)];
    });
}

/** The raw key, or the id of a source that has no ledger record. */
export function nameOf({ record, source }: Part): string {
    return record?.source ?? source;
}

/** Where the total is not what pair_days says, and why that may be; nothing where it is. */
export function findMismatches({ inLake, total, missing, isConsolidated }: Explanation): string[] {
    const sites = [...new Set([...inLake.site, ...total.site])];
    const figures = sites.flatMap((site) => {
        const [lakeAt, totalAt] = [inLake.site.indexOf(site), total.site.indexOf(site)];
        return COMPARED.flatMap((name) => {
            const [said, sum] = [inLake[name][lakeAt] ?? 0n, total[name][totalAt] ?? 0n];
            return said === sum ? [] : [`${name} at site ${site} is ${said} in pair_days, its sources make ${sum}`];
        });
    });
    const gone = missing.map((key) => `${key} is gone: what it contributed cannot be told apart`);
    const waiting = isConsolidated ? [] : ['the day waits to be consolidated, so pair_days is not yet what counts: run flowlake reconcile'];
    return [...figures, ...gone, ...waiting];
}

/** Where the lines that were found are not what the source's summary says. */
export function findLineMismatches(part: Part, found: FoundLines): string[] {
    const { rows } = part;
    const name = nameOf(part);
    if (found.problem !== undefined) {
        return [`the lines of ${name} cannot be shown: ${found.problem}`];
    }
    const pairs = [
        ['lines', found.count, rows.flows[0]],
        ['microseconds', found.durationUsSum, rows.flow_duration_us_sum[0]],
        ['packets', found.packetsSum, rows.fwd_pkts_sum[0]],
    ] as const;
    return pairs.flatMap(([what, count, said]) => (count === said ? [] : [`${name} has ${count} ${what}, its summary says ${said}`]));
}

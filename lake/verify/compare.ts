/** Two relations of figures side by side, and each figure in which they differ. */

import { FIGURES } from '#lake/verify/flows/row-sql';
import { type Engine, type Row, textOf, wholeOf } from './engine.ts';
import type { Difference, Findings } from './findings.ts';

const KEYS = ['site', 'src_ip', 'dst_ip', 'day'] as const;

export interface Comparison {
    /** Queries with the columns site, src_ip, dst_ip, day (text) and all figures. */
    inLake: string;
    recomputed: string;
    kind: 'pair_day' | 'summary';
    source?: string;
}

/** Adds every figure that differs; of a row that stands on one side only, or twice in the lake, just its `flows` or `rows`. */
export async function compareFigures(engine: Engine, { inLake, recomputed, kind, source }: Comparison, findings: Findings): Promise<void> {
    const each = (sqlOf: (figure: string) => string, between: string): string => FIGURES.map(sqlOf).join(between);
    await engine.run(`
        create or replace temp table differing as
        with in_lake as (select ${KEYS.join(', ')}, count(*) as copies, ${each((figure) => `any_value(try_cast(${figure} as hugeint)) as ${figure}`, ', ')} from (${inLake}) group by all),
        recomputed as (${recomputed})
        select
            ${KEYS.map((key) => `coalesce(in_lake.${key}, recomputed.${key}) as ${key}`).join(', ')},
            in_lake.copies,
            recomputed.flows is not null as is_recomputed,
            ${each((figure) => `in_lake.${figure} as in_lake_${figure}, recomputed.${figure} as recomputed_${figure}`, ', ')},
            case when copies = 1 and is_recomputed then ${each((figure) => `cast(in_lake_${figure} is distinct from recomputed_${figure} as integer)`, ' + ')} else 1 end as differences
        from in_lake
        full join recomputed on ${KEYS.map((key) => `in_lake.${key} = recomputed.${key}`).join(' and ')}
        where copies is distinct from 1 or not is_recomputed or ${each((figure) => `in_lake_${figure} is distinct from recomputed_${figure}`, ' or ')}`);
    const [total] = await engine.rows('select sum(differences) as differences from differing');
    const rows = await engine.rows(`select * from differing order by day, site, src_ip, dst_ip limit ${findings.room}`);
    const before = findings.count;
    for (const row of rows) {
        findings.add(...differencesOf(row, { kind, ...(source === undefined ? {} : { source }) }));
    }
    findings.addUnlisted(Number(wholeOf(total, 'differences') ?? 0n) - (findings.count - before));
}

function differencesOf(row: Row, about: Pick<Difference, 'kind' | 'source'>): Difference[] {
    const keys = Object.fromEntries(KEYS.map((key) => [key, textOf(row, key) ?? '']));
    const copies = wholeOf(row, 'copies');
    if (copies !== null && copies > 1n) {
        return [{ ...about, ...keys, figure: 'rows', in_lake: copies, recomputed: row.is_recomputed === true ? 1n : null }];
    }
    const figures = FIGURES.map((figure) => ({
        ...about,
        ...keys,
        figure,
        in_lake: wholeOf(row, `in_lake_${figure}`),
        recomputed: wholeOf(row, `recomputed_${figure}`),
    }));
    return copies === null || row.is_recomputed !== true
        ? figures.slice(0, 1)
        : figures.filter(({ in_lake, recomputed }) => in_lake !== recomputed);
}

/** Traffic from site to site in two periods, as far as the sites of addresses are known: by the registry of devices, on each day. */
import { z } from '@hono/zod-openapi';
import { type Compared, checkPeriods, isInPeriod, MEASURE_COLUMNS, readsOf } from './compare.ts';
import { Day } from './day.ts';
import { definePage } from './page.ts';
import { flowDays } from './pair.ts';

type MatrixParameters = Omit<Compared, 'site'>;

/**
 * An address is at the site whose probe saw it, where a device is registered there with it; else at the only site that has a device with it. Where several have one, or none,
 * it is not known.
 */
export const siteMatrixPage = definePage<MatrixParameters>({
    name: 'site-matrix',
    parameters: z.strictObject({
        from: Day,
        to: Day,
        before_from: Day,
        before_to: Day,
        measure: z.enum(['packets', 'duration', 'flows']).default('packets'),
    }),
    reads: (parameters) => [...readsOf(parameters), ...Array.from({ length: 4 }, () => ({ table: 'devices' }))],
    async answer(parameters, context) {
        checkPeriods(parameters);
        const { from, to, before_from: beforeFrom, before_to: beforeTo, measure } = parameters;
        const isAsked = (day: string): boolean => (day >= from && day <= to) || (day >= beforeFrom && day <= beforeTo);
        const days = (await flowDays(context)).filter(isAsked);
        if (days.length === 0) {
            return { measure, cells: [] };
        }
        const [before, after] = [isInPeriod(beforeFrom, beforeTo), isInPeriod(from, to)];
        const value = `cast(${MEASURE_COLUMNS[measure]} as decimal(38, 0))`;
        const zero = 'cast(0 as decimal(38, 0))';
        const { rows } = await context.ask(
            `with registered as (
    select
        d.site,
        d.ip,
        t.day
    from devices as d
    inner join (values ${days.map((day) => `('${day}')`).join(', ')}) as t (day)
        on t.day >= coalesce(d.valid_from, '0001-01-01') and t.day < coalesce(d.valid_to, '9999-12-31')
    where d.ip is not null
    group by d.site, d.ip, t.day
),

only_sites as (
    select
        ip,
        day,
        case when count(*) = 1 then min(site) end as site
    from registered
    group by ip, day
),

placed as (
    select
        pair_days.*,
        case when own_src.ip is not null then pair_days.site else any_src.site end as from_site,
        case when own_dst.ip is not null then pair_days.site else any_dst.site end as to_site
    from pair_days
    left join registered as own_src
        on own_src.site = pair_days.site and own_src.ip = pair_days.src_ip and own_src.day = pair_days.day
    left join registered as own_dst
        on own_dst.site = pair_days.site and own_dst.ip = pair_days.dst_ip and own_dst.day = pair_days.day
    left join only_sites as any_src on any_src.ip = pair_days.src_ip and any_src.day = pair_days.day
    left join only_sites as any_dst on any_dst.ip = pair_days.dst_ip and any_dst.day = pair_days.day
    where pair_days.${before} or pair_days.${after}
)

select
    from_site,
    to_site,
    sum(case when ${before} then ${value} else ${zero} end) as before_sum,
    sum(case when ${after} then ${value} else ${zero} end) as after_sum
from placed
group by from_site, to_site
order by from_site, to_site`,
        );
        return {
            measure,
            // Null: not known.
            cells: rows.map(([source, destination, beforeSum, afterSum]) => ({
                from: source === null ? null : String(source),
                to: destination === null ? null : String(destination),
                before_sum: String(beforeSum),
                after_sum: String(afterSum),
            })),
        };
    },
});

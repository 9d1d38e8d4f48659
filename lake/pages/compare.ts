/** Two periods held against each other, by pair, device (an address at a site) or site: what is new, gone, grown and shrunk. */
import { z } from '@hono/zod-openapi';
import { UsageError } from '#lake/errors';
import type { Value } from '#lake/query/query-engine';
import { Day } from './day.ts';
import { behind, CursorText, cursorText, faultOf, orderOf, reversed, type SortColumn } from './keyset.ts';
import { definePage, type Json, type PageContext, type Reads } from './page.ts';
import { flowDays } from './pair.ts';

/** The columns of what is compared, and where its rows come from. Of a pair both ends are devices; one that sends to itself counts once. */
const SUBJECTS = {
    pair: { columns: ['site', 'src_ip', 'dst_ip'], from: 'pair_days' },
    device: {
        columns: ['site', 'address'],
        from: `(
        select
            pair_days.*,
            case side when 'source' then src_ip else dst_ip end as address
        from pair_days
        cross join (values ('source'), ('destination')) as sides (side)
        where side = 'source' or src_ip <> dst_ip
    ) as ends`,
    },
    site: { columns: ['site'], from: 'pair_days' },
} as const;

/** The column of each measure. */
export const MEASURE_COLUMNS = { packets: 'fwd_pkts_sum', duration: 'flow_duration_us_sum', flows: 'flows' } as const;

/** What may become of one between the periods. */
const CHANGES = ['new', 'gone', 'grown', 'shrunk', 'same'] as const;

/** The parameters of both periods, all days inclusive. */
const Periods = {
    from: Day,
    to: Day,
    before_from: Day,
    before_to: Day,
    site: z.string().optional(),
    measure: z.enum(['packets', 'duration', 'flows']).default('packets'),
};

const Subject = z.enum(['pair', 'device', 'site']).default('pair');

const RowParameters = z.strictObject({
    ...Periods,
    by: Subject,
    /** Only those of which this became; all where it is left out. */
    change: z.enum(CHANGES).optional(),
    sort: z.enum(['change', 'before', 'after']).default('change'),
    order: z.enum(['asc', 'desc']).default('desc'),
    after: CursorText.optional(),
    before: CursorText.optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
});

const TotalParameters = z.strictObject({ ...Periods, by: Subject });

export interface Compared {
    from: string;
    to: string;
    before_from: string;
    before_to: string;
    site?: string | undefined;
    measure: keyof typeof MEASURE_COLUMNS;
}

/** The rows of a comparison, the largest changes first. */
export const comparePage = definePage<z.infer<typeof RowParameters>>({
    name: 'compare',
    parameters: RowParameters,
    reads: readsOf,
    async answer(parameters, { ask }) {
        const { by, change, sort, order, after, before, limit } = parameters;
        checkPeriods(parameters);
        if (after && before) {
            throw new UsageError('Give after or before, not both');
        }
        const { columns } = SUBJECTS[by];
        const sorted: SortColumn[] = [
            { name: SORT_COLUMNS[sort], type: 'decimal(38, 0)', order },
            ...columns.map((name): SortColumn => ({ name, type: 'varchar', order: 'asc' })),
        ];
        const direction = before ? reversed(sorted) : sorted;
        const place = after ?? before;
        const fault = place && faultOf(place, sorted);
        if (fault !== undefined) {
            throw new UsageError(fault);
        }
        const compared = comparedSql({ ...parameters, by });
        const behindPlace = place ? behind(place, direction) : { sql: 'true', parameters: [] };
        const isOfChange = change === undefined ? 'true' : `change = '${change}'`;
        const { rows } = await ask(
            `${compared.sql}
select ${[...columns, ...ROW_COLUMNS].join(', ')}
from compared
where ${isOfChange} and ${behindPlace.sql}
order by ${orderOf(direction)}
limit ${limit + 1}`,
            { parameters: [...compared.parameters, ...behindPlace.parameters] },
        );
        const names = [...columns, ...ROW_COLUMNS];
        const found = rows
            .slice(0, limit)
            .map((row) => Object.fromEntries(names.map((name, at) => [name, String(row[at])])) as Record<string, string>);
        const shown = before ? found.toReversed() : found;
        const isMore = rows.length > limit;
        const cursorOf = (row: Record<string, string> | undefined): string | null =>
            row ? cursorText(sorted.map(({ name }) => row[name] ?? '')) : null;
        return {
            by,
            /** A row's values in these columns are its cursor. */
            sortedBy: sorted.map(({ name }) => name),
            rows: shown,
            next: before || isMore ? cursorOf(shown.at(-1)) : null,
            previous: before ? (isMore ? cursorOf(shown[0]) : null) : after ? cursorOf(shown[0]) : null,
        };
    },
});

const SORT_COLUMNS = { change: 'distance', before: 'before_sum', after: 'after_sum' } as const;
const ROW_COLUMNS = ['change', 'before_sum', 'after_sum', 'difference', 'distance'] as const;

/** What a comparison comes to: how many there are of each change, and their totals. */
export const compareTotalsPage = definePage<z.infer<typeof TotalParameters>>({
    name: 'compare-totals',
    parameters: TotalParameters,
    reads: readsOf,
    async answer(parameters, context) {
        checkPeriods(parameters);
        const days = await daysOf(parameters, context);
        if (days.isEmpty) {
            return { state: 'no_flows' };
        }
        const periods = { before: days.before, after: days.after };
        if (days.before.there + days.after.there === 0) {
            return { state: 'no_days', ...periods, first: days.first, last: days.last };
        }
        const { sql, parameters: values } = comparedSql(parameters);
        const { rows } = await context.ask(
            `${sql}
select change, count(*) as number, sum(before_sum) as before_sum, sum(after_sum) as after_sum
from compared
group by change`,
            { parameters: values },
        );
        const changes = CHANGES.map((change): Json => {
            const [, number = 0n, before = 0n, after = 0n] = rows.find(([name]) => name === change) ?? [];
            return { change, number: String(number), before_sum: String(before), after_sum: String(after) };
        });
        return { state: 'found', by: parameters.by, measure: parameters.measure, ...periods, changes };
    },
});

/** @throws UsageError for a period that ends before it begins */
export function checkPeriods({ from, to, before_from: beforeFrom, before_to: beforeTo }: Compared): void {
    for (const [first, last] of [
        [from, to],
        [beforeFrom, beforeTo],
    ]) {
        if (first !== undefined && last !== undefined && first > last) {
            throw new UsageError(`A period from ${first} to ${last} ends before it begins: give the earlier day first`);
        }
    }
}

/** What a comparison of the periods scans. Days of both periods are scanned once. */
export function readsOf({ from, to, before_from: beforeFrom, before_to: beforeTo }: Compared): Reads[] {
    return [
        { table: 'pair_days', from: beforeFrom, to: beforeTo },
        { table: 'pair_days', from, to },
    ];
}

/** The condition that a day is in the period. Days of an address are checked, so that they may stand in the text: parameters may in a `where` only. */
export function isInPeriod(from: string, to: string): string {
    return `day between '${from}' and '${to}'`;
}

/** Steps of a statement, the last of which is `compared`: a row for each that is in one of the periods. */
function comparedSql({
    by,
    measure,
    site,
    from,
    to,
    before_from: beforeFrom,
    before_to: beforeTo,
}: Compared & { by: keyof typeof SUBJECTS }): { sql: string; parameters: Value[] } {
    const { columns, from: relation } = SUBJECTS[by];
    const [before, after] = [isInPeriod(beforeFrom, beforeTo), isInPeriod(from, to)];
    const value = `cast(${MEASURE_COLUMNS[measure]} as decimal(38, 0))`;
    const zero = 'cast(0 as decimal(38, 0))';
    return {
        sql: `with sums as (
    select
        ${columns.join(',\n        ')},
        count(case when ${before} then 1 end) as before_rows,
        count(case when ${after} then 1 end) as after_rows,
        sum(case when ${before} then ${value} else ${zero} end) as before_sum,
        sum(case when ${after} then ${value} else ${zero} end) as after_sum
    from ${relation}
    where (${before} or ${after})${site === undefined ? '' : ' and site = cast(? as varchar)'}
    group by ${columns.join(', ')}
),

compared as (
    select
        *,
        after_sum - before_sum as difference,
        abs(after_sum - before_sum) as distance,
        case
            when before_rows = 0 then 'new'
            when after_rows = 0 then 'gone'
            when after_sum > before_sum then 'grown'
            when after_sum < before_sum then 'shrunk'
            else 'same'
        end as change
    from sums
)`,
        parameters: site === undefined ? [] : [site],
    };
}

const DAY_MS = 86_400_000;

interface PeriodDays {
    from: string;
    to: string;
    /** Days of it, and those that the lake has flows of. */
    asked: number;
    there: number;
}

/** How much of each period the lake has: one without a file of a day is smaller for that alone. */
async function daysOf(
    { from, to, before_from: beforeFrom, before_to: beforeTo }: Compared,
    context: PageContext,
): Promise<{ before: PeriodDays & Json; after: PeriodDays & Json; isEmpty: boolean; first: string | null; last: string | null }> {
    const days = await flowDays(context);
    const of = (first: string, last: string) => ({
        from: first,
        to: last,
        asked: (Date.parse(last) - Date.parse(first)) / DAY_MS + 1,
        there: days.filter((day) => day >= first && day <= last).length,
    });
    return {
        before: of(beforeFrom, beforeTo),
        after: of(from, to),
        isEmpty: days.length === 0,
        first: days[0] ?? null,
        last: days.at(-1) ?? null,
    };
}

/** Pairs of devices: found by address, network, site and days, sorted by a measure, a page at a time. */
import { z } from '@hono/zod-openapi';
import { UsageError } from '#lake/errors';
import type { Value } from '#lake/query/query-engine';
import { type AddressSearch, type Condition, conditionOf, joinConditions, readAddressSearch, saySearch } from './address-search.ts';
import { Day } from './day.ts';
import { behind, type Cursor, CursorText, cursorText, faultOf, orderOf, reversed, type SortColumn } from './keyset.ts';
import { definePage, type Json, type PageContext } from './page.ts';
import { flowDays } from './pair.ts';

const PAIR = ['site', 'src_ip', 'dst_ip'] as const;

/** What pairs are sorted by. */
const SORTS = {
    packets: { name: 'fwd_pkts_sum', type: 'decimal(38, 0)' },
    duration: { name: 'flow_duration_us_sum', type: 'decimal(38, 0)' },
    flows: { name: 'flows', type: 'bigint' },
    days: { name: 'days', type: 'bigint' },
    first: { name: 'first_day', type: 'varchar' },
    last: { name: 'last_day', type: 'varchar' },
    name: undefined,
} as const;

type Sort = keyof typeof SORTS;

/** Addresses as they are searched for. */
const SearchText = z.string().transform((text, context): AddressSearch => {
    const search = readAddressSearch(text);
    if ('problem' in search) {
        context.addIssue({ code: 'custom', message: search.problem });
        return z.NEVER;
    }
    return search;
});

const Parameters = z.strictObject({
    /** Either address. */
    address: SearchText.optional(),
    src: SearchText.optional(),
    dst: SearchText.optional(),
    site: z.string().optional(),
    from: Day.optional(),
    to: Day.optional(),
    by: z.enum(['packets', 'duration', 'flows', 'days', 'first', 'last', 'name']).default('packets'),
    order: z.enum(['asc', 'desc']).optional(),
    /** Only pairs behind this one; or before this one, the nearest ones. */
    after: CursorText.optional(),
    before: CursorText.optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
});

type PairsParameters = z.infer<typeof Parameters>;

export const pairsPage = definePage<PairsParameters>({
    name: 'pairs',
    parameters: Parameters,
    reads: ({ from, to }) => [{ table: 'pair_days', from, to }],
    async answer(parameters, context) {
        const { from, to, after, before, limit } = parameters;
        if (after && before) {
            throw new UsageError('Give after or before, not both');
        }
        const columns = sortColumns(parameters);
        const isBackward = before !== undefined;
        const found = await askPairs(parameters, { columns, context });
        if (found.rows.length === 0 && !after && !before) {
            return whyNone({ from, to }, context);
        }
        const isMore = found.rows.length > limit;
        const kept = found.rows.slice(0, limit);
        const rows = isBackward ? kept.toReversed() : kept;
        const cursorOf = (row: PairRow | undefined): string | null =>
            row ? cursorText(columns.map(({ name }) => String(row[name as keyof PairRow]))) : null;
        return {
            state: 'found',
            /** A row's values in these columns are its cursor. */
            sortedBy: columns.map(({ name }) => name),
            searched: { address: said(parameters.address), src: said(parameters.src), dst: said(parameters.dst) },
            totals: found.totals,
            rows: rows.map((row): Json => ({ ...row })),
            next: isBackward || isMore ? cursorOf(rows.at(-1)) : null,
            previous: isBackward ? (isMore ? cursorOf(rows[0]) : null) : after ? cursorOf(rows[0]) : null,
        };
    },
});

function said(search: AddressSearch | undefined): string | null {
    return search ? saySearch(search) : null;
}

/** The columns that the pairs are sorted by; those of the pair last, so that no two rows have one place. */
function sortColumns({ by, order }: { by: Sort; order?: 'asc' | 'desc' | undefined }): SortColumn[] {
    const measure = SORTS[by];
    const pair = (direction: 'asc' | 'desc'): SortColumn[] => PAIR.map((name) => ({ name, type: 'varchar', order: direction }));
    return measure ? [{ ...measure, order: order ?? 'desc' }, ...pair('asc')] : pair(order ?? 'asc');
}

/** A pair with its figures over the days that are asked for, each a text with all its digits. */
interface PairRow {
    site: string;
    src_ip: string;
    dst_ip: string;
    days: string;
    first_day: string;
    last_day: string;
    flows: string;
    flow_duration_us_sum: string;
    fwd_pkts_sum: string;
}

const COLUMNS = [...PAIR, 'days', 'first_day', 'last_day', 'flows', 'flow_duration_us_sum', 'fwd_pkts_sum'] as const;

interface FoundPairs {
    rows: PairRow[];
    /** The sums of all pairs that were found; null on a page behind the first one. */
    totals: Json;
}

/** One more than the limit, where there are more. With the first page come totals: a pass of its own over the pairs would read them twice. */
async function askPairs(
    { address, src, dst, site, from, to, after, before, limit }: PairsParameters,
    { columns, context }: { columns: readonly SortColumn[]; context: PageContext },
): Promise<FoundPairs> {
    const asked = joinConditions('and', [
        { sql: 'day >= cast(? as varchar)', parameters: [from ?? '0001-01-01'] },
        { sql: 'day <= cast(? as varchar)', parameters: [to ?? '9999-12-31'] },
        ...(site === undefined ? [] : [{ sql: 'site = cast(? as varchar)', parameters: [site] }]),
        ...(src ? [conditionOf(src, 'src_ip')] : []),
        ...(dst ? [conditionOf(dst, 'dst_ip')] : []),
        ...(address ? [eitherEnd(address)] : []),
    ]);
    const direction = before ? reversed(columns) : columns;
    const place = placeIn(after ?? before, direction);
    const { rows } = await context.ask(
        `with totals as (
    select
        site,
        src_ip,
        dst_ip,
        count(*) as days,
        min(day) as first_day,
        max(day) as last_day,
        cast(sum(flows) as bigint) as flows,
        sum(cast(flow_duration_us_sum as decimal(38, 0))) as flow_duration_us_sum,
        sum(cast(fwd_pkts_sum as decimal(38, 0))) as fwd_pkts_sum
    from pair_days
    where ${asked.sql}
    group by site, src_ip, dst_ip
)

select ${[...COLUMNS, ...(place ? [] : TOTALS)].join(', ')}
from totals
${place ? `where ${place.sql}` : ''}
order by ${orderOf(direction)}
limit ${limit + 1}`,
        { parameters: [...asked.parameters, ...(place?.parameters ?? [])] },
    );
    const [first] = rows;
    const [pairs, ...sums] = (first ?? []).slice(COLUMNS.length).map(String);
    return {
        rows: rows.map((row) => Object.fromEntries(COLUMNS.map((name, at) => [name, String(row[at])])) as unknown as PairRow),
        totals: place || pairs === undefined ? null : { pairs, flows: sums[0], flow_duration_us_sum: sums[1], fwd_pkts_sum: sums[2] },
    };
}

const TOTALS = [
    'count(*) over () as pairs',
    'sum(cast(flows as decimal(38, 0))) over () as all_flows',
    'sum(flow_duration_us_sum) over () as all_durations',
    'sum(fwd_pkts_sum) over () as all_pkts',
];

function eitherEnd(search: AddressSearch): Condition {
    return joinConditions('or', [conditionOf(search, 'src_ip'), conditionOf(search, 'dst_ip')]);
}

/** @throws UsageError for a cursor of rows that are sorted otherwise */
function placeIn(cursor: Cursor | undefined, columns: readonly SortColumn[]): { sql: string; parameters: Value[] } | undefined {
    const fault = cursor && faultOf(cursor, columns);
    if (fault !== undefined) {
        throw new UsageError(fault);
    }
    return cursor && behind(cursor, columns);
}

/** Why there is nothing: the lake has no flows, or none on these days, or none that were searched for. */
async function whyNone({ from, to }: { from?: string | undefined; to?: string | undefined }, context: PageContext): Promise<Json> {
    const days = await flowDays(context);
    const span = { first: days[0] ?? null, last: days.at(-1) ?? null };
    if (days.length === 0) {
        return { state: 'no_flows' };
    }
    const isAny = days.some((day) => day >= (from ?? day) && day <= (to ?? day));
    return { state: isAny ? 'none' : 'no_days', ...span };
}

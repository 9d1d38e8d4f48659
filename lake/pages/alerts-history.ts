/** Alerts and silences as history has them, of all times and lakes: open ones first, then the newest. */
import { z } from '@hono/zod-openapi';
import { SEVERITIES } from '#lake/live/api/services';
import type { Value } from '#lake/query/query-engine';
import { compareTexts } from '#lake/rows';
import { episodeBody } from './episode-body.ts';
import { type NamedRow, namedRows, numberIn, textIn } from './named-rows.ts';
import { definePage, type PageContext } from './page.ts';
import { Instants } from './time-range.ts';

const MAX_LIMIT = 500;

const Parameters = z.strictObject({
    state: z.enum(['open', 'closed']).optional(),
    severity: z.enum(SEVERITIES).optional(),
    kind: z.enum(['alert', 'silent']).optional(),
    device: z.string().optional(),
    rule: z.string().optional(),
    site: z.string().optional(),
    profile: z.string().optional(),
    /** Leaves out what ended before. */
    from: Instants.from.optional(),
    to: Instants.to.optional(),
    page: z.coerce.number().int().min(1).default(1),
    limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(50),
});

/** The answer of the page, as its reader gets it. */
export type AlertsHistory = Awaited<ReturnType<typeof answer>>;

export const alertsHistoryPage = definePage({
    name: 'alerts-history',
    parameters: Parameters,
    reads: () => [{ table: 'episodes' }, { table: 'episodes' }],
    answer,
});

async function answer({ state, from, to, page, limit, device, ...names }: z.output<typeof Parameters>, context: PageContext) {
    const nowMs = context.now().getTime();
    const inTime: Condition[] = [
        // An open silence whose time has not come is none yet.
        ['(ended_ms is not null or began_ms <= ?)', BigInt(nowMs)],
        ...(from === undefined ? [] : [['(ended_ms is null or ended_ms >= ?)', BigInt(from)] satisfies Condition]),
        ...(to === undefined ? [] : [['began_ms < ?', BigInt(to)] satisfies Condition]),
        ...(device === undefined ? [] : [['device = ?', device] satisfies Condition]),
    ];
    const ofNames = Object.entries(names).flatMap(([name, value]): Condition[] => (value === undefined ? [] : [[`${name} = ?`, value]]));
    const ofState: Condition[] = state === undefined ? [] : [[state === 'open' ? 'ended_ms is null' : 'ended_ms is not null']];
    const [wanted, all] = [joined([...inTime, ...ofNames, ...ofState]), joined(inTime)];
    const [rows, groups] = await Promise.all([
        context.ask(ranked(wanted.where), { parameters: [...wanted.values, BigInt((page - 1) * limit), BigInt(page * limit)] }),
        context.ask(counted(all.where), { parameters: all.values }),
    ]);
    const known = namedRows(groups);
    const chosen = known.filter((row) => Object.entries(names).every(([name, value]) => row[name] === (value ?? row[name])));
    const countOf = (isCounted: (row: NamedRow) => boolean) =>
        chosen.filter(isCounted).reduce((sum, row) => sum + (numberIn(row, 'count') ?? 0), 0);
    const named = (name: string) => [...new Set(known.flatMap((row) => textIn(row, name) ?? []))].sort(compareTexts);
    return {
        nowMs,
        alerts: namedRows(rows).map(episodeBody),
        count: countOf((row) => row.state === (state ?? row.state)),
        open: Object.fromEntries(
            SEVERITIES.map((severity) => [severity, countOf((row) => row.state === 'open' && row.severity === severity)]),
        ),
        closed: countOf((row) => row.state === 'closed'),
        rules: named('rule'),
        sites: named('site'),
        profiles: named('profile'),
    };
}

/** A condition of SQL with the values of its parameters. */
type Condition = [string, ...Value[]];

function joined(conditions: readonly Condition[]): { where: string; values: Value[] } {
    return { where: conditions.map(([condition]) => condition).join(' and '), values: conditions.flatMap(([, ...values]) => values) };
}

/** The order of query `alerts`. */
function ranked(where: string): string {
    return `
with ranked as (
    select *, row_number() over (order by case when ended_ms is null then 0 else 1 end, began_ms desc, site, device, rule) as place
    from all_episodes
    where ${where}
)

select * from ranked where place > ? and place <= ? order by place`;
}

function counted(where: string): string {
    return `
with stated as (
    select severity, kind, rule, site, profile, case when ended_ms is null then 'open' else 'closed' end as state
    from all_episodes
    where ${where}
)

select severity, kind, rule, site, profile, state, count(*) as count
from stated
group by severity, kind, rule, site, profile, state`;
}

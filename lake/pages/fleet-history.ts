/** The fleet as history has it: devices of a range of days, in the order that is asked for, page by page, and how many there are of each profile and site. */
import { z } from '@hono/zod-openapi';
import { compareTexts } from '#lake/rows';
import { type FleetRow, fleetReads, readFleet } from './fleet-rows.ts';
import { definePage, type PageContext } from './page.ts';
import { Days } from './time-range.ts';

/** States that history can tell: that a message is late but may still come, only a watch can. */
const STATES = ['online', 'silent', 'unknown'] as const;

type State = (typeof STATES)[number];

const SORTS = ['device', 'last', 'battery', 'alerts', 'troubled', 'readings'] as const;

const MAX_LIMIT = 500;

/** What of the fleet is looked at. */
export const FleetFilters = {
    profile: z.string().optional(),
    site: z.string().optional(),
    /** Beginning of the id. */
    prefix: z.string().optional(),
};

const Parameters = z.strictObject({
    ...Days,
    ...FleetFilters,
    state: z.enum(STATES).optional(),
    /** Devices are judged as of now, or as of their newest reading: of a lake that gets no more readings all are silent now. */
    at: z.enum(['now', 'end']).default('now'),
    sort: z
        .string()
        .regex(new RegExp(`^-?(${SORTS.join('|')})$`), `Expected one of ${SORTS.join(', ')}; with - in front the largest first.`)
        .default('device'),
    page: z.coerce.number().int().min(1).default(1),
    limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(50),
});

/** The answer of the page, as its reader gets it. */
export type FleetHistory = Awaited<ReturnType<typeof answer>>;

export const fleetHistoryPage = definePage({
    name: 'fleet-history',
    parameters: Parameters,
    reads: (asked) => fleetReads(asked),
    answer,
});

async function answer({ state, at, sort, page, limit, ...asked }: z.output<typeof Parameters>, context: PageContext) {
    const all = await readFleet(context, asked);
    const newestMs = all.reduce((newest, { lastMs }) => Math.max(newest, lastMs ?? 0), 0);
    const atMs = at === 'end' ? newestMs : context.now().getTime();
    const rows = all.filter((row) => isWanted(row, asked)).map((row) => ({ ...row, state: stateAt(row, atMs) }));
    const wanted = rows.filter((row) => row.state === (state ?? row.state)).sort(orderOf(sort));
    return {
        atMs,
        newestMs: newestMs === 0 ? null : newestMs,
        profiles: namesOf(all, ({ profile }) => profile),
        sites: namesOf(all, ({ site }) => site),
        groups: groupsOf(rows),
        count: wanted.length,
        devices: wanted.slice((page - 1) * limit, page * limit).map(({ latitude: _, longitude: __, ...row }) => row),
    };
}

/** True for a device of the profile and site whose id begins so. */
export function isWanted(
    row: Pick<FleetRow, 'profile' | 'site' | 'device'>,
    { profile, site, prefix = '' }: { profile?: string | undefined; site?: string | undefined; prefix?: string | undefined },
): boolean {
    return row.profile === (profile ?? row.profile) && row.site === (site ?? row.site) && row.device.startsWith(prefix);
}

/** The state at that time, as `flowlake devices` tells it. */
export function stateAt({ lastMs, silentFromMs }: Pick<FleetRow, 'lastMs' | 'silentFromMs'>, atMs: number): State {
    if (silentFromMs === null) {
        return 'unknown';
    }
    // Not heard in the range, and its silence had begun before.
    return silentFromMs <= atMs ? 'silent' : lastMs === null ? 'unknown' : 'online';
}

type StatedRow = FleetRow & { state: State };

function orderOf(sort: string): (a: StatedRow, b: StatedRow) => number {
    const [sign, name] = sort.startsWith('-') ? ([-1, sort.slice(1)] as const) : ([1, sort] as const);
    const byName = (a: StatedRow, b: StatedRow): number => compareTexts(a.device, b.device) || compareTexts(a.site, b.site);
    if (name === 'device') {
        return (a, b) => sign * byName(a, b);
    }
    const figureOf = VALUES[name as keyof typeof VALUES];
    return (a, b) => {
        const [one, other] = [figureOf(a), figureOf(b)];
        // What is not known stands last, in either order.
        return Number(one === null) - Number(other === null) || sign * ((one ?? 0) - (other ?? 0)) || byName(a, b);
    };
}

const VALUES: Readonly<Record<Exclude<(typeof SORTS)[number], 'device'>, (row: StatedRow) => number | null>> = {
    last: ({ lastMs }) => lastMs,
    battery: ({ battery }) => (battery === null ? null : Number(battery)),
    alerts: ({ alerts }) => alerts,
    troubled: ({ troubledMs }) => troubledMs,
    readings: ({ readings }) => Number(readings),
};

/** The devices of each profile and site: by state, and how many of those that were heard had an alert. */
function groupsOf(rows: readonly StatedRow[]) {
    const groups = new Map<
        string,
        { profile: string | null; site: string; heard: number; alerted: number; alerts: number } & Record<State, number>
    >();
    for (const row of rows) {
        const key = JSON.stringify([row.profile, row.site]);
        const group = groups.get(key) ?? {
            ...{ profile: row.profile, site: row.site, online: 0, silent: 0, unknown: 0, heard: 0, alerted: 0, alerts: 0 },
        };
        groups.set(key, group);
        group[row.state] += 1;
        group.heard += row.lastMs === null ? 0 : 1;
        group.alerted += row.alerts > 0 ? 1 : 0;
        group.alerts += row.alerts;
    }
    return [...groups.values()]
        .sort((a, b) => compareTexts(a.profile ?? '', b.profile ?? '') || compareTexts(a.site, b.site))
        .map((group) => ({ ...group, alertRate: group.heard === 0 ? null : group.alerted / group.heard }));
}

/** Each name once, ascending. */
export function namesOf<Row>(rows: readonly Row[], pick: (row: Row) => string | null): string[] {
    return [...new Set(rows.flatMap((row) => pick(row) ?? []))].sort(compareTexts);
}

/** A year of days: how much there was on each, on which there was nothing, and which cannot be read. */
import { z } from '@hono/zod-openapi';
import type { Value } from '#lake/query/query-engine';
import { type DaySpan, readByHalves } from './by-halves.ts';
import { addDays, Day, daysBetween } from './day.ts';
import { listLakeDays, newestOf } from './lake-days.ts';
import { definePage, type Json, type PageContext } from './page.ts';

/** Weeks of a calendar, the last one among them: a year and the days that are left of it. */
const WEEKS = 53;
const DAYS_OF_A_WEEK = 7;

interface CalendarParameters {
    of: 'flows' | 'telemetry';
    /** Day of the last week. */
    to?: string | undefined;
    site?: string | undefined;
}

/** What the amount of a day is taken from. */
const TABLES = {
    flows: { table: 'pair_days', amount: 'cast(sum(flows) as bigint)' },
    telemetry: { table: 'metric_hours', amount: 'cast(sum(n) as bigint)' },
} as const;

interface DayAmount {
    day: string;
    /** Flows or readings, with all digits. */
    amount: string;
    sites: number;
}

export const calendarPage = definePage<CalendarParameters>({
    name: 'calendar',
    parameters: z.strictObject({ of: z.enum(['flows', 'telemetry']).default('flows'), to: Day.optional(), site: z.string().optional() }),
    // Of a site the days before are asked for, too: whether it was there then.
    reads: ({ of, to, site }) => [
        { table: TABLES[of].table, from: to === undefined || site !== undefined ? undefined : rangeOf(to).from, to: to && rangeOf(to).to },
    ],
    async answer({ of, to, site }, context) {
        const ofLake = await listLakeDays(await context.lake.store());
        const ofKind = ofLake.find(({ kind }) => kind === of)?.days ?? [];
        const last = to ?? newestOf(ofLake);
        if (last === undefined) {
            return { of, from: null, to: null, first: null, last: null, days: [] };
        }
        const range = rangeOf(last);
        const found = new Map<string, DayAmount>();
        const faults = new Map<string, string>();
        const read = (span: DaySpan): Promise<DayAmount[]> => askAmounts({ of, site, ...span }, context);
        for await (const part of readByHalves(range, { read, signal: context.signal })) {
            if ('fault' in part) {
                faults.set(part.day, part.fault);
            } else {
                for (const amount of part.rows) {
                    found.set(amount.day, amount);
                }
            }
        }
        const [earliest] = [...found.keys(), ...faults.keys()].sort();
        const first = site === undefined || (await wasThere({ of, site, before: range.from }, context)) ? ofKind[0] : earliest;
        const span = { first: first ?? '9999-12-31', last: ofKind.at(-1) ?? '' };
        const days: Json[] = daysBetween(range.from, range.to).map((day) => {
            const fault = faults.get(day);
            const amount = found.get(day);
            if (fault !== undefined) {
                return { day, is: 'unreadable', why: fault };
            }
            if (amount) {
                return { day, is: 'there', amount: amount.amount, sites: amount.sites };
            }
            return { day, is: day >= span.first && day <= span.last ? 'missing' : 'outside' };
        });
        return { of, ...range, first: first ?? null, last: ofKind.at(-1) ?? null, days };
    },
});

/** The days from a Monday on, up to the Sunday of the week of `to`. */
function rangeOf(to: string): DaySpan {
    const sinceMonday = (new Date(to).getUTCDay() + DAYS_OF_A_WEEK - 1) % DAYS_OF_A_WEEK;
    const monday = addDays(to, -sinceMonday);
    return { from: addDays(monday, -DAYS_OF_A_WEEK * (WEEKS - 1)), to: addDays(monday, DAYS_OF_A_WEEK - 1) };
}

interface AskedAmounts extends DaySpan {
    of: 'flows' | 'telemetry';
    site: string | undefined;
}

async function askAmounts({ of, site, from, to }: AskedAmounts, { ask }: PageContext): Promise<DayAmount[]> {
    const { table, amount } = TABLES[of];
    const parameters: Value[] = [from, to, site ?? null];
    const { rows } = await ask(
        `select day, ${amount} as amount, count(distinct site) as sites
        from ${table}
        where day >= cast(? as varchar) and day <= cast(? as varchar) and site = coalesce(cast(? as varchar), site)
        group by day
        order by day`,
        { parameters },
    );
    return rows.map(([day, found, sites]) => ({ day: String(day), amount: String(found), sites: Number(sites) }));
}

/** True if the site has figures of a day before. */
async function wasThere(
    { of, site, before }: { of: 'flows' | 'telemetry'; site: string; before: string },
    { ask }: PageContext,
): Promise<boolean> {
    const sql = `select day from ${TABLES[of].table} where site = cast(? as varchar) and day < cast(? as varchar) limit 1`;
    return (await ask(sql, { parameters: [site, before] })).rows.length > 0;
}

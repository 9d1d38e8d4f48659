/** A day of the lake: how much there was at each site, beside what is usual there on days like it, and which sites sent nothing. */
import { z } from '@hono/zod-openapi';
import { type DaySpan, readByHalves } from './by-halves.ts';
import { addDays, Day, daysLike, USUAL_DAYS } from './day.ts';
import { listLakeDays, newestOf } from './lake-days.ts';
import { definePage, type Json, type PageContext } from './page.ts';

interface TodayParameters {
    day?: string | undefined;
}

/** Sites that are told one by one; those that sent nothing all are. */
const MOST_SITES = 100;

/** Days of its sort that a site must have sent on before it is missed: of fewer nobody knows what is usual. */
const LEAST_DAYS = 3;

export const todayPage = definePage<TodayParameters>({
    name: 'today',
    parameters: z.strictObject({ day: Day.optional() }),
    reads: ({ day }) => ['pair_days', 'metric_hours'].map((table) => ({ table, from: day && addDays(day, -USUAL_DAYS), to: day })),
    async answer({ day: asked }, context) {
        const day = asked ?? newestOf(await listLakeDays(await context.lake.store()));
        if (day === undefined) {
            return { day: null, flows: null, telemetry: null };
        }
        return { day, flows: await flowsOf(day, context), telemetry: await telemetryOf(day, context) };
    },
});

async function flowsOf(day: string, context: PageContext): Promise<Json> {
    const past = await readPast('select site, day, flows as amount from day_totals', day, context);
    if (past.unreadable.has(day)) {
        return unreadable(past);
    }
    const { rows } = await context.ask(
        'select site, flows, pairs, flow_duration_us_sum, fwd_pkts_sum from day_totals where day = cast(? as varchar) order by flows desc, site',
        { parameters: [day] },
    );
    const totals = [1, 2, 3, 4].map((column) => sumOf(rows.map((row) => row[column])));
    const [flows, pairs, durationUs, packets] = totals.map(String);
    const sites = rows.slice(0, MOST_SITES).map(([site, ...figures]) => {
        const [ofSite, pairsOfSite, durationOfSite, packetsOfSite] = figures.map(String);
        return {
            site: String(site),
            amount: ofSite,
            pairs: pairsOfSite,
            durationUs: durationOfSite,
            packets: packetsOfSite,
            ...usualOf(past.sites.get(String(site)), day),
        };
    });
    return past.sites.size === 0
        ? null
        : {
              amount: flows,
              pairs,
              durationUs,
              packets,
              siteCount: rows.length,
              sites,
              quiet: quietSites(past, day),
              unreadable: faultsOf(past),
          };
}

async function telemetryOf(day: string, context: PageContext): Promise<Json> {
    const past = await readPast('select site, day, cast(sum(n) as bigint) as amount from metric_hours group by site, day', day, context);
    if (past.unreadable.has(day)) {
        return unreadable(past);
    }
    const { rows } = await context.ask(
        `select site, cast(sum(n) as bigint) as readings, count(distinct device) as devices
        from metric_hours
        where day = cast(? as varchar)
        group by site
        order by readings desc, site`,
        { parameters: [day] },
    );
    const [readings, devices] = [1, 2].map((column) => String(sumOf(rows.map((row) => row[column]))));
    const sites = rows.slice(0, MOST_SITES).map(([site, ofSite, devicesOfSite]) => ({
        site: String(site),
        amount: String(ofSite),
        devices: String(devicesOfSite),
        ...usualOf(past.sites.get(String(site)), day),
    }));
    return past.sites.size === 0
        ? null
        : { amount: readings, devices, siteCount: rows.length, sites, quiet: quietSites(past, day), unreadable: faultsOf(past) };
}

/** The day, and those before it that tell what is usual. */
interface Past {
    /** Flows or readings of each site by day. */
    sites: ReadonlyMap<string, ReadonlyMap<string, bigint>>;
    /** Why days cannot be read: whether something came on them is not known. */
    unreadable: ReadonlyMap<string, string>;
}

async function readPast(relation: string, day: string, { ask, signal }: PageContext): Promise<Past> {
    const read = async ({ from, to }: DaySpan) => {
        const sql = `with amounts as (
            ${relation}
        )

        select site, day, amount from amounts where day >= cast(? as varchar) and day <= cast(? as varchar)`;
        return (await ask(sql, { parameters: [from, to], maxRows: 1_000_000 })).rows;
    };
    const sites = new Map<string, Map<string, bigint>>();
    const unreadable = new Map<string, string>();
    for await (const part of readByHalves({ from: addDays(day, -USUAL_DAYS), to: day }, { read, signal })) {
        if ('fault' in part) {
            unreadable.set(part.day, part.fault);
            continue;
        }
        for (const [site, of, amount] of part.rows) {
            const days = sites.get(String(site)) ?? new Map<string, bigint>();
            days.set(String(of), toWhole(amount));
            sites.set(String(site), days);
        }
    }
    return { sites, unreadable };
}

/** The answer for a day that cannot be read itself: not that nothing came. */
function unreadable(past: Past): Json {
    return { amount: null, siteCount: 0, sites: [], quiet: [], unreadable: faultsOf(past) };
}

function faultsOf({ unreadable: faults }: Past): Json[] {
    return [...faults].sort().map(([day, why]) => ({ day, why }));
}

/** What is usual at a site on days like this one: the lower median of those that it sent on, which is an amount that really was. Null of fewer than three. */
function usualOf(days: ReadonlyMap<string, bigint> | undefined, day: string): { usual: string | null; usualDays: number } {
    const past = daysLike(day, { within: USUAL_DAYS })
        .flatMap((other) => days?.get(other) ?? [])
        .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const usual = past.length < LEAST_DAYS ? undefined : past[Math.floor((past.length - 1) / 2)];
    return { usual: usual === undefined ? null : String(usual), usualDays: past.length };
}

/** Sites without anything on the day, though they sent something on at least half of the days like it before: since they were first heard of, in four weeks. */
function quietSites({ sites, unreadable: faults }: Past, day: string): Json[] {
    const quiet: { site: string; sentDays: number; days: number; last: string; strip: (string | null)[] }[] = [];
    for (const [site, amounts] of sites) {
        const known = [...amounts.keys()].sort();
        const alike = daysLike(day, { within: USUAL_DAYS }).filter((other) => other >= (known[0] ?? day) && !faults.has(other));
        const sent = alike.filter((other) => amounts.has(other));
        if (!amounts.has(day) && sent.length >= LEAST_DAYS && sent.length * 2 >= alike.length) {
            const strip = [...alike, day].map((other) => amounts.get(other)?.toString() ?? null);
            quiet.push({ site, sentDays: sent.length, days: alike.length, last: known.at(-1) ?? day, strip });
        }
    }
    return quiet.sort((a, b) => (a.last === b.last ? (a.site < b.site ? -1 : 1) : a.last < b.last ? 1 : -1));
}

function sumOf(values: readonly unknown[]): bigint {
    return values.reduce<bigint>((sum, value) => sum + toWhole(value), 0n);
}

/** A whole number of an answer, whatever type its engine gives it. */
function toWhole(value: unknown): bigint {
    return BigInt(String(value));
}

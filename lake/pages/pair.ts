/** One pair of devices at one site: its daily totals there and back, how they have developed, what was usual, and the days on which nobody looked. */
import { z } from '@hono/zod-openapi';
import { shortAddress } from '#lake/addresses';
import { OverflowError } from '#lake/errors';
import type { Value } from '#lake/query/query-engine';
import { readQuery } from '#lake/query/sql-files';
import { commandLine } from './command-line.ts';
import { Day, daysBetween } from './day.ts';
import { listLakeDays } from './lake-days.ts';
import { definePage, type Json, type PageContext } from './page.ts';

/** An address in the form that the tables have; what is no address is left as it is, and found nowhere. */
export const AddressText = z
    .string()
    .min(1)
    .transform((text) => shortAddress(text.trim()) ?? text.trim());

interface PairParameters {
    src: string;
    dst: string;
    site?: string | undefined;
    from?: string | undefined;
    to?: string | undefined;
}

/** The measures that pair_usual judges. */
const MEASURES = ['fwd_pkts_sum', 'flow_duration_us_sum', 'flows'] as const;

type Measure = (typeof MEASURES)[number];

export const pairPage = definePage<PairParameters>({
    name: 'pair',
    parameters: z.strictObject({
        src: AddressText,
        dst: AddressText,
        site: z.string().optional(),
        from: Day.optional(),
        to: Day.optional(),
    }),
    // The report, what is usual, and the days of the site. The running figures count from the pair's first day.
    reads: () => [{ table: 'pair_days' }, { table: 'pair_days' }, { table: 'pair_days' }],
    async answer({ src, dst, site: wanted, from, to }, context) {
        const report = await readReport({ src, dst, site: wanted }, context);
        const sites = [...new Set(report.days.map(({ site }) => site))].sort();
        const [site] = sites;
        if (site === undefined) {
            const isEmpty = (await flowDays(context)).length === 0;
            return isEmpty ? { state: 'no_flows' } : { state: 'unknown', src, dst, site: wanted ?? null };
        }
        if (sites.length > 1) {
            return { state: 'sites', src, dst, sites: sites.map((name) => spanOf(report.days.filter((day) => day.site === name))) };
        }
        const span = spanOf(report.days);
        const shown = report.days.filter(({ day }) => day >= (from ?? day) && day <= (to ?? day));
        if (shown.length === 0) {
            return { state: 'no_days', ...span, src, dst };
        }
        const heard = await readHeard(site, context);
        const range = { from: from ?? span.first, to: to ?? heard.last };
        const usual = await readUsual({ src, dst, site }, context);
        const daysOf = (source: string, destination: string): Json[] =>
            shown
                .filter((day) => day.src === source && day.dst === destination)
                .map(({ site: _, src: __, dst: ___, ...day }) => ({
                    ...day,
                    usual: usual.get(`${source} ${destination} ${day.day}`) ?? {},
                }));
        return {
            state: 'found',
            ...span,
            src,
            dst,
            range,
            missing: missingDays(range, heard),
            there: daysOf(src, dst),
            // What a device sends to itself comes back to nobody else.
            back: src === dst ? [] : daysOf(dst, src),
            problem: report.problem ?? null,
            commands: {
                there: commandLine(context.lake, ['export', src, dst, '--site', site, '-o', 'report.html']),
                back: commandLine(context.lake, ['export', dst, src, '--site', site, '-o', 'report.html']),
                register: [src, dst].map((ip) =>
                    commandLine(context.lake, ['device', 'add', 'NAME', '--site', site, '--ip', ip, '--profile', 'PROFILE']),
                ),
            },
        };
    },
});

interface Ends {
    src: string;
    dst: string;
    site?: string | undefined;
}

/** A day of one direction. Figures are texts with all their digits. */
type ReportDay = { site: string; src: string; dst: string; day: string } & Record<string, string | number | null>;

interface Report {
    days: ReportDay[];
    /** Why there are no running figures. */
    problem?: string;
}

async function readReport({ src, dst, site }: Ends, { ask }: PageContext): Promise<Report> {
    const parameters: Value[] = [src, dst, dst, src, site ?? null, null, null];
    try {
        return { days: toDays(await ask(readQuery('report_both_ways'), { parameters })) };
    } catch (error) {
        if (!(error instanceof OverflowError)) {
            throw error;
        }
        const { sql, values } = plainReport({ src, dst, site });
        return { days: toDays(await ask(sql, { parameters: values })), problem: error.message };
    }
}

/** The totals alone, where they are too large for exact statistics. */
function plainReport({ src, dst, site }: Ends): { sql: string; values: Value[] } {
    return {
        sql: `select site, src_ip, dst_ip, day, flows, coalesce(timed_flows, flows) as timed_flows, flow_duration_us_sum, fwd_pkts_sum
from pair_days
where
    ((src_ip = cast(? as varchar) and dst_ip = cast(? as varchar)) or (src_ip = cast(? as varchar) and dst_ip = cast(? as varchar)))
    and site = coalesce(cast(? as varchar), site)
order by site, src_ip, dst_ip, day`,
        values: [src, dst, dst, src, site ?? null],
    };
}

function toDays({ columns, rows }: { columns: readonly { name: string }[]; rows: Value[][] }): ReportDay[] {
    const names = columns.map(({ name }) => ({ src_ip: 'src', dst_ip: 'dst' })[name] ?? name);
    return rows.map((row) => Object.fromEntries(row.map((value, at) => [names[at], textOf(value)])) as ReportDay);
}

/** Whole numbers as texts with all their digits. */
function textOf(value: Value): string | number | null {
    return typeof value === 'bigint' ? String(value) : typeof value === 'boolean' ? String(value) : value;
}

/** The site and the days that the pair was seen at. */
function spanOf(days: readonly ReportDay[]): { site: string; days: number; first: string; last: string } {
    const sorted = [...new Set(days.map(({ day }) => day))].sort();
    return { site: days[0]?.site ?? '', days: sorted.length, first: sorted[0] ?? '', last: sorted.at(-1) ?? '' };
}

/** What was usual, measure by measure, by source, destination and day. A measure without enough past is left out. */
async function readUsual({ src, dst, site }: Ends, { ask }: PageContext): Promise<Map<string, Partial<Record<Measure, Json>>>> {
    const { rows } = await ask(readQuery('usual_both_ways'), { parameters: [src, dst, dst, src, site ?? null, null, null] });
    const found = new Map<string, Partial<Record<Measure, Json>>>();
    for (const [, source, destination, day, measure, , usual, low, high, score] of rows) {
        const key = `${source} ${destination} ${day}`;
        const ofDay = found.get(key) ?? {};
        ofDay[String(measure) as Measure] = { usual: String(usual), low: String(low), high: String(high), score: Number(score) };
        found.set(key, ofDay);
    }
    return found;
}

/** The days on which the site's probe told of any flow, and the last day that the lake has flows of. */
interface Heard {
    days: ReadonlySet<string>;
    first: string;
    last: string;
}

async function readHeard(site: string, context: PageContext): Promise<Heard> {
    const { rows } = await context.ask('select distinct day from pair_days where site = cast(? as varchar) order by day', {
        parameters: [site],
    });
    const days = rows.map(([day]) => String(day));
    const last = [...days.slice(-1), ...(await flowDays(context)).slice(-1)].sort().at(-1) ?? '';
    return { days: new Set(days), first: days[0] ?? '', last };
}

/** The days that the lake has flows of, ascending. */
export async function flowDays({ lake }: PageContext): Promise<readonly string[]> {
    return (await listLakeDays(await lake.store())).find(({ kind }) => kind === 'flows')?.days ?? [];
}

/** The days of the range without any flow of the site: from its first day on, up to the last day that any site told of. */
function missingDays({ from, to }: { from: string; to: string }, { days, first, last }: Heard): string[] {
    return daysBetween(from > first ? from : first, to < last ? to : last).filter((day) => !days.has(day));
}

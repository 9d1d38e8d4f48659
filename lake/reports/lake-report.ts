/** Use case: what happened in a lake in a range of days, flows and devices together, as one report has it. Nothing is changed. */
import { NotFoundError } from '#lake/errors';
import type { Value } from '#lake/query/query-engine';
import type { ObjectStore } from '#lake/store/object-store';
import type { CountedQuestions } from './ask-counted.ts';
import { addDays, type DayRange, daysOf } from './days-of.ts';
import { type Problem, readLakeStatus } from './lake-status.ts';
import { type Row, rowsOf } from './named-rows.ts';
import { type ReportSources, readReportSources } from './report-sources.ts';

/** The rows that are listed, and how many there are. */
export interface Listed {
    rows: readonly Row[];
    total: number;
}

export interface LakeReport {
    range: DayRange;
    /** The days before the range, as many as it has: what totals are compared with. */
    before: DayRange;
    /** The four weeks before the range: what new and gone are told by. */
    past: DayRange;
    site: string | undefined;
    /** The last day of which the lake has figures of any site; reports that were asked for later days say so. */
    lastDay: string;
    /** Flows; undefined where neither the range nor the days before have any. */
    flows: FlowsPart | undefined;
    /** Readings and alerts; undefined where there are no alerts, and neither the range nor the days before have readings. */
    fleet: FleetPart | undefined;
    sources: ReportSources;
    /** What needs a person, as `flowlake status` tells. */
    problems: readonly Problem[];
}

export interface FlowsPart {
    /** Sites that had flows in the range, in the days before or in the four weeks before: of one that has none now, days are missing. */
    sites: readonly string[];
    /** Rows of view day_totals of both ranges, by day and site. */
    totals: readonly Row[];
    /** Pairs with the most packets, as top_pairs has them. */
    busiest: readonly Row[];
    changes: { came: Listed; went: Listed };
    /** Unusual days, the largest score first. */
    unusual: Listed & { isAll: boolean };
}

export interface FleetPart {
    /** Sites that had readings in the range, in the days before or in the four weeks before. */
    sites: readonly string[];
    /** Rows of fleet_days of both ranges, by day and site. */
    days: readonly Row[];
    changes: { came: Listed; went: Listed };
    /** Alerts and silences that lie in the range at least in part, the newest first. */
    episodes: readonly Row[];
    /** True if there are no more episodes than these. */
    hasAllEpisodes: boolean;
}

export interface ReportQuestion {
    /** The first day; six before `to` where it is left out. */
    from: string | undefined;
    /** The last day; without it six after `from`, or the last day of which the lake has figures. */
    to: string | undefined;
    site: string | undefined;
}

interface Asked {
    range: DayRange;
    before: DayRange;
    past: DayRange;
    /** The first day of all these ranges. */
    earliest: string;
    site: Value;
    questions: CountedQuestions;
}

const DAYS_OF_A_WEEK = 7;
const PAST_DAYS = 28;

/** Rows of one list; a page is for reading. */
export const LISTED = 10;
/** Unusual days that are looked at; the report tells where there are more. */
const MOST_UNUSUAL = 10_000;
/** Alerts and silences that are looked at; the report tells where there are more. */
const MOST_EPISODES = 10_000;
/** The largest number that the engines take for a number of rows. */
const ALL_ROWS = 2n ** 63n - 1n;

/** Reads what the report tells. @throws NotFoundError where the lake has no figures at all, StorageError where some of those asked for cannot be read */
export async function readLakeReport(
    { from, to, site }: ReportQuestion,
    { questions, store, now }: { questions: CountedQuestions; store: ObjectStore; now: Date },
): Promise<LakeReport> {
    const lastDay = await readLastDay(questions);
    if (lastDay === undefined) {
        throw new NotFoundError('The lake has no figures yet, of flows or of devices');
    }
    const range = rangeOf({ from, to, lastDay });
    const count = daysOf(range).length;
    const before = { from: addDays(range.from, -count), to: addDays(range.from, -1) };
    const past = { from: addDays(range.from, -PAST_DAYS), to: addDays(range.from, -1) };
    const [earliest = past.from] = [before.from, past.from].sort();
    const asked: Asked = { range, before, past, earliest, site: site ?? null, questions };
    // One after the other: a limit on what is scanned holds for all of them together.
    const flows = await readFlows(asked);
    const fleet = await readFleet(asked, now);
    const sources = await readReportSources({ range, site: site ?? null, query: questions.query });
    const { problems } = await readLakeStatus(store, { now });
    return { range, before, past, site, lastDay, flows, fleet, sources, problems };
}

function rangeOf({ from, to, lastDay }: { from: string | undefined; to: string | undefined; lastDay: string }): DayRange {
    const last = to ?? (from === undefined ? lastDay : addDays(from, DAYS_OF_A_WEEK - 1));
    return { from: from ?? addDays(last, 1 - DAYS_OF_A_WEEK), to: last };
}

async function readLastDay({ query }: CountedQuestions): Promise<string | undefined> {
    const { rows } = await query(
        'select max(day) as day from (select max(day) as day from pair_days union all select max(day) as day from metric_hours) as days',
        [],
    );
    const [[day] = []] = rows;
    return day === null || day === undefined ? undefined : String(day);
}

async function readFlows({ range, before, past, earliest, site, questions }: Asked): Promise<FlowsPart | undefined> {
    const known = rowsOf(await questions.ask('busiest_days', [site, earliest, range.to, ALL_ROWS])).toSorted(byDayAndSite);
    if (known.length === 0) {
        return undefined;
    }
    const busiest = rowsOf(await questions.ask('top_pairs', [site, range.from, range.to, 'packets', BigInt(LISTED)]));
    const changes = rowsOf(await questions.ask('pair_changes', [site, past.from, range.to, range.from, range.from, BigInt(LISTED)]));
    const found = rowsOf(await questions.ask('anomalies', [site, range.to, range.from, BigInt(MOST_UNUSUAL + 1)]));
    const unusual = found.slice(0, MOST_UNUSUAL).toSorted((a, b) => Number(b.score) - Number(a.score));
    return {
        sites: sitesOf(known),
        totals: known.filter(({ day }) => String(day) >= before.from),
        busiest,
        changes: changesOf(changes),
        unusual: { rows: unusual.slice(0, LISTED), total: unusual.length, isAll: found.length <= MOST_UNUSUAL },
    };
}

async function readFleet({ range, before, past, earliest, site, questions }: Asked, now: Date): Promise<FleetPart | undefined> {
    const known = rowsOf(await questions.ask('fleet_days', [site, earliest, range.to]));
    const episodes = rowsOf(
        await questions.ask('alerts', [
            BigInt(now.getTime()),
            site,
            null,
            BigInt(Date.parse(range.from)),
            BigInt(Date.parse(addDays(range.to, 1))),
            null,
            BigInt(MOST_EPISODES + 1),
        ]),
    );
    if (known.length === 0 && episodes.length === 0) {
        return undefined;
    }
    const changes = rowsOf(await questions.ask('device_changes', [site, past.from, range.to, range.from, range.from, BigInt(LISTED)]));
    return {
        sites: sitesOf(known),
        days: known.filter(({ day }) => String(day) >= before.from),
        changes: changesOf(changes),
        episodes: episodes.slice(0, MOST_EPISODES),
        hasAllEpisodes: episodes.length <= MOST_EPISODES,
    };
}

function changesOf(rows: readonly Row[]): { came: Listed; went: Listed } {
    const listed = (change: string): Listed => {
        const ofChange = rows.filter((row) => row.change === change);
        return { rows: ofChange, total: Number(ofChange[0]?.total ?? 0) };
    };
    return { came: listed('new'), went: listed('gone') };
}

function sitesOf(rows: readonly Row[]): string[] {
    return [...new Set(rows.map(({ site }) => String(site)))].sort();
}

function byDayAndSite(a: Row, b: Row): number {
    const [left, right] = [a, b].map(({ day, site }) => `${day} ${site}`);
    return (left ?? '') < (right ?? '') ? -1 : 1;
}

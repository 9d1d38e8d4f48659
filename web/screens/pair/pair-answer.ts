/** What the server answers of a pair, and how its measures are named. */

export interface Usual {
    usual: string;
    low: string;
    high: string;
    score: number;
}

/** A day of one direction; figures are texts with all their digits. */
export interface PairDay {
    day: string;
    flows: string;
    timed_flows: string;
    flow_duration_us_sum: string;
    fwd_pkts_sum: string;
    running_days?: string;
    flow_duration_us_running_mean?: number | null;
    flow_duration_us_running_stddev_pop?: number | null;
    fwd_pkts_running_mean?: number | null;
    fwd_pkts_running_stddev_pop?: number | null;
    usual: Readonly<Partial<Record<MeasureColumn, Usual>>>;
}

export interface PairFound {
    state: 'found';
    src: string;
    dst: string;
    site: string;
    /** Days with flows of the pair, the first and the last of them. */
    days: number;
    first: string;
    last: string;
    range: { from: string; to: string };
    /** Days without a file of the site. */
    missing: readonly string[];
    there: readonly PairDay[];
    back: readonly PairDay[];
    problem: string | null;
    /** Commands to be typed: the report of either direction, and what registers a device at source and destination. */
    commands: { there: string; back: string; register: readonly string[] };
}

export type PairAnswer =
    | { state: 'no_flows' }
    | { state: 'unknown'; src: string; dst: string; site: string | null }
    | { state: 'sites'; sites: readonly { site: string; days: number; first: string; last: string }[] }
    | { state: 'no_days'; site: string; days: number; first: string; last: string }
    | PairFound;

export type MeasureColumn = 'fwd_pkts_sum' | 'flow_duration_us_sum' | 'flows';

export interface Measure {
    /** In the address. */
    name: string;
    title: string;
    unit: string;
    column: MeasureColumn;
    /** Beginning of the running columns; flows have none. */
    running?: 'fwd_pkts' | 'flow_duration_us';
}

export const MEASURES: readonly [Measure, ...Measure[]] = [
    { name: 'packets', title: 'Packets', unit: 'packets', column: 'fwd_pkts_sum', running: 'fwd_pkts' },
    { name: 'duration', title: 'Duration', unit: 'µs', column: 'flow_duration_us_sum', running: 'flow_duration_us' },
    { name: 'flows', title: 'Flows', unit: 'flows', column: 'flows' },
];

/** One direction of the pair. */
export interface Way {
    name: 'there' | 'back';
    src: string;
    dst: string;
    days: readonly PairDay[];
}

export function waysOf({ src, dst, there, back }: PairFound): [Way, Way] {
    return [
        { name: 'there', src, dst, days: there },
        { name: 'back', src: dst, dst: src, days: back },
    ];
}

/** The direction that is asked for; the one that has days where nothing is said. */
export function wayOf(answer: PairFound, name: string | null): Way {
    const [there, back] = waysOf(answer);
    if (name === null) {
        return there.days.length === 0 ? back : there;
    }
    return name === 'back' ? back : there;
}

/** From this score on a day is unusual: sql/flows/views/pair_anomalies.sql. */
export const LEAST_SCORE = 3.5;

/** What a day is against the days before it. */
export type Verdict = 'unusual' | 'usual' | 'low' | 'unknown';

/** Low: further below what is usual than an unusual day is above it. That is no anomaly, but worth a word. */
export function verdictOf(usual: Usual | undefined): Verdict {
    if (!usual) {
        return 'unknown';
    }
    return usual.score >= LEAST_SCORE ? 'unusual' : usual.score <= -LEAST_SCORE ? 'low' : 'usual';
}

/** True if the day is a Saturday or Sunday: it is judged by these. */
export function isWeekend(day: string): boolean {
    return [0, 6].includes(new Date(`${day}T00:00:00Z`).getUTCDay());
}

const DAY_MS = 86_400_000;

export function dayMs(day: string): number {
    return Date.parse(`${day}T00:00:00Z`);
}

export function addDays(day: string, count: number): string {
    return new Date(dayMs(day) + count * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
}

/** Has history judge live alerts, once days of table `episodes` were derived. */
import type { ObjectStore } from '#lake/store/object-store';
import { findLastDay, findUnraised, type Judged, judgeAlerts, readEpisodes } from './history-verdict.ts';
import type { LiveAlert, LiveEpisode } from './state-store.ts';

const DAY_MS = 86_400_000;

/** Days that are judged: an upload of years would bring more alerts than anybody looks at. `flowlake alerts` has those of all times. */
const DAYS_BACK = 30;

/** What is kept of alerts, for who judges them. */
export interface JudgedState {
    /** Alerts that ended in a span of time, and with `isLast` those that are open, as far as all that they were made of is in the lake. */
    alertsToJudge(asked: { fromMs: number; untilMs: number; isLast: boolean }): LiveAlert[] | Promise<LiveAlert[]>;
    /** True if an alert stands for the episode of history: by its id, by its verdict, or one that overlaps it and has no verdict yet. */
    hasAlert(episode: LiveEpisode): boolean | Promise<boolean>;
    /** Notes what history says of alerts, and adds those that only history has. Nobody is called by it. */
    judge(judged: readonly Judged[], nowMs: number): void | Promise<void>;
}

export interface JudgeOptions {
    store: ObjectStore;
    state: JudgedState;
    /** Days whose episodes were derived, `yyyy-mm-dd`. */
    days: readonly string[];
    /** The machine's clock, UTC epoch milliseconds. */
    nowMs: number;
}

/** Judges the alerts of the days. Safe to repeat. @returns the days that were judged; older ones are left out @throws StorageError */
export async function judgeHistory({ store, state, days, nowMs }: JudgeOptions): Promise<string[]> {
    const wanted = [...new Set(days)].filter((day) => Date.parse(day) > nowMs - DAYS_BACK * DAY_MS).sort();
    const lastDay = wanted.length === 0 ? undefined : await findLastDay(store);
    const read = new Map<string, Promise<LiveEpisode[] | undefined>>();
    const episodesOf = async (day: string): Promise<LiveEpisode[]> => {
        const known = read.get(day) ?? readEpisodes(store, day);
        read.set(day, known);
        return (await known) ?? [];
    };
    for (const day of wanted) {
        const isLast = day === lastDay;
        const fromMs = Date.parse(day);
        const untilMs = fromMs + DAY_MS;
        const alerts = await state.alertsToJudge({ fromMs, untilMs, isLast });
        const episodes = await episodesOf(day);
        const ids = new Set(episodes.map(({ id }) => id));
        const firstMs = Math.min(fromMs - DAY_MS, ...alerts.filter(({ id }) => !ids.has(id)).map(({ began_ms }) => began_ms));
        const around: LiveEpisode[] = [];
        for (let ms = Math.max(firstMs, fromMs - DAYS_BACK * DAY_MS); ms <= untilMs; ms += DAY_MS) {
            around.push(...(nameOf(ms) === day ? [] : await episodesOf(nameOf(ms))));
        }
        await state.judge(judgeAlerts(alerts, [...episodes, ...around]), nowMs);
        const known = new Set(alerts.map(({ id }) => id));
        for (const judged of findUnraised(episodes, { isLast, hasAlert: ({ id }) => known.has(id) })) {
            if (!(await state.hasAlert(judged.alert))) {
                await state.judge([judged], nowMs);
            }
        }
    }
    return wanted;
}

function nameOf(ms: number): string {
    return new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);
}

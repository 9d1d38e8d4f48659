/** Has history judge live alerts, once days of table `episodes` were derived. */
import { findLastDay, findUnraised, judgeAlerts, readEpisodes } from '#lake/live/history-verdict';
import type { Cursor, LiveEpisode } from '#lake/live/state-store';
import type { ObjectStore } from '#lake/store/object-store';
import type { StateDatabase } from './state-database.ts';

const DAY_MS = 86_400_000;

/** Days that are judged: an upload of years would bring more alerts than anybody looks at. `flowlake alerts` has those of all times. */
const DAYS_BACK = 30;

export interface JudgeOptions {
    store: ObjectStore;
    state: StateDatabase;
    /** Days whose episodes were derived, `yyyy-mm-dd`. */
    days: readonly string[];
    /** The last message of the inbox that is in the lake. */
    sealed: Cursor;
    /** The machine's clock, UTC epoch milliseconds. */
    nowMs: number;
}

/** Judges the alerts of the days. Safe to repeat. @returns the days that were judged; older ones are left out @throws StorageError */
export async function judgeHistory({ store, state, days, sealed, nowMs }: JudgeOptions): Promise<string[]> {
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
        const alerts = state.alertsToJudge({ fromMs, untilMs, isLast, sealed });
        const episodes = await episodesOf(day);
        const ids = new Set(episodes.map(({ id }) => id));
        const firstMs = Math.min(fromMs - DAY_MS, ...alerts.filter(({ id }) => !ids.has(id)).map(({ began_ms }) => began_ms));
        const around: LiveEpisode[] = [];
        for (let ms = Math.max(firstMs, fromMs - DAYS_BACK * DAY_MS); ms <= untilMs; ms += DAY_MS) {
            around.push(...(nameOf(ms) === day ? [] : await episodesOf(nameOf(ms))));
        }
        state.judge(judgeAlerts(alerts, [...episodes, ...around]), nowMs);
        state.judge(findUnraised(episodes, { isLast, hasAlert: (episode) => state.hasAlert(episode) }), nowMs);
    }
    return wanted;
}

function nameOf(ms: number): string {
    return new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);
}

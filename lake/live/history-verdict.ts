/**
 * What history says of live alerts. Live rules see each reading once, as it comes; history sees all of them in their order, also those that came late. So its verdict
 * stands, and is shown beside what was raised: nothing is raised or taken back by it.
 */
import { dayOf, mergedKey } from '#lake/layout';
import { readRows } from '#lake/parquet';
import { compareTexts, countRows, type Rows, valuesOf } from '#lake/rows';
import type { ObjectStore } from '#lake/store/object-store';
import { withWords } from '#lake/tables';
import { episodes as episodesTable } from '#lake/telemetry/derived-tables';
import type { Episode } from '#lake/telemetry/episodes';
import { liveEpisode } from './latest.ts';
import type { HistoryVerdict, LiveAlert, LiveEpisode } from './state-store.ts';

/** What history says of an alert. */
export interface Judged {
    alert: LiveEpisode;
    history: HistoryVerdict;
    /** The episode as history has it, where that differs. */
    inHistory: LiveEpisode | null;
}

/** The verdict on each alert. `episodes` are those of its days: that on which it ended live, and those around it, where it may have ended by history. */
export function judgeAlerts(alerts: readonly LiveAlert[], episodes: readonly LiveEpisode[]): Judged[] {
    return alerts.map((alert) => judgeAlert(alert, episodes));
}

/** Episodes of a day that no alert stands for: only history has them. With `isLast`, where no later day has readings, those too that are open at its end. */
export function findUnraised(
    episodes: readonly LiveEpisode[],
    { isLast, hasAlert }: { isLast: boolean; hasAlert: (episode: LiveEpisode) => boolean },
): Judged[] {
    // An open silence is a time that may lie ahead, and whether it has come is the watch's to say.
    return episodes
        .filter((episode) => (episode.ended_ms !== null || (isLast && episode.kind === 'alert')) && !hasAlert(episode))
        .map((episode) => ({ alert: episode, history: 'added', inHistory: null }));
}

function judgeAlert(alert: LiveAlert, episodes: readonly LiveEpisode[]): Judged {
    const same = episodes.filter(({ device, rule }) => device === alert.device && rule === alert.rule);
    const exact = same.filter(({ id }) => id === alert.id);
    // Of the day's end and the day of its end, the end says more.
    const found = exact.find(({ ended_ms }) => ended_ms !== null) ?? exact[0] ?? same.find((episode) => overlap(alert, episode));
    if (alert.raised_ms === null) {
        // One that only history has goes with history.
        return found ? { alert: found, history: 'added', inHistory: null } : { alert, history: 'gone', inHistory: null };
    }
    if (!found) {
        return { alert, history: 'gone', inHistory: null };
    }
    return isSame(alert, found) ? { alert, history: 'confirmed', inHistory: null } : { alert, history: 'changed', inHistory: found };
}

function overlap(one: LiveEpisode, other: LiveEpisode): boolean {
    return one.began_ms <= (other.ended_ms ?? Number.MAX_SAFE_INTEGER) && other.began_ms <= (one.ended_ms ?? Number.MAX_SAFE_INTEGER);
}

function isSame(alert: LiveEpisode, episode: LiveEpisode): boolean {
    return (['id', 'site', 'ended_ms', 'worst', 'readings'] as const).every((name) => alert[name] === episode[name]);
}

/** Episodes of table `episodes` of a day, in the order of their ids; undefined where the day has no object. @throws StorageError */
export async function readEpisodes(store: ObjectStore, day: string): Promise<LiveEpisode[] | undefined> {
    const object = await store.get(mergedKey(episodesTable, day));
    if (!object) {
        return undefined;
    }
    return episodesIn(await readRows(withWords(episodesTable), object.bytes))
        .map((episode) => liveEpisode(episode, { raisedMs: null }))
        .sort((a, b) => compareTexts(a.id, b.id));
}

function episodesIn(rows: Rows): Episode[] {
    const text = (name: string, row: number): string => String(valuesOf(rows, name)[row]);
    const number = (name: string, row: number): number => Number(valuesOf(rows, name)[row]);
    return Array.from({ length: countRows(withWords(episodesTable), rows) }, (_, row) => {
        const [ended, worst] = [valuesOf(rows, 'ended_ms')[row], valuesOf(rows, 'worst')[row]];
        return {
            site: text('site', row),
            device: text('device', row),
            profile: text('profile', row),
            rule: text('rule', row),
            kind: text('kind', row) === 'silent' ? 'silent' : 'alert',
            severity: text('severity', row) as Episode['severity'],
            began_ms: number('began_ms', row),
            ended_ms: ended === null || ended === undefined ? undefined : Number(ended),
            worst: typeof worst === 'bigint' ? worst : undefined,
            readings: number('readings', row),
            why: text('why', row),
        };
    });
}

/** The last day that has episodes; undefined where none has. @throws StorageError */
export async function findLastDay(store: ObjectStore): Promise<string | undefined> {
    let last: string | undefined;
    for await (const { key } of store.list(episodesTable.prefix)) {
        const day = dayOf(key);
        last = day !== undefined && key === mergedKey(episodesTable, day) ? day : last;
    }
    return last;
}

/** What hooks are still to be told. An event is put here in the transaction that writes it, and goes once its hook has answered. */
import type { LiveEvent } from '#lake/live/state-store';
import type { Database, Row } from './sqlite.ts';

/** An event that a hook is to be told of. */
export interface HookCall {
    id: number;
    hook: string;
    /** Number of the event. */
    event: number;
    atMs: number;
    body: LiveEvent;
    attempts: number;
}

/** How a hook fares. */
export interface HookReport {
    hook: string;
    /** Events that it is still to be told of, and the time of the oldest; null where there are none. */
    waiting: number;
    oldestMs: number | null;
    /** Events of which it was not told in time. */
    givenUp: number;
    /** Why the last attempt failed, of those that wait or were given up. */
    error: string | null;
}

export interface HookOutbox {
    /**
     * Calls of a hook whose time has come, oldest first, without those under way. Events of one alert go one behind the other: none while an earlier one
     * of it waits.
     */
    due(hook: string, options: { nowMs: number; without: readonly number[]; limit: number }): HookCall[];
    done(id: number): void;
    /** Notes that the attempt failed. */
    failed(id: number, said: { error: string; nextMs: number }): void;
    giveUp(id: number, said: { error: string; nowMs: number }): void;
    /** Gives up what waits for hooks that are not among those. @returns how many calls, by hook */
    giveUpOthers(hooks: readonly string[], nowMs: number): Map<string, number>;
    report(): HookReport[];
}

/** No attempt waits longer for the next one; a time that is further ahead was set by a clock that has gone back since. */
export const MAX_WAIT_MS = 3_600_000;

export function openHookOutbox(database: Database): HookOutbox {
    return {
        due(hook, { nowMs, without, limit }) {
            const sql = `select * from outbox as o where hook = ? and given_up_ms is null and (next_ms <= ? or next_ms > ?)
                and id not in (select value from json_each(?))
                and not exists (select 1 from outbox as p where p.hook = o.hook and p.alert = o.alert and p.id < o.id and p.given_up_ms is null)
                order by id limit ?`;
            return database.all(sql, hook, nowMs, nowMs + MAX_WAIT_MS, JSON.stringify(without), limit).map(callIn);
        },
        done: (id) => void database.run('delete from outbox where id = ?', id),
        failed: (id, { error, nextMs }) =>
            void database.run('update outbox set attempts = attempts + 1, error = ?, next_ms = ? where id = ?', error, nextMs, id),
        giveUp: (id, { error, nowMs }) =>
            void database.run('update outbox set attempts = attempts + 1, error = ?, given_up_ms = ? where id = ?', error, nowMs, id),
        giveUpOthers(hooks, nowMs) {
            const others = 'given_up_ms is null and hook not in (select value from json_each(?))';
            const named = JSON.stringify(hooks);
            const counts = database.all(`select hook, count(*) as calls from outbox where ${others} group by hook`, named);
            database.run(`update outbox set given_up_ms = ?, error = 'no such hook any more' where ${others}`, nowMs, named);
            return new Map(counts.map(({ hook, calls }) => [String(hook), Number(calls)]));
        },
        report: () =>
            database
                .all(
                    `select hook, count(*) - count(given_up_ms) as waiting, min(case when given_up_ms is null then at_ms end) as oldest_ms, count(given_up_ms) as given_up,
                    (select error from outbox as e where e.hook = o.hook and e.error is not null order by e.id desc limit 1) as error from outbox as o group by hook order by hook`,
                )
                .map(({ hook, waiting, oldest_ms: oldestMs, given_up: givenUp, error }) => ({
                    hook: String(hook),
                    waiting: Number(waiting),
                    oldestMs: oldestMs === null ? null : Number(oldestMs),
                    givenUp: Number(givenUp),
                    error: error === null ? null : String(error),
                })),
    };
}

function callIn(row: Row): HookCall {
    const { id, hook, event, at_ms: atMs, body, attempts } = row;
    return {
        id: Number(id),
        hook: String(hook),
        event: Number(event),
        atMs: Number(atMs),
        body: JSON.parse(String(body)),
        attempts: Number(attempts),
    };
}

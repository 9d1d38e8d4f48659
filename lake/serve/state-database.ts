/**
 * Latest state of one machine, in a database: items, alerts, what people said of them, events to be told and hooks to be called. What a batch of messages
 * changes is one transaction with the consumer's place in the inbox, so that a batch is in it once, whatever dies when. New values are not waited for until they
 * are on the disk (the thread that answers devices would stand still for each); alerts, hooks and what people say are.
 */
import { randomUUID } from 'node:crypto';
import { checkSigned } from '#lake/live/acknowledge';
import type { JudgedState } from '#lake/live/judge-history';
import type { Cursor, DeviceItem, LiveAlert, LiveEpisode, LiveEvent, StateBatch, StateStore } from '#lake/live/state-store';
import { type Database, openDatabase, type Row } from './sqlite.ts';

/** Events of new readings and states that are kept, and of all others: who comes back later is told that some are missing. */
const MAX_LATEST_EVENTS = 20_000;
const MAX_OTHER_EVENTS = 100_000;
/** Numbers of events that are left out at each start: more events than these do not wait for the disk at once. */
const NUMBERS_LEFT_OUT = 1_000_000;
/** Closed alerts that are kept here; history has all. */
const MAX_CLOSED_ALERTS = 100_000;

/** Chain objects of which it is known when the tables had them: 70 days of one a minute. */
const MAX_SEALED = 100_000;
/** Calls of hooks that were given up are kept for a month. */
const GIVEN_UP_KEPT_MS = 30 * 86_400_000;
/** Deletes go in steps, so that nobody waits long for one. */
const STEP = 5_000;

const SCHEMA = `
create table facts (name text primary key, value text not null);
create table cursor (one integer primary key check (one = 1), stream text not null, sequence text not null);
create table items (
    device text primary key, site text not null, profile text not null, last_received_ms integer, due_ms integer, silent_ms integer, next_silence_ms integer,
    is_silent integer not null, version integer not null, item text not null);
create index items_by_silence on items (next_silence_ms, last_received_ms, device) where next_silence_ms is not null;
create table alerts (
    id text primary key, site text not null, device text not null, profile text not null, rule text not null, kind text not null, severity text not null,
    began_ms integer not null, ended_ms integer, worst text, readings integer not null, why text not null, raised_ms integer,
    history text not null default 'pending', in_history text, stream text, sequence text);
create index alerts_by_beginning on alerts (began_ms desc, id desc);
create index alerts_of_device on alerts (device, began_ms desc, id desc);
create index open_alerts on alerts (began_ms desc, id desc) where ended_ms is null;
create table acknowledgements (alert text primary key, acknowledged_ms integer not null, acknowledged_by text not null, note text not null);
create view known_alerts as select alerts.*, acknowledged_ms, acknowledged_by, note from alerts left join acknowledgements on alert = id;
create table events (id integer primary key autoincrement, at_ms integer not null, is_latest integer not null, event text not null);
create index latest_events on events (is_latest, id);
create table outbox (
    id integer primary key autoincrement, hook text not null, event integer not null, alert text, at_ms integer not null, body text not null,
    attempts integer not null default 0, next_ms integer not null default 0, error text, given_up_ms integer, unique (hook, event));
create index outbox_waiting on outbox (hook, next_ms) where given_up_ms is null;
create index outbox_by_alert on outbox (hook, alert, id);
create table sealed (key text primary key, in_lake_ms integer not null);
create index sealed_by_time on sealed (in_lake_ms);
`;

export interface OpenStateOptions {
    /** Names of the hooks that are to be told of events from now on. */
    hooks?: readonly string[];
}

/** What became of an acknowledgement. */
export type Acknowledged =
    | { is: 'acknowledged'; alert: LiveAlert }
    /** Somebody did before, with other words; the alert says who. */
    | { is: 'taken'; alert: LiveAlert }
    | { is: 'missing' };

export interface StateDatabase extends StateStore {
    /** Names this database; another one where it was made anew. */
    readonly name: string;
    readonly database: Database;
    /** The consumer's place in the inbox; undefined in a database that is new: what the inbox does not hold any more is to be brought from the lake. */
    cursor(): Cursor | undefined;
    /** Notes that latest state stands still, or goes on: once for each change. */
    notePipeline(event: LiveEvent & { kind: 'pipeline_late' | 'pipeline_on_time' }, nowMs: number): boolean;
    /** Notes that devices are in other states than before. */
    noteStates(events: readonly (LiveEvent & { kind: 'state' })[], nowMs: number): void;
    /** Since when latest state stands still; undefined while it goes on. */
    pipelineLateSince(): number | undefined;
    /** Notes that a person knows of the alert; who was first stays. Safe to repeat. @throws UsageError without a name */
    acknowledge(id: string, said: { by: string; note: string; atMs: number }): Acknowledged;
    /** The alerts, for who judges them by what is in the lake: everything up to that message of the inbox. */
    judgedTo(sealed: Cursor): JudgedState;
    /** Forgets how far the inbox was taken: for an inbox that is an older copy, and gives numbers once more that it gave before. What is known stays. */
    forgetPlace(): void;
    /** Notes that the tables have what stands in these chain objects. */
    noteInLake(keys: readonly string[], nowMs: number): void;
    /** Times at which the tables had what stands in chain objects, by their keys: of the newest hundred thousand. */
    inLake(): ReadonlyMap<string, number>;
    /** A power cut may have taken events whose numbers were told: they are not given again, so that who comes back with one finds all that is behind it. */
    leaveNumbersOut(): void;
    /** Waits until all that was written is on the disk: before what it was read from is thrown away. */
    makeDurable(): void;
    /** Calls back after events have been written: by this process at once, by others when `noteOthers` finds it. @returns what ends that */
    onEvents(listener: (written: { isLatestOnly: boolean }) => void): () => void;
    /** Calls back where another process has written since the last time: people acknowledge alerts by commands of their own. */
    noteOthers(): void;
    /** Deletes what is too old or too much, in steps. */
    tidy(nowMs: number): void;
    close(): void;
}

/** Opens the database, and makes it where it is not there. @throws StorageError where it is damaged, of a newer program, or cannot be made durable */
export function openStateDatabase(file: string, { hooks = [] }: OpenStateOptions = {}): StateDatabase {
    const database = openDatabase(file, {
        schema: SCHEMA,
        version: 1,
        words: {
            what: `latest state ${file} cannot be used`,
            damaged: `Stop serve and remove ${file} with its -wal and -shm: it is made anew from the lake and the inbox; what people acknowledged is lost`,
            busy: 'another process has been writing to it for seconds; look what that is',
        },
    });
    const fact = (name: string): string | undefined => {
        const value = database.get('select value from facts where name = ?', name)?.value;
        return typeof value === 'string' ? value : undefined;
    };
    const setFact = (name: string, value: string): void => {
        database.run('insert into facts values (?, ?) on conflict (name) do update set value = excluded.value', name, value);
    };
    if (fact('name') === undefined) {
        database.run("insert into facts values ('name', ?) on conflict (name) do nothing", randomUUID());
    }
    const append = (event: LiveEvent, nowMs: number): void => {
        const text = JSON.stringify(event);
        const isLatest = event.kind === 'latest' || event.kind === 'state';
        const { id } = database.run('insert into events (at_ms, is_latest, event) values (?, ?, ?)', nowMs, Number(isLatest), text);
        if (!isLatest && event.kind !== 'acknowledged' && event.kind !== 'judged') {
            const alert = 'alert' in event ? event.alert.id : null;
            for (const hook of hooks) {
                database.run(
                    'insert into outbox (hook, event, alert, at_ms, body) values (?, ?, ?, ?, ?)',
                    ...[hook, id, alert, nowMs, text],
                );
            }
        }
    };
    const cursor = (): Cursor | undefined => {
        const row = database.get('select stream, sequence from cursor');
        return row && { stream: String(row.stream), sequence: String(row.sequence) };
    };
    const listeners = new Set<(written: { isLatestOnly: boolean }) => void>();
    let versionSeen = versionOf(database);
    const tell = (isWritten: boolean, { isLatestOnly = false } = {}): boolean => {
        for (const listener of isWritten ? listeners : []) {
            listener({ isLatestOnly });
        }
        return isWritten;
    };
    const alertOf = (id: string): LiveAlert | undefined => {
        const row = database.get('select * from known_alerts where id = ?', id);
        return row && alertIn(row);
    };
    const writeAll = ({ changes, cursor: moved, nowMs }: StateBatch): boolean => {
        if (moved) {
            const at = cursor();
            if (at?.stream !== moved.before?.stream || at?.sequence !== moved.before?.sequence) {
                return false;
            }
            const set = 'on conflict (one) do update set stream = excluded.stream, sequence = excluded.sequence';
            database.run(`insert into cursor values (1, ?, ?) ${set}`, moved.after.stream, moved.after.sequence);
        }
        for (const { item, alerts, events } of changes) {
            if (!writeItem(database, item)) {
                return false;
            }
            for (const alert of alerts) {
                writeAlert(database, alert, item);
            }
            for (const event of events) {
                append(event, nowMs);
            }
        }
        return true;
    };
    return {
        name: fact('name') ?? '',
        database,
        cursor,
        async read(devices) {
            const items = new Map<string, DeviceItem>();
            for (const device of devices) {
                const row = database.get('select item from items where device = ?', device);
                if (row) {
                    items.set(device, itemIn(row));
                }
            }
            return items;
        },
        write: async (batch) => {
            const events = batch.changes.flatMap((change) => change.events);
            const isLatestOnly = events.every(({ kind }) => kind === 'latest');
            // New values alone are not waited for: the place in the inbox goes with them, and they are read from there again.
            const write = batch.cursor && isLatestOnly ? database.quickTransaction : database.transaction;
            const isWritten = write(() => writeAll(batch));
            return events.length === 0 ? isWritten : tell(isWritten, { isLatestOnly });
        },
        notePipeline: (event, nowMs) => {
            const isChanged = database.transaction(() => {
                const isLate = event.kind === 'pipeline_late';
                if (isLate === (fact('pipeline_late') !== undefined)) {
                    return false;
                }
                if (isLate) {
                    setFact('pipeline_late', String(event.since_ms));
                } else {
                    database.run("delete from facts where name = 'pipeline_late'");
                }
                append(event, nowMs);
                return true;
            });
            return tell(isChanged);
        },
        noteStates(events, nowMs) {
            if (events.length > 0) {
                database.transaction(() => {
                    for (const event of events) {
                        append(event, nowMs);
                    }
                });
                tell(true, { isLatestOnly: true });
            }
        },
        pipelineLateSince() {
            const since = fact('pipeline_late');
            return since === undefined ? undefined : Number(since);
        },
        acknowledge: (id, { by, note, atMs }) => {
            checkSigned(by);
            let isNoted = false;
            const said = database.transaction((): Acknowledged => {
                const before = alertOf(id);
                if (!before) {
                    return { is: 'missing' };
                }
                const { acknowledged } = before;
                if (acknowledged) {
                    return { is: acknowledged.by === by && acknowledged.note === note ? 'acknowledged' : 'taken', alert: before };
                }
                database.run('insert into acknowledgements values (?, ?, ?, ?)', id, atMs, by, note);
                const alert = alertOf(id) ?? before;
                append({ kind: 'acknowledged', alert }, atMs);
                isNoted = true;
                return { is: 'acknowledged', alert };
            });
            tell(isNoted);
            return said;
        },
        judgedTo: (sealed) => ({
            alertsToJudge({ fromMs, untilMs, isLast }) {
                const rows = database.all(
                    `select * from known_alerts where (ended_ms >= ? and ended_ms < ? or ended_ms is null and ?) and began_ms < ?
                    and (sequence is null or stream <> ? or (length(sequence), sequence) <= (length(?), ?)) order by id`,
                    ...[fromMs, untilMs, Number(isLast), untilMs, sealed.stream, sealed.sequence, sealed.sequence],
                );
                return rows.map(alertIn);
            },
            hasAlert({ id, device, rule, began_ms: beganMs, ended_ms: endedMs }) {
                const sql = `select id from alerts where device = ? and rule = ? and
                    (id = ? or in_history ->> 'id' = ? or history = 'pending' and began_ms <= ? and coalesce(ended_ms, ?) >= ?)`;
                return database.get(sql, device, rule, id, id, endedMs ?? Number.MAX_SAFE_INTEGER, beganMs, beganMs) !== undefined;
            },
            judge(judged, nowMs) {
                let isTold = false;
                database.transaction(() => {
                    for (const { alert, history, inHistory } of judged) {
                        const before = alertOf(alert.id);
                        if (history === 'added') {
                            writeAlert(database, alert);
                        }
                        const text = inHistory && JSON.stringify(inHistory);
                        database.run('update alerts set history = ?, in_history = ? where id = ?', history, text, alert.id);
                        const after = alertOf(alert.id);
                        if (after && history !== 'confirmed' && JSON.stringify(after) !== JSON.stringify(before)) {
                            append({ kind: 'judged', alert: after }, nowMs);
                            isTold = true;
                        }
                    }
                });
                tell(isTold);
            },
        }),
        forgetPlace: () =>
            database.transaction(() => {
                database.run('delete from cursor');
                database.run("update items set item = json_set(json_remove(item, '$.places'), '$.stream', '', '$.sequence', '0')");
            }),
        noteInLake: (keys, nowMs) =>
            database.transaction(() => {
                for (const key of keys) {
                    database.run('insert into sealed values (?, ?) on conflict do nothing', key, nowMs);
                }
            }),
        inLake: () =>
            new Map(database.all('select key, in_lake_ms from sealed').map(({ key, in_lake_ms: ms }) => [String(key), Number(ms)])),
        leaveNumbersOut: () =>
            database.transaction(() => {
                const last = database.get("select seq from sqlite_sequence where name = 'events'")?.seq ?? 0;
                database.run("delete from sqlite_sequence where name = 'events'");
                database.run("insert into sqlite_sequence (name, seq) values ('events', ?)", Number(last) + NUMBERS_LEFT_OUT);
            }),
        makeDurable: () => setFact('durable', randomUUID()),
        onEvents(listener) {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        noteOthers() {
            const now = versionOf(database);
            if (now !== versionSeen) {
                versionSeen = now;
                tell(true);
            }
        },
        tidy: (nowMs) => tidy(database, nowMs),
        close: () => database.close(),
    };
}

/** A number that changes with what other connections commit, and with nothing else: https://www.sqlite.org/pragma.html#pragma_data_version */
function versionOf(database: Database): number {
    return Number(database.all('pragma data_version')[0]?.data_version);
}

/** @returns false where the item has another version than the one that was read */
function writeItem(database: Database, item: DeviceItem): boolean {
    const { device, site, profile, lastReceivedMs, dueMs, silentMs, nextSilenceMs, open, version } = item;
    const isSilent = Number(open.some(({ kind }) => kind === 'silent'));
    const values = [site, profile, lastReceivedMs, dueMs, silentMs, nextSilenceMs, isSilent, version, JSON.stringify(item)];
    const { changes } =
        version === 1
            ? database.run('insert into items values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing', device, ...values)
            : database.run(
                  'update items set site = ?, profile = ?, last_received_ms = ?, due_ms = ?, silent_ms = ?, next_silence_ms = ?, is_silent = ?, version = ?, item = ? where device = ? and version = ?',
                  ...values,
                  device,
                  version - 1,
              );
    return changes === 1;
}

/** Writes the alert as it is now; what people said of it stays. History is to judge it anew, once the message is sealed that `at` names. */
function writeAlert(database: Database, alert: LiveEpisode, at?: Cursor): void {
    const { id, site, device, profile, rule, kind, severity, began_ms, ended_ms, worst, readings, why, raised_ms } = alert;
    database.run(
        `insert into alerts (id, site, device, profile, rule, kind, severity, began_ms, ended_ms, worst, readings, why, raised_ms, stream, sequence)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         on conflict (id) do update set site = excluded.site, profile = excluded.profile, severity = excluded.severity, ended_ms = excluded.ended_ms, worst = excluded.worst,
         readings = excluded.readings, why = excluded.why, raised_ms = coalesce(alerts.raised_ms, excluded.raised_ms), stream = excluded.stream,
         sequence = excluded.sequence, history = 'pending', in_history = null`,
        ...[id, site, device, profile, rule, kind, severity, began_ms, ended_ms, worst, readings, why, raised_ms],
        ...[at?.stream ?? null, at?.sequence ?? null],
    );
}

function tidy(database: Database, nowMs: number): void {
    database.run('delete from outbox where given_up_ms < ?', nowMs - GIVEN_UP_KEPT_MS);
    for (const [isLatest, kept] of [
        [1, MAX_LATEST_EVENTS],
        [0, MAX_OTHER_EVENTS],
    ] as const) {
        const last = database.get('select id from events where is_latest = ? order by id desc limit 1 offset ?', isLatest, kept)?.id;
        if (typeof last === 'number') {
            // First it is said that they are gone: who reads in between is told too often rather than not at all.
            database.run(
                `insert into facts values (?, ?) on conflict (name) do update set value = excluded.value`,
                ...[isLatest ? 'latest_events_gone' : 'other_events_gone', String(last)],
            );
            inSteps(database, `events where is_latest = ${isLatest} and id <= ${last}`, 'id');
        }
    }
    const sealed = database.get('select in_lake_ms from sealed order by in_lake_ms desc limit 1 offset ?', MAX_SEALED)?.in_lake_ms;
    if (typeof sealed === 'number') {
        inSteps(database, `sealed where in_lake_ms <= ${sealed}`, 'key');
    }
    const closed = 'alerts where ended_ms is not null';
    const oldest = database.get(`select began_ms from ${closed} order by began_ms desc limit 1 offset ?`, MAX_CLOSED_ALERTS)?.began_ms;
    if (typeof oldest === 'number') {
        inSteps(database, `${closed} and began_ms <= ${oldest}`, 'rowid');
        database.run('delete from acknowledgements where alert not in (select id from alerts)');
    }
}

function inSteps(database: Database, from: string, key: string): void {
    const table = from.slice(0, from.indexOf(' '));
    while (database.run(`delete from ${table} where ${key} in (select ${key} from ${from} limit ${STEP})`).changes === STEP) {
        // On to the next step.
    }
}

/** The item of a row. */
export function itemIn(row: Row): DeviceItem {
    return JSON.parse(String(row.item));
}

/** The alert of a row. */
export function alertIn(row: Row): LiveAlert {
    const { acknowledged_ms: atMs, acknowledged_by: by, note, in_history: inHistory, stream: _stream, sequence: _sequence, ...words } = row;
    return {
        ...(words as unknown as Omit<LiveAlert, 'acknowledged' | 'inHistory'>),
        acknowledged: atMs === null ? null : { at_ms: Number(atMs), by: String(by), note: String(note) },
        inHistory: typeof inHistory === 'string' ? JSON.parse(inHistory) : null,
    };
}

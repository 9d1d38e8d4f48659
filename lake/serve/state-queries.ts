/**
 * What is asked of latest state: the fleet, its devices, alerts and events. A device's state depends on what time it is, so the database computes it as
 * lake/live/device-state.ts does: pages hold what was asked for, however many devices there are.
 */
import type { SQLInputValue } from 'node:sqlite';
import { type LiveClock, stateOf } from '#lake/live/device-state';
import { DEVICE_STATES, type DeviceItem, type LiveAlert, type LiveEvent, type StateOfDevice } from '#lake/live/state-store';
import type { Database, Row } from './sqlite.ts';
import { alertIn, itemIn } from './state-database.ts';

/** `deadlineOf` in SQL; the clock's parameters are those of `clockValues`. */
function deadline(column: string): string {
    return `case when last_received_ms between clock.since and clock.now then ${column} else clock.since + ${column} - last_received_ms end`;
}

const CLOCK = 'clock as (select ? as now, ? as watermark, ? as since, ? as is_late)';

function clockValues({ nowMs, watermarkMs, watchedSinceMs, isPipelineLate }: LiveClock): number[] {
    return [nowMs, watermarkMs, watchedSinceMs, Number(isPipelineLate)];
}

/** `stateOf` in SQL. */
const STATE = `case
    when due_ms is null or silent_ms is null or last_received_ms is null then 'unknown'
    when clock.is_late then case when not is_silent and clock.now <= ${deadline('due_ms')} then 'online' else 'unknown' end
    when is_silent or clock.watermark > ${deadline('silent_ms')} then 'silent'
    when clock.watermark > ${deadline('due_ms')} then 'late'
    else 'online' end`;

/** How many devices and open alerts there are. */
export interface Fleet {
    /** Devices by state: each state is there, with 0 too. */
    devices: Record<StateOfDevice, number>;
    /** Devices by state of each profile and site, names ascending. */
    groups: { profile: string; site: string; devices: Record<StateOfDevice, number> }[];
    /** Open alerts by severity, and how many of all of them nobody has acknowledged. */
    openAlerts: { info: number; warning: number; critical: number };
    unacknowledged: number;
    isPipelineLate: boolean;
}

/** A device as it is now. */
export interface DeviceNow {
    state: StateOfDevice;
    item: DeviceItem;
}

export interface DevicesAsked {
    state?: StateOfDevice | undefined;
    profile?: string | undefined;
    site?: string | undefined;
    /** Beginning of their ids. */
    prefix?: string | undefined;
    /** Id of the last device of the page before. */
    after?: string | undefined;
    limit: number;
}

export interface AlertsAsked {
    /** `open` has not ended; `unacknowledged` is open, and nobody has acknowledged it. */
    state?: 'open' | 'closed' | 'acknowledged' | 'unacknowledged' | undefined;
    device?: string | undefined;
    rule?: string | undefined;
    severity?: string | undefined;
    /** Beginning and id of the last alert of the page before. */
    after?: { beganMs: number; id: string } | undefined;
    limit: number;
}

/** An event with the number by which who listens goes on. */
export interface NumberedEvent {
    id: number;
    atMs: number;
    event: LiveEvent;
}

export interface StateQueries {
    fleet(clock: LiveClock): Fleet;
    /** Devices in the order of their ids. */
    devices(asked: DevicesAsked, clock: LiveClock): DeviceNow[];
    /** A device as it is now; undefined where nothing is known of it. */
    device(id: string, clock: LiveClock): DeviceNow | undefined;
    /** Alerts, the latest beginnings first, and of equal ones the greatest id. */
    alerts(asked: AlertsAsked): LiveAlert[];
    alert(id: string): LiveAlert | undefined;
    /** Events behind the number, ascending. `isWhole` is false where some of them are not kept any more, and where there never was one of that number. */
    events(asked: { after: number; limit: number; latest?: boolean }): { events: NumberedEvent[]; isWhole: boolean };
    /** Number of the last event; 0 where there never was one. */
    lastEvent(): number;
    /** The state of every device. */
    states(clock: LiveClock): { device: string; site: string; state: StateOfDevice }[];
    /** Devices of which a silence is to be raised, ids ascending. */
    awaited(clock: LiveClock, limit: number): string[];
}

/** Opens the questions to a database of latest state. */
export function openStateQueries(database: Database): StateQueries {
    const lastEvent = (): number => Number(database.get("select seq from sqlite_sequence where name = 'events'")?.seq ?? 0);
    const goneTo = (name: string): number => Number(database.get('select value from facts where name = ?', name)?.value ?? 0);
    return {
        fleet(clock) {
            const fleet: Fleet = {
                devices: noDevices(),
                groups: [],
                openAlerts: { info: 0, warning: 0, critical: 0 },
                unacknowledged: 0,
                isPipelineLate: clock.isPipelineLate,
            };
            const sql = `with ${CLOCK} select profile, site, ${STATE} as state, count(*) as count from items, clock group by 1, 2, 3 order by 1, 2, 3`;
            for (const row of database.all(sql, ...clockValues(clock))) {
                const [profile, site, count] = [String(row.profile), String(row.site), Number(row.count)];
                const last = fleet.groups.at(-1);
                const group = last?.profile === profile && last.site === site ? last : { profile, site, devices: noDevices() };
                if (group !== last) {
                    fleet.groups.push(group);
                }
                const state = stateIn(row);
                group.devices[state] += count;
                fleet.devices[state] += count;
            }
            const open =
                'select severity, count(*) as count, count(acknowledged_ms) as acknowledged from known_alerts where ended_ms is null group by 1';
            for (const row of database.all(open)) {
                fleet.openAlerts[String(row.severity) as keyof Fleet['openAlerts']] = Number(row.count);
                fleet.unacknowledged += Number(row.count) - Number(row.acknowledged);
            }
            return fleet;
        },
        devices({ state, profile, site, prefix = '', after = '', limit }, clock) {
            const { where, values } = conditions([
                ['device > ?', after],
                ['substr(device, 1, length(?)) = ?', prefix, prefix],
                ['profile = ?', profile],
                ['site = ?', site],
                [`${STATE} = ?`, state],
            ]);
            const sql = `with ${CLOCK} select item from items, clock ${where} order by device limit ?`;
            return database.all(sql, ...clockValues(clock), ...values, limit).map((row) => nowOf(itemIn(row), clock));
        },
        device(id, clock) {
            const row = database.get('select item from items where device = ?', id);
            return row && nowOf(itemIn(row), clock);
        },
        alerts({ state, device, rule, severity, after, limit }) {
            const { where, values } = conditions([
                [ALERTS[state ?? 'all']],
                ['device = ?', device],
                ['rule = ?', rule],
                ['severity = ?', severity],
                ['(began_ms, id) < (?, ?)', after?.beganMs, after?.id],
            ]);
            return database
                .all(`select * from known_alerts ${where} order by began_ms desc, id desc limit ?`, ...values, limit)
                .map(alertIn);
        },
        alert(id) {
            const row = database.get('select * from known_alerts where id = ?', id);
            return row && alertIn(row);
        },
        events({ after, limit, latest = true }) {
            const rows = latest
                ? database.all('select id, at_ms, event from events where id > ? order by id limit ?', after, limit)
                : database.all('select id, at_ms, event from events where is_latest = 0 and id > ? order by id limit ?', after, limit);
            // Asked behind the rows: what is deleted in between is told.
            const gone = Math.max(goneTo('other_events_gone'), latest ? goneTo('latest_events_gone') : 0);
            return {
                events: rows.map(({ id, at_ms, event }) => ({ id: Number(id), atMs: Number(at_ms), event: JSON.parse(String(event)) })),
                isWhole: after >= gone && after <= lastEvent(),
            };
        },
        lastEvent,
        states: (clock) =>
            database
                .all(`with ${CLOCK} select device, site, ${STATE} as state from items, clock`, ...clockValues(clock))
                .map((row) => ({ device: String(row.device), site: String(row.site), state: stateIn(row) })),
        awaited: (clock, limit) =>
            database
                .all(
                    `with ${CLOCK} select device from items, clock where next_silence_ms is not null and clock.watermark > ${deadline('next_silence_ms')} order by device limit ?`,
                    ...clockValues(clock),
                    limit,
                )
                .map(({ device }) => String(device)),
    };
}

/** Conditions of alerts by what is asked for. */
const ALERTS = {
    all: 'true',
    open: 'ended_ms is null',
    closed: 'ended_ms is not null',
    acknowledged: 'acknowledged_ms is not null',
    unacknowledged: 'ended_ms is null and acknowledged_ms is null',
} as const;

function nowOf(item: DeviceItem, clock: LiveClock): DeviceNow {
    return { state: stateOf(item, clock), item };
}

function stateIn(row: Row): StateOfDevice {
    return DEVICE_STATES.find((one) => one === row.state) ?? 'unknown';
}

function noDevices(): Record<StateOfDevice, number> {
    return { online: 0, late: 0, silent: 0, unknown: 0 };
}

/** Conditions whose values are known, joined. */
function conditions(all: readonly [string, ...(SQLInputValue | undefined)[]][]): { where: string; values: SQLInputValue[] } {
    const wanted = all.filter(([, ...values]) => !values.includes(undefined));
    return {
        where: `where ${wanted.map(([condition]) => condition).join(' and ')}`,
        values: wanted.flatMap(([, ...values]) => values.filter((value) => value !== undefined)),
    };
}

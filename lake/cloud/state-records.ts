/**
 * Records of the state table: how items, alerts and events stand in it. An item is one text, so that every digit stays (numbers of DynamoDB lose zeros at their ends),
 * beside the columns that are asked for.
 */
import { hash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Cursor, DeviceItem, LiveAlert, LiveEpisode, LiveEvent } from '#lake/live/state-store';
import { ALARMS } from './state-table.ts';

/** What is thrown for a write that DynamoDB will never take as it is: it helps nobody to try again. */
export class RefusedWrite extends Error {
    override readonly name = 'RefusedWrite';
}

export type StoredRecord = Record<string, AttributeValue>;

/** A column's value; what is null or undefined is no column. */
export type Column = string | number | Uint8Array | null | undefined;

/**
 * Partitions of an index that are written with alerts and silences: a partition takes 1,000 writes a second
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html).
 */
const ALERT_PARTITIONS = 8;
const SILENCE_PARTITIONS = 32;

/** An item whose text is longer is stored packed: a record holds 400 KB, names included. */
const PACKED_FROM_BYTES = 64 * 1024;

/** What a record may hold beside the columns that are short. */
const MAX_ITEM_BYTES = 380 * 1024;

/** Events of one record. */
const MAX_EVENTS_BYTES = 350 * 1024;

const DAY_MS = 86_400_000;
/** The stream of the table holds a day; who looks at the log later has this long. */
const EVENTS_KEPT_MS = 7 * DAY_MS;
/** Alerts are kept for so long after their end; history has all. */
const CLOSED_KEPT_MS = 366 * DAY_MS;

/** Partition of all devices in index `lists`. */
export const DEVICES_LIST = 'devices';

/** Partitions of all alerts in `lists`, of open ones in `waiting`, and of times at which silences are looked for. */
export const ALERT_LISTS = Array.from({ length: ALERT_PARTITIONS }, (_, n) => `alerts#${n}`);
export const OPEN_LISTS = Array.from({ length: ALERT_PARTITIONS }, (_, n) => `open#${n}`);
export const SILENCE_LISTS = Array.from({ length: SILENCE_PARTITIONS }, (_, n) => `silence#${n}`);

export function deviceKey(device: string): StoredRecord {
    return toRecord({ part: devicePart(device), place: 'item' });
}

export function devicePart(device: string): string {
    return `device#${device}`;
}

/** Key of the alert of that id; undefined where no alert can have it. */
export function alertKey(id: string): StoredRecord | undefined {
    const match = /^(.+)~[^~]+~(\d{1,15})$/su.exec(id);
    return match?.[1] === undefined
        ? undefined
        : toRecord({ part: devicePart(match[1]), place: `alert#${rankOf({ began_ms: Number(match[2]), id })}` });
}

/** The place of an alert by its beginning: texts in the order of (began_ms, id). */
export function rankOf({ began_ms: beganMs, id }: { began_ms: number; id: string }): string {
    return `${timeText(beganMs)}~${id}`;
}

/** A time as text in the order of times. */
export function timeText(ms: number): string {
    return String(Math.max(0, Math.floor(ms))).padStart(15, '0');
}

/** The record of an item. @throws RefusedWrite where no record can hold it */
export function itemRecord(item: DeviceItem, { events, nowMs }: { events: readonly LiveEvent[]; nowMs: number }): StoredRecord {
    const { device, site, profile, version, stream, sequence, lastReceivedMs, dueMs, silentMs, open } = item;
    const newer = events.flatMap((event) => (event.kind === 'latest' ? Object.keys(event.metrics) : []));
    const state = events.flatMap((event) => (event.kind === 'state' ? event.state : []))[0];
    const text = JSON.stringify(item);
    const packed = text.length > PACKED_FROM_BYTES ? deflateRawSync(text) : undefined;
    if (packed && packed.length > MAX_ITEM_BYTES) {
        throw new RefusedWrite(
            `latest state of device ${device} has ${packed.length} bytes, packed, and a record of DynamoDB holds ${MAX_ITEM_BYTES}: let its profile name fewer metrics, or shorter texts`,
        );
    }
    return {
        ...deviceKey(device),
        ...toRecord({
            ...{ is: 'device', list: DEVICES_LIST, rank: device, site, profile, version, stream, sequence },
            ...{ last_received_ms: lastReceivedMs, due_ms: dueMs, silent_ms: silentMs },
            is_silent: Number(open.some(({ kind }) => kind === 'silent')),
            ...silenceColumns(item),
            ...(packed ? { item_packed: packed } : { item: text }),
            newer: newer.length === 0 ? undefined : JSON.stringify(newer),
            told_state: state,
            at_ms: nowMs,
        }),
    };
}

/** The item of its record. */
export function itemIn(record: StoredRecord): DeviceItem {
    const packed = record.item_packed?.B;
    return JSON.parse(packed === undefined ? (textIn(record, 'item') ?? '') : inflateRawSync(packed).toString());
}

/**
 * Columns by which the watch finds the item, and from when on. The time is that of the next silence, on a grid of half its interval: it is never later than the silence, and a
 * device that reports in time moves it twice an interval at most, whatever it sends.
 */
function silenceColumns({ device, nextSilenceMs, lastReceivedMs }: DeviceItem): Record<string, Column> {
    if (nextSilenceMs === null) {
        return {};
    }
    const stepMs = Math.max(1, Math.floor((nextSilenceMs - (lastReceivedMs ?? nextSilenceMs)) / 2));
    return { wait: silenceList(device), wait_rank: timeText(nextSilenceMs - (nextSilenceMs % stepMs)) };
}

function silenceList(device: string): string {
    return SILENCE_LISTS[bucketOf(device, SILENCE_PARTITIONS)] ?? '';
}

/** Columns of an alert as it is now, and those that it does not have now. What people and history said of it is not among them. */
export function alertColumns(
    alert: LiveEpisode,
    { at, nowMs }: { at?: Cursor | undefined; nowMs: number },
): { set: Record<string, Column>; remove: string[] } {
    const { id, raised_ms: _raised, ended_ms: endedMs, ...words } = alert;
    const bucket = bucketOf(alert.device, ALERT_PARTITIONS);
    const rank = rankOf(alert);
    const columns: Record<string, Column> = {
        ...{ is: 'alert', id, ...words, ended_ms: endedMs },
        ...{ list: ALERT_LISTS[bucket], rank, history: 'pending', in_history: undefined, stream: at?.stream, sequence: at?.sequence },
        wait: endedMs === null ? OPEN_LISTS[bucket] : undefined,
        wait_rank: endedMs === null ? rank : undefined,
        ended_day: endedMs === null ? undefined : new Date(endedMs).toISOString().slice(0, 'yyyy-mm-dd'.length),
        expires_s: endedMs === null ? undefined : Math.ceil((nowMs + CLOSED_KEPT_MS) / 1000),
        changed_ms: nowMs,
    };
    return {
        set: Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined && value !== null)),
        remove: Object.keys(columns).filter((name) => columns[name] === undefined || columns[name] === null),
    };
}

/** The alert of its record. */
export function alertIn(record: StoredRecord): LiveAlert {
    const text = (name: string): string => textIn(record, name) ?? '';
    const acknowledgedMs = numberIn(record, 'acknowledged_ms');
    const inHistory = textIn(record, 'in_history');
    return {
        id: text('id'),
        site: text('site'),
        device: text('device'),
        profile: text('profile'),
        rule: text('rule'),
        kind: text('kind') as LiveAlert['kind'],
        severity: text('severity') as LiveAlert['severity'],
        began_ms: numberIn(record, 'began_ms') ?? 0,
        ended_ms: numberIn(record, 'ended_ms') ?? null,
        worst: textIn(record, 'worst') ?? null,
        readings: numberIn(record, 'readings') ?? 0,
        why: text('why'),
        raised_ms: numberIn(record, 'raised_ms') ?? null,
        acknowledged:
            acknowledgedMs === undefined ? null : { at_ms: acknowledgedMs, by: text('acknowledged_by'), note: text('acknowledged_note') },
        history: text('history') as LiveAlert['history'],
        inHistory: inHistory === undefined ? null : JSON.parse(inHistory),
    };
}

/** The records of events: one, or as many as events need that one cannot hold. `name` is another one for each change. */
export function eventRecords(
    events: readonly LiveEvent[],
    { part, name, nowMs }: { part: string; name: string; nowMs: number },
): StoredRecord[] {
    const lots: string[][] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const event of events) {
        const text = JSON.stringify(event);
        bytes += Buffer.byteLength(text) + 1;
        if (bytes > MAX_EVENTS_BYTES) {
            lots.push([]);
            bytes = Buffer.byteLength(text);
        }
        lots.at(-1)?.push(text);
    }
    return lots.map((lot, n) =>
        toRecord({
            ...{ part, place: `events#${name}#${n}`, is: 'events', events: `[${lot.join(',')}]`, at_ms: nowMs },
            // Who tells alerts on gets these records alone.
            audience: events.some(({ kind }) => isAlarm(kind)) ? ALARMS : undefined,
            expires_s: Math.ceil((nowMs + EVENTS_KEPT_MS) / 1000),
        }),
    );
}

/** True for events that SNS is told of, as hooks are at home. */
function isAlarm(kind: LiveEvent['kind']): boolean {
    return kind === 'raised' || kind === 'cleared' || kind === 'pipeline_late' || kind === 'pipeline_on_time';
}

/** A number below `count`, always the same one for a text. */
function bucketOf(text: string, count: number): number {
    return Number.parseInt(hash('sha256', text, 'hex').slice(0, 8), 16) % count;
}

export function toRecord(columns: Readonly<Record<string, Column>>): StoredRecord {
    const record: StoredRecord = {};
    for (const [name, value] of Object.entries(columns)) {
        if (value !== undefined && value !== null) {
            record[name] = toAttribute(value);
        }
    }
    return record;
}

export function toAttribute(value: string | number | Uint8Array): AttributeValue {
    return typeof value === 'string' ? { S: value } : typeof value === 'number' ? { N: String(value) } : { B: value };
}

/** A column of text; undefined where the record has none of that name. */
export function textIn(record: Readonly<StoredRecord>, name: string): string | undefined {
    return record[name]?.S;
}

/** A column of a number; undefined where the record has none of that name. */
export function numberIn(record: Readonly<StoredRecord>, name: string): number | undefined {
    const text = record[name]?.N;
    return text === undefined ? undefined : Number(text);
}

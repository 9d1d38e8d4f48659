/** What the watch and the consumer keep in the state table beside devices: how far each shard is, what time it is, how many devices there are, and what history said. */
import { isDeepStrictEqual } from 'node:util';
import pMap from 'p-map';
import { deadlineOf, type LiveClock } from '#lake/live/device-state';
import type { Judged } from '#lake/live/history-verdict';
import type { JudgedState } from '#lake/live/judge-history';
import type { LiveAlert, LiveEvent, StateOfDevice } from '#lake/live/state-store';
import { toldState } from '#lake/live/told-states';
import { StateCalls, type Write } from './state-calls.ts';
import { CLOCK_KEY, clockOf, PIPELINE_PART } from './state-clock.ts';
import { type DeviceCounts, FLEET_KEY, inPartition, StateQueries } from './state-queries.ts';
import {
    alertColumns,
    alertIn,
    alertKey,
    deviceKey,
    devicePart,
    eventRecords,
    itemIn,
    numberIn,
    OPEN_LISTS,
    rankOf,
    SILENCE_LISTS,
    type StoredRecord,
    textIn,
    timeText,
    toRecord,
} from './state-records.ts';
import type { CloudStateOptions } from './state-store.ts';
import type { PlaceOf } from './stream-progress.ts';

/**
 * Alerts are judged once they have been as they are for so long: their messages are in the tables then (a minute until they are sealed, six until their hour is
 * merged). Where they are not, the day is derived again when they come, and judged again.
 */
export const JUDGED_AFTER_MS = 30 * 60_000;

/** Sequence numbers as texts in the order of numbers: Kinesis gives 129 digits at most. */
const SEQUENCE_DIGITS = 129;

const PLACES = 'shard#';
const JUDGED_KEY = toRecord({ part: PIPELINE_PART, place: 'judged' });
const CALLS_AT_ONCE = 16;

/** A device as the watch looks at it. */
export interface WatchedDevice {
    device: string;
    site: string;
    profile: string;
    state: StateOfDevice;
    /** What it was when it was told of last. */
    before: StateOfDevice;
}

/** How far a shard is in latest state. */
export interface ShardPlace {
    /** The stream's id: its name, and when it was made. */
    stream: string;
    shard: string;
    /** Sequence number of the last record that is in latest state. */
    sequence: string;
    /** Its arrival. */
    arrivedMs: number;
}

/** Judging of a day: the object of its episodes, when it was first seen, and when it was judged last. */
export interface JudgedDay {
    etag: string;
    seenMs: number;
    judgedMs: number;
}

export interface CloudWatch {
    /** Notes how far the shard is; what was noted already stays. */
    notePlace(place: ShardPlace): Promise<void>;
    /** Last sequence numbers by stream and shard. */
    places(): Promise<PlaceOf>;
    /** The last look; undefined before the first one. */
    lastLook(): Promise<{ clock: LiveClock; lateSinceMs: number | undefined; lookedMs: number } | undefined>;
    /** Notes a look: by this the API tells what time it is. */
    noteLook(clock: LiveClock): Promise<void>;
    /** Notes that latest state stands still, or goes on: @returns false where that was noted already */
    notePipeline(event: LiveEvent & { kind: 'pipeline_late' | 'pipeline_on_time' }, nowMs: number): Promise<boolean>;
    /** Devices of which a silence is to be raised, so many at most. What is looked for too early is looked for later from now on. */
    awaited(clock: LiveClock, limit: number): Promise<string[]>;
    /** Every device with its state now and as it was told of last. Reads some columns of each. */
    devices(clock: LiveClock, before: LiveClock): AsyncIterable<WatchedDevice>;
    /** How many devices there were when they were counted last, and what time it was then. */
    lastCount(): Promise<{ count: number; clock: LiveClock } | undefined>;
    noteCount(counts: DeviceCounts, clock: LiveClock): Promise<void>;
    noteStates(events: readonly (LiveEvent & { kind: 'state' })[], nowMs: number): Promise<void>;
    judgedDays(): Promise<Record<string, JudgedDay>>;
    noteJudged(days: Readonly<Record<string, JudgedDay>>): Promise<void>;
    /** The alerts, for who judges them. Whatever is under way when `signal` is aborted ends with its reason. */
    judgedAt(nowMs: number, signal: AbortSignal): JudgedState;
}

/** Opens what the watch works with, without a call to AWS. */
export function openCloudWatch({ client, table }: Omit<CloudStateOptions, 'now'>): CloudWatch {
    const calls = new StateCalls({ client, table });
    const queries = new StateQueries({
        calls,
        clock: () => {
            throw new TypeError('the watch says what time it is');
        },
    });

    async function awaited(clock: LiveClock, limit: number): Promise<string[]> {
        const bounds = { texts: ['#wait_rank <= :until'], values: { ':until': timeText(clock.watermarkMs) } };
        const due: string[] = [];
        for (const list of SILENCE_LISTS) {
            for await (const page of calls.query({ ...inPartition('waiting', list, { bounds }), Limit: limit })) {
                const devices = page.map((record) => (textIn(record, 'part') ?? '').slice(devicePart('').length));
                const records = await calls.getAll(devices.map(deviceKey));
                await pMap(
                    records,
                    async (record) => {
                        const dueMs = silenceOf(record, clock);
                        if (dueMs !== undefined && clock.watermarkMs > dueMs) {
                            due.push(textIn(record, 'rank') ?? '');
                        } else if (dueMs !== undefined) {
                            await lookLater(record, dueMs);
                        }
                    },
                    { concurrency: CALLS_AT_ONCE },
                );
                if (due.length >= limit) {
                    return due.slice(0, limit);
                }
            }
        }
        return due;
    }

    /** The grid by which items are looked for is coarse: one that reports seldom is looked at once an interval, and not once a minute. */
    async function lookLater(record: StoredRecord, dueMs: number): Promise<void> {
        const version = numberIn(record, 'version') ?? 0;
        await calls.write([
            {
                key: deviceKey(textIn(record, 'rank') ?? ''),
                set: { wait_rank: timeText(dueMs) },
                // The stream tells of this write, too: it brings nothing new.
                remove: ['newer', 'told_state'],
                if: { is: 'equal', column: 'version', to: version },
            },
        ]);
    }

    return {
        async notePlace({ stream, shard, sequence, arrivedMs }) {
            const text = sequence.padStart(SEQUENCE_DIGITS, '0');
            await calls.write([
                {
                    key: toRecord({ part: PIPELINE_PART, place: `${PLACES}${stream}#${shard}` }),
                    set: { sequence: text, arrived_ms: arrivedMs },
                    if: { is: 'less or absent', column: 'sequence', than: text },
                },
            ]);
        },
        async places() {
            const bounds = { texts: ['#place BETWEEN :from AND :to'], values: { ':from': PLACES, ':to': `${PLACES}\u{10ffff}` } };
            const known = new Map<string, string>();
            for await (const page of calls.query({ ...inPartition(undefined, PIPELINE_PART, { bounds }), ConsistentRead: true })) {
                for (const record of page) {
                    known.set(textIn(record, 'place') ?? '', (textIn(record, 'sequence') ?? '').replace(/^0+(?=\d)/, ''));
                }
            }
            return (stream, shard) => known.get(`${PLACES}${stream}#${shard}`);
        },
        async lastLook() {
            const record = await calls.get(CLOCK_KEY);
            const lookedMs = record && numberIn(record, 'at_ms');
            if (!record || lookedMs === undefined) {
                return undefined;
            }
            return { clock: clockOf(record, lookedMs), lateSinceMs: numberIn(record, 'late_since_ms'), lookedMs };
        },
        async noteLook({ nowMs, watermarkMs, watchedSinceMs }) {
            await calls.write([{ key: CLOCK_KEY, set: { at_ms: nowMs, watermark_ms: watermarkMs, watched_since_ms: watchedSinceMs } }]);
        },
        notePipeline(event, nowMs) {
            const isLate = event.kind === 'pipeline_late';
            const clock: Write = isLate
                ? { key: CLOCK_KEY, set: { late_since_ms: event.since_ms }, if: { is: 'absent', column: 'late_since_ms' } }
                : { key: CLOCK_KEY, remove: ['late_since_ms'], if: { is: 'present', column: 'late_since_ms' } };
            const records = eventRecords([event], { part: PIPELINE_PART, name: `${event.kind}#${nowMs}`, nowMs });
            return calls.write([clock, ...records.map((put) => ({ put }))]);
        },
        awaited,
        async *devices(clock, before) {
            for await (const { known, ...device } of queries.states(clock)) {
                // A silence was told of when it was raised.
                yield { ...device, before: known.open.length > 0 ? 'silent' : toldState(known, before) };
            }
        },
        async lastCount() {
            const record = await calls.get(FLEET_KEY);
            const count = record && numberIn(record, 'count');
            return record === undefined || count === undefined ? undefined : { count, clock: JSON.parse(textIn(record, 'clock') ?? '') };
        },
        async noteCount(counts, clock) {
            const count = Object.values(counts.devices).reduce((sum, n) => sum + n, 0);
            const set = { fleet: JSON.stringify(counts), count, at_ms: clock.nowMs, clock: JSON.stringify(clock) };
            await calls.write([{ key: FLEET_KEY, set }]);
        },
        async noteStates(events, nowMs) {
            for (const put of eventRecords(events, { part: PIPELINE_PART, name: `states#${nowMs}`, nowMs })) {
                await calls.write([{ put }]);
            }
        },
        async judgedDays() {
            const record = await calls.get(JUDGED_KEY);
            return record ? JSON.parse(textIn(record, 'days') ?? '{}') : {};
        },
        async noteJudged(days) {
            await calls.write([{ key: JUDGED_KEY, set: { days: JSON.stringify(days) } }]);
        },
        judgedAt: (nowMs, signal) => judgedState(calls, { nowMs, signal }),
    };
}

/** Time at which the silence of an item is to be raised; undefined where none is left that could be. */
function silenceOf(record: StoredRecord, clock: LiveClock): number | undefined {
    const { nextSilenceMs, lastReceivedMs } = itemIn(record);
    return nextSilenceMs === null ? undefined : deadlineOf(nextSilenceMs, lastReceivedMs ?? nextSilenceMs, clock);
}

function judgedState(calls: StateCalls, { nowMs, signal }: { nowMs: number; signal: AbortSignal }): JudgedState {
    const isSettled = (record: StoredRecord) => (numberIn(record, 'changed_ms') ?? 0) <= nowMs - JUDGED_AFTER_MS;

    async function alertsIn(index: 'ends' | 'waiting', partition: string): Promise<StoredRecord[]> {
        const found: StoredRecord[] = [];
        for await (const page of calls.query(inPartition(index, partition))) {
            signal.throwIfAborted();
            const keys = page.map(({ part, place }) => ({ ...(part && { part }), ...(place && { place }) }));
            found.push(...(await calls.getAll(keys)));
        }
        return found;
    }

    return {
        async alertsToJudge({ fromMs, untilMs, isLast }) {
            const records = await alertsIn('ends', new Date(fromMs).toISOString().slice(0, 'yyyy-mm-dd'.length));
            for (const list of isLast ? OPEN_LISTS : []) {
                records.push(...(await alertsIn('waiting', list)));
            }
            return records
                .filter(isSettled)
                .map(alertIn)
                .filter(
                    ({ began_ms: beganMs, ended_ms: endedMs }) =>
                        beganMs < untilMs && (endedMs === null ? isLast : endedMs >= fromMs && endedMs < untilMs),
                );
        },
        async hasAlert({ id, device, rule, began_ms: beganMs, ended_ms: endedMs }) {
            signal.throwIfAborted();
            const to = `alert#${timeText((endedMs ?? Number.MAX_SAFE_INTEGER) + 1)}`;
            const bounds = { texts: ['#place BETWEEN :from AND :to'], values: { ':from': 'alert#', ':to': to } };
            const wanted = { texts: ['#rule = :rule'], values: { ':rule': rule } };
            for await (const page of calls.query({
                ...inPartition(undefined, devicePart(device), { bounds, wanted }),
                ScanIndexForward: false,
            })) {
                const isThere = page.map(alertIn).some((alert) => {
                    const overlaps = alert.history === 'pending' && (alert.ended_ms ?? Number.MAX_SAFE_INTEGER) >= beganMs;
                    return alert.id === id || alert.inHistory?.id === id || overlaps;
                });
                if (isThere) {
                    return true;
                }
            }
            return false;
        },
        async judge(judged, atMs) {
            await pMap(judged, (one) => judgeOne(one, atMs), { concurrency: CALLS_AT_ONCE });
        },
    };

    async function judgeOne({ alert, history, inHistory }: Judged, atMs: number): Promise<void> {
        signal.throwIfAborted();
        const isAdded = history === 'added';
        const key = alertKey(alert.id);
        const record = key && (await calls.get(key));
        const before = record && alertIn(record);
        if (!key || (!before && !isAdded)) {
            return;
        }
        const said = { acknowledged: before?.acknowledged ?? null, raised_ms: before?.raised_ms ?? null };
        const after: LiveAlert = { ...(before && !isAdded ? before : { ...alert, ...said }), history, inHistory };
        if (isDeepStrictEqual(after, before)) {
            return;
        }
        const { set, remove } = isAdded ? alertColumns(alert, { nowMs: atMs }) : { set: {}, remove: [] };
        const event: LiveEvent = { kind: 'judged', alert: after };
        const told = { part: devicePart(alert.device), name: `judged#${rankOf(alert)}#${atMs}`, nowMs: atMs };
        // Where a message came in between, it was judged as it is no more: the next look sees it.
        const changedMs = record && numberIn(record, 'changed_ms');
        await calls.write([
            {
                key,
                set: { ...set, history, in_history: inHistory && JSON.stringify(inHistory) },
                remove: [...remove.filter((name) => name !== 'in_history'), ...(inHistory ? [] : ['in_history'])],
                if: changedMs === undefined ? { is: 'absent', column: 'part' } : { is: 'equal', column: 'changed_ms', to: changedMs },
            },
            ...(history === 'confirmed' ? [] : eventRecords([event], told).map((put) => ({ put }))),
        ]);
    }
}

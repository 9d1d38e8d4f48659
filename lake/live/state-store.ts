/**
 * The port to latest state: one item a device, and the alerts that were raised. Embedded it is a database, on AWS a table of DynamoDB. Items are written on
 * condition of their version, so that no two writers undo each other, and say how far the inbox is in them, so that no message is counted twice.
 */
import type { DeviceState, Episode } from '#lake/telemetry/episodes';

/** The newest reading of a metric. Guarded by (`atMs`, `message`): an older reading never takes its place. */
export interface LatestMetric {
    /** Decimal text with the profile's digits; null for a text. */
    value: string | null;
    text: string | null;
    /** Unit (UCUM); null where the profile says none. */
    unit: string | null;
    atMs: number;
    /** Identity of its message. */
    message: string;
    receivedMs: number;
    clock: 'device' | 'arrival';
}

/**
 * `online`: its next message is not due yet. `late`: it is due, and may still come. `silent`: it should have come. `unknown`: nobody can tell, because its
 * profile names no interval, or because latest state stands still.
 */
export const DEVICE_STATES = ['online', 'late', 'silent', 'unknown'] as const;

export type StateOfDevice = (typeof DEVICE_STATES)[number];

/** What is known of a device now. Times are UTC epoch milliseconds. */
export interface DeviceItem {
    device: string;
    /** Site and profile of its last message. */
    site: string;
    profile: string;
    metrics: Readonly<Record<string, LatestMetric>>;
    /** Newest measuring time; null before the first reading. */
    lastAtMs: number | null;
    /** Arrival of its last message that had a reading; null before the first one. */
    lastReceivedMs: number | null;
    /** Arrival by which the next message is due, and by which the device is silent; null where its profile names no interval. */
    dueMs: number | null;
    silentMs: number | null;
    /** Arrival by which the next silence is to be raised; null where no rule is left that could be. */
    nextSilenceMs: number | null;
    /** What its rules have seen; null before the first reading. */
    rules: DeviceState | null;
    /** Its alerts that are open, in the order of their ids. */
    open: readonly LiveEpisode[];
    /** Messages that came as this device's and are none of it: wrong topic, wrong device in the payload. */
    refused: number;
    /** Messages without a reading, and why the last one had none. */
    rejected: number;
    lastRejected: { receivedMs: number; reason: string; why: string } | null;
    /** Readings that came later than a newer one of their metric, or once more: they are history, and no latest state. */
    late: number;
    /** Readings of metrics beyond those that an item can hold; they are in history. */
    unkept: number;
    /** The last message of the inbox that is in the item: the stream of numbers, and its number. */
    stream: string;
    sequence: string;
    /** The last message of each other stream that the device came by, where it came by several: the last few of them. */
    places?: Readonly<Record<string, string>>;
    /** Increases with each write; 0 for an item that was never written. */
    version: number;
}

/** An alert or a silence as it was raised live. Its id names device, rule and beginning, so that a retry raises nothing twice. */
export interface LiveEpisode extends Omit<Episode, 'ended_ms' | 'worst'> {
    id: string;
    /** Null while it is open. */
    ended_ms: number | null;
    /** Decimal text. */
    worst: string | null;
    /** The machine's clock when this program raised it; null for one that only history has. */
    raised_ms: number | null;
}

/** An alert with what people and history have said of it. */
export interface LiveAlert extends LiveEpisode {
    acknowledged: { at_ms: number; by: string; note: string } | null;
    /** What history says of it, once the readings of its time are in the lake: late data may change it or take it away; `added` is one that only history has. */
    history: HistoryVerdict;
    /** The episode as history has it, where that differs. */
    inHistory: LiveEpisode | null;
}

export type HistoryVerdict = 'pending' | 'confirmed' | 'changed' | 'gone' | 'added';

/** Something that a person, a dashboard or a hook is told of. */
export type LiveEvent =
    /** The metrics of a device that have a newer reading. */
    | {
          kind: 'latest';
          device: string;
          site: string;
          profile: string;
          received_ms: number;
          metrics: Readonly<Record<string, LatestMetric>>;
      }
    /** A device is in another state than before. */
    | { kind: 'state'; device: string; site: string; state: StateOfDevice }
    | { kind: 'raised' | 'cleared'; alert: LiveEpisode }
    /** A person says that the alert is known; history says otherwise of it, or has one that was not raised. */
    | { kind: 'acknowledged' | 'judged'; alert: LiveAlert }
    /** Latest state stands still, or goes on again: since when it stood, and what is known of why. */
    | { kind: 'pipeline_late' | 'pipeline_on_time'; since_ms: number; why: string };

/** What one batch of messages changes of a device: written together or not at all. */
export interface StateChange {
    item: DeviceItem;
    /** Alerts that it raises, ends, or whose figures it changes. */
    alerts: readonly LiveEpisode[];
    events: readonly LiveEvent[];
}

/** What is written at once. */
export interface StateBatch {
    changes: readonly StateChange[];
    /** The consumer's place in the inbox before the batch, undefined where it never was there, and behind it; left out by who reads no inbox. */
    cursor?: { before: Cursor | undefined; after: Cursor } | undefined;
    /** The machine's clock, for the events. */
    nowMs: number;
}

/** A place in the inbox: the last message that was taken. */
export interface Cursor {
    stream: string;
    /** `0` before the first message. */
    sequence: string;
}

export interface StateStore {
    /** Items of the devices that are known. */
    read(devices: readonly string[]): Promise<ReadonlyMap<string, DeviceItem>>;
    /**
     * Writes each change on condition that the device's item has version `item.version - 1`, and the cursor on condition that it stands where the batch says.
     * @returns false where one of them does not: read again, merge again. What was written already is known by the items' `sequence`
     */
    write(batch: StateBatch): Promise<boolean>;
}

/**
 * The port to latest state: one item a device, and the alerts that were raised. Embedded it is a database, on AWS a table of DynamoDB. Items are written on
 * condition of their version, so that no two writers undo each other.
 */
import type { Episode } from '#lake/telemetry/episodes';

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

/** What is known of a device now. */
export interface DeviceItem {
    device: string;
    site: string;
    profile: string;
    metrics: Readonly<Record<string, LatestMetric>>;
    /** Newest measuring time and newest arrival of any message of it, UTC epoch milliseconds. */
    lastAtMs: number;
    lastReceivedMs: number;
    /** Arrival by which the next message is due, and by which the device is silent; null where its profile names no interval. */
    dueMs: number | null;
    silentMs: number | null;
    /** State of its rules, as lake/telemetry/episodes.ts keeps it; plain JSON. */
    rules: unknown;
    /** Messages that came as this device's and are none of it: wrong topic, wrong device in the payload. */
    refused: number;
    /** Increases with each write; 0 for an item that was never written. */
    version: number;
}

/** An alert that was raised live. Its id names device, rule and beginning, so that a retry raises nothing twice. */
export interface LiveAlert extends Omit<Episode, 'began_ms' | 'ended_ms' | 'worst'> {
    id: string;
    began_ms: number;
    /** Null while it is open. */
    ended_ms: number | null;
    /** Decimal text. */
    worst: string | null;
    /** When this program raised it: machine's clock, UTC epoch milliseconds. */
    raised_ms: number;
    acknowledged: { at_ms: number; by: string; note: string } | null;
    /** What history says of it, once the readings of its time are in the lake: late data may add to it or take it away. */
    history: 'pending' | 'confirmed' | 'changed' | 'gone';
}

/** What one batch of messages changes of a device: written together or not at all. */
export interface StateChange {
    item: DeviceItem;
    /** Alerts that it raises, or ends. */
    alerts: readonly LiveAlert[];
}

export interface StateStore {
    /** Items of the devices that are known. */
    read(devices: readonly string[]): Promise<ReadonlyMap<string, DeviceItem>>;
    /** Writes each change on condition that the device's item has version `item.version - 1`. @returns devices whose item has another one */
    write(changes: readonly StateChange[]): Promise<string[]>;
    /** Items in the order of their ids, behind `after`. */
    list(options: { after?: string | undefined; limit: number }): Promise<DeviceItem[]>;
}

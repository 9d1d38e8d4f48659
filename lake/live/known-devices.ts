/** What the ways in know of devices: profile, site and own topics as the lake says them now. */
import { type Assignment, assignmentOn, parseAssignments } from '#lake/devices';
import { StorageError } from '#lake/errors';
import { DEVICES_PREFIX, deviceIdOf, deviceKey, inputNameOf, inputPointerKey, inputVersionKey } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { FollowedObjects } from './followed-objects.ts';
import { type DevicePattern, devicePatternsOf } from './own-topics.ts';

export interface KnownDevice {
    profile: string;
    site: string;
    /** Topic patterns of its profile that name the device. */
    patterns: readonly DevicePattern[];
}

export interface KnownDevices {
    /** The device as it is registered for the day of this time, or for today; undefined where it is not. */
    find(device: string, atMs?: number): KnownDevice | undefined;
    /** Ids of all devices that are registered today. */
    list(): string[];
    /** Why a device that is not found may be there all the same: its record is damaged. */
    whyUnreadable(device: string): string | undefined;
    refresh(): Promise<void>;
    close(): void;
}

/** Prefix of profiles, as lake/telemetry/kind.ts has it. */
export const PROFILES_PREFIX = 'profiles/';

const DAY_MS = 86_400_000;

/** What is known by an object below PROFILES_PREFIX: the version that holds, or the topic patterns of one version that name the device. */
export type ProfileObject = { is: 'pointer'; version: number } | { is: 'version'; patterns: DevicePattern[] };

/** @throws StorageError where the registry cannot be listed or read */
export async function openKnownDevices({
    store,
    now,
    onTrouble,
    everyMs = 5_000,
}: {
    store: ObjectStore;
    now: () => number;
    onTrouble: (why: string) => void;
    everyMs?: number;
}): Promise<KnownDevices> {
    const records = await FollowedObjects.open<readonly Assignment[]>({
        ...{ store, now, onTrouble, everyMs },
        prefix: DEVICES_PREFIX,
        parse(key, bytes) {
            const device = deviceIdOf(key);
            return device === undefined ? undefined : parseAssignments(bytes, { key, device });
        },
    });
    const profiles = await FollowedObjects.open<ProfileObject>({
        ...{ store, now, onTrouble, everyMs },
        prefix: PROFILES_PREFIX,
        parse: parseProfileObject,
    });

    function patternsOf(profile: string): readonly DevicePattern[] {
        const pointer = profiles.get(inputPointerKey(PROFILES_PREFIX, profile));
        const version = pointer?.ok && pointer.value.is === 'pointer' ? pointer.value.version : 0;
        const document = profiles.get(inputVersionKey(PROFILES_PREFIX, profile, version));
        return document?.ok && document.value.is === 'version' ? document.value.patterns : [];
    }

    /** The last day that was asked for: it is that of nearly every message. */
    let lastDay = { number: Number.NaN, day: '' };

    function dayOf(ms: number): string {
        const number = Math.floor(ms / DAY_MS);
        if (number !== lastDay.number) {
            lastDay = { number, day: new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length) };
        }
        return lastDay.day;
    }

    return {
        find(device, atMs = now()) {
            const known = records.get(deviceKey(device));
            const assignment = known?.ok ? assignmentOn(known.value, dayOf(atMs)) : undefined;
            return assignment && { profile: assignment.profile, site: assignment.site, patterns: patternsOf(assignment.profile) };
        },
        list() {
            const day = dayOf(now());
            return records.entries().flatMap(([, known]) => (known.ok ? (assignmentOn(known.value, day)?.device ?? []) : []));
        },
        whyUnreadable(device) {
            const known = records.get(deviceKey(device));
            return known?.ok === false ? known.why : undefined;
        },
        async refresh() {
            await Promise.all([records.refresh(), profiles.refresh()]);
        },
        close() {
            records.close();
            profiles.close();
        },
    };
}

/** Reads an object below PROFILES_PREFIX. @throws StorageError where it is damaged */
export function parseProfileObject(key: string, bytes: Uint8Array): ProfileObject | undefined {
    let value: unknown;
    try {
        value = JSON.parse(Buffer.from(bytes).toString());
    } catch (error) {
        throw new StorageError(`${key} is no JSON: restore it from a backup`, { cause: error });
    }
    if (inputNameOf(PROFILES_PREFIX, key) === undefined) {
        return { is: 'version', patterns: devicePatternsOf(value) };
    }
    const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
    if (typeof version !== 'number') {
        throw new StorageError(`${key} names no version: restore it from a backup, {"version": 1} names the first one`);
    }
    return { is: 'pointer', version };
}

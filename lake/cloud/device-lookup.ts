/**
 * What the lake says of single devices: a fleet of a million is never listed. What was read is remembered for a while and up to a number of devices. What is
 * remembered can confirm a message; what would put it aside is read anew, unless it was read after the message had arrived.
 */
import { type Credentials, parseCredentials, whyNoProgram, whyNotItsCertificate } from '#lake/credentials';
import { type Assignment, assignmentOn, parseAssignments } from '#lake/devices';
import { StorageError } from '#lake/errors';
import { credentialsKey, deviceKey, inputPointerKey, inputVersionKey, isDeviceId, isInputName } from '#lake/layout';
import { type KnownDevice, PROFILES_PREFIX, type ProfileObject, parseProfileObject } from '#lake/live/known-devices';
import type { DevicePattern } from '#lake/live/own-topics';
import type { ObjectStore } from '#lake/store/object-store';

/** The device as it was registered at an instant, or why it was not: there was no assignment, or its record is damaged. */
export type LookedUp = { ok: true; device: KnownDevice } | { ok: false; isDamaged: boolean; why: string };

export interface LookUpOptions {
    /** Instant of the assignment, UTC epoch milliseconds: when the message arrived. */
    atMs: number;
    /** What was read before this instant is read anew. Default: what is remembered is believed. */
    readSinceMs?: number;
}

/** Every answer but an error is of the lake's objects as they are; what cannot be read is never taken for missing. */
export interface DeviceLookup {
    /** The device at an instant. @throws StorageError where the lake cannot be read */
    find(device: string, options: LookUpOptions): Promise<LookedUp>;
    /** Why programs could not write as the device at that instant; undefined where they could. @throws StorageError where the lake cannot be read */
    whyNoProgram(device: string, atMs: number): Promise<string | undefined>;
    /** Why a message with this certificate was not the device's at that instant; undefined where it was. @throws StorageError where the lake cannot be read */
    whyNotItsCertificate(device: string, options: { fingerprint: string; atMs: number }): Promise<string | undefined>;
}

export interface DeviceLookupOptions {
    store: Pick<ObjectStore, 'get'>;
    /** UTC epoch milliseconds. */
    now: () => number;
    /** How long what was read is remembered. A read is a GET: 10,000 devices are 2,000 a minute, some 35 $ a month. */
    maxAgeMs?: number;
    /** Devices that are remembered; the one that was not asked for the longest time goes first. */
    maxDevices?: number;
}

const MAX_AGE_MS = 5 * 60_000;
const MAX_DEVICES = 50_000;
/** There are far fewer profiles than devices. */
const MAX_PROFILES = 1_000;

/** An object as it was read: absent and damaged are answers too. */
type Read<T> = { is: 'there'; value: T } | { is: 'absent' } | { is: 'damaged'; why: string };

export function openDeviceLookup({ store, now, maxAgeMs = MAX_AGE_MS, maxDevices = MAX_DEVICES }: DeviceLookupOptions): DeviceLookup {
    async function read<T>(key: string, parse: (bytes: Uint8Array) => T): Promise<Read<T>> {
        const object = await store.get(key);
        if (!object) {
            return { is: 'absent' };
        }
        try {
            return { is: 'there', value: parse(object.bytes) };
        } catch (error) {
            // Only what is wrong with the bytes: the store has given them. One damaged record must not hold up all other devices.
            if (error instanceof StorageError) {
                return { is: 'damaged', why: error.message };
            }
            throw error;
        }
    }

    const records = new Remembered<Read<readonly Assignment[]>>({
        ...{ now, maxAgeMs, maxEntries: maxDevices },
        read: (device) => read(deviceKey(device), (bytes) => parseAssignments(bytes, { key: deviceKey(device), device })),
    });
    const credentials = new Remembered<Read<Credentials>>({
        ...{ now, maxAgeMs, maxEntries: maxDevices },
        read: (device) => read(credentialsKey(device), (bytes) => parseCredentials(bytes, { key: credentialsKey(device), device })),
    });
    const profiles = new Remembered<Read<ProfileObject | undefined>>({
        ...{ now, maxAgeMs, maxEntries: MAX_PROFILES },
        read: (key) => read(key, (bytes) => parseProfileObject(key, bytes)),
    });

    /** Topic patterns of the profile that name the device; none where the profile is missing or damaged: whoever reads messages says so. */
    async function patternsOf(profile: string, readSinceMs: number): Promise<readonly DevicePattern[]> {
        if (!isInputName(profile)) {
            return [];
        }
        const pointer = await profiles.get(inputPointerKey(PROFILES_PREFIX, profile), readSinceMs);
        if (pointer.is !== 'there' || pointer.value?.is !== 'pointer') {
            return [];
        }
        const version = await profiles.get(inputVersionKey(PROFILES_PREFIX, profile, pointer.value.version));
        return version.is === 'there' && version.value?.is === 'version' ? version.value.patterns : [];
    }

    async function look(device: string, { atMs, readSinceMs }: Required<LookUpOptions>): Promise<LookedUp> {
        const record = await records.get(device, readSinceMs);
        if (record.is === 'damaged') {
            return { ok: false, isDamaged: true, why: record.why };
        }
        const day = new Date(atMs).toISOString().slice(0, 'yyyy-mm-dd'.length);
        const assignment = record.is === 'there' ? assignmentOn(record.value, day) : undefined;
        if (!assignment) {
            return { ok: false, isDamaged: false, why: `device ${device} is not registered on ${day}: flowlake device add ${device}` };
        }
        const { profile, site } = assignment;
        return { ok: true, device: { profile, site, patterns: await patternsOf(profile, readSinceMs) } };
    }

    /** Asks the device's credentials; a refusal rests on what was read after `atMs`. */
    async function ask(
        device: string,
        atMs: number,
        whyNot: (credentials: Credentials) => string | undefined,
    ): Promise<string | undefined> {
        if (!isDeviceId(device)) {
            return sayNoId(device);
        }
        const answer = async (readSinceMs?: number): Promise<string | undefined> => {
            const known = await credentials.get(device, readSinceMs);
            if (known.is === 'damaged') {
                return known.why;
            }
            return whyNot(known.is === 'there' ? known.value : { device, certificates: [], tokens: [] });
        };
        return (await answer()) === undefined ? undefined : answer(atMs);
    }

    return {
        async find(device, { atMs, readSinceMs = Number.NEGATIVE_INFINITY }) {
            if (!isDeviceId(device)) {
                return { ok: false, isDamaged: false, why: sayNoId(device) };
            }
            const found = await look(device, { atMs, readSinceMs });
            return found.ok ? found : look(device, { atMs, readSinceMs: Math.max(atMs, readSinceMs) });
        },
        whyNoProgram: (device, atMs) => ask(device, atMs, (known) => whyNoProgram(known, { atMs })),
        whyNotItsCertificate: (device, { fingerprint, atMs }) =>
            ask(device, atMs, (known) => whyNotItsCertificate(known, { fingerprint, atMs })),
    };
}

function sayNoId(device: string): string {
    return `${JSON.stringify(device.slice(0, 200))} is no id of a device`;
}

interface RememberedOptions<T> {
    read(key: string): Promise<T>;
    now: () => number;
    maxAgeMs: number;
    maxEntries: number;
}

/** What was read by key, for a bounded time and up to a number of keys. One read at a time of each key; one that failed is not remembered. */
class Remembered<T> {
    readonly #options: RememberedOptions<T>;
    /** The key that was asked for the longest time ago comes first. */
    readonly #entries = new Map<string, { beganMs: number; value: Promise<T> }>();

    constructor(options: RememberedOptions<T>) {
        this.#options = options;
    }

    /** What the key says; what was begun to be read before `sinceMs` is read anew. */
    get(key: string, sinceMs = Number.NEGATIVE_INFINITY): Promise<T> {
        const { read, now, maxAgeMs, maxEntries } = this.#options;
        const known = this.#entries.get(key);
        const ageMs = known ? now() - known.beganMs : Number.NaN;
        this.#entries.delete(key);
        const isGood = known && ageMs >= 0 && ageMs <= maxAgeMs && known.beganMs >= sinceMs;
        const entry = isGood ? known : { beganMs: now(), value: read(key) };
        this.#entries.set(key, entry);
        if (entry !== known) {
            entry.value.catch(() => {
                if (this.#entries.get(key) === entry) {
                    this.#entries.delete(key);
                }
            });
        }
        for (const oldest of this.#entries.keys()) {
            if (this.#entries.size <= maxEntries) {
                break;
            }
            this.#entries.delete(oldest);
        }
        return entry.value;
    }
}

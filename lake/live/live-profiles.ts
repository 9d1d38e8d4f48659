/**
 * The profiles by which messages are read as they come. The pointer to the version that holds is read from the lake again after some seconds, not with each
 * message: a message that was read by the version of before is read by the new one when its chain object is, and the history's verdict stands.
 */
import { UsageError } from '#lake/errors';
import { lookAtInputs, readVersion } from '#lake/inputs';
import { checkSite, DEFAULT_SITE, isInputName } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, toMessage } from '#lake/telemetry/chain-line';
import { telemetry } from '#lake/telemetry/kind';
import { type Profile, parseProfile } from '#lake/telemetry/profile/profile';
import type { MessageReader } from '#lake/telemetry/profile/reader';
import { clockLimits } from '#lake/telemetry/profile/time-choices';
import type { Reading } from '#lake/telemetry/reading';
import type { DerivingRules } from '#lake/telemetry/rules';

const { inputs: INPUTS = { prefix: 'profiles/', noun: 'profile' } } = telemetry;

/** How old a look at a pointer may be. */
const MAX_AGE_MS = 5_000;

/** Profiles that are kept open; a lake has some dozens. */
const MAX_OPEN = 1_000;

/** A profile as one version of it says. */
export interface LiveProfile {
    name: string;
    version: number;
    rules: DerivingRules;
    factsOf: Profile['factsOf'];
    /** How far a device's clock may be ahead of the arrival and is still believed. */
    aheadMs: number;
    /** Keeps what Sparkplug's births say, for as long as the version holds. */
    reader: MessageReader;
}

/** What became of a message of the inbox. */
export type LiveReading =
    | { is: 'read'; profile: LiveProfile; site: string; readings: readonly Reading[] }
    /** No reading came of it. */
    | { is: 'rejected'; reason: string; why: string }
    /** The way in took it and says that it is not the device's own. */
    | { is: 'refused'; why: string };

/** A message of the inbox, and what became of it. */
export interface ReadMessage {
    message: ChainMessage;
    reading: LiveReading;
}

export interface LiveProfilesOptions {
    store: ObjectStore;
    /** Milliseconds of a clock that never goes back. */
    monotonicMs: () => number;
    /** Is told of a profile that cannot be used, and of a payload that broke its reader. */
    onFault: (what: string) => void;
}

/** A look at the lake: the profile, or why there is none. */
interface Look {
    lookedMs: number;
    /** 0 where the lake has none of that name. */
    version: number;
    found: LiveProfile | { why: string };
}

export class LiveProfiles {
    readonly #options: LiveProfilesOptions;
    readonly #looks = new Map<string, Look>();

    constructor(options: LiveProfilesOptions) {
        this.#options = options;
    }

    /** The profile as it is now, or was some seconds ago; why there is none, or none that can be used. @throws StorageError */
    async open(name: string): Promise<LiveProfile | { why: string }> {
        const { store, monotonicMs, onFault } = this.#options;
        const lookedMs = monotonicMs();
        const known = this.#looks.get(name);
        if (known && lookedMs - known.lookedMs < MAX_AGE_MS) {
            return known.found;
        }
        const version = isInputName(name) ? await lookAtInputs(store).versionOf(INPUTS, name) : 0;
        if (known?.version === version) {
            known.lookedMs = lookedMs;
            return known.found;
        }
        const document = version === 0 ? undefined : await readVersion(store, INPUTS.prefix, { name, version });
        const found =
            document === undefined ? { why: `there is no profile ${name} in the lake` } : openProfile({ name, version }, document);
        if ('why' in found && version > 0) {
            onFault(found.why);
        }
        if (this.#looks.size >= MAX_OPEN) {
            this.#looks.clear();
        }
        this.#looks.set(name, { lookedMs, version, found });
        return found;
    }

    /** Reads messages, each by the profile that its device had when it arrived. A payload that breaks a reader is rejected. @throws StorageError */
    async read(messages: readonly (ChainMessage & { refused?: string | undefined })[]): Promise<ReadMessage[]> {
        const read: ReadMessage[] = [];
        for (const message of messages) {
            const { profile: name, refused } = message;
            if (refused !== undefined) {
                read.push({ message, reading: { is: 'refused', why: refused } });
            } else {
                const profile = name === undefined ? { why: 'the device had no profile when the message arrived' } : await this.open(name);
                read.push({ message, reading: this.#readOne(message, profile) });
            }
        }
        return read;
    }

    #readOne(message: ChainMessage, profile: LiveProfile | { why: string }): LiveReading {
        const { site = DEFAULT_SITE } = message;
        if ('why' in profile) {
            return { is: 'rejected', reason: 'no_profile', why: profile.why };
        }
        try {
            checkSite(site);
        } catch {
            return { is: 'rejected', reason: 'no_site', why: `its site ${JSON.stringify(site)} is no name of a site` };
        }
        try {
            const { readings, problems } = profile.reader.read(toMessage(message));
            if (readings.length > 0) {
                return { is: 'read', profile, site, readings };
            }
            const { reason, why } = problems.find(({ metric }) => metric === undefined) ?? NO_VALUE;
            return { is: 'rejected', reason, why };
        } catch (error) {
            const why = error instanceof Error ? error.message : String(error);
            const { sequence, device = 'no device' } = message;
            this.#options.onFault(`message ${sequence} of ${device} broke the reader of profile ${profile.name}: ${why}`);
            return { is: 'rejected', reason: 'unreadable', why: `the reader failed: ${why}` };
        }
    }
}

const NO_VALUE = { reason: 'no_value', why: 'no metric of the profile has a value in the message' };

function openProfile({ name, version }: { name: string; version: number }, document: unknown): LiveProfile | { why: string } {
    try {
        const { rules, factsOf, document: words, open } = parseProfile(document);
        return { name, version, rules, factsOf, aheadMs: clockLimits(words).aheadMs, reader: open() };
    } catch (error) {
        if (error instanceof UsageError) {
            return { why: `version ${version} of profile ${name} cannot be used: ${error.message}` };
        }
        throw error;
    }
}

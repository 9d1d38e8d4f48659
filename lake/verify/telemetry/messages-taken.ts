/** All that the messages of a source come to: readings as columns of texts, and what is counted of the others. docs/reading-telemetry.md has the rules. */
import type { ReadingOptions, SecondSource } from '#lake/kind';
import { NotFollowedError } from '#lake/verify/second-reading';
import { type ChainLine, chainLines } from './chain-lines.ts';
import type { Found } from './csv-rows.ts';
import { isEnvelope, openEnvelope } from './envelope.ts';
import { isTooLong, type MessageFile, messagesOf } from './message-files.ts';
import type { Message } from './places.ts';
import { type Outcome, ProfileReader } from './read-message.ts';

export interface Taken {
    form: MessageFile['form'];
    /** `thermostat@3`, in the order of their names. */
    profiles: string[];
    /** Site, device, metric, at_ms, message, received_ms, value, text, clock, profile. */
    readings: (string | null)[][];
    rowsRead: number;
    rowsRejected: number;
    metricsRejected: number;
    reasons: Map<string, number>;
    unknownFields: Set<string>;
}

interface OpenProfile {
    reader: ProfileReader;
    name: string;
    version: number;
}

/** @returns undefined where the source cannot be used */
export async function messagesTaken(source: SecondSource, options: ReadingOptions): Promise<Taken | undefined> {
    const file = await messagesOf(source.open());
    if (!file) {
        return undefined;
    }
    const taken: Taken = {
        form: file.form,
        profiles: [],
        readings: [],
        rowsRead: 0,
        rowsRejected: 0,
        metricsRejected: 0,
        reasons: new Map(),
        unknownFields: new Set(),
    };
    return file.form === 'chain' ? takeChain(file, source, taken) : takeHistory(file, source, { taken, name: options.profile });
}

async function openProfile(source: SecondSource, name: string): Promise<OpenProfile | undefined> {
    const found = await source.input(name);
    return found && { reader: new ProfileReader(found.document), name, version: found.version };
}

async function takeHistory(
    { form, messages: found, pack }: MessageFile,
    source: SecondSource,
    { taken, name }: { taken: Taken; name: string | undefined },
): Promise<Taken | undefined> {
    const profile = name === undefined ? undefined : await openProfile(source, name);
    if (!profile) {
        return undefined;
    }
    taken.profiles.push(`${profile.name}@${profile.version}`);
    const messages = pack && profile.reader.isOfPacks ? [pack] : found;
    if (messages.some(isTooLong)) {
        return undefined;
    }
    const isLog = messages[0] !== undefined && isEnvelope(messages[0].shown);
    const isInList = form === 'json-array' && profile.reader.isOfLists && !isLog;
    for (const each of messages) {
        const message = messageOf(each, { isLog, isInList });
        if ('reason' in message) {
            addProblems(taken, { readings: [], problems: [message] });
        } else {
            const outcome = profile.reader.read(message.message);
            // What a list or a row was made into is known by what stands in the file.
            const [made, said] =
                message.shown === undefined ? [undefined, undefined] : [message.message.payload, message.shown].map(ProfileReader.hashOf);
            add(taken, outcome, {
                profile: profile.name,
                site: source.site,
                nameOf: (identity) => (identity === made && said !== undefined ? said : identity),
            });
        }
    }
    return taken;
}

function messageOf(
    { shown, payload, reason }: Found,
    { isLog, isInList }: { isLog: boolean; isInList: boolean },
): { message: Message; shown?: Buffer } | { reason: string } {
    if (reason !== undefined) {
        return { reason };
    }
    if (isLog) {
        const message = openEnvelope(shown);
        return message ? { message } : { reason: 'no_envelope' };
    }
    const made = payload ?? (isInList ? Buffer.concat([Buffer.from('['), shown, Buffer.from(']')]) : undefined);
    return made ? { message: { payload: made, arrivedMs: undefined }, shown } : { message: { payload: shown, arrivedMs: undefined } };
}

async function takeChain({ messages }: MessageFile, source: SecondSource, taken: Taken): Promise<Taken | undefined> {
    const lines = chainLines(messages.map(({ shown }) => shown));
    if (!lines) {
        return undefined;
    }
    const profiles = new Map<string, OpenProfile | undefined>();
    for (const line of lines) {
        const { profile: name, isRefused } = line;
        if (isRefused) {
            addProblems(taken, { readings: [], problems: [{ reason: 'refused' }] });
            continue;
        }
        if (name !== undefined && !profiles.has(name)) {
            profiles.set(name, await openProfile(source, name));
        }
        takeLine(line, { profile: name === undefined ? undefined : profiles.get(name), site: line.site ?? source.site, taken });
    }
    taken.profiles.push(...[...profiles].flatMap(([name, profile]) => (profile ? [`${name}@${profile.version}`] : [])).sort());
    return taken;
}

/** Names of sites. */
const SITE = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

function takeLine(line: ChainLine, { profile, site, taken }: { profile: OpenProfile | undefined; site: string; taken: Taken }): void {
    const { message } = line;
    if (!message || !profile || !SITE.test(site)) {
        addProblems(taken, { readings: [], problems: [{ reason: !message ? 'no_chain_line' : !profile ? 'no_profile' : 'no_site' }] });
        return;
    }
    add(taken, profile.reader.read(message), { profile: profile.name, site, nameOf: (identity) => identity });
}

function add(
    taken: Taken,
    outcome: Outcome,
    { profile, site, nameOf }: { profile: string; site: string; nameOf: (identity: string) => string },
): void {
    for (const { device, metric, atMs, receivedMs, units, text, message, clock } of outcome.readings) {
        if (atMs < FIRST_MS) {
            throw new NotFollowedError('a time in it is in no year from 1 to 9999');
        }
        const value = units === undefined ? null : decimal(units);
        taken.readings.push([site, device, metric, String(atMs), nameOf(message), String(receivedMs), value, text ?? null, clock, profile]);
    }
    for (const field of outcome.unknownFields) {
        taken.unknownFields.add(field);
    }
    addProblems(taken, outcome);
}

const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');

/** Counts the message; one without readings has a reject that is of the whole of it. */
function addProblems(taken: Taken, { readings, problems }: Pick<Outcome, 'problems'> & { readings: readonly unknown[] }): void {
    const isNone = readings.length === 0;
    const hasOwn = problems.some(({ metric }) => metric === undefined);
    const reasons = [...problems.map(({ reason }) => reason), ...(isNone && !hasOwn ? ['no_value'] : [])];
    taken.rowsRead += 1;
    taken.rowsRejected += isNone ? 1 : 0;
    taken.metricsRejected += reasons.length - (isNone ? 1 : 0);
    for (const reason of reasons) {
        taken.reasons.set(reason, (taken.reasons.get(reason) ?? 0) + 1);
    }
}

/** Units of 10^-9 as a decimal. */
function decimal(units: bigint): string {
    const digits = String(units < 0n ? -units : units).padStart(10, '0');
    return `${units < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

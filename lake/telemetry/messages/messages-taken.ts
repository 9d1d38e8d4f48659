/** What the messages of one source come to: readings, rejects, and what is told of the source. */
import { createHash } from 'node:crypto';
import { FirstFlows } from '#lake/flows/first-flows';
import type { Message } from '../message.ts';
import type { MessageOutcome, Problem, Reading } from '../reading.ts';
import { HOUR_MS, ReadingTable } from '../reading-table.ts';
import { type PlainMessage, PlainMessages } from './plain-messages.ts';
import type { PlainPlan } from './plain-plan.ts';

/** A reject's line is for a person to look at; the raw file keeps the rest. */
const MAX_LINE_LENGTH = 4096;
const MAX_BYTES_OF_CHARACTER = 4;

/** Rejects are handed over after this many, so that they do not fill the memory. */
const REJECTS_AT_ONCE = 1_000;

/** Unknown fields that are told of. */
const MAX_UNKNOWN_FIELDS = 50;
const MAX_UNKNOWN_LENGTH = 1_000;

/** The first and the last hour whose day has a name of four digits for its year, since 1970. */
const FIRST_HOUR = Date.parse('0001-01-01T00:00:00Z') / HOUR_MS;
const LAST_HOUR = Date.parse('9999-12-31T23:00:00Z') / HOUR_MS;

/** A profile as it was when the reading began. */
export interface OpenProfile {
    name: string;
    version: number;
    read(message: Message): MessageOutcome;
    /** What its plain messages look like; undefined where it has none. */
    plan: PlainPlan | undefined;
}

/** A message on its way to its readings. */
export interface TakenMessage {
    message: Message;
    profile: OpenProfile;
    site: string;
    lineNumber: number;
    /** The bytes that a person is shown, and by which the message is known where its profile names nothing else: `message.payload`, or what that was made of. */
    shown?: Uint8Array | undefined;
}

/** Whoever wants to see each reading. */
export type Watch = (reading: Reading, taken: { lineNumber: number; line: string; site: string }) => void;

export class MessagesTaken {
    readonly table = new ReadingTable();
    readonly first = new FirstFlows();
    rowsRead = 0;
    rowsRejected = 0;
    metricsRejected = 0;
    /** Rejects that were not handed over yet: columns of `messages_rejected`. */
    rejects: Record<string, unknown>[] = [];
    readonly reasons = new Map<string, number>();
    readonly #unknownFields = new Set<string>();
    readonly #watch: Watch | undefined;
    readonly #plain = new Map<OpenProfile, PlainMessages>();

    constructor({ watch }: { watch?: Watch | undefined } = {}) {
        this.#watch = watch;
    }

    /** True if the rejects should be handed over before anything more is taken. */
    get isFull(): boolean {
        return this.rejects.length >= REJECTS_AT_ONCE;
    }

    /** Reads the message whose payload these bytes are, if it is a plain one of the profile. @returns false where it is not: nothing was taken then */
    takePlain(bytes: Buffer, start: number, end: number, profile: OpenProfile, message: PlainMessage): boolean {
        // Whoever watches, or compares beginnings, wants each reading.
        if (this.#watch || !this.first.isFull || !profile.plan) {
            return false;
        }
        let plain = this.#plain.get(profile);
        if (!plain) {
            plain = new PlainMessages(profile.plan, { table: this.table, profile: profile.name });
            this.#plain.set(profile, plain);
        }
        if (!plain.take(bytes, start, end, message)) {
            return false;
        }
        this.rowsRead += 1;
        this.#noteUnknown(plain.unknownFields);
        return true;
    }

    /** Reads a message by its profile. */
    take({ message, profile, site, lineNumber, shown = message.payload }: TakenMessage): void {
        const { readings, problems, unknownFields } = profile.read(message);
        this.#noteUnknown(unknownFields);
        const usable = readings.filter(isInCalendar);
        this.rowsRead += 1;
        this.#rejectAll(usable.length < readings.length ? [...problems, OUT_OF_CALENDAR] : problems, { usable, shown, lineNumber });
        if (usable.length === 0) {
            return;
        }
        const ofPayload = shown === message.payload ? undefined : hashOf(message.payload);
        const known = ofPayload === undefined ? usable : usable.map((reading) => knownBy(reading, ofPayload, shown));
        for (const reading of known) {
            this.table.add(reading, { site, profile: profile.name });
        }
        const watch = this.#watch;
        if (watch) {
            for (const reading of known) {
                watch(reading, { lineNumber, line: textOf(shown), site });
            }
        }
        if (!this.first.isFull) {
            this.first.add(
                known.flatMap(({ device, metric, atMs, receivedMs, units, text, message: id, clock }) => [
                    device,
                    metric,
                    `${atMs}`,
                    `${receivedMs}`,
                    `${units ?? JSON.stringify(text)}`,
                    id,
                    clock,
                ]),
            );
        }
    }

    #noteUnknown(fields: readonly string[]): void {
        for (const field of fields) {
            if (this.#unknownFields.size < MAX_UNKNOWN_FIELDS) {
                this.#unknownFields.add(field);
            }
        }
    }

    /** Rejects what never came to a profile. */
    reject(problem: Problem, { shown, lineNumber }: { shown: Uint8Array; lineNumber: number }): void {
        this.rowsRead += 1;
        this.#rejectAll([problem], { usable: [], shown, lineNumber });
    }

    /** The first fields that no profile names; null where there are none. */
    sayUnknownFields(): string | null {
        const text = [...this.#unknownFields].sort().join(', ');
        return text === '' ? null : text.length > MAX_UNKNOWN_LENGTH ? `${text.slice(0, MAX_UNKNOWN_LENGTH)}…` : text;
    }

    /** Keeps a reject for each problem. A message without readings has one that is of the whole message. */
    #rejectAll(
        problems: readonly Problem[],
        { usable, shown, lineNumber }: { usable: readonly Reading[]; shown: Uint8Array; lineNumber: number },
    ): void {
        const isNone = usable.length === 0;
        const hasReason = problems.some(({ metric }) => metric === undefined);
        const all = isNone && !hasReason ? [NO_VALUE, ...problems] : problems;
        this.rowsRejected += isNone ? 1 : 0;
        this.metricsRejected += all.length - (isNone ? 1 : 0);
        for (const { reason, why, metric = null } of all) {
            this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
            this.rejects.push({ line_number: lineNumber, metric, reason, why, line: textOf(shown) });
        }
    }
}

const NO_VALUE: Problem = { reason: 'no_value', why: 'no metric of the profile has a value in the message' };

const OUT_OF_CALENDAR: Problem = { reason: 'time_implausible', why: 'its time is in no year from 1 to 9999' };

function isInCalendar({ atMs }: Reading): boolean {
    const hour = Math.floor(atMs / HOUR_MS);
    return hour >= FIRST_HOUR && hour <= LAST_HOUR;
}

function textOf(bytes: Uint8Array): string {
    const cut = bytes.subarray(0, MAX_LINE_LENGTH * MAX_BYTES_OF_CHARACTER);
    return Buffer.from(cut.buffer, cut.byteOffset, cut.length).toString().slice(0, MAX_LINE_LENGTH);
}

/** A message that is known by nothing but the bytes of its payload is known by those that stand in the file. */
function knownBy(reading: Reading, ofPayload: string, shown: Uint8Array): Reading {
    return reading.message === ofPayload ? { ...reading, message: hashOf(shown) } : reading;
}

/** Digits of the SHA-256 that a message is known by. */
const HASH_DIGITS = 16;

function hashOf(bytes: Uint8Array): string {
    return createHash('sha256').update(bytes).digest('hex').slice(0, HASH_DIGITS);
}

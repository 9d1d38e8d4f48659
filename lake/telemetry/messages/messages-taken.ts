/** What the messages of one source come to: readings, rejects, and what is told of the source. */
import { FirstFlows } from '#lake/flows/first-flows';
import type { Periods, SourceBytes } from '#lake/kind';
import { hourPeriods } from '../hour-periods.ts';
import type { Message } from '../message.ts';
import type { ReadingSink } from '../profile/reading-sink.ts';
import type { Problem, Reading } from '../reading.ts';
import { ReadingTable } from '../reading-table.ts';
import { SpilledReadings } from '../spilled-readings.ts';
import { TableSink } from './table-sink.ts';

/** A reject's line is for a person to look at; the raw file keeps the rest. */
const MAX_LINE_LENGTH = 4096;
const MAX_BYTES_OF_CHARACTER = 4;

/** Rejects are handed over after this many, so that they do not fill the memory. */
const REJECTS_AT_ONCE = 1_000;

/** Unknown fields that are told of. */
const MAX_UNKNOWN_FIELDS = 50;
const MAX_UNKNOWN_LENGTH = 1_000;

/** A profile as it was when the reading began. */
export interface OpenProfile {
    name: string;
    version: number;
    readInto(message: Message, sink: ReadingSink): void;
    /**
     * What a payload that is a list is to it: a `pack` whose records belong together, as SenML has them, or `messages` of which each stands for itself.
     * Undefined where no payload is a list.
     */
    lists: 'pack' | 'messages' | undefined;
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

export interface MessagesTakenOptions {
    watch?: Watch | undefined;
    /** Opens room for readings that do not fit memory. Without it all stay in memory. */
    openScratch?: SourceBytes['openScratch'];
    /** Readings that are in memory at most, give or take those of a message. */
    mostHeld?: number | undefined;
}

/** A reading takes 41 bytes, and its hour's columns have up to twice the room. */
const MOST_HELD = 1 << 19;

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
    readonly #openScratch: SourceBytes['openScratch'];
    readonly #mostHeld: number;
    #spilled: SpilledReadings | undefined;
    readonly #sink: TableSink;

    constructor({ watch, openScratch, mostHeld = MOST_HELD }: MessagesTakenOptions = {}) {
        this.#watch = watch;
        this.#openScratch = openScratch;
        this.#mostHeld = mostHeld;
        this.#sink = new TableSink(this.table, {
            onUnknown: (path) => this.#noteUnknown(path),
        });
    }

    /** True if the rejects should be handed over before anything more is taken. */
    get isFull(): boolean {
        return this.rejects.length >= REJECTS_AT_ONCE;
    }

    /** Reads a message by its profile. */
    take({ message, profile, site, lineNumber, shown = message.payload }: TakenMessage): void {
        const sink = this.#sink;
        const { arrivedMs, payload } = message;
        this.rowsRead += 1;
        // Whoever watches, or compares beginnings, wants each reading as an object.
        const seen: Reading[] | undefined = this.#watch || !this.first.isFull ? [] : undefined;
        sink.begin({ site, profile: this.table.profiles.numberOf(profile.name), arrivedMs, seen, payload, shown });
        profile.readInto(message, sink);
        if (seen && seen.length > 0) {
            this.first.add(seen.flatMap(textsOf));
            for (const reading of this.#watch ? seen : []) {
                this.#watch?.(reading, { lineNumber, line: textOf(shown), site });
            }
        }
        if (sink.problems.length > 0 || sink.readings === 0) {
            this.#rejectAll(sink.problems, { isNone: sink.readings === 0, shown, lineNumber });
        }
        if (this.table.heldCount > this.#mostHeld) {
            this.#makeRoom();
        }
    }

    /** All readings that were taken, by the hour. */
    periods(): Periods {
        this.#spilled?.add(this.table);
        return hourPeriods(this.table, this.#spilled);
    }

    /** Frees all that is held. */
    close(): void {
        this.#spilled?.close();
        this.table.letGo();
    }

    /** Whoever watches has seen the readings; else they go where there is room. */
    #makeRoom(): void {
        if (this.#watch) {
            this.table.letGo();
        } else if (this.#openScratch) {
            this.#spilled ??= new SpilledReadings(this.#openScratch());
            this.#spilled.add(this.table);
        }
    }

    #noteUnknown(path: string): void {
        if (this.#unknownFields.size < MAX_UNKNOWN_FIELDS) {
            this.#unknownFields.add(path);
        }
    }

    /** Rejects what never came to a profile. */
    reject(problem: Problem, { shown, lineNumber }: { shown: Uint8Array; lineNumber: number }): void {
        this.rowsRead += 1;
        this.#rejectAll([problem], { isNone: true, shown, lineNumber });
    }

    /** The first fields that no profile names; null where there are none. */
    sayUnknownFields(): string | null {
        const text = [...this.#unknownFields].sort().join(', ');
        return text === '' ? null : text.length > MAX_UNKNOWN_LENGTH ? `${text.slice(0, MAX_UNKNOWN_LENGTH)}…` : text;
    }

    /** Keeps a reject for each problem. A message without readings has one that is of the whole message. */
    #rejectAll(
        problems: readonly Problem[],
        { isNone, shown, lineNumber }: { isNone: boolean; shown: Uint8Array; lineNumber: number },
    ): void {
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

/** What two readings of the same beginning have alike. */
function textsOf({ device, metric, atMs, receivedMs, units, text, message, clock }: Reading): string[] {
    return [device, metric, `${atMs}`, `${receivedMs}`, `${units ?? JSON.stringify(text)}`, message, clock];
}

function textOf(bytes: Uint8Array): string {
    const cut = bytes.subarray(0, MAX_LINE_LENGTH * MAX_BYTES_OF_CHARACTER);
    return Buffer.from(cut.buffer, cut.byteOffset, cut.length).toString().slice(0, MAX_LINE_LENGTH);
}

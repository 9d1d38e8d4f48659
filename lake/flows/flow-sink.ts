/**
 * Takes the flows of a file, whatever its format: they are checked in one order, counted in the pair table, or rejected with the reason. A
 * format hands over a flow at a time as texts; one that reads many flows by heart may fill the batch itself, which is what the fast path of
 * CSV does.
 */

import { shortAddress } from '#lake/addresses';
import type { ByRange } from '#lake/kind';
import { DateSlots } from './date-slots.ts';
import type { DateRules, DateSlot, DayRange } from './dates.ts';
import { readEpoch } from './epochs.ts';
import { BeginningKnown, FirstFlows } from './first-flows.ts';
import { FlowBatch } from './flow-batch.ts';
import { type Instant, instantOfEpoch, instantOfIso, microsecondsBetween } from './instants.ts';
import { type NumberStyle, toPlain } from './number-styles.ts';
import { LARGEST_OF_FLOW, type ParsedNumber, parseWhole } from './numbers.ts';
import type { DateOrder, DurationUnit } from './options.ts';
import { PairTable } from './pair-table.ts';
import { MAX_REJECT_LINE_LENGTH, type Reject, type RejectReason } from './rejects.ts';

/** What the reader of a file of flows is told. */
export interface ReadFlowsOptions {
    /** What the uploader said; what is not said is found out. */
    dateOrder?: DateOrder | undefined;
    durationUnit?: DurationUnit | undefined;
    /** What earlier readings of the same file settled. */
    settled?: Settled | undefined;
    /** Called with the rejected rows as they are met, in batches of some thousands; awaited. */
    onRejects?: ((rejects: Reject[]) => Promise<void>) | undefined;
    /** Pair whose kept rows are told; the file is read more slowly then. */
    watch?: PairWatch | undefined;
    /** Any part of the file, for formats that keep their table of contents at the end. */
    ranges?: ByRange | undefined;
    /** True for a reading that ends with `BeginningKnown` as soon as it has the first flows. */
    isForBeginning?: boolean | undefined;
    signal?: AbortSignal | undefined;
}

/** What a reading has settled for the next one of the same file; what is not there is still open. */
export interface Settled {
    dates?: SettledDates;
    /** Unit that a row speaks for, and its line. */
    durationUnit?: { unit: DurationUnit; lineNumber: number } | undefined;
    /** How numbers are written, and that nothing else is to be tried where `isFinal`. */
    numbers?: { style: NumberStyle; isFinal: boolean };
}

/** How a file writes its dates, and which are its own. */
export interface SettledDates {
    /** The order of `a/b/yyyy`, and whether rows settled it. */
    slashOrder: 'dmy' | 'mdy';
    isWitnessed: boolean;
    /** What epochs of the file count, where it has several sorts; the others are rejects. */
    epochUnit?: DurationUnit | undefined;
    /** The days that flows may begin on, where some are far from all others; these are rejects. */
    days?: DayRange | undefined;
}

export interface FlowSinkOptions {
    dateRules: DateRules;
    /** The byte behind a date: it tells an epoch with a fraction from one without. */
    separator: number;
    /** Durations are multiplied by ten to this power: 6 for seconds, 0 for microseconds, -3 for nanoseconds. */
    durationScale: number;
    /** How durations and packets are written; plainly where it is not said. */
    numberStyle?: NumberStyle | undefined;
    watch?: PairWatch | undefined;
    isForBeginning?: boolean | undefined;
}

/** The texts of a flow, as written and trimmed. */
export interface WrittenFlow {
    source: string;
    destination: string;
    timestamp: string;
    duration: string;
    packets: string;
}

/** A flow as written, with the time when it ended in the place of its duration. */
export type SpannedFlow = Omit<WrittenFlow, 'duration'> & { end: string };

/** A flow of a format whose times leave nothing open. */
export interface TimedFlow {
    source: string;
    destination: string;
    /** The instant at which the flow began, or why it cannot be read. */
    began: { ok: true; instant: Instant } | { ok: false; reason: RejectReason };
    duration: FoundDuration;
    packets: string;
}

/** Microseconds, null where the flow has no duration; or why they cannot be read. */
export type FoundDuration = ParsedNumber | { ok: true; value: null };

export const NO_DURATION: FoundDuration = { ok: true, value: null };

/** Why records of a file are no flows by right; docs/reading.md says which they are. */
export type SkipReason = 'blank_row' | 'other_event' | 'other_log' | 'no_data' | 'skip_data' | 'not_ip';

/** A flow's place in its file. */
export interface FlowPlace {
    /** Line of the file at which it begins, from 1. */
    lineNumber: number;
    /** The bytes that hold it, from `start` to `end`, without the line end. */
    bytes: Buffer;
    start: number;
    end: number;
}

/** Whoever asks for the rows of one pair: addresses as the tables have them, and what is told of each row that is kept. */
export interface PairWatch {
    src: string;
    dst: string;
    onRow: (row: WatchedRow) => void;
}

export interface WatchedRow {
    /** Line of the file at which the row begins, from 1. */
    lineNumber: number;
    /** Its day in either order; the file's order may be known at its end only. */
    date: DateSlot;
    /** Null where the flow has no duration. */
    durationUs: bigint | null;
    packets: bigint;
    /** The row as read, as for a reject. */
    line: string;
}

export class FlowSink {
    /** Flows that came, kept and rejected; whoever fills the batch counts them here. */
    rowsRead = 0;
    /** Rejects so far; the reader of the file takes them out from time to time. */
    rejects: Reject[] = [];
    /** Records that are no flows by right, by reason; they are not among `rowsRead`. */
    readonly skipped = new Map<SkipReason, number>();
    /** Dates of rejected rows that were good up to them: where the file turns out to have others, the date is why they go. */
    readonly rejectedSlots = new Set<number>();
    readonly table = new PairTable();
    readonly dates: DateSlots;
    readonly batch = new FlowBatch();
    readonly durationScale: number;
    readonly numberStyle: NumberStyle;
    /** Pair whose kept rows are told. */
    readonly watch: PairWatch | undefined;
    /** What the file says of how many flows it holds, where that is not so: `20 of 51`. */
    announced: string | undefined;
    /** The first kept flows. */
    readonly first = new FirstFlows();
    readonly #isForBeginning: boolean;

    constructor({ dateRules, separator, durationScale, numberStyle = 'plain', watch, isForBeginning = false }: FlowSinkOptions) {
        this.#isForBeginning = isForBeginning;
        this.dates = new DateSlots(dateRules, separator);
        this.durationScale = durationScale;
        this.numberStyle = numberStyle;
        this.watch = watch;
    }

    /** True while every flow must come by `take` or `takeTimed`: the batch tells nobody of a flow, and knows no texts. */
    get needsTexts(): boolean {
        return this.watch !== undefined || !this.first.isFull;
    }

    /** Counts one flow, or rejects it. */
    take(flow: WrittenFlow, place: FlowPlace): void {
        const reason = this.#count(flow, place);
        if (reason === undefined) {
            this.rowsRead += 1;
            this.#addToFirst([flow.source, flow.destination, flow.timestamp, flow.duration, flow.packets]);
        } else {
            this.reject(reason, place);
        }
    }

    /** Counts one flow of which both ends are written, or rejects it: its duration is what lies between. */
    takeSpan({ end, ...flow }: SpannedFlow, place: FlowPlace): void {
        const reason = this.#countSpan(flow, end, place);
        if (reason === undefined) {
            this.rowsRead += 1;
            this.#addToFirst([flow.source, flow.destination, flow.timestamp, end, flow.packets]);
        } else {
            this.reject(reason, place);
        }
    }

    /** Counts one flow whose times leave nothing open, or rejects it. */
    takeTimed(flow: TimedFlow, place: FlowPlace): void {
        const reason = this.#countTimed(flow, place);
        if (reason === undefined) {
            this.rowsRead += 1;
            const { source, destination, began, duration, packets } = flow;
            this.#addToFirst([source, destination, textOf(began), textOf(duration), packets]);
        } else {
            this.reject(reason, place);
        }
    }

    #addToFirst(texts: readonly string[]): void {
        this.first.add(texts);
        if (this.#isForBeginning && this.first.isFull) {
            throw new BeginningKnown(this.first.hashes);
        }
    }

    /** Counts a record that is no flow by right. */
    skip(reason: SkipReason): void {
        this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
    }

    /** Counts what is in the batch and empties it. */
    flush(): void {
        this.table.addFlows(this.batch);
    }

    /** Counts a row of the file that is no flow, with the reason. */
    reject(reason: RejectReason, place: FlowPlace): void {
        this.rejects.push({ lineNumber: place.lineNumber, reason, line: lineAt(place) });
        this.rowsRead += 1;
    }

    /** Counts a flow, or says why not. docs/reading.md has the checks in this order; the first one that fails names the reject. */
    #count(flow: WrittenFlow, place: FlowPlace): RejectReason | undefined {
        const { duration: written, ...needed } = flow;
        if (Object.values(needed).some(isMissing)) {
            return 'missing_field';
        }
        const slot = this.dates.slotOf(flow.timestamp);
        const duration = isNoDuration(written)
            ? NO_DURATION
            : parseWhole(toPlain(written, this.numberStyle), { scale: this.durationScale });
        return this.#countChecked(flow, { slot, duration }, place);
    }

    #countSpan(flow: Omit<SpannedFlow, 'end'>, end: string, place: FlowPlace): RejectReason | undefined {
        if (Object.values(flow).some(isMissing)) {
            return 'missing_field';
        }
        const duration = isNoDuration(end) ? NO_DURATION : between(flow.timestamp, end);
        return this.#countChecked(flow, { slot: this.dates.slotOf(flow.timestamp), duration }, place);
    }

    #countTimed(flow: TimedFlow, place: FlowPlace): RejectReason | undefined {
        const { source, destination, packets, began, duration } = flow;
        if ([source, destination, packets].some(isMissing)) {
            return 'missing_field';
        }
        const slot = began.ok ? this.dates.slotOfInstant(began.instant) : began.reason;
        return this.#countChecked(flow, { slot, duration }, place);
    }

    #countChecked(
        flow: Pick<WrittenFlow, 'source' | 'destination' | 'packets'>,
        { slot, duration }: { slot: number | RejectReason; duration: FoundDuration },
        place: FlowPlace,
    ): RejectReason | undefined {
        const source = this.table.addressKey(flow.source);
        const destination = this.table.addressKey(flow.destination);
        if (!source || !destination) {
            return 'not_an_ip_address';
        }
        if (typeof slot !== 'number') {
            return slot;
        }
        const date = this.dates.all[slot];
        const packets = parseWhole(toPlain(flow.packets, this.numberStyle), { fraction: 'reject' });
        const reason = reasonAgainst(duration) ?? reasonAgainst(packets);
        if (!duration.ok || !packets.ok || reason !== undefined) {
            this.rejectedSlots.add(slot);
            return reason;
        }
        const group = (slot << 2) | (source.isText ? 1 : 0) | (destination.isText ? 2 : 0);
        this.table.addLargeFlow(this.table.rowOf(source.key, destination.key, group), duration.value, packets.value);
        if (date && this.watch && this.watch.src === shortAddress(flow.source) && this.watch.dst === shortAddress(flow.destination)) {
            const { lineNumber } = place;
            this.watch.onRow({ lineNumber, date, durationUs: duration.value, packets: packets.value, line: lineAt(place) });
        }
        return undefined;
    }
}

/** Why a measure cannot be a flow's, if it cannot. */
function reasonAgainst(measure: FoundDuration): RejectReason | undefined {
    return measure.ok ? ((measure.value ?? 0n) > LARGEST_OF_FLOW ? 'too_large' : undefined) : measure.reason;
}

/** True for a cell that says nothing: it is empty, or Zeek's sign for that. */
function isMissing(cell: string): boolean {
    return cell === '' || cell === '-';
}

/** True for what stands in the place of a duration, or of an end, that was not measured: nothing, or a word that says so. */
export function isNoDuration(written: string): boolean {
    return isMissing(written) || NO_VALUE.test(written);
}

/** Words for a missing value, as databases, Python and spreadsheets write them. */
const NO_VALUE = /^(?:null|none|n\/a)$/i;

/** Epochs in seconds of the years 2001 to 2033, which need no second look. */
const WHOLE_SECONDS = /^1\d{9}$/;
const MICROSECONDS_PER_SECOND = 1_000_000n;

/** Microseconds between two times as written: epochs of one unit, or dates with a clock. */
function between(start: string, end: string): ParsedNumber {
    if (WHOLE_SECONDS.test(start) && WHOLE_SECONDS.test(end) && Number(start) <= Number(end)) {
        return { ok: true, value: BigInt(Number(end) - Number(start)) * MICROSECONDS_PER_SECOND };
    }
    const { unit } = readEpoch(start, 0) ?? {};
    const [from, to] = [start, end].map((text) => (unit === undefined ? instantOfIso(text) : instantOfEpoch(text, unit)));
    return from === undefined || to === undefined ? { ok: false, reason: 'not_a_number' } : microsecondsBetween(from, to);
}

/** An instant or a number that was read, as text; those of a kept flow always were. */
function textOf(read: TimedFlow['began'] | TimedFlow['duration']): string {
    return read.ok ? String('instant' in read ? read.instant : (read.value ?? '')) : '';
}

/** A row for a person to look at: bytes that are not UTF-8 replaced, cut at `MAX_REJECT_LINE_LENGTH` characters. */
function lineAt({ bytes, start, end }: FlowPlace): string {
    // Four bytes make at most one character cut short: never decode a row of megabytes for a line that is cut anyway.
    return bytes.toString('utf8', start, Math.min(end, start + MAX_REJECT_LINE_LENGTH * 4)).slice(0, MAX_REJECT_LINE_LENGTH);
}

/** The place that readings go to. A sink gets them without an object for each; `read()` collects them into a `MessageOutcome`. */
import type { Message } from '../message.ts';
import type { MessageOutcome, Problem, Reading } from '../reading.ts';
import { hashOf } from './identity.ts';
import type { Moment } from './time-choices.ts';

/** What is known of a reading besides its value and time. */
export interface MetricOf {
    metric: string;
    /** Unit (UCUM); undefined where nothing says one. */
    unit: string | undefined;
    kind: 'number' | 'text' | 'yes/no';
    /** Digits behind the point; undefined for what is no number. */
    digits: number | undefined;
    /** True where the device says that the value is an old one, sent late. */
    isHistorical: boolean;
}

/** Takes what a reader finds in a message. Nothing that it is given may be kept but texts and numbers. */
export interface ReadingSink {
    /** Device and identity of the readings that follow; told once for each message, before its first reading. */
    message(device: string, identity: string): void;
    /** Device of a message that is known by the hash of these bytes; told in place of `message`. */
    hashedMessage(device: string, bytes: Uint8Array): void;
    /** A number, `whole + billionths / 10^9`: both are safe integers of one sign. */
    number(of: MetricOf, moment: Moment, whole: number, billionths: number): void;
    /** A number that may have more digits, in units of 10^-9. */
    largeNumber(of: MetricOf, moment: Moment, units: bigint): void;
    text(of: MetricOf, moment: Moment, text: string): void;
    problem(problem: Problem): void;
    /** A path that the profile does not name. */
    unknownField(path: string): void;
}

/** Collects what becomes of one message. */
export class OutcomeSink implements ReadingSink {
    readonly #arrivedMs: number | undefined;
    readonly #readings: Reading[] = [];
    readonly #problems: Problem[] = [];
    readonly #unknown = new Set<string>();
    #device = '';
    #identity = '';

    constructor({ arrivedMs }: Message) {
        this.#arrivedMs = arrivedMs;
    }

    outcome(): MessageOutcome {
        return { readings: this.#readings, problems: this.#problems, unknownFields: [...this.#unknown] };
    }

    message(device: string, identity: string): void {
        this.#device = device;
        this.#identity = identity;
    }

    hashedMessage(device: string, bytes: Uint8Array): void {
        this.message(device, hashOf(bytes));
    }

    number(of: MetricOf, moment: Moment, whole: number, billionths: number): void {
        this.#add(of, moment, { units: BigInt(whole) * 1_000_000_000n + BigInt(billionths), text: undefined });
    }

    largeNumber(of: MetricOf, moment: Moment, units: bigint): void {
        this.#add(of, moment, { units, text: undefined });
    }

    text(of: MetricOf, moment: Moment, text: string): void {
        this.#add(of, moment, { units: undefined, text });
    }

    problem(problem: Problem): void {
        this.#problems.push(problem);
    }

    unknownField(path: string): void {
        this.#unknown.add(path);
    }

    #add(
        { metric, unit, kind, digits, isHistorical }: MetricOf,
        { atMs, clock, why }: Moment,
        value: Pick<Reading, 'units' | 'text'>,
    ): void {
        this.#readings.push({
            device: this.#device,
            metric,
            atMs,
            receivedMs: this.#arrivedMs ?? atMs,
            ...value,
            message: this.#identity,
            clock,
            unit,
            kind,
            digits,
            ...(why === undefined ? {} : { clockNote: why }),
            ...(isHistorical ? { isHistorical } : {}),
        });
    }
}

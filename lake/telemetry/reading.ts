/** What a profile makes of a message: readings, and why some of it is none. */

/** One metric of one message. */
export interface Reading {
    device: string;
    metric: string;
    /** Time of measuring, UTC epoch milliseconds, a safe integer. */
    atMs: number;
    /** Time of arrival; `atMs` where that is not known. */
    receivedMs: number;
    /** The value in units of 10^-9, as column `value` has it; undefined where it is a text. Yes is 1 and no is 0. */
    units: bigint | undefined;
    /** The value of a text metric. */
    text: string | undefined;
    /** Identity of the message, so that a repeat is known: what the profile names, else 16 hex digits of the SHA-256 of the payload. */
    message: string;
    /** `device`, or `arrival` where the device told no time that can be believed. */
    clock: 'device' | 'arrival';
    /** Unit (UCUM), for people; undefined where the profile says none. */
    unit?: string | undefined;
    /** Kind and digits of the metric, for people. */
    kind?: 'number' | 'text' | 'yes/no' | undefined;
    digits?: number | undefined;
    /** Why the device's clock was not believed, for people. */
    clockNote?: string | undefined;
    /** True where the device says that the value is an old one, sent late: it is no latest state. */
    isHistorical?: boolean | undefined;
}

/** Why a message, or one metric of it, is no reading. */
export interface Problem {
    /** Reason code of table `messages_rejected`: `unreadable`, `no_device`, `out_of_limits`, `sentinel`, `no_value`, `no_reading` ... */
    reason: string;
    /** The reason for a device maker, in one sentence, with what was found. */
    why: string;
    /** The metric that has no reading; undefined where it is the whole message. */
    metric?: string | undefined;
    /** The device and the time, as far as they could be told: UTC epoch milliseconds, by the device's clock. */
    device?: string | undefined;
    atMs?: number | undefined;
    /** Which element of the payload it is, from 0, where the payload holds several messages. */
    element?: number | undefined;
}

/** All of a message. A message without readings has at least one problem: it is never lost without a word. */
export interface MessageOutcome {
    readings: readonly Reading[];
    problems: readonly Problem[];
    /** Paths of the payload that the profile does not name, for the report of unknown fields. */
    unknownFields: readonly string[];
}

/**
 * What the HTTP API needs of the lake, of latest state and of the inbox. One machine and AWS each give an implementation; the routes hold whatever is equal. Lists
 * of what lies in time are newest first.
 */
import type { DeviceItem, LiveAlert, LiveEvent, StateOfDevice } from '#lake/live/state-store';

/** Who asks, as it was authenticated. */
export type Caller =
    /** Sends messages as itself, and reads itself. */
    | { is: 'device'; device: string }
    /** A person or program that reads everything and acknowledges alerts; `name` is what acknowledgements are signed with. */
    | { is: 'reader'; name: string };

/** A message as it came by HTTP, before it is known when it arrived and what the registry says of its device. */
export interface ArrivedMessage {
    /** The bytes as they were sent. */
    payload: Buffer;
    topic: string | undefined;
    headers: Readonly<Record<string, string>> | undefined;
}

/** What became of a message. */
export type Taken =
    /** It is in the inbox durably. */
    | { is: 'stored' }
    /** It is kept, but put aside: it does not count as the device's own. */
    | { is: 'refused'; why: string }
    /** It is not kept; sending it again may help. */
    | { is: 'not_stored'; why: string };

/** An answer with the version of what it was made of. */
export interface Versioned<T> {
    answer: T;
    /** Text that is another one whenever the answer is; undefined where nobody keeps one, and the answer itself has to be compared. */
    version: string | undefined;
}

/** A page of a list. */
export interface Page<T> {
    items: readonly T[];
    /** True if more stand behind the last one. */
    hasMore: boolean;
}

export const SEVERITIES = ['info', 'warning', 'critical'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** Devices by their state. */
type Counts = Readonly<Record<StateOfDevice, number>>;

export interface Fleet {
    devices: Counts;
    /** Devices of each profile and site, by their state. */
    groups: readonly { profile: string; site: string; devices: Counts }[];
    /** Open alerts by severity, and how many of all of them nobody has acknowledged. */
    openAlerts: Readonly<Record<Severity, number>>;
    unacknowledged: number;
    /** True while messages wait too long between inbox and latest state: what is shown may be old. */
    isPipelineLate: boolean;
}

/** A device as it is now. One that was registered and never sent has an item of version 0. */
export interface DeviceNow {
    state: StateOfDevice;
    item: DeviceItem;
}

export interface DevicesQuestion {
    state?: StateOfDevice | undefined;
    profile?: string | undefined;
    site?: string | undefined;
    /** Beginning of the id. */
    prefix?: string | undefined;
    /** Id of the last device that the caller has; devices are in the order of their ids, byte by byte. */
    after: string | undefined;
    limit: number;
}

/** States that can be asked for: `open` has not ended, `unacknowledged` is open and nobody has acknowledged it. */
export const ALERT_STATES = ['open', 'closed', 'acknowledged', 'unacknowledged'] as const;

export interface AlertsQuestion {
    state?: (typeof ALERT_STATES)[number] | undefined;
    device?: string | undefined;
    rule?: string | undefined;
    severity?: Severity | undefined;
    /** Beginning and id of the last alert that the caller has: alerts are in the order of (began_ms, id), largest first. */
    after: { beganMs: number; id: string } | undefined;
    limit: number;
}

export type Acknowledged =
    | { is: 'acknowledged'; alert: LiveAlert }
    /** Somebody did before, with other words; the alert says who. */
    | { is: 'taken'; alert: LiveAlert }
    | { is: 'missing' };

export interface ReadingsQuestion {
    device: string;
    metric: string | undefined;
    site: string | undefined;
    /** UTC epoch milliseconds, inclusive. */
    fromMs: number | undefined;
    /** Exclusive. */
    toMs: number | undefined;
}

/** Place of a reading in the order (at_ms, metric, message, site). */
export interface ReadingPlace {
    atMs: number;
    metric: string;
    message: string;
    site: string;
}

/** A reading as the lake has it. */
export interface LakeReading extends ReadingPlace {
    device: string;
    /** Decimal text; null for a text. */
    value: string | null;
    text: string | null;
    clock: string;
    receivedMs: number;
    copies: number;
}

/** What a metric was in one step of time. */
export interface ReadingStep {
    site: string;
    device: string;
    metric: string;
    fromMs: number;
    /** Readings in it, of numbers and texts. */
    readings: number;
    /** Decimal text; null where all are texts. */
    min: string | null;
    max: string | null;
    /** The one figure that is no exact number. */
    mean: number | null;
}

/** An event with the number by which a client resumes. */
export interface NumberedEvent {
    /** Decimal digits; they grow. */
    id: string;
    event: LiveEvent;
}

/** The log of events, as far as it is kept. */
export interface EventLog {
    /** Id of the last event; `0` where there was none. */
    last(): Promise<string>;
    /**
     * Events behind `after`, oldest first; without those of kind `latest`, which are the most by far, where they are not wanted. Undefined where some of them are no longer
     * kept, or where the log has never had the id.
     */
    read(asked: { after: string; limit: number; isLatestWanted: boolean }): Promise<readonly NumberedEvent[] | undefined>;
    /** Calls back after events were added. @returns what ends that */
    onAdded(listener: (added: { isLatestOnly: boolean }) => void): () => void;
}

/** How it goes, for anybody who asks. */
export interface Health {
    /** False where the inbox cannot store at the moment. */
    isTaking: boolean;
    isPipelineLate: boolean;
}

export interface ApiServices {
    /** Who has the token; undefined for one that nobody has, or has any more. Compares in constant time. */
    authenticate(token: string): Promise<Caller | undefined>;
    /**
     * Stores a device's messages in their order. Resolves once each is durable or was refused, with an answer for each in the same order; calls are stored in the
     * order in which they were made. @throws StorageError where none of them is stored
     */
    accept(device: string, messages: readonly ArrivedMessage[]): Promise<readonly Taken[]>;
    fleet(): Promise<Versioned<Fleet>>;
    devices(question: DevicesQuestion): Promise<Versioned<Page<DeviceNow>>>;
    /** The device; undefined where the registry has none of that id. */
    device(id: string): Promise<Versioned<DeviceNow> | undefined>;
    /** Readings of the lake, newest first; undefined where the lake knows no such device. */
    readings(
        question: ReadingsQuestion & { after: ReadingPlace | undefined; limit: number },
    ): Promise<Versioned<Page<LakeReading>> | undefined>;
    /** Steps with a reading in them, newest first, then by metric and site; undefined where the lake knows no such device. */
    steps(question: ReadingsQuestion & { stepMs: number }): Promise<Versioned<readonly ReadingStep[]> | undefined>;
    alerts(question: AlertsQuestion): Promise<Versioned<Page<LiveAlert>>>;
    /** Safe to repeat. */
    acknowledge(order: { id: string; by: string; note: string }): Promise<Acknowledged>;
    /** The log that GET /v1/live reads; undefined where events go another way. */
    events: EventLog | undefined;
    health(): Promise<Health>;
}

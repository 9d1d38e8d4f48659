/** Takes what a profile finds in messages: readings straight into the table, problems and unknown fields until the message is over. */
import { hashWordsOf } from '../profile/identity.ts';
import type { MetricOf, ReadingSink } from '../profile/reading-sink.ts';
import type { Moment } from '../profile/time-choices.ts';
import type { Problem, Reading } from '../reading.ts';
import { type DeviceSeries, HOUR_MS, type ReadingTable } from '../reading-table.ts';

/** What is known of a message whose readings come next. */
export interface MessageFacts {
    site: string;
    /** Number of the profile in the table. */
    profile: number;
    arrivedMs: number | undefined;
    /** Takes each reading as an object too, where somebody wants to see it. */
    seen: Reading[] | undefined;
    /** The payload as the profile gets it, and the bytes by which the message is known where it is known by the payload's hash. */
    payload: Uint8Array;
    shown: Uint8Array;
}

/** The first and the last hour whose day has a name of four digits for its year, since 1970. */
const FIRST_HOUR = Date.parse('0001-01-01T00:00:00Z') / HOUR_MS;
const LAST_HOUR = Date.parse('9999-12-31T23:00:00Z') / HOUR_MS;

const UNITS_OF_ONE = 10n ** 9n;

const OUT_OF_CALENDAR = { reason: 'time_implausible', why: 'its time is in no year from 1 to 9999' };

const NO_BYTES = new Uint8Array(0);

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
    return a === b || Buffer.compare(a, b) === 0;
}

export class TableSink implements ReadingSink {
    /** State of the message at hand. */
    readings = 0;
    problems: Problem[] = [];
    readonly #table: ReadingTable;
    readonly #onUnknown: (path: string) => void;
    #facts: MessageFacts = { site: '', profile: 0, arrivedMs: undefined, seen: undefined, payload: NO_BYTES, shown: NO_BYTES };
    #device: DeviceSeries | undefined;
    #message = 0;

    constructor(table: ReadingTable, { onUnknown }: { onUnknown: (path: string) => void }) {
        this.#table = table;
        this.#onUnknown = onUnknown;
    }

    /** A message begins. */
    begin(facts: MessageFacts): void {
        this.#facts = facts;
        this.readings = 0;
        if (this.problems.length > 0) {
            this.problems = [];
        }
    }

    message(device: string, identity: string): void {
        this.#device = this.#table.device(this.#facts.site, device);
        this.#message = this.#table.messages.add(identity);
    }

    hashedMessage(device: string, bytes: Uint8Array): void {
        this.#device = this.#table.device(this.#facts.site, device);
        const { payload, shown } = this.#facts;
        const { high, low } = hashWordsOf(shown !== payload && isEqual(bytes, payload) ? shown : bytes);
        this.#message = this.#table.messages.addHash(high, low);
    }

    number(of: MetricOf, moment: Moment, whole: number, billionths: number): void {
        if (this.#add(of, moment)) {
            this.#table.setNumber(whole, billionths);
            if (this.#facts.seen) {
                this.#show(of, moment, { units: BigInt(whole) * UNITS_OF_ONE + BigInt(billionths), text: undefined });
            }
        }
    }

    largeNumber(of: MetricOf, moment: Moment, units: bigint): void {
        if (this.#add(of, moment)) {
            this.#table.setUnits(units);
            this.#show(of, moment, { units, text: undefined });
        }
    }

    text(of: MetricOf, moment: Moment, text: string): void {
        if (this.#add(of, moment)) {
            this.#table.setText(text);
            this.#show(of, moment, { units: undefined, text });
        }
    }

    problem(problem: Problem): void {
        this.problems.push(problem);
    }

    unknownField(path: string): void {
        this.#onUnknown(path);
    }

    #show({ metric }: MetricOf, { atMs, clock }: Moment, value: Pick<Reading, 'units' | 'text'>): void {
        const { seen, arrivedMs } = this.#facts;
        const device = this.#device?.device ?? '';
        seen?.push({
            device,
            metric,
            atMs,
            receivedMs: arrivedMs ?? atMs,
            ...value,
            message: this.#table.messages.textOf(this.#message),
            clock,
        });
    }

    /** Adds a reading without its value. @returns false where it has no place in the calendar */
    #add({ metric }: MetricOf, { atMs, clock }: Moment): boolean {
        const table = this.#table;
        const hour = Math.floor(atMs / HOUR_MS);
        if (!this.#device || hour < FIRST_HOUR || hour > LAST_HOUR) {
            this.problems.push({ ...OUT_OF_CALENDAR, metric });
            return false;
        }
        const { arrivedMs = atMs, profile } = this.#facts;
        table.add(this.#device, table.metrics.numberOf(metric), atMs, arrivedMs, this.#message, profile, clock === 'arrival');
        this.readings += 1;
        return true;
    }
}

/** One message while it is read: device, time and identity that its readings share, and the count of what came of it. */
import type { Problem } from '../reading.ts';
import { findDevice, NoDevice } from './device.ts';
import { identityOf } from './identity.ts';
import type { MetricSink } from './metrics.ts';
import type { MetricOf, ReadingSink } from './reading-sink.ts';
import type { Moment, NoMoment } from './time-choices.ts';
import type { Context, Source } from './tokens.ts';
import type { Value } from './values.ts';

/** What a profile says of all of its messages. */
export interface MessageSources {
    device: Source;
    time: (context: Context) => Moment | NoMoment | undefined;
    identity: readonly Source[] | undefined;
}

const NO_TIME: Problem = { reason: 'no_time', why: 'it does not say when it was measured: none of the places that "time" names is there' };

export class OneMessage implements MetricSink {
    /** Readings and problems so far. */
    count = 0;
    device: string | undefined;
    readonly sink: ReadingSink;
    readonly #sources: MessageSources;
    readonly #context: Context;
    /** The bytes whose hash is the identity where the profile names none. */
    readonly #bytes: Uint8Array;
    /** Number of the element; undefined where the payload is one message. */
    readonly #element: number | undefined;
    #moment: Moment | undefined;
    #isTimed = false;
    #isTold = false;

    constructor(given: { sources: MessageSources; context: Context; sink: ReadingSink; bytes: Uint8Array; element: number | undefined }) {
        this.#sources = given.sources;
        this.#context = given.context;
        this.sink = given.sink;
        this.#bytes = given.bytes;
        this.#element = given.element;
    }

    moment(): Moment | undefined {
        if (!this.#isTimed) {
            this.#isTimed = true;
            const moment = this.#sources.time(this.#context);
            if (moment === undefined || 'reason' in moment) {
                this.problem(moment ?? NO_TIME);
            } else {
                this.#moment = moment;
            }
        }
        return this.#moment;
    }

    number(of: MetricOf, moment: Moment, whole: number, billionths: number): void {
        this.#tell();
        this.sink.number(of, moment, whole, billionths);
    }

    value(of: MetricOf, moment: Moment, value: Exclude<Value, { problem: unknown }>): void {
        this.#tell();
        if (value.units === undefined) {
            this.sink.text(of, moment, value.text);
        } else {
            this.sink.largeNumber(of, moment, value.units);
        }
    }

    problem(problem: Problem): void {
        this.count++;
        this.sink.problem({ ...problem, device: this.device, element: this.#element });
    }

    /** The whole message is no reading. `isTimed`: its time is told where the device says one. */
    fail(problem: Problem, isTimed = false): void {
        const moment = isTimed ? this.#sources.time(this.#context) : undefined;
        this.problem(moment !== undefined && 'atMs' in moment && moment.clock === 'device' ? { ...problem, atMs: moment.atMs } : problem);
    }

    /** Finds the device. @returns why there is none */
    findDevice(): Problem | undefined {
        const device = findDevice(this.#sources.device, this.#context);
        if (device instanceof NoDevice) {
            return device.problem;
        }
        this.device = device;
        return undefined;
    }

    /** Notes the device as far as it can be told, for a message that is no reading anyway. */
    tellDevice(): void {
        if (this.findDevice() !== undefined) {
            this.device = this.#context.message.device;
        }
    }

    #tell(): void {
        this.count++;
        if (!this.#isTold) {
            this.#isTold = true;
            const device = this.device ?? '';
            const identity = identityOf(this.#sources.identity, this.#context);
            if (identity === undefined) {
                this.sink.hashedMessage(device, this.#bytes);
            } else {
                this.sink.message(device, identity);
            }
        }
    }
}

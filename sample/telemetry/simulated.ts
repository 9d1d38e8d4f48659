/** The fleet that `flowlake simulate` plays: what each of its devices sends, and what goes wrong on the way, all by the seed. */
import { UsageError } from '#lake/errors';
import { bell, hash, unit } from '#sample/random';

/** Shares from 0 to 1. */
export interface Faults {
    /** Of messages that are measured and never sent. */
    loss: number;
    /** Of messages that are sent twice. */
    repeat: number;
    /** Of messages that are held back for ten seconds to a minute, while later ones go. */
    late: number;
    /** Of devices whose clock is 90 minutes ahead. */
    skew: number;
    /** Of messages after which the device starts anew: it counts from 0 and has no clock until its second message. */
    reset: number;
}

const NO_FAULTS: Faults = { loss: 0, repeat: 0, late: 0, skew: 0, reset: 0 };

export interface SimulatedFleet {
    /** Ids of the devices. */
    devices: readonly string[];
    seed: number;
    faults: Faults;
}

/** A message that a device has measured. */
export interface SimulatedMessage {
    device: string;
    boot: number;
    /** The device's counter since its start, from 1 on. */
    sequence: number;
    /** When it was measured, UTC epoch milliseconds by the true clock. */
    atMs: number;
    payload: string;
    /** How often it is sent: 0 where it is lost on its way. */
    copies: 0 | 1 | 2;
    /** How long it is held back before it is sent. */
    heldBackMs: number;
}

/** The profile that reads the fleet's messages. */
export const SIMULATED_PROFILE = {
    name: 'simulated',
    description: 'devices of flowlake simulate: temperature, humidity, battery',
    topics: ['t/{device}/telemetry'],
    device: { path: 'deviceId' },
    time: { path: 'ts', unit: 'ms' },
    identity: [{ path: 'boot' }, { path: 'seq' }],
    metrics: [
        { name: 'temperature', path: 'temperature', unit: 'Cel', digits: 1, min: -40, max: 85 },
        { name: 'humidity', path: 'humidity', unit: '%RH', digits: 0, min: 0, max: 100 },
        { name: 'battery', path: 'battery', unit: '%', digits: 0, min: 0, max: 100 },
    ],
    dueEvery: '1m',
    grace: '1m',
    gapLimit: '5m',
    alerts: [
        {
            rule: 'too-warm',
            metric: 'temperature',
            above: { raise: 30, clear: 28 },
            severity: 'warning',
            message: 'the room is too warm',
        },
    ],
} as const;

/** The names of devices of a fleet of that many. */
export function simulatedDevices(count: number): string[] {
    return Array.from({ length: count }, (_, index) => `sim-${String(index + 1).padStart(4, '0')}`);
}

/** Faults as they are written on a command line: `loss=0.01,repeat=0.02`. @throws UsageError for others */
export function parseFaults(text: string | undefined): Faults {
    const faults = { ...NO_FAULTS };
    for (const part of text === undefined || text === '' ? [] : text.split(',')) {
        const [, name = '', share = ''] = /^([a-z]+)=(0(?:\.\d+)?|1(?:\.0+)?)$/.exec(part.trim()) ?? [];
        if (!isFault(name)) {
            throw new UsageError(
                `${JSON.stringify(part)} is no fault: write ${Object.keys(NO_FAULTS).join('=, ')}=, each with a share from 0 to 1, as in loss=0.01,repeat=0.02`,
            );
        }
        faults[name] = Number(share);
    }
    return faults;
}

function isFault(name: string): name is keyof Faults {
    return Object.hasOwn(NO_FAULTS, name);
}

/** Streams of random numbers, so that what is drawn for one thing does not move another. */
const FATE = 301;
const VALUES = 302;

const SKEW_MS = 90 * 60_000;

/** One device of the fleet: it measures when it is asked to. */
export class SimulatedDevice {
    readonly id: string;
    readonly #seed: number;
    readonly #index: number;
    readonly #faults: Faults;
    #count = 0;
    #boot: number;
    #sequence = 0;
    #hasClock = true;

    /** `boot` is the number of its first start: greater than that of any simulation before, so that no counter comes twice. */
    constructor({ devices, seed, faults }: SimulatedFleet, index: number, boot: number) {
        this.id = devices[index] ?? '';
        this.#seed = seed;
        this.#index = index;
        this.#faults = faults;
        this.#boot = boot;
    }

    /** The next message, measured at this time. */
    measure(atMs: number): SimulatedMessage {
        this.#count += 1;
        this.#sequence += 1;
        const draw = (which: number): number => unit(hash(this.#seed, this.#index, this.#count, FATE + which * 1000));
        const has = (fault: keyof Faults, which: number): boolean => draw(which) < this.#faults[fault];
        const isAhead = unit(hash(this.#seed, this.#index, 0, FATE)) < this.#faults.skew;
        const message: SimulatedMessage = {
            device: this.id,
            boot: this.#boot,
            sequence: this.#sequence,
            atMs,
            payload: this.#payload(this.#hasClock ? atMs + (isAhead ? SKEW_MS : 0) : 0),
            copies: has('loss', 1) ? 0 : has('repeat', 2) ? 2 : 1,
            heldBackMs: has('late', 3) ? 10_000 + Math.floor(draw(4) * 50_000) : 0,
        };
        this.#hasClock = true;
        if (has('reset', 5)) {
            this.#boot += 1;
            this.#sequence = 0;
            this.#hasClock = false;
        }
        return message;
    }

    #payload(clockMs: number): string {
        const draw = (which: number): number => bell(hash(this.#seed, this.#index, this.#count, VALUES + which * 1000));
        // A room in a hundred gets too warm for a while, so that there are alerts to look at.
        const isWarm = unit(hash(this.#seed, this.#index, Math.floor(this.#count / 20), VALUES)) < 0.01;
        const temperature = (21 + (isWarm ? 11 : 0) + 0.5 * draw(1)).toFixed(1);
        const battery = Math.max(1, 100 - Math.floor(this.#count / 1000));
        return (
            `{"deviceId":"${this.id}","ts":${clockMs},"boot":${this.#boot},"seq":${this.#sequence},` +
            `"temperature":${temperature},"humidity":${Math.round(45 + 4 * draw(2))},"battery":${battery}}`
        );
    }
}

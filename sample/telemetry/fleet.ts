/** The devices of a sample, and what goes wrong with each: all that follows from the seed. */
import { UsageError } from '#lake/errors';
import { isDay } from '#sample/calendar';
import { hash, unit } from '#sample/random';

export interface FleetOptions {
    /** How many devices. */
    devices: number;
    days: number;
    seed: number;
    sites: readonly string[];
    /** `YYYY-MM-DD`. */
    firstDay: string;
}

export const DEFAULT_FLEET: FleetOptions = {
    devices: 24,
    days: 30,
    seed: 1,
    sites: ['berlin', 'lisbon', 'osaka'],
    // A Monday.
    firstDay: '2026-01-05',
};

/** What a device is, and the name of the profile that reads it. */
export type Maker = 'thermostat' | 'tracker' | 'till' | 'cellar';

export interface Device {
    maker: Maker;
    id: string;
    site: string;
    /** Place among all devices, from 0. */
    index: number;
    /** What is set up to happen to it. */
    fate: Fate;
}

/**
 * What happens to a device beside what happens to all of them (repeats, reordering, lost clocks). Spans are in hours from the sample's beginning.
 */
export interface Fate {
    /** The room gets too warm, or the tracker leaves its yard: what an alert is for. */
    trouble?: Span;
    /** It says nothing. */
    silence?: Span;
    /** It is heard only later: it keeps its messages and sends them when the span ends. */
    outage?: Span;
    /** Its clock is ahead by 90 minutes. */
    skew?: Span;
    /** It tells degrees Fahrenheit. */
    fahrenheit?: Span;
    /** From this hour on it measures more and more, a degree in five days. */
    driftFrom?: number;
}

export interface Span {
    fromHour: number;
    /** Exclusive. */
    toHour: number;
}

const HOURS_PER_DAY = 24;
const MAX_DEVICES = 1_000_000;
const MAX_DAYS = 3650;

/** The options with defaults. @throws UsageError for options that make no fleet */
export function checkFleet(options: Partial<FleetOptions>): FleetOptions {
    const fleet = { ...DEFAULT_FLEET, ...options };
    const { devices, days, seed, firstDay } = fleet;
    for (const [name, value, most] of [
        ['devices', devices, MAX_DEVICES],
        ['days', days, MAX_DAYS],
    ] as const) {
        if (!Number.isSafeInteger(value) || value < 1 || value > most) {
            throw new UsageError(`A fleet has 1 to ${most} ${name}, not ${value}`);
        }
    }
    if (!Number.isSafeInteger(seed) || seed < 0) {
        throw new UsageError(`A seed is a whole number from 0 on, not ${seed}`);
    }
    if (!isDay(firstDay)) {
        throw new UsageError(`The first day of a fleet is YYYY-MM-DD, not ${firstDay}`);
    }
    return fleet;
}

/** Half of the devices are thermostats, a quarter trackers; where there are four there is one of each kind. */
const MAKERS: readonly Maker[] = ['thermostat', 'tracker', 'till', 'cellar', 'thermostat', 'thermostat', 'tracker', 'thermostat'];

/** Every device of the fleet. */
export function createDevices({ devices, days, seed, sites }: FleetOptions): Device[] {
    const counts = new Map<Maker, number>();
    return Array.from({ length: devices }, (_, index) => {
        const maker = MAKERS[index % MAKERS.length] as Maker;
        const number = (counts.get(maker) ?? 0) + 1;
        counts.set(maker, number);
        // Trackers are of one yard, around which their profile has its fence.
        const site = (maker === 'tracker' ? sites[0] : sites[hash(seed, index, SITE) % sites.length]) as string;
        // LoRaWAN devices have 16 hex digits of their own.
        const id = maker === 'cellar' ? `70b3d57ed${hash(seed, index, ID).toString(16).padStart(7, '0').slice(-7)}` : nameOf(maker, number);
        return { maker, id, site, index, fate: fateOf({ maker, number, index, days, seed }) };
    });
}

function nameOf(maker: Maker, number: number): string {
    return `${maker}-${String(number).padStart(3, '0')}`;
}

/** Streams of random numbers, so that what is drawn for one thing does not move another. */
const SITE = 101;
const ID = 102;
const FATE = 103;

/** The first devices of each maker have a fate for sure, so that a small fleet has some of all; of the others one in twelve has. */
function fateOf({ maker, number, index, days, seed }: { maker: Maker; number: number; index: number; days: number; seed: number }): Fate {
    const draw = (which: number): number => unit(hash(seed, index, FATE, which));
    const has = (which: number, first: number): boolean => number === first || (number > 4 && draw(which) < 1 / 12);
    // Not on the first day, so that there is a usual to compare with.
    const hourOf = (which: number, hour: number): number => {
        const day = days < 3 ? 0 : 1 + Math.floor(draw(which + 50) * (days - 2));
        return day * HOURS_PER_DAY + hour;
    };
    const span = (which: number, hour: number, hours: number): Span => {
        const fromHour = hourOf(which, hour);
        return { fromHour, toHour: fromHour + hours };
    };
    const fate: Fate = {};
    if ((maker === 'thermostat' || maker === 'tracker') && has(1, 1)) {
        fate.trouble = span(1, maker === 'tracker' ? 22 : 11, 3);
    }
    if (maker !== 'till' && has(2, 2)) {
        fate.silence = span(2, 3, 7);
    }
    if (maker === 'thermostat' || maker === 'tracker') {
        if (has(3, 3)) {
            fate.outage = span(3, 20, 9);
        }
        if (has(4, 4)) {
            fate.skew = span(4, 8, 10);
        }
    }
    if (maker === 'thermostat' && has(5, 2)) {
        fate.fahrenheit = span(5, 12, 24);
    }
    if (maker === 'thermostat' && has(6, 4)) {
        fate.driftFrom = Math.floor((days * HOURS_PER_DAY) / 3);
    }
    return fate;
}

/** True if the hour lies in the span. */
export function isIn(span: Span | undefined, hour: number): boolean {
    return span !== undefined && hour >= span.fromHour && hour < span.toHour;
}

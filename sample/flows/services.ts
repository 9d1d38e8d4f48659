/** The ways in which the devices of the sample talk: how a flow of each looks, and when and how often such flows come. */

/** How the hours of a day share its flows, from midnight on (relative weights). */
const AROUND_THE_CLOCK = [9, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 9, 9, 9, 9, 9];
const MOSTLY_BY_DAY = [3, 2, 2, 2, 2, 3, 6, 10, 14, 15, 15, 15, 14, 15, 15, 15, 14, 12, 9, 7, 6, 5, 4, 3];
const OFFICE_HOURS = [0, 0, 0, 0, 0, 0, 1, 6, 18, 22, 22, 20, 12, 19, 22, 20, 17, 9, 3, 1, 1, 0, 0, 0];
const RUSH_HOURS = [0, 0, 0, 0, 0, 2, 9, 34, 38, 14, 6, 10, 24, 20, 7, 8, 20, 30, 18, 6, 3, 2, 1, 0];
const NIGHTLY_UPLOAD = [6, 30, 34, 18, 8, 5, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7, 6, 5, 5, 5, 5];

export interface Service {
    flow: FlowLook;
    rhythm: Rhythm;
}

export interface FlowLook {
    protocol: 'tcp' | 'udp';
    /** Port of the destination; 0: another one for every flow. */
    port: number;
    /** Median of the packets forward, and by how many powers of two one deviation leaves it. */
    packets: number;
    spread: number;
    /** Packets backward for each one forward. */
    answer: number;
    /** Mean payload of a packet that carries any: forward, backward. */
    bytes: readonly [number, number];
    /** Median duration. Above 120 s most flows end where CICFlowMeter cuts them. */
    durationUs: number;
    /** How much of the duration is one long silence: 0 = evenly spaced packets. */
    silence: number;
}

export interface Rhythm {
    /** Flows of a pair and day, relative to other services. */
    weight: number;
    hours: readonly number[];
    /** Traffic of a Saturday or Sunday, relative to a working day. */
    weekend: number;
    /** Powers of two by which one deviation leaves the pair's usual day. */
    unrest: number;
    /** Evenness of the flows. 1: they come evenly; near 0: in bursts with quiet between them. */
    evenness: number;
}

const UDP = { protocol: 'udp', packets: 1, spread: 0.6, answer: 1, durationUs: 20_000, silence: 0.4 } as const;
const TCP = { protocol: 'tcp', spread: 1, answer: 0.9, silence: 0.6 } as const;

/** Services by name; their order is part of the sample's bytes. */
export const SERVICES = {
    dns: {
        flow: { ...UDP, port: 53, bytes: [38, 120] },
        rhythm: { weight: 14, hours: MOSTLY_BY_DAY, weekend: 0.5, unrest: 0.3, evenness: 1 },
    },
    ntp: {
        flow: { ...UDP, port: 123, bytes: [48, 48] },
        rhythm: { weight: 6, hours: AROUND_THE_CLOCK, weekend: 1, unrest: 0.1, evenness: 1 },
    },
    video: {
        flow: { ...TCP, port: 554, packets: 900, answer: 0.3, bytes: [1180, 60], durationUs: 170_000_000, silence: 0.02 },
        rhythm: { weight: 34, hours: AROUND_THE_CLOCK, weekend: 0.7, unrest: 0.15, evenness: 1 },
    },
    control: {
        flow: { ...TCP, port: 80, packets: 6, bytes: [310, 640], durationUs: 240_000 },
        rhythm: { weight: 5, hours: MOSTLY_BY_DAY, weekend: 0.4, unrest: 0.4, evenness: 0.3 },
    },
    mqtt: {
        flow: { ...TCP, port: 8883, packets: 14, bytes: [96, 42], durationUs: 110_000_000, silence: 0.25 },
        rhythm: { weight: 20, hours: MOSTLY_BY_DAY, weekend: 0.6, unrest: 0.2, evenness: 1 },
    },
    coap: {
        flow: { ...UDP, port: 5683, packets: 2, bytes: [44, 16] },
        rhythm: { weight: 24, hours: AROUND_THE_CLOCK, weekend: 0.95, unrest: 0.08, evenness: 1 },
    },
    poll: {
        flow: { ...TCP, port: 502, packets: 5, spread: 0.4, bytes: [12, 29], durationUs: 60_000 },
        rhythm: { weight: 12, hours: AROUND_THE_CLOCK, weekend: 0.9, unrest: 0.1, evenness: 1 },
    },
    print: {
        flow: { ...TCP, port: 9100, packets: 120, spread: 2, answer: 0.4, bytes: [1320, 20], durationUs: 2_600_000 },
        rhythm: { weight: 10, hours: OFFICE_HOURS, weekend: 0.04, unrest: 0.6, evenness: 0.2 },
    },
    https: {
        flow: { ...TCP, port: 443, packets: 11, bytes: [420, 980], durationUs: 900_000 },
        rhythm: { weight: 8, hours: OFFICE_HOURS, weekend: 0.15, unrest: 0.4, evenness: 0.5 },
    },
    badge: {
        flow: { ...TCP, port: 4070, packets: 7, spread: 0.5, bytes: [84, 52], durationUs: 180_000 },
        rhythm: { weight: 14, hours: RUSH_HOURS, weekend: 0.05, unrest: 0.25, evenness: 0.4 },
    },
    syslog: {
        flow: { ...UDP, port: 514, packets: 4, spread: 1, answer: 0, bytes: [180, 0], durationUs: 9_000_000 },
        rhythm: { weight: 16, hours: MOSTLY_BY_DAY, weekend: 0.6, unrest: 0.3, evenness: 1 },
    },
    upload: {
        flow: { ...TCP, port: 443, packets: 60, spread: 1.5, answer: 0.6, bytes: [1240, 90], durationUs: 12_000_000 },
        rhythm: { weight: 22, hours: NIGHTLY_UPLOAD, weekend: 0.8, unrest: 0.3, evenness: 1 },
    },
    mdns: {
        flow: { ...UDP, port: 5353, packets: 2, answer: 0, bytes: [110, 0], durationUs: 1_000_000 },
        rhythm: { weight: 5, hours: MOSTLY_BY_DAY, weekend: 0.5, unrest: 0.3, evenness: 1 },
    },
    scan: {
        flow: { ...TCP, port: 0, packets: 1, spread: 0.2, answer: 1, bytes: [0, 0], durationUs: 900 },
        rhythm: { weight: 0, hours: RUSH_HOURS, weekend: 1, unrest: 0, evenness: 0.05 },
    },
} as const satisfies Record<string, Service>;

export type ServiceName = keyof typeof SERVICES;

/** All services; their places here are the numbers by which pairs name them. */
export const SERVICE_LIST: readonly Service[] = Object.values(SERVICES);

/** A service's place in SERVICE_LIST. */
export function serviceNumber(name: ServiceName): number {
    return Object.keys(SERVICES).indexOf(name);
}

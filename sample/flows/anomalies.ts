/** The unusual days that the generator plants, so that tests and the demo can check that they are found. */
import type { SampleDay } from '#sample/calendar';
import { hash } from '#sample/random';
import type { SiteNetwork } from './network.ts';
import { type ServiceName, serviceNumber } from './services.ts';

/** surge: ten times the usual traffic; scan: short flows to many ports of a quiet pair; comeback: a week of silence, then a burst. */
export type AnomalyKind = 'surge' | 'scan' | 'comeback';

/** A planted anomaly by its place in the site's network and in the calendar. */
export interface Anomaly {
    kind: AnomalyKind;
    pair: number;
    dayNumber: number;
}

/** Days of silence before a comeback. */
const SILENT_DAYS = 7;

/**
 * How each kind shapes its pair: usual flows and those of the unusual day (in shares of what an average pair has on an average day), whose
 * traffic it is, how far into the working days it falls, and how many of these must lie before it to know what is usual.
 */
const KINDS: Record<AnomalyKind, { usual: number; unusual: number; services: ServiceName[]; depth: number; pastWorkdays: number }> = {
    surge: { usual: 2, unusual: 20, services: ['mqtt', 'upload'], depth: 0.6, pastWorkdays: 6 },
    scan: { usual: 0.15, unusual: 4, services: ['control'], depth: 0.7, pastWorkdays: 8 },
    comeback: { usual: 1, unusual: 8, services: ['coap', 'poll'], depth: 0.85, pastWorkdays: 6 + SILENT_DAYS },
};

/** One anomaly of each kind, each on a pair and a working day of its own; fewer where the site or the calendar is too small. */
export function planAnomalies(
    network: SiteNetwork,
    { calendar, seed, siteNumber }: { calendar: SampleDay[]; seed: number; siteNumber: number },
): Anomaly[] {
    const workdays = calendar.flatMap(({ isWeekend }, dayNumber) => (isWeekend ? [] : [dayNumber]));
    return (['surge', 'scan', 'comeback'] as const).flatMap((kind, place) => {
        const { services, depth, pastWorkdays } = KINDS[kind];
        const workday = Math.min(Math.floor(workdays.length * depth) + (siteNumber % 3), workdays.length - 1);
        const dayNumber = workday < pastWorkdays ? undefined : workdays[workday];
        const pair = findPair(network, { services, from: hash(seed, siteNumber, place) });
        return dayNumber === undefined || pair === undefined ? [] : [{ kind, pair, dayNumber }];
    });
}

/** An anomaly's share of its pair's day: flows relative to those of an average pair on an average day. */
export function anomalousShare({ kind, dayNumber }: Anomaly, onDay: number): number {
    const { usual, unusual } = KINDS[kind];
    if (onDay === dayNumber) {
        return unusual;
    }
    return kind === 'comeback' && onDay < dayNumber && onDay >= dayNumber - SILENT_DAYS ? 0 : usual;
}

function findPair(network: SiteNetwork, { services, from }: { services: ServiceName[]; from: number }): number | undefined {
    const wanted = services.map(serviceNumber);
    for (let step = 0; step < network.pairCount; step++) {
        const pair = (from + step) % network.pairCount;
        if (wanted.includes(network.services[pair] ?? -1)) {
            return pair;
        }
    }
    return undefined;
}

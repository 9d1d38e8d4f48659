/**
 * Works out how many flows each pair has on each day: its own level, its working days and weekends, its device's life, the planted
 * anomalies.
 */

import { createCalendar, type SampleDay } from '#sample/calendar';
import { bell, grow, hash, unit } from '#sample/random';
import { type Anomaly, anomalousShare, planAnomalies } from './anomalies.ts';
import { createSiteNetwork, type SiteNetwork } from './network.ts';
import { SERVICE_LIST } from './services.ts';

/** What a sample is made of; all of it together decides every byte. */
export interface SampleOptions {
    /** Rows in all files together. */
    flows: number;
    days: number;
    /** Distinct pairs at all sites together. */
    pairs: number;
    seed: number;
    sites: readonly string[];
    /** First day as `yyyy-mm-dd`. */
    firstDay: string;
}

/** One file's share: the flows of each of a site's pairs on one day. */
export interface SiteDay {
    network: SiteNetwork;
    siteNumber: number;
    calendarDay: SampleDay;
    dayNumber: number;
    anomalies: Anomaly[];
    flows: number;
    flowsOfPair: Int32Array;
}

/** Samples shorter than this have no devices that come or go. */
const SHORTEST_LIFE_DAYS = 7;
const LIFE = 101;
const CERTAIN_DAY = 102;

/** A site with all that decides its traffic. */
interface Site {
    network: SiteNetwork;
    siteNumber: number;
    anomalies: Anomaly[];
    anomalyOfPair: Map<number, Anomaly>;
}

/** The sites with their pairs and anomalies; nothing about single flows yet. */
export function createSites({ sites, pairs, days, firstDay, seed }: SampleOptions): { calendar: SampleDay[]; sites: Site[] } {
    const calendar = createCalendar(firstDay, days);
    const built = sites.map((site, siteNumber) => {
        const before = Math.floor((pairs * siteNumber) / sites.length);
        const pairCount = Math.floor((pairs * (siteNumber + 1)) / sites.length) - before;
        const network = createSiteNetwork({ site, siteNumber, pairCount, seed });
        const anomalies = planAnomalies(network, { calendar, seed, siteNumber });
        return { network, siteNumber, anomalies, anomalyOfPair: new Map(anomalies.map((anomaly) => [anomaly.pair, anomaly])) };
    });
    return { calendar, sites: built };
}

/**
 * The flows of every site and day, day by day. They add up to exactly `flows`. Every pair has one at least, unless there are more pairs
 * than flows; the others are shared out by weight.
 */
export function* shareOut(options: SampleOptions): Generator<SiteDay> {
    const { calendar, sites } = createSites(options);
    const average = averageWeight(sites);
    const days = calendar.flatMap((calendarDay, dayNumber) => sites.map((site) => ({ ...site, calendarDay, dayNumber })));
    const weightOf = (day: (typeof days)[number], pair: number) => pairDayWeight(day, { pair, average, options });
    let totalWeight = 0;
    for (const day of days) {
        for (let pair = 0; pair < day.network.pairCount; pair++) {
            totalWeight += weightOf(day, pair);
        }
    }
    const certain = Math.min(options.pairs, options.flows);
    const shared = options.flows - certain;
    let certainLeft = certain;
    let weight = 0;
    let sharedSoFar = 0;
    for (const day of days) {
        const { network, siteNumber, calendarDay, dayNumber, anomalies } = day;
        const flowsOfPair = new Int32Array(network.pairCount);
        let flows = 0;
        for (let pair = 0; pair < network.pairCount; pair++) {
            weight += weightOf(day, pair);
            // Rounding the running sum, not each share, is what makes the total come out exactly.
            const upToHere = totalWeight === 0 ? 0 : Math.floor(shared * (weight / totalWeight));
            let own = upToHere - sharedSoFar;
            sharedSoFar = upToHere;
            if (certainLeft > 0 && dayNumber === certainDay(day, { pair, options })) {
                own++;
                certainLeft--;
            }
            flowsOfPair[pair] = own;
            flows += own;
        }
        yield { network, siteNumber, calendarDay, dayNumber, anomalies, flows, flowsOfPair };
    }
}

/** Weight of a pair on a day: whole, so that sums are exact. */
function pairDayWeight(
    { network, siteNumber, calendarDay, dayNumber, anomalyOfPair }: Site & { calendarDay: SampleDay; dayNumber: number },
    { pair, average, options }: { pair: number; average: number; options: SampleOptions },
): number {
    const rhythm = SERVICE_LIST[network.services[pair] ?? 0]?.rhythm;
    const device = network.devices[pair] ?? 0;
    const anomaly = anomalyOfPair.get(pair);
    const life = anomaly ? undefined : lifeOf({ siteNumber, device, options });
    if (!rhythm || (life && (dayNumber < life.from || dayNumber >= life.until))) {
        return 0;
    }
    const level = anomaly ? average * anomalousShare(anomaly, dayNumber) : (network.weights[pair] ?? 0);
    const unrest = anomaly ? 0.1 : rhythm.unrest;
    const week = calendarDay.isWeekend ? rhythm.weekend : 1;
    return Math.round(level * week * grow(unrest * bell(hash(options.seed, siteNumber, pair, dayNumber + 1))));
}

/** The days on which a device is there: most from the first to the last, one in ten comes later, one in ten goes. */
function lifeOf({ siteNumber, device, options }: { siteNumber: number; device: number; options: SampleOptions }): {
    from: number;
    until: number;
} {
    const { seed, days } = options;
    const bits = hash(seed, LIFE, siteNumber, device);
    const moment = Math.floor(days * (0.2 + 0.6 * unit((bits << 8) >>> 0)));
    const fate = days < SHORTEST_LIFE_DAYS ? 255 : bits >>> 24;
    return { from: fate < 26 ? moment : 0, until: fate >= 26 && fate < 52 ? moment : days };
}

/** The day on which a pair has a flow, come what may: one of its device's life, and none of a planned silence. */
function certainDay({ siteNumber, network, anomalyOfPair }: Site, { pair, options }: { pair: number; options: SampleOptions }): number {
    const anomaly = anomalyOfPair.get(pair);
    if (anomaly) {
        return anomaly.dayNumber;
    }
    const { from, until } = lifeOf({ siteNumber, device: network.devices[pair] ?? 0, options });
    return from + Math.floor(unit(hash(options.seed, CERTAIN_DAY, siteNumber, pair)) * (until - from));
}

/** Weight of a pair on an average day of the week. */
function averageWeight(sites: Site[]): number {
    let total = 0;
    let pairs = 0;
    for (const { network } of sites) {
        for (let pair = 0; pair < network.pairCount; pair++) {
            const weekend = SERVICE_LIST[network.services[pair] ?? 0]?.rhythm.weekend ?? 1;
            total += ((network.weights[pair] ?? 0) * (5 + 2 * weekend)) / 7;
            pairs++;
        }
    }
    return pairs === 0 ? 0 : total / pairs;
}

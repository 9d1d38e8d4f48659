/** Readings of one hour as derived tables go through them: in the order of site, device, metric, time and message. */
import type { DerivingRules } from './rules.ts';

export interface SortedReadings {
    count: number;
    /** True if the row's site, device and metric are those of the row before it. */
    isSameSeries(row: number): boolean;
    /** True if the row's site and device are those of the row before it. */
    isSameDevice(row: number): boolean;
    siteAt(row: number): string;
    deviceAt(row: number): string;
    metricAt(row: number): string;
    /** Name of the profile that read it. */
    profileAt(row: number): string;
    messageAt(row: number): string;
    /** UTC epoch milliseconds. */
    atMsAt(row: number): number;
    /** The value in units of 10^-9; undefined for a text. */
    unitsAt(row: number): bigint | undefined;
}

/** Answers with the rules of the profile of that name; undefined where the lake has none. */
export type RulesOf = (profile: string) => DerivingRules | undefined;

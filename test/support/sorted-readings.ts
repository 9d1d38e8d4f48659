/** Readings written by hand, as derived tables go through them. */
import { compareTexts } from '#lake/rows';
import type { AlertRule, DerivingRules } from '#lake/telemetry/rules';
import type { SortedReadings } from '#lake/telemetry/sorted-readings';

export interface MadeReading {
    site?: string;
    device?: string;
    metric?: string;
    profile?: string;
    message?: string;
    at: number;
    /** A number as decimal text is a value, anything else a text. */
    is: string;
}

/** The readings in the order of their keys. */
export function sortedReadings(made: readonly MadeReading[]): SortedReadings {
    const rows = made
        .map(({ site = 'main', device = 'd1', metric = 'temp', profile = 'p', message = '', at, is }) => {
            return { site, device, metric, profile, message, at, units: unitsOf(is) };
        })
        .sort(
            (a, b) =>
                compareTexts(a.site, b.site) ||
                compareTexts(a.device, b.device) ||
                compareTexts(a.metric, b.metric) ||
                a.at - b.at ||
                compareTexts(a.message, b.message),
        );
    const row = (at: number) => rows[at] as (typeof rows)[number];
    const isSameDevice = (at: number): boolean => at > 0 && row(at).site === row(at - 1).site && row(at).device === row(at - 1).device;
    return {
        count: rows.length,
        isSameDevice,
        isSameSeries: (at) => isSameDevice(at) && row(at).metric === row(at - 1).metric,
        siteAt: (at) => row(at).site,
        deviceAt: (at) => row(at).device,
        metricAt: (at) => row(at).metric,
        profileAt: (at) => row(at).profile,
        messageAt: (at) => row(at).message,
        atMsAt: (at) => row(at).at,
        unitsAt: (at) => row(at).units,
    };
}

/** Decimal text in units of 10^-9; undefined for a text that is no number. */
export function unitsOf(text: string): bigint | undefined {
    const found = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text);
    return found ? BigInt(`${found[1]}${found[2]}${(found[3] ?? '').padEnd(9, '0')}`) : undefined;
}

/** Rules of a profile, of which only some are said. */
export function rulesWith({
    digits = {},
    gapLimitMs = 60_000,
    ...said
}: { digits?: Record<string, number>; alerts?: readonly AlertRule[] } & Partial<
    Omit<DerivingRules, 'digitsOf' | 'alerts'>
>): DerivingRules {
    return { dueEveryMs: undefined, graceMs: 0, alerts: [], ...said, gapLimitMs, digitsOf: (metric) => digits[metric] };
}

/** What a profile says of hours, gaps and alerts: docs/profile-words.md, taken word by word for the second way to derive. */
import type { ProfileDocument } from './document.ts';
import { fractionOf, rounded, ZERO } from './fractions.ts';
import { durationMs } from './instants.ts';

type Num = number | string;

interface AlertWords {
    rule: string;
    severity: string;
    message: string;
    metric?: string;
    above?: { raise: Num; clear: Num };
    below?: { raise: Num; clear: Num };
    holdFor?: string;
    missingFor?: string;
    silentFor?: string;
    outside?: { latitude: Num; longitude: Num; radiusM: number; backM: number; latitudeMetric?: string; longitudeMetric?: string };
}

/** The words of a profile that only what is derived needs. */
type DerivingWords = Pick<ProfileDocument, 'metrics'> & {
    dueEvery?: string;
    grace?: string;
    gapLimit?: string;
    alerts?: readonly AlertWords[];
};

interface Said {
    rule: string;
    severity: string;
    message: string;
}

/** Values in units of 10^-9, spans in milliseconds. */
export type Rule = Said &
    (
        | { is: 'silent'; afterMs: number }
        | { is: 'missing'; metric: string; afterMs: number }
        | { is: 'beyond'; metric: string; isAbove: boolean; raise: bigint; clear: bigint; holdForMs: number }
        | {
              is: 'outside';
              latitude: string;
              longitude: string;
              middle: { latitude: bigint; longitude: bigint };
              radiusM: number;
              backM: number;
              holdForMs: number;
          }
    );

export interface ProfileRules {
    gapLimitMs: number;
    rules: readonly Rule[];
    /** Digits behind the point that a metric's hourly figures have; undefined where there are none. */
    digitsOf(metric: string): number | undefined;
}

/** Rules of a profile that the lake does not have: no gap is bridged, nothing is kept or raised. */
export const NO_RULES: ProfileRules = { gapLimitMs: 0, rules: [], digitsOf: () => undefined };

export function rulesIn(document: unknown): ProfileRules {
    const { metrics, dueEvery, grace = '0s', gapLimit = '1h', alerts = [] } = document as DerivingWords;
    const rules = alerts.map(ruleOf);
    const hasOwnSilence = rules.some(({ is, rule }) => is === 'silent' || rule === 'silent');
    if (dueEvery !== undefined && !hasOwnSilence) {
        const afterMs = durationMs(dueEvery) + durationMs(grace);
        rules.push({ is: 'silent', rule: 'silent', severity: 'warning', message: 'the device says nothing', afterMs });
    }
    return { gapLimitMs: durationMs(gapLimit), rules, digitsOf: (metric) => digitsOf(metrics, metric) };
}

function ruleOf({ rule, severity, message, metric = '', ...words }: AlertWords): Rule {
    const said = { rule, severity, message };
    const { above, below, holdFor = '0s', missingFor, silentFor, outside } = words;
    const bounds = above ?? below;
    const holdForMs = durationMs(holdFor);
    if (bounds) {
        const [raise, clear] = [billionths(bounds.raise), billionths(bounds.clear)];
        return { ...said, is: 'beyond', metric, isAbove: above !== undefined, raise, clear, holdForMs };
    }
    if (outside) {
        const { latitudeMetric = 'latitude', longitudeMetric = 'longitude', radiusM, backM } = outside;
        const middle = { latitude: billionths(outside.latitude), longitude: billionths(outside.longitude) };
        return { ...said, is: 'outside', latitude: latitudeMetric, longitude: longitudeMetric, middle, radiusM, backM, holdForMs };
    }
    return missingFor === undefined
        ? { ...said, is: 'silent', afterMs: durationMs(silentFor ?? '') }
        : { ...said, is: 'missing', metric, afterMs: durationMs(missingFor) };
}

function billionths(number: Num): bigint {
    return rounded(fractionOf(String(number)) ?? ZERO, 9);
}

/** Digits of the metric of this name, or of those whose names with braces can become it: the most that one of them has. */
function digitsOf(metrics: ProfileDocument['metrics'], name: string): number | undefined {
    const read = metrics.filter(({ notReading }) => notReading === undefined);
    const named = read.filter((metric) => metric.name === name);
    const numbers = (named.length > 0 ? named : read.filter((metric) => canBecome(metric.name, name))).filter(
        ({ kind }) => kind !== 'text',
    );
    const areKept = numbers.length > 0 && numbers.every(({ statistics = true }) => statistics);
    return areKept ? Math.max(...numbers.map(({ digits = 0 }) => digits)) : undefined;
}

/** True if the name is what stands around the braces, in that order, with anything in their places. */
function canBecome(written: string, name: string): boolean {
    const [first = '', ...others] = written.split(/\{[^}]*\}/);
    const last = others.pop();
    if (last === undefined) {
        return name === first;
    }
    let at = first.length;
    for (const part of others) {
        const found = name.indexOf(part, at);
        if (found < 0) {
            return false;
        }
        at = found + part.length;
    }
    return name.startsWith(first) && name.endsWith(last) && at + last.length <= name.length;
}
